"""One image becomes a verdict: against score, regions and verdict put together by hand, and against the older forms."""

import hashlib
import io
import json
import math
import re
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import patchcore
from patchcore.errors import DataError, ImageError, SettingsError
from patchcore.images.reading import read_image
from patchcore.inspection import (
    FIELDS,
    VERSION,
    failure,
    inspect,
    judge,
    place_that_decided,
    regions_at,
    verdict_on,
)
from patchcore.maps.regions import find_regions
from patchcore.plausibility.doubt import Doubt
from patchcore.scoring import patch_box
from workbench.watching.folder import FileKey
from workbench.watching.verdict import ModelJudge

DOCUMENT = Path(__file__).parents[2] / "docs/inspection_json.md"
ADDED = {
    "version": "both: which version of the form it is",
    "unjudged": "both: why there is no verdict",
    "min_area": "both: what the verdict rests on, as the history has it",
    "judge_by": "both: likewise",
    "point_set_at": "both: since when the thresholds are in force",
    "picture_check": "both: whether doubts about the whole picture count",
    "doubts": "both: why the picture may not show such a part",
    "bank_id": "both: the bank that scored",
    "remarks": "both: what was noticed on reading",
    "sha256": "score: watching had it",
    "width": "score: watching had it",
    "height": "score: watching had it",
    "accept": "score: watching had it",
    "reject": "score: watching had it",
    "pixel": "score: watching had it",
    "regions": "score: watching had it",
    "error": "score: watching had it; null where the image was scored",
}
"""The fields that came with version 1, for which commands and why. None was renamed or dropped."""


@pytest.fixture
def points(model, bad):
    """Thresholds of the model's bank: by score, with a review band, and by area in both ways."""
    point, result = model.operating_point_, model.score(bad)
    peak = float(result.map.max())
    return {
        "score": point,
        "review": replace(point, accept=result.score / 2, reject=result.score * 2),
        "area": replace(point, pixel=peak / 2, min_area=4, judge_by="area"),
        "both": replace(point, accept=1e6, reject=1e6, pixel=peak / 2, judge_by="both"),
        "no region": replace(point, min_area=10**6),
    }


def old_watch_form(result, point):
    """What a line of watching said of an image, before there was `Inspection`."""
    form = {
        "sha256": result.record.sha256,
        "score": float(result.score),
        "worst_box": [int(edge) for edge in result.worst_box],
        "width": result.record.width,
        "height": result.record.height,
        "verdict": None,
        "accept": None,
        "reject": None,
        "pixel": None,
        "regions": [],
        "error": None,
    }
    if point is not None:
        shown = find_regions(result.map, point.heat_from, point.min_area)
        form |= {
            "verdict": point.judge(result.score, point.regions(result.map)),
            "accept": point.accept,
            "reject": point.reject,
            "pixel": point.pixel,
            "regions": [{"box": list(one.box), "area": one.area, "score": one.score} for one in shown],
        }
    return form


def old_score_form(result, point):
    """What a row of `score --json` said, before there was `Inspection`."""
    form = old_watch_form(result, point)
    return {name: form[name] for name in ("score", "worst_box", "verdict")}


def png(pixels):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("score", "reject"),
        ("review", "review"),
        ("area", "reject"),
        ("both", "review"),
        ("no region", "reject"),
    ],
)
def test_inspection_equals_score_regions_and_verdict_put_together(model, bad, points, name, verdict):
    point, result = points[name], model.score(bad)
    found = inspect(model, bad, point)
    assert found.result.score == result.score and np.array_equal(found.result.map, result.map)
    assert found.regions == find_regions(result.map, point.heat_from, point.min_area)
    assert found.verdict == point.judge(result.score, point.regions(result.map)) == verdict
    assert (found.point, found.bank_id, found.unjudged) == (point, model.bank_id_, None)
    assert found.result.worst_box == result.worst_box
    assert judge(result, point).to_dict() == found.to_dict()  # of what was scored before
    assert judge(result, None).bank_id is None


def test_thresholds_of_the_detector_judge_unless_others_are_named(model, bad, points):
    assert inspect(model, bad).point == model.operating_point_
    assert inspect(model, bad, points["review"]).verdict == "review"
    bare = inspect(model.with_operating_point(None), bad)
    assert (bare.verdict, bare.regions, bare.point, bare.decided_box) == (None, [], None, None)
    assert (bare.unjudged, bare.bank_id) == ("No operating point is in force.", model.bank_id_)
    with pytest.raises(SettingsError, match="another bank"):
        inspect(model, bad, replace(model.operating_point_, bank_id="another"))


def test_stale_thresholds_show_regions_and_give_no_verdict(model, bad):
    found = inspect(model, bad, model.operating_point_.outdated("An image was removed."))
    assert (found.verdict, found.unjudged) == (None, "An image was removed.")
    assert found.bank_id == model.bank_id_  # not what the thresholds were set for
    assert found.regions == inspect(model, bad).regions != []


def test_a_good_image_is_judged_without_its_own_rows(model, good):
    name, pixels = good[0]
    found = inspect(model, pixels, leave_out=True)
    assert found.result.score == pytest.approx(model.good_scores_[name], rel=1e-4)
    assert found.result.score > inspect(model, pixels).result.score
    assert found.verdict == model.operating_point_.verdict(found.result.score)


def test_a_stored_score_and_map_are_judged_alike(model, bad, points):
    for point in points.values():
        found = inspect(model, bad, point)
        regions = regions_at(found.result.map, point)
        assert verdict_on(found.result.score, regions, point) == found.verdict
    assert verdict_on(1.0, [], None) is None and regions_at(found.result.map, None) == []


@pytest.mark.parametrize("name", ["score", "review", "area", "both", "no region"])
def test_json_has_the_older_fields_and_the_fields_of_the_table(model, bad, points, name):
    point, data = points[name], png(bad)
    form = inspect(model, data, point).to_dict()
    result = model.score(data)
    old = old_score_form(result, point)
    assert {key: form[key] for key in old} == old and set(form) - set(old) == set(ADDED)
    old = old_watch_form(result, point)
    assert {key: form[key] for key in old} == old
    assert set(form) - set(old) == {key for key, why in ADDED.items() if why.startswith("both")}
    told = ModelJudge(model, "stripes", point)(FileKey("a.png", len(data), 1), data).record.to_dict()
    assert {key: told[key] for key in form} == form
    assert set(told) - set(form) == {
        "file",
        "size",
        "modified_ns",
        "time",
        "inspector",
        "seconds",
        "moved_to",
    }


def test_json_of_an_inspection_states_thresholds_and_bank(model, bad, points):
    point = points["area"]
    form = inspect(model, bad, point).to_dict()
    assert tuple(form) == FIELDS and form["version"] == VERSION == 1
    assert (form["accept"], form["reject"], form["pixel"]) == (point.accept, point.reject, point.pixel)
    assert (form["min_area"], form["judge_by"]) == (4, "area")
    assert (form["bank_id"], form["point_set_at"]) == (model.bank_id_, point.set_at)
    later = replace(point, recalibrated_at="2026-01-01T00:00:00+00:00")
    assert inspect(model, bad, later).to_dict()["point_set_at"] == "2026-01-01T00:00:00+00:00"
    assert (form["width"], form["height"], len(form["worst_box"])) == (64, 64, 4)


def test_remarks_come_from_reading_the_image(model, bad):
    see_through = np.dstack([bad, np.full(bad.shape[:2], 128, np.uint8)])
    form = inspect(model, see_through).to_dict()
    assert (
        form["remarks"]
        == ["Transparent pixels are shown on white."]
        == list(read_image(see_through).record.notes)
    )


def test_remarks_compare_the_image_with_the_good_ones(model, good, bad):
    def remarks(picture):
        return " ".join(inspect(model, picture).to_dict()["remarks"])

    assert remarks(bad) == ""
    assert "It is grey, and all 8 good images are in colour" in remarks(bad[..., 0])
    assert "It has 16 bits a sample, and the good images have 8" in remarks(bad.astype(np.uint16) * 257)
    assert "Its shape is another than the good images': 64 × 32 px" in remarks(bad[:32])
    assert "Its size is another than the good images': 128 × 128 px" in remarks(bad.repeat(2, 0).repeat(2, 1))
    assert "has learned from this very file" in remarks(good[0][1])
    assert inspect(model, good[0][1], leave_out=True).remarks == []


def test_remarks_say_what_is_too_small_to_be_seen(model, bad):
    wide = np.tile(bad, (1, 12, 1))
    found = inspect(model, wide)
    remark = next(one for one in found.remarks if "One patch covers" in one)
    assert "of this image (768 × 64 px); defects below about that are not seen" in remark
    x0, y0, x1, y1 = patch_box((4, 4), (8, 8), found.result.placement)
    assert (
        abs(model.good_set_.visible_detail(found.result.record).patch[0] - (x1 - x0)) <= 1 and y1 - y0 == 64
    )


def test_json_is_ascii_and_every_number_finite(model, bad):
    image = read_image(bad, name="größe\n.png")
    found = inspect(model, image)
    broken = replace(found.result, score=math.nan)
    unscored = judge(broken, found.point, found.bank_id)
    assert (unscored.verdict, unscored.to_dict()["score"]) == (None, None)
    assert "not a number" in unscored.to_dict()["unjudged"]
    for form in (found.to_dict(), unscored.to_dict(), failure("größe.png cannot be read")):
        text = json.dumps(form, allow_nan=False)
        assert text.isascii() and json.loads(text) == form and tuple(form) == FIELDS


def test_unscorable_image_raises_and_its_json_holds_only_the_error(model):
    with pytest.raises(ImageError):
        inspect(model, b"no image")
    form = failure("It is empty.")
    assert {name for name, value in form.items() if value} == {"version", "error"}
    assert form["regions"] == form["remarks"] == []


def test_bank_without_other_rows_raises_as_in_score(good):
    alone = patchcore.PatchCore(image_size=64, coreset=0.5).fit(good[:1])
    with pytest.raises(DataError, match="comes from this image itself"):
        inspect(alone, good[0][1], leave_out=True)


@pytest.mark.parametrize("way", ["score", "review", "no region"])
def test_image_flagged_for_its_score_shows_its_worst_patch_with_and_without_regions(model, bad, points, way):
    found = inspect(model, bad, points[way])
    assert found.verdict in ("review", "reject") and bool(found.regions) == (way != "no region")
    assert found.decided_box == found.result.worst_box == tuple(found.to_dict()["worst_box"])


def test_regions_that_decide_and_accepted_images_show_no_worst_patch(model, good, bad, points):
    by_area, accepted = inspect(model, bad, points["area"]), inspect(model, good[0][1], points["review"])
    assert (by_area.verdict, by_area.decided_box) == ("reject", None) and by_area.regions
    assert (accepted.verdict, accepted.decided_box) == ("accept", None)
    assert inspect(model, bad, points["both"]).decided_box is None  # its score is below the threshold


@pytest.mark.parametrize("judge_by", ["score", "both", "area", None])
@pytest.mark.parametrize("verdict", ["accept", "review", "reject", None])
@pytest.mark.parametrize("score", [0.5, 1.0, 1.5, None])
def test_place_that_decided_takes_a_flagged_verdict_and_a_score_above_the_accept_threshold(
    score, verdict, judge_by
):
    shown = score == 1.5 and verdict in ("review", "reject") and judge_by in ("score", "both")
    box = [1, 2, 3, 4]
    assert place_that_decided(box, score, verdict, 1.0, judge_by) == ((1, 2, 3, 4) if shown else None)
    assert place_that_decided(None, score, verdict, 1.0, judge_by) is None
    assert place_that_decided(box, score, verdict, None, judge_by) is None


def test_document_describes_every_field_and_no_other():
    text = DOCUMENT.read_text(encoding="utf-8")
    form, doubt, score, watch = text.split("| field | type | unit | meaning |")[1:]
    assert names_in(form) == list(FIELDS)
    assert names_in(doubt) == [part.name for part in fields(Doubt)]
    assert names_in(score) == ["path", "overlay"]
    assert names_in(watch) == ["file", "size", "modified_ns", "time", "inspector", "seconds", "moved_to"]
    assert f"now {VERSION};" in form


def names_in(table):
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    return [name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])]


def test_hash_of_a_file_equals_the_hash_of_its_bytes(model, bad):
    data = png(bad)
    assert inspect(model, data).to_dict()["sha256"] == hashlib.sha256(data).hexdigest()


def test_the_package_exports_inspect(model, bad):
    assert patchcore.inspect is inspect
    assert patchcore.inspect(model, bad).verdict == "reject"
