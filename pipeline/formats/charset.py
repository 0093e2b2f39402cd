"""Bytes to text: as their byte order mark says, as declared, as detected; or not at all.

Nothing is ever replaced or left out: where no charset decodes every byte, the record is a ledger row. Rules, in order:
1. A byte order mark decides, if the bytes hold to it; so does the escape sequence of ISO-2022-JP among ASCII.
2. Each declared charset is tried in turn, under its WHATWG name (encoding.spec.whatwg.org, section 4.2: what the web calls
   latin-1 is windows-1252). A one-byte charset decodes almost anything, so its declaration proves little: bytes beyond
   ASCII that are valid UTF-8 are UTF-8 all the same (`_meant_utf8`).
3. UTF-8.
4. What uchardet detects (by resiliparse, from 64 kB of each end). An ISO 8859 part under which C1 control characters come
   out gives way to the Windows code page that has letters there.
Then line ends become newlines and a byte order mark goes. Text with a NUL, or with more than one control character in
CONTROL_SHARE, is `unreadable:binary`.
"""

import codecs
from dataclasses import dataclass

from resiliparse.parse.encoding import detect_encoding, map_encoding_to_html5

CONTROL_SHARE = 20

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16 LE, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# The superset that is meant, as WHATWG has it; Python's own codecs of these names are the narrower standards.
_MEANT = {
    "iso8859-1": ("cp1252",), "iso8859-9": ("cp1254",), "iso8859-11": ("cp874",), "tis-620": ("cp874",),
    "shift_jis": ("cp932",), "euc_kr": ("cp949",), "gbk": ("gb18030",), "gb2312": ("gb18030",),
    "big5": ("cp950", "big5hkscs"), "ascii": ("ascii",), "us-ascii": ("ascii",),
    "x-mac-cyrillic": ("mac-cyrillic",), "x-mac-ukrainian": ("mac-cyrillic",),
}  # fmt: skip
_WINDOWS = {
    "iso8859-1": "cp1252", "iso8859-2": "cp1250", "iso8859-5": "cp1251", "iso8859-6": "cp1256", "iso8859-7": "cp1253",
    "iso8859-8": "cp1255", "iso8859-9": "cp1254", "iso8859-13": "cp1257", "iso8859-15": "cp1252",
}  # fmt: skip
_WESTERN = ("cp1252", "iso8859-15")
_NO_CHARSETS = {"unicode_escape", "raw_unicode_escape", "idna", "punycode", "utf_7", "undefined", "mbcs", "oem"}
# Control characters that text does not have: C0 without tab, newline, form feed, carriage return and escape; DEL; C1.
_C0 = bytes(set(range(32)) - set(b"\t\n\x0b\x0c\r\x1b")) + b"\x7f"
_C1 = {code: None for code in range(0x80, 0xA0) if code != 0x85}


@dataclass(frozen=True, slots=True)
class Undecodable:
    """Why bytes are no text: `unreadable:charset` or `unreadable:binary`, and what was seen."""

    reason: str
    detail: str


def decode(raw: bytes, *declared: str | None) -> tuple[str, str] | Undecodable:
    """The text of `raw` and the charset (Python's name) that it was decoded with. Never raises, never replaces."""
    found = _decode(raw, declared)
    if isinstance(found, Undecodable):
        return found
    text, charset = found
    if control := _control(raw, text, charset):
        return Undecodable("unreadable:binary", control)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.removeprefix("\ufeff"), charset


def _decode(raw: bytes, declared: tuple[str | None, ...]) -> tuple[str, str] | Undecodable:
    for mark, charset in _MARKS:
        if raw.startswith(mark) and (text := _strict(raw[len(mark) :], charset)) is not None:
            return text, charset
    if b"\x1b$" in raw and raw.isascii() and (text := _strict(raw, "iso2022_jp")) is not None:
        return text, "iso2022_jp"
    utf8 = _strict(raw, "utf-8")
    for name in declared:
        for charset in _charsets(name):
            text = _strict(raw, charset)
            if text is None:
                continue
            if utf8 is not None and len(text) == len(raw) and _meant_utf8(charset, len(raw) - len(utf8)):
                return utf8, "utf-8"
            return text, charset
    if utf8 is not None:
        return utf8, "utf-8"
    detected = detect_encoding(raw, html5_compatible=False)
    for charset in _charsets(detected):
        text = _strict(raw, charset)
        if charset in _WINDOWS and (text is None or text.translate(_C1) != text):
            charset = _WINDOWS[charset]
            text = _strict(raw, charset)
        if text is not None:
            return text, charset
    said = ", ".join(name for name in declared if name) or "nothing"
    return Undecodable("unreadable:charset", f"declared {said}, detected {detected or 'nothing'}: neither decodes it")


def _meant_utf8(charset: str, continuation: int) -> bool:
    """Whether bytes declared as a one-byte charset, valid as UTF-8 with so many continuation bytes, are UTF-8.

    In a Western charset one letter is enough: it would read as `Ã` or `Â` and a sign. Elsewhere two letters may fall so.
    """
    return continuation >= (1 if charset in _WESTERN else 4)


def _charsets(name: str | None) -> tuple[str, ...]:
    """The codecs that a declared or detected name stands for; none where it is no charset."""
    if not name:
        return ()
    name = name.strip().strip("\"'").lower()
    if name in _MEANT:
        return _MEANT[name]
    try:
        known = map_encoding_to_html5(name, fallback_utf8=False) if not name.startswith("iso8859-") else name
        codec = codecs.lookup(known or name)
    except (LookupError, ValueError, UnicodeError):
        return ()
    if not codec._is_text_encoding or codec.name.replace("-", "_") in _NO_CHARSETS:
        return ()
    if codec.name in ("utf-16", "utf-32"):  # without a mark Python takes the machine's own byte order
        return (f"{codec.name}-le",)
    return _MEANT.get(codec.name, (codec.name,))


def _strict(raw: bytes, charset: str) -> str | None:
    try:
        return raw.decode(charset)
    except (UnicodeError, ValueError):
        return None


def _control(raw: bytes, text: str, charset: str) -> str:
    """What is wrong with the control characters of a text, or nothing."""
    if "\x00" in text:
        return f"a NUL at character {text.index(chr(0)):,} (as {charset})"
    if charset == "utf-8":
        count = len(raw) - len(raw.translate(None, _C0))
    else:
        encoded = text.encode("utf-8", "surrogatepass")
        count = len(encoded) - len(encoded.translate(None, _C0)) + len(text) - len(text.translate(_C1))
    if count * CONTROL_SHARE > len(text):
        return f"{count:,} of {len(text):,} characters are control characters (as {charset})"
    return ""
