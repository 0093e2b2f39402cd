"""Who may ask the browser, what each answer tells the reader's program, and when its queries end."""

import threading
import time
from concurrent.futures import wait
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from pipeline.errors import RecipeError
from pipeline.inspection.browse.faults import TooSlow
from pipeline.inspection.browse.guard import HEADERS
from pipeline.inspection.browse.jobs import Jobs
from pipeline.inspection.browse.release import open_release
from tests.inspection.browsable import PORT, Made
from tests.trust import small_release as small


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(tmp_path_factory.mktemp("guard"))


@pytest.fixture(scope="module")
def web(made: Made) -> TestClient:
    return made.client()


def test_only_this_machines_names_with_the_port_are_answered(web: TestClient) -> None:
    for host in (f"127.0.0.1:{PORT}", f"localhost:{PORT}", f"[::1]:{PORT}", f"LOCALHOST:{PORT}"):
        assert web.get("/", headers={"host": host}).status_code == 200
    for host in ("127.0.0.1", f"evil.example:{PORT}", f"127.0.0.1.evil.example:{PORT}", "localhost:1", f"localhost:{PORT}0",
                 f"user@localhost:{PORT}", ""):  # fmt: skip
        found = web.get("/sources", headers={"host": host})
        assert found.status_code == 400 and "manual" not in found.text
    assert web.get("/sources.json", headers={"host": "x"}).json()["wanted"].startswith("Host: ")


def test_get_and_head_are_answered_and_nothing_else(web: TestClient) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"):
        found = web.request(method, "/")
        assert (found.status_code, found.headers["allow"]) == (405, "GET, HEAD")


def test_every_answer_has_the_same_guard_in_its_headers(web: TestClient, made: Made) -> None:
    one = made.ids["pages/good.txt"]
    paths = ["/", "/index.json", "/documents?foo=1", "/nothing", "/nothing.json", "/style.css", f"/documents/{one}/raw",
             f"/documents/{one}/proof", f"/documents/{one[:10]}", f"/documents/{one}"]  # fmt: skip
    for path in paths:
        got, head = web.get(path), web.head(path)
        assert got.status_code == head.status_code
        assert head.content == b""
        for name, value in HEADERS.items():
            assert got.headers[name] == head.headers[name] == value, (path, name)
        assert got.headers.get("content-type") == head.headers.get("content-type")
        assert got.headers.get("content-length") == head.headers.get("content-length")
        assert "server" not in got.headers and "set-cookie" not in got.headers
    assert (
        "access-control-allow-origin" not in web.get("/index.json", headers={"origin": "http://evil.example"}).headers
    )
    policy = HEADERS["content-security-policy"]
    assert "default-src 'none'" in policy and "script" not in policy and "unsafe" not in policy


def test_another_site_may_lead_here_and_load_nothing_from_here(web: TestClient) -> None:
    cross = {"sec-fetch-site": "cross-site"}
    assert web.get("/", headers={**cross, "sec-fetch-mode": "navigate"}).status_code == 200
    assert web.get("/index.json", headers={**cross, "sec-fetch-mode": "cors"}).status_code == 403
    assert web.get("/style.css", headers={**cross, "sec-fetch-mode": "no-cors"}).status_code == 403
    assert (
        web.get("/style.css", headers={"sec-fetch-site": "same-origin", "sec-fetch-mode": "no-cors"}).status_code == 200
    )


def test_a_query_ends_at_its_limit_and_the_next_one_runs(made: Made) -> None:
    engine = made.site().engine
    endless = "SELECT count(*) FROM range(100000000000) AS t(i) WHERE i % 7 = 3"
    with pytest.raises(TooSlow, match="ended after"):
        engine.rows(endless, seconds=0.05)
    assert engine.rows("SELECT 1 AS one") == [{"one": 1}]
    failed: list[Exception] = []
    started = threading.Event()

    def run() -> None:
        started.set()
        try:
            engine.rows(endless, seconds=60)
        except TooSlow as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    started.wait()
    while thread.is_alive():
        engine.interrupt()
        thread.join(0.01)
    assert failed


def test_what_is_no_release_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no release"):
        open_release(tmp_path)
    folder = small.write(tmp_path / "release", small.corpus())
    file = folder / "data" / "notes" / "train-00000-of-00001.parquet"
    data = file.read_bytes()
    file.write_bytes(data + b" ")
    with pytest.raises(RecipeError, match=r"has [0-9,]+ bytes"):
        open_release(folder)
    (tmp_path / "outside").write_bytes(data)
    file.unlink()
    file.symlink_to(tmp_path / "outside")
    with pytest.raises(RecipeError, match="no regular file"):
        open_release(folder)


def test_work_is_done_once_for_all_who_ask_and_a_failure_is_tried_again() -> None:
    jobs, calls, gate = Jobs(), [], threading.Event()

    def slow() -> int:
        calls.append(1)
        gate.wait()
        return 7

    assert jobs.value("slow", slow, 0.0).running and jobs.value("slow", slow, 0.0).running
    seen = jobs.peek("slow")
    assert seen is not None and seen.running and jobs.peek("other") is None
    gate.set()
    assert jobs.value("slow", slow, 10).value == 7 and calls == [1]
    with pytest.raises(ZeroDivisionError):
        jobs.value("bad", lambda: 1 // 0, 10)
    assert jobs.value("bad", lambda: 8, 10).value == 8
    wait([jobs.begin("worse", lambda: 1 // 0)])
    assert jobs.peek("worse") is None


def test_other_pages_answer_while_a_query_runs(made: Made) -> None:
    site = made.site()
    gate, began = threading.Event(), time.monotonic()
    site.jobs.value("long", gate.wait, 0)
    assert site.engine.rows("SELECT 1 AS one") == [{"one": 1}] and time.monotonic() - began < 60
    gate.set()
