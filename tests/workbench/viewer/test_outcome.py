import json

from streamlit.testing.v1 import AppTest

from patchcore.statistics.intervals import clopper_pearson
from workbench.viewer.items import Dot, Thresholds
from workbench.viewer.outcome import outcome


def test_the_browser_has_an_interval_for_every_count(monkeypatch):
    given = {}
    monkeypatch.setitem(outcome.__globals__, "mount", lambda use, key, data: given.update(data))
    monkeypatch.setitem(outcome.__globals__, "json_url", lambda value, place: json.dumps(value))
    dots = [
        Dot("a", "a", 1.0, "reference"),
        Dot("b", "b", 1.2, "good"),
        Dot("c", "c", 3.0, "defect", "dent", 2.5),
        Dot("d", "d", 3.0),
    ]
    stored = {"stored_pixel": 0.7, "stored_judge_by": "both", "stored_picture_check": False}
    outcome(dots, Thresholds(2.0), Thresholds(1.5, 1.0), key="o", **stored)
    known = json.loads(given["itemsUrl"])
    assert known["intervals"]["good"] == [list(clopper_pearson(k, 2)) for k in range(3)]
    assert known["intervals"]["defect"] == [list(clopper_pearson(k, 1)) for k in range(2)]
    alone = dict(counts_alone=["defect"], **stored)
    outcome(dots, Thresholds(2.0), Thresholds(1.5, 1.0), key="o", **alone)
    intervals = json.loads(given["itemsUrl"])["intervals"]
    assert intervals == {"good": known["intervals"]["good"], "defect": None}
    assert known["items"][2]["group"] == "dent" and known["items"][2]["peak"] == 2.5
    assert given["given"]["pictureCheck"] is True
    assert given["stored"] == {
        "reject": 1.5,
        "review": 1.0,
        "pixel": 0.7,
        "judgeBy": "both",
        "pictureCheck": False,
    }


def app():
    from workbench.viewer import Thresholds, outcome

    outcome([], Thresholds(None), Thresholds(None), key="o")


def test_with_nothing_known_it_is_drawn_all_the_same():
    assert not AppTest.from_function(app, default_timeout=30).run().exception
