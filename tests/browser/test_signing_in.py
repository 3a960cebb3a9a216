"""Signing in at a real OpenID provider: what each role sees and can do in a real browser, and around every page."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urljoin

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from patchcore.thresholds.operating_point import OperatingPoint
from tests.browser.conftest import free_port
from tests.browser.identity import COOKIE_SECRET, NEEDS_PROVIDER, PASSWORD, Provider
from tests.browser.line import Line, session
from tests.pages.prepared import prepare
from tests.pages.texts import ROOT
from workbench.inspectors.versions import find_inspector
from workbench.people.accounts import Account
from workbench.storage.address_owners import release
from workbench.storage.workspace import Workspace

pytestmark = NEEDS_PROVIDER
PATIENCE = 40_000
PEOPLE = {
    "vic": "Vic Viewer",
    "ola": "Ola Operator",
    "ada": "Ada Engineer",
    "nemo": "Nemo *Nobody*",
    "eve": "Eve Engineer",
    "una": "Una Unverified",
}
ADDRESSES = {"eve": "ada@example.com"}
LIST = """
"vic@example.com" = "view"
"ola@example.com" = "operate"
"ada@example.com" = "engineer"
ask = "Ada, phone 4711"
"""
FORMER_WORDS = "a long random text: python -c 'import secrets; print(secrets.token_hex())'"
TUNE = "tune?inspector=washer"
DEEP = ("build", "inspect?inspector=washer", TUNE, "evaluate?inspector=washer", "")


@dataclass
class Dashboard:
    """The dashboard with its people."""

    url: str
    workspace: Workspace
    issuer: str

    def allow(self, people: str) -> None:
        (self.workspace.root / "people.toml").write_text(people, encoding="utf-8")

    @property
    def point(self) -> OperatingPoint:
        inspector = find_inspector(self.workspace, "washer")
        assert inspector is not None and inspector.current is not None
        return OperatingPoint.from_dict(inspector.current.operating_point)


@pytest.fixture(scope="module")
def dashboard(serve: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    root = prepare(tmp_path_factory.mktemp("people") / "workspace")
    port = free_port()
    back = f"http://localhost:{port}/oauth2callback"
    with Provider(free_port(), back, PEOPLE, addresses=ADDRESSES, unverified=["una"]) as provider:
        secrets = root.parent / "secrets.toml"
        secrets.write_text(provider.secrets(), encoding="utf-8")
        secrets.chmod(0o600)
        options = ("--secrets.files", str(secrets))
        server = serve("app.py", workspace=root, port=port, options=options)
        yield Dashboard(server.url, Workspace(root), provider.url)


@pytest.fixture(scope="module")
def cookies_of(dashboard: Dashboard, browser: Browser) -> Callable[[str], list[Any]]:
    """Give the cookies of a person who has signed in by the provider's own form; each person does it once."""

    @cache
    def of(name: str) -> list[Any]:
        context = browser.new_context()
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        with session(dashboard.url) as line:
            line.open("")
            line.press("Sign in")
            address = line.redirect
        page.route(
            "**/static/**", lambda route: route.abort()
        )  # the cookies come without the dashboard's scripts
        page.goto(urljoin(dashboard.url, address))
        fill_the_form(page, name)
        page.wait_for_url(f"{dashboard.url}/")
        found = context.cookies()
        context.close()
        return found

    return of


@pytest.fixture
def enter(dashboard: Dashboard, browser: Browser, cookies_of: Any) -> Iterator[Callable[..., Page]]:
    """Open an address of the dashboard as a person who has signed in; None: as nobody."""
    dashboard.allow(LIST)
    contexts: list[BrowserContext] = []

    def enter_as(name: str | None, address: str = "") -> Page:
        cookies = [] if name is None else cookies_of(name)
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        context.add_cookies(cookies)
        page = context.new_page()
        page.goto(f"{dashboard.url}/{address}")
        return page

    expect.set_options(timeout=PATIENCE)
    yield enter_as
    for context in contexts:
        context.close()


@pytest.fixture
def line_of(dashboard: Dashboard, cookies_of: Any) -> Callable[..., AbstractContextManager[Line]]:
    """Open a line to the server as a person who has signed in; None: as nobody."""
    dashboard.allow(LIST)
    return lambda name: session(dashboard.url, {} if name is None else plain(cookies_of(name)))


def plain(cookies: list[Any]) -> dict[str, str]:
    """Return cookies as a request names them."""
    return {one["name"]: one["value"] for one in cookies}


def fill_the_form(page: Page, name: str) -> None:
    """Sign in at the provider, which sends the browser back."""
    page.locator("input[name=login]").fill(name)
    page.get_by_role("button", name="Continue").click()
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Accept").click()


def gets_nothing(line: Line, address: str = TUNE) -> bool:
    """Whether the server sends the way in and nothing else."""
    line.open(address)
    return list(line.enabled) == ["Sign in"] and not line.holds("Washer")


def test_a_signed_out_person_gets_nothing_by_any_address(line_of, enter):
    with line_of(None) as line:
        assert [address for address in DEEP if not gets_nothing(line, address)] == []
    page = enter(None, TUNE)
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    expect(page.locator(".pc-inspector")).to_have_count(0)
    assert "Washer" not in page.content()


def test_an_unlisted_person_learns_whom_to_ask_and_can_leave(dashboard, enter):
    page = enter(None)
    page.get_by_role("button", name="Sign in").click()
    fill_the_form(page, "nemo")
    told = page.get_by_text("Nemo *Nobody* (nemo@example.com), who is not on the list")
    expect(told).to_be_visible()
    expect(told).to_contain_text("Ask Ada, phone 4711")
    assert "Washer" not in page.content()
    with session(dashboard.url, plain(page.context.cookies())) as line:
        for address in DEEP:
            line.open(address)
            assert line.holds("who is not on the list") and not line.holds("Washer")
    page.get_by_role("button", name="Sign out").click()
    leave_the_provider(page)
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_a_viewer_sees_all_and_gets_around_nothing(dashboard, enter, line_of):
    before, address = dashboard.point, "inspect?inspector=washer&threshold=0.25&review=none"
    page = enter("vic", address)
    expect(page.locator(".pc-facts", has_text="Vic Viewer (vic@example.com)")).to_be_visible()
    expect(page.locator(".tile canvas").first).to_be_visible()
    expect(page.get_by_role("button", name="Use this threshold")).to_be_disabled()
    page.get_by_role("link", name="Build").click()
    expect(page.get_by_text("Building inspectors takes the role engineer; yours is view.")).to_be_visible()
    page.get_by_role("link", name="Tune").click()
    expect(page.get_by_text("This takes the role operate; yours is view.")).to_be_visible()
    expect(page.get_by_role("button", name="Undo the last label")).to_be_disabled()
    with line_of("vic") as line:
        line.open(address)
        line.press("Use this threshold")  # as no browser would
        assert line.enabled["Use this threshold"] is False
    assert dashboard.point == before


def test_an_operator_brings_images_and_an_engineer_decides_and_leaves_nothing_behind(dashboard, enter):
    address = "inspect?inspector=washer&threshold=39&review=none"
    operator, engineer = enter("ola", address), enter("ada", address)
    expect(operator.get_by_role("button", name="Use this threshold")).to_be_disabled()
    operator.get_by_role("button", name="Add images").click()
    expect(operator.locator("input[type=file]")).to_have_count(1)
    engineer.get_by_role("button", name="Use this threshold").click()
    expect(engineer.get_by_role("button", name="Back to 39.0").first).to_be_visible()
    assert (dashboard.point.reject, dashboard.point.set_by) == (39.0, "Ada Engineer (ada@example.com)")
    engineer.get_by_role("button", name="Sign out").click()
    leave_the_provider(engineer)
    expect(engineer.get_by_role("button", name="Sign in")).to_be_visible()
    assert "Washer" not in engineer.content()
    with session(dashboard.url, plain(engineer.context.cookies())) as line:
        assert gets_nothing(line)


def test_the_list_counts_at_once_and_a_broken_one_lets_nobody_in(dashboard, line_of):
    with line_of("ada") as line:
        line.open("inspect?inspector=washer&threshold=38&review=none")
        assert line.enabled["Use this threshold"] is True
        dashboard.allow(LIST.replace("engineer", "view"))
        before = dashboard.point
        line.press("Use this threshold")
        assert line.holds("role view") and line.enabled["Use this threshold"] is False
        assert dashboard.point == before
        dashboard.allow(LIST + "carl = engineer\n")
        line.open("inspect?inspector=washer")
        assert line.holds("people.toml, line 6: ") and not line.holds("Washer")
        dashboard.allow(LIST)
        line.open("inspect?inspector=washer&threshold=38&review=none")
        assert line.enabled["Use this threshold"] is True
        line.press("Use this threshold")
    # so it was the role that kept this very message from having an effect
    assert dashboard.point.reject == 38.0


def test_an_address_belongs_to_the_account_that_signed_in_with_it_first(dashboard, enter, line_of):
    with line_of("ada") as ada, line_of("eve") as eve:
        ada.open("")
        assert ada.holds("role engineer")
        page = enter("eve")
        told = page.get_by_text("The address ada@example.com belongs to another account")
        expect(told).to_contain_text("python -m workbench people --release ada@example.com")
        assert "Washer" not in page.content()
        try:
            assert release(dashboard.workspace, "ada@example.com") == Account(dashboard.issuer, "ada")
            eve.open("")
            assert eve.holds("Eve Engineer (ada@example.com)") and eve.holds("Washer")
            wait_until_told(ada, "belongs to another account")  # the owner is asked for every other second
            assert not ada.holds("Washer")
        finally:
            release(dashboard.workspace, "ada@example.com")


def wait_until_told(line: Line, text: str) -> None:
    """Run a page until the text stands on it."""
    deadline = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < deadline:
        line.open("")
        if line.holds(text):
            return
        time.sleep(0.2)
    pytest.fail(f"The page never said: {text}")


def test_an_account_without_a_verified_address_is_known_once_it_is_listed(dashboard, enter, line_of):
    page = enter("una")
    listed = f'"{dashboard.issuer} una" = "view"'
    told = page.get_by_text("Your address is not verified where you signed in")
    expect(told).to_contain_text(listed)
    assert "Washer" not in page.content()
    with line_of("una") as line:
        dashboard.allow(LIST + '"una@example.com" = "engineer"\n')
        line.open("")
        assert line.holds("Your address is not verified where you signed in") and not line.holds("Washer")
        dashboard.allow(f"{LIST}{listed}\n")
        line.open("")
        assert line.holds("Una Unverified (una at localhost") and line.holds("Washer")


def forged_cookie(url: str, secret: str) -> dict[str, str]:
    """Return a cookie that says that an engineer has signed in, signed as Streamlit signs."""
    known = {
        "iss": "http://localhost:1",
        "sub": "mallory",
        "email": "forged@example.com",
        "email_verified": True,
    }
    told = {"is_logged_in": True, "origin": url, "provider": "default", **known}
    return {USER_COOKIE_NAME: create_signed_value(secret, USER_COOKIE_NAME, json.dumps(told)).decode()}


def test_a_cookie_that_somebody_made_at_home_opens_nothing(dashboard):
    dashboard.allow(LIST + '"forged@example.com" = "engineer"\n')
    for secret in ("", " ", "xxx", FORMER_WORDS, COOKIE_SECRET[:-1], COOKIE_SECRET.upper()):
        with session(dashboard.url, forged_cookie(dashboard.url, secret)) as line:
            assert gets_nothing(line)
    with session(dashboard.url, forged_cookie(dashboard.url, COOKIE_SECRET)) as line:
        line.open(TUNE)
        assert line.holds("forged@example.com") and line.holds("Washer")  # so it was the secret


@pytest.mark.parametrize("secret", ["", FORMER_WORDS])
def test_a_secret_that_anybody_knows_keeps_everybody_out(secret, serve, tmp_path):
    port = free_port()
    secrets = tmp_path / "secrets.toml"
    provider = Provider(1, f"http://localhost:{port}/oauth2callback", {})
    secrets.write_text(provider.secrets(secret), encoding="utf-8")
    workspace = Workspace(tmp_path / "workspace")
    (workspace.root / "people.toml").write_text('"forged@example.com" = "engineer"\n', encoding="utf-8")
    options = ("--secrets.files", str(secrets))
    server = serve("app.py", workspace=workspace.root, port=port, options=options)
    with session(server.url, forged_cookie(server.url, secret)) as line:
        line.open("build")
        assert line.holds(f"{secrets}, section [auth]: cookie_secret ")
        assert not any(label.startswith("Sign") for label in line.enabled)
    assert "[auth]: cookie_secret " in server.log()
    server.process.terminate()
    server.process.wait(timeout=10)


@pytest.mark.parametrize(
    ("variables", "told"),
    [({}, "nobody has to sign in"), ({"PATCHCORE_OPEN_NETWORK": "1"}, "only yes counts")],
)
def test_a_server_that_others_reach_does_not_start_where_nobody_signs_in(tmp_path, variables, told):
    options = ("--server.address", "0.0.0.0", "--server.headless", "true", "--server.port", str(free_port()))
    ended = subprocess.run(
        [sys.executable, "-m", "streamlit", "run", "app.py", *options],
        env={**os.environ, "PATCHCORE_WORKSPACE": str(tmp_path), **variables},
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert ended.returncode == 1 and told in ended.stdout + ended.stderr


def leave_the_provider(page: Page) -> None:
    """Sign out of the provider too, where it asks."""
    page.wait_for_load_state()
    button = page.get_by_role("button", name=re.compile("Logout|Sign out of|Yes", re.I))
    if "end_session" in page.url and button.count():
        button.first.click()
