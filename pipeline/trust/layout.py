"""How a Parquet file was written: what may differ between two files that have the same rows."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

CODEC = "ZSTD"  # of every column, in a release as it is built


def differences(path: Path, environment: Mapping[str, Any]) -> str:
    """What is other in a file with the same rows than in the published one, as far as its footer and the manifest tell.

    `environment`: the manifest's. Row groups and pages of the published file are not recorded, so where nothing else
    differs it is these, or the encodings, and the file's own are told.
    """
    metadata = pq.read_metadata(path)
    found = []
    wanted = f"parquet-cpp-arrow version {environment.get('packages', {}).get('pyarrow', 'unknown')}"
    if metadata.created_by != wanted:
        found.append(f"created_by is {metadata.created_by!r:.80}, was {wanted!r}")
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    codecs = sorted({group.column(number).compression for group in groups for number in range(group.num_columns)})
    if groups and codecs != [CODEC]:
        found.append(f"codec is {', '.join(codecs)}, was {CODEC}")
    if not found:
        found.append(f"layout: {len(groups)} row groups here, format version {metadata.format_version}")
    return "; ".join(found)
