"""Options that say whose signature is enough, and what they come to: keys, and why each is trusted."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from pipeline.commands.options import FILE, KEYS
from pipeline.errors import RecipeError, VerificationError

Command = TypeVar("Command", bound=Callable[..., Any])
_OPTIONS = (
    KEYS,
    click.option(
        "--root", type=FILE, metavar="FOLDER",
        help="Trust the release keys of a project's root metadata (a folder with root.json), if that root is pinned.",
    ),
    click.option("--root-sha256", metavar="HEX", help="Pin the root of --root if its version 1 has this SHA-256."),
    click.option("--tofu", is_flag=True, help="Trust on first use: pin the root of --root, whatever it is, if none is yet."),
    click.option(
        "--release", "release_only", is_flag=True,
        help="Only a release key of a root will do: that of --root, else any pinned one. No local key, none of --key.",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Whom:
    """The options as they were given."""

    key_files: tuple[Path, ...]
    root: Path | None
    root_sha256: str | None
    tofu: bool
    release_only: bool

    def resolve(self) -> tuple[Any, Any]:
        """Trusted keys and their `vouch.Vouchers`. Pins what is to be pinned, and says so on stderr."""
        from pipeline.trust import keys, vouch

        if self.root is None and (self.tofu or self.root_sha256):
            raise RecipeError("--tofu and --root-sha256 are about a root, and none is named", hint="--root FOLDER")
        if self.root_sha256 and not (len(self.root_sha256) == 64 and set(self.root_sha256) <= set("0123456789abcdef")):
            raise RecipeError(f"--root-sha256 is {self.root_sha256!r:.80}", wanted="64 lower-case hex digits")
        if self.root is None and not self.release_only:
            if self.key_files:
                return vouch.together((), keys.trusted_keys(self.key_files), (), vouch.KINDS)
            keys.trusted_keys()  # refuses where there is none
            return vouch.together(*keys.own_and_others(), (), vouch.KINDS)
        trusted = self._roots()
        own, others = keys.own_and_others()  # tried, so that their signatures are refused by name
        named = keys.trusted_keys(self.key_files) if self.key_files else others
        enough = (vouch.NAMED, vouch.ROOT) if self.key_files and not self.release_only else (vouch.ROOT,)
        return vouch.together(own, named, trusted, enough)

    def accepted(self) -> tuple[Any, ...]:
        """The keys whose word is enough, for what knows no vouchers."""
        from pipeline.trust.keys import key_id

        keys, vouchers = self.resolve()
        return tuple(key for key in keys if vouchers.will_do(key_id(key)))

    def log_keys(self) -> tuple[Any, ...]:
        """Who may have signed a release log: the log keys of the roots, where roots are asked; else whose word is enough."""
        if self.root is None and not self.release_only:
            return self.accepted()
        return tuple(key for root in self._roots() if "log" in root.roles for key in root.role_keys("log"))

    def _roots(self) -> list[Any]:
        from pipeline.trust import keys, pins
        from pipeline.trust import root as roots

        now, config = datetime.now(UTC), keys.config_folder()
        if self.root is not None:
            accepted = pins.trust(self.root, config, now, first_use=self.tofu, sha256=self.root_sha256)
            if accepted.news:
                click.echo(f"pellucid: {accepted.news}", err=True)
            return [accepted.root]
        trusted = []
        for root in pins.all_pinned(config):
            try:
                trusted.append(roots.check_unexpired(root, now))
            except VerificationError as error:
                click.echo(f"pellucid: the pinned root of {root.name} is left out: {error}", err=True)
        if not trusted:
            raise VerificationError(
                "no root is pinned here that has not expired", where=str(config / "roots"),
                wanted="the root of the project whose release this is", hint="name its folder with --root",
            )  # fmt: skip
        return trusted


def WHOM(command: Command) -> Command:
    """Give a command the options, as one argument `whom`."""

    @wraps(command)
    def wrapped(
        *args: Any, key_files: tuple[Path, ...], root: Path | None, root_sha256: str | None, tofu: bool, release_only: bool,
        **options: Any,
    ) -> Any:  # fmt: skip
        return command(*args, whom=Whom(key_files, root, root_sha256, tofu, release_only), **options)

    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return cast(Command, wrapped)
