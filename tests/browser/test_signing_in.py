"""Signing in at a real OpenID provider, in a real browser: what each role sees and can do, also around the page."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, WebSocketRoute, expect
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from patchcore.thresholds.operating_point import OperatingPoint
from tests.browser.identity import COOKIE_SECRET, NEEDS_PROVIDER, PASSWORD, Provider
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
DEEP = ("build", "inspect?inspector=washer", "tune?inspector=washer", "evaluate?inspector=washer", "")


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


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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


@pytest.fixture
def enter(dashboard: Dashboard, browser: Browser) -> Any:
    """Sign in as somebody by the provider's own form; None: do not."""
    dashboard.allow(LIST)
    contexts: list[BrowserContext] = []

    def enter_as(name: str | None) -> Page:
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.goto(dashboard.url)
        if name is not None:
            sign_in(page, name)
        return page

    expect.set_options(timeout=PATIENCE)
    yield enter_as
    for context in contexts:
        context.close()


def sign_in(page: Page, name: str) -> None:
    """Go through the provider's form, to the dashboard or to where it says why not."""
    page.get_by_role("button", name="Sign in").click()
    page.locator("input[name=login]").fill(name)
    page.get_by_role("button", name="Continue").click()
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def test_a_signed_out_person_gets_nothing_by_any_address(dashboard, enter):
    page = enter(None)
    for address in DEEP:
        page.goto(f"{dashboard.url}/{address}")
        expect(page.get_by_role("button", name="Sign in")).to_be_visible()
        expect(page.locator(".pc-inspector")).to_have_count(0)
        assert "Washer" not in page.content()


def test_an_unlisted_person_learns_whom_to_ask_and_can_leave(dashboard, enter):
    page = enter("nemo")
    told = page.get_by_text("Nemo *Nobody* (nemo@example.com), who is not on the list")
    expect(told).to_be_visible()
    expect(told).to_contain_text("Ask Ada, phone 4711")
    page.goto(f"{dashboard.url}/tune?inspector=washer")
    expect(told).to_be_visible()
    assert "Washer" not in page.content()
    page.get_by_role("button", name="Sign out").click()
    leave_the_provider(page)
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_a_viewer_sees_all_and_gets_around_nothing(dashboard, enter):
    page = enter("vic")
    wire = Wire(page)
    before = dashboard.point
    page.goto(f"{dashboard.url}/inspect?inspector=washer&threshold=0.25&review=none")
    expect(page.locator(".pc-facts", has_text="Vic Viewer (vic@example.com)")).to_be_visible()
    expect(page.locator(".tile canvas").first).to_be_visible()
    use = page.get_by_role("button", name="Use this threshold")
    expect(use).to_be_disabled()
    wire.press("Use this threshold")  # as no browser would
    page.goto(f"{dashboard.url}/build")
    expect(page.get_by_text("Building inspectors takes the role engineer; yours is view.")).to_be_visible()
    page.goto(f"{dashboard.url}/tune?inspector=washer")
    expect(page.get_by_text("This takes the role operate; yours is view.")).to_be_visible()
    expect(page.get_by_role("button", name="Undo the last label")).to_be_disabled()
    assert dashboard.point == before


def test_an_operator_brings_images_and_an_engineer_decides(dashboard, enter, tmp_path):
    operator, engineer = enter("ola"), enter("ada")
    operator.goto(f"{dashboard.url}/inspect?inspector=washer&threshold=0.2&review=none")
    expect(operator.get_by_role("button", name="Use this threshold")).to_be_disabled()
    operator.get_by_role("button", name="Add images").click()
    expect(operator.locator("input[type=file]")).to_have_count(1)
    engineer.goto(f"{dashboard.url}/inspect?inspector=washer&threshold=0.2&review=none")
    engineer.get_by_role("button", name="Use this threshold").click()
    expect(engineer.get_by_role("button", name="Back to 0.200").first).to_be_visible()
    assert (dashboard.point.reject, dashboard.point.set_by) == (0.2, "Ada Engineer (ada@example.com)")


def test_the_list_counts_at_once_and_a_broken_one_lets_nobody_in(dashboard, enter):
    page = enter("ada")
    wire = Wire(page)
    page.goto(f"{dashboard.url}/inspect?inspector=washer&threshold=0.3&review=none")
    expect(page.get_by_role("button", name="Use this threshold")).to_be_enabled()
    dashboard.allow(LIST.replace("engineer", "view"))
    before = dashboard.point
    wire.press("Use this threshold")
    expect(page.locator(".pc-facts", has_text="role view")).to_be_visible()
    expect(page.get_by_role("button", name="Use this threshold")).to_be_disabled()
    assert dashboard.point == before
    dashboard.allow(LIST + "carl = engineer\n")
    page.reload()
    expect(page.get_by_text(re.compile(r"people\.toml, line 6: "))).to_be_visible()
    assert "Washer" not in page.content()
    dashboard.allow(LIST)
    page.reload()
    expect(page.get_by_role("button", name="Use this threshold")).to_be_enabled()
    wire.press("Use this threshold")
    assert (
        dashboard.point.reject == 0.3
    )  # so it was the role that kept this very message from having an effect


def test_signing_out_leaves_nothing_behind(dashboard, enter):
    page = enter("ada")
    page.get_by_role("button", name="Sign out").click()
    leave_the_provider(page)
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    page.goto(f"{dashboard.url}/tune?inspector=washer")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert "Washer" not in page.content()


def test_an_address_belongs_to_the_account_that_signed_in_with_it_first(dashboard, enter):
    expect(enter("ada").locator(".pc-facts", has_text="role engineer")).to_be_visible()
    page = enter("eve")
    told = page.get_by_text("The address ada@example.com belongs to another account")
    expect(told).to_contain_text("python -m workbench people --release ada@example.com")
    assert "Washer" not in page.content()
    try:
        assert release(dashboard.workspace, "ada@example.com") == Account(dashboard.issuer, "ada")
        page.reload()
        expect(page.locator(".pc-facts", has_text="Eve Engineer (ada@example.com)")).to_be_visible()
        expect(enter("ada").get_by_text("belongs to another account")).to_be_visible()
    finally:
        release(dashboard.workspace, "ada@example.com")


def test_an_account_without_a_verified_address_is_known_once_it_is_listed(dashboard, enter):
    page = enter("una")
    line = f'"{dashboard.issuer} una" = "view"'
    told = page.get_by_text("Your address is not verified where you signed in")
    expect(told).to_contain_text(line)
    assert "Washer" not in page.content()
    dashboard.allow(LIST + '"una@example.com" = "engineer"\n')
    page.reload()
    expect(told).to_be_visible()
    dashboard.allow(f"{LIST}{line}\n")
    page.reload()
    expect(page.locator(".pc-facts", has_text="Una Unverified (una at localhost")).to_be_visible()


def forged_cookie(url: str, secret: str, **claims: Any) -> dict[str, str]:
    """Return a cookie that says that an engineer has signed in, signed as Streamlit signs."""
    known = {
        "iss": "http://localhost:1",
        "sub": "mallory",
        "email": "forged@example.com",
        "email_verified": True,
    }
    told = {"is_logged_in": True, "origin": url, "provider": "default", **known, **claims}
    value = create_signed_value(secret, USER_COOKIE_NAME, json.dumps(told)).decode()
    return {"name": USER_COOKIE_NAME, "value": value, "url": url}


def test_a_cookie_that_somebody_made_at_home_opens_nothing(dashboard, enter):
    dashboard.allow(LIST + '"forged@example.com" = "engineer"\n')
    page = enter(None)
    for secret in ("", " ", "xxx", FORMER_WORDS, COOKIE_SECRET[:-1], COOKIE_SECRET.upper()):
        page.context.add_cookies([forged_cookie(dashboard.url, secret)])
        page.goto(f"{dashboard.url}/tune?inspector=washer")
        expect(page.get_by_role("button", name="Sign in")).to_be_visible()
        assert "Washer" not in page.content()
    page.context.add_cookies([forged_cookie(dashboard.url, COOKIE_SECRET)])
    page.goto(f"{dashboard.url}/tune?inspector=washer")
    expect(page.locator(".pc-facts", has_text="forged@example.com")).to_be_visible()  # so it was the secret


@pytest.mark.parametrize("secret", ["", FORMER_WORDS])
def test_a_secret_that_anybody_knows_keeps_everybody_out(secret, dashboard, enter, serve, tmp_path_factory):
    folder, port = tmp_path_factory.mktemp("known"), free_port()
    secrets = folder / "secrets.toml"
    provider = Provider(1, f"http://localhost:{port}/oauth2callback", {})
    secrets.write_text(provider.secrets(secret), encoding="utf-8")
    workspace = Workspace(folder / "workspace")
    (workspace.root / "people.toml").write_text('"forged@example.com" = "engineer"\n', encoding="utf-8")
    options = ("--secrets.files", str(secrets))
    server = serve("app.py", workspace=workspace.root, port=port, options=options)
    page = enter(None)
    page.context.add_cookies([forged_cookie(server.url, secret)])
    page.goto(f"{server.url}/build")
    expect(page.get_by_text(f"{secrets}, section [auth]: cookie_secret ")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^Sign"))).to_have_count(0)
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


@dataclass
class Wire:
    """What goes over a page's line to the server, and a way to send what the page would not."""

    page: Page
    told: list[bytes] = field(default_factory=list)
    said: list[bytes] = field(default_factory=list)
    server: WebSocketRoute | None = None

    def __post_init__(self) -> None:
        self.page.route_web_socket(re.compile("_stcore/stream"), self._between)

    def press(self, label: str) -> None:
        """Send a click on a button, whether or not it is disabled, and wait until the run it causes has ended."""
        self._rest()
        assert self.server is not None
        message = BackMsg()
        message.ParseFromString(self._last_run())
        for name in ("fragment_id", "is_auto_rerun"):
            message.rerun_script.ClearField(name)
        state = message.rerun_script.widget_states.widgets.add()
        state.id, state.trigger_value = self._widget(label), True
        ended = self._runs_ended()
        self.server.send(message.SerializeToString())
        for _ in range(300):
            if self._runs_ended() > ended:
                return self._rest()
            self.page.wait_for_timeout(100)
        raise AssertionError("the click was not answered")

    def _rest(self) -> None:
        """Wait until no run is under way."""
        expect(self.page.locator("[data-test-script-state=notRunning]")).to_be_visible()
        self.page.wait_for_timeout(500)
        expect(self.page.locator("[data-test-script-state=notRunning]")).to_be_visible()

    def _between(self, browser: WebSocketRoute) -> None:
        server = self.server = browser.connect_to_server()
        self.told.clear()

        def to_server(payload: Any) -> None:
            self.said.append(payload)
            server.send(payload)

        def to_browser(payload: Any) -> None:
            self.told.append(payload)
            browser.send(payload)

        browser.on_message(to_server)
        server.on_message(to_browser)

    def _messages(self) -> list[ForwardMsg]:
        found = []
        for payload in list(self.told):
            message = ForwardMsg()
            message.ParseFromString(payload)
            found.append(message)
        return found

    def _runs_ended(self) -> int:
        return sum(message.WhichOneof("type") == "script_finished" for message in self._messages())

    def _widget(self, label: str) -> str:
        for message in reversed(self._messages()):
            button = message.delta.new_element.button
            if message.WhichOneof("type") == "delta" and button.label == label:
                return str(button.id)
        raise AssertionError(f"there is no button {label}")

    def _last_run(self) -> bytes:
        for payload in reversed(self.said):
            message = BackMsg()
            message.ParseFromString(payload)
            if message.WhichOneof("type") == "rerun_script":
                return payload
        raise AssertionError("the page has asked for nothing")
