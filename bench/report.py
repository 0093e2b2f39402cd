"""The tables of a run as Markdown, and the machine that it ran on, without names of hosts or folders."""

import math
import os
import platform
import statistics
from pathlib import Path
from typing import Any

import rows

Answer = dict[str, Any]


def machine() -> dict[str, Any]:
    model = next(
        (
            line.partition(":")[2].strip()
            for line in _text("/proc/cpuinfo").splitlines()
            if line.startswith("model name")
        ),
        platform.processor() or platform.machine(),
    )
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "governor": _text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").strip() or "not readable",
        "kernel": f"{platform.system()} {platform.release()}",
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "python": platform.python_version(),
    }


def _text(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def rate(answer: Answer, unit: str = "bytes") -> tuple[float, float, float]:
    """Median, least and greatest of bytes or documents a second."""
    rates = [answer[unit] / seconds for seconds in answer["seconds"]]
    return statistics.median(rates), min(rates), max(rates)


def markdown(result: dict[str, Any]) -> str:
    about, run = result["machine"], result["run"]
    versions = ", ".join(f"{name} {version}" for name, version in sorted(result["versions"].items()))
    lines = [
        "# Bench",
        "",
        f"{result['date']}. {about['cpu']}, {about['cores']} cores, governor {about['governor']}, {about['memory_gb']} GB, "
        f"{about['kernel']}, Python {about['python']}; {versions}.",
        "",
        f"{run['documents']:,} documents, {run['bytes'] / 1e6:,.1f} MB of UTF-8, of the release {run['release']}. One core, "
        f"CPU time of the process, {run['repetitions']} repetitions: median (least to greatest). A ratio compares the medians "
        "of ours and of the peer on the same documents. What the rows mean: [bench/README.md](../README.md).",
    ]
    for note in run["notes"]:
        lines += ["", f"**{note}**"]
    for table, title in rows.TITLES.items():
        if mine := [row for row in result["rows"] if row["table"] == table]:
            lines += ["", f"## {title}", "", *_table(mine)]
            lines += _equal(mine)
    if result["hostile"]:
        lines += ["", "## Hostile shapes: ours, and its ratio to the documents above", "", *_hostile(result["hostile"])]
    if result["memory"]:
        lines += ["", "## Memory: one worker that curates one Parquet file", "", *_memory(result["memory"])]
    if result["sizes"]:
        lines += ["", "## Near duplicates: time and memory by size", "", *_sizes(result["sizes"], grow=True)]
        lines += [
            "",
            "First the texts before deduplication. The others are made: an eighth of those texts with seven copies each, of "
            "whose words none to half are replaced, so that about half are near duplicates; the same again with other endings "
            "of all words, as often as it takes. One run. Curate came before; RSS counts the pages of mapped files too.",
        ]
    if result["near_hostile"]:
        found = _sizes(result["near_hostile"], grow=False)
        lines += ["", "## Near duplicates: hostile shapes", "", *found, "", "One run."]
    if result["keys"]:
        lines += ["", "## Near duplicates: synthetic keys", "", *_keys(result["keys"])]
    if result["verify"]:
        lines += ["", "## Verify: the release itself", "", *_verify(result["verify"])]
    return "\n".join(lines) + "\n"


def _table(mine: list[Answer]) -> list[str]:
    lines = [
        "| what | by | version | MB/s | documents/s | ours / this | documents | MB |",
        "|---|---|---|---:|---:|---:|---:|---:|",
    ]
    for row in mine:
        head = f"| {row['what']} | {row['peer']} | {row.get('version', '')} |"
        if "seconds" not in row:
            lines.append(f"{head} {row.get('error', 'not measured').replace('|', '/')} | | | | |")
            continue
        median, least, most = (one / 1e6 for one in rate(row))
        documents = rate(row, "documents")[0]
        ratio = "" if row.get("ratio") is None else f"{_short(row['ratio'])} x"
        lines.append(
            f"{head} {_short(median)} ({_short(least)} to {_short(most)}) | {documents:,.0f} | {ratio} | "
            f"{row['documents']:,} | {row['bytes'] / 1e6:,.1f} |"
        )
    return lines


def _equal(mine: list[Answer]) -> list[str]:
    """What is said below a table."""
    lines = []
    for row in mine:
        if row.get("work") == "binding" and "labels_unequal" in row:
            lines += [
                "",
                f"Of {row['documents']:,} documents ours and fastText's differ in {row['labels_unequal']:,} labels and "
                f"{row['probabilities_unequal']:,} probabilities (largest difference {row['largest_difference']:.1e}).",
            ]
        if "repeated" in row:
            lines += ["", f"{row['peer']} marked {row['repeated']:,} of {row['lines']:,} lines."]
        if "kept" in row and "kept_ours" in row:
            lines += [
                "",
                f"Of {row['documents']:,} documents {row['peer']} left {row['kept']:,}, ours {row['kept_ours']:,}.",
            ]
        if "survivors" in row and "survivors_ours" in row:
            lines += [
                "",
                f"Of {row['documents']:,} documents {row['survivors']:,} passed the filters of {row['peer']}, and "
                f"{row['survivors_ours']:,} ours.",
            ]
    return lines


def _hostile(found: list[Answer]) -> list[str]:
    works = rows.HOSTILE_WORKS
    lines = [
        "| shape | documents | MB | " + " | ".join(f"{work}, MB/s | of normal" for work in works) + " |",
        "|---|---:|---:|" + "---:|---:|" * len(works),
    ]
    for shape in found:
        cells = []
        for work in works:
            answer = shape["works"].get(work, {})
            if "seconds" in answer:
                least = f"{shape['of_normal'][work]:.2f}" if work in shape["of_normal"] else ""
                cells += [_short(rate(answer)[0] / 1e6), least]
            else:
                cells += [answer.get("error", "not measured").replace("|", "/"), ""]
        lines.append(
            f"| {shape['shape']} | {shape['documents']:,} | {shape['bytes'] / 1e6:,.1f} | {' | '.join(cells)} |"
        )
    return lines


def _memory(found: list[Answer]) -> list[str]:
    lines = [
        "| input | MB of text | documents | peak RSS, MB | of that, imports | MB/s |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for row in found:
        if "peak_rss" not in row:
            lines.append(f"| {row['input']} | | | {row.get('error', 'not measured')} | | |")
            continue
        lines.append(
            f"| {row['input']} | {row['bytes'] / 1e6:,.0f} | {row['documents']:,} | {row['peak_rss'] / 1e6:,.0f} | "
            f"{row['imports_rss'] / 1e6:,.0f} | "
            f"{_short(row['bytes'] / 1e6 / row['cpu'])} |"
        )
    return [
        *lines,
        "",
        "The input is the texts of the release again and again, each with a first line of its own. One run.",
    ]


def _verify(found: list[Answer]) -> list[str]:
    lines = [
        "| what | seconds | MB/s of files | MB/s of text | records/s | peak RSS, MB | of that, imports |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in found:
        if "seconds" not in row:
            lines.append(f"| {row['what']} | {row.get('error', 'not measured').replace('|', '/')} | | | | | |")
            continue
        median, least, most = (_short(one / 1e6) for one in rate(row))
        lines.append(
            f"| {row['what']} | {statistics.median(row['seconds']):.3f} | {median} ({least} to {most}) | "
            f"{_short(rate(row, 'text_bytes')[0] / 1e6)} | {rate(row, 'documents')[0]:,.0f} | {row['memory'] / 1e6:,.0f} | "
            f"{row['imports_memory'] / 1e6:,.0f} |"
        )
    first = next((row for row in found if "bytes" in row), None)
    if first is None:
        return lines
    size, text = (first[key] / 1e6 for key in ("bytes", "text_bytes"))
    return [
        *lines,
        "",
        f"Files of {size:,.1f} MB, which hold {text:,.1f} MB of text. Without the start of the process.",
    ]


def _sizes(found: list[Answer], grow: bool) -> list[str]:
    lines = [
        "| input | MB of text | documents | dropped | seconds | MB/s | sketches, of the time | grows as n^ | peak RSS, MB "
        "| of that, imports |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    before: Answer | None = None
    for row in found:
        if "dropped" not in row:
            lines.append(f"| {row['input']} | {row.get('error', 'not measured')} | | | | | | | |")
            continue
        grows = ""
        if before is not None and grow:  # of mixtures among themselves
            grows = _growth(before, row, "bytes")
        lines.append(
            f"| {row['input']} | {row['bytes'] / 1e6:,.0f} | {row['documents']:,} | {row['dropped']:,} | "
            f"{_short(row['cpu'])} | "
            f"{_short(row['bytes'] / 1e6 / row['cpu'])} | {row['sketch'] / row['cpu']:.0%} | {grows} | "
            f"{row['peak_rss'] / 1e6:,.0f} | {row['imports_rss'] / 1e6:,.0f} |"
        )
        before = None if row["input"] == rows.AS_THEY_ARE else row
    return lines


def _growth(before: Answer, row: Answer, size: str) -> str:
    """The power of the size that the time grows with from one row to the next."""
    return f"{math.log(row['cpu'] / before['cpu']) / math.log(row[size] / before[size]):.2f}"


def _keys(found: list[Answer]) -> list[str]:
    lines = [
        "| documents | pairs | compared | dropped | candidates, s | choice, s | grows as n^ | peak RSS, MB | of that, imports "
        "|",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    before: Answer | None = None
    for row in found:
        if "dropped" not in row:
            lines.append(f"| {row['count']:,} | {row.get('error', 'not measured')} | | | | | | | |")
            continue
        grows = "" if before is None else _growth(before, row, "documents")
        lines.append(
            f"| {row['documents']:,} | {row['pairs']:,} | {row['compared']:,} | {row['dropped']:,} | "
            f"{_short(row['candidates'])} | {_short(row['choose'])} | {grows} | {row['peak_rss'] / 1e6:,.0f} | "
            f"{row['imports_rss'] / 1e6:,.0f} |"
        )
        before = row
    return [
        *lines,
        "",
        "No text and no real document: band keys and shingle hashes are drawn. One of ten is a near copy, two of a hundred "
        "share a key with a document that they are not like. One run. RSS counts the pages of mapped files too.",
    ]


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
