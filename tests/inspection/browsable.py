"""A small release to browse: hostile texts, an artifact whose records can be read again, an opted-out record, a takedown."""

import io
import time
import zipfile
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from pipeline import takedown
from pipeline.inspection.browse.app import make
from pipeline.inspection.browse.site import Site, Trusted, open_site
from pipeline.model import Pointer, document_id
from pipeline.sources.cache import Cache
from pipeline.trust import keyed, vouch
from tests.trust import small_release as small
from tests.trust.small_release import MILLION, Row

PORT = 8377
PURL = "pkg:generic/pages@1?file_name=pages.zip"
HOSTILE = (
    "<script>alert(1)</script> \"quoted\" 'single' & <img src=x onerror=alert(2)> {{ 7 * 7 }} {% include 'x' %} "
    "\u202edesrever\u202c \x07bell \x1b[31mred\u2028line ]]> --> </textarea></title>"
)
GOOD = " ".join(f"word{number % 40} says{number}" for number in range(120))
KEPT = {
    "pages/hostile.txt": HOSTILE,
    "pages/good.txt": GOOD,
    "pages/long.txt": "lines of text\n" * 4000,
    "pages/edited.txt": "first line\nsecond line",
}
DROPPED = {
    "pages/near.txt": GOOD.replace("says7 ", "said7\n"),
    "pages/short.txt": "<b>short</b>",
    "pages/opted.txt": "secret",
}
URLS = {
    "pages/hostile.txt": "javascript:alert(1)//<script>\u202e",
    "pages/good.txt": "https://www.example.org/a?b=<c>&d='e'",
    "pages/near.txt": "http://sub.example.org/near",
}  # fmt: skip


def artifact() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in {**KEPT, **DROPPED}.items():
            archive.writestr(zipfile.ZipInfo(name), f"{text}\n".encode())
        archive.writestr(zipfile.ZipInfo("pages/broken.txt"), b"\x00\x01\x02\xff broken")
    return buffer.getvalue()


class Made:
    """The release and its cache; `rows`: all rows by id, as plain dicts; `ids`: of the pages by their names."""

    def __init__(self, folder: Path) -> None:
        self.content = artifact()
        self.cache = Cache(folder / "cache")
        digest = small._sha256(self.content)
        self.artifact = self.cache.path(digest)
        self.artifact.parent.mkdir(parents=True)
        self.artifact.write_bytes(self.content)
        _, self.key = keyed.artifact_key(self.artifact)
        self.digest = digest
        corpus = small.corpus()
        corpus["notes"]["kept"] += [self._page(name, text) for name, text in KEPT.items()]
        good = next(row for row in corpus["notes"]["kept"] if row["member"] == "pages/good.txt")
        corpus["notes"]["dropped"] += self._dropped(good)
        for fates in corpus.values():
            fates.update({name: small.in_order(rows) for name, rows in fates.items()})
        self.corpus = corpus
        artifacts = {**small.ARTIFACTS, "notes": [*small.ARTIFACTS["notes"], (PURL, self.content)]}
        before = small.write(folder / "before", corpus, artifacts=artifacts)
        self.before = before
        self.rows = {
            row["id"]: {**row, "fate": fate}
            for fates in corpus.values()
            for fate, rows in fates.items()
            for row in rows
        }
        self.ids = {row["member"]: row["id"] for row in self.rows.values() if row["purl"] == PURL}

    def _origin(self, name: str) -> Row:
        raw = self._raw(name)
        pointer = Pointer(name, 0, len(raw), 0)
        return {
            "id": document_id(self.digest, pointer), "source": "notes", "purl": PURL, "artifact_sha256": self.digest,
            "member": name, "offset": 0, "length": len(raw), "record": 0, "path": None, "cuts": [], "edits": [],
            "decisions": [], "record_hmac": keyed.of(self.key, raw), "record_bytes": len(raw), "failed": [],
        }  # fmt: skip

    def _raw(self, name: str) -> bytes:
        with zipfile.ZipFile(io.BytesIO(self.content)) as archive:
            return archive.read(name)

    def _page(self, name: str, text: str) -> Row:
        row = small._with_text(self._origin(name), text.rstrip())
        row |= {"text_hmac": keyed.of(self.key, row["text"].encode()), "url": URLS.get(name, row["url"])}
        row["title"] = f"<em>{name}</em>" if "hostile" in name else None
        row["language"], row["language_score"] = ("de", 400_000) if "good" in name else ("en", 900_000)
        row["decisions"] = [small.decision("too_short", len(text) * MILLION, 10 * MILLION, None)]
        if "edited" in name:
            shorter = row["text"].splitlines()[0]
            edited = small._with_text(row, shorter)
            row |= {key: edited[key] for key in ("text", "text_sha256", "text_bytes", "exact_sha256", "exact_hmac")}
            row["edits"] = [
                {"edit": "c4", "spans": 1, "characters": 12, "before_hmac": row["text_hmac"],
                 "after_hmac": keyed.of(self.key, shorter.encode())}
            ]  # fmt: skip
            row["text_hmac"] = row["edits"][0]["after_hmac"]
        return row

    def _dropped(self, good: Row) -> list[Row]:
        near = self._page("pages/near.txt", DROPPED["pages/near.txt"])
        near |= {
            "stage": "dedup", "reason": "near_duplicate", "kept_id": good["id"], "kept_source": "notes",
            "kept_release": None, "similarity": 912_345, "bands": 9,
        }  # fmt: skip
        short = self._page("pages/short.txt", DROPPED["pages/short.txt"])
        failing = small.decision("too_short", 12 * MILLION, 200 * MILLION, None)
        short |= {"decisions": [failing], "failed": ["too_short"], "stage": "judge", **failing}
        opted: Row = self._origin("pages/opted.txt")
        opted |= {"record_hmac": None, "record_bytes": None, "stage": "extract", "reason": "opt_out"}
        broken = self._origin("pages/broken.txt") | {
            "stage": "extract",
            "reason": "unreadable:charset<b>",
            "detail": "no text",
        }
        return [near, short, opted, broken]

    def site(self, release: Path | None = None, **more: Any) -> Site:
        trusted = Trusted(small.TRUSTED, vouch.EVERYONE)
        return open_site(release or self.before, trusted, cache=self.cache, **more)

    def client(self, release: Path | None = None, **more: Any) -> TestClient:
        return client(self.site(release, **more))


def taken_down(made: Made, folder: Path, *ids: str) -> Path:
    """The release without these documents."""
    return takedown.make(
        small.write(folder / "old", small.corpus()), folder / "new", ids, small.KEY, small.TRUSTED, time.time()
    ).out


def client(site: Site) -> TestClient:
    return TestClient(make(site, PORT), base_url=f"http://127.0.0.1:{PORT}", follow_redirects=False)
