"""`report.html`: a release on one page, for somebody who never heard of the project. Docs: docs/report.md.

The page is a function of the manifest, the release id, the id of the key that signed it, and the rows: no clock, no
machine, nothing of the order in which rows are read. So everybody who has the release makes the same bytes, and the run
document names their digest. It is one file that loads nothing and runs nothing, and it stays below LIMIT: what is cut is
said where it is cut, and if that is not enough everything that can be long is shown to a half, a quarter, and so on.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.trust.manifest import Manifest

if TYPE_CHECKING:
    from pipeline.inspection.report_rows import Found

LIMIT = 2_000_000  # bytes


def page(paths: Callable[[str], Path], manifest: Manifest, release_id: str, key_id: str) -> bytes:
    """The report in UTF-8. `paths`: from the name of a file of the release to where it lies.

    Raises OSError, pyarrow.ArrowException or ValueError where a file cannot be read as what the manifest says it is.
    """
    from pipeline.inspection import report_rows

    return render(manifest, release_id, key_id, report_rows.gather(paths, manifest["files"], release_id))


def render(manifest: Manifest, release_id: str, key_id: str, found: "Found") -> bytes:
    """The page of what was found in the rows."""
    from pipeline.inspection import pages
    from pipeline.inspection.report_view import Limits, view

    part = 1
    while True:
        data = pages.render("report.html", view(manifest, release_id, key_id, found, Limits.part(part))).encode()
        if len(data) < LIMIT or part > 64:
            return data
        part *= 2
