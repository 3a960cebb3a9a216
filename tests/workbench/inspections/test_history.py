"""Every scored image has one row in the history, with its thresholds and a person's decision."""

from dataclasses import replace

import numpy as np
import PIL.Image
import pytest
from sqlalchemy import func, select

from patchcore.inspection import place_that_decided
from patchcore.maps.rendering import HeatScale, overlay
from patchcore.thresholds.operating_point import OperatingPoint
from tests.workbench.parts import store_plates
from workbench.inspections import history
from workbench.inspections.batches import (
    create_batch,
    good_batch,
    list_results,
    load_map,
    load_pixels,
    score_batch,
)
from workbench.inspections.history import decide, find_inspection, get_inspection, undo_decision
from workbench.inspectors.point_history import store_point
from workbench.inspectors.versions import get_version, rename
from workbench.people.roles import NotAllowed, Person, Role, acting
from workbench.storage.database import WorkspaceError
from workbench.storage.pictures import shrunk
from workbench.storage.tables import Event, Inspection, InspectorVersion
from workbench.upkeep.check import check, repair


def rows(workspace):
    with workspace.database.read() as session:
        return list(session.scalars(select(Inspection).order_by(Inspection.id)))


def decisions(workspace):
    with workspace.database.read() as session:
        return list(session.scalars(select(Event).where(Event.action == history.DECIDE).order_by(Event.id)))


def test_a_row_holds_the_thresholds_of_its_time_and_outlives_a_change(worked):
    version = get_version(worked, 1)
    point = OperatingPoint.from_dict(version.operating_point)
    scratched, _, plain = rows(worked)
    result = list_results(worked, 1, 1)[0]
    assert (scratched.name, scratched.source, scratched.inspector_name) == (
        "scratch/020.png",
        "page",
        "Plate",
    )
    assert (scratched.version_number, scratched.point_number) == (1, 1)
    assert (scratched.accept, scratched.reject) == (point.accept, point.reject)
    assert scratched.score == result.score and scratched.verdict == point.verdict(result.score) == "reject"
    assert plain.verdict == point.verdict(plain.score)
    store_point(worked, version, replace(point, reject=1e6, accept=1e6, picture_check=False), "pass")
    rename(worked, version.inspector_id, "Disc")
    with worked.database.read() as session:
        assert find_inspection(session, scratched.batch_image_id, 1).verdict == "reject"
    image = store_plates(worked, 1, first=31, scratched=True)
    list(
        score_batch(
            worked, create_batch(worked, version.inspector_id, image, "Tuesday"), version, source="watch"
        )
    )
    latest = rows(worked)[-1]
    assert (latest.verdict, latest.reject, latest.point_number) == ("accept", 1e6, 2)
    assert (latest.inspector_name, latest.source) == ("Disc", "watch")


def test_the_overlay_is_the_picture_with_heat_and_contour_at_those_thresholds(worked):
    row = rows(worked)[0]
    version = get_version(worked, 1)
    scale = HeatScale.anchored(OperatingPoint.from_dict(version.operating_point).heat_from)
    pixels, scores = load_pixels(worked, row.sha256), load_map(worked, list_results(worked, 1, 1)[0])
    box = place_that_decided(row.worst_box, row.score, row.verdict, row.accept, row.judge_by)
    wanted = overlay(shrunk(pixels, 64, 64), scores, scale, mode="both", box=box)
    with PIL.Image.open(worked.root / row.overlay_path) as kept:
        shown = np.asarray(kept.convert("RGB")).astype(int)
    painted = (wanted != pixels).any(axis=2)
    assert np.abs(shown - wanted).mean() < 6  # noise, as JPEG keeps it
    assert np.abs(shown - wanted)[painted].mean() * 4 < np.abs(shown - pixels)[painted].mean()
    assert row.overlay_path.startswith(f"history/{row.created:%Y-%m}/{row.sha256[:16]}-1-")


def test_a_large_picture_is_kept_small(workspace, version):
    from tests.workbench.parts import plate

    image = workspace.store_image(plate(50, scratched=True, side=700), "large.png")
    list(score_batch(workspace, create_batch(workspace, version.inspector_id, [image], "b"), version))
    (row,) = rows(workspace)
    with PIL.Image.open(workspace.root / row.overlay_path) as kept:
        assert kept.size == (512, 512)
    assert (row.width, row.height) == (700, 700)


def test_regions_are_stored_and_judged_by_if_the_point_says_so(worked):
    version = get_version(worked, 1)
    point = OperatingPoint.from_dict(version.operating_point)
    peak = float(load_map(worked, list_results(worked, 1, 1)[0]).max())
    by_area = replace(point, accept=1e6, reject=1e6, pixel=peak / 2, min_area=4, judge_by="area")
    store_point(worked, version, by_area, "")
    images = [*store_plates(worked, 1, first=31, scratched=True), *store_plates(worked, 1, first=32)]
    batch = create_batch(worked, version.inspector_id, images, "by area")
    results = list(score_batch(worked, batch, version))
    for row, result in zip(rows(worked)[-2:], results, strict=True):
        found = by_area.regions(load_map(worked, result))
        assert row.verdict == by_area.judge(result.score, found) and row.region_count == len(found)
        assert row.regions == [{"box": list(r.box), "area": r.area, "score": r.score} for r in found[:50]]
        assert (row.judge_by, row.min_area, row.pixel) == ("area", 4, peak / 2)
    assert rows(worked)[-2].verdict == "reject"


def test_images_without_score_or_under_stale_thresholds_have_no_verdict(worked):
    version = get_version(worked, 1)
    with worked.database.write() as session:
        row = session.get_one(InspectorVersion, 1)
        row.operating_point = {**row.operating_point, "stale": "The bank changed."}
    images = [worked.store_image(b"no picture", "notes.png"), *store_plates(worked, 1, first=33)]
    list(score_batch(worked, create_batch(worked, version.inspector_id, images, "b"), version))
    broken, unjudged = rows(worked)[-2:]
    assert broken.score is None and broken.verdict is None and broken.error and broken.overlay_path is None
    assert unjudged.score is not None and unjudged.verdict is None and unjudged.error is None
    assert (worked.root / unjudged.overlay_path).is_file()


def test_an_image_has_one_row_a_version_and_a_good_image_none(worked):
    version = get_version(worked, 1)
    list(score_batch(worked, good_batch(worked, version), version))
    assert len(rows(worked)) == 3 and list(score_batch(worked, 1, version)) == []
    twice = store_plates(worked, 1, first=9) * 2
    list(score_batch(worked, create_batch(worked, version.inspector_id, twice, "twice"), version))
    assert [row.sha256 for row in rows(worked)].count(twice[0].sha256) == 3


def test_the_row_of_the_first_session_stays_and_no_second_overlay_is_left(worked, monkeypatch):
    version = get_version(worked, 1)
    image = store_plates(worked, 1, first=34)
    batch = create_batch(worked, version.inspector_id, image, "b")
    original = history.look

    def while_another_scores(*arguments):
        monkeypatch.setattr(history, "look", original)
        from workbench.inspections.batches import _score_once, list_batches  # as another process would

        (one,) = list_unscored(worked, list_batches(worked, version.inspector_id)[0].id)
        assert _score_once(worked, one, version, False, "watch") is not None
        return original(*arguments)

    monkeypatch.setattr(history, "look", while_another_scores)
    assert list(score_batch(worked, batch, version)) == []
    assert [row.source for row in rows(worked)][3:] == ["watch"]
    assert len(list((worked.root / "history").rglob("*.jpg"))) == 4


def list_unscored(workspace, batch_id):
    from workbench.storage.tables import BatchImage

    with workspace.database.read() as session:
        return list(session.scalars(select(BatchImage).where(BatchImage.batch_id == batch_id)))


def test_result_and_row_come_together_or_not_at_all(worked, monkeypatch):
    version = get_version(worked, 1)
    batch = create_batch(worked, version.inspector_id, store_plates(worked, 1, first=35), "b")
    monkeypatch.setattr(history, "record", lambda *_, **__: (_ for _ in ()).throw(RuntimeError("killed")))
    with pytest.raises(RuntimeError, match="killed"):
        list(score_batch(worked, batch, version))
    assert list_results(worked, batch, 1) == [] and len(rows(worked)) == 3
    places = [finding.place for finding in check(worked, grace=0)]
    assert sorted(place.split("/")[0] for place in places) == ["history", "results", "results"]
    monkeypatch.undo()
    list(repair(worked, check(worked, grace=0)))
    assert check(worked, grace=0) == [] and len(list(score_batch(worked, batch, version))) == 1


def test_the_person_who_brought_the_images_is_stored(worked):
    from workbench.inspections.background_scorer import Scorer

    version = get_version(worked, 1)
    batch = create_batch(worked, version.inspector_id, store_plates(worked, 1, first=36), "b")
    scorer = Scorer(worked)
    with acting(Person("Mo", Role.OPERATE)):
        scorer.want(batch, 1)
    while scorer.wait(batch, 1, 0.1):
        pass
    scorer.stop()
    assert rows(worked)[-1].operator == "Mo"


def test_a_decision_has_a_name_and_a_time_and_can_be_taken_back(worked):
    with acting(Person("Mo", Role.OPERATE)):
        decided = decide(worked, 1, "fine", note="polishing mark")
    assert (decided.decision, decided.decided_by, decided.verdict) == ("fine", "Mo", "reject")
    with acting(Person("Ann", Role.ENGINEER)):
        decide(worked, 1, "defect")
        assert undo_decision(worked, 1).decision == "fine"
    row = get_inspection(worked, 1)
    assert (row.decision, row.decided_by) == ("fine", "Ann") and row.decided is not None
    assert [(event.person, event.details["after"]) for event in decisions(worked)] == [
        ("Mo", "fine"),
        ("Ann", "defect"),
        ("Ann", "fine"),
    ]
    assert decisions(worked)[0].details["note"] == "polishing mark"
    assert decide(worked, 1, None).decision is None
    with pytest.raises(WorkspaceError, match="Nothing was decided"):
        undo_decision(worked, 2)
    with pytest.raises(WorkspaceError, match="no inspection 99"):
        decide(worked, 99, "fine")


def test_a_viewer_may_not_decide(worked):
    with acting(Person("Vic", Role.VIEW)):
        for act in (lambda: decide(worked, 1, "fine"), lambda: undo_decision(worked, 1)):
            with pytest.raises(NotAllowed, match="takes the role operate"):
                act()
    with worked.database.read() as session:
        assert session.scalar(select(func.count()).where(Event.action == history.DECIDE)) == 0
