"""Who vouches for a signature: this machine's own key, a key that the caller named, or a project's root.

A signature says which key; what that is worth depends on why the key is trusted. `local` is the key that a first build made
here: it says that a release is as it was built, to whoever built it. `named` is a key that the user named or put into the
config folder. `root NAME version N` is a key that a pinned root delegates to the role `release`. A key that is trusted for
more than one reason counts for the strongest.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from pipeline.errors import VerificationError
from pipeline.trust.keys import key_id
from pipeline.trust.root import Root

LOCAL, NAMED, ROOT = "local", "named", "root"
KINDS = (LOCAL, NAMED, ROOT)  # from the weakest


@dataclass(frozen=True, slots=True)
class Vouchers:
    """Why keys are trusted: key id to voucher, `named` where it says nothing; and which kinds of voucher will do."""

    of: Mapping[str, str] = field(default_factory=dict)
    enough: tuple[str, ...] = KINDS

    def will_do(self, signer: str) -> bool:
        """Whether a signature by this key is enough."""
        return self.of.get(signer, NAMED).split()[0] in self.enough

    def vouch(self, signer: str, where: str) -> str:
        """Who vouches for a key that has signed. Raises VerificationError where that is not enough."""
        by = self.of.get(signer, NAMED)
        if self.will_do(signer):
            return by
        if by == LOCAL:
            raise VerificationError(
                f"signed by {signer[:16]}..., a `local` key, which this machine's first build made. It is good for you to see "
                "that your own builds are as you built them, and vouches for nothing else",
                wanted=self._wanted(), where=where,
            )  # fmt: skip
        raise VerificationError(
            f"signed by {signer[:16]}..., a key that is only `named`", wanted=self._wanted(), where=where
        )

    def _wanted(self) -> str:
        good = sorted(f"{name[:16]}... ({by})" for name, by in self.of.items() if by.split()[0] in self.enough)
        return "a signature by a release key of a pinned root" + (f": {', '.join(good)}" if good else "")


EVERYONE = Vouchers()


def release_keys(root: Root) -> dict[str, str]:
    """Key id to voucher, of the keys that a root delegates to the role `release`."""
    return dict.fromkeys(root.roles["release"].key_ids, f"{ROOT} {root.name} version {root.version}")


def together(
    local: Iterable[Ed25519PublicKey], named: Iterable[Ed25519PublicKey], roots: Iterable[Root], enough: tuple[str, ...]
) -> tuple[tuple[Ed25519PublicKey, ...], Vouchers]:
    """All these keys, each once, and why each is trusted."""
    keys: dict[str, Ed25519PublicKey] = {}
    of: dict[str, str] = {}
    groups: list[tuple[Iterable[Ed25519PublicKey], Any]] = [(local, LOCAL), (named, NAMED)]
    for group, by in groups:
        for key in group:
            keys[key_id(key)], of[key_id(key)] = key, by
    for root in roots:
        vouched = release_keys(root)
        keys.update({key_id(key): key for key in root.role_keys("release")})
        of.update(vouched)
    return tuple(keys.values()), Vouchers(of, enough)
