"""Shapes of JSON columns: values of this program pass, values of another shape do not."""

import pytest

from patchcore.files.value_rules import Unsound
from workbench.inspections.batches import Explained
from workbench.inspections.history import DECIDE
from workbench.inspections.labelled_sets import Reading
from workbench.tuning.label_sampling import Sampling
from workbench.upkeep.backups import json_rules as shapes
from workbench.watching.folder import FileKey
from workbench.watching.standing import WatchOptions
from workbench.watching.verdict import new_record

A = "a" * 64
REGION = {"box": [0, 1, 2, 3], "area": 4, "score": 5.0}
ADDED = ("remarks", "doubts", "picture_check")  # fields that older programs did not have
DOUBT = {"kind": "brightness", "sentence": "a", "value": None, "low": 0.1, "high": None, "box": [0, 1, 2, 3]}
TOLD = new_record(
    FileKey("line/ä \\ a:b.png", 3, -5), b"abc", "plate", score=1.5, verdict="accept", accept=2.0, reject=3.0,
    doubts=[DOUBT], picture_check=False, regions=[REGION], worst_box=[0, 0, 8, 8], width=8, height=8, seconds=0.1,
    moved_to="/sorted/accept/ä.png",
).to_dict()  # fmt: skip
WHY = Explained(1.5, (0, 0, 8, 8), A, "good/1.png", (8, 8, 16, 16)).to_dict()
NUMBERS = {
    "job": None, "seconds": 1.5, "total_patches": 64, "skipped": [{"name": "a", "reason": "b"}], "removed": ["a"],
    "kept": [A], "images_elsewhere": [[A, "a", True]], "imported": {"file": "a", "libraries": {"torch": "2"}},
    "good_doubts": [{"sha256": A, "doubts": [DOUBT]}],
    "teaching": {"before": 1, "labels": [2], "decisions": [], "images": ["a"]},
}  # fmt: skip
RECORD = {"name": "a", "sha256": A, "format": "PNG", "width": 1, "height": 1, "channels": 3, "bit_depth": 8,
          "notes": ["b"], "lowest": -1.5, "highest": 2}  # fmt: skip
RESULT = {
    "points": [{"share": 0.1, "rows": 5, "threshold": None, "milliseconds": None, "image": {}}],
    "problems": ["a"],
}
THREE = {"accept": 20, "review": 0, "reject": 3}
DECIDED = {
    "inspection": 1,
    "name": "a",
    "before": {"decision": None, "by": "", "at": None},
    "after": "fine",
    "note": "",
}


def decided(value, what):
    shapes.details(value, what, DECIDE)


def rule(value, what):
    shapes.preference(value, what, "retention")


def ran(value, what):
    shapes.preference(value, what, "retention ran")


SOUND = [
    (shapes.told, TOLD),
    (shapes.told, new_record(FileKey("a", 0, 1), b"", "p", error="unreadable").to_dict() | {"new": 1}),
    (
        shapes.told,
        {name: TOLD[name] for name in TOLD if name not in ("version", "bank_id", *ADDED)},
    ),
    *(
        (shapes.inner_path, name)
        for name in ("a", "a/b.png", "\\udcff.png", "\\xff", "\udcff", "a..b", "..a", "a:b", "~")
    ),
    (shapes.explanation, WHY),
    (shapes.numbers, NUMBERS),
    (shapes.numbers, {}),
    (shapes.reading, Reading("Taken as good: ok (1).", ("a.json is damaged.",)).to_dict()),
    (shapes.sampling, Sampling(7, "Ada", "2026-11-30T19:40:00+00:00", THREE, THREE).to_dict()),
    (shapes.reading, Reading("x" * 200_000, ("y" * 200_000,) * 20_000).to_dict()),
    (shapes.record, RECORD),
    (shapes.options, WatchOptions(outputs={"move_to": "/a", "lines_to": "/b.jsonl"}).to_dict()),
    (shapes.options, {}),
    (shapes.job_result, RESULT),
    (shapes.job_result, {"inspector_id": "plate-1", "version_id": None}),
    (shapes.job_result, {"inspections": 1, "pictures": 0, "size_bytes": 5}),
    (shapes.stages, [{"name": "a", "total": 1, "seconds": 0.5}]),
    (decided, DECIDED),
    (rule, {"months": None}),
    (rule, {"months": 12}),
    (ran, {"at": "2026-01-01T00:00:00.5+00:00"}),
    (shapes.regions, [REGION]),
]
UNSOUND = [
    *((shapes.inner_path, name) for name in ("", "/", "..", "a/..", "\\", "\\u", "\\\\host\\a", "\\a", "c:/a")),
    *((shapes.inner_path, name) for name in ("a\\..\\b", None, 7, ["a"])),
    *((shapes.told, TOLD | {"file": value}) for value in ("", "../a", "a/../../b", "/a", "C:\\a", "..\\a", "a\0", 7)),
    *((shapes.told, TOLD | change) for change in ({"size": "3"}, {"modified_ns": True}, {"sha256": "../x"},
      {"score": -1.0}, {"score": 1e300}, {"verdict": "maybe"}, {"reject": -1}, {"worst_box": [1]}, {"width": 0},
      {"regions": [{}]}, {"regions": {}}, {"time": "now"}, {"moved_to": ["a"]}, {"version": 0}, {"min_area": 0},
      {"judge_by": "eye"}, {"unjudged": 7}, {"bank_id": ["a"]}, {"point_set_at": 1}, {"remarks": "a"},
      {"remarks": [1]}, {"doubts": [{}]}, {"doubts": [DOUBT | {"kind": "mood"}]}, {"picture_check": 1})),
    *((shapes.told, {name: TOLD[name] for name in TOLD if name != gone}) for gone in ("file", "size", "sha256")),
    *((shapes.explanation, WHY | change) for change in ({"distance": -1}, {"test_box": None}, {"neighbour_box": 1})),
    (shapes.explanation, {}),
    *((shapes.sampling, value) for value in ({}, [], {"seed": 1}, {"seed": -1, "sizes": {}, "wanted": {}})),
    *((shapes.reading, value) for value in ({}, [], "x", {"labels": ""}, {"labels": 1, "problems": []},
      {"labels": "", "problems": "x"}, {"labels": "", "problems": [1]}, {"labels": "x" * 200_000, "problems": []})),
    (shapes.record, {"width": 6}),
    *((shapes.numbers, NUMBERS | change) for change in ({"job": "1"}, {"kept": ["../x"]}, {"removed": "all"},
      {"skipped": [{"name": "a"}]}, {"images_elsewhere": [["../x", "a", True]]}, {"images_elsewhere": [[A, "a"]]},
      {"teaching": {"before": 1}}, {"teaching": {"before": "1", "labels": [], "decisions": []}}, {"seconds": -1},
      {"good_doubts": [{"sha256": "../x", "doubts": []}]}, {"good_doubts": [{"sha256": A, "doubts": [{}]}]})),
    *((shapes.record, RECORD | change) for change in ({"width": "6"}, {"sha256": "x"}, {"notes": "b"}, {"name": 7})),
    *((shapes.options, change) for change in ({"threads": True}, {"settle": "1"}, {"move_to": 7}, {"subfolders": 0})),
    *((shapes.job_result, change) for change in ({"inspector_id": ".."}, {"version_id": "1"}, {"points": [{}]},
      {"points": {"share": 1}}, {"problems": [1]}, {"size_bytes": -1}, {"points": [{"share": 2, "rows": 1}]})),
    *((decided, change) for change in ({}, DECIDED | {"before": {}}, DECIDED | {"before": {"decision": "x" * 99}},
      DECIDED | {"inspection": "1"}, DECIDED | {"after": 7})),
    *((rule, change) for change in ({}, {"months": "12"}, {"months": 0}, {"months": True}, {"months": 10**6})),
    *((ran, change) for change in ({}, {"at": None}, {"at": "2026-01-01T00:00:00"}, {"at": "now"}, {"at": ""})),
    *((shapes.regions, [REGION | change]) for change in ({"box": [1, 2]}, {"area": 0}, {"score": "x"}, {"box": "x"})),
    *((shapes.stages, value) for value in ({}, [1], [{"total": -1}])),
    *((shapes.inspector_id, value) for value in ("..", "A", "", None, "a/b")),
    *((shape, value) for shape in (shapes.told, shapes.numbers, shapes.options) for value in ([], "x", 7)),
]  # fmt: skip


@pytest.mark.parametrize(("shape", "value"), SOUND, ids=range(len(SOUND)))
def test_values_of_this_program_are_sound(shape, value):
    shape(value, "it")


@pytest.mark.parametrize(("shape", "value"), UNSOUND, ids=range(len(UNSOUND)))
def test_values_of_another_shape_are_unsound(shape, value):
    with pytest.raises(Unsound):
        shape(value, "it")
