import json

import numpy as np
import pytest

from patchcore.statistics.intervals import clopper_pearson
from workbench.storage.pictures import original_size
from workbench.viewer.items import Dot, Thresholds
from workbench.viewer.show import Contents, Known, Material, Need, large_picture, show, thresholds_in_force


def test_the_browser_has_an_interval_for_every_count_of_either_kind():
    known = Known([Dot("a", "a", 1.0, "reference"), Dot("b", "b", 3.0, "defect")], "two parts").to_dict()
    assert known["intervals"] == {
        kind: [clopper_pearson(k, 1) for k in (0, 1)] for kind in ("good", "defect")
    }


@pytest.mark.parametrize("value", [None, "pictures", {"what": "delete", "keys": ["1"]}, {"keys": ["1"]}, 7])
def test_a_need_that_no_scene_has_is_ignored(value):
    assert Need.of(value) is None


def test_a_need_names_parts():
    assert Need.of({"what": "tiles", "keys": [3, "4"]}) == Need("tiles", ("3", "4"))
    assert Need.of({"what": "report", "keys": "1"}) == Need("report")


@pytest.mark.parametrize("size", [(1260, 500), (300, 900), (2000, 1000)])
def test_a_large_picture_keeps_the_shape_of_upright_and_wide_photographs(size):
    picture = large_picture(f"shape:{size}", lambda: (np.zeros((*size, 3), np.uint8), None), None)
    assert original_size(picture) == (size[1], size[0])


def test_events_reach_the_page(monkeypatch):
    drawn, heard = {}, []
    monkeypatch.setitem(
        show.__globals__, "mount", lambda use, key, data, events: drawn.update(data, **events)
    )
    monkeypatch.setitem(show.__globals__, "json_url", lambda value, place: json.dumps(value))
    sent = {"need": {"what": "reasons", "keys": ["5"]}, "batch": {"id": "3"}}
    monkeypatch.setitem(show.__globals__, "event_value", lambda key, event: sent[event])
    contents = Contents("Washer", [("4", "photographs")], (), "", [], [], Known([], "nothing"), "limits")
    show(
        contents,
        Material(reasons={"5": "No reason."}, report="No set."),
        thresholds_in_force(Thresholds(2.0, 1.5), None, 1, "score", True),
        key="show",
        scene="parts",
        part="5",
        on_need=heard.append,
        on_batch=heard.append,
        on_leave=lambda: heard.append("leave"),
    )
    assert drawn["material"]["reasons"] == {"5": {"lack": "No reason."}}
    assert drawn["material"]["report"] == {"lack": "No set."}
    assert drawn["thresholds"]["reject"] == 2.0 and json.loads(drawn["contentsUrl"])["title"] == "Washer"
    for event in ("need", "batch", "leave"):
        drawn[event]()
    assert heard == [Need("reasons", ("5",)), "3", "leave"]
