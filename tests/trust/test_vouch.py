"""Who vouches for a release: a good signature is worth what its key is trusted for."""

import dataclasses
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline import telling
from pipeline.errors import VerificationError
from pipeline.trust import ceremony, dsse, root, vouch
from pipeline.trust.intoto import PAYLOAD_TYPE
from pipeline.trust.keys import key_id
from pipeline.trust.verify import verify
from tests.trust import small_release as small
from tests.trust.small_release import KEY, OTHER_KEY, TRUSTED

OWN, OTHER = KEY.public_key(), OTHER_KEY.public_key()


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small.write(tmp_path_factory.mktemp("vouch"), small.corpus())


def delegating(*keys: object) -> root.Root:
    """A root whose release keys these are."""
    data = ceremony.draft(
        "tales", 1, datetime(2028, 1, 1, tzinfo=UTC), 1, {"root": [OTHER], "release": list(keys)}, "draft"
    )
    return root.parse(data, "1.root.json")


@pytest.mark.parametrize(
    ("groups", "by"),
    [
        (((OWN,), (), ()), "local"),
        (((), (OWN,), ()), "named"),
        (((OWN,), (OWN,), ()), "named"),
        (((OWN,), (OWN,), (delegating(OWN),)), "root tales version 1"),
        (((OWN,), (OTHER,), (delegating(OTHER),)), "local"),
    ],
)
def test_a_verification_says_who_vouches_the_strongest_reason_first(release: Path, groups: tuple, by: str) -> None:
    keys, vouchers = vouch.together(*groups, vouch.KINDS)
    result = verify(release, keys, vouchers=vouchers)
    assert result.ok
    assert result.vouched_by == by
    assert result.to_json()["vouched_by"] == by
    assert f"vouched by  {by}" in telling.verdict(result)


def test_keys_that_a_caller_gives_without_a_reason_are_named(release: Path) -> None:
    assert verify(release, TRUSTED).vouched_by == "named"


def test_a_local_key_is_refused_where_a_root_has_to_vouch_and_told_what_it_is_good_for(release: Path) -> None:
    keys, vouchers = vouch.together((OWN,), (), (delegating(OTHER),), (vouch.ROOT,))
    result = verify(release, keys, vouchers=vouchers)
    (failure,) = result.failures
    assert failure.name == "signature"
    assert "a `local` key" in failure.detail
    assert "your own builds" in failure.detail
    assert key_id(OTHER)[:16] in failure.detail  # whose word would do
    assert (result.key_id, result.vouched_by, result.manifest) == (None, None, None)


def test_a_named_key_is_refused_where_a_root_has_to_vouch(release: Path) -> None:
    keys, vouchers = vouch.together((), (OWN,), (), (vouch.ROOT,))
    (failure,) = verify(release, keys, vouchers=vouchers).failures
    assert "only `named`" in failure.detail


@pytest.mark.parametrize(("check", "name"), [("run", "run.dsse.json"), ("checkpoint", "checkpoint.dsse.json")])
def test_every_document_of_a_release_needs_a_voucher_of_the_same_kinds(
    release: Path, tmp_path: Path, check: str, name: str
) -> None:
    """The manifest by a release key, the other by a local one: that is no word of the project's."""
    folder = Path(shutil.copytree(release, tmp_path / "release"))
    path = folder / name
    payload = dsse.open_envelope(path.read_bytes(), TRUSTED, PAYLOAD_TYPE).payload
    path.write_bytes(dsse.sign(payload, PAYLOAD_TYPE, OTHER_KEY))
    keys, vouchers = vouch.together((OTHER,), (), (delegating(OWN),), (vouch.ROOT,))
    (failure,) = verify(folder, keys, vouchers=vouchers).failures
    assert (failure.name, failure.file) == (check, name)
    assert "a `local` key" in failure.detail


def test_a_voucher_is_a_value_that_decides_alone() -> None:
    vouchers = vouch.Vouchers({"a" * 64: "local"}, (vouch.NAMED,))
    assert vouchers.vouch("b" * 64, "x") == "named"
    with pytest.raises(VerificationError):
        vouchers.vouch("a" * 64, "x")
    assert dataclasses.replace(vouchers, enough=vouch.KINDS).vouch("a" * 64, "x") == "local"
