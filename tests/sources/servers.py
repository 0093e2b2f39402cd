"""Real servers on loopback, each with one way to misbehave. They record what they are asked and end with their test."""

import hashlib
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipeline.errors import SourceError
from pipeline.model import Artifact


@dataclass(frozen=True)
class Asked:
    """One request: its path and headers (names in lower case)."""

    path: str
    headers: Mapping[str, str]


Answer = Callable[[BaseHTTPRequestHandler, int], None]  # the handler, and the number of this request, from 0


@dataclass
class Server:
    url: str
    asked: list[Asked] = field(default_factory=list)

    def ranges(self) -> list[str | None]:
        return [one.headers.get("range") for one in self.asked]


@contextmanager
def serving(answer: Answer) -> Iterator[Server]:
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            with lock:
                number = len(server.asked)
                server.asked.append(Asked(self.path, {key.lower(): value for key, value in self.headers.items()}))
            answer(self, number)

        def log_message(self, *_: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, *_: object) -> None:
            """A client that hangs up is what some tests are about."""

    listening = Quiet(("127.0.0.1", 0), Handler)
    server = Server(f"http://127.0.0.1:{listening.server_port}")
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join()


def send(
    handler: BaseHTTPRequestHandler, data: bytes, *, etag: str | None = None, keep_range: bool = True,
    stop_after: int | None = None, headers: Mapping[str, str] | None = None,
) -> None:  # fmt: skip
    """Answer as a good file server does: Range and If-Range honoured. `stop_after`: break after so many bytes of body."""
    asked = handler.headers.get("Range")
    condition = handler.headers.get("If-Range")
    start = 0
    if asked and keep_range and condition in (None, etag):
        start = int(asked.removeprefix("bytes=").removesuffix("-"))
        if start >= len(data):
            handler.send_response(416)
            handler.send_header("Content-Range", f"bytes */{len(data)}")
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        handler.send_response(206)
        handler.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
    else:
        handler.send_response(200)
    if etag:
        handler.send_header("ETag", etag)
    for name, value in (headers or {}).items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(data) - start))
    handler.end_headers()
    handler.wfile.write(data[start:] if stop_after is None else data[start : start + stop_after])
    if stop_after is not None:
        handler.close_connection = True


def refuse(handler: BaseHTTPRequestHandler, status: int, **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def whole_files(files: Mapping[str, bytes]) -> Answer:
    """Every file under its path, 404 for everything else."""

    def answer(handler: BaseHTTPRequestHandler, number: int) -> None:
        if handler.path in files:
            send(handler, files[handler.path], etag=f'"{hashlib.md5(files[handler.path]).hexdigest()}"')  # noqa: S324
        else:
            refuse(handler, 404)

    return answer


def pinned(url: str, data: bytes, **changed: object) -> Artifact:
    """An artifact of kind http, pinned to these bytes."""
    fields = {
        "source": "docs", "kind": "http", "purl": f"pkg:generic/{url.rpartition('/')[2]}?download_url={url}",
        "file": url.rpartition("/")[2], "size": len(data), "sha256": hashlib.sha256(data).hexdigest(), "location": url,
    }  # fmt: skip
    return Artifact(**{**fields, **changed})  # type: ignore[arg-type]


def noise(size: int, seed: int = 1) -> bytes:
    """Bytes without a pattern, the same for the same seed."""
    return hashlib.shake_128(seed.to_bytes(4, "big")).digest(size)


def write_package(
    index: Path, name: str, file: str, data: bytes, *, yanked: bool = False, digest: str | None = None
) -> None:
    """Add a file to the static package index (PEP 503) in `index`; `digest`: what the page states in place of the truth."""
    (index / "files").mkdir(parents=True, exist_ok=True)
    (index / "files" / file).write_bytes(data)
    page = index / "simple" / name / "index.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    stated = digest or hashlib.sha256(data).hexdigest()
    mark = ' data-yanked="it was a mistake"' if yanked else ""
    before = page.read_text() if page.exists() else "<!DOCTYPE html>\n"
    page.write_text(f'{before}<a href="../../files/{file}#sha256={stated}"{mark}>{file}</a>\n')


def static(folder: Path) -> Answer:
    """The files of a folder; a folder in it by its index.html."""

    def answer(handler: BaseHTTPRequestHandler, number: int) -> None:
        path = folder / handler.path.partition("?")[0].lstrip("/")
        path = path / "index.html" if path.is_dir() else path
        if path.is_file():
            kind = "text/html" if path.suffix == ".html" else "application/octet-stream"
            send(handler, path.read_bytes(), headers={"Content-Type": kind})
        else:
            refuse(handler, 404)

    return answer


def use_index(monkeypatch: pytest.MonkeyPatch, *urls: str, find_links: str = "") -> None:
    """Configure pip, by its environment alone, for these indexes."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    if urls:
        monkeypatch.setenv("PIP_INDEX_URL", urls[0])
    if urls[1:]:
        monkeypatch.setenv("PIP_EXTRA_INDEX_URL", " ".join(urls[1:]))
    if find_links:
        monkeypatch.setenv("PIP_FIND_LINKS", find_links)


def npm_registry(packages: Mapping[str, Mapping[str, Mapping[str, object]]]) -> Answer:
    """An npm registry: name -> version -> `dist`. A `dist` without tarball gets none of its fields changed."""

    def answer(handler: BaseHTTPRequestHandler, number: int) -> None:
        name = handler.path.lstrip("/").replace("%2f", "/").replace("%2F", "/")
        if name not in packages:
            body = b'{"error": "Not found"}'
            handler.send_response(404)
        else:
            versions = {
                version: {"name": name, "version": version, "dist": dist} for version, dist in packages[name].items()
            }
            latest = list(versions)[-1]
            body = json.dumps({"name": name, "dist-tags": {"latest": latest}, "versions": versions}).encode()
            handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def have(program: str, used: Callable[[], object]) -> bool:
    """Whether the program is on this machine; where it is not, `used` must say so clearly, and that is the test."""
    if shutil.which(program):
        return True
    with pytest.raises(SourceError, match=f"the command {program} is not on this system"):
        used()
    return False
