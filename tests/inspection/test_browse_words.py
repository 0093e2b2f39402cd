"""Which words differ between two texts, and which values hold."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.inspection.browse.documents import holds
from pipeline.inspection.browse.words import differing

WORDS = st.lists(st.sampled_from(["a", "b", "c", "d", "e", "the", "\u202e", "漢"]), max_size=40)
SPACE = st.sampled_from([" ", "\n", "  ", "\t", "\n\n"])
TEXT = WORDS.flatmap(
    lambda words: st.lists(SPACE, min_size=len(words) + 1, max_size=len(words) + 1).map(
        lambda spaces: "".join(space + word for space, word in zip(spaces, [*words, ""], strict=True))
    )
)  # fmt: skip


@given(TEXT, TEXT)
def test_the_stretches_of_each_are_its_text_and_what_both_have_is_equal(left: str, right: str) -> None:
    ours, theirs = differing(left, right)
    assert "".join(part for _, part in ours) == left
    assert "".join(part for _, part in theirs) == right
    assert (
        " ".join(part for both, part in ours if both).split() == " ".join(part for both, part in theirs if both).split()
    )


@given(TEXT)
def test_lines_broken_elsewhere_differ_in_nothing(text: str) -> None:
    for parts in differing(text, " ".join(text.split())):
        assert all(both for both, part in parts if part.strip())


@given(st.lists(st.integers(), min_size=20, max_size=60, unique=True), st.data())
def test_one_word_that_was_changed_among_words_that_stand_once_is_found(
    numbers: list[int], data: st.DataObject
) -> None:
    words = [f"w{number}" for number in numbers]
    at = data.draw(st.integers(0, len(words) - 1))
    ours, theirs = differing(" ".join(words), " ".join([*words[:at], "other", *words[at + 1 :]]))
    assert [part.strip() for both, part in ours if not both] == [words[at]]
    assert [part.strip() for both, part in theirs if not both] == ["other"]


def test_long_texts_with_nothing_in_common_are_not_compared_word_by_word() -> None:
    left, right = "left " * 50_000, "right " * 50_000
    ours, theirs = differing(left, right)
    assert [both for both, _ in ours] == [both for both, _ in theirs] == [False]


def test_a_value_on_its_bound_holds_and_one_beyond_fails() -> None:
    for value, low, high, good in (
        (5, 5, None, True),
        (4, 5, None, False),
        (5, None, 5, True),
        (6, None, 5, False),
        (0, None, None, True),
    ):
        one = {"value": value, "low": low, "high": high}
        assert holds(one) is good
