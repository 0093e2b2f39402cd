"""Root metadata: which keys may sign a project's releases and its log, and which keys may say so.

In the style of root.json of The Update Framework (TUF specification 1.0, sections 4.3 and 5.3, theupdateframework.io), and
stricter. One version is a file of two parts: `signed`, and `signatures` over the canonical JSON of `signed`. The rules:
- A file is canonical JSON (RFC 8785), of exactly the known keys, signatures included. Nothing stands before, between or
  after, no key twice. Lists of key ids and signatures ascend, so that none stands twice.
- A key id is the SHA-256 of the raw key (`keys.key_id`), so that one key cannot have two. Where signatures are counted,
  distinct public keys are counted, never ids or signatures.
- The algorithm is Ed25519, the key's; a file that names another is refused. So is a key that no secret makes (`curve`): for
  some of these, anybody can sign.
- A threshold is 1 or more, and no more than the role has keys. Of `release` and `log` it is 1: what they sign bears one
  signature. Every key is of a role, every role's key is there. The role `log` may be left out.
- Version 1 is signed by a threshold of its own root keys. Version N + 1 is signed by a threshold of version N's root keys and
  by a threshold of its own (TUF 5.3.4). A signature that does not verify, or by any other key, is refused, not passed over.
- Versions are consecutive and never go back (5.3.5); the name stays.
- Two files of one version with different `signed` are a fork: somebody speaks with two tongues. TUF would keep what it has and
  go on; here it is refused. Another set of good signatures over the same `signed` is no fork.
- Only the newest version has to be unexpired (5.3.6, 5.3.10). Now is a parameter.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from itertools import pairwise
from types import MappingProxyType
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from pipeline.errors import VerificationError
from pipeline.trust import canonical, intoto
from pipeline.trust.curve import weakness
from pipeline.trust.keys import key_id
from pipeline.trust.names import SOURCE_NAME

SPEC_VERSION = "1.0"  # of this format; TUF's number says what TUF clients can read, and they cannot read this
SIZE_LIMIT = 1 << 20  # bytes; a key has some 250, a signature 220
ROLES = ("root", "release", "log")


@dataclass(frozen=True, slots=True)
class Role:
    """Key ids, ascending, and how many of these keys must have signed."""

    key_ids: tuple[str, ...]
    threshold: int


@dataclass(frozen=True, slots=True)
class Root:
    """One version, parsed. That it is parsed says nothing of its signatures: see `check_first`, `check_next`, `walk`."""

    name: str
    version: int
    expires: datetime
    keys: Mapping[str, Ed25519PublicKey]
    roles: Mapping[str, Role]
    signatures: Mapping[str, bytes]
    signed: bytes
    data: bytes
    where: str

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of the file: of version 1, what people compare before they trust a project."""
        return sha256(self.data).hexdigest()

    def role_keys(self, role: str) -> tuple[Ed25519PublicKey, ...]:
        """The keys of a role; none where there is no such role."""
        return tuple(self.keys[name] for name in self.roles[role].key_ids) if role in self.roles else ()


def serialise(signed: Mapping[str, Any], signatures: Mapping[str, bytes]) -> bytes:
    """The file of a version. `signatures`: key id to the 64 bytes over `canonical.dumps(signed)`."""
    listed = [{"keyid": name, "sig": signatures[name].hex()} for name in sorted(signatures)]
    return canonical.dumps({"signatures": listed, "signed": dict(signed)})


def parse(data: bytes, where: str) -> Root:
    """One version from its bytes. Raises VerificationError naming the rule of form that it breaks."""
    if len(data) > SIZE_LIMIT:
        raise VerificationError(f"has more than {SIZE_LIMIT} bytes", wanted="root metadata", where=where)
    try:
        value = canonical.loads_canonical(data)
    except canonical.NotCanonical as error:
        raise VerificationError(f"no root metadata: {error}", where=where) from error
    intoto.check(value, _FILE, "the file", where)
    signed = value["signed"]
    intoto.check(signed, {**_SIGNED, "roles": _roles_shape(signed)}, "signed", where)
    keys = {name: _key(name, key, where) for name, key in signed["keys"].items()}
    roles = {name: _role(name, role, keys, where) for name, role in signed["roles"].items()}
    if unused := sorted(set(keys) - {name for role in roles.values() for name in role.key_ids}):
        raise VerificationError(f"key {unused[0]} is of no role", where=where)
    _ascending([signature["keyid"] for signature in value["signatures"]], "signatures", where)
    return Root(
        name=signed["name"],
        version=signed["version"],
        expires=_time(signed["expires"]),
        keys=MappingProxyType(keys),
        roles=MappingProxyType(roles),
        signatures=MappingProxyType({item["keyid"]: bytes.fromhex(item["sig"]) for item in value["signatures"]}),
        signed=canonical.dumps(signed),
        data=data,
        where=where,
    )


def signers(root: Root, by: Root) -> tuple[str, ...]:
    """Ids of the root keys of `by` that have signed `root`: distinct keys, each once."""
    found: dict[bytes, str] = {}
    for name in by.roles["root"].key_ids:
        key = by.keys[name]
        if name in root.signatures and _verifies(key, root.signatures[name], root.signed):
            found.setdefault(key.public_bytes_raw(), name)
    return tuple(found.values())


def check_first(root: Root) -> Root:
    """Version 1 stands on its own root keys. Raises VerificationError."""
    if root.version != 1:
        raise VerificationError(
            f"is version {root.version}", wanted="version 1, where a chain begins", where=root.where
        )
    _threshold(root, root)
    _no_others(root, (root,))
    return root


def check_next(old: Root, new: Root) -> Root:
    """`new` is the version after `old`, which is trusted, and `old`'s keys agreed to it. Raises VerificationError."""
    if new.name != old.name:
        raise VerificationError(f"is the root of {new.name!r}", wanted=f"of {old.name!r}", where=new.where)
    if new.version != old.version + 1:
        raise VerificationError(f"is version {new.version}", wanted=f"version {old.version + 1}", where=new.where)
    _threshold(new, old)
    _threshold(new, new)
    _no_others(new, (old, new))
    return new


def check_same(known: Root, seen: Root) -> None:
    """Two files of one version and name. Raises VerificationError where they do not say the same."""
    if known.signed != seen.signed:
        raise VerificationError(
            f"FORK: this version {seen.version} of {seen.name} is not the version {known.version} that was seen before",
            wanted=f"{sha256(known.signed).hexdigest()} as the SHA-256 of `signed` (seen: {sha256(seen.signed).hexdigest()})",
            where=seen.where,
            hint="two versions with one number were signed or served: ask the project, by another way, before you trust either",
        )  # fmt: skip


def walk(trusted: Root, later: Sequence[Root]) -> Root:
    """From a trusted version over all that follow it, in order, to the newest. Raises VerificationError."""
    for new in later:
        trusted = check_next(trusted, new)
    return trusted


def check_unexpired(root: Root, now: datetime) -> Root:
    """`now` has a time zone. Raises VerificationError."""
    if root.expires <= now:
        raise VerificationError(
            f"version {root.version}, the newest there, expired {write_time(root.expires)}",
            wanted="one that is not expired: whoever withholds newer versions could go on serving this one",
            where=root.where,
            hint=f"get the newest root metadata of {root.name}; its owners extend it with `pellucid root next`",
        )
    return root


def write_time(moment: datetime) -> str:
    """UTC in seconds, as `expires` has it."""
    return moment.astimezone(UTC).strftime(_TIME)


def _threshold(root: Root, by: Root) -> None:
    found, wanted = signers(root, by), by.roles["root"].threshold
    if len(found) < wanted:
        whose = "its own" if by is root else f"version {by.version}'s"
        raise VerificationError(
            f"{len(found)} of {whose} root keys have signed version {root.version} of {root.name}",
            wanted=f"{wanted} or more of {', '.join(f'{name[:16]}...' for name in by.roles['root'].key_ids)}",
            where=root.where,
        )


def _no_others(root: Root, by: Sequence[Root]) -> None:
    good = {name for version in by for name in signers(root, version)}
    if bad := sorted(set(root.signatures) - good):
        raise VerificationError(
            f"the signature of key {bad[0]} does not verify, or that key has no say here",
            wanted="good signatures by root keys, and no other",
            where=root.where,
        )


def _verifies(key: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


def _key(name: str, value: Any, where: str) -> Ed25519PublicKey:
    intoto.check(value, _KEY, f"signed.keys[{name[:70]!r}]", where)
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(value["keyval"]["public"]))
    if name != key_id(key):
        raise VerificationError(
            f"signed.keys names a key {name!r:.70}", wanted=f"the SHA-256 of the key, {key_id(key)}", where=where
        )
    if wrong := weakness(key.public_bytes_raw()):
        raise VerificationError(
            f"signed.keys[{name}] {wrong}", wanted="a key that was made from a secret (RFC 8032)", where=where
        )
    return key


def _role(name: str, value: Any, keys: Mapping[str, Ed25519PublicKey], where: str) -> Role:
    at, key_ids, threshold = f"signed.roles.{name}", value["keyids"], value["threshold"]
    _ascending(key_ids, f"{at}.keyids", where)
    if missing := [key for key in key_ids if key not in keys]:
        raise VerificationError(f"{at} has key {missing[0]}, which signed.keys has not", where=where)
    most = len(key_ids) if name == "root" else min(1, len(key_ids))
    if not 1 <= threshold <= most:
        wanted = f"1 to {most}, the number of its keys" if name == "root" and key_ids else "1, of one key or more"
        raise VerificationError(f"{at} has threshold {threshold} of {len(key_ids)} keys", wanted=wanted, where=where)
    return Role(tuple(key_ids), threshold)


def _ascending(names: Sequence[str], at: str, where: str) -> None:
    if any(earlier >= later for earlier, later in pairwise(names)):
        raise VerificationError(f"{at} has a key twice, or out of order", wanted="ascending key ids", where=where)


def _roles_shape(signed: Any) -> dict[str, Any]:
    roles = signed.get("roles")
    return {name: _ROLE for name in ROLES if name != "log" or (isinstance(roles, dict) and "log" in roles)}


_TIME = "%Y-%m-%dT%H:%M:%SZ"
_TIME_FORM = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", re.ASCII)


def _time(text: str) -> datetime:
    return datetime.strptime(text, _TIME).replace(tzinfo=UTC)


def time_rule(value: Any) -> str | None:
    """A moment in UTC, to the second, as `expires` has it."""
    try:
        good = isinstance(value, str) and bool(_TIME_FORM.fullmatch(value)) and bool(_time(value))
    except ValueError:
        good = False
    return None if good else "a time in UTC, like 2030-01-31T00:00:00Z"


def _exactly(text: str) -> intoto.Rule:
    return lambda value: None if isinstance(value, str) and value == text else repr(text)


def _version(value: Any) -> str | None:
    return None if type(value) is int and value >= 1 else "an integer, 1 or more"


_FILE: intoto.Shape = {
    "signatures": [{"keyid": intoto.sha256, "sig": intoto.matching("[0-9a-f]{128}", "128 lower-case hex digits")}],
    "signed": intoto.anything,
}
_KEY: intoto.Shape = {
    "keytype": _exactly("ed25519"), "scheme": _exactly("ed25519"), "keyval": {"public": intoto.sha256},
}  # fmt: skip
_ROLE: intoto.Shape = {"keyids": [intoto.sha256], "threshold": intoto.count}
_SIGNED: dict[str, Any] = {
    "_type": _exactly("root"),
    "spec_version": _exactly(SPEC_VERSION),
    "name": intoto.matching(SOURCE_NAME, f"a name of the form {SOURCE_NAME}"),
    "version": _version,
    "expires": time_rule,
    "keys": intoto.anything,
}
