"""Signatures and band keys against the reference in docs/minhash.md, and its golden values."""

import hashlib
import json
import os
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.kernels import minhash, shingles
from tests.kernels.test_features import hostile, repetitive
from tests.kernels.test_shingles import PAGE, REFERENCE, golden_texts
from tests.kernels.test_shingles import expected as shingle_set

NONE = 0xFFFFFFFF


def expected(text: str, permutations: int = 112, seed: int = 1, **arguments: int) -> list[int]:
    return REFERENCE["signature"](shingle_set(text, **arguments), permutations, seed)  # type: ignore[no-any-return]


def signatures(texts: list[str], **arguments: int) -> list[list[int]]:
    found = minhash.signatures(pa.array(texts, pa.string()), **arguments)
    assert found.dtype == np.uint32
    assert found.shape == (len(texts), arguments.get("permutations", 112))
    assert found.flags.c_contiguous
    return found.tolist()


@given(st.lists(st.one_of(hostile, repetitive), max_size=5))
def test_signatures_equal_the_reference(texts: list[str]) -> None:
    assert signatures(texts) == [expected(text) for text in texts]


@given(hostile, st.integers(1, 40), st.integers(0, 2**64 - 1), st.integers(1, 7), st.integers(1, 70))
def test_signatures_with_other_parameters_equal_the_reference(
    text: str, permutations: int, seed: int, words: int, characters: int
) -> None:
    found = signatures([text, "a"], permutations=permutations, seed=seed, words=words, characters=characters)
    assert found[0] == expected(text, permutations, seed, words=words, characters=characters)
    assert found[1] == expected("a", permutations, seed)


@given(st.lists(st.one_of(hostile, repetitive), max_size=5), st.integers(1, 50))
def test_signatures_of_hashes_are_those_of_the_texts(texts: list[str], permutations: int) -> None:
    array = pa.array(texts, pa.string())
    found = minhash.signatures_of_hashes(*shingles.hashes(array), permutations=permutations, seed=9)
    assert found.tolist() == minhash.signatures(array, permutations=permutations, seed=9).tolist()


def test_signatures_of_a_part_of_the_hashes_are_those_rows() -> None:
    array = pa.array(["a b c d e f", "", "one", "two three", "漢字"])
    offsets, values = shingles.hashes(array)
    assert minhash.signatures_of_hashes(offsets[1:4], values).tolist() == minhash.signatures(array[1:3]).tolist()


def test_golden_texts_of_the_page_have_their_signatures_and_keys() -> None:
    golden = golden_texts()
    found = minhash.signatures(pa.array([text for text, _ in golden]))
    keys = minhash.band_keys(found)
    assert [
        [
            f"{row[0]:08x}",
            hashlib.sha256(row.astype("<u4").tobytes()).hexdigest()[:16],
            f"{key[0]:016x}",
            f"{key[13]:016x}",
        ]
        for row, key in zip(found, keys, strict=True)
    ] == [cells[4:] for _, cells in golden]
    assert found.tolist() == [expected(text) for text, _ in golden]


def test_golden_permutations_of_the_page_are_drawn() -> None:
    a, b = minhash.permutations_of(1, 112)
    pairs = np.stack([a, b], 1)
    assert "    " + " ".join(f"{x:08x}" for x in pairs[[0, 1, 2, 111]].ravel()) + "\n" in PAGE


@given(st.integers(0, 2**64 - 1), st.integers(1, 300))
def test_permutations_equal_the_reference_and_are_permutations(seed: int, permutations: int) -> None:
    a, b = minhash.permutations_of(seed, permutations)
    assert (a.dtype, b.dtype) == (np.uint32, np.uint32)
    assert list(zip(a.tolist(), b.tolist(), strict=True)) == REFERENCE["permutations_of"](seed, permutations)
    assert (a & 1).all()


def test_fewer_permutations_are_the_first_of_more() -> None:
    texts = ["a b c d e f g", "漢字かな", ""]
    more = np.array(signatures(texts, permutations=130))
    for permutations in (1, 15, 16, 17, 112):
        assert signatures(texts, permutations=permutations) == more[:, :permutations].tolist()


def test_a_text_without_words_has_the_signature_of_nothing_and_a_text_of_one_word_another() -> None:
    assert signatures(["", "\n\u3000", "word"])[:2] == [[NONE] * 112] * 2
    assert NONE not in signatures(["word"])[0]


def test_repeated_shingles_change_nothing() -> None:
    phrase = "one two three four five "
    assert signatures([phrase * 2]) == signatures([phrase * 900])


def test_texts_agree_in_about_as_many_places_as_their_shingles_overlap() -> None:
    words = [f"w{i}" for i in range(3_000)]
    texts, overlaps = [" ".join(words)], []
    for changed in range(1, 60):
        other = [*words]
        for k in range(changed):
            other[50 * k] = f"other{k}"
        texts.append(" ".join(other))
        overlaps.append((2996 - 5 * changed + 4) / (2996 + 5 * changed - 4))
    found = minhash.signatures(pa.array(texts), permutations=1_024)
    errors = (found[1:] == found[0]).mean(1) - overlaps
    assert abs(errors.mean()) < 0.02  # one deviation of a single estimate is at most 0.0156
    assert abs(errors).max() < 4 * 0.0156


@given(
    st.lists(st.lists(st.integers(0, NONE), min_size=24, max_size=24), max_size=4), st.integers(1, 6), st.integers(1, 4)
)
def test_band_keys_equal_the_reference(rows: list[list[int]], bands: int, height: int) -> None:
    found = minhash.band_keys(np.array(rows, np.uint32).reshape(-1, 24), bands=bands, rows=height)
    assert found.dtype == np.uint64
    assert found.shape == (len(rows), bands)
    assert found.tolist() == [REFERENCE["band_keys"](row, bands, height) for row in rows]


def test_equal_bands_have_equal_keys_only_in_the_same_place() -> None:
    row = [*range(8)] * 14
    other = [*row]
    other[3 * 8 + 7] += 1
    keys = minhash.band_keys(np.array([row, other], np.uint32))
    assert len(set(keys[0].tolist())) == 14
    assert (keys[0] == keys[1]).tolist() == [band != 3 for band in range(14)]
    swapped = [*row]
    swapped[0], swapped[1] = row[1], row[0]
    assert minhash.band_keys(np.array([swapped], np.uint32))[0, 0] != keys[0, 0]


def test_arrays_that_are_read_only_or_strided_are_taken_as_others_are() -> None:
    offsets, values = shingles.hashes(pa.array(["a b c d e f", "b"]))
    found = minhash.signatures_of_hashes(offsets, values)
    values.flags.writeable = offsets.flags.writeable = False
    assert minhash.signatures_of_hashes(offsets, values).tolist() == found.tolist()
    spread = np.repeat(values, 2)[::2]
    assert minhash.signatures_of_hashes(offsets, spread).tolist() == found.tolist()
    assert minhash.band_keys(np.asfortranarray(found)).tolist() == minhash.band_keys(found).tolist()


SCRIPT = """
import json, sys, pyarrow
from pipeline.kernels import minhash, shingles
texts = pyarrow.array(json.load(sys.stdin))
found = minhash.signatures(texts)
json.dump([array.tolist() for array in (found, minhash.band_keys(found), shingles.hashes(texts)[1])], sys.stdout)
"""


@pytest.mark.parametrize(
    "processor", [{}, {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}], ids=["this", "generic"]
)
def test_every_processor_gives_the_same_signatures(processor: dict[str, str]) -> None:
    numbers = " ".join(str(i * 7919 % 1000) for i in range(900))
    texts = ["", "one", "The quick brown fox jumps, é 漢字 カタカナ.", numbers]
    environment = {
        **os.environ,
        "PYTHONHASHSEED": "7",
        "LC_ALL": "C",
        "PYTHONPATH": os.pathsep.join(sys.path),
        **processor,
    }
    command, given_texts = [sys.executable, "-c", SCRIPT], json.dumps(texts).encode()
    said = subprocess.run(command, input=given_texts, env=environment, capture_output=True, check=True).stdout
    places = [expected(text) for text in texts]
    keys = [REFERENCE["band_keys"](row) for row in places]
    assert json.loads(said) == [places, keys, [h for text in texts for h in shingle_set(text)]]


def test_no_texts_have_no_signatures() -> None:
    assert signatures([]) == []
    assert minhash.band_keys(minhash.signatures(pa.array([], pa.string()))).shape == (0, 14)


def test_a_null_text_is_refused() -> None:
    with pytest.raises(ValueError, match="1 of 2 texts are null"):
        minhash.signatures(pa.array(["a", None]))


@pytest.mark.parametrize(
    ("name", "value"), [("permutations", 0), ("permutations", 65_537), ("seed", -1), ("seed", 1 << 64)]
)
def test_an_argument_out_of_range_is_refused(name: str, value: int) -> None:
    with pytest.raises(ValueError, match=rf"{value}.*; wanted"):
        minhash.signatures(pa.array(["a"]), **{name: value})


@pytest.mark.parametrize("offsets", [[], [-1, 1], [0, 3], [0, 2, 1]])
def test_offsets_that_leave_the_hashes_are_refused(offsets: list[int]) -> None:
    with pytest.raises(ValueError, match="do not ascend from 0 to at most 2"):
        minhash.signatures_of_hashes(np.array(offsets, np.int64), np.zeros(2, np.uint64))


def test_arrays_of_another_kind_are_refused() -> None:
    with pytest.raises(TypeError, match="1 dimensions of int64, wanted 1 of uint64"):
        minhash.signatures_of_hashes(np.array([0, 1]), np.zeros(1, np.int64))
    with pytest.raises(TypeError, match="2 dimensions of int64, wanted 2 of uint32"):
        minhash.band_keys(np.zeros((1, 112), np.int64))


@pytest.mark.parametrize(("bands", "rows"), [(0, 8), (14, 0), (15, 8), (14, 9)])
def test_bands_that_do_not_fit_are_refused(bands: int, rows: int) -> None:
    with pytest.raises(ValueError, match="places; signatures have 112"):
        minhash.band_keys(np.zeros((1, 112), np.uint32), bands=bands, rows=rows)
