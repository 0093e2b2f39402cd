"""What this project publishes holds by its own rules: its root, its log, and every manifest in it."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.trust import checkpoint, dsse, intoto, log, manifest, pins, root, run

FOLDER = Path(__file__).parents[2] / "manifests"
MANIFESTS = sorted(FOLDER.glob("*/*/manifest.json"))
WHEN = datetime(2026, 12, 1, tzinfo=UTC)  # fixed: what was published does not fail as time goes by


@pytest.fixture(scope="module")
def ours() -> root.Root:
    versions = pins.read(FOLDER / "keys").versions
    newest = root.walk(root.check_first(versions[1]), [versions[number] for number in sorted(versions)[1:]])
    return root.check_unexpired(newest, WHEN)


def test_there_is_a_published_manifest() -> None:
    assert MANIFESTS


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: "/".join(path.parts[-3:-1]))
def test_a_published_manifest_is_signed_by_a_release_key_of_the_root_and_is_in_the_log(
    path: Path, ours: root.Root
) -> None:
    keys = ours.role_keys("release")
    data = path.read_bytes()
    release_id = hashlib.sha256(data).hexdigest()
    opened = {
        name: dsse.open_envelope(path.with_name(name).read_bytes(), keys, intoto.PAYLOAD_TYPE).payload
        for name in ("manifest.dsse.json", checkpoint.NAME, "run.dsse.json")
    }
    assert opened["manifest.dsse.json"] == data
    small = checkpoint.parse(opened[checkpoint.NAME])
    assert (small["release_id"], small["roots"]) == (release_id, manifest.parse(data)["roots"])
    assert run.parse(opened["run.dsse.json"]).release_id == release_id
    found = log.read(FOLDER / "log", ours.role_keys("log"), "pellucid/releases/2").find(release_id)
    assert found is not None and found.withdrawn is None
