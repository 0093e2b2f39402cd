"""Bytes to text: the right charset, or none; never a replaced character."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.formats.charset import Undecodable, decode

SAMPLES = {
    "cp1252": "He said “hello” — it’s the naïve approach… déjà vu, señor, Über die Brücke",
    "iso8859-1": "Café crème et façade naïve : déjà vu, señor, über die Brücke gehen wir morgen",
    "cp1251": "Съешь же ещё этих мягких французских булок, да выпей чаю. Привет, мир",
    "koi8-r": "Съешь же ещё этих мягких французских булок, да выпей чаю",
    "cp932": "これは日本語の文章です。漢字とひらがなとカタカナで書かれます。",
    "euc_jp": "これは日本語の文章です。漢字とひらがなとカタカナで書かれます。",
    "iso2022_jp": "これは日本語の文章です。",
    "gb18030": "这是中文文本。我们使用简体字书写。",
    "cp950": "這是中文文本。我們使用繁體字書寫。",
    "cp949": "이것은 한국어 텍스트입니다. 안녕하세요",
    "iso8859-2": "Příliš žluťoučký kůň úpěl ďábelské ódy",
    "cp1250": "Příliš žluťoučký kůň úpěl ďábelské ódy. Zażółć gęślą jaźń",
    "iso8859-7": "Αυτό είναι ένα ελληνικό κείμενο",
    "cp1254": "Türkçe bir metin: şğıİöüç ve başka şeyler de var",
    "cp1255": "זהו טקסט בעברית",
    "cp1256": "هذا نص عربي طويل بعض الشيء",
    "cp874": "นี่คือข้อความภาษาไทย",
}


@pytest.mark.parametrize("charset", SAMPLES)
@pytest.mark.parametrize("declared", [None, "utf-8", "no-such-charset", "rot13", "unicode_escape"])
def test_a_legacy_charset_is_detected_whatever_was_declared(charset: str, declared: str | None) -> None:
    text = SAMPLES[charset] * 3
    found = decode(text.encode(charset), declared)
    assert not isinstance(found, Undecodable)
    assert found[0] == text


@pytest.mark.parametrize("charset", SAMPLES)
def test_a_declared_charset_is_used_even_where_detection_has_too_little_to_go_by(charset: str) -> None:
    found = decode(SAMPLES[charset][:12].encode(charset), charset)
    assert not isinstance(found, Undecodable)
    assert found[0] == SAMPLES[charset][:12]


@pytest.mark.parametrize(
    ("name", "text", "charset"),
    [
        ("latin1", "“smart”", "cp1252"), ("Shift_JIS", "①②～", "cp932"), ("GB2312", "镕", "gb18030"),
        ("ks_c_5601-1987", "똠", "cp949"), ("cp437", "╔é", "cp437"),
        (" 'UTF-16' ", "ab", "utf-16-le"), ("x-sjis", "髙", "cp932"),
    ],
)  # fmt: skip
def test_a_declared_name_means_what_the_web_means_by_it(name: str, text: str, charset: str) -> None:
    assert decode(text.encode(charset), name) == (text, charset)


@pytest.mark.parametrize("charset", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_decides_and_goes(charset: str) -> None:
    for declared in (None, "cp1252", "utf-8"):
        found = decode("Ωmega".encode(charset), declared)
        assert not isinstance(found, Undecodable)
        assert found[0] == "Ωmega"


def test_bytes_that_are_utf_8_are_utf_8_though_a_one_byte_charset_is_declared() -> None:
    for declared in ("latin-1", "iso-8859-15", "windows-1251", "us-ascii"):
        assert decode("Ünïcödé – naïve".encode(), declared) == ("Ünïcödé – naïve", "utf-8")


def test_the_declarations_are_tried_in_turn() -> None:
    raw = "Привет, мир".encode("koi8-r")
    assert decode(raw, "utf-8", "koi8-r") == ("Привет, мир", "koi8-r")
    assert decode(raw, None, "ascii", "koi8-r") == ("Привет, мир", "koi8-r")


def test_line_ends_become_newlines() -> None:
    assert decode(b"a\r\nb\rc\nd\r\r\n") == ("a\nb\nc\nd\n\n", "utf-8")


@pytest.mark.parametrize(
    "raw",
    [b"text with a \x00 in it", bytes(range(256)) * 8, b"\x7fELF\x02\x01\x01" + bytes(50), b"\x01\x02\x03\x04 four of eight",
     "spaced".encode("utf-16-le"), b"\x89PNG\r\n\x1a\n" + bytes(range(256))],
)  # fmt: skip
def test_what_is_no_text_is_unreadable(raw: bytes) -> None:
    found = decode(raw, "utf-8")
    assert isinstance(found, Undecodable)
    assert found.reason in ("unreadable:binary", "unreadable:charset")
    assert found.detail


def test_bytes_that_no_charset_decodes_are_unreadable_and_the_detail_says_what_was_tried() -> None:
    found = decode(b"\x81\x8d\x8f\x90\x9d\xff\xfe" * 40, "utf-8")
    assert isinstance(found, Undecodable)
    assert "declared utf-8, detected" in found.detail or "control characters" in found.detail


def test_a_few_control_characters_do_not_make_a_text_binary() -> None:
    page = "A page.\n" * 30 + "\x0c" + "\x1b[1mbold\x1b[0m\x08"
    assert decode(page.encode()) == (page, "utf-8")


@given(
    st.binary(max_size=300),
    st.sampled_from([None, "utf-8", "latin-1", "shift_jis", "utf-16", "x\x00y", "iso8859-1", "utf-7", "\udc80"]),
)
def test_any_bytes_are_a_text_without_loss_or_undecodable(raw: bytes, declared: str | None) -> None:
    found = decode(raw, declared)
    if isinstance(found, Undecodable):
        return
    text, charset = found
    text.encode()
    assert "\r" not in text
    assert "\x00" not in text
    plain = raw.decode(charset).replace("\r\n", "\n").replace("\r", "\n")
    assert plain.removeprefix("\ufeff") == text or plain.removeprefix("\ufeff").removeprefix("\ufeff") == text


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=200))
def test_every_utf_8_text_comes_out_as_it_is(text: str) -> None:
    assert decode(text.encode(), "utf-8") == (text.removeprefix("\ufeff"), "utf-8")
