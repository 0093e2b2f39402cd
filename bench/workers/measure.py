"""What every worker shares: documents from Parquet files, and the timing of one piece of work over them, as JSON lines.

A worker is a script in the environment of its peer: `python bench/workers/run_X.py REQUEST`, REQUEST a JSON object:
    core          the core that the process stays on
    repetitions   how many figures there are to be
    seconds       CPU seconds that a repetition has at least: the work is run over and over until they are spent
    model         the language model's file
    jobs          a list of {work: name, documents: Parquet file}
It writes `{"versions": {...}}`, then for each job `{"seconds": [...], "documents": n, "bytes": n, ...}`, or `{"error": ...}`.
Nothing but the standard library and pyarrow is imported here.
"""

import gc
import importlib.metadata
import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

Work = Callable[[], Any]
WARM_DOCUMENTS = 40  # that a slow peer sees before it is timed: enough to load its tables and fill its caches


def read(path: str) -> Any:
    """The column `text` of a Parquet file, as one LargeStringArray."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    column = pq.read_table(path, columns=["text"], use_threads=False).column("text")
    return pa.concat_arrays([chunk.cast(pa.large_string()) for chunk in column.chunks])


def main(
    prepare: Callable[[str, dict[str, Any]], tuple[Work, Work, dict[str, Any]]], packages: Iterable[str] = ()
) -> None:
    """Do the jobs of the request. `prepare(work, job)` answers (warm-up, work, facts), `facts` with documents and bytes."""
    request = json.loads(sys.argv[1])
    os.sched_setaffinity(0, {request["core"]})
    say, sys.stdout = sys.stdout, sys.stderr  # peers print
    versions = {name: importlib.metadata.version(name) for name in packages}
    print(json.dumps({"versions": versions}), file=say, flush=True)
    for job in request["jobs"]:
        try:
            warm, work, facts = prepare(job["work"], {**request, **job})
            seconds = timed(warm, work, request["repetitions"], request["seconds"])
            answer = {**facts, "seconds": seconds}
        except Exception as error:  # noqa: BLE001 - the next job may do better, and the table says what failed
            answer = {"error": f"{type(error).__name__}: {error}"[:500]}
        print(json.dumps({**job, **answer}), file=say, flush=True)


def timed(warm: Work, work: Work, repetitions: int, least: float) -> list[float]:
    """CPU seconds of one run of `work`, as many times; a repetition is as many runs as fill `least` seconds."""
    warm()
    runs = 1
    seconds: list[float] = []
    while len(seconds) < repetitions:
        gc.collect()
        began = time.process_time()
        for _ in range(runs):
            work()
        spent = time.process_time() - began
        if spent < least and not seconds and runs < 1 << 16:  # too short to be timed: more runs, and this was warm-up
            runs = max(runs + 1, min(8 * runs, round(1.2 * runs * least / max(spent, 1e-4))))
            continue
        seconds.append(spent / runs)
    return seconds


def of_strings(job: dict[str, Any], judge: Callable[[str], Any]) -> tuple[Work, Work, dict[str, Any]]:
    """The work of a peer that takes one Python string a document; making the strings is not timed."""
    texts = read(job["documents"]).to_pylist()

    def work(some: list[str] = texts) -> None:
        for text in some:
            judge(text)

    return lambda: work(texts[:WARM_DOCUMENTS]), work, facts(texts)


def word_ngrams(text: str, words: int = 5) -> list[str]:
    """The set of word n-grams that a peer without a tokeniser is given: words of `str.split()`, joined by spaces."""
    found = text.split()
    count = max(len(found) - words + 1, min(len(found), 1))
    return list({" ".join(found[i : i + words]) for i in range(count)})


def facts(texts: list[str]) -> dict[str, Any]:
    return {"documents": len(texts), "bytes": sum(len(text.encode()) for text in texts)}
