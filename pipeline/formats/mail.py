"""RFC 822 messages, one a member: the subject and the plain-text body; no other header becomes text.

Package metadata (METADATA, PKG-INFO) is written in the same way: its body is the package's description.
"""

import email
import email.header
import email.message
import email.policy
import re
from collections.abc import Iterator

from pipeline.formats import whole
from pipeline.formats.charset import Undecodable, decode
from pipeline.formats.html_text import all_text
from pipeline.formats.interface import Format, Options
from pipeline.model import Document, Fault, Record, Refusal

# The policy that keeps headers as they stand: the newer one parses them on access and raises on some that are broken.
_POLICY = email.policy.compat32
_FOLD = re.compile(r"\r?\n[ \t]")


def extract(record: Record, options: Options) -> Document | Refusal | Fault:
    """Subject (if `options["subject"]`) and body: text/plain before text/html; attachments are left out."""
    try:
        message = email.message_from_bytes(record.raw, policy=_POLICY)
        subject = _header(message, "subject")
        found = _body(message)
    except RecursionError:
        return Fault(record.pointer, "unreadable:too_deep", "MIME parts nested deeper than the parser goes", record.raw)
    except (
        ValueError,
        LookupError,
        AttributeError,
        TypeError,
        AssertionError,
    ) as error:  # bugs of `email` on odd input
        return Fault(record.pointer, "unreadable:mail", f"{type(error).__name__}: {error}"[:200], record.raw)
    if found is None:
        return Refusal("no_text", f"a {message.get_content_type()} message without a text part")
    if isinstance(found, Undecodable):
        return whole.fault(record, found)
    text, charset = found
    if options["subject"] and subject:
        text = f"{subject}\n\n{text}"
    return Document(text, title=subject, charset=charset)


def _body(message: email.message.Message) -> tuple[str, str] | Undecodable | None:
    """Text and charset of the first plain part, else of the first HTML part; None where there is neither."""
    for kind in ("text/plain", "text/html"):
        for part in _leaves(message):
            if part.get_content_type() != kind or part.get_content_disposition() == "attachment":
                continue
            raw = part.get_payload(decode=True)
            if not isinstance(raw, bytes):
                continue
            found = decode(raw, _charset(part))
            if kind == "text/html" and not isinstance(found, Undecodable):
                return all_text(found[0])[0], found[1]
            return found
    return None


def _leaves(message: email.message.Message) -> Iterator[email.message.Message]:
    """The parts that have no parts of their own, in order; not those of a message that is attached."""
    waiting = [message]
    while waiting:
        part = waiting.pop()
        payload = part.get_payload()
        if isinstance(payload, list):
            if part.get_content_maintype() != "message":
                waiting += reversed([child for child in payload if isinstance(child, email.message.Message)])
        else:
            yield part


def _charset(part: email.message.Message) -> str | None:
    name = part.get_param("charset")
    return name if isinstance(name, str) else name[2] if name else None


def _header(message: email.message.Message, name: str) -> str | None:
    """A header's text: unfolded, encoded words (RFC 2047) and raw 8-bit bytes decoded; None where there is none."""
    value = next((value for key, value in message.raw_items() if key.lower() == name), None)
    if value is None:
        return None
    raw = str(value).encode("utf-8", "surrogateescape")
    found = decode(raw)
    text = _FOLD.sub(" ", raw.decode("utf-8", "backslashreplace") if isinstance(found, Undecodable) else found[0])
    try:
        pieces = email.header.decode_header(text)
    except (ValueError, email.errors.MessageError):
        pieces = [(text, None)]
    words = []
    for piece, charset in pieces:
        if isinstance(piece, str):
            words.append(piece)
        elif charset is None:  # what stands between encoded words, in raw-unicode-escape (`email.header.decode_header`)
            words.append(piece.decode("raw-unicode-escape", "backslashreplace"))
        else:
            decoded = decode(piece, charset)
            words.append(
                decoded[0] if not isinstance(decoded, Undecodable) else piece.decode("ascii", "backslashreplace")
            )
    return " ".join("".join(words).split()) or None


FORMAT = Format(whole.records, extract, kernels="html")
