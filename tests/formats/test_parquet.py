"""Parquet: rows with named columns, from files that may be hostile."""

import io
import resource
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import TaskError
from pipeline.formats import parquet
from pipeline.formats.interface import Bomb, Truncated
from pipeline.formats.read import find, read_artifact
from pipeline.model import Document, Fault
from pipeline.trust import canonical
from tests.formats import broken
from tests.formats.records_of import options, outcomes, read_all, reasons

SPEC = options("parquet", url="url", title="title")
ROWS = [{"text": f"Row {n}.", "url": f"https://example.org/{n}", "title": None, "other": n} for n in range(3000)]


def file(table: pa.Table, **settings: object) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **settings)
    return sink.getvalue()


GOOD = file(pa.Table.from_pylist(ROWS), row_group_size=700)


def parquet_bomb() -> bytes:
    """200 GB of text in a few hundred bytes: one value of 1 MB in the dictionary, 200,000 rows of run-length indices."""
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 200_000, pa.int32()), pa.array(["x" * (1 << 20)]))
    return file(pa.table({"text": column}), compression="zstd", write_statistics=False, store_schema=False)


def test_each_row_gives_its_text_and_its_raw_bytes_are_canonical(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    path.write_bytes(GOOD)
    found = read_all(path, SPEC)
    assert [outcome for _, outcome in found] == [Document(row["text"], row["url"], None, "utf-8") for row in ROWS]
    for (record, _), (index, row) in zip(found, enumerate(ROWS), strict=True):
        assert record.raw == canonical.dumps({key: row[key] for key in ("text", "url", "title")})
        assert (record.pointer.record, record.pointer.offset, record.pointer.length) == (index, None, None)


def test_rows_inside_an_archive_are_read_and_found_again(tmp_path: Path) -> None:
    path = tmp_path / "x.whl"
    path.write_bytes(broken.wheel({"data/x.parquet": GOOD, "data/README": b"x"}))
    found = read_all(path, SPEC, members=("**/*.parquet",))
    assert reasons([outcome for _, outcome in found]) == ["ok"] * len(ROWS)
    record = found[2345][0]
    assert find(path, "x.whl", record.pointer, SPEC) == record


@pytest.mark.parametrize(
    "kind",
    [pa.string(), pa.large_string(), pa.binary(), pa.large_binary(), pa.dictionary(pa.int32(), pa.string())],
    ids=str,
)
def test_text_of_every_arrow_type_is_read(tmp_path: Path, kind: pa.DataType) -> None:
    value = (
        pa.array(["é", None, "", "x" * 100]).cast(kind)
        if not pa.types.is_binary(kind)
        else pa.array([b"\xc3\xa9", None, b"", b"x" * 100], kind)
    )
    found = outcomes(file(pa.table({"text": value})), options("parquet"), tmp_path)
    assert reasons(found) == ["ok", "no_text", "empty", "ok"]


def test_a_value_that_is_no_utf_8_is_a_ledger_row_and_the_next_is_read(tmp_path: Path) -> None:
    bad = pa.Array.from_buffers(pa.string(), 3, pa.array([b"a", b"\xff", b"c"]).buffers())
    found = outcomes(file(pa.table({"text": bad})), options("parquet"), tmp_path)
    assert reasons(found) == ["ok", "unreadable:charset", "ok"]


def test_other_values_than_strings_are_written_as_strings(tmp_path: Path) -> None:
    table = pa.table({"text": ["x"], "url": pa.array([2**60]), "title": pa.array([0.5])})
    assert outcomes(file(table), SPEC, tmp_path) == [Document("x", str(2**60), "0.5", "utf-8")]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (
            pa.table({"body": ["x"], "n": [1]}),
            r"no column 'text'\n  wanted: its columns are body \(string\), n \(int64\)",
        ),
        (pa.table({"text": [1]}), r"'text' holds no text"),
        (pa.table({"text": [["x"]]}), r"'text' holds no text"),
    ],
)
def test_a_missing_column_stops_the_task_and_names_those_that_exist(tmp_path: Path, table: pa.Table, said: str) -> None:
    with pytest.raises(TaskError, match=said):
        outcomes(file(table), options("parquet"), tmp_path)


@pytest.mark.parametrize("cut", [1, 4, 8, 300, 5000])
def test_a_truncated_file_raises_truncated(tmp_path: Path, cut: int) -> None:
    with pytest.raises(Truncated, match="no whole Parquet file"):
        outcomes(GOOD[:-cut], SPEC, tmp_path)


def test_a_truncated_file_inside_an_archive_is_one_fault(tmp_path: Path) -> None:
    path = tmp_path / "x.whl"
    path.write_bytes(broken.wheel({"x.parquet": GOOD[:-9], "y.parquet": GOOD}))
    found = read_all(path, SPEC)
    assert reasons([outcome for _, outcome in found]) == ["unreadable:truncated", *["ok"] * len(ROWS)]


def test_a_flipped_byte_in_a_page_with_a_checksum_raises_truncated(tmp_path: Path) -> None:
    data = file(pa.Table.from_pylist(ROWS), write_page_checksum=True, compression="none", use_dictionary=False)
    at = data.index(b"Row 1000.")
    with pytest.raises(Truncated):
        outcomes(data[:at] + b"Cow" + data[at + 3 :], SPEC, tmp_path)


def test_a_row_above_the_limit_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "RECORD_LIMIT", 1000)
    found = outcomes(file(pa.table({"text": ["x" * 900, "y" * 1100, "z"]})), options("parquet"), tmp_path)
    assert reasons(found) == ["ok", "unreadable:too_large", "ok"]


def test_a_bomb_stops_early(tmp_path: Path) -> None:
    data = parquet_bomb()
    assert len(data) < 2000
    path = tmp_path / "bomb.parquet"
    path.write_bytes(data)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    count = 0
    with pytest.raises(Bomb):
        for _ in read_artifact(path, "bomb", members=["**"], exclude=[], spec=options("parquet")):
            count += 1
    assert count <= 64
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400 << 10  # kilobytes


def test_a_bomb_inside_an_archive_is_a_fault_after_the_rows_before_it(tmp_path: Path) -> None:
    path = tmp_path / "x.whl"
    path.write_bytes(broken.wheel({"bomb.parquet": parquet_bomb(), "y.parquet": GOOD}))
    found = [record for record, _ in read_all(path, options("parquet"))]
    faults = [record for record in found if isinstance(record, Fault)]
    assert [fault.reason for fault in faults] == ["unreadable:bomb"]
    assert sum(record.pointer.member == "y.parquet" for record in found) == len(ROWS)


HOSTILE = """
import io, random, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
from pipeline.errors import TaskError
from pipeline.formats.interface import Bomb, Member, Truncated
from pipeline.formats.parquet import FORMAT
data = sys.stdin.buffer.read()
ends = {}
for seed in range(400):
    draw = random.Random(seed)
    piece = bytearray(data)
    for _ in range(draw.randint(1, 10)):
        at = len(piece) - draw.randint(1, 900) if draw.random() < 0.6 else draw.randrange(len(piece))
        piece[at] = draw.randrange(256)
    try:
        for record in FORMAT.records(Member(None, io.BytesIO(bytes(piece))), {"text": "text", "url": "url", "title": "title"}):
            pass
        end = "read"
    except (Truncated, Bomb, TaskError) as error:
        end = type(error).__name__
    ends[end] = ends.get(end, 0) + 1
print(sorted(ends))
"""


def test_hostile_files_end_in_an_error_of_ours_and_take_no_process_down() -> None:
    """In a process of its own with 4 GB of address space, as the engine's workers have."""
    small = file(pa.Table.from_pylist(ROWS[:50]), compression="zstd")
    done = subprocess.run([sys.executable, "-c", HOSTILE], input=small, capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    assert b"'Truncated'" in done.stdout


PEAK = """
import sys, pyarrow as pa
from pathlib import Path
from pipeline.formats.read import read_artifact
spec = {"kind": "parquet", "text": "text", "url": None, "title": None}
before = pa.default_memory_pool().max_memory()
rows = sum(1 for _ in read_artifact(Path(sys.argv[1]), "x.parquet", members=["**"], exclude=[], spec=spec))
print(rows, pa.default_memory_pool().max_memory() - before)
"""


@pytest.mark.parametrize("group", [250, 5000])
def test_memory_does_not_follow_the_size_of_the_file_or_of_a_row_group(tmp_path: Path, group: int) -> None:
    """150 MB of distinct texts; a dictionary over all of them would hold them all."""
    texts = pa.array([f"{number:08d}" * 3750 for number in range(5000)])
    pq.write_table(pa.table({"text": texts}), tmp_path / "x.parquet", row_group_size=group, compression="none")
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(tmp_path / "x.parquet")], capture_output=True, text=True, check=True
    )
    rows, peak = map(int, done.stdout.split())
    assert rows == 5000
    assert peak < 96 << 20
