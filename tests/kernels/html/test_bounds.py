"""The parser with bounds checks on, over pages made by `checks.fuzz_html`; `make fuzz` has a million, and all HTML kernels."""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parents[3]

TOO_SMALL = """
import numpy as np
from pipeline.kernels.html import parser
ours = parser.Parser()
reserve = ours._reserve
def less(size):
    found = reserve(size)
    setattr(*{where}, np.empty({shape}, {where}[0].__getattribute__({where}[1]).dtype))
    return found
ours._reserve = less
try:
    ours.parse(b"<p class=a id=b>one<b>two &amp; three<p>" * 99)
except IndexError as error:
    print(error)
"""


def run(*arguments: str) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA")}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=HERE, capture_output=True, text=True, check=False, timeout=1800,
        env={**kept, "PELLUCID_KERNEL_BOUNDSCHECK": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_no_index_is_out_of_bounds_in_pages_that_nobody_would_write() -> None:
    assert run("-m", "checks.fuzz_html", "--pages", "4000", "--only", "parser").endswith("no fault")


def test_an_index_out_of_bounds_would_be_found() -> None:
    """In each array that a page decides the size of, made too small on purpose."""
    for where, shape in (
        ("(ours, '_nodes')", "8"),
        ("(ours._tree, 'values')", "100"),
        ("(ours._tree, 'attributes')", "(4, 5)"),
    ):
        assert "out of bounds" in run("-c", TOO_SMALL.replace("{where}", where).replace("{shape}", shape)), where
