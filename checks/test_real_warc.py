"""The WARC reader on a real crawl, which no shipped recipe may hold because nothing in it states a licence for its pages.

pkg:pypi/pywb@2.10.0 brings `sample_archive/warcs/iana.warc.gz`, a crawl of iana.org. It is fetched by the same code as every
artifact; its text goes nowhere.
"""

import gzip
import hashlib
import re
import tarfile
from collections import Counter
from pathlib import Path

import pytest

from pipeline.formats import read
from pipeline.model import Document, Fault
from pipeline.sources.fetch import Cache, fetch_candidate
from pipeline.sources.registry import SOURCES

SPEC = {"kind": "warc", "extractor": "default", "boilerplate": "cut", "links": False, "output": "text"}
SHA256 = "5ae43c9b2a5321e39b9c8e16538bfbc0146eeb6fe26713232e45378b774a1a96"


@pytest.fixture(scope="module")
def pywb() -> Path:
    (candidate,) = SOURCES["pypi"].resolve({"kind": "pypi", "packages": ["pywb==2.10.0"], "file": "sdist"}, Path())
    cache = Cache()
    sha256, _ = fetch_candidate(candidate, cache, lambda progress: None)
    assert sha256 == SHA256
    return cache.path(sha256)


def test_every_record_of_a_real_crawl_is_a_document_or_says_why_not(pywb: Path) -> None:
    with tarfile.open(pywb) as archive:
        member = archive.extractfile("pywb-2.10.0/sample_archive/warcs/iana.warc.gz")
        assert member is not None
        data = gzip.decompress(member.read())
    types = Counter(re.findall(rb"(?m)^WARC-Type: (\w+)\r$", data))
    seen: Counter[str] = Counter()
    for record in read.read_artifact(pywb, "pywb-2.10.0.tar.gz", members=["**/iana.warc.gz"], exclude=[], spec=SPEC):
        assert not isinstance(record, Fault)
        pointer = record.pointer
        assert pointer.offset is not None
        assert pointer.length is not None
        piece = data[pointer.offset : pointer.offset + pointer.length]
        assert hashlib.sha256(piece).digest() == hashlib.sha256(record.raw).digest()
        found = read.extract(record, SPEC)
        seen["document" if isinstance(found, Document) else found.reason] += 1
    assert sum(seen.values()) == sum(types.values())
    assert (types[b"response"], types[b"revisit"], types[b"request"]) == (48, 123, 171)
    # The 20 HTML pages are 16 that were found and 4 that were redirects or errors.
    assert seen == {
        "document": 16, "http_status": 4, "not_html": 28, "warc_revisit": 123, "warc_request": 171, "warc_warcinfo": 1,
    }  # fmt: skip
