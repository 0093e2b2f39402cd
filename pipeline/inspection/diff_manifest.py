"""What two manifests say differently: recipe, lock, code, environment, policies, totals. Pure: values in, values out.

Rules
- A recipe's lists of named things are compared by name, not by place: sources by `name`, rules by `rule` (a datatrove filter
  by its name, too; the second of a kind is `#2`). Lists of strings and numbers are compared as bags; where only the order
  differs, that is the difference, since the order of rules decides which reason is the first.
- Artifacts are one if source, Package URL and digest are. Of what is left over on both sides, those of one digest are one that
  another source reads now ("moved"); others are paired within a source by
  package (the Package URL without version and file name) and kind of file: another version, or other bytes of the same one.
- Rows are the same where the manifests list the same Parquet files with the same content roots: no row needs to be read.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from pipeline.trust.manifest import Manifest

NAMED = {"sources": "name", "rules": "rule"}  # lists of objects, and the key that names one
KINDS = ("data", "kept", "dropped", "clusters", "removed")
LABELS = ("name", "version", "description")  # of the recipe: what it is called changes no row


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where two JSON values differ. `old` or `new` is None where it is not there, and `change` says what happened:
    "changed", "added", "removed" or "order"."""

    path: str
    change: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class ArtifactChange:
    """`change`: "added", "removed", "moved" (from source `was`), "version" (another version of a package) or "digest" (the same
    version, other bytes).

    `old`, `new`: purl, sha256, size, None where there is none. `package`: the Package URL without its version.
    """

    source: str
    change: str
    package: str
    old: Mapping[str, Any] | None
    new: Mapping[str, Any] | None
    was: str | None = None


@dataclass(frozen=True, slots=True)
class SourceTotals:
    """Counts of a source in both, None where it has none; `reasons`: (stage, reason, old, new) that differ; `cuts`: (reason,
    old, new), characters that were cut from its pages, that differ.
    """

    source: str
    old: Mapping[str, int] | None
    new: Mapping[str, int] | None
    reasons: tuple[tuple[str, str, int, int], ...]
    cuts: tuple[tuple[str, int, int], ...] = ()


def values(old: Any, new: Any, path: str = "", key: str = "") -> Iterator[Difference]:
    """Where two JSON values differ, in the order of their keys. `key`: that under which they stand."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted({*old, *new}):
            at = f"{path}.{name}" if path else name
            if name not in old:
                yield Difference(at, "added", None, new[name])
            elif name not in new:
                yield Difference(at, "removed", old[name], None)
            else:
                yield from values(old[name], new[name], at, name)
    elif isinstance(old, list) and isinstance(new, list) and (NAMED.get(key) or (_plain(old) and _plain(new))):
        yield from _lists(old, new, path, NAMED.get(key))
    elif _key(old) != _key(new):
        yield Difference(path, "changed", old, new)


def _plain(items: Sequence[Any]) -> bool:
    return all(not isinstance(item, dict | list) for item in items)


def _lists(old: list[Any], new: list[Any], path: str, name: str | None) -> Iterator[Difference]:
    if name is None:
        gone, come = Counter(map(_key, old)), Counter(map(_key, new))
        for mine, theirs, change in ((old, come, "removed"), (new, gone, "added")):
            left = Counter(theirs)
            for item in mine:
                if left[_key(item)] > 0:
                    left[_key(item)] -= 1
                else:
                    yield Difference(path, change, *((item, None) if change == "removed" else (None, item)))
        if gone == come and list(map(_key, old)) != list(map(_key, new)):
            yield Difference(path, "order", old, new)
        return
    before, after = _by_name(old, name), _by_name(new, name)
    for title, item in before.items():
        if title not in after:
            yield Difference(f"{path}[{title}]", "removed", item, None)
    for title, item in after.items():
        if title not in before:
            yield Difference(f"{path}[{title}]", "added", None, item)
        else:
            yield from values(before[title], item, f"{path}[{title}]")
    both = [title for title in before if title in after], [title for title in after if title in before]
    if both[0] != both[1]:
        yield Difference(path, "order", *both)


def _key(item: Any) -> str:
    return json.dumps(item, sort_keys=True)  # in Python 1 is True


def _by_name(items: Sequence[Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in items:
        title = str(item.get(name)) if isinstance(item, dict) else str(item)
        if isinstance(item, dict) and title == "datatrove" and "filter" in item:
            title = f"datatrove/{item['filter']}"
        count = 1 + sum(known.partition("#")[0] == title for known in found)
        found[title if count == 1 else f"{title}#{count}"] = item
    return found


def package_of(purl: str) -> tuple[str, str]:
    """A Package URL without version, subpath and file name; and the version."""
    rest, _, _ = purl.partition("#")
    rest, _, query = rest.partition("?")
    place = rest.rfind("@")
    version = unquote(rest[place + 1 :]) if place > rest.rfind("/") else ""
    base = rest[:place] if version else rest
    kept = "&".join(part for part in query.split("&") if part and not part.startswith("file_name="))
    return f"{base}?{kept}" if kept else base, version


def artifacts(old: Manifest, new: Manifest) -> list[ArtifactChange]:
    """What differs in the locks, by source and package."""
    sides = [_pinned(one) for one in (old, new)]
    left = [{key: row for key, row in side.items() if key not in other} for side, other in (sides, sides[::-1])]
    found = []
    for key in sorted(left[0]):
        there = next((other for other in sorted(left[1]) if other[1:] == key[1:]), None)
        if there:
            row = left[0].pop(key)
            found.append(ArtifactChange(there[0], "moved", package_of(key[1])[0], row, left[1].pop(there), key[0]))
    places: dict[tuple[str, str, str], tuple[list[Any], list[Any]]] = {}
    for number, side in enumerate(left):
        for (source, purl, _), row in sorted(side.items()):
            package, _ = package_of(purl)
            places.setdefault((source, package, _kind(row["file"])), ([], []))[number].append(row)
    for (source, package, _), (before, after) in sorted(places.items()):
        for place in range(max(len(before), len(after))):
            one = before[place] if place < len(before) else None
            other = after[place] if place < len(after) else None
            if one and other:
                change = "digest" if one["purl"] == other["purl"] else "version"
            else:
                change = "removed" if one else "added"
            found.append(ArtifactChange(source, change, package, one, other))
    return sorted(found, key=lambda change: (change.source, change.package))


def _pinned(one: Manifest) -> dict[tuple[str, str, str], Mapping[str, Any]]:
    return {
        (source["name"], artifact["purl"], artifact["sha256"]): {
            key: artifact[key] for key in ("purl", "sha256", "size", "file")
        }
        for source in one["sources"]
        for artifact in source["artifacts"]
    }  # fmt: skip


def _kind(file: str) -> str:
    """What kind of file this is: an sdist and a wheel of a package are no versions of one another."""
    return next((end for end in (".tar.gz", ".whl", ".zip", ".deb", ".tgz") if file.endswith(end)), "")


def totals(old: Mapping[str, Any], new: Mapping[str, Any], name: str) -> SourceTotals:
    """Two sets of totals, of all or of one source."""
    sides = [{(row["stage"], row["reason"]): row["documents"] for row in one.get("reasons", ())} for one in (old, new)]
    reasons = tuple(
        (stage, reason, sides[0].get((stage, reason), 0), sides[1].get((stage, reason), 0))
        for stage, reason in sorted({*sides[0], *sides[1]})
        if sides[0].get((stage, reason), 0) != sides[1].get((stage, reason), 0)
    )
    counts = [
        {
            **{key: one[key] for key in ("read", "kept", "dropped", "text_bytes")},
            **{key: one["extraction"][key] for key in ("visible_characters", "kept_characters")},
        }
        if one
        else None
        for one in (old, new)
    ]
    lost = [
        {cut["reason"]: cut["characters"] for cut in one["extraction"]["cuts"]} if one else {} for one in (old, new)
    ]
    cuts = tuple(
        (reason, lost[0].get(reason, 0), lost[1].get(reason, 0))
        for reason in sorted({*lost[0], *lost[1]})
        if lost[0].get(reason, 0) != lost[1].get(reason, 0)
    )
    return SourceTotals(name, counts[0], counts[1], reasons, cuts)


def all_totals(old: Manifest, new: Manifest) -> list[SourceTotals]:
    """Totals of every source in which something differs, then of all together, named ""."""
    before, after = ({source["name"]: source for source in one["sources"]} for one in (old, new))
    names = [*before, *(name for name in after if name not in before)]
    found = [totals(before.get(name, {}), after.get(name, {}), name) for name in names]
    found.append(totals(old["totals"], new["totals"], ""))
    return [one for one in found if one.old != one.new or one.reasons or one.cuts]


def files_that_differ(old: Manifest, new: Manifest) -> dict[str, list[str]]:
    """By kind of file, the sources whose rows are not the same in both: other files, numbers of rows, or content roots."""
    sides = []
    for one in (old, new):
        side: dict[tuple[str, str], list[Any]] = {}
        for file in one["files"]:
            if file["kind"] in KINDS and file["source"] and (file["kind"] != "removed" or file["rows"]):
                row = (file["name"], file["rows"], file["leaves"], file["root"])
                side.setdefault((file["kind"], file["source"]), []).append(row)
        sides.append(side)
    differ = [place for place in {**sides[0], **sides[1]} if sides[0].get(place) != sides[1].get(place)]
    return {
        kind: [source for own, source in differ if own == kind]
        for kind in KINDS
        if any(own == kind for own, _ in differ)
    }
