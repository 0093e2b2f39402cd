"""Sketches of survivors: exact keys and lengths in the order of arrival, band keys in the order of the keys."""

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.curate import sketch
from pipeline.dedup.interface import BANDS, SKETCH
from tests.dedup.small_corpus import NEAR, Document, survivors, table
from tests.kernels.test_shingles import REFERENCE

PLAIN = {**NEAR, "bands": 3, "rows": 2, "seed": 4}
TEXTS = [
    "one two three four five six",
    "",
    "\u6f22\u5b57",
    "one two three four five six",
    " \u3000\n",
    "b",
    "caf\u00e9 x",
]


def sketched(
    folder: Path, texts: list[str], near: dict[str, int] | None = PLAIN, batch: int = 2
) -> tuple[list[Document], dict[str, Path]]:
    folder.mkdir(exist_ok=True)
    documents = [Document(2**128 - 1 - number, "a", text) for number, text in enumerate(texts)]
    sketches = sketch.Sketches(folder, near)
    for start in range(0, len(documents), batch):
        sketches.add(survivors(documents[start : start + batch]))
    sketches.close()
    return documents, {path.name: path for path in folder.iterdir()}


def keys_of(text: str, near: dict[str, int]) -> list[int]:
    shingles = REFERENCE["shingle_set"](text, near["words"], near["characters"])
    places = REFERENCE["signature"](shingles, near["bands"] * near["rows"], near["seed"])
    return REFERENCE["band_keys"](places, near["bands"], near["rows"])  # type: ignore[no-any-return]


def batches(path: Path) -> list[list[tuple[int, int]]]:
    with pa.ipc.open_file(path) as reader:
        assert reader.schema == BANDS
        found = [reader.get_batch(number).to_pydict() for number in range(reader.num_record_batches)]
    return [list(zip(batch["key"], batch["row"], strict=True)) for batch in found]


def test_each_survivor_has_its_id_its_exact_key_and_its_length_in_the_order_of_arrival(tmp_path: Path) -> None:
    documents, files = sketched(tmp_path, TEXTS)
    found = table(files["sketch-00000.arrow"])
    assert found.schema == SKETCH
    rows = [row for start in range(0, 7, 2) for row in survivors(documents[start : start + 2]).to_pylist()]
    assert found.to_pylist() == [
        {
            "id": bytes.fromhex(row["id"]), "exact": bytes.fromhex(row["exact_sha256"]), "characters": len(row["text"]),
        }
        for row in rows
    ]  # fmt: skip


@pytest.mark.parametrize("batch", [1, 2, 7])
@pytest.mark.parametrize("near", [PLAIN, {**PLAIN, "words": 2, "characters": 4}, {**NEAR, "bands": 14, "rows": 8}])
def test_each_band_has_the_key_of_each_text_with_words_in_the_order_of_keys(
    tmp_path: Path, near: dict[str, int], batch: int
) -> None:
    _, files = sketched(tmp_path, TEXTS, near, batch)
    keys = {row: keys_of(text, near) for row, text in enumerate(TEXTS) if text.split()}
    assert list(keys) == [0, 2, 3, 5, 6]
    assert batches(files["bands-00000.arrow"]) == [
        sorted((keys[row][band], row) for row in keys) for band in range(near["bands"])
    ]


@given(
    st.lists(st.sampled_from(TEXTS), max_size=12), st.integers(1, 4), st.integers(1, 5), st.sampled_from([1, 2, 6, 13])
)
def test_runs_hold_a_batch_a_band_each_and_all_rows_once(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], batch: int, run: int, bands: int
) -> None:
    near = {**PLAIN, "bands": bands, "rows": 1}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sketch, "RUN_DOCUMENTS", run)
        _, files = sketched(tmp_path_factory.mktemp("runs"), texts, near, batch)
    found = batches(files["bands-00000.arrow"]) if "bands-00000.arrow" in files else []
    assert len(found) % bands == 0
    for band in range(bands):
        mine = found[band::bands]
        assert all(part == sorted(part) for part in mine)
        assert all(part for part in mine)
        assert all(len(part) < run + batch for part in mine)
        assert sorted(entry for part in mine for entry in part) == sorted(
            (keys_of(text, near)[band], row) for row, text in enumerate(texts) if text.split()
        )


def test_texts_without_words_and_recipes_that_keep_near_duplicates_have_no_bands(tmp_path: Path) -> None:
    for name, texts, near in (("wordless", ["", " "], PLAIN), ("kept", TEXTS, None)):
        _, files = sketched(tmp_path / name, texts, near)
        assert set(files) == {"sketch-00000.arrow"}
        assert table(files["sketch-00000.arrow"]).num_rows == len(texts)


def test_no_survivors_leave_no_files(tmp_path: Path) -> None:
    sketches = sketch.Sketches(tmp_path, PLAIN)
    sketches.add(survivors([]))
    sketches.close()
    assert list(tmp_path.iterdir()) == []


def test_files_are_mapped_and_not_read(tmp_path: Path) -> None:
    _, files = sketched(tmp_path, [f"text {number}" for number in range(2_000)], batch=500)
    before = pa.total_allocated_bytes()
    for path in files.values():
        mapped = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
        assert mapped.num_rows >= 2_000
        assert pa.total_allocated_bytes() - before < 1_000
