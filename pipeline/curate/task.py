"""Curate one artifact: read, extract, edit, measure, judge, sketch; text is in memory once, a batch at a time.

Output of a task, in its folder, one file a shard of the source that got rows:
    survivors-00000.arrow    documents that passed every rule, with text and provenance
    dropped-00000.arrow      ledger rows of the others
    sketch-00000.arrow       (one for all shards) the exact key of each survivor, for deduplication
    bands-00000.arrow        (the same) its MinHash band keys
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.curate import batch, edits, language, opt_out, repeated_lines
from pipeline.curate.artifact import broken, verify
from pipeline.curate.page_losses import Losses
from pipeline.curate.sketch import Sketches
from pipeline.curate.spill import Spill
from pipeline.formats.interface import Bomb, Truncated
from pipeline.formats.read import extract, read_artifact
from pipeline.model import Document, Fault, Pointer, Record, Refusal, document_id
from pipeline.trust import extraction

BATCH_BYTES = 16 << 20  # of text, in UTF-8, held by one task at a time
BATCH_DOCUMENTS = 16_384

Row = dict[str, Any]
Progress = Callable[[int, int], None]  # documents and bytes of text since the last call


def run(parameters: Mapping[str, Any], files: Mapping[str, Path], out: Path, progress: Progress) -> dict[str, Any]:
    """Curate the artifact `files["artifact"]` into the folder `out`. Returns counts: read, survivors, dropped by reason,
    and what pages lost (`page_losses`).

    `parameters`: artifact (purl, file, sha256), source, format, members, exclude, repeated_lines (unit, min_characters; or
    None), rules, characters, shards, near, opt_out (digest of the opt-out lists, or None), model (file, member, sha256).
    `files["blocks"]`: what repeats in the source, where repeated_lines is not None; `files["opt_out"]`: the lists. Raises
    TaskError naming the artifact and the last pointer where it is truncated, a bomb, or not the file that the lock pins, and
    RecipeError where a rule cannot be carried out.
    """
    artifact = parameters["artifact"]
    key = verify(files["artifact"], artifact)
    edits.prepare(parameters["rules"])
    model = parameters["model"]
    model_path = language.extract_model(
        files["model"], model["file"], model["member"], model["sha256"], files["models"]
    )
    listed = opt_out.load(parameters, files)
    curation = _Curation(parameters, model_path, files.get("blocks"), listed, out, progress)
    last: Pointer | None = None
    records = read_artifact(
        files["artifact"],
        artifact["file"],
        members=parameters["members"],
        exclude=parameters["exclude"],
        spec=parameters["format"],
    )
    try:
        for record in records:
            last = record.pointer
            curation.add(record)
    except (Truncated, Bomb) as error:
        raise broken(error, artifact["purl"], last) from error
    return {**curation.close(), "key": key.hex()}


class _Curation:
    """Documents waiting to be judged together, ledger rows of those that hold none, and the counts so far."""

    def __init__(
        self, parameters: Mapping[str, Any], model: Path, blocks: Path | None, listed: opt_out.OptOut | None, out: Path,
        progress: Progress,
    ) -> None:  # fmt: skip
        self.parameters, self.model, self.listed, self.progress = parameters, model, listed, progress
        self.remove: Callable[[Any], repeated_lines.Removed] | None = None
        if blocks is not None:
            self.remove = partial(repeated_lines.remove, blocks_path=blocks, **parameters["repeated_lines"])
        self.kept = Spill(out, "survivors", batch.SURVIVORS)
        self.dropped = Spill(out, "dropped", batch.DROPPED)
        self.sketch = Sketches(out, parameters["near"])
        self.texts: list[str] = []
        self.origin: dict[str, list[Any]] = defaultdict(list)
        self.refused: list[Row] = []
        self.losses = Losses()
        self.text_bytes = 0
        self.read = self.survivors = 0
        self.reasons: Counter[tuple[str, str]] = Counter()

    def add(self, record: Record | Fault) -> None:
        self.read += 1
        row = self._origin(record)
        found = self._look(record, row)
        if found is None:
            self._refuse(opt_out.row_of(row, row.get("url")))
        elif isinstance(found, Document):
            row["title"], row["charset"] = found.title, found.charset
            row.update(extraction.columns(found.extraction))
            for name, value in row.items():
                self.origin[name].append(value)
            self.texts.append(found.text)
            self.text_bytes += len(found.text.encode())
        else:
            stage = "read" if isinstance(record, Fault) else "extract"
            row.update(stage=stage, reason=found.reason, detail=found.detail or None, edits=[], decisions=[], failed=[])
            row.update(extraction.columns(None if isinstance(found, Fault) else found.extraction))
            self._refuse(row)
        if self.text_bytes >= BATCH_BYTES or max(len(self.texts), len(self.refused)) >= BATCH_DOCUMENTS:
            self.flush()

    def _look(self, record: Record | Fault, row: Row) -> Document | Refusal | Fault | None:
        """What the record is, with its URL in `row` if it is a document; None where an opt-out list names it."""
        if self.listed is not None and self.listed.record(row["id"]):
            return None
        found = record if isinstance(record, Fault) else extract(record, self.parameters["format"])
        if isinstance(found, Document):
            row["url"] = found.url or f"{self.parameters['artifact']['purl']}{record.pointer.subpath()}"
            if self.listed is not None and self.listed.url(row["url"]):
                return None
        return found

    def _refuse(self, row: Row) -> None:
        self.reasons[row["stage"], row["reason"]] += 1
        self.refused.append(row)

    def _origin(self, record: Record | Fault) -> Row:
        artifact, pointer = self.parameters["artifact"], record.pointer
        return {
            "id": document_id(artifact["sha256"], pointer),
            "source": self.parameters["source"],
            "purl": artifact["purl"],
            "artifact_sha256": artifact["sha256"],
            "member": pointer.member,
            "offset": pointer.offset,
            "length": pointer.length,
            "record": pointer.record,
            "path": pointer.path,
            "record_sha256": None if record.raw is None else hashlib.sha256(record.raw).hexdigest(),
            "record_bytes": None if record.raw is None else len(record.raw),
        }

    def flush(self) -> None:
        """Judge the waiting documents and spill them as survivors or ledger rows, before the rows of those without text."""
        texts, origin = self.texts, self.origin
        self.texts, self.origin = [], defaultdict(list)
        size, self.text_bytes = self.text_bytes, 0
        if texts:
            judged = batch.judge(
                origin, texts, self.parameters["rules"], self.model, self.parameters["characters"], self.remove
            )
            if self.listed is not None:
                judged, named = batch.parted(judged, self.listed.texts)
                for row in (row for part in named for row in part.select(opt_out.ORIGIN).to_pylist()):
                    self._refuse(opt_out.row_of(row))
            self.reasons.update({("judge", reason): count for reason, count in judged.reasons.items()})
            self.survivors += judged.survivors.num_rows
            self._spill(self.kept, judged.survivors)
            self._spill(self.dropped, judged.dropped)
            self.losses.add(judged.survivors)
            self.losses.add(judged.dropped)
            self.sketch.add(judged.survivors)
        refused, self.refused = self.refused, []
        if refused:
            rows = self.dropped.write_rows(refused, self._shards([row["id"] for row in refused]))
            self.losses.add(rows)
        self.progress(len(texts), size)

    def _spill(self, spill: Spill, rows: pa.RecordBatch) -> None:
        spill.write(rows, self._shards(rows.column("id").to_pylist()))

    def _shards(self, ids: list[str]) -> npt.NDArray[np.int64]:
        return np.array([shard_of(identifier, self.parameters["shards"]) for identifier in ids], np.int64)

    def close(self) -> dict[str, Any]:
        """Judge what still waits, end the files, and return the counts."""
        self.flush()
        for spill in (self.kept, self.dropped, self.sketch):
            spill.close()
        reasons = [
            {"stage": stage, "reason": reason, "documents": count}
            for (stage, reason), count in sorted(self.reasons.items())
        ]
        pages = self.losses.to_json()
        counts = {"read": self.read, "survivors": self.survivors, "reasons": reasons, "extraction": pages}
        return counts if self.listed is None else {**counts, "opt_out": self.listed.indices()}


def shard_of(identifier: str, shards: int) -> int:
    """Index of the shard that an id belongs to: ids are uniform, shards are equal ranges of their first 32 bits."""
    return int(identifier[:8], 16) * shards >> 32
