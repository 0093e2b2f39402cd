"""A small valid release, made without the stages: two sources, drops of every stage, duplicates in and across sources.

`corpus()` gives rows as plain dicts; `write` lays a release out from rows, so that a test changes rows and gets a release
that is consistent but for that change; `sign_again` changes the manifest of a release and signs it anew.
"""

import contextlib
import hashlib
import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pipeline.model import Pointer, document_id
from pipeline.release import schemas, survey
from pipeline.trust import checkpoint, dsse, index, intoto, keyed, leaves, manifest, merkle, names, roots, run
from pipeline.trust.reading import UNREADABLE

FEATURES = ("characters", "words")
MILLION = 1_000_000
DOCUMENTS = {
    "README.md": "# small\n",
    "SUMMARY.md": "# both\n",
    "croissant.json": "{}\n",
}  # short: a test changes every byte
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
TRUSTED = (KEY.public_key(),)
SHARDS = {"manual": 2, "notes": 1}
LICENCES = {"manual": "BSD-3-Clause", "notes": "CC-BY-SA-4.0"}
ARTIFACTS = {
    "manual": [("pkg:pypi/first@1.0", b"first sdist"), ("pkg:pypi/second@2.0", b"second sdist")],
    "notes": [("pkg:deb/debian/notes@3-1?arch=all", b"a package")],
}

Row = dict[str, Any]
Corpus = dict[str, dict[str, list[Row]]]
Artifacts = dict[str, list[tuple[str, bytes]]]


def corpus() -> Corpus:
    """Rows by source and fate ("kept", "dropped"), in id order. Kept rows have `text` and `title`, too."""
    found: Corpus = {}
    kept: list[Row] = []
    for source in SHARDS:
        rows = [_judged(_origin(source, number), number) for number in range(24 if source == "manual" else 14)]
        dropped = [_judge_drop(_origin(source, 100 + number)) for number in range(4)]
        dropped += [_unread(source, 200 + number, "read", "unreadable:charset") for number in range(2)]
        dropped += [_unread(source, 210 + number, "extract", "redirect") for number in range(3)]
        kept += rows
        dropped += [_duplicate(_origin(source, 300 + number), kept[number * 5]) for number in range(3)]
        found[source] = {"kept": in_order(rows), "dropped": in_order(dropped)}
    return found


def in_order(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: row["id"])


def write(
    folder: Path, rows: Corpus, key: Ed25519PrivateKey = KEY, order: bool = True, artifacts: Artifacts | None = None,
    change: Callable[[dict[str, list[Row]]], object] | None = None, against: Sequence[Row] = (),
    formats: dict[str, Row] | None = None, extractors: Sequence[Row] = (),
) -> Path:  # fmt: skip
    """A release of these rows, signed, its totals counted from them. `order`: put each shard in id order first.

    `formats`: of sources, by name, in place of text; `extractors`: what the manifest says of them. The
    clusters follow from the rows; `change` may change them, by source, before they are written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    of_clusters = clusters(rows)
    if change:
        change(of_clusters)
    entries = []
    for source, fates in rows.items():
        for number in range(SHARDS[source]):
            kept, dropped, standing = (
                _of_shard(part, number, SHARDS[source], order)
                for part in (fates["kept"], fates["dropped"], of_clusters[source])
            )
            end = f"{number:05d}-of-{SHARDS[source]:05d}.parquet"
            entries += [
                shard(folder, f"data/{source}/train-{end}", "data", source, kept, schemas.DATA),
                shard(folder, f"provenance/{source}/kept-{end}", "kept", source, kept, schemas.kept(FEATURES)),
                shard(
                    folder, f"provenance/{source}/dropped-{end}", "dropped", source, dropped, schemas.dropped(FEATURES)
                ),
                shard(folder, f"provenance/{source}/clusters-{end}", "clusters", source, standing, schemas.CLUSTERS),
            ]
    for name, kind in names.DOCUMENTS.items():
        (folder / name).write_text(DOCUMENTS[name])
        entries.append(_file(folder, name, kind, None, None))
    sources = [_source(name, rows[name], (artifacts or ARTIFACTS)[name]) for name in rows]
    trees = trees_of(folder, entries, [artifact["purl"] for source in sources for artifact in source["artifacts"]])
    (folder / "manifest.json").write_bytes(
        manifest.statement(
            recipe=recipe(formats),
            lock={"artifacts": [{"source": s["name"], **a} for s in sources for a in s["artifacts"]]},
            code={"package": "pellucid", "version": "0.1.0", "sha256": "c" * 64},
            environment={"requirements_sha256": None, "packages": {"pyarrow": pa.__version__}},
            stages=[{"name": "curate", "code_sha256": "d" * 64}],
            sources=sources,
            files=entries,
            index=trees,
            against=against,
            extractors=extractors,
        )
    )
    sign_again(folder, key)
    return folder


def clusters(rows: Corpus) -> dict[str, list[Row]]:
    """What the duplicates among the rows make of their kept documents, by source."""
    found: dict[str, dict[str, list[Row]]] = {source: {} for source in rows}
    for fates in rows.values():
        for row in fates["dropped"]:
            if row["stage"] == "dedup" and row.get("kept_release") is None:
                found.get(row["kept_source"], {}).setdefault(row["kept_id"], []).append(row)
    return {
        source: in_order([_cluster(source, kept, copies) for kept, copies in of_source.items() if _is_id(kept)])
        for source, of_source in found.items()
    }


def _is_id(value: str | None) -> bool:
    return bool(value) and len(value or "") == 32 and set(value or "") <= set("0123456789abcdef")


def _cluster(source: str, kept: str, copies: list[Row]) -> Row:
    exact = sum(row["reason"] == "exact_duplicate" for row in copies)
    ordered = sorted(copies, key=lambda row: (-(row["similarity"] or 0), row["id"]))
    members = [{"id": row["id"], "source": row["source"], "similarity": row["similarity"] or 0} for row in ordered]
    return {
        "id": kept, "source": source, "documents": len(copies) + 1, "exact_duplicates": exact,
        "near_duplicates": len(copies) - exact, "members": members,
    }  # fmt: skip


def other(name: str = "other", release_id: str = "ab" * 32) -> Row:
    """What a manifest says of a release that it was built against."""
    return {"release_id": release_id, "name": name, "version": "1.0"}


# The source whose rows `pages` makes pages, and what else `write` has to be told then.
PAGED = {
    "formats": {"notes": {"kind": "html", "extractor": "default"}},
    "extractors": [{"name": "pellucid", "version": "1", "model_sha256": "f" * 64}],
}


def pages(made: Corpus) -> Corpus:
    """The same rows, those of `notes` with accounts as rows of pages have them."""
    for fate, rows in made["notes"].items():
        for number, row in enumerate(rows):
            if fate == "kept" or row["stage"] in ("judge", "dedup"):
                row.update(account(100 + number, [("footer", 1, 7), ("navigation", 3, 40 + number)]))
            elif row["stage"] == "extract":
                row.update(account(0, [("link_list", 2, 60)]), reason="no_main_content")
    return made


def account(kept: int, cuts: list[tuple[str, int, int]]) -> Row:
    """The columns of a page's account that add up."""
    listed = [dict(zip(("reason", "blocks", "characters"), cut, strict=True)) for cut in cuts]
    visible = kept + sum(characters for _, _, characters in cuts)
    return {"extractor": "pellucid/1", "visible_characters": visible, "kept_characters": kept, "cuts": listed}


def recipe(formats: dict[str, Row] | None = None) -> dict[str, Any]:
    return {
        "name": "small", "version": "1", "description": "two sources", "dedup": {"exact": True, "near": {"threshold": 0.8}},
        "sources": [
            {"name": name, "license": LICENCES[name], "format": (formats or {}).get(name, {"kind": "text"})}
            for name in SHARDS
        ],
    }  # fmt: skip


def sign_again(
    folder: Path, key: Ed25519PrivateKey = KEY, edit: Callable[[dict[str, Any]], object] | None = None
) -> None:
    """Sign manifest and run document as they are after `edit` of the manifest's predicate; no rule is asked."""
    path = folder / "manifest.json"
    if edit:
        predicate = json.loads(path.read_bytes())["predicate"]
        edit(predicate)
        list_again(predicate)
        path.write_bytes(manifest.encode(predicate))
    data = path.read_bytes()
    (folder / "manifest.dsse.json").write_bytes(dsse.sign(data, intoto.PAYLOAD_TYPE, key))
    release_id = hashlib.sha256(data).hexdigest()
    small = checkpoint.statement(release_id, json.loads(data)["predicate"])
    (folder / checkpoint.NAME).write_bytes(dsse.sign(small, intoto.PAYLOAD_TYPE, key))
    sign_run(folder, release_id, key)


def sign_run(folder: Path, release_id: str, key: Ed25519PrivateKey = KEY) -> None:
    """Of code that git does not track (the release's folder), which git need be asked once for."""
    stated = json.loads((folder / "manifest.json").read_bytes())["predicate"]
    report = folder / "report.html"
    if not report.exists():
        report.write_text("<!doctype html>\n<title>small</title>\n" + "<p>Two sources.</p>\n" * 20)
    document = run.run_statement(
        stated,
        release_id=release_id,
        report=_sha256(report.read_bytes()),
        started=0,
        finished=60,
        seconds={"curate": 1.5},
        workers=2,
        package=folder,
    )
    (folder / "run.dsse.json").write_bytes(dsse.sign(document, intoto.PAYLOAD_TYPE, key))


def with_documents(folder: Path) -> Path:
    """Put the documents of a build in the place of the short ones."""

    def described(predicate: dict[str, Any]) -> None:
        shards = [file for file in predicate["files"] if file["rows"] is not None]
        stated = (predicate[key] for key in ("recipe", "totals", "sources"))
        for name, data in survey.documents_of(folder, *stated, shards, predicate["against"]).items():
            (folder / name).write_bytes(data)

    hash_again(folder)  # Croissant has the digests of the files as they are now
    hash_again(folder, described)
    return folder


def hash_again(folder: Path, edit: Callable[[dict[str, Any]], object] | None = None) -> None:
    """Let the manifest say the digests and sizes that the files have now, after `edit`, and sign it."""

    def update(predicate: dict[str, Any]) -> None:
        if edit:
            edit(predicate)
        for entry in predicate["files"]:
            data = (folder / entry["name"]).read_bytes()
            entry.update(sha256=hashlib.sha256(data).hexdigest(), bytes=len(data))
        purls = [artifact["purl"] for source in predicate["sources"] for artifact in source["artifacts"]]
        predicate["roots"].update(trees_of(folder, predicate["files"], purls))

    sign_again(folder, KEY, update)


def list_again(predicate: dict[str, Any]) -> None:
    """The roots that follow from the manifest's lists; of lists that have lost their form, nothing."""
    with contextlib.suppress(TypeError, KeyError, ValueError, AttributeError, OverflowError):
        predicate["roots"].update(roots.listed(predicate["sources"], predicate["files"]))


def trees_of(folder: Path, files: list[Row], purls: list[str]) -> Row:
    """The content root of each file's rows, put into its entry, and the roots of the index trees.

    Files that are no Parquet of their kind keep the root that they have: they are refused before anybody asks for it.
    """
    parts = [index.of_artifacts(purls)]
    for entry in files:
        with contextlib.suppress(*UNREADABLE, TypeError, AttributeError):
            if entry["rows"] is not None:
                data = (folder / entry["name"]).read_bytes()
                entry["root"] = _root(entry["kind"], data)
                parts += _index_parts(entry["kind"], data)
    return index.roots(index.together(parts))


@lru_cache(maxsize=1000)
def _root(kind: str, data: bytes) -> str:
    """The content root of a Parquet file's rows, in hex."""
    table = pq.read_table(pa.py_buffer(data))
    if kind == "data":
        digests = [_sha256(text.encode()) for text in table.column("text").to_pylist()]
        table = table.append_column("text_sha256", pa.array(digests, pa.string()))
    return leaves.content_root(kind, table).hex()


@lru_cache(maxsize=1000)
def _index_parts(kind: str, data: bytes) -> list[Any]:
    """What a Parquet file puts into the index trees."""
    if kind not in ("kept", "dropped"):
        return []
    table = pq.read_table(pa.py_buffer(data))
    texts = bytes.fromhex("".join(table.column("text_sha256").to_pylist())) if kind == "kept" else b""
    rows = table.select(list(index.COLUMNS)).combine_chunks().to_batches()
    return [index.of_rows(kind, batch, texts) for batch in rows]


def shard(folder: Path, name: str, kind: str, source: str | None, rows: list[Row], schema: pa.Schema) -> Row:
    """Write one Parquet file and return its entry in the manifest."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    named = [{column: row.get(column) for column in schema.names} for row in rows]
    with pq.ParquetWriter(path, schema, compression="zstd", store_schema=False) as writer:
        if rows:  # as a build does: `datasets` cannot read a row group of no rows
            writer.write_table(pa.Table.from_pylist(named, schema), row_group_size=7)
    return _file(folder, name, kind, source, [row["id"] for row in rows])


def _file(folder: Path, name: str, kind: str, source: str | None, ids: list[str] | None) -> Row:
    data = (folder / name).read_bytes()
    return {
        "name": name, "kind": kind, "source": source, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data),
        "rows": None if ids is None else len(ids),
        "leaves": None if ids is None else len(ids), "root": None if ids is None else merkle.EMPTY.hex(),
        "first_id": ids[0] if ids else None, "last_id": ids[-1] if ids else None,
    }  # fmt: skip


def _of_shard(rows: list[Row], number: int, shards: int, order: bool) -> list[Row]:
    mine = [row for row in rows if int(row["id"][:8], 16) * shards >> 32 == number]
    return in_order(mine) if order else mine


def _source(name: str, fates: dict[str, list[Row]], artifacts: list[tuple[str, bytes]]) -> Row:
    reasons = Counter((row["stage"], row["reason"]) for row in fates["dropped"])
    read = Counter(row["artifact_sha256"] for rows in fates.values() for row in rows)
    return {
        "name": name,
        "license": LICENCES[name],
        "read": read.total(),
        "kept": len(fates["kept"]),
        "dropped": len(fates["dropped"]),
        "text_bytes": sum(row["text_bytes"] for row in fates["kept"]),
        "reasons": [{"stage": stage, "reason": reason, "documents": n} for (stage, reason), n in reasons.items()],
        "extraction": _extraction([row for rows in fates.values() for row in rows]),
        "skipped_pairs": 0,
        "artifacts": [
            {
                "purl": purl, "file": purl.partition("/")[2], "size": len(content), "sha256": _sha256(content),
                "read": read[_sha256(content)], "evidence": [{"member": "LICENSE", "sha256": "e" * 64}],
            }
            for purl, content in artifacts
        ],
    }  # fmt: skip


def _extraction(rows: list[Row]) -> Row:
    """What rows say of their pages, summed as the manifest has it."""
    paged = [row for row in rows if row.get("extractor") is not None]
    found: dict[str, Row] = {}
    for cut in (cut for row in paged for cut in row["cuts"]):
        one = found.setdefault(cut["reason"], {"reason": cut["reason"], "blocks": 0, "characters": 0})
        one |= {name: one[name] + cut[name] for name in ("blocks", "characters")}
    return {
        "pages": len(paged),
        "visible_characters": sum(row["visible_characters"] or 0 for row in paged),
        "kept_characters": sum(row["kept_characters"] or 0 for row in paged),
        "cuts": [found[reason] for reason in sorted(found)],
    }


def _origin(source: str, number: int) -> Row:
    """The columns of a record's origin; pointers of every form, with names that JSON must escape."""
    purl, content = ARTIFACTS[source][number % len(ARTIFACTS[source])]
    pointer = (
        Pointer(f'docs/{number}/"ä"\t\x1f\x7f\\.txt', 0, 10 + number, 0),
        Pointer(f"docs/{number}.json", None, None, number, f"/a~1b/{number}/ü"),
        Pointer(None, number * 100, None, number),
    )[number % 3]
    return {
        "id": document_id(_sha256(content), pointer), "source": source, "purl": purl, "artifact_sha256": _sha256(content),
        "member": pointer.member, "offset": pointer.offset, "length": pointer.length, "record": pointer.record,
        "path": pointer.path, "record_hmac": _hmac(b"%d" % number), "record_bytes": 10, "cuts": [], "edits": [],
        "decisions": [], "failed": [],
    }  # fmt: skip


def _with_text(row: Row, text: str) -> Row:
    encoded = text.encode()
    return {
        **row, "text": text, "title": None, "text_sha256": _sha256(encoded), "text_hmac": _hmac(encoded),
        "text_bytes": len(encoded), "exact_sha256": _sha256(" ".join(text.split()).encode()),
        "exact_hmac": _hmac(" ".join(text.split()).encode()), "url": f"{row['purl']}#{row['id']}",
        "charset": "utf-8", "language": "en", "language_score": 900_000, "license": LICENCES[row["source"]],
        "measures": {"characters": len(text), "words": len(text.split())},
    }  # fmt: skip


def _judged(row: Row, number: int) -> Row:
    draw = random.Random(f"{row['source']}{number}")
    text = (
        " ".join("".join(draw.choices("abcdeéłж漢", k=draw.randint(2, 8))) for _ in range(draw.randint(60, 120))) + "\n"
    )
    row = _with_text(row, text)
    row["decisions"] = [
        decision("too_short", len(text) * MILLION, 200 * MILLION, None),
        decision("language_score", 900_000, 0, 1_000_000),
    ]
    if number % 3 == 0:
        row["edits"] = [edit(text + "!?", text + "!"), edit(text + "!", text)]
    return row


def _judge_drop(row: Row) -> Row:
    row = _with_text(row, f"short {row['id']}")
    decisions = [
        decision("language", MILLION, MILLION, None),
        decision("too_short", row["measures"]["characters"] * MILLION, 200 * MILLION, None),
        decision("symbols", 300_000, None, 100_000),
    ]
    failing = decisions[1:]
    return {
        **row, "decisions": decisions, "failed": [one["reason"] for one in failing], "stage": "judge", **failing[0]
    }  # fmt: skip


def _unread(source: str, number: int, stage: str, reason: str) -> Row:
    return {**_origin(source, number), "stage": stage, "reason": reason, "detail": "seen so"}


def _duplicate(row: Row, kept: Row) -> Row:
    row = _with_text(row, kept["text"].strip())  # shorter, so the other comes first
    return {
        **row, "decisions": kept["decisions"], "stage": "dedup", "reason": "exact_duplicate", "kept_id": kept["id"],
        "kept_source": kept["source"], "kept_release": None, "similarity": MILLION,
    }  # fmt: skip


def edit(before: str, after: str) -> Row:
    return {
        "edit": "c4", "spans": 1, "characters": len(before) - len(after), "before_hmac": _hmac(before.encode()),
        "after_hmac": _hmac(after.encode()),
    }  # fmt: skip


def decision(reason: str, value: int, low: int | None, high: int | None) -> Row:
    return {"reason": reason, "value": value, "low": low, "high": high}


def _hmac(data: bytes) -> str:
    """Of one key for all, which no check can know."""
    return keyed.of(b"k" * 32, data)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
