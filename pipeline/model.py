"""The nouns that stages hand to each other, and the identity of a document.

Everything here is a value: frozen, comparable, free of paths and clocks. Arrow schemas of what is written to a release
are in `release.schemas`.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from pipeline.trust import canonical

DOCUMENT_TAG = b"pellucid/document/v1\x00"

# Why a block of a page's visible text is not part of the document. A release holds no other reason.
CUT_REASONS = (
    "navigation", "header", "footer", "sidebar", "breadcrumbs", "pagination", "cookie_banner", "dialog", "form",
    "share_links", "link_list", "related_content", "comments", "advertisement", "newsletter", "metadata",
    "table_of_contents", "skip_link", "copyright", "hidden", "boilerplate",
)  # fmt: skip
# Extractors by the first part of `Extraction.extractor`. The first two account for every visible character.
ACCOUNTING = ("pellucid", "all_text")
EXTRACTORS = (*ACCOUNTING, "trafilatura", "resiliparse")


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where a record lies inside an artifact.

    `member`: path of the file inside the artifact's archive, or None where the artifact is itself the file.
    `offset`, `length`: bytes in the member's content after the member's own compression (gzip, bzip2, xz, zstd) is
    undone; None where the record is not a run of bytes (a Parquet row, a JSON subtree, a member that cannot be read).
    `record`: index of the record in its member, from 0; -1, -2, ... for the second, third, ... member of one name, which is
    a fault and not read.
    `path`: RFC 6901 JSON pointer of a subtree; None elsewhere.
    """

    member: str | None
    offset: int | None
    length: int | None
    record: int
    path: str | None = None

    def canonical(self) -> bytes:
        """RFC 8785 bytes of the pointer; keys that are None are absent."""
        named = {
            "length": self.length, "member": self.member, "offset": self.offset, "path": self.path,
            "record": self.record,
        }  # fmt: skip
        return canonical.dumps({key: value for key, value in named.items() if value is not None})

    def subpath(self) -> str:
        """The pointer as the subpath of a Package URL, so that every document has a URL of its own."""
        place = quote((self.member or "") + (self.path or ""), safe="/._-~")
        if self.record and not self.path:
            place = f"{place}/{self.record}" if place else str(self.record)
        return f"#{place}" if place else ""


def document_id(artifact_sha256: str, pointer: Pointer) -> str:
    """Id of a document: 32 hex characters that depend on upstream bytes and place alone, never on a recipe.

    The first 16 bytes of SHA-256 over a domain tag, the artifact's 32-byte SHA-256 and the canonical pointer.
    """
    return hashlib.sha256(DOCUMENT_TAG + bytes.fromhex(artifact_sha256) + pointer.canonical()).digest()[:16].hex()


@dataclass(frozen=True, slots=True)
class Evidence:
    """A licence file inside an artifact: its member path and SHA-256 (hex)."""

    member: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Artifact:
    """One immutable upstream file, as the lock pins it.

    `purl` names it (Package URL; for `http` and `local` a `pkg:generic/...`). `file` is its file name. `location` is the
    URL (kind `http`) or the path relative to the recipe's folder (kind `local`), empty for package registries, whose
    hosts are never written down. `size` in bytes, `sha256` in hex.
    """

    source: str
    kind: str
    purl: str
    file: str
    size: int
    sha256: str
    location: str = ""
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """One unit of an artifact, found and read but not yet understood.

    `raw` are the bytes that `record_sha256` is over: the run that the pointer names, or, for Parquet rows and JSON
    subtrees, the RFC 8785 bytes of the named fields. `hints` carry what the container knows (charset, url, title, ...).
    """

    pointer: Pointer
    raw: bytes
    hints: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fault:
    """A record that could not be read at all: where, why (`unreadable:<why>`), and what was seen.

    A fault stands in the ledger as a dropped record. `raw` is what was read of it, if anything.
    """

    pointer: Pointer
    reason: str
    detail: str = ""
    raw: bytes | None = None


@dataclass(frozen=True, slots=True)
class Cut:
    """What was cut from a page for one reason of CUT_REASONS: how many blocks, and how many code points of them are no
    white space.
    """

    reason: str
    blocks: int
    characters: int


@dataclass(frozen=True, slots=True)
class Extraction:
    """The account of one page. Characters are code points that are no white space.

    `extractor`: name and version, such as `pellucid/1`; names are in EXTRACTORS. `visible_characters`: of all visible text.
    `cuts`: one for each reason, sorted by reason. Of the extractors in ACCOUNTING, what is kept and what is cut add up to what
    is visible. The others say what they keep only, which can be more than what is visible, and have no cuts.
    """

    extractor: str
    visible_characters: int
    kept_characters: int
    cuts: tuple[Cut, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """A record's text. `url` is where a person would find it, if the record knows; `charset` how it was decoded.

    `extraction`: the account of a page; None in formats that are no pages.
    """

    text: str
    url: str | None = None
    title: str | None = None
    charset: str | None = None
    extraction: Extraction | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a record that was read is not a document: a reason of its format (`redirect`, `not_html`, `empty`, ...).

    `extraction`: the account of a page that was read and gives no document.
    """

    reason: str
    detail: str = ""
    extraction: Extraction | None = None
