"""The report as a whole: its contents are complete, and names never become markup."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from patchcore.errors import UnreadableImage
from patchcore.evaluation.measures import judge, measure
from patchcore.reports.document import Report, render_report
from patchcore.reports.inspector_facts import Fact
from tests.patchcore.labelled_sets import item, point, some_of_each

ATTACK = "<img src=x onerror=alert(1)>.png"
SWEEP = [
    {"share": 0.01, "rows": 40, "megabytes": 0.3, "cover_radius": 2.1, "image_auroc": 0.9, "aupro": None},
    {"share": 0.1, "rows": 400, "megabytes": 3.0, "cover_radius": 1.1, "image_auroc": 0.95, "aupro": np.nan},
]


class Text(HTMLParser):
    """What a reader sees, on one line; headings and elements by the way."""

    def __init__(self, page):
        super().__init__()
        self.words, self.tags, self.attributes, self.skip = [], [], [], False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        self.skip = tag in ("style", "title")

    def handle_data(self, data):
        self.words.append("" if self.skip else data)

    def __str__(self):
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def report():
    evaluation = measure(some_of_each(), point=point())
    return Report(
        evaluation,
        product="M6 washer",
        title="Trial of line 3",
        author="Ada",
        date="2025-03-04T10:00:00+00:00",
        note="Lamp 2 was replaced.",
        test_set="march",
        facts=[Fact("Backbone", "efficientnet_lite2", "quick"), Fact("Weights", "ab" * 32)],
        good_images=400,
        good_scores=[0.9, 1.4, float("inf")],
        left_out=["bad.png: truncated."],
        sweep=SWEEP,
        share=0.0998,
    )


@pytest.fixture(scope="module")
def page(report):
    return render_report(report)


def test_everything_is_in_the_file(page):
    assert page.startswith("<!doctype html>")
    text = Text(page)
    assert not {"script", "link", "iframe", "object", "base", "form"} & set(text.tags)
    assert not re.search("https?://", page)
    sources = [value for name, value in text.attributes if name in ("src", "srcset", "data", "action")]
    assert sources and all(value.startswith("data:image/jpeg;base64,") for value in sources)
    links = [value for name, value in text.attributes if name in ("href", "xlink:href")]
    assert links and all(value.startswith("#") for value in links)
    assert not re.search(r"url\((?!#)|@import", page)
    assert not [name for name, _ in text.attributes if name.startswith("on")]


def test_links_inside_charts_lead_somewhere_and_ids_are_unique(page):
    attributes = Text(page).attributes
    ids = [value for name, value in attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert {value[1:] for name, value in attributes if name == "href"} <= set(ids)
    assert set(re.findall(r"url\(#([^)]+)\)", page)) <= set(ids)


def test_the_report_tells_everything_in_order(page):
    shown = str(Text(page)).replace("\N{NO-BREAK SPACE}", " ")
    told = [
        "Trial of line 3",
        "M6 washer",
        "4 March 2025, 10:00 UTC by Ada measured on march",
        "Of 7 defects, 4 are rejected, 1 goes to review and 2 pass; of 5 good parts, 1 is rejected.",
        "Lamp 2 was replaced.",
        "✕ 4 reject",
        "? 1 review",
        "✓ 2 accept",
        "escapes",
        "1 of 5; 0.51 % to 72 %",
        "2 of 7; 3.7 % to 71 %",
        "Image AUROC",
        "Set from 400 good images: at most 1 good part in 200 is expected to be rejected.",
        "above 3.00 is rejected, one from 2.00 to 3.00 goes to review, one up to 2.00 is accepted.",
        "Reject at most 1 good part in 200",
        "Set by Ada, 3 March 2025, 09:12 UTC",
        "good, building set",
        "bent 5 3 1 1",
        "bent/0.png 1.10",
        "Worst misses 2 defects pass; from the lowest score.",
        "Worst false rejects 1 good part is rejected.",
        "Borderline",
        "Typical catches",
        "in force: 20 % of good parts rejected, 57 % of defects caught",
        "in force: 57 % of defects caught, 80 % of rejects are defects",
        "No pixel threshold is set",
        "10 % in use",
        "bad.png: truncated.",
        "ab" * 32,
        "in these 400 good images",
    ]
    place = 0
    for words in told:
        assert words in shown[place:], words
        place = shown.index(words, place)


def test_names_are_text_whoever_wrote_them(report):
    items = [replace(one, name=f"{n}{ATTACK}") for n, one in enumerate(some_of_each())]
    items = [replace(one, defect_type=one.defect_type.replace("bent", ATTACK)) for one in items]
    items.append(item(ATTACK, "good", float("nan")))
    hostile = Report(
        measure(items, point=point(note=ATTACK, set_by=ATTACK, statement=ATTACK, set_at=ATTACK)),
        product=ATTACK,
        title=ATTACK + "{{ 7 * 7 }}",
        author=ATTACK,
        date=ATTACK,
        note=ATTACK + "</style></title>",
        test_set=ATTACK,
        facts=[Fact(ATTACK, ATTACK, ATTACK)],
        left_out=[ATTACK],
    )
    page = render_report(hostile)
    assert "<img src=x" not in page and "onerror" not in re.sub(r"&lt;img src=x onerror", "", page)
    assert page.count("</style>") == page.count("</title>") == 1
    assert "&lt;img src=x onerror=alert(1)&gt;.png" in page
    assert "{{ 7 * 7 }}" in page
    assert "onerror" not in [name for name, _ in Text(page).attributes]


def test_a_type_that_looks_like_a_formula_is_drawn_as_it_is():
    items = [replace(one, defect_type=r"$\frac{$ 傷") if one.is_defect else one for one in some_of_each()]
    assert r"$\frac{$ 傷" in render_report(Report(measure(items), product="x"))


def test_without_an_operating_point_images_are_ranked(report):
    shown = str(Text(render_report(replace(report, evaluation=judge(report.evaluation, None)))))
    assert "5 good parts and 7 defects were scored; no threshold is in force" in shown
    assert "Defects that score lowest" in shown and "no verdict" in shown
    assert "Escapes" not in shown


def test_stale_thresholds_are_said_first(report):
    stale = judge(report.evaluation, point().outdated("Three images were removed."))
    shown = str(Text(render_report(replace(report, evaluation=stale))))
    warning = shown.index("The threshold is out of date. Three images were removed.")
    assert warning < shown.index("Image AUROC")
    assert "reject above" not in shown


def test_an_undefined_measure_is_written_with_its_reason():
    good = [one for one in some_of_each() if not one.is_defect]
    shown = str(Text(render_report(Report(measure(good, point=point()), product="x"))))
    assert "No defect was there to be found; of 5 good parts, 1 is rejected." in shown
    assert "not defined No image is labelled as a defect" in shown
    assert "not defined No defect pixel is marked" in shown
    assert "What a smaller bank would cost" not in shown and "By defect type" not in shown
    bad = [one for one in some_of_each() if one.is_defect]
    shown = str(Text(render_report(Report(measure(bad, point=point()), product="x"))))
    assert "not defined No image is labelled as good" in shown


def test_pictures_that_are_gone_are_named():
    def gone():
        raise UnreadableImage("bent/0.png", "it is gone.")

    items = some_of_each()
    items[5] = replace(items[5], load_pixels=gone)
    shown = str(Text(render_report(Report(measure(items, point=point()), product="x"))))
    assert "bent/0.png: its picture is not shown. bent/0.png: it is gone." in shown


def test_one_image_alone_and_equal_scores():
    for items in ([item("a", "good", 0.0)], [item("a", "good", 2.0), item("b", "bent", 2.0)]):
        assert "</html>" in render_report(Report(measure(items), product="x"))
