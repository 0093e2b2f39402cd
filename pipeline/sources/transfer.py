"""Bring the bytes behind one URL into a part file: resumed where it broke, retried where that may help. Memory constant.

What a resumed download is spliced from is the same file only if its validator says so (RFC 9110, section 13.1.5:
If-Range); a digest that is known beforehand catches everything else, and then it begins anew once.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import httpx

from pipeline.errors import SourceError
from pipeline.sources.cache import Part, Stopped
from pipeline.sources.retry import PASSING, Retry, retry_after

CHUNK = 1 << 20  # bytes of a local file between looks at the stop sign
LIMIT = 8 << 30  # bytes of one artifact: beyond it something is wrong, and a disk would be full
PROGRESS = 1 << 20  # bytes after which a broken connection no longer counts as a failure in a row
GONE = (404, 410)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is known of the file beforehand. `name` is for messages; digests in hex by algorithm; size in bytes."""

    name: str
    size: int | None = None
    digests: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Heard:
    """Who listens: `came` is told of bytes that came (or, negative, were thrown away), `announced` of the whole size."""

    came: Callable[[int], None]
    announced: Callable[[int], None]


class Wrong(SourceError):
    """The upstream serves other bytes than were wanted: nothing of them is worth keeping."""


class _Again(Exception):
    """This attempt failed, the next may not. `after`: seconds that the server asks to wait."""

    def __init__(self, why: str, after: float | None = None) -> None:
        super().__init__(why)
        self.after = after


def transfer(
    url: str, part: Part, wanted: Wanted, client: httpx.Client, retry: Retry, stop: threading.Event,
    heard: Heard,
) -> None:  # fmt: skip
    """Fill `part` with the verified bytes behind a file, http or https URL; `heard` is told how far it is.

    Raises SourceError where the upstream does not serve it, Wrong where it serves something else, Stopped.
    """
    part.resume(set(wanted.digests))
    if part.size > (LIMIT if wanted.size is None else wanted.size):
        part.restart()
    heard.came(part.size)
    if urlsplit(url).scheme == "file":
        _begin_anew(part, heard)
        _copy(url, part, wanted, stop, heard)
        _verify(part, wanted)
        return
    _download(_Download(url, part, wanted, client, stop, heard), retry)


@dataclass(slots=True)
class _Download:
    """One download under way. `validator`: strong ETag or date of what the part is a part of; `total`: its whole size."""

    url: str
    part: Part
    wanted: Wanted
    client: httpx.Client
    stop: threading.Event
    heard: Heard
    validator: str | None = None
    total: int | None = None
    spliced: bool = False

    def begin_anew(self) -> None:
        _begin_anew(self.part, self.heard)
        self.validator, self.total, self.spliced = None, None, False


def _download(state: _Download, retry: Retry) -> None:
    part, wanted = state.part, state.wanted
    failures = 0
    while True:
        before = part.size
        try:
            if part.size == 0 or part.size != wanted.size:
                _attempt(state)
            _verify(part, wanted)
            return
        except Wrong:
            # Bytes of two moments may not be of one file. Once more in one piece, then what is wrong is the upstream.
            if not (state.spliced or part.left):
                raise
            state.begin_anew()
        except (httpx.TransportError, _Again) as error:
            if isinstance(error, httpx.UnsupportedProtocol) or "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise SourceError(str(error), where=wanted.name, hint="check the URL, or SSL_CERT_FILE") from error
            failures = 1 if part.size - before >= PROGRESS else failures + 1
            why = str(error) or type(error).__name__
            if failures >= retry.attempts:
                raise SourceError(
                    f"the download failed {failures} times in a row, {part.size:,} bytes came; last: {why}",
                    where=wanted.name,
                    hint="check the network and run the same command again: it goes on where it was",
                ) from error
            _wait(retry, retry.seconds(failures, getattr(error, "after", None)), state.stop)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise SourceError(f"cannot be downloaded: {error}", where=wanted.name) from error


def _attempt(state: _Download) -> None:
    """One request: the whole file, or what is missing of it. Raises _Again, SourceError, Wrong, Stopped."""
    part = state.part
    headers = {"Accept-Encoding": "identity"}
    if part.size and (state.validator or state.wanted.digests):
        headers["Range"] = f"bytes={part.size}-"
        if state.validator:
            headers["If-Range"] = state.validator
    elif part.size:
        state.begin_anew()  # nothing could tell that what is here belongs to what comes
    with state.client.stream("GET", state.url, headers=headers) as response:
        if not _is_ready(state, response):
            return
        _check_total(state)
        # As it comes: what waits in a buffer is lost with the connection. Raw: a server's `Content-Encoding: gzip` on
        # a .tar.gz names the file's own compression.
        for chunk in response.iter_raw():
            if state.stop.is_set():
                raise Stopped
            part.write(chunk)
            state.heard.came(len(chunk))
            _check_size(part, state.wanted)
    if state.total is not None and part.size < state.total:
        raise _Again(f"the connection ended after {part.size:,} of {state.total:,} bytes")


def _is_ready(state: _Download, response: httpx.Response) -> bool:
    """Whether the body is what goes to the end of the part; False: there is nothing more to come."""
    part, status = state.part, response.status_code
    if status == 206:
        start, total = _content_range(response.headers.get("Content-Range", ""))
        seen = _validator(response)  # need not be stated again
        changed = None not in (state.validator, seen) and state.validator != seen
        if changed or start != part.size or (state.total or total) != total:
            state.begin_anew()
            raise _Again("the file changed while it was fetched")
        state.total, state.spliced, state.validator = total, True, seen or state.validator
        return True
    if status == 200:
        if part.size:
            state.begin_anew()
        state.validator, state.total = _validator(response), _length(response)
        return True
    if status == 416 and part.size:
        if _content_range(response.headers.get("Content-Range", ""))[1] == part.size:
            return False
        state.begin_anew()
        raise _Again("the file is shorter than the part of it that is here")
    raise _refusal(response, state.wanted)


def _refusal(response: httpx.Response, wanted: Wanted) -> Exception:
    said = f"{response.status_code} {response.reason_phrase}".rstrip()
    if response.status_code in PASSING:
        return _Again(said, retry_after(response.headers.get("Retry-After")))
    if response.status_code in GONE:
        return SourceError(
            f"the upstream no longer serves it ({said})",
            where=wanted.name,
            hint="pellucid lock RECIPE --refresh pins what is served now and prints the difference",
        )
    return SourceError(f"the upstream refused it ({said})", where=wanted.name, wanted="200 or 206")


def _copy(url: str, part: Part, wanted: Wanted, stop: threading.Event, heard: Heard) -> None:
    """A file of this machine. Copied, not linked: who edits the file must not edit the cache."""
    path = Path(url2pathname(urlsplit(url).path))
    try:
        source = path.open("rb")
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}", where=wanted.name) from error
    with source:
        while chunk := source.read(CHUNK):
            if stop.is_set():
                raise Stopped
            part.write(chunk)
            heard.came(len(chunk))
            _check_size(part, wanted)


def _verify(part: Part, wanted: Wanted) -> None:
    """Raises Wrong where size or a digest is not the wanted one."""
    for algorithm, digest in wanted.digests.items():
        if part.digest(algorithm) != digest:
            raise Wrong(
                f"has {algorithm} {part.digest(algorithm)}, {part.size:,} bytes",
                where=wanted.name,
                wanted=f"{algorithm} {digest}" + (f", {wanted.size:,} bytes" if wanted.size is not None else ""),
                hint="the upstream, or something on the way, gave other bytes than were pinned; nothing of it is kept. "
                "Where the change is meant: pellucid lock RECIPE --refresh",
            )
    if wanted.size is not None and part.size != wanted.size:
        raise Wrong(f"has {part.size:,} bytes", where=wanted.name, wanted=f"{wanted.size:,} bytes")


def _check_total(state: _Download) -> None:
    """The size that the server announces, before anything of it is written."""
    wanted, total = state.wanted, state.total
    if total is not None:
        state.heard.announced(total)
    if total is not None and wanted.size is not None and total != wanted.size:
        raise Wrong(f"the upstream serves {total:,} bytes", where=wanted.name, wanted=f"{wanted.size:,} bytes")
    if total is not None and total > LIMIT:
        raise Wrong(f"the upstream serves {total:,} bytes", where=wanted.name, wanted=f"at most {LIMIT:,}")


def _check_size(part: Part, wanted: Wanted) -> None:
    limit = LIMIT if wanted.size is None else wanted.size
    if part.size > limit:
        raise Wrong(f"goes on after {limit:,} bytes", where=wanted.name, wanted=f"{limit:,} bytes at most")


def _begin_anew(part: Part, heard: Heard) -> None:
    heard.came(-part.size)
    part.restart()


def _wait(retry: Retry, seconds: float, stop: threading.Event) -> None:
    if retry.wait is not None:
        retry.wait(seconds)
    elif stop.wait(seconds):
        raise Stopped


def _validator(response: httpx.Response) -> str | None:
    """What If-Range can carry: a strong ETag, else a date that is strong (RFC 9110, section 8.8.2.2)."""
    tag = response.headers.get("ETag")
    if tag:
        return None if tag.startswith("W/") else str(tag)
    modified, date = response.headers.get("Last-Modified"), response.headers.get("Date")
    try:
        strong = (parsedate_to_datetime(date) - parsedate_to_datetime(modified)).total_seconds() >= 1
    except (TypeError, ValueError):
        return None
    return str(modified) if strong else None


def _length(response: httpx.Response) -> int | None:
    stated = response.headers.get("Content-Length", "")
    return int(stated) if stated.isdigit() else None


def _content_range(header: str) -> tuple[int | None, int | None]:
    """First byte and whole size of `bytes 5-9/10`; None where not stated. RFC 9110, section 14.4."""
    unit, _, rest = header.partition(" ")
    span, _, total = rest.partition("/")
    start = span.partition("-")[0]
    if unit != "bytes":
        return None, None
    return int(start) if start.isdigit() else None, int(total) if total.isdigit() else None
