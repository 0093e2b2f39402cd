"""Documents for the rows of near duplicates: perturbed copies of real ones, and shapes that are made to be slow."""

import itertools
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from inputs import SEED, sample

from pipeline.kernels import minhash, shingles

# Share of words that a perturbed copy has replaced. Of the 5-grams (1 - r)^5 stay, so that its similarity to the first text is
# about 1, 0.98, 0.90, 0.81, 0.74, 0.39 and 0.02 (medians of 300 documents): equal but for white space, or above 0.8, or below.
REPLACED = (0.0, 0.002, 0.01, 0.02, 0.03, 0.1, 0.5)
UNIT = 1e8  # bytes of a mixture, after which it is the same in another dialect


def perturbed(text: str, copy: int, number: int) -> str:
    """A copy of a text with words replaced by new ones, by REPLACED in turn; the same for the same arguments (SEED)."""
    rate = REPLACED[(copy + number) % len(REPLACED)]
    rng = random.Random(f"{SEED} {copy} {number}")
    if not rate:
        return f"{text}\n\n" if copy % 2 else f"\n{text}"
    pieces = re.split(r"(\s+)", text)  # words at even places, what parts them at odd ones
    count = len(pieces) // 2 + 1
    for place in rng.sample(range(count), min(count, max(1, round(rate * count)))):
        pieces[2 * place] = f"w{rng.getrandbits(40):x}"
    return "".join(pieces)


def dialect(text: str, number: int) -> str:
    """The text with another ending on every word of three letters and more: no shingle of its own is left. 0: the text."""
    ending = "aeiou"[number % 5] + "bdfgklmnprst"[number // 5 % 12] + "aeiou"[number // 60 % 5]
    return re.sub(r"([^\W\d_]{3,})", rf"\1{ending}", text) if number else text


def write_mixture(folder: Path, texts: list[str], size: float, part: float = 1e8) -> int:
    """Parquet files in `folder`, of `part` bytes of text or some more: 12.5 MB of texts, each with seven perturbed copies.

    Then the same texts in other dialects, with such copies, to `size` bytes. So every 100 MB have the same kinds of documents
    and the same near duplicates, and 1 GB has ten times as many. Returns the bytes.
    """
    texts = sample(texts, UNIT / (1 + len(REPLACED)))
    folder.mkdir()
    schema = pa.schema([("text", pa.large_string())])
    total = in_part = 0
    writer = None
    for number in itertools.count():
        for start in range(0, len(texts), 100):
            some = [dialect(text, number) for text in texts[start : start + 100]]
            copies = range(1, len(REPLACED) + 1)
            some += [perturbed(text, 100 * number + copy, start + i) for i, text in enumerate(some) for copy in copies]
            if writer is None:
                path = folder / f"part-{total // int(part):05d}.parquet"
                writer = pq.ParquetWriter(path, schema, compression="zstd", compression_level=3, use_dictionary=False)
            writer.write_table(pa.table({"text": pa.array(some, pa.large_string())}))
            written = sum(len(text.encode()) for text in some)
            total, in_part = total + written, in_part + written
            if in_part >= part or total >= size:
                writer.close()
                writer, in_part = None, 0
            if total >= size:
                return total
    raise AssertionError("unreachable")


def vocabulary(rng: random.Random, count: int) -> list[str]:
    return ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(2, 10))) for _ in range(count)]


def template(count: int, blanks: int, words: int = 200) -> list[str]:
    """One text with `blanks` words, evenly spread, that differ from document to document.

    Of `words` - 4 shingles 5 x `blanks` are a document's own: a similarity of 0.86 between any two at 3 of 200, 0.68 at 7.
    """
    rng = random.Random(SEED)
    fixed = vocabulary(rng, words)
    places = [(2 * blank + 1) * words // (2 * blanks) for blank in range(blanks)]
    made = []
    for _ in range(count):
        filled = fixed.copy()
        for place in places:
            filled[place] = f"v{rng.getrandbits(48):x}"
        made.append(" ".join(filled))
    return made


def one_key(count: int) -> list[str]:
    """Documents without much in common that all have the same key in the first band.

    The hashes are public: of 200,000 shingles each document gets those eight that a permutation of the band takes lowest, and
    300 words of its own, which hardly ever hold a lower one.
    """
    rng = random.Random(SEED)
    words = vocabulary(rng, 50_000)
    drawn = [" ".join(rng.choices(words, k=5)) for _ in range(200_000)]
    signatures = minhash.signatures(pa.array(drawn, pa.large_string()), words=shingles.WORDS)
    lowest = " ".join(drawn[int(np.argmin(signatures[:, row]))] for row in range(minhash.ROWS))
    return [f"{lowest} {' '.join(rng.choices(words, k=300))}" for _ in range(count)]


def hostile(small: bool) -> Iterator[tuple[str, Callable[[], list[str]]]]:
    """Shapes by name, and what makes each; `small`: a tenth of them."""
    part = 10 if small else 1
    ten, fifty = 100_000 // part, 50_000 // part
    yield "100,000 identical documents", lambda: ["The same document, word for word, every single time.\n" * 20] * ten
    yield "100,000 documents of white space", lambda: [" "] * ten
    yield "one document of 60 MB", lambda: [" ".join(vocabulary(random.Random(SEED), 8_500_000 // part))]
    yield "one template with 50,000 fillings, any two 0.86 alike", lambda: template(fifty, 3)
    yield "one template with 50,000 fillings, any two 0.68 alike", lambda: template(fifty, 7)
    yield "50,000 documents with one band key and little else in common", lambda: one_key(fifty)
