"""What pages make of numbers, and of text that somebody else wrote."""

import html
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.inspection.pages import count, environment, millionths, parted, share, size, visible


@given(st.text())
def test_visible_text_has_no_markup_of_its_own_and_nothing_invisible(text: str) -> None:
    shown = str(visible(text))
    bare = re.sub(r'<span class="odd" title="[A-Z0-9 a-z()-]+">U\+[0-9A-F]{4,6}</span>', "", shown)
    assert not set(bare) & set("<>\"'")
    assert all(c in "\n\t\u200c\u200d" or unicodedata.category(c) not in ("Cc", "Cf", "Cs") for c in bare)


@given(st.text())
def test_visible_text_says_what_it_stands_for(text: str) -> None:
    raw = re.sub(
        r'<span class="odd" title="[^"]*">U\+([0-9A-F]+)</span>', lambda m: chr(int(m[1], 16)), str(visible(text))
    )
    assert html.unescape(raw) == text


@pytest.mark.parametrize(("text", "shown"), [
    ("plain", "plain"),
    ("<script>", "&lt;script&gt;"),
    ("a\u202eb", 'a<span class="odd" title="RIGHT-TO-LEFT OVERRIDE">U+202E</span>b'),
    ("\x1b[31m", '<span class="odd" title="control character">U+001B</span>[31m'),
    ("line\n\ttab", "line\n\ttab"),
    ("\u2028", '<span class="odd" title="LINE SEPARATOR">U+2028</span>'),
])  # fmt: skip
def test_what_hides_or_moves_is_shown_by_name(text: str, shown: str) -> None:
    assert str(visible(text)) == shown


def test_a_name_may_go_on_in_the_next_line_between_its_words() -> None:
    assert str(parted("too_short")) == "too_<wbr>short"
    assert (
        str(parted("<a_b>\u202e")) == '&lt;a_<wbr>b&gt;<span class="odd" title="RIGHT-TO-LEFT OVERRIDE">U+202E</span>'
    )


def test_text_in_a_template_is_escaped_and_a_missing_name_is_an_error() -> None:
    template = environment().from_string("{{ text }} {{ text | visible }}")
    assert template.render(text="<b>") == "&lt;b&gt; &lt;b&gt;"
    with pytest.raises(Exception, match="undefined"):
        template.render()


def test_numbers_are_written_for_people() -> None:
    assert count(1234567) == "1,234,567"
    assert [size(n) for n in (0, 1, 999, 1000, 999_949, 999_950, 98_863_784, 5 * 10**15)] == [
        "0 bytes", "1 byte", "999 bytes", "1.0 kB", "999.9 kB", "1.0 MB", "98.9 MB", "5,000.0 TB",
    ]  # fmt: skip
    assert [share(*pair) for pair in ((1, 2), (0, 5), (1, 10**6), (10**6 - 1, 10**6), (5, 5), (0, 0))] == [
        "50.0%", "0.0%", "< 0.1%", "> 99.9%", "100.0%", "-",
    ]  # fmt: skip
    assert [millionths(v) for v in (None, 0, 882_352, 200_000_000, -500_000, 1_234_567_890)] == [
        "", "0", "0.8824", "200", "-0.5", "1,235",
    ]  # fmt: skip
