"""A release of documents that try to harm whoever looks at them, built by `pellucid` from a package made here.

    python -m look.hostile FOLDER [ENTRIES]

writes FOLDER/release (and what it was built from beside it). All text is ours. ENTRIES: how many empty files stand before the
documents in their archive, which then takes longer to be read up to them.
"""

import html
import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path

from tests.corpus import sentences

LICENCE = "MIT License\n\nCopyright (c) 2026 Pellucid\n\nPermission is hereby granted, free of charge, to any person.\n"
SCRIPT = "<script>document.title='owned';fetch('http://127.0.0.1:9/owned')</script>"
IMAGE = "<img src=http://127.0.0.1:9/owned.png onerror=alert(1)>"
ANSI = "\x1b]0;owned\x07\x1b[2J\x1b[31mred\x1b[0m\x9b31m"
BIDI = "\u202egnp.exe\u202c \u2066isolate\u2069 \u200ezero\u200bwidth\ufeff"
LONG = "w" * 3000

DOCUMENTS = [
    {"text": sentences(1) + SCRIPT + IMAGE, "url": "https://example.org/script", "title": SCRIPT},
    {"text": sentences(2) + ANSI, "url": "https://example.org/ansi", "title": ANSI},
    {"text": sentences(3) + BIDI, "url": f"https://example.org/{BIDI}", "title": BIDI},
    {"text": sentences(4), "url": "javascript:alert(document.domain)", "title": "a link that is none"},
    {"text": sentences(5), "url": 'https://example.org/"onmouseover="alert(1)', "title": '"><svg onload=alert(1)>'},
    {"text": sentences(6) + LONG, "url": f"https://example.org/{LONG}", "title": LONG},
    {"text": sentences(7) + "</textarea></title></style><!--", "url": "data:text/html,<script>alert(1)</script>", "title": ""},
    {"text": sentences(8) + "{{ 7 * 7 }} {% raw %}", "url": "https://example.org/{{7*7}}", "title": "{{ 7 * 7 }}"},
    {"text": SCRIPT + "short", "url": "https://example.org/<dropped>", "title": SCRIPT},
    {"text": sentences(4), "url": "https://example.org/copy", "title": "a copy"},
    {"text": sentences(5) + "One more sentence is here, with which it is not quite the same.", "url": "https://example.org/near",
     "title": "\u0645\u0631\u062d\u0628\u0627"},
]  # fmt: skip

# A web page whose menu and text hold what harms where it is not escaped. A browser would show all of it as text.
ESCAPED = "".join(f"<li>{html.escape(text)}</li>" for text in (SCRIPT, IMAGE, BIDI, LONG, "</div></body><!--"))
PAGE = (
    f"<!doctype html><meta charset=utf-8><title>{html.escape(SCRIPT)}</title><body><nav><ul>{ESCAPED}</ul></nav>"
    f"<main><h1>{html.escape(IMAGE)}</h1><p>{sentences(9)}</p><p>{sentences(10)}{html.escape(SCRIPT + BIDI)}</p></main>"
    "<footer><p>Copyright of nobody.</p></footer>"
)

RECIPE = """
name: hostile
version: "1"
description: "<script>alert('description')</script> and \\u202e text of documents that nobody should trust"
sources:
  - name: hostile
    from: {kind: local, paths: [hostile.tar.gz]}
    members: "**/*.jsonl"
    format: {kind: jsonl, text: text, url: url, title: title}
    license: MIT
    evidence: "**/LICENSE"
  - name: page
    from: {kind: local, paths: [hostile.tar.gz]}
    members: "**/*.html"
    format: html
    license: MIT
    evidence: "**/LICENSE"
rules:
  - {rule: length, min_characters: 100}
"""


def main(folder: Path, entries: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(document) + "\n" for document in DOCUMENTS)
    with tarfile.open(folder / "hostile.tar.gz", "w:gz") as archive:
        for _ in range(entries):
            archive.addfile(tarfile.TarInfo("hostile-1/empty"))
        for name, text in (
            ("hostile-1/LICENSE", LICENCE),
            ("hostile-1/<b>&\u202e.jsonl", lines),
            ("hostile-1/page.html", PAGE),
        ):
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    recipe = folder / "recipe.yaml"
    recipe.write_text(RECIPE)
    command = [str(Path(sys.executable).with_name("pellucid"))]
    subprocess.run([*command, "lock", recipe], check=True)
    subprocess.run([*command, "build", recipe, "--out", folder / "release"], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
