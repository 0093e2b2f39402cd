"""DuckDB over the release's own Parquet files: nothing is imported, nothing else can be opened.

1. It opens nothing but the release's files, and no query can change that (`inspection.duck`).
2. SQL is made of constants of this package; what a request says is bound as a parameter.
3. Every query has a cursor of its own and a limit of time, at which it is interrupted.
"""

import threading
from collections.abc import Iterable, Mapping
from typing import Any

import duckdb

from pipeline.inspection import duck
from pipeline.inspection.browse.faults import Changed, TooSlow

SECONDS = 10.0  # of a query that has no other limit
_CACHE = "SET parquet_metadata_cache = true"  # of files with an unchanged time of change: footers are parsed once

Row = dict[str, Any]


class Engine:
    """Queries over a fixed list of files. Safe to use from several threads."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._connection = duck.connect(paths, settings=[_CACHE])
        self._lock = threading.Lock()
        self._running: set[Any] = set()

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None, seconds: float = SECONDS) -> list[Row]:
        """The rows of a query. Raises TooSlow at the limit, Changed where a file cannot be read."""
        with self._lock:
            cursor = self._connection.cursor()
            self._running.add(cursor)
        limit = threading.Timer(seconds, cursor.interrupt)
        limit.daemon = True
        limit.start()
        try:
            cursor.execute(sql, dict(parameters or {}))
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        except duckdb.InterruptException as error:
            raise TooSlow(
                f"this was ended after {seconds:g} seconds", hint="ask for less: a source, a fate, a range"
            ) from error
        except duckdb.OutOfMemoryException as error:
            raise TooSlow(
                f"this needs more than {duck.MEMORY} of memory", hint="ask for less: a source, a fate"
            ) from error
        except (duckdb.IOException, duckdb.InvalidInputException, duckdb.ConversionException) as error:
            raise Changed(
                "a file of the release cannot be read as the Parquet that it has to be",
                hint="`pellucid verify` names the file and what is wrong with it",
            ) from error
        finally:
            limit.cancel()
            with self._lock:
                self._running.discard(cursor)
            cursor.close()

    def interrupt(self) -> None:
        """End every query that runs."""
        with self._lock:
            for cursor in self._running:
                cursor.interrupt()
