"""Making root metadata: a draft, the draft of a next version, one more signature. Pure; what it makes, `root.parse` accepts.

The owners of a project's root keys meet once for version 1, and again for each change. Each signs with a key that only they
have, one after the other, on one file; who signs last has a file that the rules of `root` accept. The order is of no matter.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from pipeline.errors import RecipeError, VerificationError
from pipeline.trust import root as roots
from pipeline.trust.keys import key_id
from pipeline.trust.root import Root
from pipeline.trust.signers import Signer


def draft(
    name: str, version: int, expires: datetime, threshold: int, keys: Mapping[str, Sequence[Ed25519PublicKey]], where: str
) -> bytes:  # fmt: skip
    """An unsigned version. keys: by role, `log` may be empty; threshold: of the role `root`. Raises RecipeError."""
    roles = {role: sorted({key_id(key) for key in those}) for role, those in keys.items() if those or role != "log"}
    everyone = {key_id(key): key for those in keys.values() for key in those}
    signed = {
        "_type": "root",
        "spec_version": roots.SPEC_VERSION,
        "name": name,
        "version": version,
        "expires": roots.write_time(expires),
        "keys": {
            name: {"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": key.public_bytes_raw().hex()}}
            for name, key in everyone.items()
        },
        "roles": {
            role: {"keyids": key_ids, "threshold": threshold if role == "root" else 1} for role, key_ids in roles.items()
        },
    }  # fmt: skip
    made = roots.serialise(signed, {})
    try:
        roots.parse(made, where)
    except VerificationError as error:
        raise RecipeError(f"no root can be made of this: {error.seen}", wanted=error.wanted, where=where) from error
    return made


def next_draft(
    old: Root, where: str, *, add: Iterable[Ed25519PublicKey] = (), remove: Iterable[str] = (),
    root_keys: Sequence[Ed25519PublicKey] = (), log_keys: Sequence[Ed25519PublicKey] = (), threshold: int | None = None,
    expires: datetime | None = None,
) -> bytes:  # fmt: skip
    """The unsigned version after `old`. Release keys are added and removed (by id or its first 8 digits or more); root and log
    keys are replaced where any are given. Raises RecipeError, also where nothing would change."""
    release = {key_id(key): key for key in old.role_keys("release")}
    for wanted in remove:
        found = [name for name in release if len(wanted) >= 8 and name.startswith(wanted.lower())]
        if len(found) != 1:
            raise RecipeError(
                f"{len(found)} release keys of version {old.version} have an id that begins with {wanted!r}",
                wanted=f"8 digits or more of one of {', '.join(release)}", where=old.where,
            )  # fmt: skip
        del release[found[0]]
    release |= {key_id(key): key for key in add}
    made = draft(
        old.name, old.version + 1, expires or old.expires, threshold or old.roles["root"].threshold,
        {"root": root_keys or old.role_keys("root"), "release": tuple(release.values()),
         "log": log_keys or old.role_keys("log")},
        where,
    )  # fmt: skip
    if {**_signed(made), "version": old.version} == _signed(old.data):
        raise RecipeError(
            "nothing would change", where=old.where, wanted="at least one option that changes keys, threshold or expiry"
        )
    return made


def add_signature(root: Root, previous: Root | None, signer: Signer) -> bytes:
    """The file with one more signature, by a root key of this version or of the one before. Raises RecipeError."""
    name = key_id(signer.public_key())
    may_sign = {key for version in (root, previous) if version for key in version.roles["root"].key_ids}
    if name not in may_sign:
        raise RecipeError(
            f"key {name} is no root key of version {root.version}" + (" or of the one before" if previous else ""),
            wanted=f"one of {', '.join(sorted(may_sign))}", where=root.where,
        )  # fmt: skip
    return roots.serialise(_signed(root.data), {**root.signatures, name: signer.sign(root.signed)})


def standing(root: Root, previous: Root | None) -> list[tuple[str, tuple[str, ...], int]]:
    """What a version still needs: for each version that has to agree, whose keys, who of them has signed, how many have to."""
    whose = [(f"version {previous.version}'s", previous)] if previous else []
    whose.append(("its own", root))
    return [(name, roots.signers(root, by), by.roles["root"].threshold) for name, by in whose]


def _signed(data: bytes) -> dict[str, Any]:
    signed: dict[str, Any] = json.loads(data)["signed"]
    return signed
