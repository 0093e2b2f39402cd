"""A release as people open it: `make look` runs this with Debian's Chromium, headless, in which nothing but the page's own
server can be reached. Pictures of what is seen go to build/look.

Runs in an environment of its own (look/requirements.lock); the releases and `pellucid` are those of the project's.
"""

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Route, sync_playwright

HOME = Path(__file__).parents[1]
PELLUCID = HOME / ".venv" / "bin" / "pellucid"
PICTURES = HOME / "build" / "look"
AXE = HOME / "look" / "node_modules" / "axe-core" / "axe.min.js"
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
NARROW, WIDE = {"width": 320, "height": 640}, {"width": 1280, "height": 900}
SECONDS = 60  # for a server to answer, on a busy machine


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--release", type=Path, required=True, help="folder of a built release")


@pytest.fixture(scope="session")
def release(request: pytest.FixtureRequest) -> Path:
    return Path(request.config.getoption("--release")).resolve()


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release whose documents try to harm the reader."""
    return _made(tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="session")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same from an archive that takes a second or more to be read up to its documents."""
    return _made(tmp_path_factory.mktemp("slow"), 100_000)


def _made(folder: Path, entries: int = 0) -> Path:
    command = [PELLUCID.with_name("python"), "-m", "look.hostile", folder, str(entries)]
    subprocess.run(command, check=True, cwd=HOME, capture_output=True)
    return folder / "release"


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        raise pytest.UsageError("there is no Chromium; next: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(QUIET))
        yield browser
        browser.close()


class Window:
    """A page in a browser without network but for `origin`; what it should not have done is in `faults`."""

    def __init__(self, context: BrowserContext, origin: str) -> None:
        self.origin, self.faults = origin, list[str]()
        self._status = 200
        context.route("**/*", self._route)
        self.page = context.new_page()
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        self.page.on("dialog", lambda dialog: (self.faults.append(f"dialog: {dialog.message}"), dialog.dismiss()))

    def open(self, path: str, status: int = 200) -> Page:
        """Go to a path of the origin, which must answer with this status."""
        self._status = status
        answer = self.page.goto(self.origin + path, wait_until="load")
        assert answer is None or answer.status == status, f"{path}: {answer.status}"
        return self.page

    def _route(self, route: Route, request: Request) -> None:
        if request.url.startswith((f"{self.origin}/", "data:")) or request.url == self.origin:
            route.continue_()
        else:
            self.faults.append(f"request: {request.url[:200]}")
            route.abort()

    def _said(self, message: ConsoleMessage) -> None:
        wanted = f"Failed to load resource: the server responded with a status of {self._status} "
        if self._status != 200 and message.text.startswith(wanted):
            return  # the browser's own word on the page that was asked for
        if message.type in ("error", "warning"):
            self.faults.append(f"{message.type}: {message.text}")


@pytest.fixture
def window(chromium: Browser) -> Iterator[Callable[..., Window]]:
    """`window(origin, width, dark=False)`; at the end of the test no window may have a fault."""
    opened: list[tuple[BrowserContext, Window]] = []

    def make(origin: str, size: dict[str, int] = WIDE, *, dark: bool = False, script: bool = True) -> Window:
        context = chromium.new_context(
            viewport=size, color_scheme="dark" if dark else "light", java_script_enabled=script, locale="en-US",
        )  # fmt: skip
        made = Window(context, origin)
        opened.append((context, made))
        return made

    yield make
    faults = [fault for _, made in opened for fault in made.faults]
    for context, _ in opened:
        context.close()
    assert faults == []


@pytest.fixture(scope="session")
def browsed() -> Iterator[Callable[..., str]]:
    """`browsed(release, "--other", other)`: the origin of `pellucid browse` on it, ended with the session."""
    running: dict[tuple[str | Path, ...], tuple[subprocess.Popen[bytes], str]] = {}

    def serve(*arguments: str | Path) -> str:
        if arguments not in running:
            port = _free_port()
            command = [PELLUCID, "browse", *arguments, "--port", str(port), "--no-open"]
            process = subprocess.Popen(command, cwd=HOME, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            _wait_for(port, process)
            running[arguments] = process, f"http://127.0.0.1:{port}"
        return running[arguments][1]

    yield serve
    for process, _ in running.values():
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture(scope="session")
def filed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], str]:
    """`filed(release)`: the `file:` URL of its folder, where nothing is served."""
    return lambda folder: folder.resolve().as_uri()


def serious(page: Page) -> list[str]:
    """What axe-core (WCAG 2.2, A and AA, and best practices) calls serious or critical on the page as it stands."""
    page.evaluate(AXE.read_text())
    found: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{rule['id']}: {rule['help']}: {node['target']} {node.get('failureSummary', '')}"
        for rule in found["violations"]
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"][:3]
    ]


def overflows(page: Page) -> int:
    """How many pixels the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def picture(page: Page, name: str, *, whole: bool = False) -> Path:
    PICTURES.mkdir(parents=True, exist_ok=True)
    path = PICTURES / f"{name}.png"
    page.screenshot(path=path, full_page=whole)
    return path


def internal(page: Page) -> list[str]:
    """Paths of the links on a page that stay on its server, each once."""
    here = urlsplit(page.url)
    links = page.eval_on_selector_all("a[href]", "links => links.map(link => link.href)")
    return sorted(
        {urlsplit(link)._replace(fragment="").geturl() for link in links if urlsplit(link).netloc == here.netloc}
    )


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"pellucid browse ended with exit code {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"nothing listens on port {port} after {SECONDS} s")
