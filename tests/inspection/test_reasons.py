"""Every reason that the code can give has its sentence, and no sentence is of a reason that it cannot give."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.curate import repeated_lines, rules
from pipeline.curate.checks import Columns
from pipeline.dedup import interface
from pipeline.formats import interface as formats
from pipeline.formats import warc
from pipeline.inspection import reasons
from pipeline.model import CUT_REASONS
from pipeline.recipe_rules import MODELS
from pipeline.trust.seen import TAKEDOWN

FORMATS = Path(warc.__file__).parent


def calls(*names: str) -> Iterator[ast.Call]:
    """Calls of these names in the modules of the formats."""
    for path in FORMATS.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
                yield node


def strings(*names: str) -> set[str]:
    """The strings that are arguments of such calls."""
    found = {arg.value for call in calls(*names) for arg in call.args if isinstance(arg, ast.Constant)}
    return {value for value in found if isinstance(value, str)}


class Features(dict[str, Any]):
    """One document, of which every feature is 0."""

    def __missing__(self, name: str) -> Any:
        return np.zeros(1, np.int64)


def judged() -> set[str]:
    """The reasons that all rules give with all of their bounds set."""
    columns = Columns(Features(), np.array(["en"]), np.zeros(1, np.int64), np.array(["https://example.org/"]))
    found: set[str] = set()
    for spec in MODELS:
        name = str(spec.model_fields["rule"].annotation.__args__[0])  # type: ignore[union-attr]
        if name == "datatrove":
            continue
        parameters: dict[str, Any] = {key: field.default for key, field in spec.model_fields.items()}
        parameters |= {key: 1 for key in parameters if key.startswith(("min_", "max_"))}
        parameters |= {
            key: ("example.org",)
            for key in ("allow", "allow_domains", "block_domains", "block_words")
            if key in parameters
        }
        found |= {check.reason for check in rules.RULES[name](columns, parameters, Features())}
    return found


def test_every_fault_of_reading_has_its_sentence() -> None:
    trees = [ast.parse(path.read_text("utf-8")) for path in FORMATS.glob("*.py")]
    constants = {node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    whole = {value for value in constants if isinstance(value, str) and re.fullmatch("unreadable:[a-z_]+", value)}
    kinds = {value for value in strings("_fault", "Entry") - {"file"} if re.fullmatch("[a-z]+", value)}
    broken = {kind.__name__.lower() for kind in (formats.Truncated, formats.Bomb)}
    assert whole | {f"unreadable:{kind}" for kind in kinds | broken} == set(reasons.READ)


def test_every_refusal_of_a_format_has_its_sentence() -> None:
    named = {str(call.args[0].value) for call in calls("Refusal") if isinstance(call.args[0], ast.Constant)}
    kinds = {f"warc_{kind}" for kind in (*warc.KINDS, "unknown")}
    assert named | kinds | {"opt_out"} == set(reasons.EXTRACT)


def test_every_reason_for_which_a_block_is_cut_has_its_sentence() -> None:
    assert set(reasons.CUTS) == set(CUT_REASONS)


def test_every_check_of_a_rule_has_its_sentence() -> None:
    assert judged() | {repeated_lines.EMPTIED} == set(reasons.JUDGE)


def test_duplicates_and_takedowns_have_their_sentences() -> None:
    assert {interface.EXACT, interface.NEAR} == set(reasons.DEDUP)
    assert {TAKEDOWN} == {("takedown", name) for name in reasons.TAKEDOWN}
    assert set(reasons.MEANINGS) == set(reasons.STAGES)


@pytest.mark.parametrize(
    ("stage", "reason", "said"),
    [
        ("judge", "too_short", "The text has too few characters."),
        ("judge", "datatrove/URLFilter/domain", "The filter URLFilter of datatrove refuses it."),
        ("judge", "datatrove/RegexFilter", "The filter RegexFilter of datatrove refuses it."),
        ("judge", "datatrove/C4/emptied", "The filter C4 of datatrove left nothing of the text."),
        (
            "judge",
            "datatrove/A/error:ZeroDivisionError",
            "The filter A of datatrove failed on this text with ZeroDivisionError.",
        ),
        ("read", "too_short", reasons.UNKNOWN),
        ("extract", "datatrove/A", reasons.UNKNOWN),
        ("judge", "of_tomorrow", reasons.UNKNOWN),
        ("no stage", "", reasons.UNKNOWN),
    ],
)
def test_a_reason_is_told_by_its_name_or_by_its_form_and_an_unknown_one_is_said_to_be_so(
    stage: str, reason: str, said: str
) -> None:
    assert reasons.sentence(stage, reason) == said


def test_sentences_are_sentences() -> None:
    for told in (*reasons.STAGES.values(), *(text for part in reasons.MEANINGS.values() for text in part.values())):
        assert told[0].isupper() and told.endswith((".", "have, with.")) and len(told) < 120
