"""Trees are those of two other parsers: lexbor (by selectolax) on pages, html5lib on small ones made at random."""

import re
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.kernels.html.parser import parse
from tests.kernels.html.lexbor import lexbor_lines, without_template_contents
from tests.kernels.html.trees import Line, lines

FIXTURES = Path(__file__).parents[2] / "fixtures" / "html"

# Pages in many scripts, with what trips parsers: tables, lists, formatting that is not closed, references, foreign content.
WORDS = {
    "ar": "اللغة العربية", "de": "Größe und Maß", "el": "Ελληνικά", "en": "plain words", "fa": "فارسی", "fr": "déjà vu",
    "he": "עברית", "hi": "हिन्दी", "hy": "Հայերեն", "ja": "日本語の文章", "ka": "ქართული", "ko": "한국어 문장",
    "my": "မြန်မာ", "pl": "zażółć gęślą", "ru": "русский текст", "ta": "தமிழ்", "th": "ภาษาไทย", "tr": "ığüşöç",
    "uk": "їжак", "vi": "Tiếng Việt", "zh": "中文的句子",
}  # fmt: skip
PAGE = """<!doctype html><html lang={code}><head><title>{words} &amp; more</title><meta charset=utf-8><style>a > b {{}}</style>
<script>if (a < b && "</p>") document.write("<!-- {words}")</script></head><body class="{words}" onload='x("&quot;")'>
<nav><ul><li><a href="?a=1&b=2&copy=3">{words}<li>two<ul><li>three</ul></ul></nav><!-- {words} -->
<main><h1>{words}</h1><p>One <b>two <i>three</b> four</i> {words}<p>&lt;{words}&gt; &nbsp;&hellip; &#x4e2d;<br>
<table><caption>{words}</caption><tr><td>a<td>b<tr><th colspan=2>{words}</table><dl><dt>t<dd>d<dt>u</dl>
<pre>\n {words}\n</pre><svg viewBox="0 0 1 1"><title>{words}</title><path d="M0 0"/></svg><math><mi>x</mi><mo>=</mo></math>
<form><select><option>1<option>{words}</select><input type=hidden><textarea>\n<b>{words}</textarea></form>
<ruby>漢<rt>かん</rt></ruby><details><summary>s</summary>{words}</details></main><footer><p>© {words}</footer></body></html>
"""


@pytest.mark.parametrize("code", WORDS)
def test_pages_in_many_scripts_are_the_same_as_lexbors(code: str) -> None:
    data = PAGE.format(code=code, words=WORDS[code]).encode()
    assert without_template_contents(lines(parse(data))) == lexbor_lines(data)


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.html")), ids=lambda path: path.stem)
def test_the_pages_among_the_fixtures_are_the_same_as_lexbors(path: Path) -> None:
    """Except where our bound on open elements took effect, which is said."""
    data = path.read_bytes().decode("utf-8", "replace").encode()
    tree = parse(data)
    assert tree.bounded == (path.stem == "html-nested-ul")
    assert tree.bounded or without_template_contents(lines(tree)) == lexbor_lines(data)


def installed_pages() -> list[Path]:
    """HTML files of packages that these tests need anyway."""
    return [
        Path(str(file.locate()))
        for name in (
            "datasets",
            "numba",
            "lxml",
            "trafilatura",
            "justext",
            "selectolax",
            "html5lib",
            "spacy",
            "pyarrow",
            "numpy",
        )
        for file in distribution(name).files or ()
        if file.suffix in (".html", ".jinja", ".htm")
    ]


def test_pages_of_installed_packages_are_the_same_as_lexbors() -> None:
    for path in installed_pages():
        data = path.read_bytes().decode("utf-8", "replace").encode()
        assert without_template_contents(lines(parse(data))) == lexbor_lines(data), path.name


# ---- html5lib. Its rules for <select> are those of 2020, and it drops the white space of mixed text in a frameset: pages have
# neither.

TAGS = (
    "html head body title p div span a b i em font nobr code h1 h2 ul ol li dl dt dd table caption colgroup col tbody thead "
    "tr td th br hr img pre form button article nav ruby rt rp style script textarea applet object svg g math mi"
)
names = st.sampled_from(TAGS.split())
attributes = st.sampled_from(["", " a=1", " A='2'", " a", ' b="&lt;&ampx"', "/", " color=red", " type=hidden"])
starts = st.builds("<{}{}>".format, names, attributes)
ends = st.builds("</{}>".format, names)
pieces = st.sampled_from(
    ["x", " ", "\n", "y z", "&amp;", "&#65;", "&notit;", "é", "<!-- c -->", "<!doctype html>", "<", "</", "&", "'"]
)
pages = st.lists(starts | ends | pieces, max_size=25).map("".join)


def html5lib_lines(page: str) -> list[Line]:
    """The tree that html5lib makes."""
    found: list[Line] = []

    def walk(node: Any, depth: int) -> None:
        if node.nodeType == node.TEXT_NODE:
            if found and found[-1][0] == depth and found[-1][1].startswith('"'):
                found[-1] = (depth, found[-1][1][:-1] + node.data + '"')
            elif node.data:
                found.append((depth, f'"{node.data}"'))
            return
        if node.nodeType != node.ELEMENT_NODE:
            return
        prefix = {"http://www.w3.org/2000/svg": "svg ", "http://www.w3.org/1998/Math/MathML": "math "}.get(
            node.namespaceURI, ""
        )
        found.append((depth, f"<{prefix}{node.tagName.lower()}>"))
        given = ((key if isinstance(key, str) else key[1], value) for key, value in node.attributes.items())
        found.extend(sorted((depth + 1, f'{key.lower()}="{value}"') for key, value in given))
        for child in node.childNodes:
            walk(child, depth + 1)

    walk(html5lib.parse(page, treebuilder="dom").documentElement, 0)
    return found


def is_of_older_rules(page: str) -> bool:
    """Tell whether a page has what the standard changed after html5lib 1.1: </p> and </br> in SVG and MathML close those."""
    return re.search("<(svg|math)", page) is not None and re.search("</(p|br)>", page) is not None


@given(pages.filter(lambda page: not is_of_older_rules(page)))
def test_small_pages_are_the_same_as_html5libs(page: str) -> None:
    assert lines(parse(page.encode())) == html5lib_lines(page)
