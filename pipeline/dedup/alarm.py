"""Stop a build in which deduplication takes too much of a source, and show what it takes it for.

The reason is nearly always one of three: the source holds the same pages over and over, another one holds them too, or a
boilerplate text makes different pages look alike. Which it is one sees from the largest clusters, so these are shown with
their places and first words.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.errors import TaskError

_COLUMNS = ["id", "url", "text"]
_FIRST_WORDS = 100  # characters
_LONGEST_URL = 300  # characters of it are shown

Files = Callable[[Mapping[str, Any]], Sequence[Path]]


def check(limits: Mapping[str, float], result: Mapping[str, Any], files: Files) -> None:
    """Raise TaskError for the sources of which more is dropped than their limit.

    limits: by source, the greatest share that may be dropped; result: what `choose.run` returned; files: where the document
    of an entry (`task`, `release`, as in `result["largest"]`) may stand: survivors of curate, or a release's Parquet.
    """
    loud = []
    for source, limit in limits.items():
        seen, lost = result["seen"][source], result["dropped"][source]
        if seen and lost / seen > limit:
            loud.append(f"{source}: {lost:,} of {seen:,} documents ({lost / seen:.1%}, alarm at {limit:.1%})")
            if result["elsewhere"][source]:
                loud.append(
                    f"  {result['elsewhere'][source]:,} of them are copies of documents of the releases that it is "
                    "built against"
                )
            for cluster in result["largest"][source]:
                loud += _shown(cluster, files)
    if loud:
        raise TaskError(
            "deduplication would drop more of a source than its alarm allows; the largest clusters of it:\n  "
            + "\n  ".join(loud),
            where="dedup",
            hint="look at these documents; if the loss is right, set `max_drop_share` of the source in the recipe",
        )


def _shown(cluster: Mapping[str, Any], files: Files) -> list[str]:
    kept, example = cluster["kept"], cluster["example"]
    release = f" of release {kept['release']}" if kept["release"] else ""
    url, text = _find(kept, files)
    words = _first(" ".join(text[: 4 * _FIRST_WORDS].split()), _FIRST_WORDS)
    return [
        f"  {cluster['copies']:,} {'are copies' if cluster['copies'] > 1 else 'is a copy'} of {kept['id']}{release}",
        f"    {_first(url, _LONGEST_URL)}",
        f'    "{words}"',
        f"    {'one of them' if cluster['copies'] > 1 else 'the copy'}: {_first(_find(example, files)[0], _LONGEST_URL)}",
    ]


def _first(text: str, characters: int) -> str:
    return text if len(text) <= characters else text[:characters] + "…"


def _find(entry: Mapping[str, Any], files: Files) -> tuple[str, str]:
    """URL and text of a document."""
    import pyarrow.parquet as pq  # not above: nearly every build imports this module, and none of them looks

    for path in files(entry):
        if path.suffix == ".parquet":
            table = pq.read_table(path, columns=_COLUMNS, filters=[("id", "=", entry["id"])])
            rows = table.to_pylist()
        else:
            rows = _rows(path, entry["id"])
        if rows:
            return rows[0]["url"], rows[0]["text"]
    raise ValueError(f"document {entry['id']} of {entry['task']} is in none of {[str(path) for path in files(entry)]}")


def _rows(path: Path, wanted: str) -> list[dict[str, Any]]:
    """The rows of a document in a file of curate's survivors."""
    import pyarrow as pa
    import pyarrow.compute as pc

    with pa.memory_map(str(path)) as source:
        schema = pa.ipc.open_file(source).schema
        options = pa.ipc.IpcReadOptions(included_fields=[schema.get_field_index(name) for name in _COLUMNS])
        reader = pa.ipc.open_file(source, options=options)
        for number in range(reader.num_record_batches):
            batch = reader.get_batch(number)
            found = batch.filter(pc.equal(batch.column("id"), wanted))
            if found.num_rows:
                rows: list[dict[str, Any]] = found.to_pylist()
                return rows
    return []
