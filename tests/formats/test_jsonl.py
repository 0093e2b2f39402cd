"""JSON lines: each line for itself."""

import gzip
import json
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.formats import jsonl
from pipeline.formats.interface import Bomb, Truncated
from pipeline.model import Document, Fault, Refusal
from tests.formats.records_of import options, outcomes, read_all, reasons

GOOD = json.dumps({"text": "Good.", "url": "https://example.org/1", "title": "One"}).encode()
SPEC = options("jsonl", url="url", title="title")


def bad_utf8_byte() -> bytes:
    return b'{"text": "caf\xe9"}'


FAULTS = {
    "a_bad_utf8_byte": (bad_utf8_byte(), "unreadable:charset"),
    "a_list": (b'[{"text": "x"}]', "unreadable:not_an_object"),
    "a_string": (b'"text"', "unreadable:not_an_object"),
    "a_number": (b"17", "unreadable:not_an_object"),
    "null": (b"null", "unreadable:not_an_object"),
    "no_json": (b"{not json", "unreadable:json"),
    "a_cut_object": (b'{"text": "the line en', "unreadable:json"),
    "two_objects": (GOOD + GOOD, "unreadable:json"),
    "nan": (b'{"text": "x", "score": NaN}', "unreadable:json"),
    "a_key_twice": (b'{"text": "one", "text": "two"}', "unreadable:duplicate_key"),
    "an_inner_key_twice": (b'{"text": "one", "meta": {"a": 1, "a": 2}}', "unreadable:duplicate_key"),
    "too_deep": (b'{"text": "x", "a": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", "unreadable:too_deep"),
    "a_lone_surrogate": (b'{"text": "x \\ud800 y"}', "unreadable:surrogate"),
    "a_number_of_many_digits": (b'{"text": 1' + b"0" * 6000 + b"}", "text_not_string"),
    "no_text": (b'{"body": "x"}', "no_text"),
    "null_text": (b'{"text": null}', "no_text"),
    "text_that_is_a_list": (b'{"text": ["x"]}', "text_not_string"),
    "blank_text": (b'{"text": " \\n "}', "empty"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_line_is_one_row_and_no_other_line_is_lost(tmp_path: Path, fault: str) -> None:
    line, reason = FAULTS[fault]
    found = outcomes(b"\n".join([GOOD, line, GOOD]) + b"\n", SPEC, tmp_path)
    assert reasons(found) == ["ok", reason, "ok"]
    assert found[0] == Document("Good.", "https://example.org/1", "One", "utf-8")
    if isinstance(found[1], Fault):
        assert found[1].raw == line


def test_lines_of_white_space_are_no_records(tmp_path: Path) -> None:
    data = b"\n\n \t\n" + GOOD + b"\r\n\r\n\n" + GOOD
    found = read_all(_written(tmp_path, data), SPEC)
    assert [record.pointer.record for record, _ in found] == [0, 1]
    assert reasons([outcome for _, outcome in found]) == ["ok", "ok"]


def test_a_million_empty_lines_are_nothing_and_are_passed_fast(tmp_path: Path) -> None:
    started = time.monotonic()
    assert outcomes(b"\n" * 1_000_000, SPEC, tmp_path) == []
    assert time.monotonic() - started < 5


def test_a_byte_order_mark_is_no_part_of_the_first_object(tmp_path: Path) -> None:
    assert reasons(outcomes(b"\xef\xbb\xbf" + GOOD, SPEC, tmp_path)) == ["ok"]


@pytest.mark.parametrize("end", [b"\n", b""])
def test_a_line_above_the_limit_is_passed_over_and_not_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: bytes
) -> None:
    monkeypatch.setattr(jsonl, "RECORD_LIMIT", 100_000)
    line = b'{"text": "' + b"x" * 8_000_000 + b'"}'
    path = _written(tmp_path, GOOD + b"\n" + line + end + (GOOD if end else b""))
    tracemalloc.start()
    found = read_all(path, SPEC)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert reasons([outcome for _, outcome in found]) == ["ok", "unreadable:too_large", *(["ok"] if end else [])]
    pointer = found[1][0].pointer
    assert (pointer.offset, pointer.length) == (len(GOOD) + 1, len(line))
    assert peak < 4_000_000


@pytest.mark.parametrize("extra", [-1, 0, 1, 2])
def test_the_limit_counts_the_line_without_its_newline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, extra: int
) -> None:
    monkeypatch.setattr(jsonl, "RECORD_LIMIT", 100)
    line = b'{"text": "' + b"x" * (88 + extra) + b'"}'
    assert len(line) == 100 + extra
    for data in (line, line + b"\n", line + b"\n" + GOOD):
        wanted = ["unreadable:too_large" if extra > 0 else "ok", *(["ok"] if data.endswith(GOOD) else [])]
        assert reasons(outcomes(data, SPEC, tmp_path)) == wanted


def test_a_cut_gzip_raises_after_the_lines_that_were_whole(tmp_path: Path) -> None:
    lines = b"\n".join(json.dumps({"text": f"line {n} " + "x" * (n % 97)}).encode() for n in range(30_000))
    path = _written(tmp_path, gzip.compress(lines)[:-2000])
    seen = []
    with pytest.raises(Truncated):
        from pipeline.formats.read import read_artifact

        for record in read_artifact(path, "x", members=["**"], exclude=[], spec=SPEC):
            seen.append(record)
    assert len(seen) > 10_000


def test_a_url_or_title_that_is_no_string_is_none(tmp_path: Path) -> None:
    found = outcomes(b'{"text": "x", "url": 7, "title": ["t"]}', SPEC, tmp_path)
    assert found == [Document("x", None, None, "utf-8")]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=60),
            st.sampled_from([line for line, _ in FAULTS.values() if len(line) < 200]),
            st.just(GOOD),
        ),
        max_size=8,
    )
)
def test_every_line_that_is_not_blank_is_accounted_for(tmp_path: Path, lines: list[bytes]) -> None:
    data = b"\n".join(lines)
    wanted = sum(1 for line in data.split(b"\n") if line.strip())
    try:
        assert len(outcomes(data, SPEC, tmp_path)) == wanted
    except (Truncated, Bomb):
        assert data[:1] in (b"\x1f", b"B", b"\xfd", b"\x28", b"P", b"!")


@given(
    st.dictionaries(
        st.text(max_size=5),
        st.one_of(st.none(), st.text(max_size=20), st.integers(), st.floats(allow_nan=False, allow_infinity=False)),
        max_size=4,
    )
)
def test_extraction_agrees_with_the_json_module(value: dict) -> None:
    from pipeline.model import Pointer, Record

    raw = json.dumps(value).encode()
    found = jsonl.extract(Record(Pointer(None, 0, len(raw), 0), raw), options("jsonl", text="", url=None, title=None))
    text = value.get("")
    if isinstance(text, str):
        assert found == Document(text, None, None, "utf-8")
    else:
        assert isinstance(found, Refusal)


def _written(folder: Path, data: bytes) -> Path:
    path = folder / "lines"
    path.write_bytes(data)
    return path
