import re

from patchcore import colours
from workbench.viewer.mount import BROWSER, load_order, scripts


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
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", path.read_text()
        ), path


def test_nothing_is_fetched_from_elsewhere():
    for path in [*BROWSER.glob("*.js"), *BROWSER.glob("*.css")]:
        assert not re.search(r"https?://|@import", path.read_text()), path


def test_modules_stay_short():
    for path in BROWSER.glob("*.js"):
        assert len(path.read_text().splitlines()) < 300, path
