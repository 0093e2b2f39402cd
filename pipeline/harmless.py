"""Somebody else's text where it is shown: nothing in it moves a cursor, changes a colour or turns the line around."""

import unicodedata

_ENDS = frozenset("\n\t\u2028\u2029")


def one_line(text: str) -> str:
    """Text as it may stand within a line: what could end the line or move on it stands as an escape."""
    return printable("".join(_escape(character) if character in _ENDS else character for character in text))


def within(text: str, indent: str = "      ") -> str:
    """Somebody else's words after ours: nothing in them moves on the terminal, and no line of them begins where ours do."""
    return printable(text).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").replace("\n", f"\n{indent}")


def printable(text: str) -> str:
    """Text of a corpus as a terminal may show it: control characters but newline and tab stand as escapes."""
    return "".join(
        character
        if character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cf", "Cs")
        else _escape(character)
        for character in text
    )


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
