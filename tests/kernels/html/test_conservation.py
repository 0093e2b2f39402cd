"""No character of a page is lost: blocks and text against an independent parser and rules written a second time."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.html.conservation import beside, faults_of, squeezed, visible_text

FIXTURES = Path(__file__).parents[2] / "fixtures" / "html"
INLINE = [
    "a", "b", "i", "em", "code", "sup", "sub", "q", "span", "font", "u", "small", "kbd", "cite", "rt", "ruby",
    "label", "x-y", "abbr",
]  # fmt: skip
BLOCK = [
    "p", "div", "h1", "h3", "ul", "ol", "li", "dl", "dt", "dd", "table", "tr", "td", "th", "blockquote", "pre",
    "section", "nav", "details", "summary", "figure", "center", "form", "fieldset",
]  # fmt: skip
HIDDEN = [
    "script", "style", "title", "textarea", "noscript", "svg", "select", "option", "button", "head", "iframe",
]  # fmt: skip
TEXTS = st.sampled_from(
    [
        "x", " ", "\n", "a b", "  lead", "trail  ", "1", "-2", "*", "_y_", "`", "``", "[z]", "(", "|", "\\",
        "#", "<", "&amp;", "&lt;b&gt;", "&nbsp;", "é", "、", "漢\n字", "。", "–", "“", "”", "한\n글", "\u3000",
        "\u2028", "\u00ad", "<br>", "<br><br>", "<hr>", "<img>", "<wbr>", "<!-- c -->",
        "<script type='math/tex'>x^2</script>", "1. ", "+ ", "> ", "---", "=== ", "~~~", "```", "![", "](", "$",
        "^", "🜚", "\u0301",
    ]
)  # fmt: skip
OPENINGS = st.sampled_from(INLINE + BLOCK).map(lambda name: f"<{name}>") | st.sampled_from(
    [
        "<ol start=7>",
        "<ol reversed>",
        "<li value=3>",
        "<a href='u(v)'>",
        "<p hidden>",
        "<pre class=language-c>",
        "<td colspan=2>",
    ]
)
CLOSINGS = st.sampled_from(INLINE + BLOCK).map(lambda name: f"</{name}>")
SOUPS = st.lists(OPENINGS | TEXTS | TEXTS | CLOSINGS, max_size=40).map("".join)


def _nested(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(st.sampled_from(INLINE + BLOCK + HIDDEN), st.lists(children, max_size=4)).map(
        lambda made: f"<{made[0]}>{''.join(made[1])}</{made[0]}>"
    )


TREES = st.recursive(TEXTS, _nested, max_leaves=25)


@pytest.mark.parametrize("name", sorted(path.name for path in FIXTURES.glob("*.html")))
def test_the_pages_that_once_lost_text_lose_none(name: str) -> None:
    raw = (FIXTURES / name).read_bytes()
    page = raw.decode("windows-1251" if "commented" in name else "utf-8")
    characters, blocks, faults = faults_of(page)
    assert faults == []
    assert characters > 100 * (blocks < 100)


@pytest.mark.parametrize(
    ("page", "visible"),
    [
        ("<title>t</title><p>a<!-- b --><script>c</script>d", "ad"),
        ("<p hidden>a<p style='display:none'>b<noscript>c</noscript>", "abc"),
        ("<svg><text>a</text></svg>b<math><mi>c</mi></math>", "bc"),
        ("<math><mi>a</mi><annotation encoding='application/x-tex'>b</annotation></math>c", "bc"),
        ("<p><script type='math/tex'>a</script><textarea>b</textarea><select><option>c</select>", "ac"),
        ("<p>a<script type='text/javascript'>b</script><script type='TEXT/JavaScript'>c</script>", "a"),
        ("<p>a<math><mi>b</mi><annotation encoding='text/plain'>c</annotation></math>", "abc"),
        ("a<table>b<tr><td>c</table>", "abc"),
    ],
)
def test_the_independent_reader_sees_what_the_rules_say(page: str, visible: str) -> None:
    assert squeezed(visible_text(page)) == visible
    assert faults_of(page)[2] == []


def test_a_lost_and_an_invented_character_are_found() -> None:
    assert beside("- ab", "ab") == {"-": 1, " ": 1}
    assert beside("a", "ab") is None
    assert beside("ba", "ab") is None


@given(TREES)
def test_no_character_of_a_well_formed_page_is_lost_or_invented(page: str) -> None:
    assert faults_of(page)[2] == []


@given(SOUPS)
def test_no_character_of_a_malformed_page_is_lost_or_invented(page: str) -> None:
    faults = [fault for fault in faults_of(page)[2] if not fault.startswith("parsers differ")]
    assert faults == []
