"""Rules: from measured columns to verdicts, each with the value that was seen and the bound that applied.

A rule is one function from the columns of a batch and its parameters to its checks, in the order in which they are asked;
the first failing check of a recipe's rules is a document's reason. Order, definitions and names of reasons of the reference
rule sets are those of datatrove 0.10.1's filters; `docs/parity.md` says how that was compared and what differs.

Rules that need the text itself (`c4`, `datatrove`, `gopher_dolma`) have read it before, in `curate.edits`; what they found
is in `Columns.outcomes`, and here they only answer.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from pipeline.curate.checks import Bools, Check, Columns, Ints, Outcome, Strings, at_least, at_most, millionths
from pipeline.release.schemas import MILLION

Parameters = Mapping[str, Any]
Answer = Callable[[Columns, Parameters, Outcome], list[Check]]


def length(columns: Columns, parameters: Parameters, outcome: Outcome) -> list[Check]:
    """Number of characters (code points)."""
    characters = columns.features["characters"]
    return [
        *at_least("too_short", characters, 1, parameters["min_characters"]),
        *at_most("too_long", characters, 1, parameters["max_characters"]),
    ]


def language(columns: Columns, parameters: Parameters, outcome: Outcome) -> list[Check]:
    """Most likely language: 1 if it is allowed, else 0; and its score."""
    checks = []
    if parameters["allow"] is not None:
        allowed = _among(columns.languages, parameters["allow"])
        checks.append(Check("language", allowed.astype(np.int64) * MILLION, low=MILLION))
    if parameters["min_score"] > 0:
        checks.append(Check("language_score", columns.language_scores, low=millionths(parameters["min_score"])))
    return checks


def gopher_quality(columns: Columns, parameters: Parameters, outcome: Outcome) -> list[Check]:
    """Gopher's quality heuristics: Rae et al. 2021, section A.1.1; reference: datatrove's GopherQualityFilter.

    Content words are those with a code point that is no symbol. A text without words has ratios of 0, so that the word
    count decides (the reference divides by zero).
    """
    f, p = columns.features, parameters
    words, content, lines = _word(f, p, "words"), _word(f, p, "content_words"), f["lines"]
    characters = _word(f, p, "content_characters")
    return [
        *at_least("gopher_short_doc", content, 1, p["min_words"]),
        *at_most("gopher_long_doc", content, 1, p["max_words"]),
        *at_least("gopher_below_avg_threshold", characters, content, p["min_mean_word_length"]),
        *at_most("gopher_above_avg_threshold", characters, content, p["max_mean_word_length"]),
        *at_most("gopher_too_many_hashes", f["hashes"], words, p["max_symbol_ratio"]),
        *at_most("gopher_too_many_ellipsis", f["ellipses"], words, p["max_symbol_ratio"]),
        *at_most("gopher_too_many_bullets", f["bullet_lines"], lines, p["max_bullet_lines"]),
        *at_most("gopher_too_many_end_ellipsis", f["ellipsis_lines"], lines, p["max_ellipsis_lines"]),
        *at_least("gopher_below_alpha_threshold", _word(f, p, "alphabetic_words"), words, p["min_alphabetic_words"]),
        *at_least("gopher_enough_stop_words", f["stop_words"], 1, p["min_stop_words"]),
    ]


def gopher_repetition(columns: Columns, parameters: Parameters, outcome: Outcome) -> list[Check]:
    """Gopher's repetition heuristics: Rae et al. 2021, table A1; reference: datatrove's GopherRepetitionFilter.

    As there, an n-gram's characters are counted with single spaces for the most frequent one (n of 2 to 4) and without for
    the repeated ones (n of 5 to 10), and all are compared with the whole text.
    """
    f, p = columns.features, parameters
    characters = f["characters"]
    pieces, lines = f["paragraphs"], f["split_lines"]
    checks = [
        *at_least("empty", characters, 1, 1),
        *at_most("dup_para_frac", f["duplicate_paragraphs"], pieces, p["max_duplicate_paragraphs"]),
        *at_most("dup_para_char_frac", f["duplicate_paragraph_characters"], characters,
                 p["max_duplicate_paragraph_characters"]),
        *at_most("dup_line_frac", f["duplicate_lines"], lines, p["max_duplicate_lines"]),
        *at_most("dup_line_char_frac", f["duplicate_line_characters"], characters, p["max_duplicate_line_characters"]),
    ]  # fmt: skip
    for n in (2, 3, 4):
        checks += at_most(f"top_{n}_gram", _word(f, p, f"top_{n}_gram_characters"), characters, p[f"max_top_{n}_gram"])
    for n in range(5, 11):
        repeated = _word(f, p, f"duplicated_{n}_gram_characters")
        checks += at_most(f"duplicated_{n}_n_grams", repeated, characters, p[f"max_duplicated_{n}_grams"])
    return checks


# Attribute of Dolma's tagger -> the parameters that bound it from below and above, in the tagger's order.
DOLMA: dict[str, tuple[str | None, str | None]] = {
    **{f"fraction_of_characters_in_most_common_{n}grams": (None, f"max_top_{n}_gram") for n in (2, 3, 4)},
    **{f"fraction_of_characters_in_duplicate_{n}grams": (None, f"max_duplicated_{n}_grams") for n in range(5, 11)},
    "word_count": ("min_words", "max_words"),
    "median_word_length": ("min_median_word_length", "max_median_word_length"),
    "symbol_to_word_ratio": (None, "max_symbol_words"),
    "fraction_of_words_with_alpha_character": ("min_alphabetic_words", None),
    "required_word_count": ("min_stop_words", None),
    "fraction_of_lines_starting_with_bullet_point": (None, "max_bullet_lines"),
    "fraction_of_lines_ending_with_ellipsis": (None, "max_ellipsis_lines"),
    "fraction_of_duplicate_lines": (None, "max_duplicate_lines"),
    "fraction_of_characters_in_duplicate_lines": (None, "max_duplicate_line_characters"),
}


def gopher_dolma(columns: Columns, parameters: Parameters, outcome: Outcome) -> list[Check]:
    """Gopher's heuristics as Dolma reads them; reference: Dolma's tagger gopher_v1. Its attributes come as millionths."""
    checks = []
    for attribute, (low, high) in DOLMA.items():
        reason, values = f"gopher_v1_{attribute}", outcome[attribute]
        if low and parameters[low] is not None:
            checks.append(Check(reason, values, low=millionths(parameters[low])))
        if high and parameters[high] is not None:
            checks.append(Check(reason, values, high=millionths(parameters[high])))
    return checks


def fineweb(columns: Columns, parameters: Parameters, outcome: Outcome) -> list[Check]:
    """FineWeb's own heuristics: Penedo et al. 2024, section 3.4; reference: datatrove's FineWebQualityFilter."""
    f, p = columns.features, parameters
    lines, terminated = f["filled_lines"], f["terminated_lines"]
    punctuation = at_least("line_punct_ratio", terminated, lines, p["min_terminated_lines"])
    if p["unless_no_line_is_terminated"]:
        punctuation = [check.only(terminated > 0) for check in punctuation]
    unbroken = f["characters"] - f["newlines"]
    return [
        *at_least("empty", lines, 1, 1),
        *punctuation,
        *at_most("short_line_ratio", f["short_lines"], lines, p["max_short_lines"]),
        *at_most("char_dup_ratio", f["duplicate_filled_line_characters"], unbroken, p["max_duplicate_characters"]),
        *at_most("list_ratio", f["newlines"], _word(f, p, "words"), p["max_newlines_per_word"]),
    ]


def c4(columns: Columns, parameters: Parameters, outcome: Outcome) -> list[Check]:
    """C4's heuristics: Raffel et al. 2020, section 2.2; reference: datatrove's C4QualityFilter.

    A document's lines are read in order up to the first with "lorem ipsum" or "{"; only one that was read to its end has
    sentences to count. `emptied`: no line was left.
    """
    stopped = (outcome["lorem_ipsum"] > 0) | (outcome["curly_bracket"] > 0)
    checks = []
    if parameters["lorem_ipsum"]:
        checks += at_most("lorem_ipsum", outcome["lorem_ipsum"], 1, 0)
    if parameters["curly_bracket"]:
        checks += at_most("curly_bracket", outcome["curly_bracket"], 1, 0)
    if parameters["min_sentences"]:
        checks += at_least("too_few_sentences", outcome["sentences"], 1, parameters["min_sentences"])
    checks += at_least("emptied", outcome["kept_lines"], 1, 1)
    return [check if check.high == 0 else check.only(~stopped) for check in checks]


def character_ratio(columns: Columns, parameters: Parameters, outcome: Outcome) -> list[Check]:
    """Shares of characters by Unicode category: letters L, digits Nd, symbols P and S, white space as str.isspace."""
    f, p = columns.features, parameters
    characters = f["characters"]
    return [
        *at_least("too_few_letters", f["letters"], characters, p["min_letters"]),
        *at_most("too_many_uppercase", f["uppercase"], f["letters"], p["max_uppercase"]),
        *at_most("too_many_digits", f["digits"], characters, p["max_digits"]),
        *at_most("too_many_symbols", f["symbols"], characters, p["max_symbols"]),
        *at_most("too_many_spaces", f["spaces"], characters, p["max_spaces"]),
    ]


def line_length(columns: Columns, parameters: Parameters, outcome: Outcome) -> list[Check]:
    """Characters of the text by its lines, and of its longest line; lines are those of str.splitlines()."""
    f, p = columns.features, parameters
    return [
        *at_least("short_lines", f["characters"], f["lines"], p["min_mean"]),
        *at_most("long_lines", f["characters"], f["lines"], p["max_mean"]),
        *at_most("longest_line", f["longest_line"], 1, p["max_longest"]),
    ]


def url(columns: Columns, parameters: Parameters, outcome: Outcome) -> list[Check]:
    """The host of an http(s) URL, compared by whole labels from the right; a URL without a host has no domain."""
    urls = [str(url) for url in columns.urls]
    hosts = [_host(url) for url in urls]
    checks = []
    if parameters["allow_domains"] is not None:
        allowed = [_within(host, frozenset(parameters["allow_domains"])) for host in hosts]
        checks.append(Check("url_domain_not_allowed", np.array(allowed, np.int64) * MILLION, low=MILLION))
    if parameters["block_domains"]:
        blocked = [_within(host, frozenset(parameters["block_domains"])) for host in hosts]
        checks.append(Check("url_domain_blocked", np.array(blocked, np.int64) * MILLION, high=0))
    if parameters["block_words"]:
        words = [word.casefold() for word in parameters["block_words"]]
        found = [sum(word in url.casefold() for word in words) for url in urls]
        checks.append(Check("url_word_blocked", np.array(found, np.int64) * MILLION, high=0))
    return checks


def datatrove(columns: Columns, parameters: Parameters, outcome: Outcome) -> list[Check]:
    """What the named filter said: 1 where it drops, for its own reason, else 0."""
    name = f"datatrove/{parameters['filter']}"
    reasons: Strings = outcome["reasons"]
    drops = np.array([reason is not None for reason in reasons], np.int64)
    named = np.array([reason or name for reason in reasons], object)
    return [Check(name, drops * MILLION, high=0, reasons=named)]


RULES: dict[str, Answer] = {
    "length": length,
    "language": language,
    "gopher_quality": gopher_quality,
    "gopher_repetition": gopher_repetition,
    "gopher_dolma": gopher_dolma,
    "fineweb": fineweb,
    "c4": c4,
    "character_ratio": character_ratio,
    "line_length": line_length,
    "url": url,
    "datatrove": datatrove,
}


def judge(columns: Columns, rules: Sequence[Parameters]) -> list[Check]:
    """All checks of a recipe's rules over a batch, in order. A rule may be for some languages only, or differ by language."""
    checks = []
    for index, rule in enumerate(rules):
        for parameters, applies in variants(rule, columns.languages):
            outcome = columns.outcomes.get(index, {})
            checks += [check.only(applies) for check in RULES[rule["rule"]](columns, parameters, outcome)]
    return checks


def variants(rule: Parameters, languages: Strings) -> Iterator[tuple[Parameters, Bools | None]]:
    """The rule's parameters with those documents (n,) to which they apply; None means all. Disjoint."""
    only, but, override = rule["languages"], rule["except_languages"], rule["by_language"]
    if only is None and not but and not override:
        yield rule, None
        return
    applies = np.ones(len(languages), np.bool_) if only is None else _among(languages, only)
    applies &= ~_among(languages, but)
    yield rule, applies & ~_among(languages, tuple(override))
    for label, parameters in override.items():
        if (mine := applies & _among(languages, (label,))).any():
            yield {**rule, **parameters}, mine


def _among(labels: Strings, wanted: Sequence[str]) -> Bools:
    return np.isin(labels.astype(str), list(wanted)) if wanted else np.zeros(len(labels), np.bool_)


def _word(features: Mapping[str, Ints], parameters: Parameters, name: str) -> Ints:
    """A feature of words, by the rule's own definition of a word."""
    return features[f"unicode_{name}" if parameters["words"] == "unicode" else name]


def _host(url: str) -> str:
    """The host of a URL in lower case, empty where it has none."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:  # a bracket that no IPv6 address closes
        return ""


def _within(host: str, domains: frozenset[str]) -> bool:
    labels = host.split(".")
    return any(".".join(labels[start:]) in domains for start in range(len(labels)))
