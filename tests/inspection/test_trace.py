"""What `pellucid trace` finds, against a search through all texts of a release in plain Python."""

import copy
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.cli import main
from pipeline.errors import RecipeError
from pipeline.inspection import passages, trace, trace_build, trace_runs
from pipeline.inspection.trace import Traced
from pipeline.inspection.trace_index import Index
from tests.trust import small_release as small

Words = tuple[tuple[int, ...], ...]
LEAST = 8
HOSTILE = (
    "a", "b", "Be", "É", "ß", "漢", "字", "カタ", "e\u0301", "\u0301", "\u200dx", "\u00ad", "ภา", "٣", "1", "_", "-", "'s", ".",
    "😀\ufe0f", "\U00020000", "\n", "\u2028", "\x1b[2J", "\x00", "\u202e", "ZZ",
)  # fmt: skip
FEW = ("a", "b", "c", "D")  # so few words that all grams are frequent and runs overlap


def texts() -> list[str]:
    draw = random.Random("trace")
    found = [
        "".join(draw.choice(HOSTILE) + draw.choice(["", " ", "\n", ", "]) for _ in range(draw.randint(5, 300)))
        for _ in range(12)
    ]
    found += [" ".join(draw.choices(FEW, k=draw.randint(3, 400))) for _ in range(10)]
    found += ["", "one two three four five six seven", "! ? .", "漢" * 60, "same " * 20, found[3], f"x {found[4]}"]
    found += [" ".join(f"w{draw.randint(0, 400)}" for _ in range(1500)) for _ in range(5)]
    return found + [f"lonely {n}" for n in range(38 - len(found))]


def written(folder: Path, own: Sequence[str]) -> Path:
    """A release whose kept documents have these texts."""
    rows = copy.deepcopy(small.corpus())
    left = iter(own)
    for fates in rows.values():
        for row in fates["kept"]:
            row["text"] = next(left)
            row["text_bytes"] = len(row["text"].encode())
    return small.write(folder, rows)


def made(release: Path, place: Path, workers: int = 2) -> Index:
    return trace_build.build(release, place, workers, lambda done, total: None)


class Corpus(dict[str, tuple[str, Words]]):
    """Every kept document: id to text and words."""

    def __repr__(self) -> str:
        return "the corpus"


class Both(tuple[Index, Index]):
    """Two indexes, without a representation of thousands of numbers in what a failing test prints."""

    def __repr__(self) -> str:
        return "two indexes"


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("trace") / "small", texts())


@pytest.fixture(scope="module")
def indexes(release: Path, tmp_path_factory: pytest.TempPathFactory) -> Both:
    """An index of one segment, and one of a segment a file."""
    folder = tmp_path_factory.mktemp("index")
    one = made(release, folder / "one")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trace_build, "SMALLEST", 0)
        patch.setattr(trace_build, "PER_BUCKET", 1)
        several = made(release, folder / "several")
    assert (len(one.segments), len(several.segments)) == (1, 3)
    return Both((one, several))


@pytest.fixture(scope="module")
def corpus(release: Path) -> Corpus:
    import duckdb

    rows = duckdb.sql(f"SELECT id, text FROM '{release}/data/*/*.parquet'").fetchall()
    return Corpus({id_: (text, tuple(word.folded for word in passages.words(text))) for id_, text in rows})


def places(words: Words, part: Words) -> list[int]:
    return [place for place in range(len(words) - len(part) + 1) if words[place : place + len(part)] == part]


def checked(found: Traced, passage: str, corpus: Corpus) -> None:
    """All that is told is true, and it is all that there is."""
    own = tuple(word.folded for word in passages.words(passage))
    holding = {id_: there for id_, (_, words) in corpus.items() if (there := places(words, own))}
    assert {match.id: match.places for match in found.matches} == {id_: len(there) for id_, there in holding.items()}
    assert (found.documents, found.exact, found.words) == (len(holding), True, len(own))
    for match in found.matches:
        text, _ = corpus[match.id]
        assert text[match.start : match.end] == match.text
        assert tuple(word.folded for word in passages.words(match.text)) == own
        assert match.before + match.text + match.after in text
        if match.letters:
            assert " ".join(passage.split()) in " ".join(text.split())
    if not holding:
        assert [(run.first, run.last) for run in found.runs] == longest(own, corpus)[: trace.RUNS]
        for run in found.runs:
            part = own[run.first : run.last]
            assert {match.id for match in run.matches} == {
                id_ for id_, (_, words) in corpus.items() if places(words, part)
            }
            assert passage[run.start : run.end] == run.text


def longest(own: Words, corpus: Corpus) -> list[tuple[int, int]]:
    """Runs that some document has and that are within no other, by trying all places."""
    held = set()
    wanted = {own[first : first + LEAST]: first for first in range(len(own) - LEAST + 1)}
    firsts = {part: [f for f in range(len(own) - LEAST + 1) if own[f : f + LEAST] == part] for part in wanted}
    for _, words in corpus.values():
        for place in range(len(words) - LEAST + 1):
            for first in firsts.get(words[place : place + LEAST], ()):
                last = LEAST
                while (
                    first + last < len(own)
                    and words[place + last : place + last + 1] == own[first + last : first + last + 1]
                ):
                    last += 1
                held.add((first, first + last))
    outer = [one for one in held if not any(a <= one[0] and one[1] <= b and (a, b) != one for a, b in held)]
    return sorted(outer, key=lambda one: (one[0] - one[1], one[0]))


@settings(max_examples=40)
@given(data=st.data())
def test_any_8_words_or_more_of_any_document_are_found_in_it_and_nowhere_falsely(
    indexes: Both, corpus: Corpus, data: st.DataObject
) -> None:
    long = sorted(id_ for id_, (_, words) in corpus.items() if len(words) >= LEAST)
    chosen = data.draw(st.sampled_from(long))
    text, _ = corpus[chosen]
    words = passages.words(text)
    first = data.draw(st.integers(0, len(words) - LEAST))
    last = data.draw(st.integers(first + LEAST, min(len(words), first + 600)))
    passage = text[words[first].start : words[last - 1].end]
    for index in indexes:
        found = trace.trace(index, passage, 1000)
        checked(found, passage, corpus)
        (mine,) = [match for match in found.matches if match.id == chosen]
        assert mine.letters or mine.places > 1
    for other in (passage.upper(), passage.replace(" ", " *\n")):
        if tuple(word.folded for word in passages.words(other)) == tuple(word.folded for word in words[first:last]):
            assert {match.id for match in trace.trace(indexes[0], other, 1000).matches} >= {chosen}


@settings(max_examples=40)
@given(data=st.data())
def test_what_no_document_holds_is_told_by_its_longest_runs(indexes: Both, corpus: Corpus, data: st.DataObject) -> None:
    parts = []
    for _ in range(data.draw(st.integers(1, 4))):
        text, _ = corpus[data.draw(st.sampled_from(sorted(corpus)))]
        own = passages.words(text)
        first = data.draw(st.integers(0, len(own)))
        last = data.draw(st.integers(first, min(len(own), first + 40)))
        parts.append(text[own[first].start : own[last - 1].end] if first < last else "")
        parts.append(" ".join(data.draw(st.lists(st.sampled_from([*FEW, "nowhere", "漢"]), max_size=9))))
    passage = " ".join(parts)
    if len(passages.words(passage)) < LEAST:
        with pytest.raises(RecipeError, match="the passage has"):
            trace.trace(indexes[0], passage, 1000)
        return
    for index in indexes:
        found = trace.trace(index, passage, 1000)
        if not found.cut:
            checked(found, passage, corpus)
            continue
        own = tuple(word.folded for word in passages.words(passage))
        for run in found.runs:  # some may be missing, none is false
            there = {id_ for id_, (_, words) in corpus.items() if places(words, own[run.first : run.last])}
            assert there and {match.id for match in run.matches} == there


def test_where_a_bound_is_reached_it_is_said_and_nothing_false_is_told(
    indexes: Both, corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    passage = "漢" * 8
    (all_of_it,) = trace.trace(indexes[0], passage, 1000).matches
    assert all_of_it.places == 60 - 8 + 1
    monkeypatch.setattr(trace, "PLACES", 10)
    found = trace.trace(indexes[0], passage, 1000)
    assert not found.exact and 0 < found.matches[0].places <= 10
    monkeypatch.undo()
    monkeypatch.setattr(trace, "CHECKED", 1)
    common = " ".join(FEW * 2)
    holding = sum(
        bool(places(words, tuple(word.folded for word in passages.words(common)))) for _, words in corpus.values()
    )
    assert holding == 0 or not trace.trace(indexes[0], common, 1).exact
    monkeypatch.undo()
    passage = f"{corpus_slice(corpus)} nowhere " * 2
    assert not trace.trace(indexes[0], passage, 10).cut
    for name in ("PAIRS", "READ"):
        monkeypatch.setattr(trace_runs, name, 0)
        cut = trace.trace(indexes[0], passage, 10)
        assert cut.cut and not cut.runs
        monkeypatch.undo()


def corpus_slice(corpus: Corpus) -> str:
    text = next(text for text, words in corpus.values() if text.startswith("w") and len(words) == 1500)
    return " ".join(text.split()[700:720])


def test_an_index_has_the_same_bytes_whoever_makes_it(
    release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace_build, "SMALLEST", 0)
    kept = []
    for name, workers, batch in (("a", 1, 1024), ("b", 3, 2)):
        monkeypatch.setattr(trace_build, "BATCH", batch)
        made(release, tmp_path / name, workers)
        (folder,) = (path for path in (tmp_path / name).iterdir() if path.is_dir())
        kept.append({path.name: path.read_bytes() for path in folder.iterdir()} | {"": folder.name.encode()})
    assert kept[0] == kept[1]


def run(*arguments: object, code: int = 0, **named: Any) -> Result:
    done = CliRunner().invoke(main, [str(argument) for argument in arguments], **named)
    assert done.exit_code == code, done.output
    return done


@pytest.fixture
def copied(release: Path, tmp_path: Path) -> Path:
    shutil.copytree(release, tmp_path / "copy")
    return tmp_path / "copy"


def test_the_index_is_made_once_beside_the_release_and_again_when_the_release_changes(
    copied: Path, corpus: Corpus
) -> None:
    passage = corpus_slice(corpus)
    before = sorted(copied.rglob("*"))
    first = run("trace", copied, "--text", passage)
    assert "there is no index yet" in first.stderr and "found       in 1 document, 20 words" in first.stdout
    assert "letter for letter" in first.stdout
    assert sorted(copied.rglob("*")) == before
    assert sorted(path.name for path in copied.parent.iterdir()) == ["copy", "copy.trace"]
    assert run("trace", copied, "--text", passage).stderr == ""
    for path in copied.glob("data/*/*"):
        os.utime(path, (1, 1))
    assert run("trace", copied, "--text", passage).stderr == ""  # other times, the same digests
    written(copied, [text.replace("w", "v") for text in texts()])
    gone = run("trace", copied, "--text", passage, code=1)
    assert "the release has changed since it was indexed" in gone.stderr and "not found" in gone.stdout
    assert len([path for path in (copied.parent / "copy.trace").iterdir() if path.is_dir()]) == 1
    next(iter(copied.glob("data/notes/*"))).write_bytes(next(iter(copied.glob("data/manual/*"))).read_bytes())
    assert "files of the release have changed" in run("trace", copied, "--text", passage, code=1).stderr


def test_a_damaged_index_is_made_again(copied: Path, corpus: Corpus) -> None:
    passage = corpus_slice(corpus)
    run("trace", copied, "--text", passage)
    (entries,) = (copied.parent / "copy.trace").glob("*/00000.entries")
    entries.write_bytes(entries.read_bytes()[:-8])
    assert "the index cannot be read (00000.entries has" in run("trace", copied, "--text", passage).stderr
    (copied.parent / "copy.trace" / "current.json").write_text("[]")
    assert "the index cannot be read" in run("trace", copied, "--text", passage).stderr
    assert run("trace", copied, "--text", passage).stderr == ""


def test_what_is_not_finished_is_no_index_and_nothing_else_is_removed(
    copied: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    place = tmp_path / "index"
    (place / "building-1").mkdir(parents=True)
    (place / "0123456789abcdef").mkdir()
    (place / "mine").mkdir()
    (place / "mine" / "index.json").write_text("{}")

    def full(*_: object, **__: object) -> Iterator[Any]:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(trace_build, "_texts", full)
        assert "No space left on device" in run("trace", copied, "--index", place, "--text", "a " * 8, code=2).stderr
    assert sorted(path.name for path in place.iterdir()) == ["0123456789abcdef", "lock", "mine"]
    made(copied, place)
    assert {"0123456789abcdef", "mine", "current.json"} < {path.name for path in place.iterdir()}


def test_two_that_ask_at_once_make_one_index_and_have_the_same_answer(copied: Path, corpus: Corpus) -> None:
    command = [sys.executable, "-c", "from pipeline.cli import main; main()", "trace", str(copied), "--text"]
    both = [
        subprocess.Popen([*command, corpus_slice(corpus)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert said[0][0] == said[1][0] and "found       in 1 document" in said[0][0]
    assert len([path for path in (copied.parent / "copy.trace").iterdir() if path.is_dir()]) == 1


def test_an_index_is_never_made_within_a_release(copied: Path) -> None:
    for place in (copied, copied / "index", copied / "data" / ".." / "x"):
        assert "lies in the release" in run("trace", copied, "--index", place, "--text", "a " * 8, code=2).stderr
    assert not (copied / "index").exists()


def test_copies_that_were_dropped_are_listed_with_the_document_that_was_kept(release: Path, tmp_path: Path) -> None:
    rows = small.corpus()
    kept = {row["id"]: row for fates in rows.values() for row in fates["kept"]}
    copy_of = next(row for row in rows["manual"]["dropped"] if row["reason"] == "exact_duplicate")
    plain = small.write(tmp_path / "plain", rows)
    passage = " ".join(kept[copy_of["kept_id"]]["text"].split()[:30])
    found = json.loads(run("trace", plain, "--text", passage, "--json").stdout)
    assert [(match["id"], match["letters"]) for match in found["matches"]] == [(copy_of["kept_id"], True)]
    assert copy_of["id"] in [member["id"] for member in found["matches"][0]["copies"]]
    said = run("trace", plain, "--text", passage).stdout
    assert f"        {copy_of['id']}  manual  similarity 1.000" in said


def test_a_passage_is_named_once_and_has_8_words(release: Path, tmp_path: Path) -> None:
    assert "name one passage" in run("trace", release, code=2).stderr
    assert "name one passage" in run("trace", release, "--text", "x", "--file", "y", code=2).stderr
    short = run("trace", release, "--text", "one two three, four! five six seven", code=2).stderr
    assert "the passage has 7 words" in short and "is made" not in short
    (tmp_path / "bad").write_bytes(b"\xff\xfe")
    assert "cannot be read" in run("trace", release, "--file", tmp_path / "bad", code=2).stderr
    assert "cannot be read" in run("trace", tmp_path, "--text", "a " * 8, "--index", tmp_path / "i", code=2).stderr
    place = tmp_path / "index"
    said = run(
        "trace",
        release,
        "--index",
        place,
        "--file",
        "-",
        input="nowhere to be found, not in any of these texts",
        code=1,
    )
    assert "no kept document holds these 10 words" in said.stdout


def test_no_text_of_a_document_can_write_a_line_of_its_own(tmp_path: Path) -> None:
    own = texts()
    own[0] = (
        "\nfound       in 99 documents\u2028\x1b[2J "
        + " ".join(f"q{n}" for n in range(20))
        + "\nfound       again\x9b\u202e"
    )
    hostile = written(tmp_path / "hostile", own)
    said = run("trace", hostile, "--text", " ".join(f"q{n}" for n in range(20))).stdout
    assert [line for line in said.split("\n") if line.startswith("found")] == ["found       in 1 document, 20 words"]
    assert not set("\x1b\x9b\u2028\u202e") & set(said) and all(len(line) <= 80 for line in said.split("\n"))


def test_keys_that_differ_only_in_bits_that_are_not_stored_are_told_apart_by_the_words(
    indexes: Both,
) -> None:
    index = indexes[0]
    (segment,) = index.segments
    entries = index.array(segment, "entries")
    assert (np.diff(entries[: index.array(segment, "buckets")[1]].astype(np.int64)) >= 0).all()
    buckets = index.array(segment, "buckets")
    assert (np.diff(buckets.astype(np.int64)) >= 0).all() and buckets[-1] == segment.entries
    assert trace.lookup(index, segment, 0)[0] == trace.lookup(index, segment, 0)[1]
