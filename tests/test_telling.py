"""What is said of documents, on a terminal that must not obey their text."""

from pipeline import telling


def test_control_and_bidi_characters_are_shown_not_obeyed() -> None:
    assert telling.printable("a\x1b[31mred\x07 \u202eevil\n\tok é") == "a\\x1b[31mred\\x07 \\u202eevil\n\tok é"


def test_numbers_are_grouped_and_short() -> None:
    assert [telling._number(value) for value in (2_000_000.0, 0.123456, 0.0)] == ["2,000,000", "0.1235", "0"]
