"""How tests read a file: through `read_artifact` and `extract`, as curation does, with every promise checked on the way."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline import recipe
from pipeline.formats import read
from pipeline.formats.compressed import decoded
from pipeline.model import Document, Fault, Record, Refusal

MODELS = {
    "text": recipe.Text, "html": recipe.Html, "wikitext": recipe.Wikitext, "warc": recipe.Warc, "jsonl": recipe.Jsonl,
    "parquet": recipe.Parquet, "json": recipe.Json, "mail": recipe.Mail,
}  # fmt: skip


def options(kind: str, **given: Any) -> dict[str, Any]:
    """A format as a recipe gives it, defaults filled in."""
    return MODELS[kind](kind=kind, **given).model_dump(mode="json")


def read_all(
    path: Path, spec: Mapping[str, Any], members: tuple[str, ...] = ("**",), exclude: tuple[str, ...] = ()
) -> list[tuple[Record | Fault, Document | Refusal | Fault]]:
    """Each record with what it gave. Pointers are unique, and where they name bytes these are the record's."""
    found = []
    for record in read.read_artifact(path, path.name, members=members, exclude=exclude, spec=spec):
        found.append((record, record if isinstance(record, Fault) else read.extract(record, spec)))
    pointers = [record.pointer.canonical() for record, _ in found]
    assert len(set(pointers)) == len(pointers)
    for _, outcome in found:
        if isinstance(outcome, Document):
            outcome.text.encode()
            assert outcome.text.strip()
        else:
            assert outcome.reason
    return found


def outcomes(data: bytes, spec: Mapping[str, Any], folder: Path) -> list[Document | Refusal | Fault]:
    """What the records of a file that is no archive gave; offsets and lengths lead to their bytes."""
    path = folder / "artifact"
    path.write_bytes(data)
    found = read_all(path, spec)
    with path.open("rb") as file:
        content = decoded(file).read()
    for record, _ in found:
        place = record.pointer
        if place.offset is not None and place.length is not None and record.raw is not None:
            assert content[place.offset : place.offset + place.length] == record.raw
    return [outcome for _, outcome in found]


def reasons(found: list[Document | Refusal | Fault]) -> list[str]:
    """`ok` or the reason of each."""
    return ["ok" if isinstance(outcome, Document) else outcome.reason for outcome in found]
