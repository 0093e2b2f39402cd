"""The features in plain Python, written straight from their definitions: Rae et al. 2021, A.1.1 and table A1, and Penedo et
al. 2024, 3.4, on the words of str.split(). What anyone would write first; nothing is tuned."""

import re
import sys
import unicodedata
from collections import Counter
from typing import Any

import measure

STOP_WORDS = frozenset(("the", "be", "to", "of", "and", "that", "have", "with"))
SYMBOLS = frozenset(
    character for character in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(character)[0] in "PS"
)
TERMINAL = tuple(".!?。！？…\"'”’»")


def features(text: str) -> dict[str, float]:
    words = text.split()
    return {**quality(text, words), **repetition(text, words), **fineweb(text, words)}


def quality(text: str, words: list[str]) -> dict[str, float]:
    content = [word for word in words if any(character not in SYMBOLS for character in word)]
    lines = text.splitlines()
    return {
        "words": len(content),
        "mean_word_length": sum(map(len, content)) / max(len(content), 1),
        "hashes": text.count("#") / max(len(words), 1),
        "ellipses": (text.count("...") + text.count("…")) / max(len(words), 1),
        "bullets": sum(line.lstrip().startswith(("•", "-")) for line in lines) / max(len(lines), 1),
        "ellipsis_lines": sum(line.rstrip().endswith(("...", "…")) for line in lines) / max(len(lines), 1),
        "alphabetic": sum(any(character.isalpha() for character in word) for word in words) / max(len(words), 1),
        "stop_words": len(STOP_WORDS & set(words)),
    }


def repetition(text: str, words: list[str]) -> dict[str, float]:
    size = max(len(text), 1)
    found = {}
    for name, parts in (
        ("paragraphs", re.split(r"\n{2,}", text.strip())),
        ("lines", re.split(r"\n+", text)),
    ):
        again = duplicates(parts)
        found[f"duplicate_{name}"] = len(again) / len(parts)
        found[f"duplicate_{name}_characters"] = sum(map(len, again)) / size
    for n in (2, 3, 4):
        grams = Counter(" ".join(words[at : at + n]) for at in range(len(words) - n + 1))
        gram, count = grams.most_common(1)[0] if grams else ("", 0)
        found[f"top_{n}_gram"] = len(gram) * count / size
    for n in range(5, 11):
        seen, at, characters = set(), 0, 0
        while at <= len(words) - n:
            gram = "".join(words[at : at + n])
            if gram in seen:
                characters += len(gram)
                at += n
            else:
                seen.add(gram)
                at += 1
        found[f"duplicated_{n}_grams"] = characters / size
    return found


def fineweb(text: str, words: list[str]) -> dict[str, float]:
    lines = [line for line in text.split("\n") if line.strip()]
    return {
        "terminated": sum(line.endswith(TERMINAL) for line in lines) / max(len(lines), 1),
        "short": sum(len(line) <= 30 for line in lines) / max(len(lines), 1),
        "duplicate_characters": sum(map(len, duplicates(lines))) / max(len(text.replace("\n", "")), 1),
        "newlines": text.count("\n") / max(len(words), 1),
    }


def duplicates(parts: list[str]) -> list[str]:
    """Those that were there before."""
    seen: set[str] = set()
    again = []
    for part in parts:
        if part in seen:
            again.append(part)
        seen.add(part)
    return again


def prepare(work: str, job: dict[str, Any]) -> tuple[measure.Work, measure.Work, dict[str, Any]]:
    return measure.of_strings(job, {"features": features}[work])


if __name__ == "__main__":
    measure.main(prepare)
