"""The release's README.md: a Hugging Face dataset card whose YAML makes `load_dataset(FOLDER)` work."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml


def card(
    recipe: Mapping[str, Any], totals: Mapping[str, Any], sources: Sequence[Mapping[str, Any]], languages: Sequence[str],
    against: Sequence[Mapping[str, str]] = (),
) -> str:  # fmt: skip
    """Markdown with YAML front matter. Every figure is of the manifest; nothing in it depends on time or machine."""
    name = recipe["name"]
    front = {
        "pretty_name": name,
        "license": "other",
        "license_name": "several",
        "license_link": "manifest.json",
        "language": list(languages),
        "tags": ["pellucid", "provenance"],
        "size_categories": [_size_category(totals["kept"])],
        "configs": [
            {"config_name": "default", "default": True, "data_files": [{"split": "train", "path": "data/*/*.parquet"}]},
            {
                "config_name": "provenance",
                "data_files": [{"split": "train", "path": "provenance/*/kept-*.parquet"}],
            },
            {
                "config_name": "dropped",
                "data_files": [{"split": "train", "path": "provenance/*/dropped-*.parquet"}],
            },
            {
                "config_name": "clusters",
                "data_files": [{"split": "train", "path": "provenance/*/clusters-*.parquet"}],
            },
        ],
    }
    lines = [
        "---",
        yaml.safe_dump(front, sort_keys=False, allow_unicode=True).rstrip(),
        "---",
        "",
        f"# {name} {recipe['version']}",
        "",
        recipe["description"].strip(),
        "",
        f"{totals['read']:,} records were read; {totals['kept']:,} documents "
        f"({totals['text_bytes'] / 1e6:,.1f} MB of text) are kept and {totals['dropped']:,} are in the ledger of dropped "
        "records, each with its reason.",
        "",
        "| source | licence of the text | read | kept | dropped | MB of text |",
        "|---|---|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {source['name']} | {source['license']} | {source['read']:,} | {source['kept']:,} "
        f"| {source['dropped']:,} | {source['text_bytes'] / 1e6:,.1f} |"
        for source in sources
    ]
    kept_out = sum(row["documents"] for row in totals["reasons"] if row["reason"] == "opt_out")
    if recipe.get("opt_out"):
        lines += [
            "",
            f"{kept_out:,} records were kept out because an opt-out list of the recipe names them (`opt_out`); "
            "`policies.opt_out` of the manifest says how many lines these lists have.",
        ]
    if against:
        lines += ["", "Left out are copies of documents that these releases keep:", ""]
        lines += [f"- {other['name']} {other['version']}, release id `{other['release_id']}`" for other in against]
    lines += [
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
        f"pellucid reproduce FOLDER/manifest.json{' --against RELEASE' * len(against)}",
        "```",
        "",
        "Each text stays under its own licence, named in the column `license`; `manifest.json` pins the licence file that "
        "shows it. Upstreams are named by Package URL, with their SHA-256.",
        "",
    ]
    return "\n".join(lines)


def _size_category(rows: int) -> str:
    """The Hub's names of magnitudes (`size_categories` of a dataset card)."""
    bounds = [
        (1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"),
        (10_000_000, "1M<n<10M"), (100_000_000, "10M<n<100M"), (1_000_000_000, "100M<n<1B"),
    ]  # fmt: skip
    return next((name for bound, name in bounds if rows < bound), "n>1B")
