"""What signs: a private key of a file or the environment, or a command that holds the key elsewhere.

Asked in this order, the first that is there:
1. the file that the caller names (`--signing-key`);
2. $PELLUCID_SIGNER, a command line, run without a shell: it reads the bytes to sign on its standard input and writes the
   signature, 64 raw bytes or their base64, on its standard output. $PELLUCID_SIGNER_PUBLIC names the file of its public
   key. So a key can stay in a hardware token, an agent or a service. Its signature is verified before it is used: a
   command that is set up for another key makes no release;
3. $PELLUCID_SIGNING_KEY, the private key itself (PEM), as jobs of a build service have their secrets;
4. this user's own key in the config folder, made at the first use.
2 and 3 at once are refused: which of them was meant decides in whose name a release speaks.
"""

import base64
import binascii
import os
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from pipeline.errors import RecipeError, TaskError
from pipeline.trust import keys

COMMAND, COMMAND_PUBLIC, KEY = "PELLUCID_SIGNER", "PELLUCID_SIGNER_PUBLIC", "PELLUCID_SIGNING_KEY"
SECONDS = 60.0  # long enough to touch a token
SIGNATURE_BYTES = 64  # RFC 8032, section 5.1.6


class Signer(Protocol):
    """What `dsse.sign` asks of a key: an Ed25519PrivateKey is one, too."""

    def sign(self, data: bytes, /) -> bytes:
        """The 64 bytes of an Ed25519 signature of `data`."""

    def public_key(self) -> Ed25519PublicKey:
        """The key that verifies it."""


@dataclass(frozen=True, slots=True)
class CommandSigner:
    """Signs by running a command (program and arguments), which has `seconds` for each signature."""

    arguments: tuple[str, ...]
    public: Ed25519PublicKey
    seconds: float = SECONDS

    def public_key(self) -> Ed25519PublicKey:
        return self.public

    def sign(self, data: bytes, /) -> bytes:
        """A signature of `data` that the public key has verified. Raises TaskError."""
        signature = _signature(self._run(data), self.arguments[0])
        try:
            self.public.verify(signature, data)
        except InvalidSignature as error:
            raise TaskError(
                "the signer command gave a signature by another key, or of other bytes",
                wanted=f"one by key {keys.key_id(self.public)}, over the bytes as they are, not over a digest of them",
                where=self.arguments[0],
                hint=f"name the public key of that command in ${COMMAND_PUBLIC}",
            ) from error
        return signature

    def _run(self, data: bytes) -> bytes:
        program = self.arguments[0]
        try:
            done = subprocess.run(self.arguments, input=data, capture_output=True, timeout=self.seconds, check=False)
        except subprocess.TimeoutExpired as error:
            raise TaskError(
                f"the signer command gave no signature in {self.seconds:g} s", where=program,
                hint="is it waiting for a touch, a passphrase or the network?",
            ) from error  # fmt: skip
        except OSError as error:
            raise TaskError(
                f"the signer command cannot be run: {error.strerror}", where=program,
                wanted="a program and its arguments; no shell reads them",
            ) from error  # fmt: skip
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip()
            raise TaskError(
                f"the signer command failed with exit code {done.returncode}: {said[-500:] or 'it said nothing'}", where=program
            )  # fmt: skip
        return done.stdout


def ready(path: Path | None) -> Signer | None:
    """What `signing_key` would give, passphrase asked for, before hours of work; None where a key is yet to be made."""
    if path is None and not any(map(os.environ.get, (COMMAND, KEY))) and not keys.has_local_key():
        return None
    return signing_key(path)[0]


def signing_key(chosen: Path | Signer | None) -> tuple[Signer, Path | None]:
    """What to sign with (see above), and the file of a key that was made just now. Raises RecipeError."""
    if chosen is not None:
        return (keys.load_private(chosen) if isinstance(chosen, Path) else chosen), None
    command, pem = os.environ.get(COMMAND), os.environ.get(KEY)
    if command and pem:
        raise RecipeError(f"both ${COMMAND} and ${KEY} are set", wanted="one of them", where="environment")
    if command:
        return _command(command), None
    if pem:
        return keys.private_from_pem(pem.encode(), f"${KEY}"), None
    key, made = keys.local_key()
    return key, keys.config_folder() / keys.PRIVATE_NAME if made else None


def explicit(path: Path | None) -> Signer:
    """A key that was named, in an option or the environment: never the local one. Raises RecipeError."""
    if path is None and not any(map(os.environ.get, (COMMAND, KEY))):
        raise RecipeError("no key is named", wanted=f"--signing-key, ${COMMAND} or ${KEY}")
    return signing_key(path)[0]


def _command(line: str) -> CommandSigner:
    try:
        arguments = shlex.split(line)
    except ValueError as error:
        raise RecipeError(f"is no command line: {error}", where=f"${COMMAND}") from error
    public = os.environ.get(COMMAND_PUBLIC)
    if not arguments or not public:
        missing = COMMAND_PUBLIC if arguments else COMMAND
        raise RecipeError(
            "is empty", where=f"${missing}", wanted=f"a command in ${COMMAND}, the file of its public key in ${COMMAND_PUBLIC}"
        )  # fmt: skip
    return CommandSigner(tuple(arguments), keys.load_public(Path(public)))


def _signature(output: bytes, program: str) -> bytes:
    """64 raw bytes, or base64 of 64, white space around it allowed."""
    if len(output) == SIGNATURE_BYTES:
        return output
    try:
        decoded = base64.b64decode(output.strip(), validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    if len(decoded) != SIGNATURE_BYTES:
        raise TaskError(
            f"the signer command wrote {len(output)} bytes that are no signature", where=program,
            wanted="64 bytes of an Ed25519 signature, raw or as base64",
        )  # fmt: skip
    return decoded
