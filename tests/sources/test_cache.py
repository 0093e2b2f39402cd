"""The cache and its part files."""

import hashlib
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sources.cache import Cache, Stopped, default_root


def test_the_cache_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("PELLUCID_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert default_root() == tmp_path / ".cache" / "pellucid"
    # The XDG specification: a relative path is invalid and to be ignored.
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert default_root() == tmp_path / ".cache" / "pellucid"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert default_root() == tmp_path / "xdg" / "pellucid"
    monkeypatch.setenv("PELLUCID_CACHE", str(tmp_path / "own"))
    assert Cache().root == tmp_path / "own"
    assert Cache().path("abcdef") == tmp_path / "own" / "artifacts" / "ab" / "abcdef"


def test_what_is_kept_is_there_with_its_size_under_its_sha256(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    with cache.part("name", threading.Event()) as part:
        part.write(b"twelve bytes")
        cache.keep(part, part.digest())
    digest = hashlib.sha256(b"twelve bytes").hexdigest()
    assert cache.path(digest).read_bytes() == b"twelve bytes"
    assert cache.has(digest, 12)
    assert not cache.has(digest, 11)
    assert cache.size("0" * 64) is None


def test_a_part_that_another_holds_is_waited_for_until_the_fetch_is_stopped(tmp_path: Path) -> None:
    cache, stop = Cache(tmp_path), threading.Event()
    stop.set()
    with (
        cache.part("name", threading.Event()),
        pytest.raises(Stopped),
        cache.part("name", stop),
    ):
        pass


def test_who_waited_for_a_part_gets_a_new_one_and_not_what_became_of_the_old(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    opened, entered = threading.Event(), threading.Event()
    seen: list[int] = []

    def wait_for_it() -> None:
        opened.set()
        with cache.part("name", threading.Event()) as part:
            entered.set()
            part.resume(set())
            seen.append(part.size)

    with cache.part("name", threading.Event()) as part:
        part.write(b"done")
        waiter = threading.Thread(target=wait_for_it)
        waiter.start()
        opened.wait()
        assert not entered.wait(0.3)
        cache.keep(part, part.digest())
    waiter.join(10)
    assert seen == [0]
    assert cache.path(hashlib.sha256(b"done").hexdigest()).read_bytes() == b"done"


@given(st.binary(max_size=5000), st.integers(0, 5000), st.sampled_from(["sha512", "sha1", "md5"]))
def test_digests_of_a_resumed_part_are_those_of_the_whole(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, cut: int, algorithm: str
) -> None:
    cache = Cache(tmp_path_factory.getbasetemp() / "resumed")
    cut = min(cut, len(data))
    with cache.part("name", threading.Event()) as part:
        part.restart()
        part.write(data[:cut])
    with cache.part("name", threading.Event()) as part:
        part.resume({algorithm})
        assert part.left == cut
        part.write(data[cut:])
        assert part.digest() == hashlib.sha256(data).hexdigest()
        assert part.digest(algorithm) == hashlib.new(algorithm, data).hexdigest()
        assert part.path.read_bytes() == data
