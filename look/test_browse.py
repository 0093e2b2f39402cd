"""`pellucid browse` in a browser: every page, narrow and wide, light and dark, by keyboard, with documents that mean harm."""

import json
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from look.conftest import NARROW, WIDE, Window, internal, overflows, picture, serious

PAGES = 60  # of a release are opened, at most; of the same kind no more than FEW
FEW = 2
VALUES = "/reasons/too_short"  # has a chart of values; by its place in lists it need not be among the first
VIEWS = [(size, dark) for size in (NARROW, WIDE) for dark in (False, True)]


def kind(url: str) -> str:
    """Pages of one kind differ by a name in the path, or by what a filter asks for."""
    parts = urlsplit(url)
    steps = parts.path.strip("/").split("/")
    named = [steps[0], *("*" if index == 1 else step for index, step in enumerate(steps[1:], 1))]
    asked = sorted(pair.partition("=")[0] for pair in parts.query.split("&") if pair.partition("=")[2])
    return "/".join(named) + ("?" + "&".join(asked) if asked else "")


def is_page(url: str) -> bool:
    path = urlsplit(url).path
    return not path.endswith((".json", "/raw", "/proof", ".css"))


def crawl(window: Window) -> list[str]:
    """Paths of pages that are reached from the front page by links: some of each kind."""
    seen: dict[str, int] = {}
    waiting, found = ["/"], list[str]()
    while waiting and len(found) < PAGES:
        path = waiting.pop(0)
        if path in found or seen.get(kind(path), 0) >= FEW:
            continue
        seen[kind(path)] = seen.get(kind(path), 0) + 1
        found.append(path)
        page = window.open(path)
        waiting += [link[len(window.origin) :] or "/" for link in internal(page) if is_page(link)]
    return found


@pytest.fixture(scope="module")
def paths(release: Path, browsed: Callable[[Path], str], chromium: object) -> list[str]:
    context = chromium.new_context()  # type: ignore[attr-defined]
    found = crawl(Window(context, browsed(release)))
    context.close()
    return [VALUES, *(path for path in found if path != VALUES)]


def test_links_lead_to_every_kind_of_page(paths: list[str]) -> None:
    kinds = {kind(path).partition("?")[0] for path in paths}
    assert {
        "", "sources", "sources/*", "documents", "documents/*", "reasons", "reasons/*", "clusters", "licenses", "manifest",
        "verify",
    } <= kinds  # fmt: skip


@pytest.mark.parametrize(("size", "dark"), VIEWS)
def test_every_page_fits_its_window_and_is_accessible(
    release: Path,
    paths: list[str],
    browsed: Callable[[Path], str],
    window: Callable[..., Window],
    size: dict[str, int],
    dark: bool,
) -> None:
    seen = window(browsed(release), size, dark=dark)
    told = {}
    for path in paths:
        page = seen.open(path)
        told[path] = [f"{overflows(page)} pixels too wide"] if overflows(page) else []
        if (size == NARROW) != dark:  # both sizes and both schemes are asked about, and no page four times
            told[path] += serious(page)
        assert page.title()
        assert page.locator("h1").count() == 1
        first = next(other for other in paths if kind(other) == kind(path)) == path
        if first:
            name = kind(path).replace("/", "-").replace("*", "one").replace("?", "-").replace("&", "-") or "front"
            picture(page, f"browse-{name}-{size['width']}-{'dark' if dark else 'light'}", whole=True)
    assert {path: faults for path, faults in told.items() if faults} == {}


@pytest.mark.parametrize(("size", "dark"), VIEWS)
def test_two_releases_beside_each_other_fit_the_window_and_are_accessible(
    release: Path,
    hostile: Path,
    browsed: Callable[..., str],
    window: Callable[..., Window],
    size: dict[str, int],
    dark: bool,
) -> None:
    page = window(browsed(release, "--other", hostile), size, dark=dark).open("/compare")
    assert "hostile" in page.inner_text("main")
    assert overflows(page) == 0
    assert serious(page) == []
    picture(page, f"browse-compare-{size['width']}-{'dark' if dark else 'light'}", whole=True)


@pytest.mark.parametrize(("size", "dark"), [(NARROW, True), (WIDE, False)])
@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/documents/" + "f" * 32, 404, "no document, kept, dropped or removed, has the id"),
        ("/documents?color=" + "red" * 100, 400, "color"),
        ("/no/such/page", 404, "there is no such page"),
    ],
)
def test_pages_of_errors_say_what_to_do_and_are_accessible(
    release: Path,
    browsed: Callable[..., str],
    window: Callable[..., Window],
    path: str,
    status: int,
    said: str,
    size: dict[str, int],
    dark: bool,
) -> None:
    page = window(browsed(release), size, dark=dark).open(path, status)
    told = page.inner_text("main")
    assert said in told
    assert "Next:" in told or "Wanted:" in told
    assert overflows(page) == 0
    assert serious(page) == []
    picture(page, f"browse-error-{status}-{size['width']}")


def test_every_page_has_a_twin_in_json_and_lets_nothing_in(
    release: Path, paths: list[str], browsed: Callable[[Path], str]
) -> None:
    for path in paths:
        parts = urlsplit(path)
        twin = ("/index" if parts.path == "/" else parts.path) + ".json" + (f"?{parts.query}" if parts.query else "")
        with urllib.request.urlopen(browsed(release) + twin, timeout=60) as answer:
            assert answer.headers.get_content_type() == "application/json"
            json.load(answer)
        with urllib.request.urlopen(browsed(release) + path, timeout=60) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "script-src" not in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_four_clicks_lead_from_the_front_page_to_the_bytes_of_a_dropped_document(
    release: Path, browsed: Callable[[Path], str], window: Callable[..., Window]
) -> None:
    page = window(browsed(release)).open("/")
    clicks = 0

    def click(selector: str) -> None:
        nonlocal clicks
        clicks += 1
        page.locator(selector).first.click()
        page.wait_for_load_state("load")

    click("main a[href*='/documents?fate=dropped'], main a[href='/reasons']")
    if "/reasons" in page.url:
        click("main a[href^='/reasons/']")
    click("main a[href^='/documents/']")
    click("main a[href$='/record']")
    assert page.locator("main pre, main .text").first.inner_text().strip()
    assert clicks <= 4
    with page.expect_download() as download:
        page.locator("main a[href$='/raw']").first.click()
    assert download.value.path().stat().st_size > 0
    picture(page, "browse-record")


def test_a_document_is_found_by_keyboard_alone(
    release: Path, browsed: Callable[[Path], str], window: Callable[..., Window]
) -> None:
    page = window(browsed(release)).open("/")
    page.keyboard.press("Tab")
    assert focus(page, "text").startswith("Skip")
    page.keyboard.press("Enter")
    tab_to(page, "/documents")
    page.keyboard.press("Enter")
    page.wait_for_url("**/documents*")
    tab_to(page, "/documents/")
    page.keyboard.press("Enter")
    page.wait_for_url("**/documents/*")
    assert page.locator("h1").count() == 1


def focus(page: Page, what: str) -> str:
    code = {"text": "document.activeElement.innerText", "href": "document.activeElement.getAttribute('href') || ''"}[
        what
    ]
    return str(page.evaluate(code))


def tab_to(page: Page, start: str) -> None:
    """Press Tab until the focus is on a link to a path that begins so, and is seen to be there."""
    for _ in range(400):
        page.keyboard.press("Tab")
        href = focus(page, "href")
        if (
            href.startswith(start)
            and (start.endswith("/") or href.partition("?")[0] == start)
            and not href.endswith(".json")
        ):
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
            return
    raise AssertionError(f"no link to {start} has had the focus")


def test_pages_of_hostile_documents_show_them_and_do_nothing(
    hostile: Path, browsed: Callable[[Path], str], window: Callable[..., Window]
) -> None:
    seen = window(browsed(hostile), NARROW)
    every = [link[len(seen.origin) :] for link in internal(seen.open("/documents?fate=all")) if is_page(link)]
    documents = [path for path in every if kind(path) == "documents/*"]
    assert len(documents) == 12
    texts = []
    for path in [*crawl(seen), *documents]:
        page = seen.open(path)
        assert page.title() != "owned"
        assert overflows(page) == 0, path
        assert serious(page) == [], path
        body = page.inner_text("body")
        assert not set(body) & set("\x1b\x9b\u202e\u2066\u200b\ufeff"), path
        assert page.locator("script, img, iframe, object, embed, [onerror], [onload], [onmouseover]").count() == 0, path
        links = page.eval_on_selector_all("a[href]", "links => links.map(link => link.href)")
        assert [link for link in links if link.lower().startswith(("javascript:", "data:"))] == [], path
        texts.append(body)
    assert any("<script>document.title='owned'" in body for body in texts)
    assert any("U+202E" in body for body in texts)
    assert any("U+001B" in body for body in texts)
    assert any("{{ 7 * 7 }}" in body for body in texts)


@pytest.mark.parametrize(("size", "dark"), VIEWS)
def test_what_was_cut_from_a_web_page_is_told_from_what_was_kept_and_does_no_harm(
    hostile: Path, browsed: Callable[[Path], str], window: Callable[..., Window], size: dict[str, int], dark: bool
) -> None:
    seen = window(browsed(hostile), size, dark=dark)
    with urllib.request.urlopen(f"{seen.origin}/documents.json?source=page", timeout=60) as answer:
        (one,) = json.load(answer)["documents"]
    page = seen.open(f"/documents/{one['id']}/page")
    cut, kept = page.locator(".block.cut"), page.locator(".block:not(.cut)")
    assert "cut as navigation" in cut.first.inner_text() and kept.count() >= 2
    grey, plain = (part.first.evaluate("block => getComputedStyle(block).color") for part in (cut, kept))
    assert grey != plain
    assert page.locator("main script, main img").count() == 0
    assert overflows(page) == 0
    assert serious(page) == []
    picture(page, f"browse-page-{size['width']}-{'dark' if dark else 'light'}", whole=True)


def test_a_page_shows_what_it_waits_for_and_then_goes_on(
    slow: Path, browsed: Callable[[Path], str], window: Callable[..., Window]
) -> None:
    seen = window(browsed(slow), NARROW)
    with urllib.request.urlopen(f"{seen.origin}/documents.json?reason=near_duplicate", timeout=60) as answer:
        one = json.load(answer)["documents"][0]["id"]
    for below in ("record", "beside"):
        seen.page.goto(f"{seen.origin}/documents/{one}/{below}", wait_until="commit")
        waiting = seen.page.locator(".waiting")
        if below == "record":  # the other one finds it read
            waiting.wait_for(state="attached")
            while not seen.page.evaluate("document.styleSheets.length"):
                seen.page.wait_for_timeout(10)
            assert waiting.is_visible()
            assert seen.page.evaluate("document.readyState") == "loading"
            assert "is being read" in waiting.inner_text()
            picture(seen.page, "browse-waiting")
        seen.page.wait_for_load_state("load")
        assert not waiting.is_visible()
        assert seen.page.locator("main .text").first.inner_text().strip()
        assert overflows(seen.page) == 0
        assert serious(seen.page) == []


def test_a_search_without_result_says_what_to_do(
    release: Path, browsed: Callable[[Path], str], window: Callable[..., Window]
) -> None:
    page = window(browsed(release), WIDE).open("/documents?text=no-such-words-anywhere-in-here")
    assert "no document" in page.inner_text("main").lower()
    picture(page, "browse-nothing-found")
