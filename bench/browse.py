"""How long the pages of `pellucid browse` take, on a release of any size.

    .venv/bin/python bench/browse.py build/workstation
    .venv/bin/python bench/browse.py --make 10000000 --out /somewhere/large     makes it first; then measures it

Starts the command itself and asks it by HTTP, one request at a time: of each page the first answer after the start, the
median and the longest of the next, and the median of the CPU time that the command's process took for them, all its threads
together: that is what other work on the machine changes least. Needs no network; leaves the made release where it is.

Records that are read again from the artifact cache are asked for once each, RECORDS of them that a seed draws: how long
until the page begins, and until it ends. Where the first one's artifact is not in the cache there are none, and it says so.

A made release has ids, URLs, decisions, languages and reasons as a real one has them, in shards and row groups as a build
writes them, of four sources. Its texts are short (some 300 characters), and of its digests only one a row is random: pages that
read whole texts are quicker on it than on texts of 6 kB, all others are not.
"""

import argparse
import contextlib
import hashlib
import http.client
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq

from pipeline.release import parquet, schemas
from pipeline.trust import extraction, manifest, merkle, names

SOURCES = ("books", "forums", "manuals", "web")
KEPT_SHARE = 0.7
RECORDS = 200
FEATURES = ("characters", "words", "lines", "stop_words")
CHECKS = (
    "too_short",
    "too_long",
    "language_score",
    "gopher_short_doc",
    "gopher_below_alpha_threshold",
    "gopher_enough_stop_words",
)
LANGUAGES = ("en", "de", "fr", "es", "is")
REASONS = ("too_short", "gopher_short_doc", "language_score", "near_duplicate")
MILLION = 1_000_000
HEX = np.frombuffer("".join(f"{byte:02x}" for byte in range(256)).encode(), np.uint8).reshape(256, 2)
Bytes = npt.NDArray[np.uint8]


def make(rows: int, out: Path) -> None:
    draw = np.random.default_rng(1)
    shards = max(1, rows // 400_000)
    words = " ".join(f"{one}" for one in draw.integers(0, 50_000, 200_000)).replace("1", "the ").replace("7", "e")
    files: list[dict[str, Any]] = []
    sources = []
    for source in SOURCES:
        totals: Counter[str] = Counter()
        reasons: Counter[str] = Counter()
        parts = np.frombuffer(draw.bytes(16 * (rows // len(SOURCES))), np.uint8).reshape(-1, 16)
        words_of = parts.view(">u8")
        parts = parts[np.lexsort((words_of[:, 1], words_of[:, 0]))]
        place = parts[:, :4].astype(np.uint64) @ np.array([1 << 24, 1 << 16, 1 << 8, 1], np.uint64)
        for number in range(shards):
            mine = parts[(place * shards) >> np.uint64(32) == number]
            kept = draw.random(len(mine)) < KEPT_SHARE
            end = f"{number:05d}-of-{shards:05d}.parquet"
            data, provenance = _kept(mine[kept], source, words, draw)
            dropped = _dropped(mine[~kept], source, draw)
            clusters = _clusters(provenance, source)
            for kind, stem, table, schema in (
                ("data", f"data/{source}/train-{end}", data, schemas.DATA),
                ("kept", f"provenance/{source}/kept-{end}", provenance, schemas.kept(FEATURES)),
                ("dropped", f"provenance/{source}/dropped-{end}", dropped, schemas.dropped(FEATURES)),
                ("clusters", f"provenance/{source}/clusters-{end}", clusters, schemas.CLUSTERS),
            ):
                path = out / stem
                path.parent.mkdir(parents=True, exist_ok=True)
                parquet.write(table, path, schema)
                files.append(_entry(stem, kind, source, path, table))
            totals.update(
                kept=len(provenance),
                dropped=len(dropped),
                text_bytes=int(pa.compute.sum(provenance["text_bytes"]).as_py()),
            )
            reasons.update(dropped["reason"].to_pylist())
            print(f"{source} {number + 1} of {shards}", file=sys.stderr, flush=True)
        sources.append(_source(source, totals, reasons))
    data = b"made for bench/browse.py\n"
    for name, kind in names.DOCUMENTS.items():
        (out / name).write_bytes(data)
        no_rows = dict.fromkeys(("source", "rows", "leaves", "root", "first_id", "last_id"))
        files.append(
            {**no_rows, "name": name, "kind": kind, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
        )
    (out / "manifest.json").write_bytes(_manifest(files, sources))


def _hex(data: Bytes) -> pa.Array:
    """Lower-case hex of each row."""
    width = data.shape[1] * 2
    buffer = pa.py_buffer(HEX[data].tobytes())
    offsets = pa.py_buffer(np.arange(len(data) + 1, dtype=np.int32) * width)
    return pa.StringArray.from_buffers(len(data), offsets, buffer)


def _same(value: str | None, count: int) -> pa.Array:
    return pa.repeat(pa.scalar(value, pa.string()), count)


def _common(ids: Bytes, source: str, draw: np.random.Generator) -> dict[str, Any]:
    count = len(ids)
    numbers = draw.integers(0, 10**9, count).astype(str)
    host = pa.array(
        np.char.add(np.char.add(f"https://{source}", (draw.integers(0, 500, count)).astype(str)), ".example.org/page/")
    )
    digest, zeros = _same("ab" * 32, count), pa.array(np.zeros(count, np.int64))
    none = pa.nulls(count, pa.int64())
    length = draw.lognormal(5.5, 0.5, count).astype(np.int64)
    values = {
        "too_short": length, "too_long": length, "language_score": draw.random(count), "gopher_short_doc": length // 6,
        "gopher_below_alpha_threshold": draw.beta(9, 2, count), "gopher_enough_stop_words": draw.integers(0, 30, count),
    }  # fmt: skip
    bounds = (100, None), (None, 100_000), (0.2, None), (50, None), (0.7, None), (2, None)
    flat = np.stack([(values[name] * MILLION).astype(np.int64) for name in CHECKS], axis=1).reshape(-1)
    low, high = ([None if pair[side] is None else int(pair[side] * MILLION) for pair in bounds] for side in (0, 1))
    items = pa.StructArray.from_arrays(
        [pa.DictionaryArray.from_arrays(pa.array(np.tile(np.arange(len(CHECKS)), count)), pa.array(CHECKS)).cast(pa.string()),
         pa.array(flat), pa.array(low, pa.int64()).take(pa.array(np.tile(np.arange(len(CHECKS)), count))),
         pa.array(high, pa.int64()).take(pa.array(np.tile(np.arange(len(CHECKS)), count)))],
        fields=list(schemas.DECISION),
    )  # fmt: skip
    return {
        "id": _hex(ids), "source": _same(source, count), "purl": _same(f"pkg:pypi/{source}@1.0", count),
        "artifact_sha256": _same("cd" * 32, count), "member": pa.array(np.char.add("docs/", numbers)),
        "offset": zeros, "length": pa.array(length), "record": zeros,
        "path": _same(None, count), "record_hmac": digest, "record_bytes": pa.array(length),
        "url": pa.compute.binary_join_element_wise(host, pa.array(numbers), ""), "charset": _same("utf-8", count),
        "extractor": _same(None, count), "visible_characters": none, "kept_characters": none,
        "cuts": pa.ListArray.from_arrays(pa.array(np.zeros(count + 1, np.int32)), pa.array([], schemas.CUT)),
        "text_sha256": _hex(np.frombuffer(draw.bytes(32 * count), np.uint8).reshape(-1, 32)), "exact_sha256": digest,
        "text_hmac": digest, "text_bytes": pa.array(length), "exact_hmac": digest,
        "language": pa.array(LANGUAGES).take(pa.array(draw.choice(5, count, p=(0.8, 0.1, 0.06, 0.039, 0.001)))),
        "language_score": pa.array((values["language_score"] * MILLION).astype(np.int64)),
        "edits": pa.ListArray.from_arrays(pa.array(np.zeros(count + 1, np.int32)), pa.array([], schemas.EDIT)),
        "measures": pa.StructArray.from_arrays([pa.array(length)] * len(FEATURES), names=list(FEATURES)),
        "decisions": pa.ListArray.from_arrays(pa.array(np.arange(count + 1, dtype=np.int32) * len(CHECKS)), items),
    }  # fmt: skip


def _kept(ids: Bytes, source: str, words: str, draw: np.random.Generator) -> tuple[pa.Table, pa.Table]:
    columns = _common(ids, source, draw)
    starts = draw.integers(0, len(words) - 4000, len(ids))
    lengths = np.minimum(columns["text_bytes"].to_numpy(), 4000)
    columns["text_bytes"] = columns["length"] = pa.array(lengths)
    text = pa.array(
        [words[start : start + length] for start, length in zip(starts.tolist(), lengths.tolist(), strict=True)]
    )
    data = {**{name: columns[name] for name in ("id", "source", "url", "language")}, "text": text}
    data |= {"title": _same(None, len(ids)), "license": _same("CC0-1.0", len(ids))}
    kept = schemas.kept(FEATURES)
    return pa.table(data), pa.table({name: columns[name] for name in kept.names})


def _dropped(ids: Bytes, source: str, draw: np.random.Generator) -> pa.Table:
    columns, count = _common(ids, source, draw), len(ids)
    chosen = draw.choice(len(REASONS), count, p=(0.4, 0.3, 0.2, 0.1))
    near = chosen == 3
    values = pa.array(np.where(near, 0, 10 * MILLION), mask=near)
    columns |= {
        "failed": pa.ListArray.from_arrays(pa.array(np.zeros(count + 1, np.int32)), pa.array([], pa.string())),
        "stage": pa.array(["judge", "dedup"]).take(pa.array(near.astype(np.int64))),
        "reason": pa.array(REASONS).take(pa.array(chosen)), "detail": _same(None, count), "value": values, "low": values,
        "high": pa.nulls(count, pa.int64()), "kept_id": pa.compute.if_else(pa.array(near), columns["id"], None),
        "kept_source": pa.compute.if_else(pa.array(near), columns["source"], None), "kept_release": _same(None, count),
        "similarity": pa.array(draw.integers(800_000, MILLION, count), mask=~near),
        "bands": pa.array(draw.integers(1, 14, count), mask=~near),
    }  # fmt: skip
    return pa.table({name: columns[name] for name in schemas.dropped(FEATURES).names})


def _clusters(kept: pa.Table, source: str) -> pa.Table:
    """One for every fiftieth kept document, of two to some hundred documents."""
    ids = kept["id"].combine_chunks().take(pa.array(np.arange(0, len(kept), 50)))
    sizes = np.maximum(1, 200 // (1 + np.arange(len(ids)) % 400))
    total = int(sizes.sum())
    members = pa.StructArray.from_arrays(
        [
            ids.take(pa.array(np.repeat(np.arange(len(ids)), sizes))),
            _same(source, total),
            pa.array(np.full(total, 900_000)),
        ],
        fields=list(schemas.MEMBER),
    )
    offsets = pa.array(np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32))
    return pa.table(
        {
            "id": ids, "source": _same(source, len(ids)), "documents": pa.array(sizes + 1),
            "exact_duplicates": pa.array(np.zeros(len(ids), np.int64)), "near_duplicates": pa.array(sizes),
            "members": pa.ListArray.from_arrays(offsets, members),
        }
    )  # fmt: skip


def _entry(name: str, kind: str, source: str, path: Path, table: pa.Table) -> dict[str, Any]:
    ends = [table["id"][0].as_py(), table["id"][-1].as_py()] if len(table) else [None, None]
    return {
        "name": name, "kind": kind, "source": source, "sha256": "0" * 64, "bytes": path.stat().st_size, "rows": len(table),
        "leaves": len(table), "root": merkle.EMPTY.hex(), "first_id": ends[0], "last_id": ends[1],
    }  # fmt: skip


def _source(name: str, totals: Counter[str], reasons: Counter[str]) -> dict[str, Any]:
    read = totals["kept"] + totals["dropped"]
    artifact = {
        "purl": f"pkg:pypi/{name}@1.0", "file": f"{name}-1.0.tar.gz", "size": 1, "sha256": "cd" * 32, "read": read,
        "evidence": [{"member": "LICENSE", "sha256": "ef" * 32}],
    }  # fmt: skip
    stages = {reason: "dedup" if reason == "near_duplicate" else "judge" for reason in reasons}
    return {
        "name": name, "license": "CC0-1.0", "read": read, **{key: totals[key] for key in ("kept", "dropped", "text_bytes")},
        "reasons": [{"stage": stages[reason], "reason": reason, "documents": n} for reason, n in reasons.items()],
        "extraction": extraction.summed(()), "skipped_pairs": 0, "artifacts": [artifact],
    }  # fmt: skip


def _manifest(files: list[dict[str, Any]], sources: list[dict[str, Any]]) -> bytes:
    recipe = {
        "name": "large", "version": "1", "description": "made for bench/browse.py", "dedup": {"near": {"threshold": 0.8}},
        "sources": [{"name": name, "license": "CC0-1.0", "format": {"kind": "text"}} for name in SOURCES],
    }  # fmt: skip
    empty = {"size": 0, "root": merkle.EMPTY.hex()}
    return manifest.statement(
        recipe=recipe, lock={"artifacts": [{"source": one["name"], **a} for one in sources for a in one["artifacts"]]},
        code={"package": "pellucid", "version": "0", "sha256": "0" * 64},
        environment={"requirements_sha256": None, "packages": {}}, stages=[], sources=sources, files=files,
        index=dict.fromkeys(("ids", "urls", "domains", "texts"), empty),  # type: ignore[arg-type]
    )  # fmt: skip


def pages(release: Path) -> dict[str, str]:
    """What is asked, with ids that the release has."""
    stated = json.loads((release / "manifest.json").read_bytes())["predicate"]
    middle = {
        kind: (rows := pq.read_table(release / name, columns=["id"])["id"])[len(rows) // 2].as_py()
        for kind in ("kept", "dropped", "clusters")
        for name in [max((f["rows"], f["name"]) for f in stated["files"] if f["kind"] == kind)[1]]
    }
    source = max(stated["sources"], key=lambda one: one["read"])["name"]
    reason = max(
        (row for row in stated["totals"]["reasons"] if row["stage"] == "judge"), key=lambda row: row["documents"]
    )["reason"]
    half = "8" + "0" * 31
    return {
        "summary": "/",
        "sources": "/sources",
        "one source, its languages": f"/sources/{source}",
        "documents, first page": "/documents",
        "documents, a page in the middle": f"/documents?after={half}",
        "the page before it": f"/documents?before={half}",
        "dropped of one source": f"/documents?fate=dropped&source={source}",
        "of one reason": f"/documents?reason={reason}",
        "of one language and a range of scores": "/documents?language=de&min_score=0.9",
        "of a rare language": "/documents?language=is",
        "of a range of a decision": "/documents?decision=too_short&low=300&high=310",
        "of a domain": "/documents?under=books7.example.org",
        "of a domain that is not there": "/documents?under=nowhere.example",
        "words that are frequent": "/documents?text=the+",
        "words that are nowhere": "/documents?text=zqxjkv",
        "reasons": "/reasons",
        "one reason, its values": f"/reasons/{reason}",
        "clusters": "/clusters",
        "licences": "/licenses",
        "manifest": "/manifest",
        # Last, since each begins to read its record, which goes on beside what follows.
        "a kept document": f"/documents/{middle['kept']}",
        "a dropped document": f"/documents/{middle['dropped']}",
        "a kept document with duplicates": f"/documents/{middle['clusters']}",
    }


@contextlib.contextmanager
def browsed(release: Path) -> Iterator[tuple[int, int]]:
    """`pellucid browse` on a release, by a configuration of its own: process id and port."""
    command = [
        sys.executable,
        "-c",
        "from pipeline.cli import main; main()",
        "browse",
        str(release),
        "--port",
        "0",
        "--no-open",
        "--json",
    ]
    with tempfile.TemporaryDirectory() as config:
        environment = {**os.environ, "PELLUCID_CONFIG": config}
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
            assert process.stdout is not None
            try:
                yield process.pid, int(json.loads(process.stdout.readline())["url"].rstrip("/").rpartition(":")[2])
            finally:
                process.terminate()


def asked(port: int, path: str) -> tuple[float, float, int, bytes]:
    """Seconds until the page begins and until it ends, its status, its bytes."""
    start = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", path)
    answer = connection.getresponse()
    first = answer.read(1)
    begun = time.perf_counter() - start
    whole = first + answer.read()
    connection.close()
    return begun, time.perf_counter() - start, answer.status, whole


def measure(process: int, port: int, paths: dict[str, str], times: int) -> None:
    """Print of each page: the first answer, the median and the longest of the next, and their CPU time."""
    print("| page | first, ms | median, ms | longest, ms | CPU, ms |\n|---|--:|--:|--:|--:|")
    for name, path in paths.items():
        taken, spent, status = [], [], 200
        for _ in range(times + 1):
            before = _cpu(process)
            _, seconds, status, _ = asked(port, path)
            taken.append(seconds)
            spent.append(_cpu(process) - before)
        said = "" if status == 200 else f" ({status})"
        figures = taken[0], statistics.median(taken[1:]), max(taken[1:]), statistics.median(spent[1:])
        print(f"| {name}{said} | {' | '.join(f'{figure * 1e3:.0f}' for figure in figures)} |", flush=True)


def records(port: int, release: Path) -> None:
    """Print how long pages of records take that nobody has asked for before."""
    ids = {
        kind: pa.concat_tables(
            pq.read_table(path, columns=["id"]) for path in sorted(release.glob(f"provenance/*/{kind}-*.parquet"))
        )["id"].to_pylist()
        for kind in ("kept", "dropped")
    }
    chosen = random.Random(1).sample([*ids["kept"], *ids["dropped"]], RECORDS)
    if json.loads(asked(port, f"/documents/{chosen[0]}/record.json")[3]).get("why"):
        print("\nNo record was read again: the artifacts of this release are not in the cache.")
        return
    print("\n| record, asked for the first time | median, ms | 95 of 100, ms | longest, ms |\n|---|--:|--:|--:|")
    taken = [asked(port, f"/documents/{identifier}/record")[:2] for identifier in chosen[1:]]
    for name, which in (("until the page begins", 0), ("until it ends", 1)):
        seconds = sorted(pair[which] for pair in taken)
        figures = statistics.median(seconds), seconds[int(len(seconds) * 0.95)], seconds[-1]
        print(f"| {name} | {' | '.join(f'{figure * 1e3:.0f}' for figure in figures)} |")


def _cpu(process: int) -> float:
    """Seconds of CPU of a process and its threads so far (proc(5): utime, stime); 0 where the system does not tell."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("release", nargs="?", type=Path)
    options.add_argument("--make", type=int, metavar="ROWS")
    options.add_argument("--out", type=Path, default=Path("build/large"))
    options.add_argument("--times", type=int, default=5)
    given = options.parse_args()
    release = given.release or given.out
    if given.make:
        make(given.make, release)
    with browsed(release) as (process, port):
        measure(process, port, pages(release), given.times)
        records(port, release)


if __name__ == "__main__":
    main()
