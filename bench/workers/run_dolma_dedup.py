"""Dolma's paragraph deduplication: a Bloom filter over lines, which marks every line that was seen before, in any document.

Reads .jsonl.gz and writes spans, as it cannot do otherwise: the clock counts gunzip, JSON and gzip of the spans. One thread.
"""

import gzip
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import dolma
import measure


def write(folder: Path, texts: list[str]) -> None:
    folder.mkdir(parents=True)
    with gzip.open(folder / "texts.jsonl.gz", "wt", compresslevel=1) as stream:
        for number, text in enumerate(texts):
            stream.write(json.dumps({"id": str(number), "text": text, "source": ""}, ensure_ascii=False) + "\n")


def deduplicate(folder: Path, lines: int) -> Path:
    """Mark repeated lines of the texts in FOLDER/documents; returns the folder of what it wrote."""
    shutil.rmtree(folder / "attributes", ignore_errors=True)
    (folder / "filter").unlink(missing_ok=True)
    dolma.deduper({
        "documents": [f"{folder}/documents/*.jsonl.gz"],
        "dedupe": {
            "name": "paragraphs", "paragraphs": {"attribute_name": "repeated"}, "skip_empty": True, "min_length": 0,
            "min_words": 0, "num_partitions": 1, "partition_index": 0, "file_partition": False, "document_dir": "documents",
        },
        "bloom_filter": {
            "file": str(folder / "filter"), "read_only": False, "size_in_bytes": 0, "estimated_doc_count": lines,
            "desired_false_positive_rate": 1e-6,
        },
        "work_dir": {"input": str(folder / "in"), "output": str(folder / "out")},
        "processes": 1, "is_s3_volume": False, "compression": {"input": None, "output": None},
    })  # fmt: skip
    return folder / "attributes"


def prepare(work: str, job: dict[str, Any]) -> tuple[measure.Work, measure.Work, dict[str, Any]]:
    texts = measure.read(job["documents"]).to_pylist()
    folder = Path(tempfile.mkdtemp())  # below the folder of the run, which removes it
    write(folder / "documents", texts)
    lines = max(sum(text.count("\n") + 1 for text in texts), 1)
    run = lambda: deduplicate(folder, lines)  # noqa: E731
    marked = next(run().rglob("*.jsonl.gz"))
    with gzip.open(marked, "rt") as stream:
        spans = sum(len(json.loads(line)["attributes"]["repeated"]) for line in stream)
    return run, run, {**measure.facts(texts), "repeated": spans, "lines": lines}


if __name__ == "__main__":
    measure.main(prepare, ("dolma",))
