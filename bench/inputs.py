"""The documents of the bench, as Parquet files in a temporary folder: of a release, samples of them, and hostile shapes."""

import gzip
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

SEED = 3
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def texts_of(release: Path) -> list[str]:
    """All texts of a release, source by source, in the order of its files."""
    return [
        text
        for path in sorted(release.glob("data/*/*.parquet"))
        for batch in pq.ParquetFile(path).iter_batches(1024, columns=["text"])
        for text in batch.column("text").to_pylist()
    ]


def survivors_of(release: Path) -> list[str]:
    """What curate left for deduplication, from the release's work folder, in the order of its tasks; [] if there is none."""
    work = release.with_name(f"{release.name}.work")
    return [
        text
        for path in sorted(work.glob("curate/*/*/survivors-*.arrow"))
        for text in pa.ipc.open_file(path).read_all().column("text").to_pylist()
    ]


def sample(texts: list[str], size: float) -> list[str]:
    """Documents at random (SEED) until they have `size` bytes; a smaller sample is the beginning of a larger one."""
    order = list(range(len(texts)))
    random.Random(SEED).shuffle(order)
    chosen, total = [], 0
    for index in order:
        if total >= size:
            break
        chosen.append(texts[index])
        total += len(texts[index].encode())
    return chosen


def write(path: Path, texts: list[str]) -> Path:
    """As a Parquet file: one column, zstd level 3, row groups of 1,000 documents."""
    table = pa.table({"text": pa.array(texts, pa.large_string())})
    pq.write_table(table, path, row_group_size=1000, compression="zstd", compression_level=3, use_dictionary=False)
    return path


def write_json_lines(path: Path, texts: list[str]) -> Path:
    with gzip.open(path, "wb", compresslevel=6) as stream:
        for text in texts:
            stream.write(json.dumps({"text": text}, ensure_ascii=False).encode() + b"\n")
    return path


def write_repeated(path: Path, texts: list[str], size: float) -> int:
    """The texts again and again, each with a first line of its own, until they have `size` bytes; returns the bytes."""
    schema = pa.schema([("text", pa.large_string())])
    total = 0
    with pq.ParquetWriter(path, schema, compression="zstd", compression_level=3, use_dictionary=False) as writer:
        for number in range(1 << 30):
            for start in range(0, len(texts), 500):
                some = [
                    f"Copy {number} of document {start + i}.\n{t}" for i, t in enumerate(texts[start : start + 500])
                ]
                writer.write_table(pa.table({"text": pa.array(some, pa.large_string())}))
                total += sum(len(text.encode()) for text in some)
                if total >= size:
                    return total
    return total


def random_letters(rng: random.Random, size: int) -> str:
    return " ".join(rng.choices(LETTERS, k=size // 2))


def hostile(small: bool) -> Iterator[tuple[str, Callable[[], list[str]]]]:
    """Shapes by name, and what makes each; about 20 MB (small: 2 MB), but for the last two."""
    part = 10 if small else 1

    def rng() -> random.Random:
        return random.Random(SEED)

    yield (
        "random single letters, documents of 6 kB",
        lambda: [random_letters(one, 6000) for one in [rng()] for _ in range(3300 // part)],
    )
    yield (
        "random single letters, documents of 1 MB",
        lambda: [random_letters(one, 1_000_000) for one in [rng()] for _ in range(20 // part)],
    )
    yield '"a a a", documents of 6 kB', lambda: ["a " * 3000] * (3300 // part)
    yield '"a a a", documents of 1 MB', lambda: ["a " * 500_000] * (20 // part)
    yield "one line repeated, documents of 1 MB", lambda: ["The same line of text, again.\n" * 33_000] * (20 // part)
    yield "one word repeated, documents of 1 MB", lambda: ["repetition " * 91_000] * (20 // part)
    yield (
        "300,000 documents of 12 to 60 bytes",
        lambda: [
            " ".join(one.choices(("tiny", "document", "the", "of", "words."), k=one.randint(3, 9)))
            for one in [rng()]
            for _ in range(300_000 // part)
        ],
    )
    yield "one word of 10 MB", lambda: ["w" * (10_000_000 // part)]
    yield (
        "100 MB in one line",
        lambda: [" ".join(one.choices([f"word{i}" for i in range(50_000)], k=11_000_000 // part)) for one in [rng()]],
    )
