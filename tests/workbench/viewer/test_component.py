import re
from types import SimpleNamespace

import pytest
import streamlit as st

from patchcore.maps import colours
from workbench.viewer import component
from workbench.viewer.component import BROWSER, load_order, scripts


def test_every_module_comes_after_those_it_imports():
    order = load_order(scripts())
    assert order[-1] == "main"
    for name in order:
        for imported in re.findall(r'from "\./([a-z]+)\.js"', scripts()[name]):
            assert order.index(imported) < order.index(name)


def test_every_module_is_used():
    assert set(load_order(scripts())) == set(scripts())


def test_the_browser_gets_the_colours_of_the_rendering():
    palette = scripts()["palette"]
    (heat,) = re.findall(r"HEAT = Uint8Array\.from\(\[(.*)\]\)", palette)
    assert [int(value) for value in heat.split(",")] == colours.HEAT_TABLE.ravel().tolist()
    assert f"CONTOUR_LINE = {[*colours.CONTOUR_LINE, 255]}" in palette


def test_no_module_writes_markup():
    for path in BROWSER.glob("*.js"):
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", path.read_text(encoding="utf-8")
        ), path


def test_nothing_is_fetched_from_elsewhere():
    for path in [*BROWSER.glob("*.js"), *BROWSER.glob("*.css")]:
        assert not re.search(r"https?://|@import", path.read_text(encoding="utf-8")), path


def test_modules_stay_short():
    for path in BROWSER.glob("*.js"):
        assert len(path.read_text(encoding="utf-8").splitlines()) < 300, path


@pytest.fixture
def clock(monkeypatch):
    """The time (`clock.now`), and a session whose pages load no script."""
    time = SimpleNamespace(now=0.0)
    monkeypatch.setattr(component.time, "monotonic", lambda: time.now)
    monkeypatch.setattr(component, "_script_url", lambda: "")
    monkeypatch.setattr(st, "session_state", {})
    return time


def served_after(*pictures):
    """Draw a page that shows some pictures, each at a place of its own, and return all that is served with it."""
    with component.kept_files():
        for place, content in enumerate(pictures):
            component.media_url(content, "image/png", f"picture{place}")
        served = {file.content for file in st.session_state[component._MEMORY].values()}
    return sorted(served)


def test_a_file_that_a_page_has_just_dropped_is_served_a_while_longer(clock):
    served_after(b"a", b"x")
    served_after(b"b", b"x")
    served_after(b"c")
    assert served_after(b"d") == [b"a", b"b", b"c", b"d", b"x"]
    clock.now = component.SECONDS_TO_LOAD + 1
    served_after(b"d")
    assert served_after(b"d") == [b"d"]


def test_a_picture_that_comes_back_stays(clock):
    for content in (b"a", b"b", b"a"):
        served_after(content)
    clock.now = component.SECONDS_TO_LOAD + 1
    served_after(b"a")
    assert served_after(b"a") == [b"a"]
