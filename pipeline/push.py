"""Push a release to a dataset repository of the Hugging Face Hub, or of a server that speaks its protocol.

1. A release that does not verify is not pushed. What goes up are the files that were there when it was verified, which are the
   release's own and no others; nothing is made on the way.
2. One commit: a reader of the branch sees the old release or the new one. Files of an earlier release that this one does not
   have go in the same commit, or a download would not verify; files of no release's form stay, and are named.
3. Afterwards the repository's own digests are compared with the release: a `.gitignore` there, for instance, can make the
   library leave files out without a word.
4. The token is the library's (HF_TOKEN, or its login) and stands in no message of ours.

Large files go by the repository's own way: Xet if it hands out tokens for it, else Git LFS, which the library does not try as
long as `hf_xet` is installed. Unchanged files and those that an interrupted push has sent already are not sent again.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import PellucidError, RecipeError, SourceError, VerificationError
from pipeline.trust import folder, names, vouch
from pipeline.trust.verify import verify

OF_A_RELEASE = {*names.DOCUMENTS, *names.OWN_FILES, "report.html"}
SERVERS_OWN = {".gitattributes"}  # which the Hub puts into every repository
MAIN = "main"


@dataclass(frozen=True, slots=True)
class Local:
    """A verified release. `files`: name and size of each, sorted; `sha256`: of those that the manifest names."""

    folder: Path
    name: str
    version: str
    release_id: str
    licenses: tuple[str, ...]
    files: tuple[tuple[str, int], ...]
    sha256: Mapping[str, str]

    @property
    def bytes(self) -> int:
        return sum(size for _, size in self.files)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a push would do. `made`: the repository is not there yet, or not to be seen; `head`: the commit that the branch is
    at, None if it is made; `gone`: files of an earlier release that go; `stays`: files that are of no release.
    """

    local: Local
    repository: str
    endpoint: str
    revision: str
    private: bool
    made: bool
    head: str | None
    gone: tuple[str, ...]
    stays: tuple[str, ...]

    @property
    def url(self) -> str:
        return f"{self.endpoint}/datasets/{self.repository}"

    def to_json(self) -> dict[str, Any]:
        local = self.local
        return {
            "release_id": local.release_id, "name": local.name, "version": local.version, "licenses": local.licenses,
            "files": dict(local.files), "bytes": local.bytes, "repository": self.repository, "url": self.url,
            "revision": self.revision, "private": self.private, "made": self.made, "gone": self.gone, "stays": self.stays,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pushed:
    """`url`: of the repository; `commit`: the commit that has the release; `unchanged`: it was there already."""

    url: str
    commit: str
    unchanged: bool

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def local(release: Path, trusted: Sequence[Any], vouchers: vouch.Vouchers = vouch.EVERYONE) -> Local:
    """The release in a folder, verified to the last row. Raises VerificationError."""
    there = sorted(name for name, kind in folder.scan(release, names.DEPTH) if kind == "file")
    result = verify(release, trusted, vouchers=vouchers)
    if not result.ok or result.manifest is None or result.release_id is None:
        raise VerificationError(
            f"the release does not verify: {(result.failures or ('?',))[0]}", where=str(release),
            wanted="a release of which every check holds", hint=f"pellucid verify {release}",
        )  # fmt: skip
    stated = result.manifest
    return Local(
        release, stated["name"], stated["version"], result.release_id,
        tuple(dict.fromkeys(source["license"] for source in stated["sources"])),
        tuple((name, (release / name).stat().st_size) for name in there),
        {file["name"]: file["sha256"] for file in stated["files"]},
    )  # fmt: skip


class Hub:
    """A Hub's API, as far as a push needs it; its errors are ours."""

    def __init__(self, endpoint: str | None = None) -> None:
        import huggingface_hub

        self.api = huggingface_hub.HfApi(endpoint=endpoint.rstrip("/") if endpoint else None, library_name="pellucid")
        self.endpoint = self.api.endpoint
        self.token = huggingface_hub.get_token()

    def plan(self, release: Local, repository: str, revision: str = MAIN, private: bool | None = None) -> Plan:
        """What pushing this release would do; nothing is changed. `private`: None is private where the repository is made.

        Raises RecipeError for a name that no repository can have, or where the repository is there and of the other kind.
        """
        from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError, RevisionNotFoundError

        if repository.count("/") != 1:
            raise RecipeError(f"{repository!r:.100} names no repository", wanted="OWNER/NAME", where="push")
        head: str | None = None
        found: Sequence[Any] = ()
        made = False
        with self._errors(repository):
            try:
                about = self.api.dataset_info(repository)
                is_private = bool(about.private)
                found = about.siblings or ()  # of a branch that is made, too: it begins at the main one
                if revision != MAIN:
                    about = self.api.dataset_info(repository, revision=revision)
                head, found = about.sha, about.siblings or ()
            except HFValidationError as error:
                raise RecipeError(f"{repository!r:.100}: {error}", wanted="OWNER/NAME", where="push") from error
            except RepositoryNotFoundError:
                made, is_private = True, private is not False
            except RevisionNotFoundError:
                pass
        if private is not None and private != is_private:
            kinds = ("private", "public") if is_private else ("public", "private")
            raise RecipeError(
                f"the repository is there, and {kinds[0]}", wanted=f"a {kinds[1]} one, as --{kinds[1]} says",
                where=repository, hint="push changes no visibility: do that on the Hub, or leave the option out",
            )  # fmt: skip
        mine = {name for name, _ in release.files}
        others = sorted({one.rfilename for one in found} - mine - SERVERS_OWN)
        gone = tuple(name for name in others if _of_a_release(name))
        return Plan(
            release, repository, self.endpoint, revision, is_private, made, head, gone,
            tuple(name for name in others if name not in gone),
        )  # fmt: skip

    def push(self, plan: Plan) -> Pushed:
        """Do it. Raises SourceError where the server refuses, cannot be reached, or does not have what was sent."""
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        release, repository = plan.local, plan.repository
        if not self.token:
            raise SourceError(
                "there is no token", where=self.endpoint, wanted="a token that may write to the repository",
                hint="hf auth login, or set HF_TOKEN",
            )  # fmt: skip
        operations: list[Any] = [
            *(CommitOperationAdd(name, str(release.folder / name)) for name, _ in release.files),
            *(CommitOperationDelete(name, is_folder=False) for name in plan.gone),
        ]
        with self._errors(repository):
            if plan.made:
                self.api.create_repo(repository, repo_type="dataset", private=plan.private, exist_ok=True)
            if plan.head is None and plan.revision != MAIN:
                self.api.create_branch(repository, repo_type="dataset", branch=plan.revision, exist_ok=True)
            self._choose_transfer(repository, plan.revision)
            commit = self.api.create_commit(
                repository, operations, repo_type="dataset", revision=plan.revision, parent_commit=plan.head,
                commit_message=f"{release.name} {release.version}",
                commit_description=f"Pellucid release {release.release_id}",
            )  # fmt: skip
            self._compare(plan, commit.oid)
        return Pushed(plan.url, commit.oid, commit.oid == plan.head)

    def _choose_transfer(self, repository: str, revision: str) -> None:
        """Use Git LFS where the server hands out no token for Xet. The library has one switch for the whole process."""
        from urllib.parse import quote

        from huggingface_hub import constants, get_session

        answer = get_session().get(
            f"{self.endpoint}/api/datasets/{repository}/xet-write-token/{quote(revision, safe='')}",
            headers={"authorization": f"Bearer {self.token}"},
        )
        if answer.status_code in (404, 405, 501):
            constants.HF_HUB_DISABLE_XET = True

    def _compare(self, plan: Plan, commit: str) -> None:
        """The repository at this commit has every file of the release, with its digest, and none of those that go."""
        about = self.api.dataset_info(plan.repository, revision=commit, files_metadata=True)
        there = {one.rfilename: one for one in about.siblings or ()}
        for name, size in plan.local.files:
            found = there.get(name)
            if found is None:
                raise SourceError(
                    "is not in the repository after the push", where=f"{plan.repository}: {name}",
                    hint="a .gitignore in the repository may name it: take that out and push again",
                )  # fmt: skip
            lfs = found.lfs.sha256 if found.lfs else None
            if lfs != self._sha256(plan.local, name) if lfs else found.blob_id != _blob_id(plan.local.folder / name):
                raise SourceError(
                    f"the repository has other bytes ({found.size}) than the release ({size})",
                    where=f"{plan.repository}: {name}", hint="push again; did a file change while it was sent?",
                )  # fmt: skip
        if left := [name for name in plan.gone if name in there]:
            raise SourceError(f"{left[0]} is still in the repository", where=plan.repository, hint="push again")

    @staticmethod
    def _sha256(release: Local, name: str) -> str:
        return release.sha256.get(name) or folder.digest(release.folder / name)[0]

    @contextmanager
    def _errors(self, repository: str) -> Iterator[None]:
        """The library's errors as ours, without the token."""
        from huggingface_hub.errors import HfHubHTTPError

        network: Any = HfHubHTTPError.__mro__[1]  # HTTPError of the library's HTTP client: every error of a request
        try:
            yield
        except PellucidError:
            raise
        except (OSError, ValueError, RuntimeError, network) as error:
            raise self._told(error, repository) from None

    def _told(self, error: BaseException, repository: str) -> SourceError:
        while isinstance(error, RuntimeError) and error.__cause__:  # of one file's upload
            error = error.__cause__
        status = getattr(getattr(error, "response", None), "status_code", None)
        seen, hint = _STATUS.get(status or 0, ("", ""))
        detail = " ".join(str(getattr(error, "server_message", None) or error).split())[:300]
        detail = detail.replace(self.token, "***") if self.token else detail
        if status:
            return SourceError(
                f"the server answered {status}: {seen or 'an error'} ({detail})", where=f"{self.endpoint}, {repository}",
                hint=hint or "what was sent stays there: push again later and it goes on",
            )  # fmt: skip
        return SourceError(
            f"the push failed: {detail or type(error).__name__}", where=f"{self.endpoint}, {repository}",
            hint="is the server reachable? What was sent stays there: push again and it goes on",
        )  # fmt: skip


_STATUS = {
    401: ("the token is not known, or has expired", "hf auth login, or set HF_TOKEN to a token of yours"),
    403: (
        "the token may not do this",
        "give it write access to repositories of this owner, at huggingface.co/settings/tokens",
    ),
    404: ("no such repository, or not yours to see", "is OWNER/NAME right, and has the token access to it?"),
    409: ("somebody else changed the repository meanwhile", "push again: it looks at the repository anew"),
    412: ("somebody else changed the repository meanwhile", "push again: it looks at the repository anew"),
    413: ("too large for this server", ""),
    429: ("too many requests", "wait some minutes and push again"),
}  # fmt: skip


def _of_a_release(name: str) -> bool:
    """Whether a file of this name can be of a release."""
    return name in OF_A_RELEASE or any(pattern.fullmatch(name) for pattern in names.SHARDS.values())


def _blob_id(path: Path) -> str:
    """Git's id of a file that stands in a repository as it is."""
    data = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
