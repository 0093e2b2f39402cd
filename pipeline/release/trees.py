"""The index trees of a release, from what its shards put under each name."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.trust import index


def run(parameters: Mapping[str, Any], files: Mapping[str, Path], out: Path, progress: Any) -> dict[str, Any]:
    """`parameters["purls"]`: of all artifacts; `files`: the `index.arrow` of every shard. Returns the roots. Writes nothing."""
    parts = [index.of_artifacts(parameters["purls"])]
    for name in sorted(files):
        with pa.ipc.open_file(files[name]) as reader:
            parts.append(index.from_table(reader.read_all()))
    entries = index.together(parts)
    progress(len(entries["ids"].keys), 0)
    return {"roots": index.roots(entries)}
