"""What the recipe's opt-out lists keep out of one artifact: nothing of such a record is kept but that it was there.

A record that a list names by its id or its artifact is not looked at. One that is named by its URL is let go once the URL is
known, which in some formats is read where the text is. One that is named by its text is known when all edits are made: what is
looked up are the digests of the text as it was extracted, as it would stand in the corpus, and of every state between. It is
judged like the others by then; nothing of that is written.
"""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.errors import TaskError
from pipeline.trust import opt_out
from pipeline.trust.lists import Names

ORIGIN = ["id", "source", "purl", "artifact_sha256", "member", "offset", "length", "record", "path"]
Row = dict[str, Any]


class OptOut:
    """The lists, against the records of one artifact. `used`: the lines that have kept something out."""

    def __init__(self, names: Names, purl: str) -> None:
        self.finder = opt_out.Finder(names)
        self.lines = names.to_json()
        self.whole = self.finder.of_artifact(purl)
        self.digests = pa.array(names.texts, pa.string())
        self.used: set[str] = set()

    def record(self, identifier: str) -> bool:
        """Whether a record is named by itself or with its artifact."""
        return self._use((*self.whole, *self.finder.of_id(identifier)))

    def url(self, url: str) -> bool:
        """Whether a document is named by its URL, as it stands in its row."""
        return self._use(self.finder.of_url(url))

    def texts(self, documents: pa.RecordBatch) -> npt.NDArray[np.bool_]:
        """(n,) which documents are named by a state of their text. `documents`: columns text_sha256 and edits of work rows."""
        named = np.zeros(len(documents), np.bool_)
        if self.finder.texts:
            edits = documents.column("edits")
            before = pc.struct_field(pc.list_flatten(edits), "sha256_before")
            owners = pc.list_parent_indices(edits).to_numpy()
            every = np.arange(len(documents))
            for digests, rows in ((documents.column("text_sha256"), every), (before, owners)):
                found = pc.is_in(digests, value_set=self.digests).to_numpy(zero_copy_only=False)
                named[rows[found]] = True
                self._use(self.finder.of_text(digests.filter(pa.array(found)).to_pylist()))
        return named

    def indices(self) -> list[int]:
        """Places, in the list of all lines, of those that have kept something out."""
        return [place for place, line in enumerate(self.lines) if line in self.used]

    def _use(self, lines: opt_out.Lines) -> bool:
        self.used.update(lines)
        return bool(lines)


def row_of(origin: Mapping[str, Any], url: str | None = None) -> Row:
    """The ledger's row of a record that is kept out: where it lies, and its URL if that is what names it."""
    return {
        **{name: origin[name] for name in ORIGIN}, "url": url, "stage": opt_out.STAGE, "reason": opt_out.REASON, "cuts": [],
        "edits": [], "decisions": [], "failed": [],
    }  # fmt: skip


def load(parameters: Mapping[str, Any], files: Mapping[str, Path]) -> OptOut | None:
    """The lists of a task that has some: `parameters["opt_out"]` is the digest of `files["opt_out"]`. Raises TaskError."""
    digest = parameters.get("opt_out")
    return None if digest is None else OptOut(_names(files["opt_out"], digest), parameters["artifact"]["purl"])


@lru_cache(maxsize=1)  # a worker runs many tasks of one recipe
def _names(path: Path, digest: str) -> Names:
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != digest:
        raise TaskError("it is not what the recipe's opt-out lists say", where=str(path), hint="build again")
    return opt_out.decoded(data)
