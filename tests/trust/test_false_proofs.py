"""True proofs that would mislead: another spelling, a row that was taken down, a name that writes lines of its own."""

from pathlib import Path
from typing import Any

import pytest

from pipeline import telling
from pipeline.errors import VerificationError
from pipeline.trust import canonical, checkpoint, dsse, intoto, merkle, proof, prove, roots
from tests.trust import small_release as small
from tests.trust.small_release import KEY, TRUSTED

PAGE = "https://example.org/page"


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> prove.Release:
    rows = small.corpus()
    rows["manual"]["kept"][0]["url"] = PAGE
    return prove.Release(small.write(tmp_path_factory.mktemp("release"), rows), TRUSTED)


def absence(release: prove.Release, tree: str, name: str) -> bytes:
    """What a prover can put together who says that a name is not there."""
    claim = prove._named(release, tree, name)
    assert claim["kind"] == "absent"
    return proof.encode(release.checkpoint, claim)


@pytest.mark.parametrize(("tree", "name"), [
    ("urls", "HTTPS://example.org/page"),
    ("urls", "https://Example.org/page"),
    ("urls", "https://example.org:443/page"),
    ("urls", "https://example.org/page#part"),
    ("urls", "https://example.org/p%61ge"),
    ("urls", "https://%65xample.org/page"),
    ("urls", "https://example.org/a/../page"),
    ("urls", " https://example.org/page"),
    ("urls", "https://example.org/pa\nge"),
    ("domains", "Example.org"),
    ("domains", "example.org."),
    ("domains", "https://example.org/"),
    ("domains", "example.org:443"),
    ("domains", "*.example.org"),
    ("domains", ""),
    ("domains", "pkg:pypi/first@1.0"),
])  # fmt: skip
def test_the_absence_of_a_name_under_another_spelling_is_no_proof(release: prove.Release, tree: str, name: str) -> None:
    with pytest.raises(VerificationError, match=r"claim\.name is"):
        proof.check(absence(release, tree, name), TRUSTED)


def test_the_absence_of_an_id_in_upper_case_is_no_proof(release: prove.Release) -> None:
    there = next(row["id"] for row in small.corpus()["manual"]["kept"] if row["id"] != row["id"].upper())
    with pytest.raises(VerificationError, match="32 lower-case hex digits"):
        proof.check(absence(release, "ids", there.upper()), TRUSTED)


def test_a_name_that_would_write_lines_of_its_own_is_refused_and_none_is_ever_written(release: prove.Release) -> None:
    name = "x\nkept        0123\x1b[2K"
    with pytest.raises(VerificationError, match=r"claim\.name is"):
        proof.check(absence(release, "urls", name), TRUSTED)
    found = proof.Proven("absent", "a" * 64, "small", "1\n2\u2028\x1b", "b" * 64, tree="urls", asked=name)
    for line in telling.proven(found):
        assert not set(line) & set("\n\x1b\u2028\r")


def test_a_name_of_one_label_is_said_to_be_one_host(release: prove.Release) -> None:
    found = proof.check(absence(release, "domains", "org"), TRUSTED)
    assert any("one label" in line for line in telling.proven(found))


@pytest.mark.parametrize("kind", [[], {}, None, 1])
def test_a_kind_that_is_no_string_is_refused(release: prove.Release, kind: Any) -> None:
    with pytest.raises(VerificationError, match=r"claim\.kind"):
        proof.check(proof.encode(release.checkpoint, {"kind": kind}), TRUSTED)


def after_a_takedown(release: prove.Release, identifier: str, counts: list[int]) -> tuple[bytes, dict[str, Any]]:
    """A checkpoint like the release's after a takedown that left this id such counts, and the leaf that the id has in it."""
    data = roots.index_leaf("ids", roots.index_key("ids", identifier), counts)
    ids = {"size": 1, "root": merkle.root_hash([merkle.leaf_hash(data)]).hex()}
    changed = {**release.signed["roots"], "removed": {"size": 1, "root": "ab" * 32}, "ids": ids}
    stated = checkpoint.statement("cd" * 32, {"name": "small", "version": "1", "roots": changed})
    return dsse.sign(stated, intoto.PAYLOAD_TYPE, KEY), {"counts": counts, "index": 0, "path": ""}


def test_a_row_that_a_takedown_removed_is_proved_by_no_leaf_that_it_left(release: prove.Release) -> None:
    """Its leaf and its file's stay where they were, under the roots of the next release."""
    identifier = small.corpus()["manual"]["kept"][1]["id"]
    claim = canonical.loads(prove.document(release, identifier))["claim"]
    assert claim["entry"] is None
    removed, gone = after_a_takedown(release, identifier, [0, 0, 1])
    wrong = {**gone, "counts": [1, 0, 0]}
    for entry, message in ((None, "takedowns removed documents"), (gone, "counts"), (wrong, "not number")):
        with pytest.raises(VerificationError, match=message):
            proof.check(proof.encode(removed, {**claim, "entry": entry}), TRUSTED)
    stays, there = after_a_takedown(release, identifier, [1, 0, 0])
    assert proof.check(proof.encode(stays, {**claim, "entry": there}), TRUSTED).fate == "kept"
    with pytest.raises(VerificationError, match="null, as no takedown"):
        proof.check(proof.encode(release.checkpoint, {**claim, "entry": there}), TRUSTED)


def test_a_row_is_of_a_file_of_its_own_source(release: prove.Release) -> None:
    """All roots are of the signer's; what is shown has to agree with itself all the same."""
    identifier = small.corpus()["manual"]["kept"][1]["id"]
    claim = canonical.loads(prove.document(release, identifier))["claim"]
    for name in ("provenance/notes/kept-00000-of-00001.parquet", "provenance/manual/dropped-00000-of-00001.parquet",
                 "provenance/manual/kept-0.parquet", "provenance/../kept-00000-of-00001.parquet"):  # fmt: skip
        shard = {**claim["shard"], "name": name}
        root = merkle.leaf_hash(proof.shard_leaf(shard)).hex()
        roots = {**release.signed["roots"], "shards": {"size": 1, "root": root}}
        stated = checkpoint.statement("cd" * 32, {"name": "small", "version": "1", "roots": roots})
        lie = {**claim, "shard": shard, "shard_index": 0, "shard_path": ""}
        with pytest.raises(VerificationError, match="the row is of"):
            proof.check(proof.encode(dsse.sign(stated, intoto.PAYLOAD_TYPE, KEY), lie), TRUSTED)


def test_a_package_keeps_its_case_and_a_domain_does_not(release: prove.Release, tmp_path: Path) -> None:
    from click.testing import CliRunner

    from pipeline.commands.proofs import prove as command
    from pipeline.trust import keys

    (tmp_path / "key.pub").write_bytes(keys.public_pem(KEY.public_key()))
    for asked, tree_name in (("pkg:maven/Org/Name@1", "pkg:maven/Org/Name"), ("Example.ORG.", "example.org")):
        options = ["--domain", "--key", str(tmp_path / "key.pub"), "-o", str(tmp_path / "proof")]
        done = CliRunner().invoke(command, [str(release.folder), asked, *options])
        assert done.exit_code == 0, done.output
        assert proof.check((tmp_path / "proof").read_bytes(), TRUSTED).asked == tree_name


def test_the_key_of_either_neighbour_is_not_absent(release: prove.Release) -> None:
    claim = prove._named(release, "texts", "7" * 64)
    for side in ("below", "above"):
        with pytest.raises(VerificationError, match="do not enclose"):
            proof.check(proof.encode(release.checkpoint, {**claim, "name": claim[side]["key"]}), TRUSTED)


def test_a_url_of_several_documents_is_answered_by_their_number(tmp_path: Path) -> None:
    rows = small.corpus()
    for row in rows["manual"]["kept"][:2]:
        row["url"] = PAGE
    found = proof.check(prove.url(prove.Release(small.write(tmp_path / "release", rows), TRUSTED), PAGE), TRUSTED)
    assert (found.kind, found.counts) == ("counted", (2, 0, 0))


def test_no_proof_is_made_of_a_manifest_that_its_envelope_does_not_hold(tmp_path: Path) -> None:
    folder = small.write(tmp_path / "release", small.corpus())
    one = (folder / "manifest.dsse.json").read_bytes()
    small.sign_again(folder, KEY, lambda predicate: predicate.update(stages=[]))
    (folder / "manifest.dsse.json").write_bytes(one)
    with pytest.raises(VerificationError, match="is not what"):
        prove.Release(folder, TRUSTED)


def test_a_path_has_one_spelling_in_base64(release: prove.Release) -> None:
    claim = prove._named(release, "domains", "pkg:pypi/first")
    path = claim["entry"]["path"]
    assert path.endswith("=")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = path.rstrip("=")[-1]
    other = path.rstrip("=")[:-1] + letters[letters.index(last) + 1] + "=" * path.count("=")
    with pytest.raises(VerificationError, match="hashes of 32 bytes"):
        proof.check(proof.encode(release.checkpoint, {**claim, "entry": {**claim["entry"], "path": other}}), TRUSTED)
