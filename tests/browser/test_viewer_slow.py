"""What the viewer does while the server is busy: pictures stay served, and browser and page end up agreeing."""

import json
import re
from dataclasses import dataclass, field
from urllib.parse import quote

import pytest
from playwright.sync_api import WebSocketRoute, expect
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.browser.conftest import VIEWERS
from tests.browser.settled import settle, until


@pytest.fixture
def url(shared_servers):
    """The address of the slow page, for the tests that open it themselves."""
    wanted = quote(json.dumps({"part": "slow", "number": 0}))
    return f"{shared_servers(VIEWERS).url}/?wanted={wanted}"


def test_pictures_stay_served_while_a_run_is_cut_short(draw, parts_page):
    before = len(parts_page.watched.requests)
    watched = draw("slow")
    page = watched.page
    expect(page.locator(".tile.painted")).to_have_count(6)
    picture = next(one for one in watched.requests[before:] if one.endswith(".bin"))
    slow = page.get_by_role("button", name="Slow", exact=True)
    for _ in range(3):
        slow.click()  # cuts the run before short
        assert all_answers(page, picture, 8) == {200}
    expect(page.locator(".tile.painted")).to_have_count(6)


def test_pictures_stay_served_while_a_callback_holds_a_run_up_and_another_session_ends_one(
    draw, parts_page, open_page, url
):
    before = len(parts_page.watched.requests)
    watched = draw("slow")
    page, force = watched.page, watched.page.get_by_text(re.compile("^in force"))
    page.get_by_role("button", name="Another line").click()
    expect(force).to_have_text("in force 3.2 None")
    expect(page.locator(".tile.painted")).to_have_count(6)
    pictures = {one for one in watched.requests[before:] if one.endswith(".bin")}
    page.get_by_role("button", name="Wait").click()
    other = open_page(url).page
    expect(other.locator(".tile.painted")).to_have_count(6)
    settle(other)
    assert all(all_answers(page, picture, 1) == {200} for picture in pictures)
    other.get_by_role("button", name="Let go").click()
    settle(page)


def all_answers(page, url, times):
    """Ask for a file again and again, and return every status that came."""
    statuses = set()
    for _ in range(times):
        statuses.add(page.request.get(url).status)
        page.wait_for_timeout(50)
    return statuses


def test_a_line_moved_before_the_pages_own_wish_is_on_screen_follows_the_wish(open_page, url):
    page = open_page("about:blank").page
    line = SlowLine()
    page.route_web_socket(re.compile("_stcore/stream"), line.connect)
    page.goto(url)
    reject, force = (
        page.get_by_role("slider", name="Reject threshold"),
        page.get_by_text(re.compile("^in force")),
    )
    expect(page.locator(".tile.painted")).to_have_count(6)
    line.holding = True
    page.get_by_role("button", name="Without a band").click()
    until(
        page, lambda: line.runs_held == 1
    )  # the server has drawn its wish, and the browser has not heard of it
    reject.focus()
    reject.press("PageDown")
    expect(reject).not_to_have_attribute("aria-valuenow", "3.42")
    until(page, lambda: line.runs_held == 2)
    line.release()
    expect(force).to_have_text("in force 3 None")
    expect(page.locator(".counts .review")).to_be_hidden()
    expect(reject).to_have_attribute("aria-valuenow", "3")
    reject.press("PageDown")
    expect(force).not_to_have_text("in force 3 None")
    assert force.inner_text() == f"in force {float(reject.get_attribute('aria-valuenow')):.6g} None"


@dataclass
class SlowLine:
    """The connection from server to browser; while it is held, nothing arrives."""

    holding: bool = False
    held: list[str | bytes] = field(default_factory=list)

    @property
    def runs_held(self) -> int:
        """How many runs have ended of which the browser has not heard."""
        held = [ForwardMsg.FromString(message) for message in self.held if isinstance(message, bytes)]
        return sum(message.HasField("script_finished") for message in held)

    def connect(self, page: WebSocketRoute) -> None:
        self.page, server = page, page.connect_to_server()
        page.on_message(server.send)
        server.on_message(self.arrive)

    def arrive(self, message: str | bytes) -> None:
        if self.holding:
            self.held.append(message)
        else:
            self.page.send(message)

    def release(self) -> None:
        self.holding = False
        for message in self.held:
            self.page.send(message)
