"""A small world to build corpora in: packages with text of our own making, a package index on loopback, a language model.

Nothing here comes from a network or from somebody's work: the texts are sentences drawn from a list of words, the model is
trained on them in a second, the index is a static folder behind Python's own HTTP server.
"""

import atexit
import gzip
import hashlib
import io
import json
import os
import random
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

MIT = (
    "MIT License\n\nCopyright (c) 2026 Pellucid\n\nPermission is hereby granted, free of charge, to any person obtaining a "
    'copy of this software and associated documentation files (the "Software"), to deal in the Software without restriction, '
    "including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies "
    "of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:\n"
    "\nThe above copyright notice and this permission notice shall be included in all copies or substantial portions of the "
    'Software.\n\nTHE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED.\n'
)

WORDS = {
    "en": "the of and to that have with be house river window letter mountain garden people morning evening story water "
    "winter summer road bridge market village teacher friend music paper kitchen light ship harbour island weather",
    "de": "der die das und ist nicht mit auf ein eine haus fluss fenster brief berg garten leute morgen abend geschichte "
    "wasser winter sommer strasse bruecke markt dorf lehrer freund musik papier kueche licht schiff hafen insel wetter",
}


def sentences(seed: int, count: int = 12, language: str = "en") -> str:
    """Text that passes the quality rules, the same for the same seed."""
    draw = random.Random(seed)
    words = WORDS[language].split()
    lines = []
    for _ in range(count):
        chosen = [draw.choice(words) for _ in range(draw.randint(8, 16))]
        lines.append(" ".join(chosen).capitalize() + ".")
    return "\n".join(lines) + "\n"


def model(folder: Path) -> bytes:
    """A fastText model that tells English from German."""
    import fasttext

    rows = [f"__label__{language} {sentences(seed, 1, language).strip()}" for seed in range(60) for language in WORDS]
    training = folder / "training.txt"
    training.write_text("\n".join(rows) + "\n")
    trained = fasttext.train_supervised(
        str(training), dim=8, epoch=20, lr=0.5, minn=2, maxn=4, bucket=2000, thread=1, verbose=0
    )
    path = folder / "tiny.ftz"
    trained.save_model(str(path))
    return path.read_bytes()


def wheel(files: Mapping[str, bytes], name: str, version: str, extra_metadata: str = "") -> bytes:
    """A wheel with these members and metadata that says MIT."""
    dist_info = f"{name.replace('-', '_')}-{version}.dist-info"
    members = {
        **files,
        f"{dist_info}/METADATA": f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\nLicense-Expression: MIT\n"
        f"{extra_metadata}".encode(),
        f"{dist_info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{dist_info}/licenses/LICENSE": MIT.encode(),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in members.items():
            archive.writestr(zipfile.ZipInfo(member), data)
    return buffer.getvalue()


def sdist(files: Mapping[str, bytes], name: str, version: str) -> bytes:
    """An sdist with these members and a licence."""
    top = f"{name}-{version}"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        members = {"PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(), **files}
        for member, data in {**members, "LICENSE": MIT.encode()}.items():
            info = tarfile.TarInfo(f"{top}/{member}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


RECIPE = """
name: small
version: "1"
description: A small corpus of sentences that nobody wrote.
language_model: {{package: tiny-lid==1.0, member: tiny_lid/tiny.ftz, sha256: {model}, license: MIT, characters: 400}}
sources:
  - name: guides
    from: {{kind: pypi, packages: [guides==1.0]}}
    members: "*/docs/**/*.rst"
    format: text
    license: MIT
    evidence: "*/LICENSE"
    priority: 1
  - name: pages
    from: {{kind: pypi, packages: [pages==2.0], file: wheel}}
    members: "**/*.html"
    format: {{kind: html, extractor: all_text}}
    license: MIT
    evidence: "**/LICENSE"
  - name: lines
    from: {{kind: local, paths: [lines.tar.gz]}}
    members: "**/*.jsonl*"
    format: {{kind: jsonl, text: body, url: link}}
    license: MIT
    evidence: "**/LICENSE"
rules:
  - {{rule: length, min_characters: 100}}
  - {{rule: language, allow: [en]}}
  - {{rule: gopher_quality, min_words: 30}}
"""


def write_index(folder: Path, scale: int = 1) -> None:
    """The world's files: `folder`/index (a static package index) and `folder`/recipe with the recipe."""
    folder.mkdir(parents=True, exist_ok=True)
    index, home = folder / "index", folder / "recipe"
    home.mkdir()
    language_model = model(folder)
    guides = {f"docs/part{n % 3}/page{n}.rst": sentences(n).encode() for n in range(40 * scale)}
    guides |= {
        "docs/short.rst": b"Too short to be kept.\n",
        "docs/deutsch.rst": sentences(7, 12, "de").encode(),
        "docs/latin1.rst": ("Caf\u00e9 cr\u00e8me. " + sentences(901)).encode("latin-1"),
        "docs/binary.rst": bytes(range(256)) * 8,
        "docs/blank.rst": b"\n" * 50,
        "docs/copy.rst": sentences(3).encode(),
        "setup.py": b"raise SystemExit('nothing in a package is ever run')\n",
    }
    html = "<html><head><title>Page {0}</title></head><body><p>{1}</p></body></html>"
    pages = {f"pages/p{n}.html": html.format(n, sentences(n + 30)).encode() for n in range(30 * scale)}
    _publish(index, "guides", "guides-1.0.tar.gz", sdist(guides, "guides", "1.0"))
    _publish(index, "pages", "pages-2.0-py3-none-any.whl", wheel(pages, "pages", "2.0"))
    _publish(
        index, "tiny-lid", "tiny_lid-1.0-py3-none-any.whl",
        wheel({"tiny_lid/tiny.ftz": language_model}, "tiny-lid", "1.0"),
    )  # fmt: skip
    (home / "lines.tar.gz").write_bytes(sdist({"a.jsonl": jsonl(scale), "b.jsonl.gz": _gzip(jsonl(1))}, "lines", "1"))
    (home / "recipe.yaml").write_text(RECIPE.format(model=hashlib.sha256(language_model).hexdigest()))


def jsonl(scale: int) -> bytes:
    """25 good objects a scale, and one line of each kind of fault."""
    rows = [
        json.dumps({"body": sentences(n + 70), "link": f"https://example.org/{n}/{scale}"}).encode()
        for n in range(25 * scale)
    ]
    return b"\n".join([*rows, b'{"body": "bad \xff byte"}', b"[1, 2]", b"{not json", b"", b'{"other": 1}']) + b"\n"


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder over HTTP on loopback; yields the base URL."""
    handler = partial(_Quiet, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


class World:
    """The small world, its index being served, with its own cache and keys; runs the installed command in it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        self.recipe = folder / "recipe" / "recipe.yaml"
        self.environment = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("PIP_", "PYTHON")) or name == "PYTHONPATH"
            },
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": f"{url}/simple",
            "PELLUCID_CACHE": str(folder / "cache"),
            "PELLUCID_CONFIG": str(folder / "config"),
        }

    def command(self, *arguments: str | Path) -> list[str]:
        """`pellucid ARGUMENTS`; what builds does so in one process, if no number is given: the suite keeps all cores busy."""
        words = [str(word) for word in arguments]
        if words[0] in ("build", "reproduce") and "--workers" not in words:
            words += ["--workers", "1"]
        return [str(Path(sys.executable).parent / "pellucid"), *words]

    def run(
        self, *arguments: str | Path, code: int = 0, cwd: Path | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run `pellucid ARGUMENTS`; the exit code must be `code`."""
        done = subprocess.run(
            self.command(*arguments), env={**self.environment, **environment}, cwd=cwd or self.folder,
            capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        assert done.returncode == code, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def build(self, out: Path, *options: str, **environment: str) -> str:
        """Build into `out`; returns the release id."""
        done = self.run("build", self.recipe, "--out", out, "--json", *options, **environment)
        return str(json.loads(done.stdout)["release_id"])


@contextmanager
def world(folder: Path, scale: int = 1) -> Iterator[World]:
    """Make the world in `folder`, serve it, and lock its recipe: the first of a process does, later ones are copies of it."""
    template = TEMPLATES.get(scale)
    if template is None:
        TEMPLATES[scale] = template = Path(tempfile.mkdtemp(prefix="world-")) / "world"
        atexit.register(shutil.rmtree, template.parent, ignore_errors=True)
        write_index(template, scale)
        with served(template / "index") as url:
            first = World(template, url)
            first.run("lock", first.recipe)
    shutil.copytree(template, folder, dirs_exist_ok=True)
    with served(folder / "index") as url:
        yield World(folder, url)


TEMPLATES: dict[int, Path] = {}  # a world as it is after `lock`, by its scale; what is in it depends on nothing else


def _publish(index: Path, project: str, file_name: str, data: bytes) -> None:
    files, page = index / "files", index / "simple" / project
    files.mkdir(parents=True, exist_ok=True)
    page.mkdir(parents=True, exist_ok=True)
    (files / file_name).write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    (page / "index.html").write_text(
        f'<!DOCTYPE html><html><body><a href="../../files/{file_name}#sha256={digest}">{file_name}</a></body></html>'
    )


def _gzip(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)
