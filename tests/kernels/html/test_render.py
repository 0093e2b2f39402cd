"""The text of a page, rule by rule."""

from pathlib import Path

import pytest

from pipeline.kernels.html.render import block_texts, render_marked
from tests.kernels.html.rendered import blocks_of, text_of

PAGES = Path(__file__).parents[2] / "fixtures" / "html"
TEX = "<math{}><semantics><mi>x</mi><annotation encoding='application/x-tex'> x^2 </annotation></semantics></math>"


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("a  <b> b </b>\n\tc", "a b c"),
        ("<p> a </p><p>b</p>", "a\n\nb"),
        ("<div>a</div><div>b</div><section>c</section>", "a\nb\nc"),
        ("<h1>a</h1>b<h2>c</h2><blockquote>d</blockquote>e<hr>f", "a\n\nb\n\nc\n\nd\n\ne\n\nf"),
        ("a&nbsp;b\u3000c&shy;d<wbr>e", "a\u00a0b\u3000c\u00add" + "e"),
        ("a\u2028b\u2029c\u0085d", "a b c d"),
        ("<dl><dt>a<dd>b<dt>c<dd>d</dl>e", "a\nb\nc\nd\n\ne"),
        ("<details><summary>a</summary>b</details>", "a\nb"),
        ("<p></p><p> </p><p>&nbsp;</p>", ""),
        ("<x-card>a</x-card><x-card>b</x-card><y>c</y>d", "a\nb\ncd"),
        ("<img alt=x src=y>a<script>b</script><style>c</style><title>d</title>", "a"),
    ],
)
def test_white_space_collapses_and_blocks_stand_on_lines_of_their_own(page: str, text: str) -> None:
    assert text_of(page) == text


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("a<br>b", "a\nb"),
        ("a<br><br>b", "a\n\nb"),
        ("a<br><br><br><br>b", "a\n\nb"),
        ("<div>a<br></div>b", "a\nb"),
        ("<div>a</div><br>b", "a\n\nb"),
        ("<br><br>a<br>", "a"),
    ],
)
def test_a_br_is_a_line_end_and_two_are_a_blank_line(page: str, text: str) -> None:
    assert text_of(page) == text


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<ul><li>a<li>b</ul>c", "- a\n- b\n\nc"),
        ("<ul><li>a<ul><li>b<ol><li>c</ol></ul><li>d</ul>", "- a\n  - b\n    1. c\n- d"),
        ("<ul><li><p>a</p><p>b</p><li>c</ul>", "- a\n\nb\n\n- c"),
        ("<ul><li><ul><li>a</ul><li></li></ul>", "  - a"),
        ("<li>a", "- a"),
        ("<ol><li>a<li>b</ol>", "1. a\n2. b"),
        ("<ol start=7><li>a<li value=3>b<li>c</ol>", "7. a\n3. b\n4. c"),
        ("<ol reversed><li>a<li>b</ol>", "2. a\n1. b"),
        ("<ol reversed start=9><li>a<li>b</ol>", "9. a\n8. b"),
        ("<ol type=a start=26><li>a<li>b</ol>", "z. a\naa. b"),
        ("<ol type=A start=703><li>a</ol>", "AAA. a"),
        ("<ol type=i start=1994><li>a<li value=0>b<li value=4000>c</ol>", "mcmxciv. a\n0. b\n4000. c"),
        ("<ol type=I start=4><li>a</ol>", "IV. a"),
        ("<ol start=-2><li>a</ol>", "-2. a"),
        ("<ol start=99999999999><li>a</ol>", "1. a"),
        ("<ol><li></li><li>a</ol>", "2. a"),
    ],
)
def test_list_items_have_their_markers(page: str, text: str) -> None:
    assert text_of(page) == text


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<table><tr><th>a<th>b<tr><td>1<td>2</table>c", "a | b\n1 | 2\n\nc"),
        ("<table><tr><td><td>2020<td>2021<tr><td>x<td><td>5</table>", "| 2020 | 2021\nx | | 5"),
        ("<table><tr><td>only<td></table>", "only"),
        ("<table><caption>t</caption><tr><td><p>a</p><td><div>b</div></table>", "t\na | b"),
        ("<table><tr><td><p>a<p>b<td>c<tr><td>d<td>e</table>", "a\n\nb\n\nc\nd | e"),
        ("<table><tr><td>a<table><tr><td>x<td>y</table><td>b</table>", "a\n\nx | y\n\nb"),
        ("<table><tr><td><ul><li>a</ul><td>b<br>c</table>", "a | b c"),
        ("<table><tr><td><pre>a\nb</pre><td>c</table>", "a\nb\n\nc"),
    ],
)
def test_the_cells_of_a_row_stand_on_one_line_if_each_has_one_block(page: str, text: str) -> None:
    assert text_of(page) == text


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<pre>\n  a\n\n\n\tb  \n</pre>c", "  a\n\n\n\tb\n\nc"),
        ("a<pre>\n\n  b</pre>", "a\n\n  b"),
        ("<pre><span> </span><b>  x</b>\n<i> y</i></pre>", "   x\n y"),
        ("<pre><div>  a</div><div><i>  </i>b</div></pre>", "  a\n  b"),
        ("<pre>a<br>  b<br><br>c</pre>", "a\n  b\n\nc"),
        ("<pre>10<sup>6</sup> <q>x</q></pre>", "106 x"),
        ("<ul><li><pre> a\n b</pre></ul>", "-  a\n b"),
    ],
)
def test_preformatted_text_keeps_its_lines(page: str, text: str) -> None:
    assert text_of(page) == text


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("10<sup>6</sup> m<sup>2</sup> 10<sup>-3</sup> 10<sup>−3</sup> π<sup>2</sup>", "10^6 m^2 10^-3 10^−3 π^2"),
        ("(a)<sup>2</sup> 漢<sup>2</sup> м<sup>3</sup>", "(a)^2 漢^2 м^3"),
        ("1<sup>st</sup> x<sup>n</sup> a.<sup>1</sup> a <sup>2</sup> b<sup>[3]</sup>", "1st xn a.1 a 2 b[3]"),
        ("H<sub>2</sub>O", "H2O"),
        ("<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp>字<rt>じ</rt></ruby>", "漢(かん)字(じ)"),
        ("<ruby>漢<rp>（</rp><rt>かん</rt><rp>）</rp></ruby>", "漢（かん）"),
        ("<q>a <q>b</q> c</q> <q>„d“</q> <q>「e」</q> <q></q>f", "“a ‘b’ c” „d“ 「e」 f"),
        (TEX.format("") + " and " + TEX.format(" display=block"), "$x^2$ and $$x^2$$"),
        ("<p><script type='math/tex'>a</script>, <script type='math/tex; mode=display'>b</script>", "$a$, $$b$$"),
        ("<p><script type='math/tex'>\\(a\\)</script> <script type='math/tex'>$b$</script>", "\\(a\\) $b$"),
    ],
)
def test_what_layout_says_is_said_by_markers(page: str, text: str) -> None:
    assert text_of(page) == text


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("漢字\n漢字", "漢字漢字"),
        ("漢 字", "漢 字"),
        ("かな、\n  カナ。<b>\n漢</b>", "かな、カナ。漢"),
        ("ｱ\nＡ", "ｱＡ"),
        ("한국\n어", "한국 어"),
        ("漢\na\n漢", "漢 a 漢"),
        ("α\nβ", "α β"),
        ("𠀀\n漢", "𠀀漢"),
        ("漢<br>字", "漢\n字"),
        ("使い方: <code>foo</code> と <code>bar</code>。", "使い方: foo と bar。"),
    ],
)
def test_a_line_end_between_wide_characters_is_nothing(page: str, text: str) -> None:
    assert text_of(page) == text


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<a href=http://x.org/>a</a>, b", "a (http://x.org/), b"),
        ("<a href='#top'>a</a> <a href=javascript:x()>b</a> <a href=''>c</a> <a>d</a>", "a b c d"),
        ("<a href='http://x.org/'>http://x.org/</a>", "http://x.org/"),
        ("<a href=' /a b\n'>c<p>d</p></a>", "c (/a%20b)\n\nd"),
        ("<a href=x><b>a</b></a><a href=y>b</a>", "a (x)b (y)"),
    ],
)
def test_links_have_their_addresses_where_asked_for(page: str, text: str) -> None:
    assert text_of(page, links=True) == text
    assert "(" not in text_of(page)


@pytest.mark.parametrize(
    "paragraph",
    [
        "Ünïcödé: ein Satz, “zitiert” – und noch einer …",
        "Смотритель гавани зажёг фонарь.",
        "كان الحارس يشعل المصباح كل مساء.",
        "बंदरगाह का रखवाला हर शाम दीया जलाता था।",
        "ผู้ดูแลท่าเรือจุดตะเกียงทุกเย็น",
        "港口看守人每天晚上点灯。",
        "港の番人は毎晩、灯をともした。",
        "항구 지기는 매일 저녁 등불을 켰다.",
        "👩‍👩‍👧 zwj, e\u0301, \u200f\u202eשלום\u202c",
    ],
)
@pytest.mark.parametrize("markdown", [False, True])
def test_text_of_any_script_is_as_it_is(paragraph: str, markdown: bool) -> None:
    half = len(paragraph) // 2
    page = f"<p>{paragraph}</p><ul><li>{paragraph[:half]}<span>{paragraph[half:]}</span></ul>"
    assert text_of(page, markdown=markdown) == f"{paragraph}\n\n- {paragraph}"


@pytest.mark.parametrize(
    ("page", "markdown"),
    [
        ("<h1>a<br>b</h1><h2># c #</h2><h6>d</h6>", "# a b\n\n## \\# c \\#\n\n###### d"),
        ("<div>a</div><div>b<br>c<br><br>d</div>", "a\n\nb\\\nc\n\nd"),
        ("<ul><li>a<ul><li>b<ol><li>c</ol></ul><li>d</ul>e", "- a\n  - b\n\n    1. c\n- d\n\ne"),
        ("<ul><li>a<ul><li>b</ul>c</ul>", "- a\n  - b\n\n  c"),
        ("<ul><li><ul><li>a</ul>b</ul>", "- - a\n\n  b"),
        ("<ol start=9><li><p>a<p>b<li>c</ol>", "9. a\n\n   b\n\n10. c"),
        ("<ol type=i start=-1><li>a</ol>", "0. a"),
        ("<blockquote>a<p>b<blockquote>c</blockquote></blockquote>d", "> a\n>\n> b\n>\n> > c\n\nd"),
        ("<ul><li><blockquote>a<p>b</blockquote></ul>", "- > a\n  >\n  > b"),
        ("<b>a</b> <i>b</i> <em>c</em>d <b><i>e</i></b>", "**a** *b* *c*d **e**"),
        ("a<b>“b”</b>c a<b> b </b>c <b>note:</b> c", "a“b”c a **b** c **note:** c"),
        ("これは<b>「強調」</b>です。<b>強調</b>です", "これは「強調」です。**強調**です"),
        ("<b>a<p>b</p></b>", "**a**\n\n**b**"),
        ("<code>a*b</code> <code>`</code> <code>a``b</code> <code>a</code><code>b</code>", "`a*b` `` ` `` ```a``b``` `ab`"),
        ("<pre class='x language-py'>a\n\n`b`</pre>", "```py\na\n\n`b`\n```"),
        ("<div class='highlight-python3 notranslate'><div class=highlight><pre>a</pre></div></div>", "```python3\na\n```"),
        ("<div class=highlight-default><pre>```</pre></div>", "````\n```\n````"),
        ("<ul><li>a<pre>b\n\nc</pre></ul>", "- a\n\n  ```\n  b\n\n  c\n  ```"),
        ("<blockquote><pre>a\n\nb</pre></blockquote>", "> ```\n> a\n>\n> b\n> ```"),
        ("<table><tr><th>a|b<th>c<tr><td><code>x|y</code><td><tr><td><td>z<td>w</table>",
         "| a\\|b | c | |\n| --- | --- | --- |\n| `x\\|y` |\n| | z | w |"),
        ("<table><tr><td><p>a<p>b<td>c<tr><td>d<td>e</table>", "a\n\nb\n\nc\n\nd\n\ne"),
        ("<ul><li><table><tr><td>a<td>b<tr><td>c<td>d</table></ul>", "- | a | b |\n  | --- | --- |\n  | c | d |"),
        ("<a href='a_(b)'>c]</a>!<a href=d>e</a> <a href='#f'>g</a>", "[c\\]](a\\_%28b%29)\\![e](d) g"),
        (TEX.format("") + " and \\", "$x^2$ and \\\\"),
    ],
)  # fmt: skip
def test_markdown(page: str, markdown: str) -> None:
    assert text_of(page, markdown=True, links=True) == markdown


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("*a* _b_ `c` a_b _ \\", "\\*a\\* \\_b\\_ \\`c\\` a_b \\_ \\\\"),
        ("[a](b) [a] [a]: b [a][b]", "[a\\](b) [a] [a\\]: b [a\\][b\\]"),
        ("a < b <b> </b> <!x <?y", "a < b \\<b> \\</b> \\<!x \\<?y"),
        ("AT&T & &amp; &#1; &x", "AT&T & \\&amp; \\&#1; \\&x"),
        ("# a", "\\# a"), ("#a", "#a"), ("- a", "\\- a"), ("-5", "-5"), ("---", "\\---"), ("+ a", "\\+ a"), ("> a", "\\> a"),
        ("1. a", "1\\. a"), ("12) a", "12\\) a"), ("1.5 a", "1.5 a"), ("1234567890. a", "1234567890. a"), ("===", "\\==="),
        ("~~~", "\\~\\~\\~"), ("| a", "\\| a"), ("a | b", "a | b"),
    ],
)  # fmt: skip
def test_what_markdown_would_misread_has_a_backslash(text: str, markdown: str) -> None:
    page = "<p>" + text.replace("&", "&amp;").replace("<", "&lt;")
    assert text_of(page, markdown=True) == markdown
    assert text_of(page) == text


def test_blocks_that_are_not_kept_are_left_out() -> None:
    page = "<ul><li>a<li>b<li>c</ul><p>d</p><table><tr><td>e<td>f<td>g</table>"
    assert text_of(page, keep=[True, False, True, False, True, False, True]) == "- a\n- c\n\ne | | g"
    assert text_of(page, keep=[False] * 7) == ""
    with pytest.raises(ValueError, match="2 decisions for 7 blocks"):
        text_of(page, keep=[True, True])


def test_marked_blocks_stand_between_lines_that_say_why() -> None:
    page = "<nav><p>a<p>b</nav><h1>c</h1>d<footer><ul><li>e<li>f</ul></footer>"
    reasons = ["navigation", "navigation", None, None, "link_list", "footer"]
    assert render_marked(*blocks_of(page), reasons) == (
        '<boilerplate reason="navigation">\na\n\nb\n</boilerplate>\n\nc\n\nd\n\n'
        '<boilerplate reason="link_list">\n- e\n</boilerplate>\n\n<boilerplate reason="footer">\n- f\n</boilerplate>'
    )
    assert render_marked(*blocks_of(page), reasons, markdown=True) == (
        '<boilerplate reason="navigation">\n\na\n\nb\n\n</boilerplate>\n\n# c\n\nd\n\n'
        '<boilerplate reason="link_list">\n\n- e\n\n</boilerplate>\n\n<boilerplate reason="footer">\n\n- f\n\n</boilerplate>'
    )
    assert render_marked(*blocks_of(page), [None] * 6) == text_of(page)


def test_a_mark_inside_a_list_or_a_code_block_leaves_the_rest_readable() -> None:
    page = "<ul><li>a<p>b</p></ul><pre><div>c</div><div>d</div></pre>"
    assert render_marked(*blocks_of(page), [None, "form", None, "form"], markdown=True) == (
        '- a\n\n<boilerplate reason="form">\n\nb\n\n</boilerplate>\n\n```\nc\n```\n\n'
        '<boilerplate reason="form">\n\n```\nd\n```\n\n</boilerplate>'
    )


def test_each_block_has_its_text() -> None:
    page = "<h1>a</h1><ul><li>b<li>c <b>d</b></ul><table><tr><td>e<td>f</table><pre> g\n h\n</pre><q>i</q>"
    assert block_texts(*blocks_of(page)) == ["a", "- b", "- c d", "e", "f", " g\n h", "“i”"]
    assert block_texts(*blocks_of("")) == []


def test_no_list_of_prose_and_no_character_is_lost() -> None:
    text = text_of((PAGES / "html-main-content-losses.html").read_bytes())
    assert text == (
        "Updating\n\n"
        "Here is what you need to do to create a new revision of the package, step by step:\n\n"
        "- Check the bug tracking system to see if someone has provided patches to open bugs.\n"
        "- Check the contents of the changes file, the closures that it lists, and the signature.\n\n"
        "1. Numbered: upload the package to the queue and wait for the confirmation by mail.\n\n"
        "使い方: foo と bar。See alpha – omega and “quoted”."
    )


@pytest.mark.parametrize("markdown", [False, True])
def test_text_is_not_longer_than_the_page_and_its_markers(markdown: bool) -> None:
    page = (PAGES / "html-nested-ul.html").read_bytes()
    assert len(page) == 18_000
    assert len(text_of(page, markdown=markdown)) < 24 * 2000


@pytest.mark.parametrize(
    "hostile",
    ["<ul><li>x", "<blockquote>x", "<ol><li><blockquote>x", "<a href=aaaaaaaaaaaaaaaaaaaa><p>x", "<b><p>x", "<q>x", "<sup>2",
     "<table><tr><td>x", "<table><tr><td>", "<pre>\n", "<ruby>a<rt>b", "<code>`", "<h1>x", "<div><b>*</b>", "<br>x", "<td>x",
     "x<td>", "<p><code><br>x", "_*", "<i>x</i>"],
)  # fmt: skip
@pytest.mark.parametrize("markdown", [False, True])
def test_hostile_pages_give_text_of_a_bounded_length(hostile: str, markdown: bool) -> None:
    for before in ("", "<table><tr><td>" * 30, "<ul><li>" * 60 + "<pre>", f"<a href={'b' * 9000}>"):
        page = before + hostile * 5000
        text = text_of(page, markdown=markdown, links=True)
        assert len(text) <= 120 * hostile.count("x") * 5000 + 16 * len(page)
