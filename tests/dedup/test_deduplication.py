"""Deduplication as a whole: sketches, candidates, shingle sets and choice against the oracle, however the documents lie."""

import random
import tempfile
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.curate import sketch
from pipeline.dedup import candidates, choose
from tests.dedup.small_corpus import (
    MILLION,
    NEAR,
    Deduplicated,
    Document,
    deduplicated,
    expected,
    preferred,
    shingles,
    similarity,
)
from tests.kernels.test_shingles import REFERENCE

PRIORITIES = {"a": 0, "b": 5, "c": 0}
WORDS = ["ant", "bee", "cat", "dog", "caf\u00e9", "eel", "fox", "gnu"]
EXACT, SIMILAR = "exact_duplicate", "near_duplicate"


@st.composite
def corpora(draw: st.DrawFn, sources: str = "abc", largest: int = 14) -> list[Document]:
    """Documents that are cuts and edits of one or two texts, some of them in decomposed Unicode or with other white space."""
    bases = draw(st.lists(st.lists(st.sampled_from(WORDS), max_size=24), min_size=1, max_size=2))
    documents = []
    for number in draw(st.permutations(range(draw(st.integers(0, largest))))):
        words = [*draw(st.sampled_from(bases))]
        for at, word in draw(st.lists(st.tuples(st.integers(0, 23), st.sampled_from([*WORDS, "new"])), max_size=2)):
            words[at : at + 1] = [word]
        words = words[draw(st.sampled_from([0, 0, 0, 1, 2])) : len(words) - draw(st.sampled_from([0, 0, 0, 1, 3]))]
        text = draw(st.sampled_from([" ", " ", "\n", "  "])).join(words) + draw(
            st.sampled_from(["", "", " ", "\n\n\n"])
        )
        if draw(st.booleans()):
            text = text.replace("\u00e9", "e\u0301")
        documents.append(Document(number, draw(st.sampled_from(sources)), text))
    return documents


@st.composite
def parameters(draw: st.DrawFn) -> dict[str, Any]:
    threshold = draw(st.sampled_from([300_000, 333_333, 333_334, 500_000, 600_000, 666_666, 800_000, MILLION]))
    words, characters = draw(st.sampled_from([1, 2, 3, 5])), draw(st.sampled_from([500_000, 500_000, 60, 20]))
    return {**NEAR, "threshold": threshold, "words": words, "characters": characters}


def cut(documents: Sequence[Document], parts: int = 1) -> list[list[Document]]:
    """Artifacts of one source each, at most `parts` of each source."""
    piles = [
        [d for d in documents if d.source == source and d.number % parts == part]
        for source in PRIORITIES
        for part in range(parts)
    ]
    return [pile for pile in piles if pile]


def run(artifacts: Sequence[Sequence[Document]], near: dict[str, Any] | None = NEAR, **arguments: Any) -> Deduplicated:
    with tempfile.TemporaryDirectory() as folder:
        return deduplicated(Path(folder), artifacts, near, **{"priorities": PRIORITIES, **arguments})


def texts(*given_texts: str, source: str = "a") -> list[Document]:
    return [Document(number, source, text) for number, text in enumerate(given_texts)]


def numbered(count: int, **other: str) -> str:
    """A text of `count` different words, of which those named w3, w7, ... are others."""
    return " ".join(other.get(f"w{k}", f"w{k}") for k in range(count))


@settings(max_examples=120)
@given(corpora(), parameters(), st.booleans())
def test_who_is_dropped_for_whom_and_how_like_they_are_is_what_the_oracle_says(
    documents: list[Document], near: dict[str, Any], exact: bool
) -> None:
    found = run(cut(documents), near, exact=exact)
    assert found.losers == expected(documents, near, PRIORITIES, exact)
    sources = {document.number: document.source for document in documents}
    for source, rows in found.rows.items():
        assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)
        for row in rows:
            assert sources[int(row["id"], 16)] == source
            assert sources[int(row["kept_id"], 16)] == row["kept_source"]
            assert (row["bands"] is None) == (row["reason"] == EXACT)
        assert found.members[source] == sorted(
            (
                {"source": own, **{name: row[name] for name in ("kept_id", "id", "reason", "similarity")}}
                for own, lost in found.rows.items()
                for row in lost
                if row["kept_source"] == source
            ),
            key=lambda row: row["id"],
        )
    assert found.choose["documents"] == found.candidates["documents"] == len(documents)
    assert found.choose["dropped"] == {source: len(rows) for source, rows in found.rows.items()}
    assert not any(found.candidates["skipped"].values())


@settings(max_examples=50)
@given(corpora(), parameters(), st.integers(1, 3), st.integers(0, 2), st.integers(1, 3))
def test_whatever_the_bands_and_bounds_a_removal_has_a_kept_earlier_witness_that_is_like_it(
    documents: list[Document], near: dict[str, Any], first: int, neighbours: int, rows: int
) -> None:
    bounds = {"bucket_first": first, "bucket_neighbours": neighbours, "bands": 6 // rows, "rows": rows}
    near = {**near, **bounds}
    found = run(cut(documents), near)
    order = preferred(documents, PRIORITIES)
    rank = {document.number: place for place, document in enumerate(order)}
    assert found.losers == expected(
        documents, near, PRIORITIES, meet=lambda later, earlier: (later, earlier) in found.pairs
    )
    for loser, (reason, witness, millionths) in found.losers.items():
        one, other = order[rank[loser]], order[rank[witness]]
        assert witness not in found.losers
        assert rank[witness] < rank[loser]
        if reason == EXACT:
            assert (one.normalised, millionths) == (other.normalised, MILLION)
        else:
            sets = [shingles(document.text, near["words"], near["characters"]) for document in (one, other)]
            assert similarity(*sets) * MILLION >= near["threshold"]
            assert millionths == round(similarity(*sets) * MILLION)
    for later, earlier in found.pairs:
        assert later > earlier
        if not {order[later].number, order[earlier].number} & set(found.losers):
            sets = [shingles(order[rank].text, near["words"], near["characters"]) for rank in (later, earlier)]
            assert similarity(*sets) * MILLION < near["threshold"]


@settings(max_examples=50)
@given(corpora(largest=24), parameters(), st.data())
def test_the_answer_is_the_same_however_documents_lie_and_whatever_is_held_at_once(
    documents: list[Document], near: dict[str, Any], data: st.DataObject
) -> None:
    near |= {"bucket_first": data.draw(st.integers(1, 3)), "bucket_neighbours": data.draw(st.integers(0, 2))}
    near |= {"bands": 5, "rows": data.draw(st.integers(1, 2))}
    plain = run(cut(documents), near)
    artifacts = data.draw(st.permutations(cut(data.draw(st.permutations(documents)), data.draw(st.integers(1, 4)))))
    split = {"batch": data.draw(st.integers(1, 9)), "shards": data.draw(st.integers(1, 3))}
    small = st.integers(1, 5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(candidates, "RANGE_ROWS", data.draw(small))
        patch.setattr(choose, "TOGETHER", data.draw(small))
        patch.setattr(choose, "_LOSERS_TOGETHER", data.draw(small))
        patch.setattr(sketch, "RUN_DOCUMENTS", data.draw(small))
        other = run(artifacts, near, **split)
    assert other == plain


def test_a_corpus_of_many_documents_has_one_answer_in_any_order_with_any_memory() -> None:
    draw = random.Random(11)
    documents = []
    for number in range(400):
        words = numbered(60).split() if number % 3 else numbered(40, w1="other").split()
        for _ in range(draw.randrange(4)):
            words[draw.randrange(len(words))] = f"x{draw.randrange(9)}"
        documents.append(Document(number, "abc"[number % 3], " ".join(words)))
    near = {**NEAR, "bands": 14, "rows": 8, "bucket_first": 8, "bucket_neighbours": 8}
    plain = run(cut(documents), near, batch=400)
    reasons = Counter(reason for reason, _, _ in plain.losers.values())
    assert reasons[EXACT] > 20
    assert reasons[SIMILAR] > 40
    assert sum(plain.candidates["skipped"].values()) > 100
    for seed, size in ((1, 1), (2, 7), (3, 100)):
        shuffled = random.Random(seed).sample(documents, 400)
        with pytest.MonkeyPatch.context() as patch:
            for module, name in ((candidates, "RANGE_ROWS"), (choose, "TOGETHER"), (sketch, "RUN_DOCUMENTS")):
                patch.setattr(module, name, size if seed > 1 else 50)
            artifacts = cut(shuffled, seed + 2)
            assert run(random.Random(seed).sample(artifacts, len(artifacts)), near, batch=size) == plain


def test_four_fifths_alike_is_dropped_and_a_little_less_is_not() -> None:
    near = {**NEAR, "words": 1}
    assert run([texts("a b c d e", "a b c d")], near).losers == {1: (SIMILAR, 0, 800_000)}
    assert run([texts("a b c d e f g", "a b c d e")], near).losers == {}
    assert run([texts("a b c d e", "a b c d")], {**near, "threshold": 800_001}).losers == {}
    assert run([texts("a b c", "a b")], {**near, "threshold": 666_667}).losers == {}  # two thirds are less than that
    assert run([texts("a b c", "a b")], {**near, "threshold": 666_666}).losers == {1: (SIMILAR, 0, 666_667)}


def test_one_word_changed_is_a_similarity_that_the_page_names() -> None:
    long, changed = numbered(300), numbered(300, w40="x", w80="x", w120="x", w160="x", w200="x", w240="x")
    ((_, (_, _, millionths)),) = run([texts(long, changed + " more")]).losers.items()
    assert millionths == round(Fraction(296 - 30, 296 + 30 + 1) * MILLION)


def test_in_a_chain_who_is_like_a_dropped_document_and_like_no_kept_one_stays() -> None:
    """Each is like its neighbours (25 / 31 of the 5-grams) and like nobody else: the second and the fourth go."""
    chain = [" ".join(f"w{k:04}" for k in range(3 * link, 3 * link + 32)) for link in range(4)]
    sets = [shingles(text, 5) for text in chain]
    assert similarity(sets[0], sets[1]) >= Fraction(4, 5) > similarity(sets[0], sets[2])
    assert run([texts(*chain)]).losers == {1: (SIMILAR, 0, 806_452), 3: (SIMILAR, 2, 806_452)}


def test_the_source_of_higher_priority_keeps_its_document_however_short_it_is() -> None:
    short, long = Document(2, "b", numbered(30)), Document(1, "a", numbered(30) + " more")
    assert run([[long], [short]]).losers == {1: (SIMILAR, 2, 962_963)}
    assert run([[long], [short]], priorities={"a": 0, "b": 0}).losers == {2: (SIMILAR, 1, 962_963)}


def test_of_texts_of_one_length_that_of_the_smaller_id_is_kept() -> None:
    """Among the ids are such as differ in one half of their 16 bytes only."""
    numbers = (3, 2**127, 2**64 + 3, 2**64, 1, 2**63, 2**64 + 1)
    documents = [Document(number, "a", numbered(40, w0=f"x{place}")) for place, number in enumerate(numbers)]
    found = run([documents]).losers
    assert {number: witness for number, (_, witness, _) in found.items()} == dict.fromkeys({*numbers} - {1}, 1)
    found = run([[document for document in documents if document.number != 1]]).losers
    assert {number: witness for number, (_, witness, _) in found.items()} == dict.fromkeys({*numbers} - {1, 3}, 3)


def test_copies_of_a_document_that_is_dropped_go_to_the_kept_one_with_a_similarity_of_their_own() -> None:
    kept = numbered(30) + " one more"
    accented, plain = numbered(30, w29="caf\u00e9"), numbered(30, w29="cafe\u0301")
    found = run([[Document(0, "b", kept), Document(5, "b", accented)], [Document(1, "a", plain)]])
    assert found.losers == {5: (SIMILAR, 0, 862_069), 1: (SIMILAR, 0, 862_069)}
    accented, plain = numbered(30, w29="w29 caf\u00e9"), numbered(30, w29="w29 cafe\u0301")
    kept = numbered(30) + " cafe\u0301 more"
    found = run([[Document(0, "b", kept), Document(5, "b", accented)], [Document(1, "a", plain)]])
    assert found.losers == {5: (SIMILAR, 0, 896_552), 1: (SIMILAR, 0, 964_286)}


def test_of_copies_that_are_not_like_what_the_first_was_dropped_for_one_stays_and_stands_for_the_others() -> None:
    """One normalised text, but other shingles: an accent that is a code point of its own, in every other word."""
    text = " ".join(f"\u00e9{k}" for k in range(40))
    apart = text.replace("\u00e9", "e\u0301")
    kept = Document(0, "b", text + " more")
    documents = [Document(9, "b", text), *(Document(number, "a", apart) for number in (4, 2, 3))]
    found = run([[kept, documents[0]], documents[1:]])
    assert found.losers == {9: (SIMILAR, 0, 972_973), 3: (EXACT, 2, MILLION), 4: (EXACT, 2, MILLION)}


def test_copies_are_no_near_duplicates_of_one_another_and_have_no_bands() -> None:
    found = run([texts(numbered(30), numbered(30).replace(" ", "\n"), numbered(30) + " ")])
    assert found.losers == {0: (EXACT, 2, MILLION), 1: (EXACT, 2, MILLION)}
    assert found.pairs == set()
    assert [row["bands"] for row in found.rows["a"]] == [None, None]


def test_a_recipe_can_keep_exact_copies_which_are_near_duplicates_then_unless_it_keeps_these_too() -> None:
    documents = texts(numbered(30), numbered(30) + " ", "", "  ")
    assert run([documents], exact=False).losers == {0: (SIMILAR, 1, MILLION)}
    assert run([documents], None, exact=False).losers == {}
    assert run([documents], None).losers == {0: (EXACT, 1, MILLION), 2: (EXACT, 3, MILLION)}


def test_texts_without_words_are_never_near_duplicates() -> None:
    documents = texts("", " ", "\n\u3000", "\u2028" * 9, "word")
    found = run([documents], {**NEAR, "threshold": 10_000}, exact=False)
    assert (found.losers, found.pairs) == ({}, set())
    assert run([documents]).losers == dict.fromkeys((0, 1, 2), (EXACT, 3, MILLION))


def test_texts_shorter_than_a_shingle_are_near_duplicates_of_the_same_words_only() -> None:
    documents = texts("one two three four", "one two  three four", "one two three", "one", "one two three four five")
    assert run([documents], exact=False).losers == {0: (SIMILAR, 1, MILLION)}


def test_what_stands_behind_the_cap_makes_no_text_another() -> None:
    head = " ".join(f"w{k:04}" for k in range(30))  # 179 characters
    documents = texts(head + " tail and more", head + " quite another end", numbered(30, w1="x") + " x")
    near = {**NEAR, "characters": len(head)}
    assert run([documents], near).losers == {0: (SIMILAR, 1, MILLION)}
    assert run([documents], {**near, "characters": len(head) + 2}).losers == {0: (SIMILAR, 1, 928_571)}
    assert run([documents], {**near, "threshold": 900_000, "characters": 500_000}).losers == {}


def test_words_of_han_are_single_and_thai_with_its_marks_are_compared_as_the_page_says() -> None:
    one = "\u6f22\u5b57\u304b\u306a\u3092\u66f8\u304f\u4eba\u3005\u3068\u672c\u3092\u8aad\u3080"
    other = one + "\u4eba"
    sets = [set(REFERENCE["shingle_set"](text)) for text in (one, other)]
    assert len(sets[0]) == 10
    assert run([texts(one, other)]).losers == {0: (SIMILAR, 1, round(similarity(*sets) * MILLION))}


@pytest.mark.parametrize(("bands", "rows", "seed"), [(64, 1, 1), (14, 8, 1), (14, 8, 2), (32, 2, 7), (256, 3, 1)])
def test_bands_are_how_many_keys_of_both_texts_are_equal(bands: int, rows: int, seed: int) -> None:
    documents = texts(
        numbered(80), numbered(80, w10="x"), numbered(80, w11="x", w50="y"), numbered(80, w70="") + " \u00e9",
        numbered(80, w70="") + " e\u0301",
    )  # fmt: skip
    found = run([documents], {**NEAR, "bands": bands, "rows": rows, "seed": seed}, batch=2)
    keys = [
        REFERENCE["band_keys"](
            REFERENCE["signature"](REFERENCE["shingle_set"](d.text), bands * rows, seed), bands, rows
        )
        for d in documents
    ]
    assert len(found.losers) >= 3
    for row in found.rows["a"]:
        one, other = keys[int(row["id"], 16)], keys[int(row["kept_id"], 16)]
        assert row["bands"] == sum(a == b for a, b in zip(one, other, strict=True)) > 0


def test_a_bucket_is_compared_within_its_bound_and_what_was_not_is_counted_by_source() -> None:
    documents = [Document(number, "ab"[number % 2], f"same {number:03}") for number in range(40)]
    near = {**NEAR, "bands": 1, "words": 1, "threshold": MILLION, "bucket_first": 2, "bucket_neighbours": 3, "seed": 0}
    least = [REFERENCE["signature"](REFERENCE["shingle_set"](d.text, 1), 1, 0)[0] for d in documents]
    order = preferred(documents, PRIORITIES)
    buckets: dict[int, list[int]] = {}
    for rank, document in enumerate(order):
        buckets.setdefault(least[document.number], []).append(rank)
    assert max(map(len, buckets.values())) > 6
    pairs, skipped = set(), Counter[str]()
    for bucket in buckets.values():
        for at, later in enumerate(bucket):
            for before, earlier in enumerate(bucket[:at]):
                if before < 2 or at - before <= 3:
                    pairs.add((later, earlier))
                else:
                    skipped[order[later].source] += 1
    found = run(cut(documents), near)
    assert found.pairs == pairs
    assert found.candidates["skipped"] == {source: skipped[source] for source in PRIORITIES}
    assert found.candidates["pairs"] == len(pairs)
    assert found.candidates["wanted"] == len({rank for pair in pairs for rank in pair})
    assert found.losers == {}


def test_the_largest_clusters_of_each_source_are_told_for_the_alarm() -> None:
    def like(letter: str, number: int, change: int) -> Document:
        words = " ".join(f"{letter}{k}" for k in range(80) if k != change)
        return Document(number, "b", words)

    clusters = {"p": 4, "q": 2, "r": 5, "s": 3, "t": 3}  # documents that are dropped for the first of each letter
    kept = {letter: like(letter, 0x100 * place, -1) for place, letter in enumerate(clusters, 1)}
    lost = [like(letter, 0x100 * place + k, k) for place, letter in enumerate(clusters, 1) for k in range(1, 6)]
    lost = [document for document in lost if document.number % 0x100 <= clusters[document.text[0]]]
    alone = [Document(k, "b", f"number {k} stands alone") for k in range(12)]
    others = [Document(0xA0 + k, "a", "two of one text") for k in range(2)]
    found = run(cut([*lost, *alone, *kept.values(), *others])).choose
    assert found["dropped"] == {"a": 1, "b": 17, "c": 0}
    assert found["seen"] == {"a": 2, "b": 34, "c": 0}
    assert found["elsewhere"] == {"a": 0, "b": 0, "c": 0}
    told = {
        name: [(one["copies"], int(one["kept"]["id"], 16), int(one["example"]["id"], 16) >> 8) for one in clusters]
        for name, clusters in found["largest"].items()
    }
    # Of two as large the one that stands earlier in the order of preference: here the smaller id.
    assert told == {"a": [(1, 0xA0, 0)], "b": [(5, 0x300, 3), (4, 0x100, 1), (3, 0x400, 4)], "c": []}


def test_a_corpus_without_survivors_has_no_losers() -> None:
    for near in (NEAR, None):
        found = run([], near)
        assert found.rows == {"a": [], "b": [], "c": []}
        none = {"a": 0, "b": 0, "c": 0}
        assert found.choose == {
            "documents": 0, "compared": 0, "seen": none, "dropped": none, "elsewhere": none,
            "largest": {"a": [], "b": [], "c": []},
        }  # fmt: skip
