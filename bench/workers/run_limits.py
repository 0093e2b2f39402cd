"""The least that must be done to the same texts, whatever the rules: what no rewriting of ours can be faster than."""

import gzip
import hashlib
import io
import json
from itertools import pairwise
from typing import Any

import measure
import numba
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import zstandard

from pipeline.kernels.arrow import utf8_buffers


@numba.njit(nogil=True)
def _words(data: Any, offsets: Any) -> Any:
    """Words between ASCII white space, each hashed byte by byte; the sum, so that nothing can be left out."""
    total = np.uint64(0)
    for d in range(len(offsets) - 1):
        hashed, inside = np.uint64(0), False
        for at in range(offsets[d], offsets[d + 1]):
            byte = data[at]
            if byte == 32 or 9 <= byte <= 13:
                if inside:
                    total += hashed
                hashed, inside = np.uint64(0), False
            else:
                hashed = (hashed ^ np.uint64(byte)) * np.uint64(0x9E3779B97F4A7C15)
                inside = True
        total += hashed
    return total


def hashed(texts: Any) -> None:
    data = memoryview(texts.buffers()[2])
    offsets = np.frombuffer(texts.buffers()[1], np.int64)[: len(texts) + 1].tolist()
    for start, end in pairwise(offsets):
        hashlib.sha256(data[start:end]).digest()


def compressed(texts: Any) -> None:
    compressor = zstandard.ZstdCompressor(level=3).compressobj()
    data = memoryview(texts.buffers()[2])
    for start in range(0, len(data), 1 << 20):
        compressor.compress(data[start : start + (1 << 20)])
    compressor.flush()


def json_lines(path: str) -> None:
    compressor = zstandard.ZstdCompressor(level=3).compressobj()
    with gzip.open(path, "rb") as stream:
        for line in stream:
            text = json.loads(line)["text"].encode()
            hashlib.sha256(text).digest()
            compressor.compress(text)
    compressor.flush()


def packed_lines(texts: list[str]) -> bytes:
    lines = "".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts)
    return gzip.compress(lines.encode(), 1)


def parse(compressed: bytes) -> None:
    with gzip.open(io.BytesIO(compressed), "rb") as stream:
        for line in stream:
            json.loads(line)


def prepare(work: str, job: dict[str, Any]) -> tuple[measure.Work, measure.Work, dict[str, Any]]:
    path = job["documents"]
    texts = measure.read(path)
    facts = {"documents": len(texts), "bytes": int(pc.sum(pc.binary_length(texts)).as_py() or 0)}

    offsets, data = utf8_buffers(texts)
    packed = packed_lines(texts.to_pylist()) if work == "parse" else b""

    def run() -> None:
        if work == "json_lines":
            return json_lines(job["json_lines"])
        if work == "parse":
            return parse(packed)
        if work == "words":
            _words(data, offsets)
            return None
        read = measure.read(path)
        hashed(read)
        if work == "compress":
            compressed(read)
        if work == "tokenise":
            read_offsets, read_data = utf8_buffers(read)
            _words(read_data, read_offsets)
        return None

    return run, run, facts


if __name__ == "__main__":
    pa.set_cpu_count(1)
    measure.main(prepare, ("pyarrow", "zstandard"))
