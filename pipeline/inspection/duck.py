"""DuckDB over a release's own Parquet files, and nothing else.

In memory. It opens the files that it is given and no others, writes nothing but what it spills, loads no extension, reaches no
network, and no query can change that.
"""

from collections.abc import Iterable
from pathlib import Path

import duckdb

from pipeline.errors import RecipeError

_SETTINGS = (
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET allow_community_extensions = false",
    "SET allow_persistent_secrets = false",
    "SET enable_progress_bar = false",
)
_LOCK = ("SET enable_external_access = false", "SET lock_configuration = true")  # after which nothing can be set
MEMORY = "1GB"  # a row group of texts is 64 MB at most


def connect(
    paths: Iterable[str | Path], memory: str = MEMORY, spill: str = "", settings: Iterable[str] = ()
) -> duckdb.DuckDBPyConnection:
    """A connection that can read `paths`.

    `memory`: its limit. `spill`: the folder for what goes beyond; without one a query ends there (OutOfMemoryException).
    `settings`: further ones, as SQL. Raises RecipeError where a path cannot be written in SQL.
    """
    listed = ", ".join(quoted(path) for path in paths)
    connection = duckdb.connect(":memory:", config={"memory_limit": memory, "temp_directory": spill})
    for setting in (*_SETTINGS, *settings, f"SET allowed_paths = [{listed}]", *_LOCK):
        connection.execute(setting)
    return connection


def quoted(path: str | Path) -> str:
    """A path as a string of SQL."""
    if "\0" in str(path):
        raise RecipeError("the path of the release has a NUL byte")
    return "'" + str(path).replace("'", "''") + "'"
