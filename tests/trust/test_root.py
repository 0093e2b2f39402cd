"""Root metadata: whose keys may sign, and who may change that. Every rule at the head of `root` and of `pins` has its test."""

import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import RecipeError, VerificationError
from pipeline.trust import canonical, ceremony, pins, root
from pipeline.trust.keys import key_id, load_public, trusted_keys
from pipeline.trust.root import Role, Root

OURS = Path(__file__).parents[2] / "manifests" / "keys"
NOW = datetime(2027, 1, 1, tzinfo=UTC)
EXPIRES = datetime(2028, 1, 1, tzinfo=UTC)


def private(number: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes([number] * 32))


A, B, C, D, RELEASE, STRANGER = (private(number) for number in range(1, 7))
OWNERS = (A, B, C)


def version(
    number: int = 1, owners: Sequence[Ed25519PrivateKey] = OWNERS, threshold: int = 2,
    signed_by: Sequence[Ed25519PrivateKey] = (A, B),
    release: Sequence[Ed25519PrivateKey] = (RELEASE,), expires: datetime = EXPIRES, name: str = "tales",
) -> Root:  # fmt: skip
    public = {"root": [key.public_key() for key in owners], "release": [key.public_key() for key in release]}
    data = ceremony.draft(name, number, expires, threshold, public, "draft")
    return signed(json.loads(data)["signed"], signed_by)


def signed(value: dict[str, Any], by: Sequence[Ed25519PrivateKey], where: str = "1.root.json") -> Root:
    """Parsed root metadata with signatures by these keys, whoever they are."""
    message = canonical.dumps(value)
    return root.parse(root.serialise(value, {key_id(key.public_key()): key.sign(message) for key in by}), where)


def values(of: Root) -> dict[str, Any]:
    """The file's JSON, to be changed."""
    return dict(json.loads(of.data))


def parse_value(value: Any) -> Root:
    return root.parse(canonical.dumps(value), "root.json")


# ---------------------------------------------------------------- the form


def test_the_bytes_of_a_root_are_pinned() -> None:
    """A golden digest: Ed25519 is deterministic, so that only a change of the format changes it."""
    assert version().fingerprint == "5acb18095ee460607aa34b647ebf562759a8e11bef90513d76733f07f15bd175"


def test_what_is_signed_is_the_canonical_json_of_signed() -> None:
    made = version()
    assert made.signed == canonical.dumps(values(made)["signed"])
    A.public_key().verify(made.signatures[key_id(A.public_key())], made.signed)


def test_a_version_parses_to_its_parts() -> None:
    made = version()
    assert (made.name, made.version, made.expires) == ("tales", 1, EXPIRES)
    assert [key_id(key) for key in made.role_keys("release")] == [key_id(RELEASE.public_key())]
    assert made.role_keys("log") == ()
    assert root.check_first(made) is made


def change(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def apply(file: dict[str, Any]) -> None:
        *parents, last = path.split("/")
        at: Any = file
        for name in parents:
            at = at[int(name) if isinstance(at, list) else name]
        if value is None:
            del at[last]
        else:
            at[last] = value

    return apply


A_ID = key_id(A.public_key())


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        ("more", 1, "unknown key 'more'"),
        ("signed/more", 1, "unknown key 'more'"),
        ("signed/roles/targets", {"keyids": [A_ID], "threshold": 1}, "unknown key 'targets'"),
        ("signed/roles/root/more", 1, "unknown key 'more'"),
        (f"signed/keys/{A_ID}/more", 1, "unknown key 'more'"),
        (f"signed/keys/{A_ID}/keytype", "rsa", "keytype is 'rsa'"),
        (f"signed/keys/{A_ID}/scheme", "ed448", "scheme is 'ed448'"),
        (f"signed/keys/{A_ID}/keyval/public", "AB" * 32, "public is"),
        ("signatures/0/more", 1, "unknown key 'more'"),
        ("signatures/0/sig", "00" * 63, "sig is"),
        ("signed/roles/release", None, "no key 'release'"),
        ("signed/expires", None, "no key 'expires'"),
        ("signed/_type", "targets", "_type is 'targets'"),
        ("signed/spec_version", "2.0", "spec_version is '2.0'"),
        ("signed/name", "../elsewhere", "name is"),
        ("signed/name", "Tales", "name is"),
        ("signed/version", 0, "version is 0"),
        ("signed/version", True, "version is True"),
        ("signed/version", "1", "version is '1'"),
        ("signed/expires", "2028-01-01", "expires is"),
        ("signed/expires", "2028-01-01T00:00:00+01:00", "expires is"),
        ("signed/expires", "2028-13-01T00:00:00Z", "expires is"),
        ("signed/roles", [], "roles is a list"),
        ("signed/roles/root/threshold", 0, "threshold 0 of 3 keys"),
        ("signed/roles/root/threshold", 4, "threshold 4 of 3 keys"),
        ("signed/roles/root/threshold", True, "threshold is True"),
        ("signed/roles/release/threshold", 2, "threshold 2 of 1 keys"),
        ("signed/roles/release/keyids", [], "threshold 1 of 0 keys"),
        ("signed/roles/release/keyids", ["0" * 64], "which signed.keys has not"),
        ("signed/roles/release/keyids", [A_ID, A_ID], "twice, or out of order"),
    ],
)  # fmt: skip
def test_a_root_of_another_form_is_refused_naming_the_part(path: str, value: Any, complaint: str) -> None:
    file = values(version())
    change(path, value)(file)
    with pytest.raises(VerificationError) as caught:
        parse_value(file)
    assert complaint in caught.value.seen


def test_one_signature_is_all_that_a_release_can_need() -> None:
    file = values(version(release=(RELEASE, STRANGER)))
    file["signed"]["roles"]["release"]["threshold"] = 2
    with pytest.raises(VerificationError, match="threshold 2 of 2 keys"):
        parse_value(file)


def test_a_key_that_no_role_has_is_refused() -> None:
    file = values(version())
    spare = STRANGER.public_key()
    file["signed"]["keys"][key_id(spare)] = {
        "keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": spare.public_bytes_raw().hex()}
    }  # fmt: skip
    with pytest.raises(VerificationError, match="is of no role"):
        parse_value(file)


@pytest.mark.parametrize(
    "spell",
    [
        lambda data: data + b"\n",
        lambda data: b" " + data,
        lambda data: data + data,
        lambda data: data[:-1],
        lambda data: b"",
        lambda data: data.replace(b":", b": ", 1),
        lambda data: data.replace(b'"release"', b'"rel\\u0065ase"'),
        lambda data: data.replace(b'"version":1', b'"version":1,"version":1'),
        lambda data: data.replace(b'"version":1', b'"version":1.0'),
    ],
)
def test_other_spellings_of_a_root_are_refused(spell: Callable[[bytes], bytes]) -> None:
    data = version().data
    assert spell(data) != data
    with pytest.raises(VerificationError, match="no root metadata"):
        root.parse(spell(data), "root.json")


def test_signatures_stand_in_the_order_of_their_key_ids_each_once() -> None:
    file = values(version())
    first, second = file["signatures"]
    for wrong in ([second, first], [first, first], [first, second, second]):
        with pytest.raises(VerificationError, match="twice, or out of order"):
            parse_value({**file, "signatures": wrong})


def test_a_huge_file_is_not_parsed() -> None:
    with pytest.raises(VerificationError, match="more than"):
        root.parse(b"[" * (root.SIZE_LIMIT + 1), "root.json")


@given(st.data())
def test_no_byte_of_a_root_is_free(data: st.DataObject) -> None:
    """Whatever byte is changed, added or removed: it does not parse, or does not stand on its signatures."""
    good = version().data
    at = data.draw(st.integers(0, len(good) - 1))
    kind = data.draw(st.sampled_from(["flip", "insert", "remove"]))
    byte = data.draw(st.integers(1, 255))
    if kind == "flip":
        bad = good[:at] + bytes([good[at] ^ byte]) + good[at + 1 :]
    elif kind == "insert":
        bad = good[:at] + bytes([byte]) + good[at:]
    else:
        bad = good[:at] + good[at + 1 :]
    with pytest.raises(VerificationError):
        root.check_first(root.parse(bad, "root.json"))


@given(st.binary(max_size=200))
def test_no_bytes_make_the_parser_fail_otherwise_than_by_refusing(data: bytes) -> None:
    with pytest.raises(VerificationError):
        root.parse(data, "root.json")


NAMES = st.sampled_from(["signed", "signatures", "roles", "keys", "root", "version", "keyids"])


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    )
)
def test_no_json_makes_the_parser_fail_otherwise_than_by_refusing(value: Any) -> None:
    for wrong in (value, {"signatures": value, "signed": value}, {**values(version()), "signed": value},
                  {"signatures": [], "signed": {**values(version())["signed"], "roles": value}},
                  {"signatures": [], "signed": {**values(version())["signed"], "keys": value}}):  # fmt: skip
        with pytest.raises(VerificationError):
            parse_value(wrong)


# ---------------------------------------------------------------- keys


def test_the_same_key_under_two_ids_is_refused() -> None:
    file = values(version())
    file["signed"]["keys"]["f" * 64] = file["signed"]["keys"][A_ID]
    file["signed"]["roles"]["root"]["keyids"] = sorted([*file["signed"]["roles"]["root"]["keyids"], "f" * 64])
    with pytest.raises(VerificationError) as caught:
        parse_value(file)
    assert A_ID in caught.value.wanted


def test_the_same_key_under_two_ids_would_be_counted_once() -> None:
    """The counting does not lean on the parser: here is a root that the parser would never let through."""
    honest = version(threshold=2, signed_by=(A,))
    twice = Root(
        "tales", 1, EXPIRES, MappingProxyType({A_ID: A.public_key(), "f" * 64: A.public_key()}),
        MappingProxyType({"root": Role((A_ID, "f" * 64), 2)}),
        MappingProxyType({A_ID: A.sign(honest.signed), "f" * 64: A.sign(honest.signed)}), honest.signed, b"", "1.root.json",
    )  # fmt: skip
    assert len(root.signers(twice, twice)) == 1
    with pytest.raises(VerificationError, match="1 of its own root keys have signed"):
        root.check_first(twice)


@pytest.mark.parametrize(
    "raw", ["01" + "00" * 31, "00" * 32, "ec" + "ff" * 30 + "7f", "ee" + "ff" * 30 + "7f", "02" + "00" * 31]
)
def test_a_key_that_anybody_can_sign_for_or_nobody_is_refused(raw: str) -> None:
    weak = Ed25519PublicKey.from_public_bytes(bytes.fromhex(raw))
    with pytest.raises(RecipeError, match=r"signed\.keys\[[0-9a-f]{64}\] is "):
        ceremony.draft("tales", 1, EXPIRES, 1, {"root": [weak], "release": [A.public_key()]}, "draft")


# ---------------------------------------------------------------- signatures


def test_version_one_stands_on_a_threshold_of_its_own_root_keys() -> None:
    assert root.check_first(version(signed_by=(A, C)))
    assert root.check_first(version(signed_by=(A, B, C)))
    for too_few in ((), (A,), (C,)):
        with pytest.raises(VerificationError, match=f"{len(too_few)} of its own root keys have signed"):
            root.check_first(version(signed_by=too_few))


def test_a_chain_begins_with_version_one() -> None:
    with pytest.raises(VerificationError, match="is version 2"):
        root.check_first(version(2))


def test_signatures_by_release_keys_or_strangers_count_for_nothing_and_are_refused() -> None:
    with pytest.raises(VerificationError, match="1 of its own root keys"):
        root.check_first(version(signed_by=(A, RELEASE, STRANGER)))
    with pytest.raises(VerificationError, match="has no say here"):
        root.check_first(version(signed_by=(A, B, STRANGER)))


def test_a_signature_that_does_not_verify_is_refused_though_enough_others_do() -> None:
    file = values(version(signed_by=(A, B, C)))
    file["signatures"][0]["sig"] = "00" * 64
    with pytest.raises(VerificationError, match="does not verify"):
        root.check_first(parse_value(file))


def test_a_signature_over_another_version_does_not_count() -> None:
    old = version()
    file = values(version(2, signed_by=()))
    file["signatures"] = values(old)["signatures"]
    with pytest.raises(VerificationError, match="0 of version 1's root keys"):
        root.check_next(old, parse_value(file))


# ---------------------------------------------------------------- rotation


def test_the_next_version_is_signed_by_the_threshold_of_the_old_keys_and_of_its_own() -> None:
    old = version()
    new = version(2, owners=(B, C, D), signed_by=(B, C))  # two that are of both
    assert root.check_next(old, new) is new
    assert root.check_next(old, version(2, owners=(D,), threshold=1, signed_by=(A, B, D)))
    with pytest.raises(VerificationError, match="1 of version 1's root keys"):
        root.check_next(old, version(2, owners=(B, D), signed_by=(B, D)))
    with pytest.raises(VerificationError, match="1 of its own root keys"):
        root.check_next(old, version(2, owners=(B, D), signed_by=(A, B)))


def test_a_next_version_with_a_signature_of_no_say_beside_enough_good_ones_is_refused() -> None:
    with pytest.raises(VerificationError, match="has no say here"):
        root.check_next(version(), version(2, signed_by=(A, B, STRANGER)))
    assert root.check_next(version(), version(2, owners=(B, C, D), signed_by=(A, B, C, D)))  # old keys may


def test_a_lower_threshold_holds_only_from_the_version_after() -> None:
    lower = version(2, threshold=1, signed_by=(A,))
    with pytest.raises(VerificationError, match="1 of version 1's root keys"):
        root.check_next(version(), lower)
    agreed = version(2, threshold=1)
    assert root.check_next(agreed, version(3, threshold=1, signed_by=(C,)))


def test_versions_are_consecutive_and_of_one_project() -> None:
    for number in (1, 3):
        with pytest.raises(VerificationError, match=f"is version {number}"):
            root.check_next(version(), version(number))
    with pytest.raises(VerificationError, match="'others'"):
        root.check_next(version(), version(2, name="others"))


def test_a_walk_checks_every_step() -> None:
    steps = [version(2, owners=(B, C, D), signed_by=(B, C)), version(3, owners=(C, D), signed_by=(C, D)),
             version(4, owners=(C, D), signed_by=(C, D))]  # fmt: skip
    assert root.walk(version(), steps) is steps[-1]
    steps[1] = version(3, owners=(C, D, A), signed_by=(C, A))  # one of version 2's
    with pytest.raises(VerificationError, match="1 of version 2's root keys"):
        root.walk(version(), steps)


# ---------------------------------------------------------------- pins


def folder(path: Path, *versions: Root) -> Path:
    """A published folder: every version by number, and the last as root.json."""
    path.mkdir(exist_ok=True)
    for each in versions:
        (path / f"{each.version}.root.json").write_bytes(each.data)
    (path / "root.json").write_bytes(versions[-1].data)
    return path


def pin_of(config: Path, name: str = "tales") -> int | None:
    found = pins.pinned(config, name)
    return None if found is None else found.version


def test_a_root_that_is_not_pinned_is_refused_with_its_fingerprint_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(VerificationError) as caught:
        pins.trust(folder(tmp_path / "root", version()), tmp_path, NOW)
    fingerprint = hashlib.sha256((tmp_path / "root" / "1.root.json").read_bytes()).hexdigest()
    assert fingerprint in caught.value.seen
    assert f"--root-sha256 {fingerprint}" in caught.value.hint
    assert "--tofu" in caught.value.hint
    assert pin_of(tmp_path) is None


def test_trust_at_first_sight_pins_and_says_so_loudly_and_once(tmp_path: Path) -> None:
    place = folder(tmp_path / "root", version())
    first = pins.trust(place, tmp_path, NOW, first_use=True)
    assert "FIRST SIGHT" in first.news
    assert version().fingerprint in first.news
    assert pin_of(tmp_path) == 1
    assert pins.trust(place, tmp_path, NOW).news == ""


def test_a_named_fingerprint_is_that_of_version_one_however_many_followed(tmp_path: Path) -> None:
    place = folder(tmp_path / "root", version(), version(2))
    with pytest.raises(VerificationError, match="not the one that was named"):
        pins.trust(place, tmp_path, NOW, sha256=version(2).fingerprint)
    with pytest.raises(VerificationError, match="not the one that was named"):
        pins.trust(place, tmp_path, NOW, first_use=True, sha256="0" * 64)
    assert pin_of(tmp_path) is None
    pins.trust(place, tmp_path, NOW, sha256=version().fingerprint)
    assert pin_of(tmp_path) == 2


def test_a_first_pin_checks_every_step_from_version_one(tmp_path: Path) -> None:
    """Version 1 is public: whoever serves it could put a version 2 of their own behind it."""
    taken = version(2, owners=(STRANGER,), threshold=1, signed_by=(STRANGER,), release=(STRANGER,))
    place = folder(tmp_path / "root", version(), taken)
    for options in ({"sha256": version().fingerprint}, {"first_use": True}):
        with pytest.raises(VerificationError, match="0 of version 1's root keys"):
            pins.trust(place, tmp_path, NOW, **options)
    with pytest.raises(VerificationError, match="0 of its own root keys"):
        pins.trust(folder(tmp_path / "none", version(signed_by=())), tmp_path, NOW, first_use=True)
    assert pin_of(tmp_path) is None


def test_a_named_fingerprint_is_compared_also_where_a_root_is_pinned(tmp_path: Path) -> None:
    place = folder(tmp_path / "root", version())
    pins.trust(place, tmp_path, NOW, first_use=True)
    with pytest.raises(VerificationError, match="not the one that was named"):
        pins.trust(place, tmp_path, NOW, sha256="0" * 64)


def test_a_client_that_pinned_version_one_walks_to_the_newest(tmp_path: Path) -> None:
    pins.trust(folder(tmp_path / "root", version()), tmp_path, NOW, first_use=True)
    place = folder(tmp_path / "root", version(), version(2, owners=(B, C, D), signed_by=(B, C)),
                   version(3, owners=(C, D), signed_by=(C, D)))  # fmt: skip
    accepted = pins.trust(place, tmp_path, NOW)
    assert (accepted.root.version, pin_of(tmp_path)) == (3, 3)
    assert "from version 1 to 3" in accepted.news


def test_the_versions_before_the_pin_need_not_be_there(tmp_path: Path) -> None:
    pins.trust(folder(tmp_path / "root", version(), version(2)), tmp_path, NOW, first_use=True)
    pins.trust(folder(tmp_path / "later", version(3)), tmp_path, NOW)
    assert pin_of(tmp_path) == 3


def test_a_gap_between_the_pin_and_the_newest_is_refused(tmp_path: Path) -> None:
    pins.trust(folder(tmp_path / "root", version()), tmp_path, NOW, first_use=True)
    with pytest.raises(VerificationError, match=r"2\.root\.json is missing"):
        pins.trust(folder(tmp_path / "gap", version(), version(3)), tmp_path, NOW)


def test_a_rollback_of_root_is_refused_and_the_pin_stays(tmp_path: Path) -> None:
    pins.trust(folder(tmp_path / "root", version(), version(2)), tmp_path, NOW, first_use=True)
    with pytest.raises(VerificationError, match="ROLLBACK"):
        pins.trust(folder(tmp_path / "old", version()), tmp_path, NOW, first_use=True)
    assert pin_of(tmp_path) == 2


@pytest.mark.parametrize("later", [0, 1])
def test_a_fork_of_root_is_refused_and_the_pin_stays(tmp_path: Path, later: int) -> None:
    """The same number with other content, all of it well signed; also where versions follow it."""
    pins.trust(folder(tmp_path / "root", version(), version(2)), tmp_path, NOW, first_use=True)
    before = pins.pin_file(tmp_path, "tales").read_bytes()
    fork = [version(), version(2, release=(STRANGER,)), version(3, release=(STRANGER,))][: 2 + later]
    with pytest.raises(VerificationError, match="FORK"):
        pins.trust(folder(tmp_path / "fork", *fork), tmp_path, NOW, first_use=True)
    assert pins.pin_file(tmp_path, "tales").read_bytes() == before


def test_a_newest_file_that_is_not_the_version_of_its_number_is_a_fork(tmp_path: Path) -> None:
    place = folder(tmp_path / "root", version())
    (place / "root.json").write_bytes(version(release=(STRANGER,)).data)
    with pytest.raises(VerificationError, match="FORK"):
        pins.read(place)


def test_more_good_signatures_over_the_same_content_are_no_fork(tmp_path: Path) -> None:
    pins.trust(folder(tmp_path / "root", version()), tmp_path, NOW, first_use=True)
    assert pins.trust(folder(tmp_path / "more", version(signed_by=OWNERS)), tmp_path, NOW).news == ""


def test_a_change_that_is_no_valid_rotation_is_refused_whatever_else_is_said_and_the_pin_stays(tmp_path: Path) -> None:
    pins.trust(folder(tmp_path / "root", version()), tmp_path, NOW, first_use=True)
    taken = version(2, owners=(STRANGER,), threshold=1, signed_by=(STRANGER,), release=(STRANGER,))
    with pytest.raises(VerificationError, match="NOT a valid rotation") as caught:
        pins.trust(folder(tmp_path / "taken", version(), taken), tmp_path, NOW, first_use=True)
    assert "the pin stays" in caught.value.hint
    assert caught.value.exit_code == 1
    assert pin_of(tmp_path) == 1


def test_a_root_that_a_stranger_made_under_the_name_of_a_pinned_one_is_refused(tmp_path: Path) -> None:
    pins.trust(folder(tmp_path / "root", version()), tmp_path, NOW, first_use=True)
    theirs = version(owners=(STRANGER,), threshold=1, signed_by=(STRANGER,), release=(STRANGER,))
    with pytest.raises(VerificationError, match="FORK"):
        pins.trust(folder(tmp_path / "theirs", theirs), tmp_path, NOW, first_use=True)


def test_an_expired_root_is_refused_if_it_is_the_newest_only(tmp_path: Path) -> None:
    soon = datetime(2026, 6, 1, tzinfo=UTC)
    old, new = version(expires=soon), version(2)
    with pytest.raises(VerificationError, match=r"expired 2026-06-01T00:00:00Z"):
        pins.trust(folder(tmp_path / "old", old), tmp_path, NOW, first_use=True)
    assert pin_of(tmp_path) is None
    assert pins.trust(folder(tmp_path / "new", old, new), tmp_path, NOW, first_use=True).root.version == 2


def test_a_root_expires_at_its_moment() -> None:
    for moment, good in ((datetime(2027, 12, 31, 23, 59, 59, tzinfo=UTC), True), (EXPIRES, False)):
        if good:
            assert root.check_unexpired(version(), moment)
        else:
            with pytest.raises(VerificationError, match="expired"):
                root.check_unexpired(version(), moment)


def test_a_pin_moves_to_an_expired_newest_version_before_that_is_refused(tmp_path: Path) -> None:
    """Else an expired revocation could be rolled back (TUF specification, 5.3.8 before 5.3.10)."""
    pins.trust(folder(tmp_path / "root", version()), tmp_path, NOW, first_use=True)
    gone = version(2, release=(D,), expires=datetime(2026, 6, 1, tzinfo=UTC))
    with pytest.raises(VerificationError, match="expired"):
        pins.trust(folder(tmp_path / "root", version(), gone), tmp_path, NOW)
    assert pin_of(tmp_path) == 2


def test_a_stolen_release_key_is_taken_back_by_the_next_version(tmp_path: Path) -> None:
    stolen = key_id(RELEASE.public_key())
    draft = ceremony.next_draft(version(), "2", add=[D.public_key()], remove=[stolen[:8]])
    new = signed(json.loads(draft)["signed"], (A, B))
    assert [key_id(key) for key in root.check_next(version(), new).role_keys("release")] == [key_id(D.public_key())]


def test_drafts_beyond_the_newest_are_not_read(tmp_path: Path) -> None:
    place = folder(tmp_path / "root", version())
    (place / "2.root.json").write_bytes(b"no root")
    (place / "02.root.json").write_bytes(b"no root")
    assert pins.read(place).newest.version == 1


def test_a_file_with_another_number_than_its_version_is_refused(tmp_path: Path) -> None:
    place = folder(tmp_path / "root", version(), version(2))
    (place / "1.root.json").write_bytes(version(2).data)
    with pytest.raises(VerificationError, match="is version 2"):
        pins.read(place)


def test_one_file_is_read_with_the_versions_beside_it(tmp_path: Path) -> None:
    place = folder(tmp_path / "root", version(), version(2))
    assert pins.trust(place / "2.root.json", tmp_path, NOW, sha256=version().fingerprint).root.version == 2


def test_a_missing_root_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"root\.json"):
        pins.read(tmp_path)


def test_a_damaged_pin_is_named_and_not_passed_over(tmp_path: Path) -> None:
    place = folder(tmp_path / "root", version())
    pins.trust(place, tmp_path, NOW, first_use=True)
    pins.pin_file(tmp_path, "tales").write_bytes(version(name="others").data)
    with pytest.raises(RecipeError, match="the pinned root is damaged"):
        pins.trust(place, tmp_path, NOW, first_use=True)


# ---------------------------------------------------------------- ceremonies


def test_a_key_that_has_no_say_cannot_add_its_signature() -> None:
    draft = version(signed_by=())
    with pytest.raises(RecipeError, match="is no root key of version 1"):
        ceremony.add_signature(draft, None, RELEASE)
    assert len(root.parse(ceremony.add_signature(draft, None, A), "x").signatures) == 1


def test_signing_twice_adds_one_signature() -> None:
    once = root.parse(ceremony.add_signature(version(signed_by=()), None, A), "x")
    assert ceremony.add_signature(once, None, A) == once.data


def test_a_next_version_that_changes_nothing_is_not_drafted() -> None:
    with pytest.raises(RecipeError, match="nothing would change"):
        ceremony.next_draft(version(), "2", threshold=2, expires=EXPIRES)


@pytest.mark.parametrize("wrong", ["0", "ffffffff", ""])
def test_a_release_key_to_remove_is_named_by_eight_digits_or_more(wrong: str) -> None:
    with pytest.raises(RecipeError, match="0 release keys"):
        ceremony.next_draft(version(), "2", remove=[wrong])


def test_the_last_release_key_is_not_removed_without_another() -> None:
    with pytest.raises(RecipeError, match="no root can be made of this"):
        ceremony.next_draft(version(), "2", remove=[key_id(RELEASE.public_key())])


# ---------------------------------------------------------------- the project's own


def test_the_root_of_this_project_holds_and_delegates_to_the_key_of_the_samples() -> None:
    ours = pins.read(OURS)
    newest = root.check_unexpired(pins.check_chain(ours), datetime(2026, 12, 1, tzinfo=UTC))
    assert newest.name == "pellucid"
    assert newest.roles["root"].threshold == 2
    assert len(newest.roles["root"].key_ids) == 3
    sample = key_id(load_public(OURS / "sample.pub"))
    assert sample in newest.roles["release"].key_ids
    assert sample in newest.roles["log"].key_ids
    assert sample not in newest.roles["root"].key_ids
    assert ours.versions[1].fingerprint == "0841a726bd2100c48f44d741846ab51e50038d2e7bfe6df85f99055f0161d260"


def test_the_folder_of_the_published_keys_still_names_its_public_keys() -> None:
    assert [key_id(key) for key in trusted_keys([OURS])] == [key_id(load_public(OURS / "sample.pub"))]
