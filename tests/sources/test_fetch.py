"""Fetching, against servers that misbehave."""

import gzip
import hashlib
import os
import signal
import subprocess
import sys
import threading
import tracemalloc
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from pipeline.errors import SourceError, TaskError
from pipeline.model import Artifact
from pipeline.sources.cache import Cache
from pipeline.sources.fetch import FetchProgress, fetch_all, fetch_candidate, fetch_candidates
from pipeline.sources.interface import Candidate
from pipeline.sources.retry import Retry
from tests.sources.servers import Server, noise, pinned, refuse, send, serving, whole_files

DATA = noise(300_000)
OTHER = noise(300_000, seed=2)


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def patient() -> tuple[Retry, list[float]]:
    """A Retry that notes its waits instead of waiting."""
    waits: list[float] = []
    return Retry(wait=waits.append), waits


def offered(server: Server, file: str = "a.bin", **digests: str) -> Candidate:
    return Candidate(f"pkg:generic/{file}", file, f"{server.url}/{file}", digests=digests)


def part_of(cache: Cache, artifact: Artifact) -> Path:
    return cache.root / "parts" / f"{artifact.sha256}.part"


def leave_part(cache: Cache, name: str, data: bytes) -> None:
    """What a killed process leaves behind."""
    path = cache.root / "parts" / f"{name}.part"
    path.parent.mkdir(parents=True)
    path.write_bytes(data)


def test_artifacts_come_into_the_cache_and_are_not_asked_for_again(cache: Cache, tmp_path: Path) -> None:
    files = {f"/f{n}.bin": noise(50_000 + n, n) for n in range(9)}
    with serving(whole_files(files)) as server:
        artifacts = [pinned(server.url + path, data) for path, data in files.items()]
        fetch_all(artifacts, tmp_path, cache)
        assert [cache.path(one.sha256).read_bytes() for one in artifacts] == list(files.values())
        assert not list((cache.root / "parts").iterdir())
        assert len(server.asked) == 9
        fetch_all(artifacts, tmp_path, cache)
        assert len(server.asked) == 9


def test_a_cached_file_of_another_size_is_fetched_again(cache: Cache, tmp_path: Path) -> None:
    with serving(whole_files({"/a.bin": DATA})) as server:
        artifact = pinned(f"{server.url}/a.bin", DATA)
        cache.path(artifact.sha256).parent.mkdir(parents=True)
        cache.path(artifact.sha256).write_bytes(DATA[:-1])
        fetch_all([artifact], tmp_path, cache)
    assert cache.path(artifact.sha256).read_bytes() == DATA


def test_one_file_in_two_sources_is_fetched_once(cache: Cache, tmp_path: Path) -> None:
    with serving(whole_files({"/a.bin": DATA})) as server:
        fetch_all(
            [pinned(f"{server.url}/a.bin", DATA), pinned(f"{server.url}/a.bin", DATA, source="other")], tmp_path, cache
        )
        assert len(server.asked) == 1


def test_a_broken_connection_is_resumed_where_it_broke(cache: Cache, tmp_path: Path) -> None:
    def breaks_twice(handler: BaseHTTPRequestHandler, number: int) -> None:
        send(handler, DATA, etag='"v1"', stop_after=100_000 if number < 2 else None)

    retry, waits = patient()
    with serving(breaks_twice) as server:
        artifact = pinned(f"{server.url}/a.bin", DATA)
        fetch_all([artifact], tmp_path, cache, retry=retry)
        assert server.ranges() == [None, "bytes=100000-", "bytes=200000-"]
        assert server.asked[1].headers["if-range"] == '"v1"'
    assert cache.path(artifact.sha256).read_bytes() == DATA
    assert len(waits) == 2


def test_a_server_that_ignores_range_is_read_from_the_start(cache: Cache, tmp_path: Path) -> None:
    def ignores_range(handler: BaseHTTPRequestHandler, number: int) -> None:
        send(handler, DATA, keep_range=False, stop_after=100_000 if number == 0 else None)

    retry, _ = patient()
    with serving(ignores_range) as server:
        artifact = pinned(f"{server.url}/a.bin", DATA)
        fetch_all([artifact], tmp_path, cache, retry=retry)
        assert server.ranges() == [None, "bytes=100000-"]
    assert cache.path(artifact.sha256).read_bytes() == DATA


def test_a_file_that_changes_midway_is_read_from_the_start(cache: Cache) -> None:
    def changes_midway(handler: BaseHTTPRequestHandler, number: int) -> None:
        if number == 0:
            send(handler, OTHER, etag='"old"', stop_after=100_000)
        else:
            send(handler, DATA, etag='"new"')

    retry, _ = patient()
    with serving(changes_midway) as server:
        sha256, size = fetch_candidate(offered(server), cache, retry=retry)
        assert [one.headers.get("if-range") for one in server.asked] == [None, '"old"']
    assert (sha256, size) == (hashlib.sha256(DATA).hexdigest(), len(DATA))
    assert cache.path(sha256).read_bytes() == DATA


def test_a_server_that_splices_two_files_is_not_believed(cache: Cache) -> None:
    def splices(handler: BaseHTTPRequestHandler, number: int) -> None:
        del handler.headers["If-Range"]
        if number == 0:
            send(handler, OTHER, etag='"old"', stop_after=100_000)
        else:
            send(handler, DATA, etag='"new"')

    retry, _ = patient()
    with serving(splices) as server:
        sha256, _ = fetch_candidate(offered(server), cache, retry=retry)
        assert server.ranges() == [None, "bytes=100000-", None]
    assert sha256 == hashlib.sha256(DATA).hexdigest()


def test_a_splice_without_any_validator_is_caught_by_the_pinned_digest(cache: Cache, tmp_path: Path) -> None:
    def changes_without_a_sign(handler: BaseHTTPRequestHandler, number: int) -> None:
        send(handler, OTHER if number == 0 else DATA, stop_after=100_000 if number == 0 else None)

    retry, _ = patient()
    with serving(changes_without_a_sign) as server:
        artifact = pinned(f"{server.url}/a.bin", DATA)
        fetch_all([artifact], tmp_path, cache, retry=retry)
        assert server.ranges() == [None, "bytes=100000-", None]
    assert cache.path(artifact.sha256).read_bytes() == DATA


def test_without_validator_and_digest_nothing_is_spliced(cache: Cache) -> None:
    def changes_without_a_sign(handler: BaseHTTPRequestHandler, number: int) -> None:
        send(handler, OTHER if number == 0 else DATA, stop_after=100_000 if number == 0 else None)

    retry, _ = patient()
    with serving(changes_without_a_sign) as server:
        sha256, _ = fetch_candidate(offered(server), cache, retry=retry)
        assert server.ranges() == [None, None]
    assert sha256 == hashlib.sha256(DATA).hexdigest()


def test_what_a_killed_process_left_is_gone_on_with(cache: Cache, tmp_path: Path) -> None:
    with serving(whole_files({"/a.bin": DATA})) as server:
        artifact = pinned(f"{server.url}/a.bin", DATA)
        leave_part(cache, artifact.sha256, DATA[:250_000])
        fetch_all([artifact], tmp_path, cache)
        assert server.ranges() == ["bytes=250000-"]
    assert cache.path(artifact.sha256).read_bytes() == DATA


def test_what_a_killed_process_left_of_a_file_without_digest_is_not_gone_on_with(cache: Cache) -> None:
    with serving(whole_files({"/a.bin": DATA})) as server:
        leave_part(cache, hashlib.sha256(f"{server.url}/a.bin".encode()).hexdigest(), OTHER[:1000])
        sha256, _ = fetch_candidate(offered(server), cache)
        assert server.ranges() == [None]
    assert sha256 == hashlib.sha256(DATA).hexdigest()


def test_a_whole_part_of_a_killed_process_is_not_asked_for(cache: Cache, tmp_path: Path) -> None:
    with serving(whole_files({})) as server:
        artifact = pinned(f"{server.url}/a.bin", DATA)
        leave_part(cache, artifact.sha256, DATA)
        fetch_all([artifact], tmp_path, cache)
        assert not server.asked
    assert cache.path(artifact.sha256).read_bytes() == DATA


@pytest.mark.parametrize("left", [OTHER[:1000], OTHER, OTHER + DATA], ids=["shorter", "as long", "longer"])
def test_a_part_of_another_file_is_thrown_away(cache: Cache, tmp_path: Path, left: bytes) -> None:
    with serving(whole_files({"/a.bin": DATA})) as server:
        artifact = pinned(f"{server.url}/a.bin", DATA)
        leave_part(cache, artifact.sha256, left)
        retry, _ = patient()
        fetch_all([artifact], tmp_path, cache, retry=retry)
        assert len(server.asked) <= 2
    assert cache.path(artifact.sha256).read_bytes() == DATA


@pytest.mark.parametrize(("left", "requests"), [(DATA, 1), (DATA + b"x", 2)], ids=["whole", "too long"])
def test_a_part_of_unknown_size_is_whole_where_the_server_says_so(cache: Cache, left: bytes, requests: int) -> None:
    sha512 = hashlib.sha512(DATA).hexdigest()
    with serving(whole_files({"/a.bin": DATA})) as server:
        leave_part(cache, hashlib.sha256(f"{server.url}/a.bin".encode()).hexdigest(), left)
        retry, _ = patient()
        sha256, size = fetch_candidate(offered(server, sha512=sha512), cache, retry=retry)
        assert (len(server.asked), size) == (requests, len(DATA))
    assert cache.path(sha256).read_bytes() == DATA


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_server_is_asked_again(cache: Cache, tmp_path: Path, status: int) -> None:
    def busy_twice(handler: BaseHTTPRequestHandler, number: int) -> None:
        if number < 2:
            refuse(handler, status)
        else:
            send(handler, DATA)

    retry, waits = patient()
    with serving(busy_twice) as server:
        fetch_all([pinned(f"{server.url}/a.bin", DATA)], tmp_path, cache, retry=retry)
        assert len(server.asked) == 3
    assert len(waits) == 2
    assert waits[0] < waits[1] * 2


@pytest.mark.parametrize(("asked", "waited"), [("7", 7.0), ("99999", 60.0)])
def test_retry_after_is_honoured_within_bounds(cache: Cache, tmp_path: Path, asked: str, waited: float) -> None:
    def busy_once(handler: BaseHTTPRequestHandler, number: int) -> None:
        if number == 0:
            refuse(handler, 503, Retry_After=asked)
        else:
            send(handler, DATA)

    retry, waits = patient()
    with serving(busy_once) as server:
        fetch_all([pinned(f"{server.url}/a.bin", DATA)], tmp_path, cache, retry=retry)
    assert waits == [waited]


def test_a_server_that_stays_busy_is_given_up_and_named(cache: Cache, tmp_path: Path) -> None:
    retry, waits = patient()
    with serving(lambda handler, number: refuse(handler, 503)) as server:
        artifact = pinned(f"{server.url}/a.bin", DATA)
        with pytest.raises(SourceError, match=r"failed 6 times in a row.*503") as caught:
            fetch_all([artifact], tmp_path, cache, retry=retry)
        assert len(server.asked) == 6
    assert caught.value.where == artifact.purl
    assert len(waits) == 5


def test_a_connection_that_breaks_often_but_advances_is_not_given_up(cache: Cache, tmp_path: Path) -> None:
    data = noise(10 << 20)

    def breaks_each_megabyte(handler: BaseHTTPRequestHandler, number: int) -> None:
        send(handler, data, etag='"v1"', stop_after=1 << 20)

    retry, waits = patient()
    with serving(breaks_each_megabyte) as server:
        artifact = pinned(f"{server.url}/a.bin", data)
        fetch_all([artifact], tmp_path, cache, retry=retry)
    assert len(waits) == 9
    assert cache.path(artifact.sha256).read_bytes() == data


def test_a_failed_download_keeps_its_bytes_for_the_next_run(cache: Cache, tmp_path: Path) -> None:
    def breaks_for_ever(handler: BaseHTTPRequestHandler, number: int) -> None:
        if number == 0:
            send(handler, DATA, stop_after=100_000)
        else:
            refuse(handler, 503)

    retry, _ = patient()
    with serving(breaks_for_ever) as server:
        artifact = pinned(f"{server.url}/a.bin", DATA)
        with pytest.raises(SourceError, match="100,000 bytes came"):
            fetch_all([artifact], tmp_path, cache, retry=retry)
    assert part_of(cache, artifact).read_bytes() == DATA[:100_000]


def test_no_server_at_all_is_a_source_error_naming_the_artifact(cache: Cache, tmp_path: Path) -> None:
    with serving(whole_files({})) as server:
        pass
    retry, waits = patient()
    artifact = pinned(f"{server.url}/a.bin", DATA)
    with pytest.raises(SourceError, match="refused") as caught:
        fetch_all([artifact], tmp_path, cache, retry=retry)
    assert caught.value.where == artifact.purl
    assert len(waits) == 5


@pytest.mark.parametrize("status", [404, 410])
def test_what_is_gone_is_named_and_not_asked_for_again(cache: Cache, tmp_path: Path, status: int) -> None:
    with serving(lambda handler, number: refuse(handler, status)) as server:
        artifact = pinned(f"{server.url}/a.bin", DATA)
        with pytest.raises(SourceError, match="no longer serves it") as caught:
            fetch_all([artifact], tmp_path, cache)
        assert len(server.asked) == 1
    assert caught.value.where == artifact.purl
    assert caught.value.exit_code == 3
    assert "--refresh" in caught.value.hint


def test_all_that_cannot_be_located_is_named_before_anything_is_downloaded(cache: Cache, tmp_path: Path) -> None:
    def lost(name: str) -> Artifact:
        return Artifact(
            "notes", "local", f"pkg:generic/{name}", name, 5, hashlib.sha256(name.encode()).hexdigest(), name
        )

    with serving(whole_files({"/a.bin": DATA})) as server:
        with pytest.raises(SourceError) as caught:
            fetch_all([lost("one.txt"), pinned(f"{server.url}/a.bin", DATA), lost("two.txt")], tmp_path, cache)
        assert not server.asked
    assert "2 of 3 artifacts cannot be had" in str(caught.value)
    assert "one.txt" in str(caught.value)
    assert "two.txt" in str(caught.value)


def test_wrong_bytes_are_refused_with_both_digests_and_nothing_is_kept(cache: Cache, tmp_path: Path) -> None:
    with serving(whole_files({"/a.bin": OTHER})) as server:
        artifact = pinned(f"{server.url}/a.bin", DATA)
        with pytest.raises(SourceError) as caught:
            fetch_all([artifact], tmp_path, cache)
        assert len(server.asked) == 1
    assert artifact.purl in str(caught.value)
    assert hashlib.sha256(OTHER).hexdigest() in caught.value.seen
    assert artifact.sha256 in caught.value.wanted
    assert not cache.path(artifact.sha256).exists()
    assert not part_of(cache, artifact).exists()


def test_a_stated_digest_of_any_kind_is_verified_when_locking(cache: Cache) -> None:
    with serving(whole_files({"/a.bin": OTHER})) as server, pytest.raises(SourceError, match="has sha512"):
        fetch_candidate(offered(server, sha512=hashlib.sha512(DATA).hexdigest()), cache)
    assert not list((cache.root / "parts").iterdir())
    assert not list(cache.root.glob("artifacts/*/*"))


def test_an_announced_size_that_is_not_the_pinned_one_stops_before_the_first_byte(cache: Cache, tmp_path: Path) -> None:
    with serving(whole_files({"/a.bin": DATA + b"x"})) as server:
        artifact = pinned(f"{server.url}/a.bin", DATA)
        heard: list[FetchProgress] = []
        with pytest.raises(SourceError, match="serves 300,001 bytes"):
            fetch_all([artifact], tmp_path, cache, report=heard.append)
    assert all(progress.bytes_done == 0 for progress in heard)


def test_a_stream_without_end_is_cut_off_at_the_pinned_size(cache: Cache, tmp_path: Path) -> None:
    def endless(handler: BaseHTTPRequestHandler, number: int) -> None:
        handler.send_response(200)
        handler.send_header("Connection", "close")
        handler.end_headers()
        for _ in range(1000):  # 300 MB: a client that reads on would take them all
            handler.wfile.write(OTHER)

    with serving(endless) as server:
        artifact = pinned(f"{server.url}/a.bin", DATA)
        with pytest.raises(SourceError, match="goes on after 300,000 bytes"):
            fetch_all([artifact], tmp_path, cache)
    assert not part_of(cache, artifact).exists()


def test_redirects_are_followed_and_a_compressed_file_stays_compressed(cache: Cache, tmp_path: Path) -> None:
    data = gzip.compress(DATA, mtime=0)

    def elsewhere(handler: BaseHTTPRequestHandler, number: int) -> None:
        if handler.path == "/a.tar.gz":
            refuse(handler, 302, Location="/files/a.tar.gz")
        else:
            send(handler, data, headers={"Content-Encoding": "gzip"})

    with serving(elsewhere) as server:
        artifact = pinned(f"{server.url}/a.tar.gz", data)
        fetch_all([artifact], tmp_path, cache)
    assert cache.path(artifact.sha256).read_bytes() == data


def test_a_full_disk_is_said_clearly(cache: Cache, tmp_path: Path) -> None:
    with serving(whole_files({"/a.bin": DATA})) as server:
        artifact = pinned(f"{server.url}/a.bin", DATA)
        part_of(cache, artifact).parent.mkdir(parents=True)
        part_of(cache, artifact).symlink_to("/dev/full")
        with pytest.raises(TaskError, match="the disk is full") as caught:
            fetch_candidates(
                [Candidate(artifact.purl, "a.bin", artifact.location, digests={"sha256": artifact.sha256})], cache
            )
    assert str(cache.root) in caught.value.where
    assert "PELLUCID_CACHE" in caught.value.hint


def test_more_than_the_disk_has_room_for_is_refused_before_any_request(cache: Cache, tmp_path: Path) -> None:
    with serving(whole_files({"/a.bin": DATA})) as server:
        with pytest.raises(TaskError, match="are still to be downloaded"):
            fetch_all([pinned(f"{server.url}/a.bin", DATA, size=10**18)], tmp_path, cache)
        assert not server.asked


def test_a_cache_that_cannot_be_written_is_said_clearly(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file stands where the folder should be")
    with serving(whole_files({"/a.bin": DATA})) as server, pytest.raises(TaskError, match="cannot be written"):
        fetch_candidate(offered(server), Cache(tmp_path / "cache"))


def test_progress_grows_and_ends_with_everything(cache: Cache, tmp_path: Path) -> None:
    files = {f"/f{n}.bin": noise(200_000, n) for n in range(4)}
    heard: list[FetchProgress] = []
    with serving(whole_files(files)) as server:
        fetch_all(
            [pinned(server.url + path, data) for path, data in files.items()], tmp_path, cache, report=heard.append
        )
    assert heard[-1] == FetchProgress(4, 4, 800_000, 800_000, ())
    assert [one.bytes_done for one in heard] == sorted(one.bytes_done for one in heard)
    assert {one.bytes_total for one in heard} == {800_000}
    assert any(one.current for one in heard)


def test_a_candidate_whose_digest_is_stated_and_cached_is_not_downloaded(cache: Cache) -> None:
    digest = hashlib.sha256(DATA).hexdigest()
    with serving(whole_files({"/a.bin": DATA, "/b.bin": OTHER})) as server:
        first, second = offered(server, sha256=digest), offered(server, "b.bin")
        fetch_candidate(first, cache)
        heard: list[FetchProgress] = []
        found = fetch_candidates([second, first], cache, report=heard.append)
        assert [one.path for one in server.asked] == ["/a.bin", "/b.bin"]
    assert found == [(hashlib.sha256(OTHER).hexdigest(), len(OTHER)), (digest, len(DATA))]
    assert heard[-1].artifacts_total == 1


def test_nothing_is_reported_where_nothing_is_missing(cache: Cache, tmp_path: Path) -> None:
    with serving(whole_files({"/a.bin": DATA})) as server:
        artifact = pinned(f"{server.url}/a.bin", DATA)
        fetch_all([artifact], tmp_path, cache)
        heard: list[FetchProgress] = []
        fetch_all([artifact], tmp_path, cache, report=heard.append)
    assert heard == []


def test_a_size_that_was_not_known_counts_once_the_server_states_it(cache: Cache) -> None:
    def thinks_first(handler: BaseHTTPRequestHandler, number: int) -> None:
        threading.Event().wait(0.2)  # longer than the time between two reports
        send(handler, DATA)

    heard: list[FetchProgress] = []
    with serving(thinks_first) as server:
        fetch_candidate(offered(server), cache, report=heard.append)
    assert heard[0] == FetchProgress(0, 1, 0, 0, ("a.bin",))
    assert heard[1] == FetchProgress(0, 1, 0, 300_000, ("a.bin",))
    assert heard[-1] == FetchProgress(1, 1, 300_000, 300_000, ())


def test_memory_does_not_grow_with_the_file(cache: Cache, tmp_path: Path) -> None:
    data = noise(48 << 20)
    with serving(lambda handler, number: stream(handler, data)) as server:
        artifact = pinned(f"{server.url}/a.bin", data)
        tracemalloc.start()
        try:
            fetch_all([artifact], tmp_path, cache)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 12 << 20


def stream(handler: BaseHTTPRequestHandler, data: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    view = memoryview(data)
    for start in range(0, len(data), 1 << 16):
        handler.wfile.write(view[start : start + (1 << 16)])


def test_a_local_file_is_copied_so_that_editing_it_leaves_the_cache_alone(cache: Cache, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(b"as it was pinned")
    digest = hashlib.sha256(b"as it was pinned").hexdigest()
    artifact = Artifact("notes", "local", "pkg:generic/notes.txt", "notes.txt", 16, digest, "notes.txt")
    fetch_all([artifact], tmp_path, cache)
    with path.open("r+b") as stream:
        stream.write(b"AS")
    assert cache.path(digest).read_bytes() == b"as it was pinned"


def test_a_local_file_that_changed_is_refused_with_both_digests(cache: Cache, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_bytes(b"as it is today!!")
    digest = hashlib.sha256(b"as it was pinned").hexdigest()
    artifact = Artifact("notes", "local", "pkg:generic/notes.txt", "notes.txt", 16, digest, "notes.txt")
    with pytest.raises(SourceError) as caught:
        fetch_all([artifact], tmp_path, cache)
    assert digest in str(caught.value)
    assert hashlib.sha256(b"as it is today!!").hexdigest() in str(caught.value)


# ---------------------------------------------------------------- several processes

FETCH = """
import signal, sys
from pathlib import Path
from pipeline.model import Artifact
from pipeline.sources.fetch import Cache, fetch_all
signal.signal(signal.SIGINT, signal.default_int_handler)  # shells start what runs in the background without it
print("ready", flush=True)
sys.stdin.readline()
url, size, sha256 = sys.argv[1:4]
artifact = Artifact("docs", "http", "pkg:generic/a.bin", "a.bin", int(size), sha256, url)
try:
    fetch_all([artifact], Path("."), Cache(), report=lambda progress: print(progress.bytes_done, flush=True))
except KeyboardInterrupt:
    sys.exit(130)
"""


def fetching(server: Server, cache: Cache, data: bytes) -> subprocess.Popen[str]:
    """A process that is about to fetch: it waits for a line on stdin."""
    process = subprocess.Popen(
        [sys.executable, "-c", FETCH, f"{server.url}/a.bin", str(len(data)), hashlib.sha256(data).hexdigest()],
        env={**os.environ, "PELLUCID_CACHE": str(cache.root), "PYTHONPATH": str(Path(__file__).parents[2])},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_two_processes_that_want_the_same_file_fetch_it_once(cache: Cache) -> None:
    with serving(whole_files({"/a.bin": DATA})) as server:
        processes = [fetching(server, cache, DATA) for _ in range(3)]
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        for process in processes:
            process.communicate(timeout=60)
        assert [process.returncode for process in processes] == [0, 0, 0]
        assert len(server.asked) == 1
    assert cache.path(hashlib.sha256(DATA).hexdigest()).read_bytes() == DATA
    assert not list((cache.root / "parts").iterdir())


def test_an_interrupt_ends_a_fetch_that_waits_for_a_silent_server_and_keeps_what_came(
    cache: Cache, tmp_path: Path
) -> None:
    heard_of, ended = threading.Event(), threading.Event()

    def falls_silent(handler: BaseHTTPRequestHandler, number: int) -> None:
        if number > 0:
            send(handler, DATA)
            return
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(DATA)))
        handler.end_headers()
        for start in range(0, 100_000, 1000):  # slowly, until the client has spoken of it; then nothing
            handler.wfile.write(DATA[start : start + 1000])
            heard_of.wait(0.02)
        ended.wait(60)

    with serving(falls_silent) as server:
        process = fetching(server, cache, DATA)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("\n")
        process.stdin.flush()
        while int(process.stdout.readline()) == 0:
            pass
        heard_of.set()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 130
        ended.set()
        artifact = pinned(f"{server.url}/a.bin", DATA)
        assert 0 < part_of(cache, artifact).stat().st_size <= 100_000
        fetch_all([artifact], tmp_path, cache)
        assert server.ranges()[1] is not None
    assert cache.path(artifact.sha256).read_bytes() == DATA
