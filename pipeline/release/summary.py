"""The release's SUMMARY.md: what the corpus holds and whence, for whoever trains on it or looks for their own work in it.

It follows the sections of the European Commission's template for the public summary of training content of general-purpose AI
models (Regulation (EU) 2024/1689, Article 53(1)(d); template of 24 July 2025, C(2025) 8311): general information, data sources
by category, data processing. A corpus is no model, so
1. what only the provider of a model knows stands there as `for the provider to fill in`;
2. what the release shows is filled in, from the manifest and the rows, with exact figures where the template asks for a range;
3. what was not done is said, too: a summary that is silent would be read as a yes.

Categories of sources are the template's. A file that somebody published for anybody to download (a package, a dump, a crawl of
others) is a publicly available dataset; Pellucid has no crawler, it fetches the files that a recipe names.
Domain names are hosts of the documents' URLs, by bytes of kept text. The template wants the top tenth of the domains that were
scraped, of small providers the top twentieth or 1,000, whichever is less; here they are those of all kept documents, whoever
collected them, at most LISTED of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipeline.release.plain import code, sentence, share
from pipeline.trust import opt_out
from pipeline.trust.urls import package

if TYPE_CHECKING:
    from pipeline.release.documents import Facts

LISTED = 1_000  # lines of the list of domains, at most
BYTES_A_TOKEN = 4  # of English text in UTF-8, under common byte-pair vocabularies; a token has one byte at least
# The template's ranges for text, in tokens.
BANDS = (
    (10**9, "less than 1 billion tokens"),
    (10**13, "1 billion to 10 trillion tokens"),
    (None, "more than 10 trillion tokens"),
)
# The category of the template for each kind of `from` in a recipe, with what the kind is.
PUBLIC, OTHER = "2.1", "2.6"
KINDS = {
    "pypi": (PUBLIC, "packages of PyPI"),
    "deb": (PUBLIC, "packages of Debian"),
    "npm": (PUBLIC, "packages of npm"),
    "http": (PUBLIC, "files at URLs"),
    "huggingface": (PUBLIC, "files of dataset repositories"),
    "commoncrawl": (PUBLIC, "files of Common Crawl"),
    "wikimedia": (PUBLIC, "dumps of Wikimedia"),
    "git": (PUBLIC, "files of git repositories"),
    "local": (OTHER, "files of whoever built the corpus"),
}
FILL_IN = "*for the provider to fill in*"


def summary(facts: "Facts") -> str:
    """Markdown. Every figure is of the manifest or counted from the rows; nothing in it depends on time or machine."""
    recipe = facts.recipe
    lines = [
        f"# Summary of the content of {recipe['name']} {recipe['version']}",
        "",
        "In the order of the European Commission's template for the public summary of training content (Regulation (EU) "
        "2024/1689, Article 53(1)(d)). The provider of a model that is trained on this corpus, alone or with others, can take "
        f"its figures into the summary of that model. What only that provider knows is marked: {FILL_IN}.",
        "",
        *_general(facts),
        *_sources(facts),
        *_processing(facts),
    ]
    return "\n".join(lines)


def band(text_bytes: int) -> str:
    """The template's range for so many bytes of UTF-8."""
    tokens = text_bytes // BYTES_A_TOKEN
    return next(name for bound, name in BANDS if bound is None or tokens < bound)


def top(publishers: Mapping[str, int]) -> tuple[list[tuple[str, int]], int]:
    """The top tenth of the hosts, rounded up, with bytes of text: at most LISTED, greatest first; and the number of all."""
    hosts = [(name, size) for name, size in publishers.items() if name and not name.startswith("pkg:")]
    hosts.sort(key=lambda host: (-host[1], host[0]))
    return hosts[: min(-(-len(hosts) // 10), LISTED)], len(hosts)


def small(domains: int) -> int:
    """How many domains a small provider lists of so many: the top twentieth, rounded up, or 1,000 if that is less."""
    return min(-(-domains // 20), 1_000)


def _general(facts: "Facts") -> Iterator[str]:
    totals, labels = facts.totals, facts.tally.languages
    size, kept = totals["text_bytes"], totals["kept"]
    certain = "" if size < BANDS[0][0] else f", at {BYTES_A_TOKEN} bytes a token"
    yield from (
        "## 1. General information",
        "",
        "| | |",
        "|---|---|",
        f"| 1.1 Provider, authorised representative | {FILL_IN} |",
        f"| 1.2 Model, dependencies, date of placement on the market | {FILL_IN} |",
        "| 1.3 Modality | text; no images, audio or video |",
        f"| Size | {band(size)}{certain}: {size:,} bytes of text in UTF-8, {kept:,} documents |",
        f"| Types of content | {sentence(facts.recipe['description'])} |",
        "| Latest date of collection | not in the release, which holds no dates: `run.dsse.json` says when it was built, "
        "manifest.json which version of each file was read |",
        f"| Languages | {_languages(labels, kept)} |",
        "| Other characteristics | every record that was read has a row, kept or dropped, with its origin and reason |",
        "",
    )


def _languages(labels: Mapping[str, int], kept: int) -> str:
    """Labels with their share of the documents, the most frequent first; those below one in a thousand together."""
    ranked = sorted(labels.items(), key=lambda item: (-item[1], item[0]))
    often = [(label, count) for label, count in ranked if count * 1_000 >= kept]
    parts = [f"{label} {share(count, kept)}" for label, count in often]
    if rare := len(ranked) - len(often):
        parts.append(f"{rare} more, each below 0.1 %")
    return (", ".join(parts) or "none") + " (share of documents; labels of an automatic classifier)"


def _sources(facts: "Facts") -> Iterator[str]:
    by_category: dict[str, list[tuple[Mapping[str, Any], str, Mapping[str, Any]]]] = {PUBLIC: [], OTHER: []}
    for source, spec in zip(facts.sources, facts.recipe["sources"], strict=True):
        category, what = KINDS.get(spec.get("from", {}).get("kind", ""), (OTHER, "files that the recipe names"))
        by_category[category].append((source, what, spec))
    whole = facts.totals["text_bytes"]
    yield from ("## 2. Data sources", "", "### 2.1 Publicly available datasets", "")
    yield from _table(by_category[PUBLIC], whole)
    yield from (
        "### 2.2 Private datasets of third parties",
        "",
        "None: no source is licensed commercially or obtained under another agreement."
        if not by_category[OTHER]
        else "Whether a source of 2.6 is one is for whoever built the corpus to say.",
        "",
        "### 2.3 Data crawled and scraped",
        "",
        "No crawler was run: Pellucid fetches the files that the recipe names and follows no link. Files of 2.1 may be "
        "crawls of others.",
        "",
        *_domains(facts),
        "### 2.4 User data",
        "",
        "None was collected by Pellucid.",
        "",
        "### 2.5 Synthetic data",
        "",
        "None was made by Pellucid: texts are extracts of records. Whether an upstream text was made by a model is not known.",
        "",
        "### 2.6 Other sources",
        "",
    )
    yield from _table(by_category[OTHER], whole)


def _table(rows: Sequence[tuple[Mapping[str, Any], str, Mapping[str, Any]]], whole: int) -> Iterator[str]:
    if not rows:
        yield from ("None.", "")
        return
    yield from (
        "| source | what | files | licence of the text | documents | bytes of text | share of the corpus |",
        "|---|---|---|---|---:|---:|---:|",
    )
    for source, what, _ in rows:
        yield (
            f"| {source['name']} | {what} | {_upstreams(source['artifacts'])} | {source['license']} | {source['kept']:,} "
            f"| {source['text_bytes']:,} | {share(source['text_bytes'], whole)} |"
        )
    yield ""


def _upstreams(artifacts: Sequence[Mapping[str, Any]]) -> str:
    """The packages that a source reads, the first ten by name; all are in the manifest."""
    names = sorted({package(artifact["purl"]) for artifact in artifacts})
    shown = ", ".join(code(name) for name in names[:10])
    return shown if len(names) <= 10 else f"{shown} and {len(names) - 10:,} more in `sources` of manifest.json"


def _domains(facts: "Facts") -> Iterator[str]:
    listed, every = top(facts.tally.publishers)
    size = sum(count for name, count in facts.tally.publishers.items() if name and not name.startswith("pkg:"))
    if not every:
        yield from ("No kept document has a URL with a domain name: all are named by the package that holds them.", "")
        return
    tenth = -(-every // 10)
    cut = f", of which the first {len(listed):,} stand here" if tenth > len(listed) else ""
    yield from (
        f"Kept documents have URLs under {every:,} domain names (hosts), with {size:,} bytes of text. The top 10 % by size "
        f"are {tenth:,}{cut}; the list of a small provider (top 5 %, at most 1,000) is the first {small(every):,}.",
        "",
        "| domain name | bytes of text | share of the corpus |",
        "|---|---:|---:|",
        *(f"| {code(name)} | {count:,} | {share(count, facts.totals['text_bytes'])} |" for name, count in listed),
        "",
    )


def _processing(facts: "Facts") -> Iterator[str]:
    recipe, totals = facts.recipe, facts.totals
    count = {(row["stage"], row["reason"]): row["documents"] for row in totals["reasons"]}
    lists = opt_out.policies(opt_out.of_recipe(recipe, "recipe"))
    lines = sum(one[kind] for one in lists for kind in ("domains", "ids", "texts", "urls"))
    out = count.get((opt_out.STAGE, opt_out.REASON), 0)
    taken = sum(number for (stage, _), number in count.items() if stage == "takedown")
    rules = sorted({rule["rule"] for spec in (recipe, *recipe["sources"]) for rule in spec.get("rules") or ()})
    yield from (
        "## 3. Data processing",
        "",
        "### 3.1 Reservation of rights (text and data mining)",
        "",
        f"- Opt-out lists of the recipe: {len(lists)}, with {lines:,} lines (domains, URLs, documents, texts); {out:,} records "
        "were kept out for them."
        if lists
        else "- Opt-out lists of the recipe: none.",
        "- robots.txt, TDM reservation protocols and other signals of the sites themselves were not read by Pellucid; whether "
        "those who collected an upstream did is for them to say.",
        "- Each source has the SPDX licence of its text, declared by the recipe's author; manifest.json pins the licence file.",
        f"- Taken out after publication: {taken:,} documents (`policies.takedown` of manifest.json). A document, URL or domain "
        "can be taken out of a release with `pellucid takedown`.",
        f"- Code of practice, complaints, contact: {FILL_IN}.",
        "",
        "### 3.2 Illegal content",
        "",
        "- No search for illegal content was made, and none for personal data.",
        *(
            ["- The rule `url` dropped documents by the words and domains that the recipe gives it."]
            if "url" in rules
            else []
        ),
        f"- Rules of form and language that documents were judged by: {', '.join(rules) or 'none'}. Their bounds are in the "
        "recipe, every value in the provenance.",
        f"- Further measures before or in training: {FILL_IN}.",
        "",
        "### 3.3 Other",
        "",
        f"- Duplicates dropped: {count.get(('dedup', 'exact_duplicate'), 0):,} exact, "
        f"{count.get(('dedup', 'near_duplicate'), 0):,} near. Each names the document that was kept.",
        f"- Records read: {totals['read']:,}; kept {totals['kept']:,}; dropped {totals['dropped']:,}, each with its reason.",
        *(
            f"- Left out are copies of documents that {other['name']} {other['version']} keeps."
            for other in facts.against
        ),
        "- manifest.json is signed; it covers this page and every shard. `pellucid verify` checks it.",
        "",
    )
