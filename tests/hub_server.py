"""A server on loopback that speaks as much of the Hub's protocol as pushing and downloading a dataset repository takes.

It keeps what it is given: files in branches, each commit a new state, large files by their SHA-256 as Git LFS has them. It has
no Xet. `refuse` makes it answer a request with a status, as the Hub does where a token may not, or somebody else was faster.
"""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

TOKEN = "hf_atokenoflettersalone"


@dataclass
class Repository:
    """`commits`: the files of each, by its id; `branches`: the commit that each is at."""

    private: bool
    commits: dict[str, dict[str, bytes]] = field(default_factory=lambda: {_commit_id("0"): {".gitattributes": b"x\n"}})
    branches: dict[str, str] = field(default_factory=lambda: {"main": _commit_id("0")})
    messages: list[str] = field(default_factory=list)
    ignored: set[str] = field(default_factory=set)  # what its .gitignore names

    def at(self, revision: str) -> tuple[str, dict[str, bytes]] | None:
        commit = self.branches.get(revision, revision)
        return (commit, self.commits[commit]) if commit in self.commits else None


@dataclass
class HubServer:
    url: str = ""
    repositories: dict[str, Repository] = field(default_factory=dict)
    stored: dict[str, bytes] = field(default_factory=dict)  # large files
    asked: list[tuple[str, str]] = field(default_factory=list)
    refuse: dict[tuple[str, str], tuple[int, dict[str, str]]] = field(
        default_factory=dict
    )  # by method and part of a path

    def files(self, repository: str, revision: str = "main") -> dict[str, bytes]:
        found = self.repositories[repository].at(revision)
        assert found is not None
        return {name: data for name, data in found[1].items() if name != ".gitattributes"}

    def put(self, repository: str, name: str, data: bytes) -> None:
        """A file that is there before anybody pushes."""
        there = self.repositories[repository]
        there.commits[there.branches["main"]][name] = data


def _commit_id(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:40]


def is_large(name: str) -> bool:
    return name.endswith(".parquet")


@contextmanager
def hub() -> Iterator[HubServer]:
    state = HubServer()
    lock = threading.Lock()

    class Handler(_Handler):
        hub = state
        guard = lock

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: HubServer
    guard: threading.Lock

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.headers.get("transfer-encoding") == "chunked":
            body = b"".join(self._chunks())
        path = unquote(urlsplit(self.path).path)
        with self.guard:
            self.hub.asked.append((self.command, path))
            for (method, part), (status, headers) in self.hub.refuse.items():
                if method == self.command and part in path:
                    self._send(status, {"error": "refused"}, headers)
                    return
            if path.startswith("/api/") and self.headers.get("authorization") != f"Bearer {TOKEN}":
                self._send(401, {"error": "no"}, {"X-Error-Message": "Invalid credentials in Authorization header"})
                return
            for method, pattern, reply in _ROUTES:
                if method == self.command and (match := re.fullmatch(pattern, path)):
                    reply(self, body, *match.groups())
                    return
            self._send(404, {"error": f"no {path}"})

    do_GET = do_HEAD = do_POST = do_PUT = _answer

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _send(self, status: int, value: Any, headers: dict[str, str] | None = None) -> None:
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        for key, what in {"content-length": str(len(data)), **(headers or {})}.items():
            self.send_header(key, what)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass

    # ---------------------------------------------------------------- what it answers

    def _create(self, body: bytes) -> None:
        asked = json.loads(body)
        name = f"{asked['organization']}/{asked['name']}"
        status = 409 if name in self.hub.repositories else 200
        private = asked.get("visibility") == "private" or asked.get("private") is True
        self.hub.repositories.setdefault(name, Repository(private))
        self._send(status, {"url": f"{self.hub.url}/datasets/{name}"})

    def _info(self, _: bytes, name: str, revision: str | None = None) -> None:
        if (repository := self.hub.repositories.get(name)) is None:
            self._send(404, {"error": "no"}, {"X-Error-Code": "RepoNotFound"})
        elif (found := repository.at(revision or "main")) is None:
            self._send(404, {"error": "no"}, {"X-Error-Code": "RevisionNotFound"})
        else:
            siblings = [self._sibling(path, data) for path, data in found[1].items()]
            self._send(200, {"id": name, "sha": found[0], "private": repository.private, "siblings": siblings})

    @staticmethod
    def _sibling(path: str, data: bytes) -> dict[str, Any]:
        about: dict[str, Any] = {"rfilename": path, "size": len(data)}
        if is_large(path):
            return {**about, "lfs": {"size": len(data), "sha256": hashlib.sha256(data).hexdigest(), "pointerSize": 1}}
        return {**about, "blobId": hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()}

    def _tree(self, _: bytes, name: str, revision: str, folder: str | None = None) -> None:
        found = self.hub.repositories[name].at(revision)
        assert found is not None
        below = f"{folder or ''}/".lstrip("/")
        paths = [path for path in found[1] if path.startswith(below)]
        folders = sorted({str(part) for path in paths for part in PurePosixPath(path).parents} - {".", folder})
        rows = [{"type": "directory", "path": part, "oid": "0" * 40} for part in folders if part.startswith(below)]
        rows += [{"type": "file", "path": path, "size": len(found[1][path]), "oid": "0" * 40} for path in paths]
        self._send(200 if rows else 404, rows, {} if rows else {"X-Error-Code": "EntryNotFound"})

    def _branch(self, _: bytes, name: str, branch: str) -> None:
        repository = self.hub.repositories[name]
        repository.branches.setdefault(branch, repository.branches["main"])
        self._send(200, {})

    def _valid(self, _: bytes) -> None:
        self._send(200, {"errors": [], "warnings": []})

    def _preupload(self, body: bytes, name: str, revision: str) -> None:
        repository = self.hub.repositories[name]
        found = repository.at(revision)
        assert found is not None
        files = []
        for one in json.loads(body)["files"]:
            path, large = one["path"], is_large(one["path"])
            there = found[1].get(path)
            oid = None
            if there is not None:
                oid = hashlib.sha256(there).hexdigest() if large else self._sibling(path, there)["blobId"]
            files.append(
                {"path": path, "uploadMode": "lfs" if large else "regular", "shouldIgnore": path in repository.ignored,
                 "oid": oid}
            )  # fmt: skip
        self._send(200, {"files": files})

    def _batch(self, body: bytes, _: str) -> None:
        objects = []
        for one in json.loads(body)["objects"]:
            if one["oid"] not in self.hub.stored:
                actions = {
                    "upload": {"href": f"{self.hub.url}/lfs/{one['oid']}"},
                    "verify": {"href": f"{self.hub.url}/api/lfs/verify"},
                }
                one = {**one, "actions": actions}
            objects.append(one)
        self._send(200, {"transfer": "basic", "objects": objects})

    def _store(self, body: bytes, oid: str) -> None:
        if hashlib.sha256(body).hexdigest() != oid:
            self._send(400, {"error": "other bytes"})
            return
        self.hub.stored[oid] = body
        self._send(200, {})

    def _stored(self, body: bytes) -> None:
        asked = json.loads(body)
        good = len(self.hub.stored.get(asked["oid"], b"")) == asked["size"]
        self._send(200 if good else 404, {})

    def _commit(self, body: bytes, name: str, branch: str) -> None:
        repository = self.hub.repositories[name]
        found = repository.at(branch)
        assert found is not None
        head, files = found[0], dict(found[1])
        for line in body.splitlines():
            operation = json.loads(line)
            value = operation["value"]
            if operation["key"] == "header":
                if value.get("parentCommit") not in (None, head):
                    self._send(412, {"error": "A commit has happened since."})
                    return
                repository.messages.append(f"{value['summary']}\n{value['description']}")
            elif operation["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif operation["key"] == "lfsFile":
                files[value["path"]] = self.hub.stored[value["oid"]]
            elif operation["key"] == "deletedFile":
                del files[value["path"]]
        commit = _commit_id(f"{head}{len(repository.commits)}")
        repository.commits[commit] = files
        repository.branches[branch] = commit
        self._send(200, {"commitUrl": f"{self.hub.url}/datasets/{name}/commit/{commit}", "commitOid": commit})

    def _resolve(self, _: bytes, name: str, revision: str, path: str) -> None:
        found = self.hub.repositories[name].at(revision)
        assert found is not None
        if (data := found[1].get(path)) is None:
            self._send(404, {"error": "no"}, {"X-Error-Code": "EntryNotFound"})
            return
        headers = {"X-Repo-Commit": found[0], "ETag": f'"{hashlib.sha256(data).hexdigest()}"'}
        self._send(200, data, headers)


_NAME = "([^/]+/[^/]+)"
_ROUTES = (
    ("POST", "/api/repos/create", _Handler._create),
    ("POST", "/api/validate-yaml", _Handler._valid),
    ("GET", f"/api/datasets/{_NAME}", _Handler._info),
    ("GET", f"/api/datasets/{_NAME}/revision/(.+)", _Handler._info),
    ("GET", f"/api/datasets/{_NAME}/tree/([^/]+)(?:/(.+))?", _Handler._tree),
    ("POST", f"/api/datasets/{_NAME}/branch/(.+)", _Handler._branch),
    ("POST", f"/api/datasets/{_NAME}/preupload/(.+)", _Handler._preupload),
    ("POST", f"/api/datasets/{_NAME}/commit/(.+)", _Handler._commit),
    ("POST", f"/datasets/{_NAME}\\.git/info/lfs/objects/batch", _Handler._batch),
    ("PUT", "/lfs/([0-9a-f]{64})", _Handler._store),
    ("POST", "/api/lfs/verify", _Handler._stored),
    ("GET", f"/datasets/{_NAME}/resolve/([^/]+)/(.+)", _Handler._resolve),
    ("HEAD", f"/datasets/{_NAME}/resolve/([^/]+)/(.+)", _Handler._resolve),
)
