"""report.html, opened from the disk."""

from collections.abc import Callable
from pathlib import Path

import pytest

from look.conftest import NARROW, WIDE, Window, overflows, picture, serious

VIEWS = [(size, dark) for size in (NARROW, WIDE) for dark in (False, True)]


@pytest.mark.parametrize(("size", "dark"), VIEWS)
def test_the_report_fits_its_window_and_is_accessible(
    release: Path, filed: Callable[[Path], str], window: Callable[..., Window], size: dict[str, int], dark: bool
) -> None:
    page = window(filed(release), size, dark=dark).open("/report.html")
    assert overflows(page) == 0
    assert serious(page) == []
    picture(page, f"report-{size['width']}-{'dark' if dark else 'light'}", whole=True)


@pytest.mark.parametrize("dark", [False, True])
def test_what_is_folded_is_accessible_too(
    release: Path, filed: Callable[[Path], str], window: Callable[..., Window], dark: bool
) -> None:
    page = window(filed(release), NARROW, dark=dark).open("/report.html")
    page.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")
    assert overflows(page) == 0
    assert serious(page) == []


def test_the_report_says_the_same_without_script(
    release: Path, filed: Callable[[Path], str], window: Callable[..., Window]
) -> None:
    with_script = window(filed(release)).open("/report.html").inner_text("body")
    assert window(filed(release), script=False).open("/report.html").inner_text("body") == with_script


def test_hostile_documents_are_shown_and_do_nothing(
    hostile: Path, filed: Callable[[Path], str], window: Callable[..., Window]
) -> None:
    page = window(filed(hostile)).open("/report.html")
    page.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")
    assert page.title() != "owned"
    body = page.inner_text("body")
    assert "<script>" in body
    assert "U+202E" in body
    assert not set(body) & set("\x1b\x9b\u202e\u2066\u200b\ufeff")
    assert page.locator("script, img[src^='http'], iframe, object, [onerror], [onload]").count() == 0
    assert overflows(page) == 0
    links = page.eval_on_selector_all("a[href]", "links => links.map(link => link.href)")
    assert [link for link in links if link.startswith(("javascript:", "data:"))] == []
    picture(page, "report-hostile", whole=True)


def test_on_paper_nothing_is_cut_off(
    release: Path, filed: Callable[[Path], str], window: Callable[..., Window]
) -> None:
    page = window(filed(release), WIDE, dark=True).open("/report.html")
    page.emulate_media(media="print")
    colors = page.evaluate("[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]")
    assert colors[0] in ("rgb(255, 255, 255)", "rgba(0, 0, 0, 0)")
    assert colors[1] == "rgb(0, 0, 0)"
    page.set_viewport_size({"width": 760, "height": 1000})  # A4 at 96 dots an inch, less margins
    assert overflows(page) == 0
