"""Doubts about whole pictures stand on each page that shows the images, and Tune has their switch."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import select

from patchcore.thresholds.operating_point import OperatingPoint
from tests.pages.test_remarks import said, washer
from tests.pages.test_tune import button, given, point, press  # noqa: F401 - `given` is a fixture
from workbench.inspections.batches import create_batch, list_results, score_batch
from workbench.inspections.picture_doubts import doubt_sentences
from workbench.inspectors.versions import find_inspector, set_operating_point
from workbench.jobs.requests import JobState
from workbench.storage.tables import Inspection, InspectorVersion, Job
from workbench.widgets.inspect import batch_view
from workbench.widgets.shared import detail_view

ODD = {
    "lid closed.png": lambda pixels: pixels * 0,
    "lamp doubled.png": lambda pixels: (pixels * 6.0).clip(0, 255).astype(np.uint8),
    "empty holder.png": lambda pixels: pixels * 0 + 128,
}


@pytest.fixture
def odd(full):
    """A batch of odd pictures of which each would be accepted by its patches; its results by name."""
    inspector = find_inspector(full, "washer")
    stored = OperatingPoint.from_dict(inspector.current.operating_point)
    set_operating_point(full, inspector.current, replace(stored, accept=1e6, reject=1e6))
    images = [full.store_image(_png(change(washer())), name, truth="blank") for name, change in ODD.items()]
    images.append(full.store_image(_png(washer(1)), "good.png", truth="good"))
    version = find_inspector(full, "washer").current
    batch = create_batch(full, "washer", images, "Odd")
    assert all(result.error is None for result in score_batch(full, batch, version))
    return {result.image.name: result for result in list_results(full, batch, version.id)}


def _png(pixels):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def test_inspect_review_and_history_say_why(odd, full, open_app, monkeypatch):
    shown = {}
    monkeypatch.setattr(batch_view, "gallery", lambda tiles, *_, **rest: shown.update(tiles=tiles, **rest))
    monkeypatch.setattr(detail_view, "detail", lambda *_, **rest: shown.update(detail=rest))
    with full.database.read() as session:
        rows = {row.name: row for row in session.scalars(select(Inspection))}
    for name in ODD:
        result = odd[name]
        (first, *_) = doubt_sentences(result)
        app = open_app("inspect", inspector="washer", image=str(result.id))
        assert f"Whole picture: {first}" in said(app)
        assert [one.sentence for one in shown["detail"]["doubts"]] == doubt_sentences(result)
        assert any("3 images doubtful as a whole" in one.label for one in app.expander)
        app = open_app("review", inspector="washer", queued=str(result.id))
        assert "the whole picture is doubtful" in said(app) and first in said(app)
        assert first in said(open_app("history", inspector="washer", inspection=str(rows[name].id)))
    assert {tile.name: list(tile.doubts) for tile in shown["tiles"]} == {
        name: doubt_sentences(result) for name, result in odd.items()
    }
    assert shown["picture_check"] and shown["detail"]["picture_check"]


def test_evaluate_counts_them_as_review(odd, open_app):
    app = open_app("evaluate", inspector="washer")
    assert "3 <small>of 4</small>" in "".join(one.proto.body for one in app.get("html"))


def test_the_switch_is_tried_out_and_put_in_force(odd, full, open_app, given):  # noqa: F811
    app = open_app("tune", inspector="washer")
    dots = {dot.name: dot for dot in given["strip"]["dots"]}
    assert {name for name, dot in dots.items() if dot.doubts} == set(ODD)
    switch = app.toggle(key="tune_picture")
    assert switch.value and button(app, "Use this").disabled
    switch.set_value(False).run()
    assert not given["strip"]["picture_check"] and not given["near"]["picture_check"]
    assert (given["outcome"]["picture_check"], given["outcome"]["stored_picture_check"]) == (False, True)
    assert json.loads("".join(app.query_params["trial"]))["picture_check"] is False
    assert point(full).picture_check
    press(app, "Use this")
    assert not point(full).picture_check and "whole picture not checked" in said(app)
    result = odd["lid closed.png"]
    opened = said(open_app("inspect", inspector="washer", image=str(result.id)))
    assert f"Whole picture, not counted: {doubt_sentences(result)[0]}" in opened


def test_the_result_of_a_build_names_good_images_that_would_be_sent_to_review(odd, full, open_app):
    version = find_inspector(full, "washer").current
    with full.database.write() as session:
        row = session.get_one(InspectorVersion, version.id)
        assert row.numbers["good_doubts"] == []
        image = next(iter(version.good_scores))
        row.numbers = {
            **row.numbers,
            "good_doubts": [{"sha256": image, "doubts": odd["lid closed.png"].doubts}],
            "remarks": ["5 of your 8 images are near copies of 1."],
        }
        arguments = {"inspector_id": "washer", "settings": row.settings, "images": []}
        done = {"inspector_id": "washer", "version_id": version.id}
        job = Job(kind="build", title="Build", arguments=arguments, state=JobState.DONE, result=done)
        session.add(job)
        session.flush()
        number = job.id
    text = said(open_app("build", job=str(number)))
    assert "These good images would themselves be sent to review" in text and "Darker than any good" in text
    assert text.count("near copies of 1") == 1
