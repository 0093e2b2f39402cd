"""Ed25519 keys (RFC 8032): making, loading, naming them, and which of them are trusted.

A private key is a PKCS #8 PEM file that only its owner may read, with a passphrase or without; a public key is a
SubjectPublicKeyInfo PEM file. The id of a key is the SHA-256 of its 32 raw public bytes: a name for people and a hint for
programs, never a reason to trust. Trusted is what the caller names, or what lies in the user's config folder; nothing is
trusted because a release came with it. A key that is no file of this machine is `signers`' affair.
"""

import getpass
import hashlib
import os
import secrets
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from pipeline.errors import PellucidError, RecipeError
from pipeline.trust.curve import weakness

PRIVATE_NAME, PUBLIC_NAME = "signing.key", "signing.pub"
PASSPHRASE = "PELLUCID_KEY_PASSPHRASE"  # noqa: S105, the name of a variable
PASSPHRASE_LIMIT = 250  # characters; OpenSSL takes 1,023 bytes
KEY_LIMIT = 64 << 10  # bytes; an Ed25519 PEM file has about 120


@dataclass(frozen=True, slots=True)
class KeyFiles:
    """A pair of key files and the id of the key."""

    private: Path
    public: Path
    key_id: str


def key_id(public: Ed25519PublicKey) -> str:
    """SHA-256 (hex) of the raw 32-byte public key."""
    return hashlib.sha256(public.public_bytes_raw()).hexdigest()


def generate(directory: Path, passphrase: bytes | None = None) -> KeyFiles:
    """Make a key pair in `directory` (made if missing): `signing.key` with mode 0600, and `signing.pub`.

    With a passphrase the private key is encrypted (PKCS #8, PBES2). A file that is there is never written over: raises
    RecipeError. Each file appears whole or not at all.
    """
    private, public = directory / PRIVATE_NAME, directory / PUBLIC_NAME
    for path in (private, public):
        if path.is_symlink() or path.exists():
            raise RecipeError(
                "there is a key already", where=str(path), hint="name another folder: a key is never written over"
            )
    key = Ed25519PrivateKey.generate()
    lock = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock)
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_new(private, pem, 0o600)
        _write_new(public, public_pem(key.public_key()), 0o644)
    except FileExistsError as error:
        raise RecipeError(
            "another process made a key at the same time", where=str(directory), hint="run the command again"
        ) from error
    except OSError as error:
        raise RecipeError(f"no key can be written: {error.strerror}", where=str(directory)) from error
    return KeyFiles(private, public, key_id(key.public_key()))


def public_pem(public: Ed25519PublicKey) -> bytes:
    """SubjectPublicKeyInfo PEM of a public key."""
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def load_private(path: Path) -> Ed25519PrivateKey:
    """The private key in a PEM file; `ask_passphrase` where it is encrypted.

    Raises RecipeError: not Ed25519, readable by others, not a key, a passphrase that is wrong or cannot be asked for.
    """
    data = _read(path)
    if os.name == "posix" and (mode := path.stat().st_mode & 0o777) & 0o077:
        raise RecipeError(
            f"the private key may be used by others than its owner (mode {mode:04o})",
            wanted="mode 0600",
            where=str(path),
            hint=f"chmod 600 {path}; if others had access to this machine, make a new key: pellucid keygen",
        )
    return private_from_pem(data, str(path))


def private_from_pem(data: bytes, where: str) -> Ed25519PrivateKey:
    """The private key in PEM bytes that came from `where`. Raises what `load_private` raises but for the mode."""
    try:
        try:
            key = serialization.load_pem_private_key(data, password=None)
        except TypeError:  # encrypted
            key = serialization.load_pem_private_key(data, password=ask_passphrase(where))
    except (ValueError, UnsupportedAlgorithm) as error:
        if b"ENCRYPTED PRIVATE KEY-----" in data:
            raise RecipeError(
                "the private key does not open: another passphrase, or a damaged file",
                where=where,
                hint=f"its passphrase is asked for on the terminal, or read from ${PASSPHRASE}",
            ) from error
        raise _not_a_key(where, "private", data) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _wrong_kind(where, key)
    return key


def ask_passphrase(where: str, new: bool = False) -> bytes:
    """The passphrase of the key in `where`: $PELLUCID_KEY_PASSPHRASE, else asked for on the terminal (a new one twice).

    Never an option of a command: other users of a machine can read command lines. Raises RecipeError.
    """
    given = os.environ.get(PASSPHRASE)
    if given is None:
        if sys.stdin is None or not sys.stdin.isatty():
            need = "there is no terminal to ask for a passphrase on"
            raise RecipeError(
                need if new else f"the private key is encrypted, and {need}",
                where=where,
                wanted=f"a terminal, or the passphrase in ${PASSPHRASE}",
            )
        try:
            given = getpass.getpass(f"{'New passphrase' if new else 'Passphrase'} of {where}: ")
            if new and given != getpass.getpass("The same again: "):
                raise RecipeError("the two passphrases differ", where=where, hint="run the command again")
        except EOFError:
            given = ""
    if not 0 < len(given) <= PASSPHRASE_LIMIT:
        raise RecipeError(
            f"the passphrase has {len(given)} characters" if given else "the passphrase is empty",
            where=where,
            wanted=f"some six words that nobody would guess, {PASSPHRASE_LIMIT} characters at most",
        )
    return given.encode("utf-8", "surrogateescape")


def load_public(path: Path) -> Ed25519PublicKey:
    """The public key in a PEM file. Raises RecipeError: not Ed25519, a private key, not a key, one that `curve` refuses."""
    data = _read(path)
    try:
        key = serialization.load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _not_a_key(str(path), "public", data) from error
    if not isinstance(key, Ed25519PublicKey):
        raise _wrong_kind(str(path), key)
    if wrong := weakness(key.public_bytes_raw()):
        raise RecipeError(
            f"the public key {wrong}",
            where=str(path),
            wanted="a key that was made from a secret (RFC 8032)",
            hint="do not trust it: ask its publisher for another",
        )
    return key


def config_folder() -> Path:
    """Where this user's keys are: $PELLUCID_CONFIG, else $XDG_CONFIG_HOME/pellucid, else ~/.config/pellucid."""
    if named := os.environ.get("PELLUCID_CONFIG"):
        return Path(named)
    home = os.environ.get("XDG_CONFIG_HOME", "")
    # The XDG base directory specification: a relative path there is to be ignored.
    return (Path(home) if Path(home).is_absolute() else Path.home() / ".config") / "pellucid"


def has_local_key() -> bool:
    """Whether this user has a signing key in the config folder."""
    return (config_folder() / PRIVATE_NAME).exists()


def local_key(create: bool = True) -> tuple[Ed25519PrivateKey, bool]:
    """This user's own signing key, and whether it was made just now.

    Raises RecipeError where there is none and `create` is false, or where its public file is another key's.
    """
    folder = config_folder()
    private, public = folder / PRIVATE_NAME, folder / PUBLIC_NAME
    if not private.exists():
        if not create:
            raise RecipeError("there is no signing key", where=str(private), hint="pellucid keygen")
        generate(folder)
        return load_private(private), True
    key = load_private(private)
    if not public.exists():  # a run that ended between the two files
        _write_new(public, public_pem(key.public_key()), 0o644)
    elif key_id(load_public(public)) != key_id(key.public_key()):
        raise RecipeError(
            "the public key is not that of the private key beside it",
            where=str(public),
            hint=f"move {public} away: it is written again from {private}",
        )
    return key, False


def trusted_keys(paths: Sequence[Path] | None = None) -> tuple[Ed25519PublicKey, ...]:
    """The public keys in these files, or in the `*.pub` files of these folders; by default of the config folder.

    Distinct keys, in order. Raises RecipeError if there is none, or if one cannot be read: a key that was named and
    not used would be a silent change of whom to trust.
    """
    found: dict[str, Ed25519PublicKey] = {}
    for path in paths or (config_folder(),):
        for file in sorted(path.glob("*.pub")) if path.is_dir() or not paths else [path]:
            key = load_public(file)
            found.setdefault(key_id(key), key)
    if not found:
        raise RecipeError(
            "there is no public key to verify with",
            where=", ".join(str(path) for path in paths or (config_folder(),)),
            wanted="a file or folder of *.pub with the key of whoever you trust to have signed",
            hint="name it with --key; published releases come with theirs in manifests/",
        )
    return tuple(found.values())


def own_and_others() -> tuple[tuple[Ed25519PublicKey, ...], tuple[Ed25519PublicKey, ...]]:
    """The public keys of the config folder: this user's own, made here, and those that the user put there."""
    folder = config_folder()
    own = (load_public(folder / PUBLIC_NAME),) if (folder / PUBLIC_NAME).exists() else ()
    there = (load_public(file) for file in sorted(folder.glob("*.pub")))
    return own, tuple(key for key in there if key_id(key) not in map(key_id, own))


def _write_new(path: Path, data: bytes, mode: int) -> None:
    """Create `path` with this content and mode. Raises FileExistsError; nobody ever sees half of it."""
    temporary = path.parent / f".{path.name}.{secrets.token_hex(8)}"
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.link(temporary, path)  # unlike a rename, it fails if the name is taken
    finally:
        temporary.unlink()


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(KEY_LIMIT + 1)
    except OSError as error:
        raise RecipeError(f"the key cannot be read: {error.strerror}", where=str(path)) from error
    if len(data) > KEY_LIMIT:
        raise RecipeError(f"has more than {KEY_LIMIT} bytes, so it is no key", where=str(path), wanted="a PEM file")
    return data


def _not_a_key(where: str, wanted: str, data: bytes) -> PellucidError:
    other = {"public": b"PRIVATE KEY-----", "private": b"PUBLIC KEY-----"}[wanted]
    if other in data:
        seen = f"holds a {'private' if wanted == 'public' else 'public'} key where a {wanted} one is wanted"
    else:
        seen = f"holds no {wanted} key"
    return RecipeError(seen, where=where, wanted=f"an Ed25519 {wanted} key in PEM", hint="pellucid keygen makes a pair")


def _wrong_kind(where: str, key: object) -> PellucidError:
    kind = type(key).__name__.lstrip("_")
    return RecipeError(f"holds a key of another algorithm ({kind})", where=where, wanted="an Ed25519 key")
