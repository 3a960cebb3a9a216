"""A stored map whose file is damaged: each page that reads it says so in a sentence and shows the rest."""

import pytest

from patchcore.thresholds.operating_point import OperatingPoint
from tests.pages.texts import words
from tests.points import by_hand
from workbench.inspections.batches import list_batches, list_results
from workbench.inspectors.point_history import store_point
from workbench.inspectors.versions import find_inspector
from workbench.storage.map_files import SIZE
from workbench.storage.tables import BatchImage
from workbench.widgets.show import stage

LOST = "The stored map of {} is damaged or gone"
PAGES = {  # the sentence on each page, and what it shows beside
    "inspect": (LOST, "notes.png"),
    "tune": (LOST, "<h1>Tune</h1>"),
    "review": (LOST, "left to decide on"),
    "evaluate": ("{}: not judged, its map is missing or damaged: the stored picture is damaged", "**ROC**"),
    "show": (LOST, ""),
}


@pytest.fixture
def damaged(full, monkeypatch):
    """The prepared workspace, judging by regions as well, with one map whose head says nonsense; its result."""
    version = find_inspector(full, "washer").current
    point = OperatingPoint.from_dict(version.operating_point)
    both = by_hand(
        point.reject, point.evidence, point.bank_id, pixel=point.reject, judge_by="both", set_by="Ada"
    )
    store_point(full, version, both, "")
    results = list_results(full, list_batches(full, "washer")[0].id, version.id)
    with full.database.write() as session:
        for number, result in enumerate(results):
            session.get_one(BatchImage, result.batch_image_id).truth = "scratch" if number % 2 else "good"
    path = full.root / results[0].map_path
    data = path.read_bytes()
    place = data.index(SIZE.encode()) + len(SIZE) + 1
    path.write_bytes(data[:place] + b"x" + data[place + 1 :])
    return results[0]


@pytest.mark.parametrize("page", PAGES)
def test_each_page_says_so_and_shows_the_rest(damaged, open_app, monkeypatch, page):
    shown, show = [], stage.show
    monkeypatch.setattr(
        stage, "show", lambda contents, *of, **more: shown.append(contents) or show(contents, *of, **more)
    )
    app = open_app(page, inspector="washer", **({"image": str(damaged.id)} if page == "inspect" else {}))
    notices = [notice for contents in shown for notice in contents.notices]
    said = "\n".join([words(app), *(one.value for one in app.warning), *notices]).replace("\\", "")
    assert not app.error and not app.exception
    sentence, rest = PAGES[page]
    assert sentence.format(damaged.image.name) in said and rest in said
    assert page != "show" or len(shown[-1].parts) == 3
