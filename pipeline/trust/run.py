"""The run document: who built a release when, on what, and how long it took. Signed, and not deterministic.

SLSA provenance v1 (slsa.dev/spec/v1.1/provenance) in an in-toto Statement whose subject is `manifest.json`, so that tools
for SLSA read it. Everything of the moment and the machine is here and nowhere else, so that the manifest can be the same
for everybody who builds it.

The rules:
- The standard's fields have the standard's names and kinds; what it has no field for is in one extension, `pellucid_run`
  (the standard's own form, VENDOR_FIELD), which changes the meaning of no other field.
- `buildDefinition` repeats the manifest by name and digest, and `differences` holds both against each other. The artifacts
  are not listed: the lock's digest pins them all, and the manifest that is the subject has the lock whole. So the document
  has some 3 kB for one artifact or a thousand, and cannot contradict the list that counts.
- `runDetails` is the word of the builder: nothing in it can be checked but whose word it is, and of which release; and
  the report, which lies beside: it shows the release id, so the manifest, whose digest that is, cannot name it. It is the
  one thing in `byproducts`, the standard's field for what a build makes beside its output.
- Stricter than the standard, which has readers ignore fields that they do not know: these keys and no other.
"""

import hashlib
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import VerificationError
from pipeline.trust import canonical, intoto, machine, names

PREDICATE_TYPE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "urn:pellucid:build:v1"  # described in docs/format.md
BUILDER = "urn:pellucid:builder:{}:v1"  # of an engine; one id a mode of operation, as the standard asks
PACKAGE = Path(__file__).parents[1]
_HEX = re.compile("[0-9a-f]{40,64}")
_ENGINE = intoto.matching("[a-z]{1,32}", "an engine's name")


def _digests(value: Any) -> str | None:
    good = isinstance(value, dict) and value and all(isinstance(v, str) and _HEX.fullmatch(v) for v in value.values())
    return None if good else "an object of digests in hex"


def _seconds(value: Any) -> str | None:
    good = isinstance(value, dict) and all(intoto.number(item) is None for item in value.values())
    return None if good else "an object whose values are numbers, 0 or more"


SHAPE: dict[str, Any] = {
    "buildDefinition": {
        "buildType": intoto.string,
        "externalParameters": {
            "recipe": intoto.string,
            "version": intoto.string,
            "against": [{"name": intoto.string, "version": intoto.string}],
        },
        "internalParameters": {"engine": _ENGINE, "workers": intoto.count},
        "resolvedDependencies": [{"name": intoto.string, "digest": _digests}],
    },
    "runDetails": {
        "builder": {"id": intoto.string, "version": intoto.strings},
        "metadata": {
            "invocationId": intoto.matching("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "a UUID"),
            "startedOn": machine.TIME,
            "finishedOn": machine.TIME,
        },
        "byproducts": [{"name": intoto.string, "digest": {"sha256": intoto.sha256}}],
        "pellucid_run": {
            "seconds": _seconds,
            "cpu_seconds": intoto.optional(intoto.number),
            "peak_memory_bytes": intoto.optional(intoto.count),
            "machine": machine.SHAPE,
            "git_commit": intoto.optional(intoto.matching("[0-9a-f]{40,64}", "a commit id in hex")),
        },
    },
}


@dataclass(frozen=True, slots=True)
class Run:
    """A run document that was read: the release that it is of, its predicate, and the SHA-256 of the release's report."""

    release_id: str
    predicate: Mapping[str, Any]
    report: str


def run_statement(
    manifest: Mapping[str, Any],
    *,
    release_id: str,
    report: str,
    started: float,
    finished: float,
    seconds: Mapping[str, float],
    workers: int,
    engine: str = "local",
    used: machine.Used | None = None,
    package: Path = PACKAGE,
) -> bytes:
    """The run document's statement, of this machine and moment.

    manifest: predicate of the manifest whose digest is `release_id`; report: SHA-256 of its report. started, finished:
    seconds since 1970; seconds: by stage; package: the code's folder, whose commit is asked of git. Raises
    VerificationError where `parse` would refuse it.
    """
    commit = machine.git_commit(package)
    external, dependencies = definition(manifest)
    if commit and not machine.git_changed(package):
        dependencies[0]["digest"]["gitCommit"] = commit
    predicate = {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": external,
            "internalParameters": {"engine": engine, "workers": workers},
            "resolvedDependencies": dependencies,
        },
        "runDetails": {
            "builder": {
                "id": BUILDER.format(engine),
                "version": {**machine.versions(), "pellucid": manifest["code"]["version"]},
            },
            "metadata": {
                "invocationId": str(uuid.uuid4()),
                "startedOn": machine.utc(started),
                "finishedOn": machine.utc(finished),
            },
            "byproducts": [{"name": names.REPORT, "digest": {"sha256": report}}],
            "pellucid_run": {
                "seconds": {stage: round(value, 3) for stage, value in seconds.items()},
                "cpu_seconds": used.cpu_seconds if used else None,
                "peak_memory_bytes": used.peak_memory_bytes if used else None,
                "machine": machine.machine(),
                "git_commit": commit,
            },
        },
    }
    data = intoto.build({"manifest.json": release_id}, PREDICATE_TYPE, predicate)
    parse(data)
    return data


def parse(data: bytes, where: str = "run.dsse.json") -> Run:
    """A run document, strictly. Raises VerificationError naming the key."""
    subjects, value = intoto.parse(data, PREDICATE_TYPE, SHAPE, where)
    if set(subjects) != {"manifest.json"}:
        raise VerificationError(f"subject is {subjects!r:.120}", wanted="manifest.json alone", where=where)
    defined, builder = value["buildDefinition"], value["runDetails"]["builder"]
    engine = BUILDER.format(defined["internalParameters"]["engine"])
    for key, seen, wanted in (("buildType", defined["buildType"], BUILD_TYPE), ("builder.id", builder["id"], engine)):
        if seen != wanted:
            raise VerificationError(f"{key} is {seen!r:.100}", wanted=wanted, where=where)
    if missing := {"pellucid", "python"} - set(builder["version"]):
        raise VerificationError(f"builder.version has no {min(missing)!r}", where=where)
    byproducts = value["runDetails"]["byproducts"]
    if [one["name"] for one in byproducts] != [names.REPORT]:
        raise VerificationError(f"byproducts are {byproducts!r:.200}", wanted=f"{names.REPORT} alone", where=where)
    return Run(subjects["manifest.json"], value, byproducts[0]["digest"]["sha256"])


def definition(manifest: Mapping[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """`externalParameters` and `resolvedDependencies` of a manifest's build, but for the commit.

    Dependencies, in order: the code (`code_sha256`, a digest of our own: docs/format.md), recipe and lock (SHA-256 of
    their RFC 8785 form), the requirements where they are known, and the releases that it was built against (their ids).
    """
    external = {
        "recipe": manifest["name"],
        "version": manifest["version"],
        "against": [{"name": other["name"], "version": other["version"]} for other in manifest["against"]],
    }
    dependencies: list[dict[str, Any]] = [{"name": "code", "digest": {"code_sha256": manifest["code"]["sha256"]}}]
    for name in ("recipe", "lock"):
        whole = hashlib.sha256(canonical.dumps(manifest[name])).hexdigest()
        dependencies.append({"name": name, "digest": {"sha256": whole}})
    if pinned := manifest["environment"]["requirements_sha256"]:
        dependencies.append({"name": "requirements", "digest": {"sha256": pinned}})
    dependencies += [{"name": "against", "digest": {"sha256": other["release_id"]}} for other in manifest["against"]]
    return external, dependencies


def differences(run: Run, manifest: Mapping[str, Any]) -> list[str]:
    """What a run document says otherwise than the manifest of its release, in sentences; empty where they agree."""
    external, dependencies = definition(manifest)
    defined = run.predicate["buildDefinition"]
    stated = [
        {**named, "digest": {kind: digest for kind, digest in named["digest"].items() if kind != "gitCommit"}}
        if named["name"] == "code"
        else named
        for named in defined["resolvedDependencies"]
    ]
    found = [
        f"externalParameters.{key} is {defined['externalParameters'][key]!r:.100}, the manifest's is {wanted!r:.100}"
        for key, wanted in external.items()
        if defined["externalParameters"][key] != wanted
    ]
    if len(stated) != len(dependencies):
        found.append(f"it names {len(stated)} dependencies, of the manifest follow {len(dependencies)}")
    found += [
        f"the digest of {mine['name']!r:.40} is {mine['digest']!r:.120}, of the manifest follows {wanted!r:.160}"
        for mine, wanted in zip(stated, dependencies, strict=False)
        if mine != wanted
    ]
    return found
