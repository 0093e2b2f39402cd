"""Compressed streams: what they hold, and that a broken one never passes for a whole one."""

import contextlib
import io
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.formats.compressed import compression, decoded
from pipeline.formats.interface import Bomb, Truncated
from tests.formats import broken

TEXT = b"".join(b"line %d of the story\n" % number for number in range(20_000))
KINDS = sorted(broken.COMPRESS)


@pytest.mark.parametrize("kind", KINDS)
def test_each_compression_is_told_by_its_first_bytes_and_undone(kind: str) -> None:
    data = broken.COMPRESS[kind](TEXT)
    assert compression(data[:10]) == kind
    assert decoded(io.BytesIO(data)).read() == TEXT
    assert decoded(io.BytesIO(broken.COMPRESS[kind](b""))).read() == b""


def test_a_stream_without_compression_stays_as_it_is_and_seekable() -> None:
    for data in (b"", b"x", TEXT, b"BZh9 is how this text begins", b"\x1f\x8b"):
        stream = decoded(io.BytesIO(data))
        assert stream.seekable()
        assert stream.read() == data


@pytest.mark.parametrize("kind", KINDS)
def test_several_streams_one_after_another_are_one(kind: str) -> None:
    compress = broken.COMPRESS[kind]
    pieces = [TEXT[at : at + 50_000] for at in range(0, len(TEXT), 50_000)]
    assert decoded(io.BytesIO(b"".join(map(compress, pieces)))).read() == TEXT
    assert decoded(io.BytesIO(compress(TEXT) + bytes(600))).read() == TEXT


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_read_before_a_cut_comes_out_before_truncated_is_raised(kind: str) -> None:
    data = broken.COMPRESS[kind](TEXT)
    data = data + data[: len(data) // 2]
    stream = decoded(io.BytesIO(data))
    lines = []
    with pytest.raises(Truncated, match="ends before its end mark"):
        lines.extend(iter(stream.readline, b""))
    assert len(lines) >= 20_000
    with pytest.raises(Truncated):
        stream.read()


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_followed_by_something_else_is_not_whole(kind: str) -> None:
    data = broken.COMPRESS[kind](TEXT)
    for tail in (b"garbage", b"x", data[:5], b"\x00\x00y"):
        with pytest.raises(Truncated):
            decoded(io.BytesIO(data + tail)).read()


@pytest.mark.parametrize("kind", KINDS)
def test_every_cut_of_a_stream_is_seen(kind: str) -> None:
    data = broken.COMPRESS[kind](TEXT[:3000])
    for cut in range(10, len(data)):
        with pytest.raises(Truncated):
            decoded(io.BytesIO(data[:cut])).read()


@settings(max_examples=200, deadline=None)
@given(kind=st.sampled_from(KINDS), at=st.integers(10, 10**6), bit=st.integers(0, 7))
def test_a_flipped_bit_gives_the_same_text_or_truncated(kind: str, at: int, bit: int) -> None:
    data = bytearray(broken.COMPRESS[kind](TEXT[:30_000]))
    data[at % (len(data) - 10) + 10] ^= 1 << bit
    with contextlib.suppress(Truncated, Bomb):
        assert decoded(io.BytesIO(bytes(data))).read() == TEXT[:30_000]


@settings(max_examples=200, deadline=None)
@given(
    head=st.sampled_from(
        [b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03", b"BZh91AY&SY", b"\xfd7zXZ\x00\x00\x04", b"\x28\xb5\x2f\xfd", b""]
    ),
    tail=st.binary(max_size=300),
)
def test_any_bytes_are_decoded_or_truncated(head: bytes, tail: bytes) -> None:
    try:
        decoded(io.BytesIO(head + tail)).read()
    except (Truncated, Bomb):
        assert compression((head + tail)[:10]) is not None


@pytest.mark.parametrize("fixture", [broken.gzip_bomb, broken.zstd_bomb], ids=lambda fixture: fixture.__name__)
def test_a_bomb_stops_early_and_in_little_memory(fixture) -> None:
    """1 GB from 1 MB (gzip), 4 GB from 128 kB (zstd)."""
    stream = decoded(io.BytesIO(fixture()))
    produced = 0
    tracemalloc.start()
    with pytest.raises(Bomb, match="the limit is 200 to 1"):
        for piece in iter(lambda: stream.read(1 << 16), b""):
            produced += len(piece)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert produced < 100 << 20
    assert peak < 64 << 20
