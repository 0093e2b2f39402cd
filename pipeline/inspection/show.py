"""One document's whole story: where it came from, how it was judged, where it ended, and who was kept in its place.

Reads a release only, by DuckDB over its Parquet; the text again from its pointer comes from the artifact cache.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import PellucidError, RecipeError
from pipeline.formats import read
from pipeline.formats.interface import Bomb, Truncated
from pipeline.inspection import duck
from pipeline.model import ACCOUNTING, Document, Extraction, Fault, Pointer, Record, Refusal
from pipeline.trust import extraction, keyed

if TYPE_CHECKING:
    from pipeline.formats.html_text import PageBlock

ORIGIN = ("member", "offset", "length", "record", "path")


@dataclass(frozen=True, slots=True)
class Story:
    """`fate` is "kept", "dropped" or "removed"; `row` the provenance row; `shard` and `position` where it stands in the
    release.

    `kept_instead`: the provenance row of the document that a duplicate lost to; where that is in another release,
    `kept_elsewhere` is what the manifest says of it (release_id, name, version). `text`: of a kept document.
    """

    fate: str
    id: str
    license: str
    format: Mapping[str, Any]
    shard: str
    position: int
    row: Mapping[str, Any]
    text: str | None
    kept_instead: Mapping[str, Any] | None
    kept_elsewhere: Mapping[str, Any] | None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def pointer(self) -> Pointer:
        return Pointer(*(self.row[name] for name in ORIGIN))


@dataclass(frozen=True, slots=True)
class Again:
    """A record read again. `text`: as it was extracted, before the edits of the recipe; None where the record holds none.

    `record_equal`, `text_equal`: whether the keyed digest is the row's; None where there is nothing to compare. `edited`:
    whether the row's text is what edits left. `extraction`: the account of a page; `extraction_equal`: whether it is the row's,
    None where neither has one.
    """

    raw: bytes
    text: str | None
    record_equal: bool | None
    text_equal: bool | None
    edited: bool
    extraction: Extraction | None = None
    extraction_equal: bool | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """The blocks of a page that was read again, in order, kept and cut ones. `equal`: whether those that are cut add up, by
    reason, to what the row says.
    """

    blocks: tuple["PageBlock", ...]
    equal: bool


def show(release: Path, wanted: str) -> list[Story]:
    """All documents, removed ones too, with this id (32 hex characters, or its first 8 or more) or this URL.

    Raises RecipeError where the folder is no release and PellucidError (exit 1) where nothing is found.
    """
    manifest = _manifest(release)
    sources = {source["name"]: source for source in manifest["predicate"]["recipe"]["sources"]}
    others = {other["release_id"]: other for other in manifest["predicate"]["against"]}
    stories = []
    for fate, kind in (("kept", "kept"), ("dropped", "dropped")):
        for row in _find(release, kind, wanted):
            shard, position = Path(row.pop("filename")), row.pop("file_row_number")
            shard = shard.relative_to(release)
            text = None
            if fate == "kept":
                shard = Path("data", shard.parts[1], shard.name.replace("kept-", "train-"))
                text = _text(release / shard, position)
            elsewhere = row.get("kept_release")
            instead = _find(release, "kept", row["kept_id"]) if row.get("kept_id") and not elsewhere else []
            source = sources[row["source"]]
            stories.append(
                Story(
                    fate, row["id"], source["license"], source["format"], shard.as_posix(), position, row, text,
                    instead[0] if instead else None, others.get(elsewhere),
                )
            )  # fmt: skip
    for row in _find(release, "removed", wanted) if _is_id(wanted) else []:
        shard, position = Path(row.pop("filename")).relative_to(release), row.pop("file_row_number")
        source = sources[row["source"]]
        stories.append(
            Story(
                "removed", row["id"], source["license"], source["format"], shard.as_posix(), position, row, None, None, None
            )
        )  # fmt: skip
    if not stories:
        raise PellucidError(
            f"no document, kept, dropped or removed, has the id or URL {wanted!r}",
            where=str(release),
            hint="ids stand in the column `id` of data/ and provenance/, URLs in `url`",
        )
    return stories


def key_of(row: Mapping[str, Any], artifact: Path) -> bytes:
    """The key of the artifact's digests, from its file. Raises PellucidError where that has other bytes than the row says."""
    seen, key = keyed.artifact_key(artifact)
    if seen != row["artifact_sha256"]:
        raise PellucidError(
            f"the cached artifact has sha256 {seen}",
            where=row["purl"], wanted=row["artifact_sha256"], hint="delete it from the cache and build again",
        )  # fmt: skip
    return key


def again(story: Story, artifact: Path, key_from: Callable[[Mapping[str, Any], Path], bytes] = key_of) -> Again:
    """The document's record and text, from the artifact's file through the pointer, compared with the digests of its row.

    `key_from`: gives the artifact's key, and is where its bytes are compared with the row. Raises PellucidError where the file
    is not there, cannot be read or has other bytes, and where the pointer leads nowhere.
    """
    row = story.row
    try:
        key = key_from(row, artifact)
        raw, found = _read(story, artifact)
    except FileNotFoundError:
        raise PellucidError(
            "the artifact is not in the artifact cache",
            where=row["purl"], wanted=f"a file with sha256 {row['artifact_sha256']}",
            hint="`pellucid build` of this release's recipe, with its lock, fetches it",
        ) from None  # fmt: skip
    except OSError as error:
        raise PellucidError(f"the cached artifact cannot be read: {error.strerror}", where=str(artifact)) from error
    edits = row["edits"]  # the row's text is what they left; extraction gives what the first of them was given
    of_text = edits[0]["before_hmac"] if edits else row["text_hmac"]
    text = found.text if isinstance(found, Document) else None
    account = None if isinstance(found, Fault) else found.extraction
    stated = {name: row[name] for name in extraction.columns(None)}
    return Again(
        raw,
        text,
        None if row["record_hmac"] is None else keyed.of(key, raw) == row["record_hmac"],
        None if text is None or of_text is None else keyed.of(key, text.encode()) == of_text,
        bool(edits),
        account,
        None if account is None and row["extractor"] is None else extraction.columns(account) == stated,
    )


def page(story: Story, raw: bytes) -> Page | str:
    """The page whose record `raw` is, by blocks; or why there are none, as a sentence."""
    extractor = story.row["extractor"]
    if extractor is None:
        return "the record is no page of which text was taken"
    if extractor.partition("/")[0] not in ACCOUNTING:
        return f"{extractor} does not say what it leaves out"
    blocks = read.blocks(Record(story.pointer(), raw), story.format) or []
    cuts: dict[str, list[int]] = {}
    for block in blocks:
        if block.reason is not None:
            number, characters = cuts.get(block.reason, (0, 0))
            cuts[block.reason] = [number + 1, characters + block.characters]
    stated = {cut["reason"]: [cut["blocks"], cut["characters"]] for cut in story.row["cuts"]}
    visible = sum(block.characters for block in blocks)
    return Page(tuple(blocks), cuts == stated and visible == story.row["visible_characters"])


def _read(story: Story, artifact: Path) -> tuple[bytes, Document | Refusal | Fault]:
    file_name = _artifact_file(story)
    try:
        record = read.find(artifact, file_name, story.pointer(), story.format)
    except LookupError as error:
        raise PellucidError(f"the pointer leads nowhere: {error}", where=str(artifact)) from error
    except (Truncated, Bomb) as error:
        raise PellucidError(f"the artifact cannot be read up to the record: {error}", where=str(artifact)) from error
    if isinstance(record, Fault):
        return record.raw or b"", record
    return record.raw, read.extract(record, story.format)


def _artifact_file(story: Story) -> str:
    """File name of the artifact: what the Package URL says, else its last part."""
    from packageurl import PackageURL

    purl = PackageURL.from_string(story.row["purl"])
    return str((purl.qualifiers or {}).get("file_name") or purl.name)


def _manifest(release: Path) -> dict[str, Any]:
    path = release / "manifest.json"
    try:
        value: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise RecipeError(
            "there is no manifest.json, so this is no release", where=str(release), hint="pellucid build RECIPE"
        ) from error
    return value


def _find(release: Path, kind: str, wanted: str) -> list[dict[str, Any]]:
    files = sorted(str(path) for path in release.glob(f"provenance/*/{kind}-*.parquet"))
    if not files:
        return []
    if _is_id(wanted):
        where, value = "id >= $low AND id <= $high", {"low": wanted.ljust(32, "0"), "high": wanted.ljust(32, "f")}
    else:
        where, value = "url = $url", {"url": wanted}
    with duck.connect(files) as connection:
        cursor = connection.execute(
            f"SELECT * FROM read_parquet($files, filename = true, file_row_number = true) WHERE {where} ORDER BY id",  # noqa: S608
            {"files": files, **value},
        )
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _text(shard: Path, position: int) -> str:
    with duck.connect([shard]) as connection:
        cursor = connection.execute(
            "SELECT text FROM read_parquet($file, file_row_number = true) WHERE file_row_number = $row",
            {"file": str(shard), "row": position},
        )
        return str(cursor.fetchall()[0][0])


def _is_id(wanted: str) -> bool:
    return 8 <= len(wanted) <= 32 and all(character in "0123456789abcdef" for character in wanted)
