"""Web archives: exact places, HTML responses, and a reason for every other record."""

import gzip
import zlib
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.formats import warc
from pipeline.formats.interface import Bomb, Truncated
from pipeline.formats.read import read_artifact
from pipeline.model import Document, Extraction, Fault
from tests.formats.broken import html, http, warc_record
from tests.formats.records_of import options, outcomes, reasons

SPEC = options("warc", extractor="all_text")
PAGE = html("Some words on a page.").encode()
ACCOUNT = Extraction("all_text/1", 17, 17)
GOOD = warc_record("response", http(PAGE), "http://example.org/page")


GZIP = b"Content-Encoding: gzip\r\n"


def gzipped(*records: bytes) -> bytes:
    return b"".join(gzip.compress(record, mtime=0) for record in records)


def test_a_response_gives_its_page_its_title_and_its_url(tmp_path: Path) -> None:
    assert outcomes(GOOD, SPEC, tmp_path) == [
        Document("Some words on a page.", "http://example.org/page", "A title", "utf-8", ACCOUNT)
    ]


def test_every_record_that_is_no_page_is_refused_with_its_reason(tmp_path: Path) -> None:
    records = [
        warc_record("warcinfo", b"software: x\r\n"), warc_record("request", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
        warc_record("metadata", b"a: b\r\n"), warc_record("revisit", http(b"")), warc_record("resource", b"data"),
        warc_record("conversion", b"text"), warc_record("continuation", b"more"), warc_record("novelty", b"x"),
        warc_record("response", http(b"x", "404 Not Found")), warc_record("response", http(b"", "301 Moved")),
        warc_record("response", http(b"\x89PNG", content_type="image/png")), warc_record("response", http(b" ")), GOOD,
    ]  # fmt: skip
    wanted = [
        "warc_warcinfo", "warc_request", "warc_metadata", "warc_revisit", "warc_resource", "warc_conversion",
        "warc_continuation", "warc_unknown", "http_status", "http_status", "not_html", "empty", "ok",
    ]  # fmt: skip
    for data in (b"".join(records), gzipped(*records)):
        assert reasons(outcomes(data, SPEC, tmp_path)) == wanted


def test_offset_and_length_are_those_of_the_record_in_the_decoded_stream(tmp_path: Path) -> None:
    path = tmp_path / "x.warc.gz"
    other = warc_record("request", b"GET / HTTP/1.1\r\n\r\n")
    path.write_bytes(gzipped(other, GOOD, other))
    found = list(read_artifact(path, "x", members=["**"], exclude=[], spec=SPEC))
    assert [(record.pointer.offset, record.pointer.length) for record in found] == [
        (0, len(other)), (len(other), len(GOOD)), (len(other) + len(GOOD), len(other)),
    ]  # fmt: skip
    assert [record.raw for record in found] == [other, GOOD, other]


def chunked(body: bytes) -> bytes:
    return b"5;ext=1\r\n" + body[:5] + b"\r\n%X\r\n" % (len(body) - 5) + body[5:] + b"\r\n0\r\nTrailer: x\r\n\r\n"


def raw_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush()


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (b"Transfer-Encoding: chunked\r\n", chunked(PAGE)),
        (b"Content-Encoding: gzip\r\n", gzip.compress(PAGE, mtime=0)),
        (b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", chunked(gzip.compress(PAGE, mtime=0))),
        (b"Content-Encoding: deflate\r\n", zlib.compress(PAGE)),
        (b"Content-Encoding: deflate\r\n", raw_deflate(PAGE)),
        (b"Content-Encoding: zstd\r\n", zstandard.ZstdCompressor().compress(PAGE)),
        (b"Content-Encoding: br\r\n", b"\x0b\x02\x80hello\x03"),
        (b"Content-Encoding: identity\r\n", PAGE),
        # Undone by the crawler, the header left as it was:
        (b"Transfer-Encoding: chunked\r\n", PAGE), (b"Content-Encoding: gzip\r\n", PAGE), (b"Content-Encoding: br\r\n", PAGE),
        (b"Content-Encoding: deflate\r\n", PAGE),
    ],
)  # fmt: skip
def test_transfer_and_content_encodings_are_undone(tmp_path: Path, headers: bytes, body: bytes) -> None:
    (found,) = outcomes(warc_record("response", http(body, headers=headers)), SPEC, tmp_path)
    assert isinstance(found, Document), found
    assert found.text == ("hello" if b"hello" in body else "Some words on a page.")


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (b"Transfer-Encoding: chunked\r\n", chunked(PAGE)[:-60]),
        (b"Content-Encoding: gzip\r\n", gzip.compress(PAGE, mtime=0)[:-10]),
        (b"Content-Encoding: deflate\r\n", zlib.compress(PAGE)[:-10]),
        (b"Content-Encoding: gzip\r\n", gzip.compress(bytes(65 << 20), mtime=0)),
    ],
)
def test_a_body_that_is_cut_or_grows_without_bound_is_a_ledger_row(tmp_path: Path, headers: bytes, body: bytes) -> None:
    data = warc_record("response", http(body, headers=headers)) + GOOD
    assert reasons(outcomes(data, SPEC, tmp_path)) == ["unreadable:http", "ok"]


@pytest.mark.parametrize(
    ("content_type", "head", "charset"),
    [
        ("text/html; charset=windows-1251", "<meta charset=utf-8>", "cp1251"),
        ("text/html", "<meta charset=koi8-r>", "koi8-r"),
        ("text/html; charset=utf-8", "", "cp1251"),
        ('application/xhtml+xml; charset="utf-8"', "", "utf-8"),
        ("TEXT/HTML", "", "cp1251"),
    ],
)
def test_the_charset_is_that_of_the_header_then_of_the_page_then_detected(
    tmp_path: Path, content_type: str, head: str, charset: str
) -> None:
    text = "Съешь же ещё этих мягких французских булок, да выпей чаю"
    body = html(text, head=head).encode(charset)
    (found,) = outcomes(warc_record("response", http(body, content_type=content_type)), SPEC, tmp_path)
    assert isinstance(found, Document)
    assert (found.text, found.charset) == (text, charset)


@pytest.mark.parametrize("cut", [1, 20, 100, 200])
@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_a_truncated_warc_raises_after_the_records_that_were_whole(tmp_path: Path, compress, cut: int) -> None:
    path = tmp_path / "x.warc"
    whole = compress(GOOD * 2) if compress is bytes else gzip.compress(GOOD) * 2
    last = compress(GOOD)
    path.write_bytes(whole + last[: -cut if compress is not bytes or cut > 4 else -cut - 4])
    seen = []
    with pytest.raises(Truncated):
        for record in read_artifact(path, "x", members=["**"], exclude=[], spec=SPEC):
            seen.append(record)
    assert [record.raw for record in seen[:2]] == [GOOD, GOOD]
    assert len(seen) == (
        3 if cut == 1 and compress is not bytes else 2
    )  # all but a byte of the gzip's checksum is there


def test_records_with_more_or_fewer_line_ends_after_them_are_read(tmp_path: Path) -> None:
    bare = GOOD.removesuffix(b"\r\n\r\n")
    data = bare + b"\r\n" + GOOD + b"\r\n\r\n\r\n" + GOOD + bare
    assert reasons(outcomes(data, SPEC, tmp_path)) == ["ok"] * 4


def test_what_is_no_record_is_one_fault_and_the_next_record_is_read(tmp_path: Path) -> None:
    for junk in (b"junk\r\n", b"WARC/1.0\r\nWARC-Type: response\r\n\r\nno length\r\n\r\n", b"x" * 300_000 + b"\n"):
        found = outcomes(GOOD + junk + GOOD, SPEC, tmp_path)
        assert reasons(found) == ["ok", "unreadable:warc_header", "ok"]
        assert isinstance(found[1], Fault)
        assert (found[1].pointer.offset, found[1].pointer.length) == (len(GOOD), len(junk))


def test_a_file_that_is_no_warc_is_one_fault(tmp_path: Path) -> None:
    assert reasons(outcomes(b"no archive\n" * 20_000, SPEC, tmp_path)) == ["unreadable:warc_header"]


def test_a_record_above_the_limit_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warc, "RECORD_LIMIT", 1000)
    large = warc_record("response", http(b"x" * 300_000))
    found = outcomes(GOOD + large + GOOD, SPEC, tmp_path)
    assert reasons(found) == ["ok", "unreadable:too_large", "ok"]
    assert isinstance(found[1], Fault)
    assert (found[1].pointer.offset, found[1].pointer.length) == (len(GOOD), len(large))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(st.binary(max_size=40), st.just(GOOD), st.just(GOOD[:200]),
                          st.just(b"WARC/1.0\r\nContent-Length: 3\r\n\r\n"),
                          st.binary(max_size=60).map(lambda body: warc_record("response", b"HTTP/1.1 200 OK\r\n" + body)),
                          st.binary(max_size=60).map(lambda body: warc_record("response", http(body, headers=GZIP))),
                          st.just(b"\r\nWARC/1.1\r\n")), max_size=6))  # fmt: skip
def test_hostile_archives_leave_no_byte_unaccounted(tmp_path: Path, pieces: list[bytes]) -> None:
    path = tmp_path / "x.warc"
    data = b"".join(pieces)
    path.write_bytes(data)
    at = 0
    try:
        for record in read_artifact(path, "x", members=["**"], exclude=[], spec=SPEC):
            place = record.pointer
            assert place.offset is not None
            assert place.length is not None
            assert data[at : place.offset].strip(b"\r\n") == b""
            at = place.offset + place.length
    except (Truncated, Bomb):
        return
    assert data[at:].strip(b"\r\n") == b""
