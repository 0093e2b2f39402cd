"""Records read again: what they are compared with, and that neither a page nor its reader waits for them without need."""

import asyncio
import re
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from starlette.testclient import TestClient

from pipeline.inspection import show
from pipeline.inspection.browse import again, views_record
from pipeline.inspection.browse.app import make
from pipeline.inspection.browse.site import Site
from tests.inspection.browsable import GOOD, PORT, Made, client, taken_down

SECONDS = 60  # for what has to happen, on a busy machine


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(tmp_path_factory.mktemp("again"))


@pytest.fixture(scope="module")
def web(made: Made) -> TestClient:
    return made.client()


def test_a_dropped_document_leads_to_its_upstream_bytes_in_four_clicks(web: TestClient, made: Made) -> None:
    one = made.ids["pages/short.txt"]
    clicks = ["/", "/reasons/too_short", f"/documents/{one}", f"/documents/{one}/record", f"/documents/{one}/raw"]
    for here, there in pairwise(clicks):
        assert f'href="{there}"' in web.get(here).text, (here, there)
    found = web.get(clicks[-1])
    assert found.content == b"<b>short</b>\n"
    assert found.headers["content-type"] == "application/octet-stream"
    assert found.headers["content-disposition"] == f'attachment; filename="{one}.record"'


def test_a_record_read_again_is_compared_with_the_digests_of_its_row(web: TestClient, made: Made) -> None:
    for name in ("pages/good.txt", "pages/edited.txt", "pages/near.txt"):
        facts = web.get(f"/documents/{made.ids[name]}/record.json").json()
        assert (facts["record_equal"], facts["text_equal"]) == (True, True), name
        assert facts["edited"] == ("edited" in name)
    broken = web.get(f"/documents/{made.ids['pages/broken.txt']}/record.json").json()
    assert (broken["record_equal"], broken["text"], broken["as_text"]) == (True, None, None)
    assert broken["hex"].startswith("000000  00 01 02 ff 20 62")


def test_a_record_of_another_digest_is_not_handed_out(made: Made) -> None:
    site = made.site()
    one = made.ids["pages/good.txt"]
    real = site.artifacts._key
    object.__setattr__(site.artifacts, "_key", lambda found, path: real(found, path)[::-1])
    web = client(site)
    assert web.get(f"/documents/{one}/record.json").json()["record_equal"] is False
    assert "has another digest than its row" in web.get(f"/documents/{one}/record").text
    assert web.get(f"/documents/{one}/raw").status_code == 404


def test_what_an_opt_out_list_names_is_never_read_again(web: TestClient, made: Made) -> None:
    one = made.ids["pages/opted.txt"]
    page = web.get(f"/documents/{one}")
    assert page.status_code == 200 and "secret" not in page.text
    assert f"/documents/{one}/raw" not in page.text and f"/documents/{one}/record" not in page.text
    for below in ("/record", "/raw", "/record.json"):
        found = web.get(f"/documents/{one}{below}")
        assert found.status_code == 403 and "secret" not in found.text


def test_an_artifact_that_is_not_there_or_has_other_bytes_is_said(made: Made) -> None:
    one = made.ids["pages/near.txt"]
    web = made.client()
    made.artifact.rename(made.artifact.with_suffix(".away"))
    try:
        missing = web.get(f"/documents/{one}/record")
        assert (
            missing.status_code == 200 and "not in the artifact cache" in missing.text and made.digest in missing.text
        )
        assert web.get(f"/documents/{one}/raw").status_code == 404
        beside = web.get(f"/documents/{one}/beside")
        assert beside.status_code == 200 and "pellucid build" in beside.text
        made.artifact.write_bytes(made.content + b"!")
        assert "the cached artifact has sha256" in web.get(f"/documents/{one}/record").text
        made.artifact.unlink()
        made.artifact.mkdir()
        assert "the cached artifact cannot be read: Is a directory" in web.get(f"/documents/{one}/record").text
        made.artifact.rmdir()
    finally:
        made.artifact.with_suffix(".away").rename(made.artifact)


def test_a_duplicate_stands_beside_the_kept_one_with_its_own_words_marked(web: TestClient, made: Made) -> None:
    one, kept = made.ids["pages/near.txt"], made.ids["pages/good.txt"]
    facts = web.get(f"/documents/{one}/beside.json").json()
    assert "".join(part for _, part in facts["right"]) == GOOD == facts["kept"]["text"]
    assert [part.strip() for both, part in facts["left"] if not both] == ["said7"]
    assert [part.strip() for both, part in facts["right"] if not both] == ["says7"]
    page = web.get(f"/documents/{one}/beside").text
    assert (
        re.search(r"<del>\s*said7\s*</del>", page) and re.search(r"<ins>\s*says7\s*</ins>", page) and "Legend" in page
    )
    assert f'href="/documents/{kept}"' in page
    assert f'href="/documents/{one}/beside"' in web.get(f"/documents/{kept}").text
    assert web.get(f"/documents/{kept}/beside").status_code == 404


class Slow:
    """`show.again`, which waits for `gate` first. `ids`: of the documents that it was called for."""

    def __init__(self) -> None:
        self.gate, self.ids, self.real = threading.Event(), list[str](), show.again

    def __call__(self, story: show.Story, artifact: Path, key: bytes) -> show.Again:
        self.ids.append(story.id)
        assert self.gate.wait(SECONDS)
        return self.real(story, artifact, key)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    made = Slow()
    monkeypatch.setattr(show, "again", made)
    monkeypatch.setattr(views_record, "SHORTLY", 0.01)
    yield made
    made.gate.set()


def in_parts(site: Site, path: str, between: Callable[[str], None]) -> tuple[int, list[str]]:
    """Status and parts of an answer, as the application sends them; `between` is called with the first one."""
    parts: list[str] = []
    status = 0

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(SECONDS)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        nonlocal status
        status = message.get("status", status)
        if message.get("body"):
            parts.append(message["body"].decode())
            if len(parts) == 1:
                between(parts[0])

    scope = {
        "type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
        "headers": [(b"host", f"127.0.0.1:{PORT}".encode())], "scheme": "http", "http_version": "1.1",
        "asgi": {"version": "3.0"}, "server": ("127.0.0.1", PORT), "client": ("127.0.0.1", 1),
    }  # fmt: skip
    asyncio.run(make(site, PORT)(scope, receive, send))
    return status, parts


@pytest.mark.parametrize(("name", "below"), [("pages/short.txt", "record"), ("pages/near.txt", "beside")])
def test_a_page_begins_before_its_record_is_read_and_goes_on_with_it(
    made: Made, slow: Slow, name: str, below: str
) -> None:
    path = f"/documents/{made.ids[name]}/{below}"

    def begun(first: str) -> None:
        assert "<h1>" in first and 'class="waiting"' in first and "is being read" in first
        assert "</main>" not in first and 'class="text"' not in first
        slow.gate.set()

    status, parts = in_parts(made.site(), path, begun)
    whole = "".join(parts)
    assert (status, len(parts)) == (200, 2)
    assert "\0" not in whole and 'class="text"' in parts[1]
    at_once = client(made.site()).get(path).text  # the gate is open: nothing is waited for
    assert "waiting" not in at_once
    assert without_waiting(whole) == without_waiting(at_once)


def without_waiting(page: str) -> bytes:
    tree = etree.fromstring(page, etree.HTMLParser())
    for element in tree.xpath("//p[@class='waiting']"):
        element.getparent().remove(element)
    for text in tree.iter():
        text.text, text.tail = (" ".join((part or "").split()) for part in (text.text, text.tail))
    return etree.tostring(tree)


def test_the_twin_in_json_and_the_file_wait_for_the_record(made: Made, slow: Slow) -> None:
    one = made.ids["pages/short.txt"]
    web = client(made.site())
    threading.Timer(0.3, slow.gate.set).start()
    assert web.get(f"/documents/{one}/record.json").json()["record_equal"] is True
    slow.gate.clear()
    threading.Timer(0.1, slow.gate.set).start()
    assert client(made.site()).get(f"/documents/{one}/raw").content == b"<b>short</b>\n"


def test_a_page_that_breaks_off_says_so(made: Made, slow: Slow, caplog: pytest.LogCaptureFixture) -> None:
    slow.real = lambda story, artifact, key: 1 // 0
    status, parts = in_parts(made.site(), f"/documents/{made.ids['pages/short.txt']}/record", lambda _: slow.gate.set())
    assert status == 200 and "could not be made" in parts[-1] and "ZeroDivisionError" in caplog.text


def test_a_record_that_turns_out_not_to_be_there_is_said_on_the_page_that_has_begun(made: Made, slow: Slow) -> None:
    real = slow.real
    slow.real = lambda story, artifact, key: real(story, artifact.with_name("nothing"), key)
    _, parts = in_parts(made.site(), f"/documents/{made.ids['pages/near.txt']}/beside", lambda _: slow.gate.set())
    assert "is not in the artifact cache" in parts[-1] and "pellucid build" in parts[-1] and "</main>" in parts[-1]


def test_opening_a_document_begins_to_read_its_record(made: Made, slow: Slow) -> None:
    site, one, other = made.site(), made.ids["pages/short.txt"], made.ids["pages/good.txt"]
    web = client(site)
    for identifier in (one, one, other):  # one at a time: the other is not begun
        assert web.get(f"/documents/{identifier}").status_code == 200
    assert site.artifacts._ahead == one
    until(lambda: slow.ids == [one])
    slow.gate.set()
    assert web.get(f"/documents/{one}/record.json").json()["record_equal"] is True
    assert slow.ids == [one]
    assert web.get(f"/documents/{other}").status_code == 200
    until(lambda: slow.ids == [one, other])


def test_what_may_not_be_read_or_is_large_is_not_begun(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = next(row["id"] for row in made.rows.values() if row["fate"] == "kept")
    removed, site = made.site(taken_down(made, tmp_path, kept)), made.site()
    assert client(removed).get(f"/documents/{kept}").status_code == 200
    assert client(site).get(f"/documents/{made.ids['pages/opted.txt']}").status_code == 200
    monkeypatch.setattr(again, "LARGE", 10)
    assert client(site).get(f"/documents/{made.ids['pages/near.txt']}").status_code == 200
    assert (removed.artifacts._ahead, site.artifacts._ahead) == ("", "")


def test_a_failure_of_what_nobody_asked_for_is_not_kept(made: Made) -> None:
    site = made.site()
    web, one = client(site), made.ids["pages/near.txt"]
    made.artifact.write_bytes(made.content[:-1] + b"!")
    try:
        assert web.get(f"/documents/{one}").status_code == 200
        until(lambda: site.artifacts._jobs.peek(one) is None)
    finally:
        made.artifact.write_bytes(made.content)
    assert web.get(f"/documents/{one}/record.json").json()["record_equal"] is True


def test_large_records_are_read_for_each_who_asks(made: Made, slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(again, "LARGE", 10)
    slow.gate.set()
    site, one = made.site(), made.ids["pages/good.txt"]
    for _ in range(2):
        assert client(site).get(f"/documents/{one}/record.json").json()["record_equal"] is True
    assert slow.ids == [one, one] and site.artifacts._jobs.peek(one) is None


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)
