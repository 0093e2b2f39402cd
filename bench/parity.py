"""Our rule sets against datatrove's own filters, document by document: the same verdict and the same first reason?

    .venv/bin/python bench/parity.py RELEASE... [--processes 2] [--every 1]

Reads the texts of `RELEASE/data/**/*.parquet`, judges each by every rule set of ours and by the class of datatrove that it
follows, both with their default thresholds and with white-space words, and prints a Markdown table of both's reasons. For C4
the edited text is compared too, and the reference counts sentences by our rule, told again here in plain Python. Languages of
the first 1,000 characters are compared with fastText's own, the probability to the bit. Exit 1 if a document differs. What is
compared, and what a default threshold cannot show: docs/parity.md.
"""

import argparse
import copy
import dataclasses
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.curate import datatrove_filters, edits, language, rules
from pipeline.curate.checks import Columns
from pipeline.kernels import features, lid
from pipeline.recipe import LanguageModel
from pipeline.recipe_rules import C4Rule, FinewebRule, GopherQualityRule, GopherRepetitionRule, Rule
from pipeline.sources.cache import Cache

SETS: dict[str, tuple[type[Rule], str]] = {
    "gopher_quality": (GopherQualityRule, "GopherQualityFilter"),
    "gopher_repetition": (GopherRepetitionRule, "GopherRepetitionFilter"),
    "fineweb": (FinewebRule, "FineWebQualityFilter"),
    "c4": (C4Rule, "C4QualityFilter"),
}
LANGUAGE = "language"
REFERENCES = {name: reference for name, (_, reference) in SETS.items()} | {LANGUAGE: "fastText's binding"}
PASSED = "(passed)"
BATCH = 500  # documents


@dataclass
class Tally:
    """Of one rule set: how often each reason came, and where the two differ: (id, ours, reference's)."""

    documents: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    differing: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        self.documents += other.documents
        self.reasons += other.reasons
        self.differing += other.differing


def compare(texts: Any, ids: Sequence[str], name: str, parameters: Mapping[str, Any] | None = None,
            arguments: Mapping[str, Any] | None = None) -> Tally:  # fmt: skip
    """Judge `texts` (LargeStringArray) by the rule set `name` and by its reference, with our and its own parameters."""
    our_reasons, our_texts = ours(texts, ids, name, parameters or {})
    their_reasons, their_texts = reference(texts, ids, name, arguments or {})
    tally = Tally(len(texts), Counter(their_reasons))
    for row, (mine, theirs) in enumerate(zip(our_reasons, their_reasons, strict=True)):
        if mine != theirs:
            tally.differing.append((ids[row], mine, theirs))
        elif mine == PASSED and our_texts[row] != their_texts[row]:
            tally.differing.append((ids[row], f"{PASSED}, edited", f"{PASSED}, edited otherwise"))
    return tally


def ours(texts: Any, ids: Sequence[str], name: str, parameters: Mapping[str, Any]) -> tuple[list[str], Any]:
    """First reasons and edited texts, as `curate.batch` comes by them."""
    rule = SETS[name][0].model_validate({"rule": name, **parameters}).model_dump()
    urls, languages = np.full(len(texts), "", object), np.full(len(texts), "en", object)
    edited = edits.apply(edits.Batch(texts, ids, urls, languages), [rule])
    measured = features.measure(edited.texts)
    counts = {feature: measured.column(feature).to_numpy() for feature in features.FEATURES}
    scores = np.zeros(len(texts), np.int64)
    reasons = [PASSED] * len(texts)
    for check in reversed(rules.judge(Columns(counts, languages, scores, urls, edited.outcomes), [rule])):
        for row in np.flatnonzero(check.fails()):
            reasons[row] = check.reason_of(row)
    return reasons, edited.texts


def reference(texts: Any, ids: Sequence[str], name: str, arguments: Mapping[str, Any]) -> tuple[list[str], Any]:
    """First reasons and edited texts of datatrove's class, with white-space words and, for C4, sentences by our rule."""
    filter_ = datatrove_filters.load(SETS[name][1], arguments, "whitespace")
    if name == "c4":
        step = copy.copy(filter_.step)
        step.language = _sentences()
        filter_ = dataclasses.replace(filter_, step=step)
    outcome = filter_.apply(texts, [None] * len(texts), ["en"] * len(texts), ids)
    return [PASSED if reason is None else reason.split("/", 2)[2] for reason in outcome.reasons], outcome.texts


def compare_languages(texts: Any, ids: Sequence[str]) -> Tally:
    """Label and probability (float32, to the bit) of the first characters of each text, by our kernel and by fastText."""
    spec = LanguageModel()
    path = Cache().root / "models" / f"{spec.sha256}.ftz"
    (labels, scores), (theirs, wanted) = (
        lid.load(path).identify(texts, spec.characters), language._by_fasttext(texts, path, spec.characters)
    )  # fmt: skip
    tally = Tally(len(texts), Counter(theirs))
    for row in np.flatnonzero((labels != theirs) | (scores.view(np.int32) != wanted.view(np.int32))).tolist():
        seen, known = (
            f"{label} {float(score).hex()}" for label, score in ((labels[row], scores[row]), (theirs[row], wanted[row]))
        )
        tally.differing.append((ids[row], seen, known))
    return tally


@cache
def _sentences() -> Any:
    """A tokenizer for datatrove, whose sentences are those that `pipeline.kernels.sentences` counts."""
    from datatrove.utils.text import TERMINAL_PUNCTUATION
    from datatrove.utils.word_tokenizers import WordTokenizer

    closers = {chr(point) for point in range(0x110000) if unicodedata.category(chr(point)) in ("Pe", "Pf")} | {'"', "'"}
    terminals = "".join(map(re.escape, sorted(TERMINAL_PUNCTUATION | {"…"})))
    run = re.compile(f"[{terminals}][{terminals}{''.join(map(re.escape, sorted(closers)))}]*")

    class Sentences(WordTokenizer):
        def word_tokenize(self, text: str) -> list[str]:
            return text.split()

        def sent_tokenize(self, text: str) -> list[str]:
            return [text[start:end] for start, end in self.span_tokenize(text)]

        def span_tokenize(self, text: str) -> list[tuple[int, int]]:
            spans, start = [], 0
            for match in run.finditer(text):
                end = match.end()
                if text[end : end + 1].strip() == "" or set("。！？｡") & set(match[0]):
                    spans.append((start, end))
                    start = end
            if text[start:].strip():
                spans.append((start, len(text)))
            return spans

    return Sentences()


def judge_file(job: tuple[Path, int]) -> tuple[Counter[str], dict[str, Tally]]:
    """Languages of every so many-th document of a Parquet file, and the tally of each rule set."""
    file, every = job
    languages: Counter[str] = Counter()
    tallies = {name: Tally() for name in REFERENCES}
    with pq.ParquetFile(file) as opened:
        for part in opened.iter_batches(BATCH * every, columns=["id", "text", "language"]):
            rows = part.take(pa.array(range(0, len(part), every)))
            languages.update(rows.column("language").to_pylist())
            texts, ids = rows.column("text").cast(pa.large_string()), rows.column("id").to_pylist()
            for name in SETS:
                tallies[name].add(compare(texts, ids, name))
            tallies[LANGUAGE].add(compare_languages(texts, ids))
    return languages, tallies


def files(releases: Sequence[Path]) -> list[Path]:
    """The Parquet files of the releases' documents; exits with a message where there are none."""
    found = []
    for release in releases:
        here = sorted(release.glob("data/**/*.parquet"))
        if not here:
            sys.exit(f"{release}: no data/**/*.parquet there; wanted: the folder of a release")
        found += here
    return found


def report(languages: Counter[str], tallies: Mapping[str, Tally]) -> str:
    """The Markdown that docs/parity.md shows."""
    documents = sum(languages.values())
    many = {language for language, count in languages.items() if count >= 50}
    lines = [
        f"{documents:,} documents in {len(languages)} languages, {len(many)} of them with 50 documents or more.",
        "",
        "| rule set | reference | equal verdict and first reason (label and probability) | differ |",
        "|---|---|---|---|",
    ]
    for name, tally in tallies.items():
        equal = tally.documents - len(tally.differing)
        lines.append(f"| `{name}` | `{REFERENCES[name]}` | {equal:,} of {tally.documents:,} | {len(tally.differing)} |")
    for name, tally in tallies.items():
        counts = ", ".join(f"{reason} {count:,}" for reason, count in tally.reasons.most_common())
        lines += ["", f"`{name}`: {counts}."]
        lines += [f"- {id_}: ours {mine}, reference {theirs}" for id_, mine, theirs in sorted(tally.differing)[:50]]
    return "\n".join(lines)


def main() -> int:
    """Compare, print, and answer 1 if a document differs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("releases", nargs="+", type=Path, metavar="RELEASE")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--every", type=int, default=1, help="only every so many-th document")
    chosen = parser.parse_args()
    languages: Counter[str] = Counter()
    tallies = {name: Tally() for name in REFERENCES}
    with get_context("spawn").Pool(chosen.processes) as pool:
        for labels, found in pool.imap(judge_file, [(file, chosen.every) for file in files(chosen.releases)]):
            languages += labels
            for name, tally in found.items():
                tallies[name].add(tally)
    print(report(languages, tallies))
    return int(any(tally.differing for tally in tallies.values()))


if __name__ == "__main__":
    sys.exit(main())
