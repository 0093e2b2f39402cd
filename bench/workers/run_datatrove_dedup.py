"""datatrove's four stages of MinHash deduplication, one after the other in one process: signatures, buckets, clusters, filter.

Works: `default` (spaCy's words) and `whitespace` (those of `str.split()`), both after datatrove's own simplification of the
text and with its default of 14 buckets of 8 64-bit hashes. The stages are called without an executor, which would only add.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import measure
from datatrove.data import Document
from datatrove.pipeline.dedup.minhash import (
    MinhashConfig,
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupFilter,
    MinhashDedupSignature,
)
from datatrove.utils.logging import logger
from run_datatrove import Whitespace


def deduplicate(texts: list[str], words: str, signature: Callable[..., Any] = MinhashDedupSignature) -> int:
    """Run the stages in a new folder; returns how many documents are left."""

    def documents() -> Iterator[Document]:
        return (Document(text, str(number), metadata={}) for number, text in enumerate(texts))

    config = MinhashConfig()
    folder = Path(tempfile.mkdtemp())
    try:
        parts = {name: str(folder / name) for name in ("signatures", "buckets", "removed")}
        first = signature(parts["signatures"], config)
        if words == "whitespace":
            first.word_tokenizer = Whitespace()
        first.run(documents(), 0, 1)
        for rank in range(config.num_buckets):
            MinhashDedupBuckets(parts["signatures"], parts["buckets"], config=config).run(
                None, rank, config.num_buckets
            )
        MinhashDedupCluster(parts["buckets"], parts["removed"], config).run(None, 0, 1)
        return sum(1 for _ in MinhashDedupFilter(parts["removed"]).run(documents(), 0, 1))
    finally:
        shutil.rmtree(folder)


def prepare(work: str, job: dict[str, Any]) -> tuple[measure.Work, measure.Work, dict[str, Any]]:
    texts = measure.read(job["documents"]).to_pylist()
    facts = measure.facts(texts)
    if work == "whitespace":
        facts["kept"] = deduplicate(texts, work)
    return lambda: deduplicate(texts[: measure.WARM_DOCUMENTS], work), lambda: deduplicate(texts, work), facts


if __name__ == "__main__":
    logger.remove()
    measure.main(prepare, ("datatrove", "spacy"))
