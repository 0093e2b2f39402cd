"""Measure ours, its peers and its limits on the same documents, one core each, in one run.

    make bench-peers        once: the peers' environments, .venv-peers and .venv-dolma
    make bench              everything; writes bench/results/bench.md and bench.json
    .venv/bin/python bench/run.py --quick --only 'C4'         one table, roughly, to stdout alone

Needs a release of configs/workstation.yaml (`make corpus`). What each row means: bench/README.md.
"""

import argparse
import datetime
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import inputs
import near_inputs
import pyarrow as pa
import pyarrow.parquet as pq
import report
import rows
from rows import Row

from pipeline.curate import language
from pipeline.kernels import warm
from pipeline.model import Artifact
from pipeline.recipe import LanguageModel
from pipeline.sources.fetch import Cache, fetch_all

HERE = Path(__file__).resolve().parent
SECONDS, QUICK_SECONDS = 0.5, 0.1  # that a repetition has at least
QUICK = 4  # samples of --quick are smaller by this factor
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"), "1")


class Bench:
    """The state of a run: its options, its temporary folder, and what has been measured."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self.options, self.folder = options, folder
        self.only = re.compile(options.only or "", re.IGNORECASE)
        self.pythons = {name: HERE.parent / f".venv-{name}" for name in ("peers", "dolma")}
        self.pythons |= {name: given for name in self.pythons if (given := getattr(options, name))}
        self.versions: dict[str, str] = {}
        self.files: dict[tuple[str, float], Path] = {}
        self.model, self.model_artifact = language_model(options.release, folder)
        say("reading the texts of the release")
        self.texts = inputs.texts_of(options.release)
        survivors = inputs.survivors_of(options.release)
        if not survivors:
            say("the release has no work folder: near duplicates are looked for in what its own deduplication left")
        self.of = {rows.RELEASE: self._part(self.texts), rows.SURVIVORS: self._part(survivors or self.texts)}
        self.texts = self.of[rows.RELEASE]
        self.bytes = size_of(self.texts)

    def _part(self, texts: list[str]) -> list[str]:
        """All, or of a quick run a sample."""
        return inputs.sample(texts, size_of(texts) / QUICK) if self.options.quick else texts

    def documents(self, size: float, of: str = rows.RELEASE) -> Path:
        """The Parquet file of the sample of that size."""
        whole = size_of(self.of[of])
        size = min(size / (QUICK if self.options.quick else 1), whole)
        if (of, size) not in self.files:
            texts = self.of[of] if size == whole else inputs.sample(self.of[of], size)
            self.files[of, size] = inputs.write(self.folder / f"documents-{len(self.files)}.parquet", texts)
        return self.files[of, size]

    def python(self, worker: str) -> Path:
        environment = rows.ENVIRONMENTS.get(worker)
        return Path(sys.executable) if environment is None else self.pythons[environment] / "bin" / "python"

    def work(self, worker: str, jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Have a worker do jobs, in a process of its own. What it does not answer is an error."""
        request = {
            "core": self.options.core, "repetitions": self.options.repetitions, "model": str(self.model),
            "seconds": QUICK_SECONDS if self.options.quick else SECONDS, "jobs": jobs,
        }  # fmt: skip
        environment = {**os.environ, **ONE_THREAD, "PYTHONHASHSEED": "0", "TMPDIR": str(self.folder)}
        command = [str(self.python(worker)), str(HERE / "workers" / f"{worker}.py"), json.dumps(request)]
        answers: list[dict[str, Any]] = []
        with tempfile.TemporaryFile("w+") as noise:
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=noise, text=True, env=environment) as process:
                assert process.stdout is not None
                for line in process.stdout:
                    answer = json.loads(line)
                    if "versions" in answer:
                        self.versions |= answer["versions"]
                        continue
                    answers.append(answer)
                    say(f"  {worker[4:]} {answer['work']}: {_told(answer)}")
            if len(answers) < len(jobs):
                noise.seek(0)
                last = (noise.read().strip().splitlines() or ["no message"])[-1]
                why = f"the worker ended with exit code {process.returncode}: {last}"
                say(f"  {worker[4:]}: {why}")
                answers += [{**job, "error": why} for job in jobs[len(answers) :]]
        return answers

    def table(self, table: str) -> list[dict[str, Any]]:
        """The rows of a table that are asked for, and the ratio of ours to each."""
        wanted = [row for row in rows.ROWS if row.table == table and self.only.search(row.label)]
        if self.options.skip_peers:
            wanted = [row for row in wanted if row.worker not in rows.ENVIRONMENTS]
        if not wanted:
            return []
        say(rows.TITLES[table])
        own = {row.work: row for row in rows.ROWS if row.table == table and row.peer == "ours"}
        needed = {(row.work, row.size) for row in wanted if row.peer == "ours"}
        needed |= {(row.ours, row.size) for row in wanted if row.ours in own}
        jobs: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for work, size in sorted(needed):
            jobs[own[work].worker].append(self.job(own[work], size))
        for row in wanted:
            if row.peer != "ours":
                jobs[row.worker].append(self.job(row, row.size))
        found = {
            (worker, answer["work"], answer["documents_of"]): answer
            for worker, mine in jobs.items()
            for answer in self.work(worker, mine)
        }
        made = []
        for row in wanted:
            answer = found[row.worker, row.work, str(self.documents(row.size, row.documents))]
            line: dict[str, Any] = {"table": row.table, "what": row.what, "peer": row.peer, **answer}
            if row.worker in rows.PACKAGES:
                line["version"] = self.versions.get(rows.PACKAGES[row.worker], "")
            if row.ours in own:
                ours = found[own[row.ours].worker, row.ours, str(self.documents(row.size, row.documents))]
                if "seconds" in ours and "seconds" in answer:
                    line["ratio"] = report.rate(ours)[0] / report.rate(answer)[0]
                    line |= {f"{name}_ours": ours[name] for name in ("survivors", "kept") if name in ours}
            made.append(line)
        return made

    def job(self, row: Row, size: float) -> dict[str, Any]:
        documents = self.documents(size, row.documents)
        job: dict[str, Any] = {"work": row.work, "documents": str(documents), "documents_of": str(documents)}
        if row.worker in ("run_curate", "run_dedup"):
            job |= {"artifact": str(documents), "model_artifact": self.model_artifact}
            job["work_folder"] = str(self.folder / f"{documents.stem}.work")
        if row.work == "json_lines":
            job["artifact"] = job["json_lines"] = str(self.json_lines())
        return job

    def json_lines(self) -> Path:
        path = self.folder / "texts.jsonl.gz"
        return path if path.exists() else inputs.write_json_lines(path, self.texts)

    def hostile(self) -> list[dict[str, Any]]:
        """Ours on each hostile shape, and what share of its speed on the documents that is."""
        shapes = [one for one in inputs.hostile(self.options.quick) if self.only.search(f"{rows.HOSTILE}: {one[0]}")]
        if not shapes:
            return []
        say("Hostile shapes")

        def jobs(path: Path) -> list[dict[str, Any]]:
            return [{"work": work, "documents": str(path)} for work in rows.HOSTILE_WORKS]

        normal = {answer["work"]: answer for answer in self.work("run_ours", jobs(self.documents(rows.LARGE)))}
        made = []
        for name, make in shapes:
            say(f" {name}")
            texts = make()
            path = inputs.write(self.folder / "hostile.parquet", texts)
            works = {answer["work"]: answer for answer in self.work("run_ours", jobs(path))}
            of_normal = {
                work: report.rate(answer)[0] / report.rate(normal[work])[0]
                for work, answer in works.items()
                if "seconds" in answer and "seconds" in normal[work]
            }
            size = sum(len(text.encode()) for text in texts)
            made.append({"shape": name, "documents": len(texts), "bytes": size, "works": works, "of_normal": of_normal})
            path.unlink()
        return made

    def memory(self) -> list[dict[str, Any]]:
        """Peak RSS of one worker that curates a small, a large and a very large file."""
        sizes = [("100 MB", 1e8), ("1 GB", 1e9), *([("5 GB", 5e9)] if self.options.large else [])]
        if self.options.quick:
            sizes = sizes[:1]
        made = []
        for name, size in sizes:
            if not self.only.search(f"{rows.MEMORY}: {name}"):
                continue
            say(f"Memory: {name}")
            path = self.folder / "repeated.parquet"
            written = inputs.write_repeated(path, self.texts, size)
            job = {"work": "memory", "artifact": str(path), "model_artifact": self.model_artifact, "bytes": written}
            made.append({"input": name, **self.work("run_curate", [job])[0]})
            path.unlink()
        return made

    def verify(self) -> list[dict[str, Any]]:
        """Verification of the release itself, a process for each work."""
        made = []
        for work, what in rows.VERIFY_WORKS.items():
            if self.only.search(f"{rows.VERIFY}: {what}"):
                say(f"{rows.VERIFY}: {what}")
                made += self.work("run_verify", [{"work": work, "what": what, "release": str(self.options.release)}])
        return made

    def sizes(self) -> list[dict[str, Any]]:
        """Deduplication of more and more text: CPU time and peak RSS of one process, after curate."""
        mixed = [("100 MB", 1e8), ("300 MB", 3e8), ("1 GB", 1e9), *([("5 GB", 5e9)] if self.options.large else [])]
        sizes = [(rows.AS_THEY_ARE, 0.0), *((f"{name}, with perturbed copies", size) for name, size in mixed)]
        made = []
        for name, size in sizes[:2] if self.options.quick else sizes:
            if not self.only.search(f"{rows.SIZES}: {name}"):
                continue
            say(f"{rows.SIZES}: {name}")
            made.append(self.deduplicated(name, partial(self._mixture, size=size)))
        return made

    def _mixture(self, folder: Path, size: float) -> int:
        texts = self.of[rows.SURVIVORS]
        return near_inputs.write_mixture(folder, texts, size) if size else _written(folder, lambda: texts)

    def near_hostile(self) -> list[dict[str, Any]]:
        """Deduplication of shapes that are made to be slow: CPU time and peak RSS of one process, after curate."""
        made = []
        for name, make in near_inputs.hostile(self.options.quick):
            if not self.only.search(f"{rows.NEAR_HOSTILE}: {name}"):
                continue
            say(f"{rows.NEAR_HOSTILE}: {name}")
            made.append(self.deduplicated(name, partial(_written, make=make)))
        return made

    def keys(self) -> list[dict[str, Any]]:
        """Candidates and choice alone, among documents that have no text: CPU time and peak RSS of one process."""
        made = []
        for count in rows.KEY_COUNTS[:1] if self.options.quick else rows.KEY_COUNTS:
            if not self.only.search(f"{rows.KEYS}: {count}"):
                continue
            say(f"{rows.KEYS}: {count:,} documents")
            inner = self.folder / "keys"
            made += self.work("run_keys", [{"work": "keys", "count": count, "work_folder": str(inner)}])
            shutil.rmtree(inner)
        return made

    def deduplicated(self, name: str, write: Callable[[Path], int]) -> dict[str, Any]:
        """Have files written to a folder, which answers their bytes; curate them, and measure one deduplication."""
        inner = self.folder / "deduplicated"
        inner.mkdir()
        job = {"artifacts": str(inner / "texts"), "work_folder": str(inner / "work"), "bytes": write(inner / "texts")}
        job["model_artifact"] = self.model_artifact
        self.work("run_dedup", [{**job, "work": "prepare"}])
        (answer,) = self.work("run_dedup", [{**job, "work": "size"}])
        shutil.rmtree(inner)
        return {"input": name, **answer}


def _written(folder: Path, make: Callable[[], list[str]]) -> int:
    folder.mkdir()
    texts = make()
    # Not compressed: a reader refuses a Parquet file that says it holds very much more than it has bytes.
    table = pa.table({"text": pa.array(texts, pa.large_string())})
    pq.write_table(table, folder / "texts.parquet", row_group_size=1000, compression="none", use_dictionary=False)
    return size_of(texts)


def language_model(release: Path, folder: Path) -> tuple[Path, dict[str, Any]]:
    """The language model that the release was made with, from the cache, and the artifact that it comes in."""
    locked = json.loads((release / "manifest.json").read_bytes())["predicate"]["lock"]
    artifact = Artifact(**{**locked["language_model"], "evidence": ()})
    cache, named = Cache(), LanguageModel()
    fetch_all([artifact], folder, cache, report=lambda progress: None)
    path = language.extract_model(
        cache.path(artifact.sha256), artifact.file, named.member, named.sha256, cache.root / "models"
    )
    return path, locked["language_model"]


def size_of(texts: list[str]) -> int:
    """Bytes of UTF-8."""
    return sum(len(text.encode()) for text in texts)


def _told(answer: dict[str, Any]) -> str:
    if "error" in answer:
        return str(answer["error"])
    if "peak_rss" in answer:
        return f"{answer['peak_rss'] / 1e6:,.0f} MB at most, {answer['cpu']:.0f} s"
    median, least, most = (one / 1e6 for one in report.rate(answer))
    return f"{median:,.2f} MB/s ({least:,.2f} to {most:,.2f}) on {answer['bytes'] / 1e6:,.1f} MB"


def say(line: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {line}", file=sys.stderr, flush=True)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--release", type=Path, default=Path("build/workstation"), help="default: %(default)s")
    parser.add_argument(
        "--only", metavar="PATTERN", help="rows whose `table: what: by` matches this regular expression"
    )
    parser.add_argument("--quick", action="store_true", help="3 repetitions on a quarter of the documents")
    parser.add_argument("--repetitions", type=int, metavar="N", help="default: 5")
    parser.add_argument(
        "--large",
        action="store_true",
        help="measure memory, and deduplication, over 5 GB of input too (disk: 8 GB; 10 minutes)",
    )
    parser.add_argument("--skip-peers", action="store_true", help="leave out peers that have environments of their own")
    parser.add_argument("--peers", type=Path, metavar="VENV", help="datatrove's environment; default: .venv-peers")
    parser.add_argument("--dolma", type=Path, metavar="VENV", help="Dolma's environment; default: .venv-dolma")
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)), help="the core; default: %(default)s")
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER",
        help="where bench.md and bench.json go; default: bench/results, and nowhere with --quick, --only or --skip-peers",
    )  # fmt: skip
    options = parser.parse_args()
    options.partial = bool(options.quick or options.only or options.skip_peers)
    options.repetitions = options.repetitions or (3 if options.quick else 5)
    if options.out is None and not options.partial:
        options.out = HERE / "results"
    if not (options.release / "manifest.json").is_file():
        parser.exit(2, f"{options.release} is no release; next: make corpus (it builds configs/workstation.yaml)\n")
    return options


def main() -> int:
    """Run, print, write; 1 if a row could not be measured."""
    options = parse()
    spent = warm.ensure(lambda: say("compiling kernels for this processor (once)"))
    say(f"kernels are compiled ({spent:.0f} s)")
    with tempfile.TemporaryDirectory(prefix="pellucid-bench-") as folder:
        bench = Bench(options, Path(folder))
        asked = {row.worker for row in rows.ROWS if bench.only.search(row.label)} & set(rows.ENVIRONMENTS)
        for worker in sorted(asked):
            if not options.skip_peers and not bench.python(worker).exists():
                peer = rows.PACKAGES[worker]
                print(
                    f"{peer} has no environment; next: make bench-peers (or leave it out: --skip-peers)",
                    file=sys.stderr,
                )
                return 2
        began = time.monotonic()
        tables = [line for table in rows.TITLES for line in bench.table(table)]
        hostile, memory, sizes = bench.hostile(), bench.memory(), bench.sizes()
        near_hostile, keys, verified = bench.near_hostile(), bench.keys(), bench.verify()
    result = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": report.machine(),
        "versions": bench.versions,
        "run": {
            "release": options.release.name, "documents": len(bench.texts), "bytes": bench.bytes,
            "repetitions": options.repetitions, "core": options.core, "notes": notes(options),
            "minutes": round((time.monotonic() - began) / 60, 1),
        },
        "rows": [clean(line) for line in tables],
        "hostile": [{**shape, "works": {work: clean(one) for work, one in shape["works"].items()}} for shape in hostile],
        "memory": [clean(line) for line in memory],
        "sizes": [clean(line) for line in sizes],
        "near_hostile": [clean(line) for line in near_hostile],
        "keys": [clean(line) for line in keys],
        "verify": [clean(line) for line in verified],
    }  # fmt: skip
    page = report.markdown(result)
    print(page)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "bench.md").write_text(page)
        (options.out / "bench.json").write_text(json.dumps(result, indent=1, sort_keys=True) + "\n")
    everything = [
        *tables,
        *memory,
        *sizes,
        *near_hostile,
        *keys,
        *verified,
        *(one for shape in hostile for one in shape["works"].values()),
    ]
    return int(any("error" in line for line in everything))


def notes(options: argparse.Namespace) -> list[str]:
    """What is not as in a full run."""
    found = []
    if options.quick:
        found.append(
            f"A quick run: {options.repetitions} repetitions on a quarter of the documents. Quote no figure of it."
        )
    if options.only:
        found.append(f"Only the rows that match {options.only!r}.")
    if options.skip_peers:
        found.append("Peers with environments of their own were left out (--skip-peers).")
    return found


def clean(line: dict[str, Any]) -> dict[str, Any]:
    """Without paths, and what only a worker needs."""
    left_out = {"artifact", "artifacts", "work_folder", "documents_of", "json_lines", "model_artifact", "release"}
    if "error" in line:
        left_out.add("documents")  # still the file's name
    if "peak_rss" in line:
        left_out.add("seconds")  # of nothing
    return {name: value for name, value in line.items() if name not in left_out}


if __name__ == "__main__":
    sys.exit(main())
