"""A takedown of three documents of a built release, and every other document's proof."""

import json
import random
import time
from pathlib import Path

import pyarrow.parquet as pq

from pipeline import takedown
from pipeline.inspection.show import show
from pipeline.trust import keys, proof, prove
from pipeline.trust.verify import verify

SAMPLE = 60


def test_three_documents_go_and_every_other_proof_holds(release: Path, tmp_path: Path) -> None:
    trusted = keys.trusted_keys()
    old = prove.Release(release, trusted)
    rows = {
        fate: [
            row for path in sorted(release.glob(f"provenance/*/{fate}-*")) for row in pq.read_table(path).to_pylist()
        ]
        for fate in ("kept", "dropped")
    }
    copy = next(row for row in rows["dropped"] if row["kept_id"] and not row["kept_release"])
    page = next(row for row in rows["kept"] if row["id"] != copy["kept_id"])
    gone = [copy["kept_id"], page["id"], rows["dropped"][0]["id"]]
    others = [row["id"] for fate in rows for row in rows[fate] if row["id"] not in gone]
    chosen = random.Random(5).sample(others, min(SAMPLE, len(others)))
    before = {identifier: prove.document(old, identifier) for identifier in chosen}

    taken = takedown.make(release, tmp_path / "next", gone, keys.local_key()[0], trusted, time.time())
    result = verify(taken.out, trusted)
    assert result.ok, result.failures
    assert result.totals is not None
    assert result.totals["read"] == result.totals["kept"] + result.totals["dropped"]
    counted = {row["reason"]: row["documents"] for row in result.totals["reasons"] if row["stage"] == "takedown"}
    assert counted == {"takedown": 3}

    new = prove.Release(taken.out, trusted)
    for identifier, made in before.items():
        assert proof.check(made, trusted).release_id == taken.old_release_id
        claim = json.loads(prove.document(new, identifier))["claim"]
        assert {**json.loads(made)["claim"], "entry": claim["entry"]} == claim
    for identifier in gone:
        assert proof.check(prove.document(new, identifier), trusted).counts == (0, 0, 1)
        assert [story.fate for story in show(taken.out, identifier)] == ["removed"]
    done = takedown.apply(release, taken.out, tmp_path / "mine", trusted)
    assert (done.level, done.release_id) == ("L0", taken.release_id)
