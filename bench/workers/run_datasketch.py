"""datasketch: signatures of 112 permutations of a text's set of word 5-grams, which Python makes.

Works: the hash function, `sha1` (datasketch's default) or `xxhash` (xxh32).
"""

from typing import Any

import measure
import xxhash
from datasketch import MinHash

PERMUTATIONS, SEED = 112, 1
HASHES = {"sha1": None, "xxhash": xxhash.xxh32_intdigest}


def prepare(work: str, job: dict[str, Any]) -> tuple[measure.Work, measure.Work, dict[str, Any]]:
    def sketch(text: str) -> Any:
        made = MinHash(PERMUTATIONS, SEED, hashfunc=HASHES[work])
        made.update_batch([shingle.encode() for shingle in measure.word_ngrams(text)])
        return made.hashvalues

    return measure.of_strings(job, sketch)


if __name__ == "__main__":
    measure.main(prepare, ("datasketch",))
