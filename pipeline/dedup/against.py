"""Sketch the kept documents of one shard of another release, as curate sketches survivors."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from pipeline.curate.sketch import Sketches
from pipeline.dedup import others


def run(parameters: Mapping[str, Any], files: Mapping[str, Path], out: Path, progress: Any) -> dict[str, Any]:
    """Write sketch-00000.arrow and bands-00000.arrow of the shard in `files["data"]` and `files["kept"]`.

    `parameters`: `release` (its id), `source`, `files` (of data and kept the name and sha256 by that release's manifest),
    `near` as of `Sketches`. Raises TaskError where a file is not what that manifest says.
    """
    for kind in ("data", "kept"):
        others.verify(files[kind], parameters["files"][kind], parameters["release"])
    sketches = Sketches(out, parameters["near"])
    for batch in others.documents(files["data"], files["kept"]):
        sketches.add(batch)
        progress(batch.num_rows, pc.sum(pc.binary_length(batch.column("text"))).as_py())
    sketches.close()
    return {"documents": sketches.rows}
