"""The tokenizer cases of html5lib-tests: input, the state that the tokenizer begins in, and the tokens.

Our tokenizer reads over comments, so of those only the place among the tokens is compared. It leaves NULs of the data state
out, as the tree builder would, and replaces them in CDATA sections. All 7,032 cases pass.
"""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from pipeline.kernels import jit_linked
from pipeline.kernels.html import names, state
from pipeline.kernels.html.bytes import PADDING
from pipeline.kernels.html.references import trie
from pipeline.kernels.html.tokenizer import next_token
from tests.kernels.html.trees import FIXTURES

FILES = sorted((FIXTURES / "tokenizer").iterdir())
STATES = {
    "Data state": state.DATA,
    "RCDATA state": state.RCDATA,
    "RAWTEXT state": state.RAWTEXT,
    "Script data state": state.SCRIPT_DATA,
    "PLAINTEXT state": state.PLAINTEXT,
    "CDATA section state": state.CDATA_SECTION,
}
REFERENCES = trie()


@jit_linked.entry
def read_token(
    states: Any, source: Any, values: Any, attributes: Any, entered: Any, references: Any
) -> Any:  # what `build` does for each token
    return next_token(states[0], source, values, attributes, entered, references)


class Case(NamedTuple):
    description: str
    content: int
    last_start_tag: bytes
    data: bytes
    expected: list[Any]


def cases(path: Path) -> Iterator[Case]:
    given = json.loads(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes())
    for test in given.get("tests", []):
        escaped = test.get("doubleEscaped", False)
        data, output = unescaped(test["input"], escaped), unescaped(test["output"], escaped)
        for name in test.get("initialStates", ["Data state"]):
            yield Case(
                test["description"], STATES[name], test.get("lastStartTag", "").encode(), encoded(data),
                expected(output, STATES[name]),
            )  # fmt: skip


def unescaped(value: Any, escaped: bool) -> Any:
    if not escaped:
        return value
    if isinstance(value, str):
        return json.loads('"' + value.replace('"', '\\"') + '"') if "\\" in value else value
    if isinstance(value, list):
        return [unescaped(item, True) for item in value]
    if isinstance(value, dict):
        return {unescaped(key, True): unescaped(item, True) for key, item in value.items()}
    return value


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def decoded(data: Any) -> str:
    return bytes(data).decode("utf-8", "surrogatepass")


def expected(output: list[Any], content: int) -> list[Any]:
    """The tokens with what our tokenizer does not keep left out; characters that meet are one token."""
    tokens: list[Any] = []
    for kind, *what in output:
        if kind == "Character":
            text = what[0].replace("\0", "\ufffd" if content == state.CDATA_SECTION else "")
            if tokens and tokens[-1][0] == "Character":
                tokens[-1] = ("Character", tokens[-1][1] + text)
            elif text:
                tokens.append(("Character", text))
        elif kind == "Comment":
            tokens.append(("Comment",))
        elif kind == "StartTag":
            tokens.append((kind, what[0], what[1], len(what) > 2))
        else:
            tokens.append((kind, *what))
    return tokens


def tokens(case: Case) -> list[Any]:
    """What our tokenizer makes of a case. The last start tag's name stands before the page's first byte."""
    whole = case.last_start_tag + case.data
    source = np.zeros(len(whole) + PADDING, np.uint8)
    source[: len(whole)] = np.frombuffer(whole, np.uint8)
    states = np.zeros(1, state.STATE)
    states["position"], states["end"], states["content"] = len(case.last_start_tag), len(whole), case.content
    states["raw_length"] = len(case.last_start_tag) or len(whole) + 1  # without one, no end tag ends raw text
    values = np.zeros(3 * len(whole) + PADDING, np.uint8)
    attributes = np.zeros((len(whole) + 1, 5), np.int32)
    found: list[Any] = []
    while True:
        before = int(states["position"][0])
        kind = read_token(states, source, values, attributes, np.zeros(1024, np.int64), REFERENCES)
        if kind == state.END_OF_FILE:
            return found
        if kind == state.CHARACTERS:
            text = decoded(values[states["text_start"][0] : states["text_end"][0]])
            if found and found[-1][0] == "Character":
                found[-1] = ("Character", found[-1][1] + text)
            else:
                found.append(("Character", text))
        elif kind == state.COMMENT:
            is_nothing = bytes(source[before : before + 3]) == b"</>" or case.content == state.CDATA_SECTION
            if source[before] == ord("<") and not is_nothing:  # else NULs, or the end of a section
                found.append(("Comment",))
        elif kind == state.DOCTYPE:
            found.append(doctype(states[0], source))
        else:
            found.append(tag(kind, states[0], source, values, attributes))


def tag(kind: int, token: Any, source: Any, values: Any, attributes: Any) -> tuple[Any, ...]:
    name = spelled(source, token["name_start"], token["name_length"])
    assert token["tag"] == names.TAG.get(name, 0)
    if kind == state.END_TAG:
        return ("EndTag", name)
    rows = attributes[token["first_attribute"] : token["last_attribute"]].tolist()
    given = {spelled(source, row[1], row[2]): decoded(values[row[3] : row[3] + row[4]]) for row in rows}
    assert [names.ATTRIBUTE.get(key, 0) for key in given] == [row[0] for row in rows]
    return ("StartTag", name, given, bool(token["self_closing"]))


def doctype(token: Any, source: Any) -> tuple[Any, ...]:
    name = spelled(source, token["doctype_name"], token["doctype_name_length"])
    ids = [
        None if token[f"{which}_start"] < 0
        else identifier(source[token[f"{which}_start"] : token[f"{which}_start"] + token[f"{which}_length"]])
        for which in ("public", "system")
    ]  # fmt: skip
    return ("DOCTYPE", name or None, *ids, not token["force_quirks"])


def identifier(data: Any) -> str:
    return decoded(data).replace("\0", "\ufffd").replace("\r\n", "\n").replace("\r", "\n")


def spelled(source: Any, start: int, length: int) -> str:
    return decoded(bytes(source[start : start + length]).lower()).replace("\0", "\ufffd")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name.partition(".")[0])
def test_tokens_are_those_of_the_standard(path: Path) -> None:
    different = [
        (case.description, tokens(case), case.expected) for case in cases(path) if tokens(case) != case.expected
    ]
    assert different == []


def test_every_case_is_read() -> None:
    assert sum(1 for path in FILES for _ in cases(path)) == 7032
