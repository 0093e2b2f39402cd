"""Artifacts read by other code than the pipeline's: whole files in memory, standard library, random access.

Slow and plain on purpose. What the pipeline streams, this loads; what it cuts by its own readers, this cuts by `zipfile`,
`tarfile`, `dpkg-deb`, `bz2`, regular expressions and DuckDB.
"""

import bz2
import gzip
import io
import json
import lzma
import re
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb


@lru_cache(maxsize=1)
def members(path: Path) -> dict[str, bytes]:
    """Every regular file of an archive by path; a file that is no archive under the name ''."""
    data = path.read_bytes()
    if data.startswith(b"PK"):
        with zipfile.ZipFile(path) as archive:
            return {info.filename: archive.read(info) for info in archive.infolist() if not info.is_dir()}
    if data.startswith(b"!<arch>"):
        data = subprocess.run(["dpkg-deb", "--fsys-tarfile", path], capture_output=True, check=True).stdout
    try:
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            return {
                info.name.removeprefix("./"): archive.extractfile(info).read()  # type: ignore[union-attr]
                for info in archive.getmembers()
                if info.isfile()
            }
    except tarfile.ReadError:
        return {"": data}


def links(path: Path) -> list[str]:
    """Paths of links and devices in a tar, which the pipeline turns into ledger rows."""
    data = path.read_bytes()
    if data.startswith(b"PK"):
        return []
    if data.startswith(b"!<arch>"):
        data = subprocess.run(["dpkg-deb", "--fsys-tarfile", path], capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return [info.name.removeprefix("./") for info in archive.getmembers() if not info.isfile() and not info.isdir()]


def plain(data: bytes) -> bytes:
    """A member's content with its own compression undone."""
    for magic, decompress in ((b"\x1f\x8b", gzip.decompress), (b"BZh", bz2.decompress), (b"\xfd7zXZ", lzma.decompress)):
        if data.startswith(magic):
            return decompress(data)
    return data


def selected(names: list[str], source: Mapping[str, Any]) -> Iterator[str]:
    """Names that the recipe's globs choose."""
    wanted = [_regex(glob) for glob in source["members"]]
    unwanted = [_regex(glob) for glob in source["exclude"]]
    for name in names:
        if any(regex.fullmatch(name) for regex in wanted) and not any(regex.fullmatch(name) for regex in unwanted):
            yield name


def _regex(glob: str) -> re.Pattern[str]:
    """`**/` any number of folders, `**` anything, `*` and `?` within one path segment, `[...]`, `{a,b}`."""
    out, i = "", 0
    while i < len(glob):
        if glob.startswith("**/", i):
            out, i = out + "(?:.*/)?", i + 3
        elif glob.startswith("**", i):
            out, i = out + ".*", i + 2
        elif glob[i] == "*":
            out, i = out + "[^/]*", i + 1
        elif glob[i] == "?":
            out, i = out + "[^/]", i + 1
        elif glob[i] == "[":
            end = glob.index("]", i + 2)
            out, i = out + "[" + glob[i + 1 : end].replace("!", "^", 1) + "]", end + 1
        elif glob[i] == "{":
            end = glob.index("}", i)
            out, i = out + "(?:" + "|".join(map(re.escape, glob[i + 1 : end].split(","))) + ")", end + 1
        else:
            out, i = out + re.escape(glob[i]), i + 1
    return re.compile(out, re.DOTALL)


def count(data: bytes, spec: Mapping[str, Any]) -> int:
    """How many records a member's plain content holds."""
    match spec["kind"]:
        case "text" | "html" | "mail":
            return 1
        case "wikitext":
            return len(re.findall(rb"<page>.*?</page>", data, re.DOTALL))
        case "warc":
            return len(_warc_records(data))
        case "jsonl":
            return sum(1 for line in data.split(b"\n") if line.strip())
        case "parquet":
            return int(duckdb.from_arrow(_parquet(data)).count("*").fetchall()[0][0])
        case "json":
            return sum(1 for _ in _subtrees(json.loads(data), [part for part in spec["records"].split("/") if part]))
    raise ValueError(f"no independent count of {spec['kind']}")


def _warc_records(data: bytes) -> list[int]:
    """Offsets of the records, by their own Content-Length."""
    offsets, at = [], 0
    while at < len(data):
        head_end = data.index(b"\r\n\r\n", at) + 4
        length = int(re.search(rb"(?im)^content-length:\s*(\d+)", data[at:head_end])[1])  # type: ignore[index]
        offsets.append(at)
        at = head_end + length
        while data[at : at + 2] == b"\r\n":
            at += 2
    return offsets


def _subtrees(value: Any, parts: list[str]) -> Iterator[Any]:
    if not parts:
        yield value
        return
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        if parts[0] in ("*", str(key)):
            yield from _subtrees(child, parts[1:])


def _parquet(data: bytes) -> Any:
    import pyarrow.parquet as pq

    return pq.read_table(io.BytesIO(data))
