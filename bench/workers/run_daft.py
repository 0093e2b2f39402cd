"""Daft's `minhash`: 112 permutations of shingles of five words between single spaces, from an Arrow table in memory.

Works: a hash function of Daft's; `murmurhash3` is its default. Its threads share the one core; the clock counts them all.
"""

from typing import Any

import daft
import measure
import pyarrow as pa
from daft.functions import minhash

PERMUTATIONS, WORDS = 112, 5


def prepare(work: str, job: dict[str, Any]) -> tuple[measure.Work, measure.Work, dict[str, Any]]:
    texts = measure.read(job["documents"])

    def run(some: Any = texts) -> Any:
        column = minhash(daft.col("text"), num_hashes=PERMUTATIONS, ngram_size=WORDS, hash_function=work)
        return daft.from_arrow(pa.table({"text": some})).select(column).collect()

    return lambda: run(texts[: measure.WARM_DOCUMENTS]), run, measure.facts(texts.to_pylist())


if __name__ == "__main__":
    measure.main(prepare, ("daft",))
