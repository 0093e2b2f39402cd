"""Compare our trees with lexbor's on a folder of pages: `python -m checks.trees_like_lexbor FOLDER`.

Elements, attributes with their values, and texts; not the contents of templates, which selectolax does not show. Exit code 1
where one page differs.
"""

import gzip
import sys
from pathlib import Path

from pipeline.kernels.html.parser import parse
from tests.kernels.html.lexbor import lexbor_lines, without_template_contents
from tests.kernels.html.trees import lines


def main(folder: Path) -> int:
    """Print the pages that differ, and counts."""
    paths = sorted(path for path in folder.rglob("*") if path.name.endswith((".html", ".html.gz")))
    different = bounded = 0
    for path in paths:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        data = data.decode("utf-8", "replace").encode()
        tree = parse(data)
        bounded += tree.bounded
        ours, theirs = without_template_contents(lines(tree)), lexbor_lines(data)
        if ours != theirs:
            different += 1
            first = next((pair for pair in zip(ours, theirs, strict=False) if pair[0] != pair[1]), "one is longer")
            print(f"{path.name}: {first}")
    print(f"{len(paths)} pages, {different} differ, {bounded} bounded")
    return different > 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
