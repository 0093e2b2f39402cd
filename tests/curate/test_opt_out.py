"""What opt-out lists keep out of an artifact: by place before the text is read, by the text in any state. In a whole build:
tests/test_opt_out.py."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.curate import line_counts
from pipeline.curate.opt_out import OptOut, load, row_of
from pipeline.errors import TaskError
from pipeline.model import Pointer, document_id
from pipeline.release import schemas
from pipeline.trust import opt_out
from pipeline.trust.lists import Names, parse

PURL = "pkg:generic/lines@1"


def put(folder: Path, names: Names) -> Path:
    path = folder / "opt-out.txt"
    path.write_bytes(opt_out.encoded(names))
    return path


def counted(folder: Path, listed: list[str]) -> tuple[dict[str, Any], str]:
    """What `lines` returns for an artifact of four documents, and the text of every unit that it wrote."""
    places = ["https://a.org/0", "https://b.org/1", None, "https://a.org/3"]
    data = b"".join(json.dumps({"text": f"a text {n}", "url": url}).encode() + b"\n" for n, url in enumerate(places))
    (folder / "lines.jsonl").write_bytes(data)
    names = parse(listed, "list")
    parameters = {
        "artifact": {"purl": PURL, "file": "lines.jsonl", "sha256": hashlib.sha256(data).hexdigest()}, "source": "s",
        "format": {"kind": "jsonl", "text": "text", "url": "url"}, "members": ["**"], "exclude": [], "unit": "line",
        "min_characters": 1, "opt_out": opt_out.sha256(names),
    }  # fmt: skip
    files = {"artifact": folder / "lines.jsonl", "opt_out": put(folder, names)}
    result = line_counts.run(parameters, files, folder, lambda _documents, _bytes: None)
    with pa.ipc.open_file(folder / "lines.arrow") as reader:
        return result, " ".join(sorted(reader.read_all().column("text").to_pylist()))


def test_what_is_counted_for_repeated_lines_holds_no_text_that_was_named_by_its_place(tmp_path: Path) -> None:
    assert counted(tmp_path, ["domain:c.org"]) == (
        {"documents": 4, "units": 4, "bytes": 32}, "a text 0 a text 1 a text 2 a text 3",
    )  # fmt: skip
    assert counted(tmp_path, ["domain:a.org"])[1] == "a text 1 a text 2"
    assert counted(tmp_path, ["url:https://b.org/1", f"url:{PURL}#2"])[1] == "a text 0 a text 3"
    sha256 = hashlib.sha256((tmp_path / "lines.jsonl").read_bytes()).hexdigest()
    identifier = document_id(sha256, Pointer(None, 0, 46, 0))
    assert (tmp_path / "lines.jsonl").read_bytes().index(b"\n") == 46
    assert counted(tmp_path, [f"id:{identifier}"])[1] == "a text 1 a text 2 a text 3"
    assert counted(tmp_path, ["domain:pkg:generic/lines"])[0]["documents"] == 0


def test_a_list_that_is_not_what_the_recipe_says_fails_the_task(tmp_path: Path) -> None:
    names = parse(["domain:a.org"], "list")
    files = {"opt_out": put(tmp_path, names)}
    parameters = {"opt_out": opt_out.sha256(names), "artifact": {"purl": PURL}}
    found = load(parameters, files)
    assert found is not None
    assert found.lines == ["domain:a.org"]
    assert load({**parameters, "opt_out": None}, {}) is None
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(TaskError, match="not what the recipe's opt-out lists say"):
        load(parameters, {"opt_out": put(other, parse(["domain:b.org"], "list"))})


digests = st.sampled_from([f"{number:064x}" for number in range(4)])
documents = st.lists(st.tuples(digests, st.lists(digests, max_size=3)), max_size=8)


@given(st.sets(digests, max_size=3), documents)
def test_a_text_is_named_in_every_state_that_it_had(named: set[str], drawn: list[tuple[str, list[str]]]) -> None:
    edit = {"edit": "c4", "spans": None, "characters": 1, "sha256_after": "f" * 64}
    edits = [[{**edit, "sha256_before": before} for before in states] for _, states in drawn]
    batch = pa.RecordBatch.from_arrays(
        [pa.array([text for text, _ in drawn], pa.string()), pa.array(edits, schemas.WORK_EDITS)],
        ["text_sha256", "edits"],
    )
    listed = OptOut(Names(texts=tuple(sorted(named))), PURL)
    assert listed.texts(batch).tolist() == [bool({text, *states} & named) for text, states in drawn]
    seen = {digest for text, states in drawn for digest in (text, *states)}
    assert listed.indices() == [place for place, digest in enumerate(sorted(named)) if digest in seen]


def test_lines_that_kept_something_out_are_remembered() -> None:
    names = parse(["domain:a.org", "domain:x.a.org", "id:" + "ab" * 16, f"url:{PURL}", "url:https://a.org/"], "list")
    listed = OptOut(names, "pkg:generic/other@1")
    assert not listed.record("cd" * 16)
    assert not listed.url("https://b.org/")
    assert listed.indices() == []
    assert listed.url("http://x.a.org/y")
    assert [listed.lines[place] for place in listed.indices()] == ["domain:a.org", "domain:x.a.org"]
    assert listed.record("ab" * 16)
    assert listed.url("https://A.org")
    assert [line for line in listed.lines if line not in listed.used] == [f"url:{PURL}"]
    assert OptOut(names, PURL).record("cd" * 16)


def test_a_row_tells_where_the_record_lies_and_nothing_of_its_text() -> None:
    before = dict.fromkeys(schemas.work_dropped(()).names, "x")
    row = row_of(before)
    told = {name for name, value in row.items() if value == "x"}
    assert told == {"id", "source", "purl", "artifact_sha256", "member", "offset", "length", "record", "path"}
    assert (row["stage"], row["reason"], row["url"]) == ("extract", "opt_out", None)
    assert row_of(before, "u")["url"] == "u"
