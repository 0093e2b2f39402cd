"""The documentation names what there is."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from pipeline.release import schemas
from pipeline.trust import checkpoint, manifest, reproduction, run
from pipeline.trust.findings import CHECKS

DOCS = Path(__file__).parents[2] / "docs"


def first_cells(text: str) -> set[str]:
    """Names in backticks in the first column of all tables."""
    return {
        name
        for line in text.splitlines()
        if line.startswith("|")
        for name in re.findall(r"`([^`]+)`", line.split("|")[1])
    }


def test_every_column_is_in_the_format_page_and_no_other() -> None:
    text = (DOCS / "format.md").read_text()
    sections = {part.splitlines()[0]: first_cells(part) for part in text.split("\n## ")}
    kept, dropped = set(schemas.kept(()).names), set(schemas.dropped(()).names)
    assert sections["data"] == set(schemas.DATA.names)
    assert sections["kept"] == kept
    assert sections["dropped"] == dropped - kept
    assert sections["clusters"] == set(schemas.CLUSTERS.names)
    assert sections["removed"] == set(schemas.REMOVED.names)


def keys(shape: Any) -> set[str]:
    if isinstance(shape, dict):
        return set(shape) | {key for inner in shape.values() for key in keys(inner)}
    return keys(shape[0]) if isinstance(shape, list) else set()


def test_every_field_of_the_signed_documents_is_in_the_format_page() -> None:
    text = (DOCS / "format.md").read_text()
    named = {part for name in re.findall(r"`([A-Za-z0-9_.]+)`", text) for part in name.split(".")}
    assert keys(manifest.SHAPE) | keys(run.SHAPE) | keys(reproduction.SHAPE) | keys(checkpoint.SHAPE) <= named


def names(value: Any) -> set[str]:
    """Keys of JSON, but for key ids."""
    if isinstance(value, list):
        return {key for inner in value for key in names(inner)}
    if not isinstance(value, dict):
        return set()
    return {key for key in value if len(key) < 64} | {key for inner in value.values() for key in names(inner)}


def test_every_field_of_root_metadata_is_in_the_format_page() -> None:
    section = (DOCS / "format.md").read_text().split("## root.json")[1]
    named = set(re.findall(r"`(?:signed\.)?([a-z_]+)`", section))
    assert names(json.loads((DOCS.parent / "manifests" / "keys" / "root.json").read_bytes())) - {"signed"} <= named


def test_the_fingerprint_that_the_trust_page_shows_is_that_of_this_projects_root() -> None:
    seen = hashlib.sha256((DOCS.parent / "manifests" / "keys" / "1.root.json").read_bytes()).hexdigest()
    assert f"--root-sha256 {seen}" in (DOCS / "trust.md").read_text()


def test_every_check_is_in_the_trust_page_in_the_order_in_which_it_is_made() -> None:
    section = (DOCS / "trust.md").read_text().split("## What verify checks")[1].split("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` ", section, re.MULTILINE) == list(CHECKS)


def test_every_test_that_the_threat_table_names_is_there() -> None:
    section = (DOCS / "trust.md").read_text().split("## Threats")[1].split("\n## ")[0]
    tests = "\n".join(path.read_text() for path in Path(__file__).parents[1].rglob("test_*.py"))
    named = re.findall(r"`(test_\w+)(?:\.\.\.)?`", section)
    assert len(named) >= 13
    assert [name for name in named if f"def {name}" not in tests] == []
