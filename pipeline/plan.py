"""What a build has to do, and why: recipe + lock + the records of earlier runs in, decisions out. Pure.

A task is one deterministic unit of a stage's work. Which tasks exist depends on recipe, lock and other releases alone. A
task's key is a digest over its stage, name, parameters, the digests of its inputs, and the digest of the code and libraries
that its stage runs on; a record of an earlier run counts only if its key is the same and its outputs are still what it says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.against import Other
from pipeline.lock import Lock
from pipeline.model import Artifact
from pipeline.recipe import Recipe, SourceSpec
from pipeline.trust import canonical, keyed, opt_out

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Output:
    """A file that a task wrote: its path inside the task's folder, SHA-256 (hex) and size in bytes."""

    name: str
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Task:
    """`inputs`: name to SHA-256 of every file that the task reads; `code`: digest of what it runs on."""

    stage: str
    name: str
    parameters: Mapping[str, Any]
    inputs: Mapping[str, str]
    code: str

    def key(self) -> str:
        return canonical.digest("pellucid/task/v1", self.to_json())

    def to_json(self) -> dict[str, Any]:
        return {
            "stage": self.stage, "name": self.name, "parameters": dict(self.parameters), "inputs": dict(self.inputs),
            "code": self.code,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """What a finished task leaves behind. `result` are its counts."""

    task: Task
    key: str
    outputs: tuple[Output, ...]
    result: Mapping[str, Any]

    def digests(self) -> dict[str, str]:
        return {output.name: output.sha256 for output in self.outputs}

    def to_json(self) -> dict[str, Any]:
        return {
            "task": self.task.to_json(), "key": self.key, "outputs": [asdict(output) for output in self.outputs],
            "result": dict(self.result),
        }  # fmt: skip

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> "TaskRecord":
        return TaskRecord(
            Task(**value["task"]), value["key"], tuple(Output(**output) for output in value["outputs"]), value["result"]
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """`why` is empty for a task that is done."""

    task: Task
    run: bool
    why: str


def decide(task: Task, record: TaskRecord | None, broken: str | None) -> Decision:
    """Whether a task has to run. `broken`: what is wrong with the recorded outputs on disk, None if nothing."""
    if record is None:
        return Decision(task, True, "it has not run")
    if record.key != task.key():
        return Decision(task, True, _difference(record.task, task))
    if broken:
        return Decision(task, True, broken)
    return Decision(task, False, "")


def _difference(old: Task, new: Task) -> str:
    changed = [
        f"parameter {name} changed"
        for name in sorted({*old.parameters, *new.parameters})
        if old.parameters.get(name) != new.parameters.get(name)
    ]
    gone, come = set(old.inputs) - set(new.inputs), set(new.inputs) - set(old.inputs)
    other = [name for name in new.inputs if name in old.inputs and old.inputs[name] != new.inputs[name]]
    if gone or come or other:
        changed.append(f"{len(gone) + len(come) + len(other)} of {len(new.inputs)} inputs changed")
    if old.code != new.code:
        changed.append("the code or a library of its stage changed")
    return "; ".join(changed) or "its record is of another form"


def shards_of(source: SourceSpec, recipe: Recipe, lock: Lock) -> int:
    """One shard for each started `output.shard_input_megabytes` of the source's artifacts."""
    size = sum(artifact.size for artifact in lock.artifacts if artifact.source == source.name)
    return max(1, -(-size // (recipe.output.shard_input_megabytes * MEGABYTE)))


def evidence_tasks(recipe: Recipe, lock: Lock, code: str) -> list[Task]:
    """One task an artifact of a source: does it show the licence that the recipe declares now?"""
    return [
        Task(
            "evidence",
            _of(artifact),
            {
                # What the check looks at; all else of the source is left at its default, whatever it is.
                "source": source.model_dump(
                    mode="json",
                    by_alias=True,
                    exclude={"rules", "priority", "max_drop_share", "max_cut_share", "repeated_lines"},
                ),
                "artifact": _named(artifact),
                "evidence": [asdict(evidence) for evidence in artifact.evidence],
            },
            {"artifact": artifact.sha256},
            code,
        )
        for source in recipe.sources
        for artifact in lock.artifacts
        if artifact.source == source.name
    ]


def lines_tasks(recipe: Recipe, lock: Lock, code: str) -> list[Task]:
    """One task an artifact of each source that asks for `repeated_lines`, the larger first."""
    tasks = []
    listed = lists_of(recipe)
    for source in recipe.sources:
        if source.repeated_lines is None:
            continue
        artifacts = [artifact for artifact in lock.artifacts if artifact.source == source.name]
        asked = source.repeated_lines
        parameters = {
            **_reading(source),
            "unit": asked.unit,
            "min_characters": asked.min_characters,
            # What too few documents of an artifact hold may be a block of a source that has others.
            "least": asked.min_documents if len(artifacts) == 1 else 1,
            "opt_out": listed.get("opt_out"),
        }
        tasks += [
            (artifact.size, Task("lines", _of(artifact), {**parameters, "artifact": _named(artifact)},
                                 {"artifact": artifact.sha256, **listed}, code))
            for artifact in artifacts
        ]  # fmt: skip
    return _largest_first(tasks)


def blocks_tasks(recipe: Recipe, counted: Sequence[TaskRecord], code: str) -> list[Task]:
    """One task a source that asks for `repeated_lines`, over the counts of all its artifacts."""
    tasks = []
    for source in recipe.sources:
        if source.repeated_lines is None:
            continue
        inputs = {
            f"{record.task.name}/lines.arrow": record.digests()["lines.arrow"]
            for record in counted
            if record.task.parameters["source"] == source.name
        }
        asked = source.repeated_lines.parameters()
        parameters = {
            "source": source.name, "inputs": sorted(inputs),
            **{name: asked[name] for name in ("min_documents", "min_share")},
        }  # fmt: skip
        tasks.append(Task("blocks", source.name, parameters, dict(sorted(inputs.items())), code))
    return tasks


def curate_tasks(recipe: Recipe, lock: Lock, code: str, found: Sequence[TaskRecord] = ()) -> list[Task]:
    """One task an artifact, the larger first: what takes longest must not start last. `found`: records of `blocks_tasks`."""
    blocks = {record.task.name: record.digests()["blocks.arrow"] for record in found}
    tasks = []
    listed = lists_of(recipe)
    for source in recipe.sources:
        asked = source.repeated_lines
        shared = {
            **_reading(source),
            "repeated_lines": asked and {"unit": asked.unit, "min_characters": asked.min_characters},
            "rules": [rule.model_dump(mode="json") for rule in recipe.rules_of(source)],
            "characters": recipe.language_model.characters,
            "near": _sketching(recipe),
            "shards": shards_of(source, recipe, lock),
            "opt_out": listed.get("opt_out"),
            "model": {
                "file": lock.model.file,
                "member": recipe.language_model.member,
                "sha256": recipe.language_model.sha256,
            },
        }
        inputs = {"model": lock.model.sha256, **listed} | ({} if asked is None else {"blocks": blocks[source.name]})
        tasks += [
            (artifact.size, Task("curate", _of(artifact), {**shared, "artifact": _named(artifact)},
                                 {"artifact": artifact.sha256, **inputs}, code))
            for artifact in lock.artifacts
            if artifact.source == source.name
        ]  # fmt: skip
    return _largest_first(tasks)


def lists_of(recipe: Recipe) -> dict[str, str]:
    """The input of every task that reads records: the digest of all lines of the opt-out lists; none where these are empty."""
    names = recipe.opted_out()
    return {"opt_out": opt_out.sha256(names)} if names else {}


def _reading(source: SourceSpec) -> dict[str, Any]:
    """Which documents an artifact of the source holds."""
    return {
        "source": source.name,
        "format": source.format.model_dump(mode="json"),
        "members": list(source.members),
        "exclude": list(source.exclude),
    }


def _of(artifact: Artifact) -> str:
    """The name of a task that is one artifact's."""
    return f"{artifact.source}/{artifact.file}"


def _largest_first(tasks: Sequence[tuple[int, Task]]) -> list[Task]:
    return [task for _, task in sorted(tasks, key=lambda pair: (-pair[0], pair[1].name))]


def _named(artifact: Artifact) -> dict[str, str]:
    return {"purl": artifact.purl, "file": artifact.file, "sha256": artifact.sha256}


def _sketching(recipe: Recipe) -> dict[str, Any] | None:
    """What of the parameters of near duplicates a sketch depends on: another threshold sketches nothing again."""
    near = _near(recipe)
    return near and {name: near[name] for name in ("words", "characters", "bands", "rows", "seed")}


def _near(recipe: Recipe) -> dict[str, Any] | None:
    return None if recipe.dedup.near is None else recipe.dedup.near.parameters()


def _key(record: TaskRecord, name: str) -> str | None:
    """How later stages name an output of a task; None if the task has not made it."""
    return f"{record.task.name}/{name}" if name in record.digests() else None


def against_tasks(recipe: Recipe, others: Sequence[Other], code: str) -> list[Task]:
    """One task a shard of another release."""
    return [
        Task(
            "against",
            f"{other.release_id}/{shard.source}/{shard.number:05d}",
            {
                "release": other.release_id,
                "source": shard.source,
                "files": {"data": asdict(shard.data), "kept": asdict(shard.kept)},
                "near": _sketching(recipe),
            },
            {"data": shard.data.sha256, "kept": shard.kept.sha256},
            code,
        )
        for other in others
        for shard in other.shards
    ]


def candidates_task(
    recipe: Recipe, curated: Sequence[TaskRecord], code: str, against: Sequence[TaskRecord] = ()
) -> Task:
    """One task over the sketches of all curate tasks, and of all shards of other releases."""
    inputs: dict[str, str] = {}
    artifacts: list[dict[str, Any]] = []
    others: list[dict[str, Any]] = []
    for record in (*_sketched(against), *_sketched(curated)):
        sketch, bands = (_key(record, f"{kind}-00000.arrow") for kind in ("sketch", "bands"))
        name, source = record.task.name, record.task.parameters["source"]
        entry = {"source": source, "sketch": sketch, "bands": bands, "wanted": wanted_name(name)}
        (others if record.task.stage == "against" else artifacts).append(entry)
        inputs |= {
            f"{record.task.name}/{name}": digest for name, digest in record.digests().items() if name[:6] in _SKETCH
        }
    parameters = {
        "exact": recipe.dedup.exact,
        "near": _near(recipe),
        "sources": [{"name": source.name, "priority": source.priority} for source in recipe.sources],
        "against": others,
        "artifacts": artifacts,
    }
    return Task("candidates", "all", parameters, dict(sorted(inputs.items())), code)


_SKETCH = ("sketch", "bands-")


def wanted_name(curated: str) -> str:
    """The output of the candidates' task that names the documents of one curate task that are compared."""
    return f"wanted/{curated.replace('/', '@')}.arrow"


def _sketched(curated: Sequence[TaskRecord]) -> list[TaskRecord]:
    """The tasks of curate that had survivors (or all of other releases), by name."""
    return sorted((r for r in curated if "sketch-00000.arrow" in r.digests()), key=lambda record: record.task.name)


def shingle_tasks(
    recipe: Recipe, curated: Sequence[TaskRecord], candidates: TaskRecord, code: str, against: Sequence[TaskRecord] = ()
) -> list[Task]:
    """One task an artifact, or shard of another release, of which documents are to be compared.

    None if the recipe keeps near duplicates.
    """
    near = recipe.dedup.near
    if near is None:
        return []
    tasks = []
    for record in (*_sketched(against), *_sketched(curated)):
        wanted = candidates.digests().get(wanted_name(record.task.name))
        if wanted is None:
            continue
        inputs = {"wanted": wanted}
        inputs |= {
            name: digest for name, digest in record.digests().items() if name.startswith(("survivors-", "sketch-"))
        }
        parameters: dict[str, Any] = {"words": near.words, "characters": near.characters}
        if record.task.stage == "against":
            inputs["data"] = record.task.inputs["data"]
            parameters |= {
                "release": record.task.parameters["release"],
                "data": record.task.parameters["files"]["data"],
            }
        tasks.append(Task("shingle", record.task.name, parameters, dict(sorted(inputs.items())), code))
    return tasks


def choose_task(
    recipe: Recipe, curated: Sequence[TaskRecord], candidates: TaskRecord, shingled: Sequence[TaskRecord], code: str,
    against: Sequence[TaskRecord] = (),
) -> Task:  # fmt: skip
    """One task: who is dropped, and for whom."""
    made = {record.task.name: record.digests()["shingles.arrow"] for record in shingled}
    inputs = {
        name: candidates.digests()[f"{name}.arrow"]
        for name in ("order", "pairs")
        if f"{name}.arrow" in candidates.digests()
    }
    artifacts, others = [], []
    for record in (*_sketched(against), *_sketched(curated)):
        name = record.task.name
        sketch, shingles = _key(record, "sketch-00000.arrow"), f"{name}/shingles.arrow" if name in made else None
        entry = {"task": name, "source": record.task.parameters["source"], "sketch": sketch, "shingles": shingles}
        if record.task.stage == "against":
            others.append({**entry, "release": record.task.parameters["release"]})
        else:
            artifacts.append(entry)
        inputs[f"{name}/sketch-00000.arrow"] = record.digests()["sketch-00000.arrow"]
        if shingles is not None:
            inputs[shingles] = made[name]
    parameters = {
        "near": _near(recipe),
        "sources": [source.name for source in recipe.sources],
        "against": others,
        "artifacts": artifacts,
    }
    return Task("choose", "all", parameters, dict(sorted(inputs.items())), code)


def write_tasks(recipe: Recipe, lock: Lock, curated: Sequence[TaskRecord], chosen: TaskRecord, code: str) -> list[Task]:
    """One task a shard of a source, with the keys of the ledger's digests: of the source's artifacts, and of the release."""
    tasks = []
    whole = keyed.release_key(bytes.fromhex(record.result["key"]) for record in curated).hex()
    for source in recipe.sources:
        shards = shards_of(source, recipe, lock)
        mine = [record for record in curated if record.task.parameters["source"] == source.name]
        keys = {record.task.parameters["artifact"]["sha256"]: record.result["key"] for record in mine}
        for shard in range(shards):
            inputs = {
                f"{kind}/{record.task.name}": record.digests()[f"{kind}-{shard:05d}.arrow"]
                for record in mine
                for kind in ("survivors", "dropped")
                if f"{kind}-{shard:05d}.arrow" in record.digests()
            }
            inputs["losers"] = chosen.digests()[f"{source.name}.arrow"]
            inputs["members"] = chosen.digests()[f"{source.name}.members.arrow"]
            parameters = {
                "source": source.name, "shard": shard, "shards": shards, "license": source.license,
                "keys": dict(sorted(keys.items())), "release_key": whole,
            }  # fmt: skip
            tasks.append(Task("write", f"{source.name}/{shard:05d}", parameters, dict(sorted(inputs.items())), code))
    return tasks


def trees_task(lock: Lock, written: Sequence[TaskRecord], code: str) -> Task:
    """One task: the index trees over what all shards hold."""
    inputs = {f"index/{record.task.name}": record.digests()["index.arrow"] for record in written}
    purls = sorted({artifact.purl for artifact in lock.artifacts})
    return Task("trees", "all", {"purls": purls}, dict(sorted(inputs.items())), code)
