"""Score extractors on pages whose main content is known, and print the tables.

    python bench/html/evaluate.py --truths FOLDER [--truths FOLDER ...] --systems ours,resiliparse,trafilatura
        [--json RESULTS.json] [--texts FOLDER]

`--truths`: folders of the benchmarks that bench/html/truths.py lists. `--systems`: names of bench/html/systems.py.
`--texts` writes what each system made of each page, as JSON by page id, which `file:PATH` reads again.
"""

import argparse
import json
import sys
from collections import defaultdict
from pathlib import Path
from statistics import mean
from typing import Any

import scores
from systems import system
from truths import Page, Truths, load

TYPES = ("article", "documentation", "service", "forum", "collection", "listing", "product")


def main() -> None:
    """Read the command line, score, print Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--truths", type=Path, action="append", required=True)
    parser.add_argument("--systems", default="ours,all_text,resiliparse,trafilatura")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--texts", type=Path)
    asked = parser.parse_args()
    results: dict[str, Any] = {}
    for folder in asked.truths:
        truths = load(folder)
        rows, texts_of = {}, {}
        for name in asked.systems.split(","):
            label = Path(name).stem if name.startswith("file:") else name
            texts = extract(name, truths.pages)
            if asked.texts:
                asked.texts.mkdir(parents=True, exist_ok=True)
                (asked.texts / f"{truths.benchmark}-{label}.json").write_text(json.dumps(texts), "utf-8")
            rows[label], texts_of[label] = SCORES[truths.benchmark](truths, texts), texts
        results[truths.benchmark] = rows
        print(f"\n### {truths.benchmark}: {len(truths.pages):,} pages\n\n{table(rows)}", flush=True)
        if truths.benchmark == "known":
            print(f"\n{tables_known(truths, texts_of)}", flush=True)
    if asked.json:
        asked.json.write_text(json.dumps(results, indent=1, sort_keys=True), "utf-8")


def extract(name: str, pages: list[Page]) -> dict[str, str]:
    """Run one system over all pages; a page on which it raises has no text, and the number of these is printed."""
    run, texts, failed = system(name), {}, []
    for page in pages:
        try:
            texts[page.id] = run(page) or ""
        except ImportError:
            raise
        except Exception as error:  # noqa: BLE001 - a crash is a page that is missed, as in trafilatura's evaluation
            texts[page.id] = ""
            failed.append(f"{page.id}: {type(error).__name__}: {error}")
    if failed:
        print(f"{name}: failed on {len(failed)} pages; first: {failed[0][:200]}", file=sys.stderr)
    return texts


def score_wcxb(truths: Truths, texts: dict[str, str]) -> dict[str, Any]:
    """Means of word precision, recall and F1; F1 by page type; snippets."""
    found = {page.id: scores.words(texts[page.id], page.text or "") for page in truths.pages}
    by_type = defaultdict(list)
    for page in truths.pages:
        by_type[page.group].append(found[page.id].f1)
    return {
        **_means(list(found.values())),
        **{kind: mean(by_type[kind]) for kind in TYPES if by_type[kind]},
        "with": mean(scores.passage_share(texts[page.id], page.must) for page in truths.pages),
        "without": mean(scores.passage_share(texts[page.id], page.must_not) for page in truths.pages),
    }


def score_scrapinghub(truths: Truths, texts: dict[str, str]) -> dict[str, Any]:
    """Scrapinghub's own figures, then word F1."""
    own = scores.shingles([texts[page.id] for page in truths.pages], [page.text or "" for page in truths.pages])
    return {"own F1": own.f1, "own precision": own.precision, "own recall": own.recall, **score_words(truths, texts)}


def score_words(truths: Truths, texts: dict[str, str]) -> dict[str, Any]:
    """Means of word precision, recall and F1."""
    return _means([scores.words(texts[page.id], page.text or "") for page in truths.pages])


def score_trafilatura(truths: Truths, texts: dict[str, str]) -> dict[str, Any]:
    """Trafilatura's own figures over all passages."""
    own = scores.passage_score([scores.passages(texts[page.id], page.must, page.must_not) for page in truths.pages])
    return {"F1": own.f1, "precision": own.precision, "recall": own.recall, "accuracy": own.accuracy}


def score_known(truths: Truths, texts: dict[str, str]) -> dict[str, Any]:
    """Recall of words and characters of the source text, and the share of the output that is not in it."""
    found = [scores.found(texts[page.id], page.text or "", page.optional) for page in truths.pages]

    def total(name: str) -> int:
        return max(sum(getattr(one, name) for one in found), 1)

    return {
        "pages": len(found),
        "word recall": total("words_found") / total("words"),
        "character recall": total("characters_found") / total("characters"),
        "boilerplate": sum(one.boilerplate for one in found) / total("written"),
        "pages below 99 %": sum(one.words_found < 0.99 * one.words for one in found),
    }


def tables_known(truths: Truths, texts: dict[str, dict[str, str]]) -> str:
    """Render word recall, character recall and boilerplate of each system, a row a generator and a row a language."""
    parts = []
    for name in ("group", "language"):
        lines = [f"| {'generator' if name == 'group' else name} | pages | " + " | ".join(texts) + " |"]
        lines.append("|---|---:|" + "---:|" * len(texts))
        for value in sorted({getattr(page, name) for page in truths.pages}):
            some = Truths(truths.benchmark, [page for page in truths.pages if getattr(page, name) == value])
            cells = []
            for texts_of in texts.values():
                row = score_known(some, texts_of)
                cells.append(
                    " / ".join(f"{100 * row[key]:.2f}" for key in ("word recall", "character recall", "boilerplate"))
                )
            lines.append(f"| {value} | {len(some.pages)} | " + " | ".join(cells) + " |")
        parts.append("\n".join(lines))
    return "\n\n".join(["Word recall / character recall / boilerplate characters, in per cent.", *parts])


def table(rows: dict[str, dict[str, Any]]) -> str:
    """Render scores as a Markdown table, a row a system."""
    columns = list(next(iter(rows.values())))
    lines = ["| system | " + " | ".join(columns) + " |", "|---|" + "---:|" * len(columns)]
    for name, row in rows.items():
        lines.append(f"| {name} | " + " | ".join(_figure(row[column]) for column in columns) + " |")
    return "\n".join(lines)


def _figure(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"


def _means(found: list[scores.Score]) -> dict[str, float]:
    return {
        "F1": mean(one.f1 for one in found),
        "precision": mean(one.precision for one in found),
        "recall": mean(one.recall for one in found),
    }


SCORES = {
    "wcxb": score_wcxb,
    "scrapinghub": score_scrapinghub,
    "readability": score_words,
    "trafilatura": score_trafilatura,
    "known": score_known,
}

if __name__ == "__main__":
    main()
