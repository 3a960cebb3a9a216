"""The real browser and the running Streamlit apps that the browser tests share.

``serve(app)`` starts ``streamlit run`` for an app file once per test module (own port, own empty
workspace) and gives its address. ``open_page`` opens pages in a headless Chromium and fails the test
if a page wrote an error to its console. ``draw`` draws a part of the viewer on a page that all tests
share: a page that loads costs seconds, a part that is drawn does not.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import IO, Any, Literal

import pytest
from playwright.sync_api import Browser, Error, Page, WebSocket, expect, sync_playwright

from tests.browser.chromium import find_chromium
from tests.browser.settled import settle

ROOT = Path(__file__).resolve().parents[2]
EVIL = "evil.test"  # a name that leads to this computer, as its owner may have it lead anywhere
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--force-color-profile=srgb",  # screenshots then hold the very values that were painted
    "--enable-precise-memory-info",
    f"--host-resolver-rules=MAP *{EVIL} 127.0.0.1",
]
# What Streamlit's own page says in a plain headless browser; none of it is ours.
# On an address such as /inspect it first looks for a server below /inspect/ (a base path), then at the root.
CONSOLE_NOISE = (
    "Unrecognized feature:",
    "preloaded using link preload",
    "was preloaded",
    "/_stcore/health",
    "/_stcore/host-config",
)
START_SECONDS = 60


@dataclass
class AppServer:
    """A running app: where it answers, where its workspace lies and what it has printed."""

    url: str
    workspace: Path
    process: subprocess.Popen[bytes]
    log_path: Path

    def log(self) -> str:
        """Return everything the server has written so far."""
        return self.log_path.read_text(errors="replace", encoding="utf-8")


@dataclass
class ServerPool:
    """Starts each app once and stops all of them at the end of a module: an idle server takes a gigabyte."""

    folder: Path
    running: dict[tuple[Any, ...], AppServer] = field(default_factory=dict)
    logs: list[IO[bytes]] = field(default_factory=list)

    def __call__(
        self,
        app: str | Path,
        *,
        workspace: Path | None = None,
        port: int | None = None,
        options: Sequence[str] = (),
        **environment: str,
    ) -> AppServer:
        """Return the running server of ``app`` (a path from the project root), starting it when needed."""
        key = (str(app), workspace, port, *options, *sorted(environment.items()))
        if key not in self.running:
            self.running[key] = self._start(ROOT / app, workspace, environment, port or free_port(), options)
        return self.running[key]

    def _start(
        self,
        app: Path,
        workspace: Path | None,
        environment: dict[str, str],
        port: int,
        options: Sequence[str],
    ) -> AppServer:
        number = len(self.running)
        workspace = workspace or self.folder / f"workspace{number}"
        log_path = self.folder / f"server{number}.log"
        log = log_path.open("wb")
        self.logs.append(log)
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", str(app), *server_options(port), *options],
            cwd=ROOT,
            env={
                **os.environ,
                "PATCHCORE_WORKSPACE": str(workspace),
                "PYTHONPATH": str(ROOT),
                "OMP_NUM_THREADS": "1",  # more would wait for each other, as busily as if they worked
                **environment,
            },
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        server = AppServer(f"http://localhost:{port}", workspace, process, log_path)
        wait_until_healthy(server)
        return server

    def stop(self) -> None:
        """Stop every server that was started."""
        for server in self.running.values():
            server.process.terminate()
        for server in self.running.values():
            try:
                server.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                server.process.kill()
                server.process.wait()
        for log in self.logs:
            log.close()


def server_options(port: int) -> list[str]:
    """Return the options of a server that opens no browser of its own."""
    return ["--server.port", str(port), "--server.headless", "true", "--browser.gatherUsageStats", "false"]


def free_port() -> int:
    """Return a port nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_healthy(server: AppServer) -> None:
    """Block until the server answers its health check; fail with its log when it never does."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            with urllib.request.urlopen(f"{server.url}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.1)
    pytest.fail(f"The app did not start:\n{server.log()}")


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerPool]:
    pool = ServerPool(tmp_path_factory.mktemp("servers"))
    yield pool
    pool.stop()


@pytest.fixture(scope="session")
def shared_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerPool]:
    """Servers that tests of several modules use, until the last test has ended."""
    pool = ServerPool(tmp_path_factory.mktemp("shared"))
    yield pool
    pool.stop()


@pytest.fixture(scope="session")
def house(shared_servers: ServerPool, tmp_path_factory: pytest.TempPathFactory) -> AppServer:
    """The dashboard of most modules, each of which has inspectors of its own in its workspace."""
    roots = str(tmp_path_factory.getbasetemp())
    return shared_servers("app.py", PATCHCORE_JOBS="2", PATCHCORE_ROOTS=roots)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = find_chromium()
    if path is None:
        pytest.fail(
            "No Chromium on this machine; `make test` installs one, or python -m tests.browser.chromium."
        )
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        yield running
        running.close()


@dataclass
class Watched:
    """A page with what happened on it: console errors, requests, frames to the server."""

    page: Page
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    frames_sent: list[str | bytes] = field(default_factory=list)

    def watch(self) -> None:
        """Start recording."""
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("websocket", self._websocket)

    def _websocket(self, socket: WebSocket) -> None:
        socket.on("framesent", self._frame_sent)

    def _frame_sent(self, payload: str | bytes) -> None:
        # a method of its own: Playwright cannot mark a list's built-in append as its handler
        self.frames_sent.append(payload)

    def _console(self, message: Any) -> None:
        words = f"{message.text} ({message.location.get('url', '')})"
        if message.type == "error" and not any(noise in words for noise in CONSOLE_NOISE):
            self.errors.append(words)


OpenPage = Callable[..., Watched]


def opened(
    browser: Browser,
    url: str,
    *,
    width: int = 1440,
    height: int = 900,
    dark: bool = False,
    reduced_motion: bool = True,
    touch: bool = False,
) -> Watched:
    """Open an address in a browser context of its own and start recording; the caller closes the context."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce" if reduced_motion else "no-preference",
        has_touch=touch,
    )
    watched = Watched(context.new_page())
    watched.watch()
    watched.page.goto(url)
    return watched


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Give ``open_page(url, ...)`` with what `opened` takes; console errors fail the test."""
    pages: list[Watched] = []

    def open_one(url: str, **look: Any) -> Watched:
        pages.append(opened(browser, url, **look))
        return pages[-1]

    yield open_one
    for watched in pages:
        try:
            watched.page.context.close()
        except Error:  # the test has closed it itself
            continue
    assert not [error for watched in pages for error in watched.errors]


def ready_page(opened: Watched, patience: int) -> Page:
    """Return a page, after setting how long everything on it may take, in milliseconds."""
    opened.page.set_default_timeout(patience)
    expect.set_options(timeout=patience)
    return opened.page


VIEWERS = "tests/browser/apps/viewers.py"
PART_PATIENCE = 60_000  # milliseconds; the machine may be busy


@dataclass
class PartsPage:
    """The page on which parts of the viewer are drawn one after the other, each from nothing."""

    watched: Watched
    number: int = 0

    def draw(
        self, part: str, *, window: tuple[int, int] = (1440, 900), dark: bool = False, **parameters: Any
    ) -> Watched:
        """Draw a part (a module of ``apps``) with its parameters, and wait until nothing of the last one is left."""
        page = self.watched.page
        page.set_viewport_size({"width": window[0], "height": window[1]})
        page.emulate_media(color_scheme="dark" if dark else "light")
        page.mouse.move(0, 0)
        self.number += 1
        box = page.get_by_role("textbox", name="Wanted")
        box.fill(json.dumps({"part": part, "number": self.number, **parameters}))
        box.press("Enter")
        parts = page.locator("[class*=st-key-part_]")
        expect(parts).to_have_class(re.compile(rf"st-key-part_{self.number}\b"), timeout=PART_PATIENCE)
        expect(page.locator(".stApp")).to_have_attribute(
            "data-test-script-state", "notRunning", timeout=PART_PATIENCE
        )
        return self.watched


@pytest.fixture(scope="session")
def parts_page(browser: Browser, shared_servers: ServerPool) -> Iterator[PartsPage]:
    watched = opened(browser, shared_servers(VIEWERS).url)
    yield PartsPage(watched)
    watched.page.context.close()


@pytest.fixture
def draw(parts_page: PartsPage) -> Iterator[Callable[..., Watched]]:
    """Give ``draw(part, window=, dark=, **parameters)``; console errors fail the test."""
    before = len(parts_page.watched.errors)
    ready_page(parts_page.watched, PART_PATIENCE)
    yield parts_page.draw
    assert not parts_page.watched.errors[before:]


AXE = Path(str(files("axe_playwright_python"))) / "axe.min.js"
# Files that a page names are not fetched once more: what asks for them (video, style sheets) is never serious here.
AXE_RUN = """async ([where, rules]) => {
  const options = {resultTypes: ['violations'], preload: false};
  if (rules) options.runOnly = {type: 'rule', values: rules};
  return (await axe.run(where ?? document, options)).violations
    .filter(({impact}) => impact === 'serious' || impact === 'critical')
    .map(({id, impact, nodes}) => `${impact} ${id}: ${nodes.map((node) => node.target.flat().join(' ')).join('; ')}`);
}"""
COLOUR_RULES = ["color-contrast", "link-in-text-block"]


def serious_findings(page: Page, where: str | None = None, rules: Sequence[str] = ()) -> list[str]:
    """Return what axe-core finds serious or critical on a page, or inside one element of it (a CSS selector).

    Without `rules`, all rules of axe-core are asked.
    """
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    findings: list[str] = page.evaluate(AXE_RUN, [where, list(rules) or None])
    return findings


@pytest.fixture
def find_barriers() -> Callable[..., list[str]]:
    """Give `serious_findings`, for tests that cannot import this file."""
    return serious_findings


def findings_in_both_themes(page: Page) -> list[str]:
    """Return what `serious_findings` finds in the light theme and, without loading the page again, in the dark one.

    A change of theme changes colours alone, so that the second look asks only for those.
    """
    light = serious_findings(page)
    wear(page, "dark")
    dark = serious_findings(page, rules=COLOUR_RULES)
    wear(page, "light")
    return light + dark


def wear(page: Page, theme: Literal["light", "dark"]) -> None:
    """Have the reader's system change to a theme, and wait until the page has followed."""
    page.emulate_media(color_scheme=theme)
    expect(page.locator(".stApp")).to_have_css("color-scheme", theme)
    settle(page)
