"""The pictures of README.md and docs/tutorial.md: `make look` takes them of the sample corpus; docs/images has copies."""

from collections.abc import Callable
from pathlib import Path

from look.conftest import Window, picture

SIZE = {"width": 1100, "height": 760}
LONG = {"width": 1100, "height": 1580}


def test_the_top_of_the_report(release: Path, filed: Callable[[Path], str], window: Callable[..., Window]) -> None:
    page = window(filed(release), LONG).open("/report.html")
    assert page.locator("h1").is_visible()
    assert picture(page, "docs-report").stat().st_size > 20_000


def test_a_dropped_document_in_the_browser(
    release: Path, browsed: Callable[[Path], str], window: Callable[..., Window]
) -> None:
    page = window(browsed(release), SIZE).open("/documents?fate=dropped&reason=near_duplicate")
    page.locator("main a[href^='/documents/']").first.click()
    page.wait_for_load_state("load")
    assert page.get_by_text("near_duplicate").first.is_visible()
    assert picture(page, "docs-dropped").stat().st_size > 20_000
