"""rensa: signatures of 112 permutations of a text's set of word 5-grams, 100 texts at once, without an object for each.

Works: `texts`, where Python makes the 5-grams as rensa has no tokeniser; `shingles`, where they exist beforehand as strings.
"""

from typing import Any

import measure
from rensa import RMinHash

PERMUTATIONS, SEED = 112, 1
BULK = 100  # texts


def prepare(work: str, job: dict[str, Any]) -> tuple[measure.Work, measure.Work, dict[str, Any]]:
    texts = measure.read(job["documents"]).to_pylist()
    made = [measure.word_ngrams(text) for text in texts] if work == "shingles" else []

    def run(count: int = len(texts)) -> None:
        for start in range(0, count, BULK):
            sets = made[start : start + BULK] or [measure.word_ngrams(text) for text in texts[start : start + BULK]]
            RMinHash.digest_matrix_from_token_sets(sets, PERMUTATIONS, SEED)

    return lambda: run(measure.WARM_DOCUMENTS), run, measure.facts(texts)


if __name__ == "__main__":
    measure.main(prepare, ("rensa",))
