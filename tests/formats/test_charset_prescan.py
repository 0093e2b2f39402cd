"""The charset that a page declares: the prescan of the HTML standard."""

import codecs
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from resiliparse.parse.encoding import map_encoding_to_html5

from pipeline.formats.charset import Undecodable, _charsets, decode
from pipeline.formats.charset_labels import ENCODINGS, encoding
from pipeline.formats.charset_prescan import PRESCAN, declared, prescan

FIXTURES = Path(__file__).parent.parent / "fixtures"
HTML5LIB = FIXTURES / "html5lib-tests" / "encoding"
# The one case that needs a script to be run: `document.write('<meta charset="ISO-8859-' + '2">')`.
NEEDS_SCRIPT = ("scripted/tests1.dat", 0)


def html5lib_cases() -> Iterator[tuple[str, int, bytes, str]]:
    for file in sorted(HTML5LIB.rglob("*.dat")):
        cases = re.split(rb"(?:\A|\n)#data\n", file.read_bytes())[1:]
        for number, case in enumerate(cases):
            data, _, wanted = case.partition(b"\n#encoding\n")
            yield file.relative_to(HTML5LIB).as_posix(), number, data, wanted.split(b"\n")[0].decode().lower()


def test_html5libs_tests_have_eighty_three_cases() -> None:
    assert sum(1 for _ in html5lib_cases()) == 83


@pytest.mark.parametrize(
    ("file", "number", "page", "wanted"), [case for case in html5lib_cases() if case[:2] != NEEDS_SCRIPT]
)
def test_the_encoding_is_that_of_html5libs_tests(file: str, number: int, page: bytes, wanted: str) -> None:
    assert (declared(page) or "windows-1252") == encoding(wanted.encode())


def test_no_script_is_run() -> None:
    case = next(case for case in html5lib_cases() if case[:2] == NEEDS_SCRIPT)
    assert case[3] == "iso-8859-2"
    assert declared(case[2]) is None


@pytest.mark.parametrize(
    ("page", "wanted"),
    [
        (b"<!-- <meta charset=koi8-r> --><meta charset=big5>", "big5"),
        (b"<!--><meta charset=koi8-r>", "koi8-r"),
        (b"<!---><meta charset=koi8-r>", "koi8-r"),
        (b"<!--\n> -- ><meta charset=koi8-r>", None),
        (b"<meta name=description content='charset=koi8-r'>", None),
        (b"<meta http-equiv=refresh content='0; charset=koi8-r'>", None),
        (b"<meta content='text/html; charset=koi8-r'>", None),
        (b"<meta content='text/html; charset=koi8-r' http-equiv=CONTENT-TYPE>", "koi8-r"),
        (b"<meta http-equiv=content-type content='charset charset = \"koi8-r\"'>", "koi8-r"),
        (b"<meta http-equiv=content-type content='charset=\"koi8-r'>", None),
        (b"<meta http-equiv=content-type content='charset=koi8-r;x'>", "koi8-r"),
        (b"<meta content='charset=koi8-r' charset=nonsense http-equiv=content-type><meta charset=big5>", "big5"),
        (b"<meta charset=nonsense content='charset=koi8-r' http-equiv=content-type>", None),
        (b"<meta charset=koi8-r charset=big5>", "koi8-r"),
        (b"<meta/charset=koi8-r>", "koi8-r"),
        (b"<meta charset=koi8-r", None),
        (b"<meta charset='koi8-r>", None),
        (b'<meta a="x><meta charset=koi8-r>', None),
        (b"<meta =charset=koi8-r charset=big5>", "big5"),
        (b"<metadata charset=koi8-r>", None),
        (b"</meta charset=koi8-r>", None),
        (b"<p title='<meta charset=koi8-r>'>", None),
        (b"<p title=x'><meta charset=koi8-r>", "koi8-r"),
        (b"<? <meta charset=koi8-r> ?><meta charset=big5>", "big5"),
        (b"<3<meta charset=koi8-r>", "koi8-r"),
        (b"<a<meta charset=koi8-r>", None),
        (b"<meta charset=' KOI8-R\n'>", "koi8-r"),
        (b"<meta charset=utf-16be>", "utf-8"),
        (b"<meta charset=unicode>", "utf-8"),
        (b"<meta charset=x-user-defined>", "windows-1252"),
        (b"<meta charset=hz-gb-2312>", None),
        (b"<?xml version='1.0' encoding='koi8-r'?>", "koi8-r"),
        (b"<?xml encoding = \"utf-16\"?>", "utf-8"),
        (b"<?xml version='1.0' encoding='koi8-r'?><meta charset=big5>", "big5"),
        (b"\n<?xml version='1.0' encoding='koi8-r'?>", None),
        (b"<?xml version='1.0'><p encoding='koi8-r'>", None),
        (b"<?xml encoding=' koi8-r'?>", None),
        (b"<?xml encoding=koi8-r?>", None),
        ("<?xml version='1.0'?>".encode("utf-16-le"), "utf-16le"),
        ("<?xml version='1.0'?>".encode("utf-16-be"), "utf-16be"),
        (b"", None),
    ],
)  # fmt: skip
def test_what_a_page_declares(page: bytes, wanted: str | None) -> None:
    assert declared(page) == wanted


@pytest.mark.parametrize(
    "late", [b"<meta charset=koi8-r>", b"<META CONTENT='text/html; CHARSET=koi8-r' http-equiv=Content-Type>"]
)
def test_a_declaration_beyond_what_the_standard_prescans_counts_where_nothing_comes_before_it(late: bytes) -> None:
    long = b"<link rel=x href=y>" * 100
    assert prescan((long + late)[:PRESCAN]) is None
    assert declared(long + late) == "koi8-r"
    assert declared(b"<meta charset=big5>" + long + late) == "big5"


@pytest.mark.parametrize("element", ["script", "STYLE", "title", "textarea", "script/x"])
def test_a_late_declaration_inside_an_element_that_holds_text_is_none(element: str) -> None:
    closed = f"</{element.split('/')[0]}>"
    page = f"{' ' * PRESCAN}<{element} a='>'>'<meta charset=koi8-r>' </scripts>{closed}<meta charset=big5>".encode()
    assert declared(page) == "big5"
    assert declared(page.replace(closed.encode(), b"")) is None


def test_a_commented_declaration_does_not_decide() -> None:
    raw = (FIXTURES / "html" / "html-commented-meta.html").read_bytes()
    assert declared(raw) == "windows-1251"
    found = decode(raw, None, declared(raw))
    assert not isinstance(found, Undecodable)
    assert "<p>Смотритель гавани" in found[0]


@pytest.mark.parametrize("charset", ["utf-16", "utf-16-be", "utf-8-sig"])
@pytest.mark.parametrize("said", ["windows-1251", "utf-8", "utf-16"])
def test_a_byte_order_mark_comes_before_any_declaration(charset: str, said: str) -> None:
    page = f"<meta charset={said}><p>Смотритель гавани"
    raw = (codecs.BOM_UTF16_BE if charset == "utf-16-be" else b"") + page.encode(charset)
    found = decode(raw, said, declared(raw))
    assert not isinstance(found, Undecodable)
    assert found[0] == page


def test_utf_16_without_a_mark_is_told_by_an_xml_declaration() -> None:
    page = "<?xml version='1.0'?><p>Смотритель гавани"
    for charset in ("utf-16-le", "utf-16-be"):
        raw = page.encode(charset)
        assert decode(raw, None, declared(raw)) == (page, charset)


def test_the_labels_are_those_of_the_standard() -> None:
    assert len(ENCODINGS) == 228
    assert len(set(ENCODINGS.values())) == 40
    lacking = {label for label in ENCODINGS if map_encoding_to_html5(label, fallback_utf8=False) is None}
    assert {ENCODINGS[label] for label in lacking} == {"replacement", "x-user-defined", "x-mac-cyrillic"}
    for label in ENCODINGS.keys() - lacking - {"ascii", "us-ascii"}:  # which `charset` takes at their word first
        assert _charsets(label) == _charsets(ENCODINGS[label]), label


def test_every_encoding_that_can_be_declared_has_a_codec() -> None:
    for name in set(ENCODINGS.values()) - {"replacement", "x-user-defined"}:
        assert _charsets(name), name


# The standard's algorithm again, byte by byte and step by step.
SPACE = b"\t\n\f\r "


class OutOfBytes(Exception):
    pass


class Literal:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    @property
    def byte(self) -> bytes:
        if self.at >= len(self.data):
            raise OutOfBytes
        return self.data[self.at : self.at + 1]

    def looks_at(self, *alternatives: bytes) -> bool:
        seen = self.data[self.at : self.at + len(alternatives)].lower()
        return len(seen) == len(alternatives) and all(
            byte in some for byte, some in zip(seen, alternatives, strict=True)
        )

    def attribute(self) -> tuple[bytes, bytes] | None:
        while self.byte in SPACE + b"/":
            self.at += 1
        if self.byte == b">":
            return None
        name = value = b""
        while True:
            if self.byte == b"=" and name:
                self.at += 1
                break
            if self.byte in SPACE:
                while self.byte in SPACE:
                    self.at += 1
                if self.byte != b"=":
                    return name, b""
                self.at += 1
                break
            if self.byte in b"/>":
                return name, b""
            name += self.byte.lower()
            self.at += 1
        while self.byte in SPACE:
            self.at += 1
        if (quote := self.byte) in b"\"'":
            while True:
                self.at += 1
                if self.byte == quote:
                    self.at += 1
                    return name, value
                value += self.byte.lower()
        if self.byte == b">":
            return name, b""
        while self.byte not in SPACE + b">":
            value += self.byte.lower()
            self.at += 1
        return name, value

    def meta(self) -> str | None:
        seen: set[bytes] = set()
        got_pragma, need_pragma, charset = False, None, None
        while attribute := self.attribute():
            name, value = attribute
            if name in seen:
                continue
            seen.add(name)
            if name == b"http-equiv":
                got_pragma |= value == b"content-type"
            elif name == b"content":
                if (found := from_content(value)) and charset is None:
                    charset, need_pragma = found, True
            elif name == b"charset":
                charset, need_pragma = encoding(value) or "failure", False
        if need_pragma is None or (need_pragma and not got_pragma) or charset == "failure":
            return None
        return {"utf-16le": "utf-8", "utf-16be": "utf-8", "x-user-defined": "windows-1252"}.get(charset or "", charset)

    def prescan(self) -> str | None:
        letter = b"abcdefghijklmnopqrstuvwxyz"
        try:
            while True:
                _ = self.byte
                if self.data.startswith(b"<!--", self.at):
                    end = self.data.find(b"-->", self.at + 2)
                    if end < 0:
                        raise OutOfBytes
                    self.at = end + 2
                elif self.looks_at(b"<", b"m", b"e", b"t", b"a", SPACE + b"/"):
                    self.at += 5
                    if found := self.meta():
                        return found
                elif self.looks_at(b"<", letter) or self.looks_at(b"<", b"/", letter):
                    while self.byte not in SPACE + b">":
                        self.at += 1
                    while self.attribute():
                        pass
                elif self.looks_at(b"<", b"!/?"):
                    while self.byte != b">":
                        self.at += 1
                self.at += 1
        except OutOfBytes:
            return None


def from_content(text: bytes) -> str | None:
    at = 0
    while (at := text.find(b"charset", at)) >= 0:
        at += 7
        while text[at : at + 1] and text[at : at + 1] in SPACE:
            at += 1
        if text[at : at + 1] == b"=":
            break
    else:
        return None
    rest = text[at + 1 :].lstrip(SPACE)
    if rest[:1] in (b'"', b"'"):
        return encoding(rest[1:].split(rest[:1])[0]) if rest[:1] in rest[1:] else None
    return encoding(re.split(rb"[\t\n\f\r ;]", rest)[0])


PIECES = [
    b"<meta", b"<META ", b"<", b">", b"/", b"=", b'"', b"'", b" ", b"\n", b"<!--", b"-->", b"--", b"-", b"!", b"?",
    b"<p", b"</a", b"charset", b"charset=", b"content=", b"http-equiv=", b"content-type", b"koi8-r", b"big5",
    b"utf-16", b"nonsense", b";", b"x-user-defined", b"'text/html; charset=koi8-r'", b"<meta charset=koi8-r>", b"x",
    b"\x00", b"\xff", b"<?xml ", b"encoding=",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=24).map(b"".join))
def test_the_prescan_is_that_of_the_standard_step_by_step(page: bytes) -> None:
    assert prescan(page) == Literal(page).prescan() or page.startswith(b"<?xml")


@given(st.binary(max_size=2000) | st.lists(st.sampled_from(PIECES), max_size=600).map(b"".join))
def test_no_page_makes_it_raise(page: bytes) -> None:
    found = declared(page)
    assert found is None or found in set(ENCODINGS.values())


@pytest.mark.parametrize(
    "hostile",
    [
        b"<", b"<a", b"<a ", b"<meta ", b"<meta charset", b"<meta charset=", b"<!--", b"<!", b"a=b ",
        b'<a b="', b"<a b='\">", b"=", b"/ ", b"<script>", b"<script></scrip", b"<title><meta charset=koi8-",
        b"charset", b"<meta content='charset ", b"--", b" ", b"<?xml encoding",
    ],
)  # fmt: skip
def test_the_time_is_bounded_for_hostile_pages(hostile: bytes) -> None:
    page = b"<p " + hostile * (1_000_000 // len(hostile)) + b" charset"
    content = b"<meta http-equiv=content-type content='" + hostile.replace(b"'", b"") * (1_000_000 // len(hostile))
    for raw in (page, page[3:], content):
        began = time.process_time()
        declared(raw)
        assert time.process_time() - began < 0.2
