"""Stage `blocks`: which units of a source stand in so many of its documents that they are blocks of the source.

    blocks.arrow    hash, text, documents that hold it; by hash, then text

The counts of all artifacts of the source (`curate.line_counts`) are added up by the text.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.curate.line_runs import Runs, at_least, documents_of
from pipeline.kernels import blocks
from pipeline.release.schemas import MILLION

Progress = Callable[[int, int], None]  # documents and bytes of text since the last call


def run(parameters: Mapping[str, Any], files: Mapping[str, Path], out: Path, progress: Progress) -> dict[str, Any]:
    """Write the blocks of a source to `out`/blocks.arrow. Returns its documents, the threshold, blocks and their characters.

    `parameters`: `inputs`, the names in `files` of the lines.arrow of all its artifacts; a block stands in at least
    `min_documents` documents, and in at least `min_share` millionths of all.
    """
    paths = [files[name] for name in sorted(parameters["inputs"])]
    documents = sum(map(documents_of, paths))
    threshold = max(parameters["min_documents"], -(-parameters["min_share"] * documents // MILLION))
    runs = Runs(out, paths)
    found = blocks.merged(list(at_least(runs.merged(), threshold)))
    runs.remove()
    with pa.ipc.new_file(out / "blocks.arrow", blocks.COUNTS) as writer:
        writer.write_table(found)
    progress(documents, 0)
    characters = pc.sum(pc.utf8_length(found.column("text"))).as_py() or 0
    return {
        "documents": documents, "threshold": threshold, "blocks": found.num_rows, "characters": characters,
    }  # fmt: skip
