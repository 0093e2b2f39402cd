"""Curate one artifact: read, extract, measure, judge, sketch; text is in memory once, a batch at a time.

Output of a task, in its folder, one file a shard of the source that got rows:
    survivors-00000.arrow    documents that passed every rule, with text and provenance
    dropped-00000.arrow      ledger rows of the others
    sketch-00000.arrow       (one for all shards) the exact key of each survivor, for deduplication
"""

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pyarrow as pa

from pipeline.curate import language, rules
from pipeline.curate.artifact import broken, verify
from pipeline.curate.spill import Rows
from pipeline.dedup.interface import SKETCH
from pipeline.formats.interface import Bomb, Truncated
from pipeline.formats.read import extract, read_artifact
from pipeline.kernels import features
from pipeline.model import Document, Fault, Pointer, Record, Refusal, document_id
from pipeline.release import schemas

BATCH_BYTES = 16 << 20  # of text, in UTF-8, held by one task at a time
BATCH_DOCUMENTS = 16_384

Row = dict[str, Any]
Progress = Callable[[int, int], None]  # documents and bytes of text since the last call

KEPT = schemas.kept(features.FEATURES)
DROPPED = schemas.dropped(features.FEATURES)
SURVIVORS = pa.schema([*KEPT, *(schemas.DATA.field(name) for name in ("text", "title"))])


def run(parameters: Mapping[str, Any], files: Mapping[str, Path], out: Path, progress: Progress) -> dict[str, Any]:
    """Curate the artifact `files["artifact"]` into the folder `out`. Returns counts: read, survivors, dropped by reason.

    `parameters`: artifact (purl, file, sha256), source, format, members, exclude, rules, characters, shards, model
    (file, member, sha256). Raises TaskError naming the artifact and the last pointer where it is truncated, a bomb, or
    not the file that the lock pins.
    """
    artifact = parameters["artifact"]
    verify(files["artifact"], artifact)
    model = parameters["model"]
    model_path = language.extract_model(
        files["model"], model["file"], model["member"], model["sha256"], files["models"]
    )
    batch = _Batch(parameters, model_path, out, progress)
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
            batch.add(record)
    except (Truncated, Bomb) as error:
        raise broken(error, artifact["purl"], last) from error
    return batch.close()


def exact_key(text: str) -> bytes:
    """SHA-256 (32 bytes) of the normalised text: Unicode NFC, runs of white space as one space, none at the ends."""
    return hashlib.sha256(" ".join(unicodedata.normalize("NFC", text).split()).encode()).digest()


def shard_of(identifier: str, shards: int) -> int:
    """Index of the shard that an id belongs to: ids are uniform, shards are equal ranges of their first 32 bits."""
    return int(identifier[:8], 16) * shards >> 32


class _Batch:
    """Documents waiting to be judged together, and the counts so far."""

    def __init__(self, parameters: Mapping[str, Any], model: Path, out: Path, progress: Progress) -> None:
        self.parameters, self.model, self.progress = parameters, model, progress
        self.kept = Rows(out, "survivors", SURVIVORS)
        self.dropped = Rows(out, "dropped", DROPPED)
        self.sketch = Rows(out, "sketch", SKETCH)
        self.rows: list[Row] = []
        self.text_bytes = 0
        self.read = self.survivors = 0
        self.reasons: Counter[tuple[str, str]] = Counter()

    def add(self, record: Record | Fault) -> None:
        self.read += 1
        row = self._origin(record)
        found = record if isinstance(record, Fault) else extract(record, self.parameters["format"])
        if isinstance(found, Document):
            encoded = found.text.encode()
            row.update(
                text=found.text, title=found.title, charset=found.charset,
                url=found.url or f"{self.parameters['artifact']['purl']}{_subpath(record.pointer)}",
                text_sha256=hashlib.sha256(encoded).hexdigest(), text_bytes=len(encoded),
                exact_sha256=exact_key(found.text).hex(),
            )  # fmt: skip
            self.rows.append(row)
            self.text_bytes += len(encoded)
        else:
            stage = "read" if isinstance(record, Fault) else "extract"
            self._drop(row, stage, found)
        if self.text_bytes >= BATCH_BYTES or len(self.rows) >= BATCH_DOCUMENTS:
            self.flush()

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

    def _drop(self, row: Row, stage: str, why: Fault | Refusal) -> None:
        row.update(stage=stage, reason=why.reason, detail=why.detail or None, decisions=[], failed=[])
        self.reasons[stage, why.reason] += 1
        self.dropped.add(shard_of(row["id"], self.parameters["shards"]), row)

    def flush(self) -> None:
        """Measure, label and judge the waiting documents, and spill them as survivors or ledger rows."""
        rows, self.rows = self.rows, []
        documents, size, self.text_bytes = len(rows), self.text_bytes, 0
        if rows:
            texts = [row["text"] for row in rows]
            labels, scores = language.identify(texts, self.model, self.parameters["characters"])
            measured = features.measure(pa.array(texts, pa.large_string()))
            columns = rules.Columns(
                {name: measured.column(name).to_numpy() for name in features.FEATURES}, labels, scores
            )
            checks = rules.judge(columns, self.parameters["rules"])
            for row, label, score, counts, decisions in zip(
                rows, labels, scores.tolist(), measured.to_pylist(), _decisions(checks, len(rows)), strict=True
            ):
                row.update(language=label, language_score=score, measures=counts, decisions=decisions)
                self._judge(row)
        for spill in (self.kept, self.dropped, self.sketch):
            spill.flush()
        self.progress(documents, size)

    def _judge(self, row: Row) -> None:
        shard = shard_of(row["id"], self.parameters["shards"])
        failed = [decision for decision in row["decisions"] if outside(decision)]
        if not failed:
            self.survivors += 1
            self.kept.add(shard, row)
            self.sketch.add(0, {
                "id": bytes.fromhex(row["id"]), "exact": bytes.fromhex(row["exact_sha256"]),
                "characters": row["measures"]["characters"],
            })  # fmt: skip
            return
        first = failed[0]
        row.update(stage="judge", failed=[decision["reason"] for decision in failed])
        row.update({key: first[key] for key in ("reason", "value", "low", "high")})
        self.reasons["judge", first["reason"]] += 1
        self.dropped.add(shard, row)

    def close(self) -> dict[str, Any]:
        """Judge what still waits, end the files, and return the counts."""
        self.flush()
        for spill in (self.kept, self.dropped, self.sketch):
            spill.close()
        reasons = [
            {"stage": stage, "reason": reason, "documents": count}
            for (stage, reason), count in sorted(self.reasons.items())
        ]
        return {"read": self.read, "survivors": self.survivors, "reasons": reasons}


def outside(decision: Mapping[str, Any]) -> bool:
    """Whether a decision's value is outside its bounds."""
    low, high = decision["low"], decision["high"]
    return (low is not None and decision["value"] < low) or (high is not None and decision["value"] > high)


def _decisions(checks: list[rules.Check], count: int) -> Iterator[list[Row]]:
    """For each document the checks that were asked of it, as ledger structs."""
    asked = [check.asked() for check in checks]
    values = np.stack([check.values for check in checks], axis=1).tolist() if checks else [[]] * count
    bounds = [{"reason": check.reason, "low": check.low, "high": check.high} for check in checks]
    for row in range(count):
        yield [
            {**bound, "value": value} for bound, value, applies in zip(bounds, values[row], asked, strict=True)
            if applies[row]
        ]  # fmt: skip


def _subpath(pointer: Pointer) -> str:
    """The pointer as the subpath of a Package URL, so that every document has a URL of its own."""
    place = quote((pointer.member or "") + (pointer.path or ""), safe="/._-~")
    if pointer.record and not pointer.path:
        place = f"{place}/{pointer.record}" if place else str(pointer.record)
    return f"#{place}" if place else ""
