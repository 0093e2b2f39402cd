"""From artifacts to records and back: what is chosen, what a fault inside an archive costs, pointers, licence files."""

import json
import random
import tarfile
from pathlib import Path

import pytest

from pipeline.errors import SourceError
from pipeline.formats import registry
from pipeline.formats.interface import Bomb, Truncated
from pipeline.formats.read import extract, find, read_artifact, read_member, trimmed
from pipeline.model import Document, Fault, Pointer, Record
from tests.formats import broken
from tests.formats.records_of import MODELS, options, read_all, reasons

LINE = json.dumps({"text": "A line."}).encode()


def written(folder: Path, data: bytes) -> Path:
    path = folder / "artifact"
    path.write_bytes(data)
    return path


def names(folder: Path, files: list[str], members: list[str], exclude: list[str]) -> list[str | None]:
    path = written(folder, broken.tar(dict.fromkeys(files, b"x")))
    found = read_artifact(path, "x.tar", members=members, exclude=exclude, spec=options("text"))
    return [record.pointer.member for record in found]


FILES = [
    "a.rst",
    "docs/b.rst",
    "docs/.hidden/c.rst",
    "docs/x/y/d.RST",
    "docs/[e].rst",
    "docs/e f.html",
    "docs/g\nh.rst",
    "README",
]


@pytest.mark.parametrize(
    ("members", "exclude", "wanted"),
    [
        (["**"], [], FILES),
        (["**/*.rst"], [], ["a.rst", "docs/b.rst", "docs/.hidden/c.rst", "docs/[e].rst", "docs/g\nh.rst"]),
        (["*.rst"], [], ["a.rst"]),
        (["docs/*"], ["**/*.html", "docs/b*"], ["docs/[e].rst", "docs/g\nh.rst"]),
        (["docs/**"], ["docs/.hidden/**"], FILES[1:2] + FILES[3:7]),
        (["**/*.{html,RST}"], [], ["docs/x/y/d.RST", "docs/e f.html"]),
        (["**/[abR]*"], [], ["a.rst", "docs/b.rst", "README"]),
        (["**/[!a-z]*"], [], ["docs/.hidden/c.rst", "docs/[e].rst", "README"][1:]),
        (["*/b.rst", "README"], [], ["docs/b.rst", "README"]),
        (["nothing"], [], []),
    ],
)
def test_globs_choose_whole_paths(tmp_path: Path, members: list[str], exclude: list[str], wanted: list[str]) -> None:
    assert names(tmp_path, FILES, members, exclude) == wanted


def test_an_artifact_that_is_no_archive_is_read_whatever_the_globs(tmp_path: Path) -> None:
    path = written(tmp_path, b"Some text.")
    found = read_all(path, options("text"), members=("*.rst",))
    assert [record.pointer for record, _ in found] == [Pointer(None, 0, 10, 0)]


def test_faults_stand_where_their_name_is_chosen_and_unsafe_paths_always(tmp_path: Path) -> None:
    link = tarfile.TarInfo("docs/link.rst")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    path = written(tmp_path, link.tobuf() + broken.tar({"../evil": b"x", "docs/a.rst": b"good"}))
    for globs, wanted in (
        (("docs/*.rst",), ["unreadable:link", "unreadable:unsafe_path", "ok"]),
        (("docs/a*",), ["unreadable:unsafe_path", "ok"]),
    ):
        assert reasons([outcome for _, outcome in read_all(path, options("text"), globs)]) == wanted


@pytest.mark.parametrize("kind", sorted(broken.COMPRESS))
@pytest.mark.parametrize("make", [broken.wheel, broken.tar, broken.deb], ids=lambda make: make.__name__)
def test_a_cut_member_of_a_whole_archive_is_a_fault_after_its_records(tmp_path: Path, make, kind: str) -> None:
    draw = random.Random(1)
    lines = b"\n".join(json.dumps({"text": f"{draw.random()} {n}"}).encode() for n in range(50_000))
    cut = broken.COMPRESS[kind](lines)
    path = written(tmp_path, make({"a.jsonl": cut[: len(cut) * 3 // 4], "b.jsonl": LINE}))
    found = [outcome for _, outcome in read_all(path, options("jsonl"))]
    assert reasons(found) == ["ok"] * (len(found) - 2) + ["unreadable:truncated", "ok"]
    assert len(found) > 3_000


def test_a_member_that_is_a_bomb_is_a_fault_and_the_next_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, broken.wheel({"a.txt": broken.gzip_bomb(), "b.txt": b"text"}))
    assert reasons([outcome for _, outcome in read_all(path, options("jsonl"), ("a.txt",))]) == ["unreadable:bomb"]
    found = [outcome for _, outcome in read_all(path, options("text"))]
    assert reasons(found) == ["unreadable:bomb", "ok"]


def test_an_artifact_that_is_a_bomb_fails_the_task(tmp_path: Path) -> None:
    path = written(tmp_path, broken.gzip_bomb())
    with pytest.raises(Bomb):
        read_all(path, options("jsonl"))


@pytest.mark.parametrize("fixture", [broken.wheel_with_a_flipped_byte, broken.tar_that_ends_in_a_member])
@pytest.mark.parametrize("kind", ["text", "jsonl"])
def test_a_broken_archive_is_never_taken_for_a_broken_member(tmp_path: Path, fixture, kind: str) -> None:
    path = written(tmp_path, fixture())
    with pytest.raises(Truncated):
        read_all(path, options(kind))


def every_kind() -> dict[str, dict[str, bytes]]:
    return {
        "text": {"a.txt": b"One.", "b.txt": b"\x00"},
        "html": {"a.html": broken.html("One.").encode()},
        "mail": {"a.eml": b"Subject: x\n\nbody"},
        "jsonl": {"a.jsonl": LINE + b"\n[]\n\n" + LINE, "b.jsonl.gz": broken.COMPRESS["gzip"](LINE)[:-9]},
        "json": {"a.json": b'{"a": "x"}', "b.json": b"{"},
        "wikitext": {
            "d.xml.bz2": broken.COMPRESS["bzip2"](
                broken.wiki_dump(broken.wiki_page("A", "x"), broken.wiki_page("B", "y"))
            )
        },
        "warc": {"x.warc.gz": broken.COMPRESS["gzip"](broken.warc_record("response", broken.http(b"<p>x</p>")) * 3)},
    }


@pytest.mark.parametrize("kind", every_kind())
@pytest.mark.parametrize("make", [broken.wheel, broken.tar, broken.deb], ids=lambda make: make.__name__)
def test_every_record_and_fault_is_found_again_by_its_pointer(tmp_path: Path, make, kind: str) -> None:
    spec = options(kind)
    path = written(tmp_path, make({**every_kind()[kind]}))
    found = [record for record, _ in read_all(path, spec)]
    assert found
    for record in found:
        again = find(path, "x", record.pointer, spec)
        assert again == record
        if isinstance(record, Record):
            assert isinstance(again, Record)
            assert extract(again, spec) == extract(record, spec)


def test_links_and_repeated_members_are_found_again(tmp_path: Path) -> None:
    for data in (broken.tar_of(tarfile.SYMTYPE), broken.wheel_with_a_name_twice()):
        path = written(tmp_path, data)
        for record, _ in read_all(path, options("text")):
            assert find(path, "x", record.pointer, options("text")) == record


def test_a_pointer_that_leads_nowhere_raises_lookup_error(tmp_path: Path) -> None:
    path = written(tmp_path, broken.wheel({"a.jsonl": LINE}))
    for pointer in (
        Pointer("b", 0, 1, 0),
        Pointer("a.jsonl", 0, 1, 0),
        Pointer("a.jsonl", 0, len(LINE), 1),
        Pointer(None, 0, 1, 0),
    ):
        with pytest.raises(LookupError, match="has no record at"):
            find(path, "x.whl", pointer, options("jsonl"))


def test_members_are_read_as_they_are_stored(tmp_path: Path) -> None:
    packed = broken.COMPRESS["gzip"](b"licence")
    for make in (broken.wheel, broken.tar, broken.deb):
        path = written(tmp_path, make({"a/LICENSE": b"MIT", "a/copyright.gz": packed, "a/code.py": b"x"}))
        assert dict(read_member(path, "x", ["**/LICENSE", "**/copyright*"], 100)) == {
            "a/LICENSE": b"MIT",
            "a/copyright.gz": packed,
        }
    assert dict(read_member(written(tmp_path, b"MIT"), "x", ["**"], 100)) == {"": b"MIT"}


def test_reading_members_of_a_broken_archive_is_a_source_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="truncated"):
        list(read_member(written(tmp_path, broken.truncated_wheel()), "x", ["**"], 10_000))
    with pytest.raises(SourceError, match="has more than 10 bytes"):
        list(read_member(written(tmp_path, broken.wheel({"a": b"x" * 11})), "x", ["**"], 10))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", ""),
        (" \n\t", ""),
        ("\n\n  a\n b \n\n", "  a\n b"),
        ("a", "a"),
        ("\n \n\ta", "\ta"),
        ("  a", "  a"),
        ("\u3000\na\u00a0", "a"),
    ],
)
def test_blank_lines_at_the_ends_go_and_indentation_stays(text: str, wanted: str) -> None:
    assert trimmed(text) == wanted


def test_there_is_a_format_for_every_kind_that_a_recipe_may_name() -> None:
    assert set(registry.FORMATS) == set(MODELS)


def test_a_document_never_holds_a_lone_surrogate(tmp_path: Path) -> None:
    lines = [
        b'{"text": "a\\udc80"}',
        b'{"text": "x", "url": "\\ud800"}',
        b'{"text": "x", "title": "\\udfff"}',
        b'{"text": "\\ud83d\\ude00"}',
    ]
    found = read_all(written(tmp_path, b"\n".join(lines)), options("jsonl", url="url", title="title"))
    assert reasons([outcome for _, outcome in found]) == ["unreadable:surrogate"] * 3 + ["ok"]
    assert found[3][1] == Document("😀", None, None, "utf-8")
    assert isinstance(found[0][1], Fault)
