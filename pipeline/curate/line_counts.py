"""Stage `lines`, for sources whose recipe asks for `repeated_lines`: how many documents of an artifact hold each unit.

    lines.arrow     the artifact's distinct units: hash, text, documents that hold it; by hash, then text

A unit is a line or a paragraph, as `kernels.blocks` says. Its text stands in lines.arrow whatever its count: a unit of one
document in each of many artifacts is a block too (`curate.line_blocks`), and to count by the text itself, no hash, leaves
nothing to gain from crafted collisions. Documents are those of the extraction, before any rule or deduplication, without those
that an opt-out list names by id, artifact or URL: their text is not to be kept in a file.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.curate import opt_out
from pipeline.curate.artifact import broken, verify
from pipeline.curate.line_runs import DOCUMENTS, Runs, at_least, write
from pipeline.formats.interface import Bomb, Truncated
from pipeline.formats.read import extract, read_artifact
from pipeline.kernels import blocks
from pipeline.model import Document, Fault, Pointer, document_id

BATCH_BYTES = 16 << 20  # of text, in UTF-8, that is cut into units at once
BATCH_DOCUMENTS = 16_384

Progress = Callable[[int, int], None]  # documents and bytes of text since the last call


def run(parameters: Mapping[str, Any], files: Mapping[str, Path], out: Path, progress: Progress) -> dict[str, Any]:
    """Count the units of `files["artifact"]` into `out`/lines.arrow. Returns documents, units (distinct), bytes of text.

    `parameters`: artifact (purl, file, sha256), format, members, exclude, opt_out as for curation; unit, min_characters; and
    `least` (1 where it is not given): units of fewer documents are left out, which keeps the file small where the artifact is
    the only one of its source, and would lose counts where it is not. Raises TaskError as curation does.
    """
    artifact = parameters["artifact"]
    verify(files["artifact"], artifact)
    listed = opt_out.load(parameters, files)
    runs = Runs(out)
    texts: list[str] = []
    documents = total = waiting = 0

    def flush() -> None:
        nonlocal waiting
        if texts:
            array = pa.array(texts, pa.large_string())
            runs.add(blocks.count(array, unit=parameters["unit"], min_characters=parameters["min_characters"]))
        progress(len(texts), waiting)
        texts.clear()
        waiting = 0

    last: Pointer | None = None
    try:
        for record in read_artifact(
            files["artifact"], artifact["file"], members=parameters["members"], exclude=parameters["exclude"],
            spec=parameters["format"],
        ):  # fmt: skip
            last = record.pointer
            if listed is not None and listed.record(document_id(artifact["sha256"], last)):
                continue
            found = record if isinstance(record, Fault) else extract(record, parameters["format"])
            if not isinstance(found, Document):
                continue  # curation says why
            if listed is not None and listed.url(found.url or f"{artifact['purl']}{last.subpath()}"):
                continue
            texts.append(found.text)
            size = len(found.text.encode())
            documents, total, waiting = documents + 1, total + size, waiting + size
            if waiting >= BATCH_BYTES or len(texts) >= BATCH_DOCUMENTS:
                flush()
    except (Truncated, Bomb) as error:
        raise broken(error, artifact["purl"], last) from error
    flush()
    schema = blocks.COUNTS.with_metadata({DOCUMENTS: str(documents).encode()})
    units = write(out / "lines.arrow", at_least(runs.merged(), parameters.get("least", 1)), schema)
    runs.remove()
    return {"documents": documents, "units": units, "bytes": total}
