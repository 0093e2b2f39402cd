"""Text, HTML and mail: one member, one record."""

import json
import time
from importlib.metadata import version
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.formats import read, whole
from pipeline.formats.charset_prescan import declared
from pipeline.formats.html_text import VERSION, all_text
from pipeline.formats.interface import Bomb, Truncated
from pipeline.model import Cut, Document, Extraction, Fault, Pointer, Record, Refusal
from tests.formats import broken
from tests.formats.records_of import options, outcomes, reasons


def document(data: bytes, kind: str, folder: Path, **given: object) -> Document:
    (found,) = outcomes(data, options(kind, **given), folder)
    assert isinstance(found, Document), found
    return found


def test_a_text_keeps_its_markup_and_indentation(tmp_path: Path) -> None:
    found = document(b"\n\n  * indented\n\nTitle\r\n=====\r\n\n\n", "text", tmp_path)
    assert found == Document("  * indented\n\nTitle\n=====", charset="utf-8")


@pytest.mark.parametrize("data", [b"", b"\n" * 1_000_000, b" \t\r\n", "\u3000\u00a0\n".encode(), b"\xef\xbb\xbf"])
def test_a_document_without_text_is_refused_as_empty(tmp_path: Path, data: bytes) -> None:
    assert outcomes(data, options("text"), tmp_path) == [Refusal("empty")]


@pytest.mark.parametrize("data", [b"<html></html>", b"<frameset><frame src=a></frameset>", b"", b"<script>x()</script>",
                                  b'<meta http-equiv=refresh content="0; url=a.html">'])  # fmt: skip
def test_a_page_without_text_is_refused_as_empty_and_has_its_account(tmp_path: Path, data: bytes) -> None:
    for extractor in ("default", "all_text"):
        (found,) = outcomes(data, options("html", extractor=extractor), tmp_path)
        assert isinstance(found, Refusal) and found.reason == "empty"
        account = found.extraction
        assert account is not None
        assert (account.visible_characters, account.kept_characters, account.cuts) == (0, 0, ())


def test_binary_content_is_unreadable_and_keeps_its_bytes(tmp_path: Path) -> None:
    for kind in ("text", "html"):
        (found,) = outcomes(b"\x00\x01" * 100, options(kind), tmp_path)
        assert isinstance(found, Fault)
        assert found.reason == "unreadable:binary"
        assert found.raw == b"\x00\x01" * 100


def test_a_member_above_the_limit_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole, "RECORD_LIMIT", 1000)
    assert reasons(outcomes(b"x" * 1000, options("text"), tmp_path)) == ["ok"]
    assert reasons(outcomes(b"x" * 1001, options("text"), tmp_path)) == ["unreadable:too_large"]


@pytest.mark.parametrize("kind", sorted(broken.COMPRESS))
def test_a_compressed_text_is_read_and_a_cut_one_is_truncated(tmp_path: Path, kind: str) -> None:
    data = broken.COMPRESS[kind](broken.PAGE)
    assert document(data, "text", tmp_path).text == broken.PAGE.decode().strip()
    with pytest.raises(Truncated):
        outcomes(data[:-5], options("text"), tmp_path)


def test_a_page_gives_its_main_content_and_title(tmp_path: Path) -> None:
    nav = "<nav><a href=x>Home</a><a href=y>Contact</a></nav>"
    body = f"{nav}<main><h1>Head</h1><p>The body of the page.</p><p>It goes on.</p></main>"
    page = f"<html><head><title> A\n title </title><style>p {{}}</style></head><body>{body}</body></html>".encode()
    found = document(page, "html", tmp_path)
    assert found.title == "A title"
    assert "The body of the page." in found.text
    assert "It goes on." in found.text
    assert "Contact" not in found.text
    assert "Contact" in document(page, "html", tmp_path, extractor="all_text").text


MENU = "<nav><ul><li><a href=x>Home</a><li><a href=y>Contact</a><li><a href=z>All pages</a></ul></nav>"
PROSE = "".join(
    f"<p>This is paragraph number {number} of a text that somebody wrote for others to read.</p>" for number in range(6)
)


def test_what_a_page_keeps_and_what_is_cut_from_it_are_all_that_is_visible(tmp_path: Path) -> None:
    page = f"<title>T</title><body>{MENU}<main><h1>Head</h1>{PROSE}</main>".encode()
    account = document(page, "html", tmp_path).extraction
    assert account is not None and account.cuts
    assert account.kept_characters + sum(cut.characters for cut in account.cuts) == account.visible_characters
    shown = "".join(f"HomeContactAllpagesHead{PROSE}".replace("<p>", "").replace("</p>", "").split())
    assert account.visible_characters == len(shown)
    assert "navigation" in {cut.reason for cut in account.cuts}
    whole = document(page, "html", tmp_path, extractor="all_text").extraction
    assert whole is not None and (whole.kept_characters, whole.cuts) == (len(shown), ())


def test_a_page_of_which_all_is_cut_has_no_main_content_and_says_why(tmp_path: Path) -> None:
    page = b"<body><p hidden>Only a script shows this.</p>"
    (found,) = outcomes(page, options("html", extractor="all_text"), tmp_path)
    assert isinstance(found, Refusal)
    assert (found.reason, found.detail) == ("no_main_content", "21 visible characters: hidden 21")
    assert found.extraction == Extraction(f"all_text/{VERSION}", 21, 0, (Cut("hidden", 1, 21),))


def test_the_blocks_of_a_page_are_its_visible_text_with_the_reasons_of_its_account(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(f"<body>{MENU}<main><h1>Head</h1>{PROSE}</main>")
    spec = options("html")
    (record,) = read.read_artifact(tmp_path / "page.html", "page.html", members=["**"], exclude=[], spec=spec)
    assert isinstance(record, Record)
    found = read.extract(record, spec)
    assert isinstance(found, Document) and found.extraction is not None
    blocks = read.blocks(record, spec) or []
    assert {None, "navigation"} <= {block.reason for block in blocks}
    assert all(len("".join(block.text.split())) >= block.characters > 0 for block in blocks)
    of_reasons = {cut.reason: (cut.blocks, cut.characters) for cut in found.extraction.cuts}
    for reason, (number, characters) in of_reasons.items():
        mine = [block.characters for block in blocks if block.reason == reason]
        assert (len(mine), sum(mine)) == (number, characters)
    assert set(of_reasons) == {block.reason for block in blocks} - {None}
    assert sum(block.characters for block in blocks) == found.extraction.visible_characters


def test_a_page_whose_boilerplate_is_marked_holds_all_of_it_and_has_the_same_account(tmp_path: Path) -> None:
    page = f"<body>{MENU}<main><h1>Head</h1>{PROSE}</main>".encode()
    cut, marked = (document(page, "html", tmp_path, boilerplate=way) for way in ("cut", "mark"))
    assert marked.extraction == cut.extraction
    before, _, after = marked.text.partition('<boilerplate reason="navigation">\n')
    assert (before, "Contact" in after.partition("\n</boilerplate>")[0]) == ("", True)
    only_menu = document(f"<body>{MENU}".encode(), "html", tmp_path, boilerplate="mark")
    assert "All pages" in only_menu.text


def test_formats_that_read_no_pages_have_no_account_and_no_blocks(tmp_path: Path) -> None:
    assert document(b"some text", "text", tmp_path).extraction is None
    assert document(b"Subject: x\nContent-Type: text/html\n\n<p>One</p>", "mail", tmp_path).extraction is None
    record = Record(Pointer(None, 0, 9, 0), b"some text")
    assert {kind: read.blocks(record, options(kind)) for kind in ("text", "mail", "jsonl")} == dict.fromkeys(
        ("text", "mail", "jsonl")
    )


@pytest.mark.parametrize("extractor", ["trafilatura", "resiliparse"])
def test_extractors_of_others_say_their_version_and_how_much_they_keep(tmp_path: Path, extractor: str) -> None:
    page = f"<body>{MENU}<main><h1>Head</h1>{PROSE}</main>".encode()
    found = document(page, "html", tmp_path, extractor=extractor)
    assert "paragraph number 3" in found.text
    account = found.extraction
    assert account is not None and account.extractor == f"{extractor}/{version(extractor)}"
    assert (account.kept_characters, account.cuts) == (len("".join(found.text.split())), ())
    assert account.visible_characters > 0


@pytest.mark.parametrize("character", ["’", "–", "→", "。", "、", "と", "は", "を", "…", "和"])
def test_a_text_node_of_one_character_is_kept_in_pages_mails_and_json(tmp_path: Path, character: str) -> None:
    markup = f"<p>使用<b>file</b>{character}<b>dir</b></p>"
    wanted = f"使用file{character}dir"
    assert document(markup.encode(), "html", tmp_path, extractor="all_text").text == wanted
    mail = f"Content-Type: text/html; charset=utf-8\n\n{markup}".encode()
    assert document(mail, "mail", tmp_path).text == wanted
    assert document(json.dumps({"a": markup}).encode(), "json", tmp_path).text == wanted


def test_at_most_one_blank_line_stands_between_paragraphs() -> None:
    text, title = all_text("<p>a</p><br><br><br><br><p>b</p>")
    assert "\n\n\n" not in text
    assert title is None


@pytest.mark.parametrize(
    ("head", "charset"),
    [
        ('<meta charset="windows-1251">', "cp1251"),
        ("<META HTTP-EQUIV=Content-Type CONTENT='text/html; charset=windows-1251'>", "cp1251"),
        ("<meta content='text/html; charset=KOI8-R' http-equiv=x>", "koi8-r"),
        ("<meta charset=utf-8>", "cp1251"),  # a lie
        ("", "cp1251"),  # nothing said
    ],
)
def test_a_page_is_decoded_as_it_declares_or_as_it_is(tmp_path: Path, head: str, charset: str) -> None:
    text = "Съешь же ещё этих мягких французских булок, да выпей чаю"
    found = document(broken.html(text, head=head).encode(charset), "html", tmp_path, extractor="all_text")
    assert found.text == text
    assert found.charset == charset


def test_a_declaration_that_can_be_read_as_ascii_is_not_utf_16() -> None:
    assert declared(b"<meta charset=UTF-16LE>") == "utf-8"
    assert declared(b"<?xml version='1.0' encoding='ISO-8859-2'?><html>") == "iso-8859-2"
    assert declared(b"<p>no charset=utf-8 here") is None


@pytest.mark.parametrize(
    "tag", ["div", "b", "table", "a href=x", "p", "ul><li", "svg><g", "select><option", "!--", "font"]
)
def test_a_hostile_page_takes_bounded_time(tmp_path: Path, tag: str) -> None:
    started = time.monotonic()
    outcomes(f"<{tag}>".encode() * 50_000 + b"text", options("html"), tmp_path)
    assert time.monotonic() - started < 10


MAIL = (
    b"From: a@example.com\r\nTo: b@example.com\r\nSubject: =?iso-8859-1?Q?Gr=FC=DFe?= =?utf-8?B?IGF1cyDOsQ==?=\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=XX\r\n\r\npreamble\r\n--XX\r\n"
    b"Content-Type: multipart/alternative; boundary=YY\r\n\r\n--YY\r\nContent-Type: text/html\r\n\r\n<p>as html</p>\r\n"
    b"--YY\r\nContent-Type: text/plain; charset=koi8-r\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    b"=F0=D2=C9=D7=C5=D4\r\n--YY--\r\n--XX\r\nContent-Type: text/plain\r\nContent-Disposition: attachment\r\n\r\n"
    b"attached\r\n--XX--\r\n"
)


def test_a_mail_gives_subject_and_plain_body_and_no_address(tmp_path: Path) -> None:
    found = document(MAIL, "mail", tmp_path)
    assert found == Document("Grüße aus α\n\nПривет", title="Grüße aus α", charset="koi8-r")
    assert document(MAIL, "mail", tmp_path, subject=False).text == "Привет"


def test_a_mail_of_html_alone_gives_its_text(tmp_path: Path) -> None:
    data = b"Subject: x\nContent-Type: text/html; charset=utf-8\n\n<p>One &amp; two</p>"
    assert document(data, "mail", tmp_path).text == "x\n\nOne & two"


def test_package_metadata_gives_its_description(tmp_path: Path) -> None:
    data = "Metadata-Version: 2.1\nName: x\nAuthor-email: someone@example.org\n\nA description – long.\n".encode()
    assert document(data, "mail", tmp_path) == Document("A description – long.", charset="utf-8")


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        (b"plain", "plain"), ("räw ütf-8".encode(), "räw ütf-8"), ("déjà vu señor".encode("latin-1"), "déjà vu señor"),
        (b"=?utf-8?B?!!!?=", None), (b"=?no-such?Q?abc?=", "abc"), (b"=?utf-8?Q?=FF?=", None),
        (b"folded\r\n  line", "folded line"),
        (b"C:\\users \\u12 =?utf-8?Q?x?=", None), (b"=?utf-8?Q?a?= =?utf-8?Q?b?=", "ab"), (b"", None),
    ],
)  # fmt: skip
def test_a_subject_however_broken_does_not_lose_the_mail(tmp_path: Path, subject: bytes, text: str | None) -> None:
    found = document(b"Subject: " + subject + b"\r\n\r\nThe body.\r\n", "mail", tmp_path)
    assert found.text.endswith("The body.")
    if text is not None:
        assert found.title == text


def test_a_mail_without_a_text_part_is_refused(tmp_path: Path) -> None:
    data = b"Subject: x\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo=\n"
    assert reasons(outcomes(data, options("mail"), tmp_path)) == ["no_text"]


def test_mime_nested_too_deep_is_a_ledger_row(tmp_path: Path) -> None:
    parts = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(3000))
    (found,) = outcomes(b"Subject: x\n" + parts + b"\nbody", options("mail"), tmp_path)
    assert not isinstance(found, Document)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(["text", "html", "mail"]),
       head=st.sampled_from([b"", b"Subject: =?utf-8?q?", b"<html><body><p>", MAIL[:300], MAIL]),
       tail=st.binary(max_size=400))  # fmt: skip
def test_any_bytes_give_one_record_and_no_exception(tmp_path: Path, kind: str, head: bytes, tail: bytes) -> None:
    try:
        assert len(outcomes(head + tail, options(kind), tmp_path)) == 1
    except (Truncated, Bomb):
        assert (head + tail)[:1] in (b"\x1f", b"B", b"\xfd", b"\x28", b"P", b"!")


def test_a_page_of_more_tags_than_may_be_read_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.formats.html_text.TAG_LIMIT", 4)
    page = b"<p>one</p><p>two</p>"
    assert document(page, "html", tmp_path, extractor="all_text").text == "one\n\ntwo"
    assert reasons(outcomes(page + b"<p>three", options("html"), tmp_path)) == ["unreadable:too_large"]
