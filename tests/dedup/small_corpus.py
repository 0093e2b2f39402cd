"""Small corpora, deduplicated by the stages, and by an oracle that knows nothing of bands, buckets, hashes or files."""

import hashlib
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.curate.sketch import Sketches
from pipeline.curate.spill import Spill
from pipeline.dedup import against, candidates, choose, shingle

MILLION = 1_000_000
SURVIVORS = pa.schema(
    [
        ("id", pa.string()), ("exact_sha256", pa.string()), ("measures", pa.struct([("characters", pa.int64())])),
        ("text", pa.string()),
    ]
)  # fmt: skip

# A pair of similarity s meets in one of 64 bands of one place with probability 1 - (1 - s)^64: 1 - 1e-10 at 0.3.
NEAR = {
    "threshold": 800_000, "words": 5, "characters": 500_000, "bands": 64, "rows": 1, "seed": 1, "bucket_first": 1_000,
    "bucket_neighbours": 0,
}  # fmt: skip


@dataclass(frozen=True)
class Document:
    """`number` stands for the id: the smaller number has the smaller one."""

    number: int
    source: str
    text: str
    release: str | None = None  # another one that keeps it

    @property
    def id(self) -> str:
        return f"{self.number:032x}"

    @property
    def normalised(self) -> str:
        return " ".join(unicodedata.normalize("NFC", self.text).split())


@dataclass(frozen=True)
class Deduplicated:
    """What the stages have written and returned.

    `rows`: of each source those who lost; `members`: of each source whom its documents stand for; `candidates`, `choose`:
    results; `pairs`: (later, earlier) ranks.
    """

    rows: dict[str, list[dict[str, Any]]]
    members: dict[str, list[dict[str, Any]]]
    candidates: dict[str, Any]
    choose: dict[str, Any]
    pairs: set[tuple[int, int]]

    @property
    def losers(self) -> dict[int, "Loss"]:
        """By number of the document: reason, number of the kept one (with its release, if another), similarity."""
        return {
            int(row["id"], 16): (
                row["reason"],
                _witness(int(row["kept_id"], 16), row["kept_release"]),
                row["similarity"],
            )
            for rows in self.rows.values()
            for row in rows
        }


Witness = int | tuple[str, int]
Loss = tuple[str, Witness, int]


def _witness(number: int, release: str | None) -> Witness:
    return number if release is None else (release, number)


def quiet(*_: int) -> None:
    """No report of progress."""


def survivors(documents: Sequence[Document]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(
        [
            {
                "id": document.id, "exact_sha256": hashlib.sha256(document.normalised.encode()).hexdigest(),
                "measures": {"characters": len(document.text)}, "text": document.text,
            }
            for document in documents
        ],
        SURVIVORS,
    )  # fmt: skip


def batches(documents: Sequence[Document], size: int) -> Iterable[Sequence[Document]]:
    return (documents[start : start + size] for start in range(0, len(documents), size))


def curated(
    folder: Path, documents: Sequence[Document], near: Mapping[str, Any] | None, batch: int, shards: int
) -> dict[str, Path]:
    """The files that curate leaves of one artifact, by name."""
    folder.mkdir(parents=True)
    sketches, texts = Sketches(folder, near), Spill(folder, "survivors", SURVIVORS)
    for part in batches(documents, batch):
        sketches.add(survivors(part))
        texts.write(survivors(part), np.array([document.number * 7 % shards for document in part]))
    sketches.close()
    texts.close()
    return {path.name: path for path in folder.iterdir()}


def sketched(
    folder: Path, documents: Sequence[Document], near: Mapping[str, Any] | None, batch: int
) -> tuple[dict[str, Path], dict[str, Any]]:
    """The files that are left of one shard of another release, and what the shingle stage is told of it."""
    rows = survivors(documents)
    columns = {"data": ["id", "text"], "kept": ["id", "exact_sha256", "measures"]}
    paths = {kind: _folder(folder) / f"{kind}.parquet" for kind in columns}
    for kind, names in columns.items():
        size = batch if kind == "data" else batch + 1  # row groups that end elsewhere
        pq.write_table(pa.Table.from_batches([rows]).select(names), paths[kind], row_group_size=size)
    files = {
        kind: {"name": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        for kind, path in paths.items()
    }
    release = documents[0].release
    against.run({"release": release, "source": documents[0].source, "files": files, "near": near}, paths, folder, quiet)
    made = {path.name: path for path in folder.glob("*.arrow")}
    return {**made, "data": paths["data"]}, {"release": release, "data": files["data"]}


def deduplicated(
    folder: Path, artifacts: Sequence[Sequence[Document]], near: Mapping[str, Any] | None = NEAR, *,
    priorities: Mapping[str, int] | None = None, exact: bool = True, batch: int = 3, shards: int = 2,
    others: Sequence[Sequence[Document]] = (),
) -> Deduplicated:  # fmt: skip
    """What the stages make of the documents of some artifacts, each of which is of one source and not empty.

    others: likewise shards of other releases, in the order of these; batch: documents that are sketched at once; shards: files
    of survivors for each artifact.
    """
    priorities = {"a": 0, "b": 0} if priorities is None else priorities
    made = [
        curated(folder / "curate" / str(k), documents, near, batch, shards) for k, documents in enumerate(artifacts)
    ]
    told: list[dict[str, Any]] = [{} for _ in made]
    for documents in others:
        outputs, more = sketched(folder / "against" / str(len(made)), documents, near, batch)
        made, told = [*made, outputs], [*told, more]
    everything, own = [*artifacts, *others], len(artifacts)
    found, shingled, chosen = (_folder(folder / name) for name in ("candidates", "shingle", "choose"))
    files = {f"{k}/{name}": path for k, outputs in enumerate(made) for name, path in outputs.items()}
    listed = [
        {
            "source": documents[0].source, "sketch": f"{k}/sketch-00000.arrow",
            "bands": f"{k}/bands-00000.arrow" if "bands-00000.arrow" in made[k] else None, "wanted": f"wanted/{k}.arrow",
        }
        for k, documents in enumerate(everything)
    ]  # fmt: skip
    ranked = [{"name": name, "priority": priority} for name, priority in priorities.items()]
    parameters = {"sources": ranked, "against": listed[own:], "artifacts": listed[:own], "exact": exact, "near": near}
    proposed = candidates.run(parameters, files, found, quiet)

    files["order"] = found / "order.arrow"
    if near is not None:
        files["pairs"] = found / "pairs.arrow"
    compared = []
    for k, documents in enumerate(everything):
        wanted = found / "wanted" / f"{k}.arrow"
        if near is not None and wanted.exists():
            shingle.run(
                {"words": near["words"], "characters": near["characters"], **told[k]}, {**made[k], "wanted": wanted},
                _folder(shingled / str(k)), quiet,
            )  # fmt: skip
            files[f"{k}/shingles"] = shingled / str(k) / "shingles.arrow"
        key = f"{k}/shingles" if f"{k}/shingles" in files else None
        entry = {
            "task": str(k), "source": documents[0].source, "sketch": f"{k}/sketch-00000.arrow", "shingles": key,
        }  # fmt: skip
        compared.append(entry if k < own else {**entry, "release": documents[0].release})
    parameters = {"sources": list(priorities), "against": compared[own:], "artifacts": compared[:own], "near": near}
    result = choose.run(parameters, files, chosen, quiet)
    for cluster in (cluster for clusters in result["largest"].values() for cluster in clusters):
        for entry in (cluster["kept"], cluster["example"]):
            del entry["task"]  # how the documents are cut into artifacts is the test's affair
    rows = {name: table(chosen / f"{name}.arrow").to_pylist() for name in priorities}
    members = {name: table(chosen / f"{name}.members.arrow").to_pylist() for name in priorities}
    pairs = table(files["pairs"]).column("pair").to_pylist() if near is not None else []
    return Deduplicated(rows, members, proposed, result, {(pair >> 32, pair & 0xFFFFFFFF) for pair in pairs})


def _folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


def table(path: Path) -> pa.Table:
    with pa.ipc.open_file(path) as reader:
        return reader.read_all()


def shingles(text: str, words: int, characters: int = 500_000) -> set[tuple[str, ...]]:
    """The shingle set of a text whose words are parted by white space, none of which is Han, Thai or the like."""
    found = text[:characters].split()
    return {tuple(found[k : k + words]) for k in range(max(1, len(found) - words + 1))} if found else set()


def similarity(one: set[Any], other: set[Any]) -> Fraction:
    return Fraction(len(one & other), len(one | other)) if one and other else Fraction(0)


def preferred(documents: Iterable[Document], priorities: Mapping[str, int]) -> list[Document]:
    return sorted(documents, key=lambda d: (-priorities[d.source], -len(d.text), d.number))


def expected(
    documents: Iterable[Document], near: Mapping[str, Any] | None, priorities: Mapping[str, int], exact: bool = True,
    meet: Callable[[int, int], bool] = lambda one, other: True, others: Iterable[Document] = (),
) -> dict[int, Loss]:  # fmt: skip
    """Who is dropped, as `Deduplicated.losers`. meet: whether the bands propose two ranks; others: of other releases."""
    elsewhere = sorted(others, key=lambda d: (-len(d.text), d.number, d.release))
    order = [*elsewhere, *preferred(documents, priorities)]
    sets = [shingles(d.text, near["words"], near["characters"]) if near else set() for d in order]
    threshold = Fraction(near["threshold"], MILLION) if near else Fraction(1)

    def alike(one: int, other: int) -> bool:
        return bool(sets[one] and sets[other]) and similarity(sets[one], sets[other]) >= threshold

    first: dict[str, int] = {}  # normalised text -> rank
    copies: list[int] = []
    lost: dict[int, tuple[str, int]] = {}  # rank -> reason, rank
    kept: list[int] = []
    for rank, document in enumerate(order):
        if exact and document.normalised in first:
            copies += [rank] if document.release is None else []  # what another release keeps is not dropped
            continue
        first[document.normalised] = rank
        if document.release is not None:
            kept.append(rank)
            continue
        witness = next((other for other in kept if meet(rank, other) and alike(rank, other)), None)
        if witness is None:
            kept.append(rank)
        else:
            lost[rank] = "near_duplicate", witness
    stands: dict[str, int] = {}  # normalised text -> rank of a copy that is kept because the first was not
    for rank in copies:
        text = order[rank].normalised
        if first[text] not in lost:
            lost[rank] = "exact_duplicate", first[text]
        elif alike(rank, lost[first[text]][1]):
            lost[rank] = "near_duplicate", lost[first[text]][1]
        elif text in stands:
            lost[rank] = "exact_duplicate", stands[text]
        else:
            stands[text] = rank
    return {
        order[rank].number: (
            reason, _witness(order[witness].number, order[witness].release),
            MILLION if reason == "exact_duplicate" else round(similarity(sets[rank], sets[witness]) * MILLION),
        )
        for rank, (reason, witness) in lost.items()
    }  # fmt: skip
