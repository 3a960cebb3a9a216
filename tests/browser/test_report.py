"""The report in a real browser with the network off: nothing is missing, nothing complains, and it prints."""

import pytest

from patchcore.evaluation.measures import measure
from patchcore.reports.document import Report, render_report
from patchcore.reports.inspector_facts import Fact
from tests.patchcore.labelled_sets import point, some_of_each

SWEEP = [
    {"share": 0.01, "rows": 40, "image_auroc": 0.9, "megabytes": 0.3},
    {"share": 0.1, "rows": 400, "image_auroc": 0.95, "megabytes": 3.0},
]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    report = Report(
        measure(some_of_each(), point=point(pixel=2.5)),
        product="<b>M6 washer</b>",
        facts=[Fact("Backbone", "efficientnet_lite2", "quick")],
        good_scores=[0.9, 1.4],
        sweep=SWEEP,
    )
    path.write_text(render_report(report), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(params=[False, True], ids=["light", "dark"])
def shown(open_page, address, request):
    watched = open_page("about:blank", dark=request.param)
    watched.page.context.set_offline(True)
    watched.page.goto(address)
    return watched


def test_the_report_opens_without_a_network(shown, address):
    page = shown.page
    fetched = [url for url in shown.requests if not url.startswith(("data:", "about:"))]
    assert fetched == [address]
    assert page.locator("h1").inner_text() == "<b>M6 washer</b>"
    pictures = page.locator("img")
    assert pictures.count() > 4
    assert pictures.evaluate_all("images => images.every(image => image.complete && image.naturalWidth > 0)")
    boxes = page.locator("svg.chart").evaluate_all(
        "charts => charts.map(c => c.getBoundingClientRect().height)"
    )
    assert len(boxes) == 6 and min(boxes) > 100
    found = "marks => marks.every(mark => mark.getBBox().width + mark.getBBox().height > 0)"
    assert page.locator("svg.chart use").evaluate_all(found)


def test_the_report_follows_the_readers_light_or_dark_look(shown):
    ground, ink = shown.page.evaluate(
        "() => [getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
    )
    dark = shown.page.evaluate("() => matchMedia('(prefers-color-scheme: dark)').matches")
    assert (ground == "rgb(16, 20, 24)") == dark and ground != ink
    curve = shown.page.locator("svg.chart path[style*='--accent']").first
    accent = "rgb(79, 179, 207)" if dark else "rgb(11, 110, 138)"
    assert accent in curve.evaluate("line => getComputedStyle(line).stroke + getComputedStyle(line).fill")


def test_the_report_has_no_barriers(shown, find_barriers):
    # axe-core is put into the page by the test; the report's own policy would rightly refuse it
    assert shown.page.locator("main").count() == 1
    shown.page.locator("meta[http-equiv]").evaluate("meta => meta.remove()")
    assert find_barriers(shown.page) == []


def test_the_report_fits_a_phone(open_page, address):
    page = open_page(address, width=390, height=800).page
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390


def test_the_report_prints_light_on_several_pages(shown):
    pdf = shown.page.pdf(prefer_css_page_size=True, print_background=True)
    assert pdf.startswith(b"%PDF") and len(pdf) > 20_000
    assert pdf.count(b"/Type /Page\n") > 1
    shown.page.emulate_media(media="print")
    ground = shown.page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(255, 255, 255)"
