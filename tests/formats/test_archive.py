"""The files inside artifacts, and every way in which they can be none."""

import io
import random
import tarfile
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.formats import archive, tar
from pipeline.formats.interface import Bomb, Truncated
from pipeline.model import Fault
from tests.formats import broken

FILES = {
    "pkg/a.txt": b"one",
    "pkg/sub/b.txt": broken.PAGE,
    "pkg/empty": b"",
    "pkg/" + "long" * 60 + ".txt": b"x" * 1000,
}

ARCHIVES = {
    "wheel": broken.wheel(FILES),
    "tar": broken.tar(FILES),
    "ustar": broken.tar({name: data for name, data in FILES.items() if "long" not in name}, tarfile.USTAR_FORMAT),
    "gnu tar": broken.tar(FILES, tarfile.GNU_FORMAT),
    **{f"tar.{name}": compress(broken.tar(FILES)) for name, compress in broken.COMPRESS.items()},
    **{f"deb {name}": broken.deb(FILES, name) for name in (*broken.COMPRESS, "")},
}


def found(tmp_path: Path, data: bytes) -> tuple[dict[str | None, bytes], list[Fault]]:
    path = tmp_path / "artifact"
    path.write_bytes(data)
    files: dict[str | None, bytes] = {}
    faults = []
    for member in archive.members(path, "artifact.x"):
        if isinstance(member, Fault):
            faults.append(member)
        else:
            assert member.name not in files
            files[member.name] = member.stream.read()
    return files, faults


@pytest.mark.parametrize("kind", ARCHIVES)
def test_every_file_of_every_kind_of_archive_is_read_in_order(tmp_path: Path, kind: str) -> None:
    files, faults = found(tmp_path, ARCHIVES[kind])
    wanted = {name: data for name, data in FILES.items() if kind != "ustar" or "long" not in name}
    assert list(files.items()) == list(wanted.items())
    assert faults == []


@pytest.mark.parametrize("kind", ARCHIVES)
def test_members_may_be_left_unread_or_half_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "artifact"
    path.write_bytes(ARCHIVES[kind])
    names = []
    for number, member in enumerate(archive.members(path, "x")):
        assert not isinstance(member, Fault)
        names.append(member.name)
        member.stream.read(number)
    assert len(names) == (3 if kind == "ustar" else 4)


def test_a_file_that_is_no_archive_is_one_member_without_a_name(tmp_path: Path) -> None:
    for data in (
        b"",
        b"plain text",
        b"PK is not a zip",
        broken.COMPRESS["gzip"](b"compressed text"),
        bytes(2048),
        b"\xff" * 600,
    ):
        assert found(tmp_path, data) == ({None: data}, [])


@pytest.mark.parametrize("kind", [kind for kind in ARCHIVES if kind not in ("tar", "ustar", "gnu tar", "deb ")])
def test_no_proper_beginning_of_a_compressed_archive_passes_for_whole(tmp_path: Path, kind: str) -> None:
    data = ARCHIVES[kind].removesuffix(b"\n")  # the padding after a .deb's last member
    draw = random.Random(3)
    for cut in {len(data) - 1, len(data) - 4, len(data) - 9, *(draw.randrange(70, len(data)) for _ in range(30))}:
        with pytest.raises(Truncated, match=r".{15,}"):
            found(tmp_path, data[:cut])


@pytest.mark.parametrize("kind", ["tar", "ustar", "gnu tar", "deb "])
def test_no_beginning_of_a_plain_tar_without_its_end_mark_passes_for_whole(tmp_path: Path, kind: str) -> None:
    data = ARCHIVES[kind]
    end = len(data.rstrip(b"\x00"))
    for cut in range(700, end, 256):
        with pytest.raises(Truncated):
            found(tmp_path, data[:cut])


FAULTY = [
    broken.truncated_wheel, broken.wheel_with_a_flipped_byte, broken.truncated_deb, broken.deb_without_data,
    broken.tar_that_ends_at_a_header, broken.tar_without_end_mark, broken.tar_with_a_broken_header,
    broken.tar_that_ends_in_a_member, broken.tar_with_more_after_its_end, broken.tar_with_a_huge_pax_header,
]  # fmt: skip


FIELDS = {  # of a header, by their first byte: what `tarfile` writes there, and what it may meet
    0: [b"a", b"dir/", b"p/q/", b"a" * 99 + b"/", b"\xff\xfe", b"", b"a\0b/"],
    124: [b"%011o\0" % 77, b"%012o" % 77, b"      77 \0  ", b"77\x0088", b"", b"8", b"-7", b"0o17", b"1_0", b"x", b"7\xff",
          b"\x80" + bytes(10) + b"M", b"\xff" * 12, b"\x80" + b"\xff" * 11],
    157: [b"to", b"\xff", b"t" * 100],
    345: [b"", b"p", b"p" * 155, b"p/\xff", b"\0p"],
}  # fmt: skip
WIDTH = {0: 100, 124: 12, 157: 100, 345: 155}
CHECKSUM = [b"%06o\0 ", b"%07o\0", b"%07o ", b" %6o\0", b"%08o"]


@given(
    kind=st.sampled_from([bytes([byte]) for byte in b"\x00\x00\x00\x0001234567SLKgxX?"]),
    fields=st.fixed_dictionaries({start: st.sampled_from(FIELDS[start]) for start in FIELDS}),
    width=st.sampled_from(CHECKSUM), signed=st.booleans(), off=st.sampled_from([0, 0, 0, 1, -256]),
)  # fmt: skip
def test_a_tar_header_is_read_as_tarfile_reads_it(
    kind: bytes, fields: dict[int, bytes], width: bytes, signed: bool, off: int
) -> None:
    header = bytearray(tar.BLOCK)
    header[156:157] = kind
    for start, value in fields.items():
        if start != 345 or kind != tarfile.GNUTYPE_SPARSE:  # which has numbers there that are not used
            header[start : start + WIDTH[start]] = value.ljust(WIDTH[start], b"\0")
    told = tarfile.calc_chksums(bytes(header))[signed] + off
    header[148:156] = width % max(0, told)
    try:
        wanted = tarfile.TarInfo.frombuf(bytes(header), "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        with pytest.raises(Truncated, match="is broken"):
            tar.parsed(bytes(header), 0)
        return
    seen = tar.parsed(bytes(header), 0)
    assert (seen.type, seen.size) == (wanted.type, wanted.size)
    assert wanted.isdir() or seen.name == wanted.name
    assert seen.link == (wanted.linkname if wanted.issym() or wanted.islnk() else "")


def test_fields_of_a_tar_header_that_are_not_used_may_hold_anything(tmp_path: Path) -> None:
    data = bytearray(broken.tar({"a.txt": b"one"}, tarfile.USTAR_FORMAT))
    data[100:124] = b"no mode, no user, or such"[:24]
    data[148:156] = b"%06o\0 " % tarfile.calc_chksums(bytes(data[: tar.BLOCK]))[0]
    data = bytearray(broken.tar({"first.txt": b"1"}, tarfile.USTAR_FORMAT)[: 2 * tar.BLOCK]) + data
    assert found(tmp_path, bytes(data)) == ({"first.txt": b"1", "a.txt": b"one"}, [])


@pytest.mark.parametrize("fixture", FAULTY, ids=lambda fixture: fixture.__name__)
def test_a_damaged_archive_raises_truncated_and_says_what_was_seen(tmp_path: Path, fixture) -> None:
    with pytest.raises(Truncated, match=r".{15,}"):
        found(tmp_path, fixture())


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (tarfile.SYMTYPE, "unreadable:link"), (tarfile.LNKTYPE, "unreadable:link"), (tarfile.CHRTYPE, "unreadable:special"),
        (tarfile.BLKTYPE, "unreadable:special"), (tarfile.FIFOTYPE, "unreadable:special"),
        (tarfile.GNUTYPE_SPARSE, "unreadable:sparse"),
    ],
)  # fmt: skip
def test_an_entry_of_a_tar_that_is_no_file_is_a_fault_and_the_next_is_read(
    tmp_path: Path, kind: bytes, reason: str
) -> None:
    files, faults = found(tmp_path, broken.tar_of(kind))
    assert files == {"a.txt": broken.PAGE}
    assert [(fault.pointer.member, fault.reason) for fault in faults] == [("odd", reason)]
    if reason == "unreadable:link":
        assert faults[0].detail == "to /etc/passwd"


@pytest.mark.parametrize(
    ("fixture", "reason"),
    [
        (broken.wheel_with_a_symbolic_link, "unreadable:link"),
        (broken.wheel_with_an_encrypted_member, "unreadable:encrypted"),
        (broken.wheel_with_an_unknown_compression, "unreadable:compression"),
    ],
)
def test_a_member_of_a_wheel_that_cannot_be_read_is_a_fault_and_the_next_is_read(
    tmp_path: Path, fixture, reason: str
) -> None:
    files, faults = found(tmp_path, fixture())
    assert files == {"a.txt": broken.PAGE}
    assert [(fault.pointer.member, fault.reason) for fault in faults] == [("odd", reason)]


UNSAFE = [
    "../a.txt",
    "/etc/passwd",
    "a/../../b",
    "..",
    "a\\..\\..\\b",
    "\\\\host\\share",
    "C:\\a.txt",
    "C:a.txt",
    "./../a",
]


@pytest.mark.parametrize("name", UNSAFE)
@pytest.mark.parametrize("make", [broken.wheel, broken.tar])
def test_a_member_with_an_unsafe_path_is_a_fault(tmp_path: Path, make, name: str) -> None:
    files, faults = found(tmp_path, make({name: b"evil", "a.txt": b"good"}))
    assert files == {"a.txt": b"good"}
    assert [fault.reason for fault in faults] == ["unreadable:unsafe_path"]


def test_a_nul_in_a_name_is_a_fault(tmp_path: Path) -> None:
    files, faults = found(tmp_path, broken.wheel_with_a_nul_in_a_name())
    assert files == {}
    assert [(fault.pointer.member, fault.reason) for fault in faults] == [("a.txt\x00.exe", "unreadable:unsafe_path")]


@pytest.mark.parametrize("name", ["a..b/..c", "dev-disk-by\\x2dlabel", "C", "ab:c", "...", "päge.txt", "a//b", "x y"])
def test_a_harmless_name_that_looks_odd_is_read(tmp_path: Path, name: str) -> None:
    assert found(tmp_path, broken.tar({name: b"good"})) == ({name: b"good"}, [])


def test_a_member_without_a_name_is_a_fault_and_a_folder_is_nothing(tmp_path: Path) -> None:
    files, faults = found(tmp_path, broken.wheel_with_a_nameless_member())
    assert files == {}
    assert [fault.reason for fault in faults] == ["unreadable:unsafe_path"]
    assert found(tmp_path, broken.wheel({"sub/": b"", "sub/a.txt": b"x"})) == ({"sub/a.txt": b"x"}, [])


def test_only_the_first_member_of_a_name_is_read_and_each_other_is_a_fault_of_its_own(tmp_path: Path) -> None:
    files, faults = found(tmp_path, broken.wheel_with_a_name_twice())
    assert files == {"a.txt": broken.PAGE}
    assert [fault.reason for fault in faults] == ["unreadable:duplicate_member"] * 2
    assert len({fault.pointer for fault in faults}) == 2


def test_bytes_of_a_name_that_are_no_utf_8_are_escaped(tmp_path: Path) -> None:
    for form in (tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT, tarfile.PAX_FORMAT):
        files, _ = found(tmp_path, broken.tar({"caf\udce9.txt": b"x"}, form))
        assert files == {"caf\\xe9.txt": b"x"}


def test_the_file_in_a_tar_may_be_larger_than_memory_allows(tmp_path: Path) -> None:
    info = tarfile.TarInfo("big")
    info.size = 60 << 20
    path = tmp_path / "big.tar"
    with path.open("wb") as file:
        file.write(info.tobuf())
        file.seek(60 << 20, io.SEEK_CUR)
        file.write(bytes(1024))
    tracemalloc.start()
    (member,) = archive.members(path, "big.tar")
    assert not isinstance(member, Fault)
    size = sum(len(piece) for piece in iter(lambda: member.stream.read(1 << 16), b""))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size == 0 or size == info.size
    assert peak < 8 << 20


@pytest.mark.parametrize(
    "make", [lambda: broken.COMPRESS["gzip"](broken.tar({"a": bytes(128 << 20)})), broken.deflate_bomb_in_a_wheel]
)
def test_a_bomb_ends_the_reading_early_and_in_little_memory(tmp_path: Path, make) -> None:
    path = tmp_path / "bomb"
    path.write_bytes(make())
    produced = 0
    tracemalloc.start()
    with pytest.raises(Bomb):
        for member in archive.members(path, "bomb"):
            assert not isinstance(member, Fault)
            for piece in iter(lambda stream=member.stream: stream.read(1 << 16), b""):
                produced += len(piece)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert produced < 80 << 20
    assert peak < 16 << 20


def test_an_archive_of_too_many_members_is_a_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MEMBER_LIMIT", 3)
    assert len(found(tmp_path, broken.wheel({str(n): b"" for n in range(3)}))[0]) == 3
    with pytest.raises(Bomb, match="more than 3 members"):
        found(tmp_path, broken.wheel({str(n): b"" for n in range(4)}))


def test_errors_between_members_name_the_file(tmp_path: Path) -> None:
    with pytest.raises(Truncated, match=r"^artifact\.x: the package ends before its data\.tar"):
        found(tmp_path, broken.deb_without_data())


def test_an_unread_member_of_a_wheel_that_failed_fails_the_wheel(tmp_path: Path) -> None:
    """Whoever reads a member may take the error for one of its content; the archive says it again."""
    path = tmp_path / "x.whl"
    path.write_bytes(broken.wheel_with_a_flipped_byte())
    members = archive.members(path, "x.whl")
    member = next(members)
    assert not isinstance(member, Fault)
    with pytest.raises(Truncated):
        member.stream.read()
    with pytest.raises(Truncated, match="damaged"):
        next(members)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(sorted(ARCHIVES)), seed=st.integers(0, 2**32), flips=st.integers(1, 12))
def test_hostile_bytes_raise_nothing_but_truncated_and_bomb(tmp_path: Path, kind: str, seed: int, flips: int) -> None:
    data = bytearray(ARCHIVES[kind])
    draw = random.Random(seed)
    for _ in range(flips):
        data[draw.randrange(len(data))] = draw.choice((0, 0xFF, 0x7F, draw.randrange(256)))
    try:
        files, _ = found(tmp_path, bytes(data))
    except (Truncated, Bomb):
        return
    for name in files:
        if name is not None:
            name.encode()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    head=st.sampled_from([b"", b"PK\x03\x04", b"!<arch>\ndebian-binary", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd"]),
    tail=st.binary(max_size=2000),
)
def test_any_bytes_are_members_or_truncated(tmp_path: Path, head: bytes, tail: bytes) -> None:
    try:
        files, _ = found(tmp_path, head + tail)
    except (Truncated, Bomb):
        return
    assert files == {None: head + tail}
