"""MediaWiki dumps: pages, their places, and the text that a reader sees."""

import bz2
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.formats import wikitext
from pipeline.formats.interface import Bomb, Truncated
from pipeline.formats.read import read_artifact
from pipeline.formats.wikimarkup import to_text
from pipeline.model import Document, Fault
from tests.formats.broken import wiki_dump, wiki_page
from tests.formats.records_of import options, outcomes, reasons

SPEC = options("wikitext")
PAGES = [wiki_page(f"Seite {n}", f"Text der Seite {n}.") for n in range(3)]


def test_a_page_gives_text_title_and_url(tmp_path: Path) -> None:
    (found,) = outcomes(wiki_dump(wiki_page("Ein/Übel (Begriff)?", "'''Ein''' [[Wort|Übel]].")), SPEC, tmp_path)
    assert found == Document(
        "Ein Übel.", "https://de.example.org/wiki/Ein/%C3%9Cbel_(Begriff)%3F", "Ein/Übel (Begriff)?", "utf-8"
    )


@pytest.mark.parametrize(
    ("title", "path"),
    [
        ("C++", "C%2B%2B"), ("AC/DC", "AC/DC"), ("Help:Index", "Help:Index"), ("Was ist das?", "Was_ist_das%3F"),
        ("50%", "50%25"),
        ("M*A*S*H", "M*A*S*H"), ("Foo & Bar", "Foo_%26_Bar"), ("a'b\"c", "a%27b%22c"), ("~x@y!$,;(z)", "~x@y!$,;(z)"),
        ("日本", "%E6%97%A5%E6%9C%AC"),
    ],
)  # fmt: skip
def test_a_title_is_encoded_as_mediawiki_does(title: str, path: str) -> None:
    assert wikitext.url("https://en.wikipedia.org/wiki/Main_Page", title) == f"https://en.wikipedia.org/wiki/{path}"


def test_a_url_needs_a_base_that_is_one() -> None:
    assert wikitext.url(None, "x") is None
    assert wikitext.url("javascript:alert(1)", "x") is None
    assert wikitext.url("https://example.org/w/Main", "x") == "https://example.org/w/x"


def test_pages_that_are_no_articles_are_refused_with_their_reason(tmp_path: Path) -> None:
    pages = [
        wiki_page("Diskussion:X", "Text.", namespace=1), wiki_page("Y", "#WEITERLEITUNG [[X]]", more='<redirect title="X" />'),
        wiki_page("Z.css", "a {}", model="css"), wiki_page("Leer", "{{Nur eine Vorlage}}"), PAGES[0],
    ]  # fmt: skip
    data = wiki_dump(*pages)
    assert reasons(outcomes(data, SPEC, tmp_path)) == ["namespace", "redirect", "not_wikitext", "empty", "ok"]
    both = options("wikitext", namespaces=(0, 1))
    assert reasons(outcomes(data, both, tmp_path)) == ["ok", "redirect", "not_wikitext", "empty", "ok"]


@pytest.mark.parametrize("compress", [bytes, bz2.compress])
def test_places_are_exact_and_each_page_is_one_record(tmp_path: Path, compress) -> None:
    path = tmp_path / "dump"
    data = wiki_dump(*PAGES)
    path.write_bytes(compress(data))
    found = list(read_artifact(path, "dump", members=["**"], exclude=[], spec=SPEC))
    assert [record.raw for record in found] == [page.encode() for page in PAGES]
    for record in found:
        place = record.pointer
        assert place.offset is not None
        assert place.length is not None
        assert data[place.offset : place.offset + place.length] == record.raw


def test_the_text_is_that_of_the_last_revision(tmp_path: Path) -> None:
    page = "<page><title>T</title><ns>0</ns><revision><text>old</text></revision><revision><text>new</text></revision></page>"
    (found,) = outcomes(wiki_dump(page), SPEC, tmp_path)
    assert isinstance(found, Document)
    assert found.text == "new"


@pytest.mark.parametrize("cut", [5, 15, 40, 200])
@pytest.mark.parametrize("compress", [bytes, bz2.compress])
def test_a_truncated_dump_raises_truncated(tmp_path: Path, compress, cut: int) -> None:
    data = compress(wiki_dump(*PAGES))
    with pytest.raises(Truncated):
        outcomes(data[:-cut], SPEC, tmp_path)


def test_a_file_that_is_no_dump_is_one_fault_and_a_dump_without_pages_is_nothing(tmp_path: Path) -> None:
    assert reasons(outcomes(b"no dump\n" * 300_000, SPEC, tmp_path)) == ["unreadable:no_pages"]
    assert outcomes(wiki_dump(), SPEC, tmp_path) == []


def test_a_page_above_the_limit_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wikitext, "RECORD_LIMIT", 500_000)
    large = wiki_page("Gross", "x " * 600_000)
    found = outcomes(wiki_dump(PAGES[0], large, PAGES[1]), SPEC, tmp_path)
    assert reasons(found) == ["ok", "unreadable:too_large", "ok"]
    assert isinstance(found[1], Fault)
    assert found[1].pointer.length == len(large)


@pytest.mark.parametrize(
    "page",
    ["<page><title>x</page>", "<page>\xff</page>", "<page><!DOCTYPE x [<!ENTITY a 'b'>]><title>&a;</title></page>",
     "<page><title>&undefined;</title></page>", "<page><title>\x01</title></page>"],
)  # fmt: skip
def test_a_page_that_is_no_xml_is_unreadable_and_the_next_is_read(tmp_path: Path, page: str) -> None:
    data = wiki_dump("@@", PAGES[0]).replace(b"@@", page.encode("latin-1"))
    assert reasons(outcomes(data, SPEC, tmp_path)) == ["unreadable:xml", "ok"]


MARKUP = {
    "bold and italics": ("'''Bold''', ''italic'', '''''both''''', it's", "Bold, italic, both, it's"),
    "links": ("A [[target]], [[target|label]], [[Help:X (y)|]] and [[foo]]s.", "A target, label, X and foos."),
    "external links": ("See [https://example.org/a?b=c the site] and [https://example.org].", "See the site and."),
    "files": (
        "Before [[File:A.jpg|thumb|A [[link]] and {{t}} in it]] after [[:File:B.jpg]].",
        "Before after File:B.jpg.",
    ),
    "a local file namespace": ("Vor [[Datei:A.jpg|mini|Text]] nach.", "Vor nach."),
    "categories": ("Text.\n[[Category:A]]\n[[kategorie:B|x]]\n[[:Category:C]]", "Text.\n\nCategory:C"),
    "interlanguage links": ("Text.\n[[fr:Texte]]\n[[zh-min-nan:X]]\nUTC: [[UTC]]", "Text.\n\nUTC: UTC"),
    "templates": ("A{{t|a={{u|[[x]]}}|{{{v|}}}}} b.", "A b."),
    "templates of words": ("{{lang|fr|mot}} {{nowrap|5 km}} {{convert|3|mi|km}}{{spaced ndash}}x", "mot 5 km 3 mi – x"),
    "tables": ("One.\n{| class=x\n|-\n| a || b\n{|\n| inner\n|}\n|}\nTwo.", "One.\n\nTwo."),
    "an unclosed table": ("One.\n{| class=x\n|-\n| a || b\n! c\nTwo.", "One.\nclass=x\nTwo."),
    "references": ('A<ref>[http://x y]</ref> b<ref name="z" /> c<ref name=q>{{cite|a}}</ref>.', "A b c."),
    "comments": ("A<!-- no -->B<!-- to the end", "AB"),
    "magic words": ("__NOTOC__\nText __TOC__.", "Text."),
    "empty brackets": ("Name ({{IPA|x}}; {{lang-el|}}, born {{y}}) and ({{a}}).", "Name (born) and."),
    "empty sections": (
        "Text.\n== A ==\n=== B ===\n{{x}}\n== C ==\nMore.\n== D ==\n* [[Category:x]]\n",
        "Text.\n\nC\n\nMore.",
    ),
    "lists": ("* one\n** two\n# three\n: indented\n; term", "- one\n- two\n- three\nindented\nterm"),
    "nowiki": ("<nowiki>[[not]] {{a}} ''link''</nowiki> x", "[[not]] {{a}} ''link'' x"),
    "math": (r"Where <math>\frac{{a}}{b}</math> is.", r"Where \frac{{a}}{b} is."),
    "tags": ("a<br>b <span style='x'>c</span> <sup>2</sup>", "a\nb c 2"),
    "entities": ("a &amp; b&nbsp;c &lt;d&gt; &ndash;", "a & b c <d> –"),
    "galleries": ("A.\n<gallery>\nFile:x.jpg|y\n</gallery>\nB.", "A.\n\nB."),
    "rules": ("A\n----\nB", "A\nB"),
    "control characters": ("a\x02" + "0\x03b", "a0b"),
}


@pytest.mark.parametrize("name", MARKUP)
def test_markup_becomes_the_text_that_a_reader_sees(name: str) -> None:
    source, text = MARKUP[name]
    assert to_text(source, ["datei", "kategorie"]) == text


HOSTILE = {
    "templates": "{{" * 100_000, "nested": "{{a|" * 100_000, "kept": "{{nowrap|" * 50_000 + "x" * 50_000 + "}}" * 50_000,
    "links": "[[" * 100_000, "tables": "{|\n|-\n" * 50_000, "closers": "|}\n" * 50_000, "tags": "<b>" * 100_000,
    "refs": "<ref>" * 100_000, "open ref": "<ref " * 100_000, "external": "[http://a " * 50_000,
    "url": "[http://" + "a" * 200_000,
    "url spaces": "[http://a" + " " * 200_000, "quotes": "''a'''b" * 50_000, "headings": "==a\n" * 50_000,
    "equals": "=" * 1000 + " " * 100_000 + "=", "brackets": "(" * 200_000, "bracket spaces": "( " * 100_000,
    "commas": " ," * 100_000,
    "spaces": " " * 500_000 + "x", "tabs": ("\t" * 1000 + "x") * 300, "br": "<br" + " " * 200_000, "comments": "<!--" * 100_000,
    "pipes": "[[" + "|" * 100_000 + "]]", "pipe trick": "[[a" + " " * 100_000 + "|]]", "entities": "&lt" * 100_000,
    "parameters": "{{{a|" * 50_000, "nowiki": "<nowiki>" * 50_000 + "</nowiki>" * 50_000,
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_markup_takes_bounded_time(name: str) -> None:
    started = time.monotonic()
    to_text(HOSTILE[name])
    assert time.monotonic() - started < 6


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(["{{", "}}", "[[", "]]", "{|", "|}", "\n", "|", "=", "==", "'''", "<ref>", "</ref>", "<ref/>",
                                 "<nowiki>", "</nowiki>", "<!--", "-->", "File:", "a", "é ", "(", ")", "*", "[http://x ",
                                 "]", "&lt;", "\x02", "0\x03"])))  # fmt: skip
def test_any_markup_gives_text_without_marks_of_ours(pieces: list[str]) -> None:
    text = to_text("".join(pieces))
    assert "\x02" not in text
    assert "\x03" not in text
    assert "\n\n\n" not in text


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.one_of(
            st.sampled_from([*PAGES, "<page>", "</page>", "<mediawiki>", "</mediawiki>", "<pag", "e>"]),
            st.text(max_size=20),
        ),
        max_size=8,
    )
)
def test_every_page_of_any_bytes_is_accounted_for(tmp_path: Path, pieces: list[str]) -> None:
    data = "".join(pieces).encode("utf-8", "surrogatepass")
    try:
        found = outcomes(data, SPEC, tmp_path)
    except (Truncated, Bomb):
        return
    wanted, at = 0, 0
    while (at := data.find(b"<page>", at)) >= 0:
        at = data.index(b"</page>", at)
        wanted += 1
    assert len(found) == (wanted or (0 if b"<mediawiki" in data else 1))
