"""What is said of documents, on a terminal that must not obey their text."""

from pipeline import telling, telling_rows
from pipeline.trust import reproduction


def test_control_and_bidi_characters_are_shown_not_obeyed() -> None:
    assert telling.printable("a\x1b[31mred\x07 \u202eevil\n\tok é") == "a\\x1b[31mred\\x07 \\u202eevil\n\tok é"


def test_numbers_are_grouped_and_short() -> None:
    assert [telling_rows.number(value) for value in (2_000_000.0, 0.123456, 0.0)] == ["2,000,000", "0.1235", "0"]


def test_a_near_duplicate_is_told_with_its_similarity_and_bands_an_exact_one_without() -> None:
    assert telling_rows.alike({"similarity": 881_709, "bands": 2}) == "similarity 0.882, 2 bands in common"
    assert telling_rows.alike({"similarity": 800_000, "bands": 1}) == "similarity 0.800, 1 band in common"
    assert telling_rows.alike({"similarity": 1_000_000, "bands": None}) == "similarity 1.000"


def test_who_could_not_build_a_release_again_is_told_last_and_loudest() -> None:
    tally = reproduction.Tally(
        (
            reproduction.Judged("a.json", False, "says that 2 files DIFFER, x the first", "a" * 64, "differs"),
            reproduction.Judged("b.json", True, "", "b" * 64, "content"),
            reproduction.Judged("c.json", False, "is of another release, d", "c" * 64),
        ),
        1,
    )
    assert list(telling.reproductions(tally)) == [
        f"      reproduced (content) by {'b' * 64}: b.json",
        "      not counted: c.json is of another release, d",
        f"WARNING: a.json says that 2 files DIFFER, x the first; it is signed by {'a' * 64}",
    ]
