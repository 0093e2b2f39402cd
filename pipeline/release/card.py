"""The release's README.md: a Hugging Face dataset card whose YAML makes `load_dataset(FOLDER)` work.

1. One configuration a kind of file; `default` has the texts.
2. `license` is the Hub's own id where it has one for every licence of the release, a list if there are several; else `other`,
   with the SPDX expression as its name where there is but one. Nothing is gated.
3. `language` has ISO 639 codes only, so that a label of the classifier that is none cannot make the Hub refuse the card.
4. There is no `dataset_info`: it has to say the size of the rows in memory, which no file says; the schemas are in the Parquet.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import yaml

from pipeline.release import languages
from pipeline.release.plain import license_url, sentence, share

if TYPE_CHECKING:
    from pipeline.release.documents import Facts

# Of each kind of file its configuration, and the glob of its files.
CONFIGS = {
    "data": ("default", "data/*/train-*.parquet"),
    "kept": ("provenance", "provenance/*/kept-*.parquet"),
    "dropped": ("dropped", "provenance/*/dropped-*.parquet"),
    "clusters": ("clusters", "provenance/*/clusters-*.parquet"),
}
STAGES = (
    ("read", "could be read"),
    ("extract", "hold a document"),
    ("judge", "pass the rules"),
    ("dedup", "are no duplicate"),
    ("takedown", "were not taken down"),
)
# Licences for which the Hub's id is the SPDX id in lower case, and those for which it is another, without the suffix of SPDX 3
# (huggingface.co/docs/hub/repositories-licenses).
_SAME = (
    "Apache-2.0", "MIT", "AFL-3.0", "Artistic-2.0", "BSL-1.0", "BSD-2-Clause", "BSD-3-Clause",
    "BSD-3-Clause-Clear", "CC0-1.0", "CC-BY-2.0", "CC-BY-2.5", "CC-BY-3.0", "CC-BY-4.0", "CC-BY-SA-3.0",
    "CC-BY-SA-4.0", "CC-BY-NC-2.0", "CC-BY-NC-3.0", "CC-BY-NC-4.0", "CC-BY-ND-4.0", "CC-BY-NC-ND-3.0",
    "CC-BY-NC-ND-4.0", "CC-BY-NC-SA-2.0", "CC-BY-NC-SA-3.0", "CC-BY-NC-SA-4.0", "CDLA-Sharing-1.0",
    "CDLA-Permissive-1.0", "CDLA-Permissive-2.0", "WTFPL", "ECL-2.0", "EPL-1.0", "EPL-2.0", "EUPL-1.1",
    "EUPL-1.2", "ISC", "LPPL-1.3c", "MS-PL", "MPL-2.0", "OSL-3.0", "PostgreSQL", "OFL-1.1", "NCSA", "Unlicense",
    "Zlib",
)  # fmt: skip
_OTHERWISE = {
    "C-UDA-1.0": "c-uda", "etalab-2.0": "etalab-2.0", "ODC-By-1.0": "odc-by", "ODbL-1.0": "odbl", "PDDL-1.0": "pddl",
    **{f"{name}-{suffix}": name.lower() for name in ("AGPL-3.0", "GPL-2.0", "GPL-3.0", "LGPL-2.1", "LGPL-3.0")
       for suffix in ("only", "or-later")},
    **{f"GFDL-{version}-{suffix}": "gfdl" for version in ("1.1", "1.2", "1.3") for suffix in ("only", "or-later")},
}  # fmt: skip
_SIZES = [
    (1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"), (100_000_000, "10M<n<100M"), (1_000_000_000, "100M<n<1B"), (10_000_000_000, "1B<n<10B"),
    (100_000_000_000, "10B<n<100B"), (1_000_000_000_000, "100B<n<1T"),
]  # fmt: skip


def card(facts: "Facts") -> str:
    """Markdown with YAML front matter. Every figure is of the manifest; nothing in it depends on time or machine."""
    recipe, totals = facts.recipe, facts.totals
    front = {
        "pretty_name": f"{recipe['name']} {recipe['version']}",
        **_license([source["license"] for source in facts.sources]),
        "language": languages.of_corpus(facts.tally.languages),
        "task_categories": ["text-generation"],
        "tags": ["pellucid", "provenance"],
        "size_categories": [next((name for bound, name in _SIZES if totals["kept"] < bound), "n>1T")],
        "configs": _configs(),
    }
    front = {key: value for key, value in front.items() if value != []}
    lines = [
        "---",
        yaml.safe_dump(front, sort_keys=False, allow_unicode=True).rstrip(),
        "---",
        "",
        f"# {recipe['name']} {recipe['version']}",
        "",
        sentence(recipe["description"]),
        "",
        f"{totals['read']:,} records were read; {totals['kept']:,} documents "
        f"({totals['text_bytes'] / 1e6:,.1f} MB of text) are kept and {totals['dropped']:,} are in the ledger of dropped "
        "records, each with its reason.",
        "",
        "| source | licence of the text | read | kept | dropped | MB of text |",
        "|---|---|---:|---:|---:|---:|",
        *(
            f"| {source['name']} | {source['license']} | {source['read']:,} | {source['kept']:,} "
            f"| {source['dropped']:,} | {source['text_bytes'] / 1e6:,.1f} |"
            for source in facts.sources
        ),
    ]
    if recipe.get("opt_out"):
        kept_out = sum(row["documents"] for row in totals["reasons"] if row["reason"] == "opt_out")
        lines += [
            "",
            f"{kept_out:,} records were kept out because an opt-out list of the recipe names them (`opt_out`); "
            "`policies.opt_out` of the manifest says how many lines these lists have.",
        ]
    if facts.against:
        lines += ["", "Left out are copies of documents that these releases keep:", ""]
        lines += [
            f"- {other['name']} {other['version']}, release id `{other['release_id']}`" for other in facts.against
        ]
    lines += [
        "",
        "## From records to documents",
        "",
        "| stage | dropped | left | share |",
        "|---|---:|---:|---:|",
        *_funnel(totals),
        "",
        "## Why records were dropped",
        "",
        "| stage | reason | documents |",
        "|---|---|---:|",
        *(f"| {row['stage']} | {row['reason']} | {row['documents']:,} |" for row in totals["reasons"]),
        "",
        "## Use it",
        "",
        "```python",
        "from datasets import load_dataset",
        'texts = load_dataset("FOLDER", split="train")',
        'provenance = load_dataset("FOLDER", "provenance", split="train")  # row i describes row i of texts',
        'dropped = load_dataset("FOLDER", "dropped", split="train")',
        'clusters = load_dataset("FOLDER", "clusters", split="train")  # kept documents and their copies',
        "```",
        "",
        "```sh",
        "pellucid verify FOLDER            # signature, digests, rows, totals",
        "pellucid show FOLDER ID           # one document's whole story",
        f"pellucid reproduce FOLDER/manifest.json{' --against RELEASE' * len(facts.against)}",
        "```",
        "",
        "Each text stays under its own licence, named in the column `license`; `manifest.json` pins the licence file that "
        "shows it. Upstreams are named by Package URL, with their SHA-256. `SUMMARY.md` says where the texts come from, by "
        "kind of source and by domain; `croissant.json` describes the files for machines.",
        "",
    ]
    return "\n".join(lines)


def _license(expressions: Sequence[str]) -> dict[str, Any]:
    every = list(dict.fromkeys(expressions))
    known = list(dict.fromkeys(hub_license(expression) or "" for expression in every))
    if all(known):
        return {"license": known if len(known) > 1 else known[0]}
    one = every[0] if len(every) == 1 else None
    return {
        "license": "other",
        "license_name": one or "several",
        "license_link": (license_url(one) if one else None) or "https://spdx.org/licenses/",
    }


def hub_license(expression: str) -> str | None:
    """The Hub's id of an SPDX licence; None where it has none."""
    return expression.lower() if expression in _SAME else _OTHERWISE.get(expression)


def _configs() -> list[dict[str, Any]]:
    return [
        {
            "config_name": name,
            **({"default": True} if name == "default" else {}),
            "data_files": [{"split": "train", "path": glob}],
        }
        for name, glob in CONFIGS.values()
    ]


def _funnel(totals: Mapping[str, Any]) -> Iterator[str]:
    """What each stage left, from the records read to the documents kept."""
    left = total = totals["read"]
    yield f"| records read | | {left:,} | |"
    for stage, what in STAGES:
        gone = sum(row["documents"] for row in totals["reasons"] if row["stage"] == stage)
        if stage == "takedown" and not gone:
            continue
        left -= gone
        yield f"| {stage}: {what} | {gone:,} | {left:,} | {share(left, total)} |"
