"""Decide whether a page is in quirks mode: section 13.2.6.4.1 of the HTML standard (the "initial" insertion mode)."""

from typing import Any

import numpy as np

from pipeline.kernels import jit_linked
from pipeline.kernels.html.bytes import LOWER, number_of, word_at
from pipeline.kernels.html.state import NONE, Bytes, State

_PUBLIC_IDS = (
    "-//w3o//dtd w3 html strict 3.0//en//",
    "-/w3c/dtd html 4.0 transitional/en",
    "html",
)
_SYSTEM_IDS = ("http://www.ibm.com/data/dtd/v11/ibmxhtml1-transitional.dtd",)
_PUBLIC_PREFIXES = (
    "+//silmaril//dtd html pro v0r11 19970101//",
    "-//as//dtd html 3.0 aswedit + extensions//",
    "-//advasoft ltd//dtd html 3.0 aswedit + extensions//",
    "-//ietf//dtd html 2.0 level 1//",
    "-//ietf//dtd html 2.0 level 2//",
    "-//ietf//dtd html 2.0 strict level 1//",
    "-//ietf//dtd html 2.0 strict level 2//",
    "-//ietf//dtd html 2.0 strict//",
    "-//ietf//dtd html 2.0//",
    "-//ietf//dtd html 2.1e//",
    "-//ietf//dtd html 3.0//",
    "-//ietf//dtd html 3.2 final//",
    "-//ietf//dtd html 3.2//",
    "-//ietf//dtd html 3//",
    "-//ietf//dtd html level 0//",
    "-//ietf//dtd html level 1//",
    "-//ietf//dtd html level 2//",
    "-//ietf//dtd html level 3//",
    "-//ietf//dtd html strict level 0//",
    "-//ietf//dtd html strict level 1//",
    "-//ietf//dtd html strict level 2//",
    "-//ietf//dtd html strict level 3//",
    "-//ietf//dtd html strict//",
    "-//ietf//dtd html//",
    "-//metrius//dtd metrius presentational//",
    "-//microsoft//dtd internet explorer 2.0 html strict//",
    "-//microsoft//dtd internet explorer 2.0 html//",
    "-//microsoft//dtd internet explorer 2.0 tables//",
    "-//microsoft//dtd internet explorer 3.0 html strict//",
    "-//microsoft//dtd internet explorer 3.0 html//",
    "-//microsoft//dtd internet explorer 3.0 tables//",
    "-//netscape comm. corp.//dtd html//",
    "-//netscape comm. corp.//dtd strict html//",
    "-//o'reilly and associates//dtd html 2.0//",
    "-//o'reilly and associates//dtd html extended 1.0//",
    "-//o'reilly and associates//dtd html extended relaxed 1.0//",
    "-//sq//dtd html 2.0 hotmetal + extensions//",
    "-//softquad software//dtd hotmetal pro 6.0::19990601::extensions to html 4.0//",
    "-//softquad//dtd hotmetal pro 4.0::19971010::extensions to html 4.0//",
    "-//spyglass//dtd html 2.0 extended//",
    "-//sun microsystems corp.//dtd hotjava html//",
    "-//sun microsystems corp.//dtd hotjava strict html//",
    "-//w3c//dtd html 3 1995-03-24//",
    "-//w3c//dtd html 3.2 draft//",
    "-//w3c//dtd html 3.2 final//",
    "-//w3c//dtd html 3.2//",
    "-//w3c//dtd html 3.2s draft//",
    "-//w3c//dtd html 4.0 frameset//",
    "-//w3c//dtd html 4.0 transitional//",
    "-//w3c//dtd html experimental 19960712//",
    "-//w3c//dtd html experimental 970421//",
    "-//w3c//dtd w3 html//",
    "-//w3o//dtd w3 html 3.0//",
    "-//webtechs//dtd mozilla html 2.0//",
    "-//webtechs//dtd mozilla html//",
)
# These only where there is no system identifier.
_PUBLIC_PREFIXES_ALONE = ("-//w3c//dtd html 4.01 frameset//", "-//w3c//dtd html 4.01 transitional//")

_LONGEST = 80
_PUBLIC_EQUAL, _PUBLIC_PREFIX, _PUBLIC_ALONE, _SYSTEM_EQUAL = range(4)


def _table(kinds: tuple[tuple[str, ...], ...]) -> tuple[Any, Any, Any]:
    """Return the identifiers as bytes (rows, _LONGEST), their lengths, and their kinds."""
    rows = [(kind, text.encode()) for kind, texts in enumerate(kinds) for text in texts]
    data = np.zeros((len(rows), _LONGEST), np.uint8)
    for row, (_, text) in enumerate(rows):
        data[row, : len(text)] = list(text)
    return data, np.array([len(text) for _, text in rows]), np.array([kind for kind, _ in rows])


_IDS, _LENGTHS, _KINDS = _table((_PUBLIC_IDS, _PUBLIC_PREFIXES, _PUBLIC_PREFIXES_ALONE, _SYSTEM_IDS))
_HTML = number_of(b"html")


@jit_linked.linked
def is_quirks(state: State, source: Bytes) -> Any:
    """Tell whether the doctype that was just read makes the page one in quirks mode."""
    if state.force_quirks or state.doctype_name_length != 4 or word_at(source, state.doctype_name, 4) != _HTML:
        return True
    for row in range(len(_LENGTHS)):
        kind, length = _KINDS[row], _LENGTHS[row]
        start, given = state.public_start, state.public_length
        if kind == _SYSTEM_EQUAL:
            start, given = state.system_start, state.system_length
        exact = kind == _PUBLIC_EQUAL or kind == _SYSTEM_EQUAL
        if start == NONE or given < length or (exact and given != length):
            continue
        if kind == _PUBLIC_ALONE and state.system_start != NONE:
            continue
        if _begins(source, start, row, length):
            return True
    return False


@jit_linked.linked
def _begins(source: Bytes, start: int, row: int, length: int) -> Any:
    for k in range(length):
        if LOWER[source[start + k]] != _IDS[row, k]:
            return False
    return True
