"""PaDiM and SPADE through the workbench: built, scored, moved, evaluated; what they cannot do is refused."""

import io
import shutil
import zipfile
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from typer.testing import CliRunner

from patchcore import Detector
from patchcore.errors import SettingsError
from patchcore.maps.colours import CONTOUR_LINE, CONTOUR_RIM
from patchcore.methods import METHODS
from patchcore.thresholds.decision import decide
from patchcore.thresholds.operating_point import Choice, OperatingPoint
from tests.workbench.parts import (
    OF_METHOD,
    SMALL,
    build_each_method,
    evidence,
    plate,
    remove_good,
    store_plates,
)
from workbench.__main__ import app
from workbench.evaluation.audit import audit
from workbench.evaluation.certificate import certificate_of
from workbench.evaluation.comparison import compare
from workbench.evaluation.report import report_of
from workbench.evaluation.sweep import start_sweep
from workbench.evaluation.version_difference import difference
from workbench.inspections.batches import (
    explain,
    good_batch,
    list_results,
    load_map,
    score_batch,
)
from workbench.inspections.exports import write_overlays
from workbench.inspections.history_query import Filter, read_page
from workbench.inspectors.building import BuildSettings
from workbench.inspectors.exporting import export
from workbench.inspectors.importing import import_inspector
from workbench.inspectors.loaded_models import LOADED
from workbench.inspectors.timeline import require_state
from workbench.inspectors.versions import (
    find_inspector,
    get_version,
    list_inspectors,
    load_model,
    reslice,
    set_operating_point,
    share_numbers,
)
from workbench.jobs.arguments import check_arguments
from workbench.storage.database import WorkspaceError
from workbench.storage.workspace import Workspace
from workbench.tuning.teaching_preview import preview_teaching
from workbench.upkeep.backups.restoring import restore
from workbench.upkeep.backups.writing import back_up
from workbench.upkeep.check import check
from workbench.watching.folder import FileKey
from workbench.watching.in_use import InspectorJudge

PEERS = tuple(OF_METHOD)


@pytest.fixture(scope="session")
def each_method(tmp_path_factory) -> Path:
    """A workspace with an inspector of each method on the same plates."""
    workspace = Workspace(tmp_path_factory.mktemp("methods") / "here")
    build_each_method(workspace)
    workspace.close()
    return workspace.root


@pytest.fixture
def here(each_method, tmp_path):
    shutil.copytree(each_method, tmp_path / "here")
    workspace = Workspace(tmp_path / "here")
    yield workspace
    workspace.close()


def version_of(workspace, name):
    return find_inspector(workspace, name).current


@pytest.mark.parametrize("name", PEERS)
def test_a_stored_version_says_its_method_and_loads_as_that(here, name):
    version = version_of(here, name)
    assert version.settings["method"] == name and "coreset" not in version.settings
    assert BuildSettings.from_dict(version.settings).to_dict() == version.settings
    model = load_model(here, version)
    assert model.method == name and load_model(here, version) is model  # the second comes from memory
    assert (version.share, version.patches, version.cover_radius) == (1.0, model.size.rows, 0.0)
    assert version.megabytes == model.size.nbytes / 1e6
    assert version.good_scores.keys() == {record.sha256 for record in model.image_records_}
    assert version.operating_point["bank_id"] == model.bank_id_


@pytest.mark.parametrize("name", PEERS)
def test_thresholds_regions_and_history_work(here, name):
    version = version_of(here, name)
    point = OperatingPoint.from_dict(version.operating_point)
    assert max(version.good_scores.values()) == pytest.approx(point.reject)
    results = list_results(here, 1, version.id)
    scratched = [result for result in results if result.image.truth == "scratch"]
    assert all(result.score > point.reject for result in scratched)
    assert all(load_map(here, result).shape == (64, 64) for result in results)
    rows = read_page(here, Filter(inspector_id=name)).rows
    assert len(rows) == 2 * len(results) and {row.inspector_name for row in rows} == {f"Plate by {name}"}

    known = evidence(here, version, 1, "both")
    tuned = decide(Choice("youden"), known, point.bank_id, set_by="Ada")
    set_operating_point(here, version, tuned)
    assert version_of(here, name).operating_point["reject"] == tuned.reject
    assert load_model(here, version).with_operating_point(tuned).threshold_ == tuned.reject


@pytest.mark.parametrize("name", PEERS)
def test_a_file_scores_elsewhere_as_it_does_here(here, tmp_path, name):
    version, file = version_of(here, name), tmp_path / "one.patchcore"
    export(here, *require_state(here, name, None), file)
    there = Workspace(tmp_path / "there")
    came = import_inspector(there, file)
    assert came.settings["method"] == name and came.settings["share"] is None
    assert BuildSettings.from_dict(came.settings).method == name
    image = store_plates(there, 1, first=60, scratched=True)[0]
    path = there.image_path(image.sha256)
    ours, theirs = (
        load_model(*known).score(path) for known in ((here, version), (there, get_version(there, came.id)))
    )
    assert ours.score == theirs.score and np.array_equal(ours.map, theirs.map)
    assert Detector.load(file).method == name
    there.close()


@pytest.mark.parametrize("name", PEERS)
def test_a_file_of_another_method_becomes_the_next_version_of_an_inspector(here, tmp_path, name):
    export(here, *require_state(here, name, None), tmp_path / "one.patchcore")
    came = import_inspector(here, tmp_path / "one.patchcore", into="patchcore")
    assert (came.number, version_of(here, "patchcore").settings["method"]) == (2, name)
    states = [require_state(here, "patchcore", number)[1] for number in ("1.1", "2.1")]
    found = {words: pair for words, *pair in difference(here, *states).settings}
    assert found["Method"] == ["PatchCore", METHODS[name].label]
    assert found["Largest share"] == [SMALL["coreset"], None]


@pytest.mark.parametrize("name", PEERS)
def test_what_the_method_lacks_is_refused_before_anything_is_loaded(here, name, monkeypatch):
    monkeypatch.setattr(LOADED, "at_share", partial(pytest.fail, "a model was loaded"))
    version, label = version_of(here, name), METHODS[name].label
    results = list_results(here, 1, version.id)
    for refused in (
        partial(share_numbers, here, version, 0.1),
        partial(reslice, here, version, 0.1),
        partial(start_sweep, here, version, 1),
        partial(remove_good, here, version, list(version.good_scores)[:1]),
        partial(preview_teaching, here, version, results[:1]),
    ):
        with pytest.raises(SettingsError, match=f"^{label} .*[a-z]\\.$"):
            refused()


def test_spade_explains_by_the_nearest_patch_and_padim_refuses(here):
    result = list_results(here, 1, version_of(here, "spade").id)[-1]
    why = explain(here, result)
    assert why.neighbour_sha256 in version_of(here, "spade").good_scores
    assert why.distance == pytest.approx(result.score, rel=1e-5)
    with pytest.raises(SettingsError, match="PaDiM does not compare"):
        explain(here, list_results(here, 1, version_of(here, "padim").id)[-1])


@pytest.mark.parametrize("name", PEERS)
def test_a_flagged_image_shows_the_place_that_decided_without_any_region(here, name):
    version = version_of(here, name)
    point = replace(OperatingPoint.from_dict(version.operating_point), min_area=10**6)
    worst = max(list_results(here, 1, version.id), key=lambda one: one.score)
    assert worst.score > point.reject
    archive = io.BytesIO()
    write_overlays(here, [worst], point, archive, mode="contour")
    with zipfile.ZipFile(archive) as pictures:
        painted = np.asarray(PIL.Image.open(io.BytesIO(pictures.read(pictures.namelist()[0]))))
    x0, y0, x1, _y1 = worst.worst_box
    assert {tuple(pixel) for pixel in painted[y0, x0:x1].tolist()} == {CONTOUR_LINE, CONTOUR_RIM}


@pytest.mark.parametrize("name", PEERS)
def test_the_good_images_are_ranked_by_their_scores_without_themselves(here, name):
    version = version_of(here, name)
    list(score_batch(here, good_batch(here, version), version))
    ranked = audit(here, version)
    assert [one.score for one in ranked] == sorted(version.good_scores.values(), reverse=True)
    assert all(one.result.score == pytest.approx(one.score, rel=1e-5) and one.worst_box for one in ranked)


@pytest.mark.parametrize("name", PEERS)
def test_report_and_certificate_name_the_method(here, name):
    version = version_of(here, name)
    inspector, entry = require_state(here, name, None)
    for page in (report_of(here, version, 1, "Ada", ""), certificate_of(here, inspector, entry)):
        assert METHODS[name].label in page and "coreset" not in page.lower()


def test_inspectors_of_different_methods_are_compared_on_one_set(here):
    for first, second in (("patchcore", "padim"), ("padim", "spade")):
        found = compare(here, 1, version_of(here, first), version_of(here, second))
        assert (found.n_good, found.n_defect) == (3, 3)
        assert found.first_auroc == found.second_auroc == 1.0


def test_check_finds_nothing_and_a_backup_brings_all_methods_back(here, tmp_path):
    assert check(here, grace=0) == []
    back_up(here, tmp_path / "all.zip")
    done = restore(tmp_path / "all.zip", tmp_path / "again")
    again = Workspace(done.workspace)
    for name in METHODS:
        ours, theirs = version_of(here, name), version_of(again, name)
        assert ours.settings == theirs.settings
        assert load_model(again, theirs).bank_id_ == ours.operating_point["bank_id"]
    again.close()


def test_a_share_is_no_setting_of_a_method_without_a_coreset():
    with pytest.raises(SettingsError, match="PaDiM keeps no coreset"):
        BuildSettings(name="Plate", method="padim", share=0.05)
    with pytest.raises(SettingsError, match="The coreset share is a setting of PatchCore; SPADE has none"):
        BuildSettings(name="Plate", method="spade", coreset=0.05)
    with pytest.raises(SettingsError, match="The method must be one of patchcore, padim, spade"):
        BuildSettings(name="Plate", method="toy")


def test_a_job_with_a_setting_of_another_method_is_refused():
    job = {"inspector_id": "plate-1", "images": []}
    for name in METHODS:
        settings = BuildSettings(name="Plate", **OF_METHOD.get(name, {})).to_dict()
        check_arguments("build", {**job, "settings": settings})
    with pytest.raises(WorkspaceError, match="The coreset share is a setting of PatchCore; SPADE has none"):
        check_arguments("build", {**job, "settings": {**settings, "coreset": 0.1}})
    with pytest.raises(WorkspaceError, match="The method must be one of"):
        check_arguments("build", {**job, "settings": {**settings, "method": "toy"}})


@pytest.mark.parametrize("name", PEERS)
def test_a_watched_folder_is_judged_by_the_inspector(here, name):
    data = plate(60, scratched=True)
    judged = InspectorJudge(here, name)(FileKey("scratch.png", len(data), 1), data)
    result = list_results(here, 1, version_of(here, name).id)[3]  # the same image
    assert judged.record.verdict == "reject"
    assert judged.record.score == pytest.approx(result.score, rel=1e-6)
    assert judged.record.bank_id == version_of(here, name).operating_point["bank_id"]


@pytest.mark.parametrize("name", PEERS)
def test_the_commands_move_an_inspector_of_any_method(here, tmp_path, name, monkeypatch):
    monkeypatch.setenv("PATCHCORE_WORKSPACE", str(here.root))
    file = str(tmp_path / "one.patchcore")
    assert CliRunner().invoke(app, ["export", name, file]).exit_code == 0
    monkeypatch.setenv("PATCHCORE_WORKSPACE", str(tmp_path / "there"))
    done = CliRunner().invoke(app, ["import", file])
    assert done.exit_code == 0, done.output
    with closing(Workspace(tmp_path / "there")) as there:
        [inspector] = list_inspectors(there)
        assert inspector.name == f"Plate by {name}" and inspector.current.settings["method"] == name
