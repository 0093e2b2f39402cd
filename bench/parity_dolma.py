"""Our counts for Dolma's Gopher tagger against the tagger itself, document by document: the same attributes, to the bit?

    .venv/bin/python bench/parity_dolma.py RELEASE... [--dolma PYTHON] [--every 1]
    .venv/bin/python bench/parity_dolma.py --golden FILE [--dolma PYTHON]

Reads the texts of `RELEASE/data/**/*.parquet`, has `gopher_v1` tag them in an environment of its own (PYTHON, with
bench/requirements-dolma.lock installed), and compares each attribute with the quotient of our counts, and each document's first
reason, by Dolma's thresholds, with that of `dolma.ATTRIBUTES` in integers. Prints a Markdown table; exits with 1 if a document
differs. `--golden` writes what the tagger says of the texts of tests/parity/test_dolma.py, for a test without Dolma.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.kernels import dolma

# What the other environment runs: a JSON string a line in, [seconds, {attribute: score}] a line out.
WORKER = """
import json, sys, time
from dolma.core.data_types import Document
from dolma.taggers.gopher import GopherTagger
tagger = GopherTagger()
for line in sys.stdin:
    text = json.loads(line)
    start = time.process_time()
    spans = tagger.predict(Document(source="", id="", text=text)).spans
    taken = time.process_time() - start
    print(json.dumps([taken, {span.type: span.score for span in spans}]))
"""

# (attribute, low, high): what the corpus was filtered by, from allenai/dolma, configs/dolma-v1_5/mixing/cc-head.yaml, in the
# order of the tagger. That file writes most_common_2gram where the tagger writes most_common_2grams.
BOUNDS: tuple[tuple[str, float | None, float | None], ...] = (
    ("fraction_of_characters_in_most_common_2grams", None, 0.2),
    ("fraction_of_characters_in_most_common_3grams", None, 0.18),
    ("fraction_of_characters_in_most_common_4grams", None, 0.16),
    *((f"fraction_of_characters_in_duplicate_{n}grams", None, round(0.2 - n / 100, 2)) for n in range(5, 11)),
    ("word_count", 50, 100_000),
    ("median_word_length", 3, 10),
    ("symbol_to_word_ratio", None, 0.1),
    ("fraction_of_words_with_alpha_character", 0.8, None),
    ("required_word_count", 2, None),
    ("fraction_of_lines_starting_with_bullet_point", None, 0.9),
    ("fraction_of_lines_ending_with_ellipsis", None, 0.3),
    ("fraction_of_duplicate_lines", None, 0.3),
    ("fraction_of_characters_in_duplicate_lines", None, 0.3),
)
PASSED = "(passed)"
BATCH = 2000  # documents


def tagged(python: Path, texts: Sequence[str]) -> Iterator[tuple[float, dict[str, float]]]:
    """CPU seconds and attributes of each text by Dolma's tagger. Raises CalledProcessError if the worker fails."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as lines:
        lines.writelines(json.dumps(text) + "\n" for text in texts)
        lines.seek(0)
        done = subprocess.run([str(python), "-c", WORKER], stdin=lines, capture_output=True, text=True, check=True)
    for line in done.stdout.splitlines():
        seconds, attributes = json.loads(line)
        yield seconds, attributes


def counted(texts: Sequence[str]) -> list[dict[str, int]]:
    """Our counts of each text."""
    return dolma.measure(pa.array(texts, pa.large_string())).to_pylist()  # type: ignore[no-any-return]


def attributes_of(counts: Mapping[str, int]) -> dict[str, float]:
    """The tagger's attributes from our counts; it leaves out an n-gram's where there are fewer than n words."""
    return {
        name: counts[part] / max(1, whole if isinstance(whole, int) else counts[whole])
        for name, (part, whole) in dolma.ATTRIBUTES.items()
        if "gram" not in name or counts["dolma_words"] >= int(name.rpartition("_")[2].removesuffix("grams"))
    }


def their_reason(attributes: Mapping[str, float]) -> str:
    """The first attribute out of bounds, by the tagger's own doubles."""
    for name, low, high in BOUNDS:
        value = attributes.get(name)
        if value is not None and ((low is not None and value < low) or (high is not None and value > high)):
            return name
    return PASSED


def our_reason(counts: Mapping[str, int]) -> str:
    """The same from integers alone, as a recipe's rule decides: part x 1,000,000 against bound x whole."""
    for name, low, high in BOUNDS:
        part, whole = dolma.ATTRIBUTES[name]
        value, unit = counts[part] * 1_000_000, max(1, whole if isinstance(whole, int) else counts[whole])
        if low is not None and value < round(low * 1_000_000) * unit:
            return name
        if high is not None and value > round(high * 1_000_000) * unit:
            return name
    return PASSED


def documents(releases: Sequence[Path], every: int) -> Iterator[tuple[list[str], list[str]]]:
    """Ids and texts in batches; exits with a message where there are none."""
    for release in releases:
        files = sorted(release.glob("data/**/*.parquet"))
        if not files:
            sys.exit(f"{release}: no data/**/*.parquet there; wanted: the folder of a release")
        for file in files:
            with pq.ParquetFile(file) as opened:
                for part in opened.iter_batches(BATCH * every, columns=["id", "text"]):
                    rows = part.take(pa.array(range(0, len(part), every)))
                    yield rows.column("id").to_pylist(), rows.column("text").to_pylist()


def compare(releases: Sequence[Path], python: Path, every: int) -> int:
    """Print the table; 1 if a document differs."""
    counted(["warm"])
    total = size = 0
    ours = theirs = 0.0
    equal: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    differing: list[str] = []
    for ids, texts in documents(releases, every):
        start = time.process_time()
        rows = dolma.measure(pa.array(texts, pa.large_string()))
        ours += time.process_time() - start
        for id_, text, counts, (seconds, wanted) in zip(
            ids, texts, rows.to_pylist(), tagged(python, texts), strict=True
        ):
            total, size, theirs = total + 1, size + len(text.encode()), theirs + seconds
            found = attributes_of(counts)
            equal.update(name for name in dolma.ATTRIBUTES if found.get(name) == wanted.get(name))
            reasons[their_reason(wanted)] += 1
            if found != wanted or list(found) != list(wanted):
                differing.append(f"{id_}: {[(k, found.get(k), v) for k, v in wanted.items() if found.get(k) != v]}")
            if (mine := our_reason(counts)) != their_reason(wanted):
                differing.append(f"{id_}: ours {mine}, reference {their_reason(wanted)}")
    print(report(total, size, ours, theirs, equal, reasons, differing))
    return int(bool(differing) or not total)


def report(total: int, size: int, ours: float, theirs: float, equal: Mapping[str, int], reasons: Counter[str],
           differing: Sequence[str]) -> str:  # fmt: skip
    """The Markdown that docs/parity.md shows."""
    lines = [
        f"{total:,} documents, {size / 1e6:.0f} MB: {size / 1e6 / max(ours, 1e-9):.0f} MB/s here, "
        f"{size / 1e6 / max(theirs, 1e-9):.2f} MB/s by the tagger (process CPU time, one core).",
        "",
        "| attribute | equal to the bit | first reason of |",
        "|---|---|---|",
        *(f"| `{name}` | {equal[name]:,} of {total:,} | {reasons[name]:,} |" for name in dolma.ATTRIBUTES),
        f"| {PASSED} | | {reasons[PASSED]:,} |",
        "",
        f"{len(differing)} differences.",
        *(f"- {line}" for line in differing[:50]),
    ]
    return "\n".join(lines)


def golden(python: Path, file: Path) -> int:
    """Write the fixture of tests/parity/test_dolma.py: [text, the tagger's attributes] for each of its texts."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from tests.parity.test_dolma import golden_texts

    texts = golden_texts()
    rows = [[text, attributes] for text, (_, attributes) in zip(texts, tagged(python, texts), strict=True)]
    lines: list[Any] = [json.dumps(row, ensure_ascii=True) for row in rows]
    file.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="ascii")
    print(f"{len(rows)} texts")
    return 0


def main() -> int:
    """Compare, print, and answer 1 if a document differs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("releases", nargs="*", type=Path, metavar="RELEASE")
    default = Path(__file__).parents[1] / ".venv-dolma" / "bin" / "python"
    parser.add_argument("--dolma", type=Path, default=default, metavar="PYTHON", help="default: that of .venv-dolma")
    parser.add_argument("--every", type=int, default=1, help="only every so many-th document")
    parser.add_argument("--golden", type=Path, help="write the fixture of the tests instead")
    chosen = parser.parse_args()
    if not chosen.dolma.exists():
        sys.exit(f"{chosen.dolma} is not there; next: make bench-peers")
    if chosen.golden:
        return golden(chosen.dolma, chosen.golden)
    if not chosen.releases:
        parser.error("name a release")
    return compare(chosen.releases, chosen.dolma, chosen.every)


if __name__ == "__main__":
    sys.exit(main())
