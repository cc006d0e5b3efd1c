"""A headless Chromium, spoken to over a pipe: no port, no driver, no further package."""

import base64
import fcntl
import importlib.util
import json
import os
import re
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

OPTIONS = "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-sync"
OPTIONS += " --disable-component-update --hide-scrollbars --remote-debugging-pipe"
PHONES_END = 600


class Chromium:
    """A running browser: messages go down one pipe and come up another."""

    def __init__(self, program: str, profile: Path) -> None:
        down, up = _high_pipe(), _high_pipe()
        self._to, self._from, self._waiting = down[1], up[0], b""
        # Chromium reads commands from descriptor 3 and answers on 4.
        wiring = [(os.POSIX_SPAWN_DUP2, down[0], 3), (os.POSIX_SPAWN_DUP2, up[1], 4)]
        wiring += [(os.POSIX_SPAWN_OPEN, talk, os.devnull, os.O_WRONLY, 0) for talk in (1, 2)]
        command = [program, *OPTIONS.split(), f"--user-data-dir={profile}", "about:blank"]
        self._pid = os.posix_spawn(program, command, os.environ, file_actions=wiring)
        os.close(down[0])
        os.close(up[1])

    def send(self, message: dict[str, Any]) -> None:
        """Send one message."""
        os.write(self._to, json.dumps(message).encode() + b"\0")

    def receive(self) -> dict[str, Any]:
        """Wait for the next message."""
        while b"\0" not in self._waiting:
            got = os.read(self._from, 1 << 16)
            assert got, "Chromium closed its pipe"
            self._waiting += got
        message, _, self._waiting = self._waiting.partition(b"\0")
        return dict(json.loads(message))

    def close(self) -> None:
        """End the browser."""
        os.kill(self._pid, signal.SIGTERM)
        os.waitpid(self._pid, 0)
        os.close(self._to)
        os.close(self._from)


def _high_pipe() -> tuple[int, int]:
    """Make a pipe out of the way of the descriptors that Chromium wants."""
    low = os.pipe()
    high = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in low)
    for end in low:
        os.close(end)
    return high[0], high[1]


class Page:
    """One tab, seen through the DevTools protocol.

    What the page asked for and complained about is in ``requests`` and ``complaints``: attributed to this page by the
    browser itself, so that Chromium's own background traffic is not counted.
    """

    def __init__(self, browser: Chromium) -> None:
        self._browser, self._number, self._session = browser, 0, ""
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.loaded = False
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log", "Audits"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Ask the browser for something and wait for its answer."""
        self._number += 1
        session = {"sessionId": self._session} if self._session else {}
        self._browser.send({"id": self._number, "method": method, "params": parameters} | session)
        while True:
            answer = self._next()
            if answer.get("id") == self._number and answer.get("sessionId", "") == self._session:
                assert "error" not in answer, answer
                return dict(answer["result"])

    def open(self, path: Path, *, width: int, dark: bool = False) -> None:
        """Open a file at a width in CSS pixels and wait until it has loaded."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.loaded = False
        self.call("Page.navigate", url=path.as_uri())
        while not self.loaded:
            self._next()
        self.evaluate("Promise.all([...document.images].map(i => i.decode().catch(() => null))).then(() => 1)")

    def evaluate(self, expression: str) -> Any:
        """Evaluate an expression in the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        return answer["result"].get("value")

    def _next(self) -> dict[str, Any]:
        event = self._browser.receive()
        if event.get("sessionId") == self._session:
            self._note(event)
        return event

    def _note(self, event: dict[str, Any]) -> None:
        method, told = event.get("method"), event.get("params", {})
        if method == "Page.loadEventFired":
            self.loaded = True
        elif method == "Network.requestWillBeSent" and not told["request"]["url"].startswith("data:"):
            self.requests.append(told["request"]["url"])
        elif method in {"Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded", "Audits.issueAdded"}:
            self.complaints.append(json.dumps(told))


def _absent(what: str) -> None:
    """Skip what cannot run here; where the pages must have been opened, fail."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="session")
def axe() -> str:
    """Give the text of axe-core, which judges a page by the rules of WCAG."""
    path = Path(os.environ.get("NOF1_AXE", "axe.min.js"))
    if not path.is_file():
        _absent("no axe-core: set NOF1_AXE to the path of axe.min.js from the npm package axe-core")
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """Start Chromium with a profile of its own, and end it."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        _absent("no Chromium on this machine: install Debian's package chromium to open the pages")
    assert program is not None
    chromium = Chromium(program, tmp_path_factory.mktemp("profile"))
    yield chromium
    chromium.close()


@pytest.fixture
def page(browser: Chromium) -> Page:
    """Open a tab that has seen nothing yet."""
    return Page(browser)


@pytest.fixture(scope="session")
def make() -> Callable[..., Any]:
    """Make the synthetic results of the report's own tests."""
    path = Path(__file__).parents[1] / "report" / "conftest.py"
    spec = importlib.util.spec_from_file_location("synthetic_results", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made: Callable[..., Any] = module.made
    return made


def sheets(page: Page, path: Path) -> int:
    """Print a page on A4 and count the sheets."""
    page.open(path, width=1280)
    pdf = base64.b64decode(page.call("Page.printToPDF", preferCSSPageSize=True)["data"])
    width, height = (float(side) for side in re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf)[0])
    assert (width, height) == pytest.approx((595.3, 841.9), abs=1.5)
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


@pytest.fixture(scope="session")
def printed() -> Callable[[Page, Path], int]:
    """Give tests the printer."""
    return sheets


@pytest.fixture(scope="session")
def report(make: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write one report page to disk."""
    from nof1.report.page import render_report

    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render_report(*make("benefit", blinding="open label", drawn_by_nof1=False)), encoding="utf-8")
    return path
