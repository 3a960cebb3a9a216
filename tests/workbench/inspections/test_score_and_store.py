"""What a page stores of an image is what command line, watched folder and evaluation say of it."""

import json
import shutil
from dataclasses import replace

import numpy as np
import PIL.Image
import pytest
from sqlalchemy import select

from patchcore.evaluation.measures import evaluate
from patchcore.evaluation.mvtec_layout import read_layout
from patchcore.inspection import inspect
from patchcore.labels.layout import label_remark
from patchcore.maps.colours import CONTOUR_LINE, CONTOUR_RIM
from tests.patchcore.cli.test_commands import patchcore
from tests.workbench.parts import store_plates
from workbench.inspections.batches import create_batch, make_overlay_again, score_batch
from workbench.inspections.samples import FOLDER
from workbench.inspectors.building import BuildSettings, build
from workbench.inspectors.point_history import store_point
from workbench.inspectors.versions import get_version, load_model
from workbench.storage.tables import Inspection, Result
from workbench.storage.workspace import Workspace
from workbench.watching.folder import FileKey
from workbench.watching.history import PictureKeeper
from workbench.watching.in_use import InspectorJudge
from workbench.watching.job import WatchJudge
from workbench.watching.standing import WatchOptions, get_watch, start_watch

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)  # no matter of the database
WASHER, IN_BANK = FOLDER / "washer", 8
JUDGED = ("good/004.jpg", "dent/000.jpg", "rust/000.jpg")


@pytest.fixture(scope="module")
def with_washer(tmp_path_factory):
    """A workspace with an inspector of a few of the sample washers, to be copied."""
    workspace = Workspace(tmp_path_factory.mktemp("washer"))
    paths = sorted((WASHER / "train/good").iterdir())[:IN_BANK]
    images = [workspace.store_image(path.read_bytes(), path.name) for path in paths]
    settings = BuildSettings(name="Washer", image_size=128, coreset=0.05)
    build(workspace, settings, images, inspector_id="washer")
    workspace.close()
    return workspace.root


@pytest.fixture
def washer(workspace, with_washer):
    shutil.copytree(with_washer, workspace.root, dirs_exist_ok=True)
    return get_version(workspace, 1)


def last_row(workspace, table):
    with workspace.database.read() as session:
        return session.scalars(select(table).order_by(table.id.desc())).first()


def line_pixels(path, box):
    """The share of a box's edge that has a colour of an outline, as well as JPEG keeps it."""
    with PIL.Image.open(path) as picture:
        shown = np.asarray(picture.convert("RGB")).astype(int)
    x0, y0, x1, y1 = box
    edge = np.ones((y1 - y0, x1 - x0), bool)
    edge[1:-1, 1:-1] = False
    part = shown[y0:y1, x0:x1]
    near = [np.abs(part - colour).max(axis=2) < 90 for colour in (CONTOUR_LINE, CONTOUR_RIM)]
    return (near[0] | near[1])[edge].mean()


@SQLITE
@pytest.mark.parametrize("judge_by", ["score", "both"])
def test_page_watched_folder_command_line_and_evaluation_say_the_same(
    workspace, washer, tmp_path, monkeypatch, judge_by
):
    monkeypatch.setenv("PATCHCORE_ROOTS", str(tmp_path))
    (tmp_path / "in").mkdir()
    model = load_model(workspace, washer)
    dent = model.score(WASHER / "test" / JUDGED[1])
    point = replace(
        model.operating_point_,
        accept=dent.score * 0.8,
        reject=dent.score * 1.01,
        pixel=None if judge_by == "score" else float(dent.map.max()) * 0.7,
        min_area=4,
        judge_by=judge_by,
    )
    store_point(workspace, washer, point, "")
    file = tmp_path / "washer.patchcore"
    model.with_operating_point(point).save(file)
    by_file = InspectorJudge(workspace, "washer")
    watch_id = start_watch(workspace, "washer", str(tmp_path / "in"), WatchOptions())
    by_dashboard = WatchJudge(workspace, get_watch(workspace, watch_id))
    paths = [WASHER / "test" / name for name in JUDGED]
    rows = json.loads(patchcore("score", file, *paths, "--json").stdout)
    layout = [one for one in read_layout(WASHER) if one.name.endswith(JUDGED)]
    evaluated = {item.name: item for item in evaluate(model.with_operating_point(point), layout).scored}
    verdicts = set()
    for name, path, row in zip(JUDGED, paths, rows, strict=True):
        data, key = path.read_bytes(), FileKey(name, path.stat().st_size, 1)
        form = inspect(model, path, point).to_dict()
        assert row == {"path": str(path), **form}
        told, by_page = by_file(key, data).record.to_dict(), by_dashboard(key, data).record.to_dict()
        with_folder = form | {"remarks": form["remarks"] + label_remark(name)}
        assert {field: told[field] for field in form} == with_folder and by_page["remarks"] == told["remarks"]
        image = workspace.store_image(data, name)
        list(score_batch(workspace, create_batch(workspace, "washer", [image], name), washer))
        kept = last_row(workspace, Inspection)
        (labelled,) = [item for known, item in evaluated.items() if known.endswith(name)]
        assert form["verdict"] == by_page["verdict"] == kept.verdict == labelled.verdict
        scores = [form["score"], by_page["score"], kept.score, labelled.score]
        assert scores == pytest.approx([form["score"]] * 4, rel=1e-6)
        for field in ("accept", "reject", "pixel", "min_area", "judge_by"):
            assert form[field] == by_page[field] == getattr(kept, field)
        assert by_page["bank_id"] == form["bank_id"] and by_page["worst_box"] == form["worst_box"]
        assert last_row(workspace, Result).worst_box == kept.worst_box == form["worst_box"]
        assert kept.regions == by_page["regions"] and kept.region_count == len(by_page["regions"])
        if judge_by == "score":  # the map as stored, by which a page judges areas, is rounded a little
            assert by_page["regions"] == form["regions"]
        verdicts.add(form["verdict"])
    assert len(verdicts) > 1


@SQLITE
def test_overlay_outlines_the_place_that_decided_unless_regions_decide(workspace, version):
    point = load_model(workspace, version).operating_point_
    image = store_plates(workspace, 1, first=40, scratched=True)
    box = None
    for name, changes in (
        ("regions", {}),
        ("no region", {"min_area": 10**6}),
        ("region alone", {"judge_by": "area", "pixel": 0.1}),
    ):
        store_point(workspace, version, replace(point, **changes), name)
        list(score_batch(workspace, create_batch(workspace, "plate-1", image, name), version))
        kept, box = last_row(workspace, Inspection), last_row(workspace, Result).worst_box
        assert kept.verdict == "reject" and bool(kept.region_count) == (name != "no region")
        assert kept.worst_box == box
        share = line_pixels(workspace.root / kept.overlay_path, box)
        assert share < 0.6 if name == "region alone" else share > 0.9
        (workspace.root / kept.overlay_path).unlink()
        make_overlay_again(workspace, kept)
        assert line_pixels(workspace.root / kept.overlay_path, box) == share


@SQLITE
def test_overlay_of_a_watched_file_outlines_it_too(workspace, version):
    point = load_model(workspace, version).operating_point_
    image = store_plates(workspace, 1, first=40, scratched=True)[0]
    store_point(workspace, version, replace(point, min_area=10**6), "")
    data = workspace.image_path(image.sha256).read_bytes()
    judged = InspectorJudge(workspace, "plate-1")(FileKey("a.png", len(data), 1), data)
    keeper = PictureKeeper(workspace)
    keeper.prepare(judged)
    with workspace.database.read() as session:
        overlay = keeper.keep(session, judged).overlay_path
    assert judged.record.verdict == "reject" and judged.record.regions == []
    assert line_pixels(workspace.root / overlay, judged.record.worst_box) > 0.9
