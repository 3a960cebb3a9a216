"""Inspectors of other methods in a workspace: imported, scored, judged, audited, exported."""

from contextlib import closing

import pytest

from patchcore import SPADE, PaDiM
from patchcore.errors import SettingsError
from patchcore.methods import METHODS
from tests.workbench.parts import plate, store_plates
from workbench.evaluation.audit import audit
from workbench.inspections.batches import create_batch, explain, score_batch
from workbench.inspectors.exporting import export_bytes
from workbench.inspectors.importing import import_inspector
from workbench.inspectors.timeline import timeline
from workbench.inspectors.versions import find_inspector, load_model, reslice
from workbench.storage.workspace import Workspace


@pytest.fixture(scope="module", params=[PaDiM, SPADE], ids=["padim", "spade"])
def imported(request, tmp_path_factory):
    root = tmp_path_factory.mktemp("methods")
    model = request.param(image_size=64, seed=3).fit([plate(seed) for seed in range(6)])
    model.save(root / "other.patchcore")
    with closing(Workspace(root / "here")) as workspace:
        version = import_inspector(workspace, root / "other.patchcore")
        images = store_plates(workspace, 2, first=60, scratched=True)
        batch = create_batch(workspace, version.inspector_id, images, "b")
        yield model, workspace, version, list(score_batch(workspace, batch, version))


def test_scores_verdicts_and_good_scores_are_those_of_the_file(imported):
    model, workspace, version, results = imported
    assert (version.share, version.patches, version.cover_radius) == (1.0, model.size.rows, 0.0)
    assert version.megabytes == model.size.nbytes / 1e6
    assert version.operating_point["reject"] == model.threshold_
    assert version.good_scores == dict(model.evidence_.good)
    loaded = load_model(workspace, version)
    assert type(loaded) is type(model)
    for result in results:
        assert result.score == model.score(workspace.image_path(result.image.sha256)).score
        assert result.score > model.threshold_
    assert {one.name for one in audit(workspace, version)} == set(model.good_scores_)


def test_an_export_comes_back_with_the_same_scores(imported, tmp_path):
    model, workspace, version, _ = imported
    entry = timeline(workspace, version.inspector_id)[0]
    data = export_bytes(workspace, find_inspector(workspace, version.inspector_id), entry)
    with closing(Workspace(tmp_path)) as there:
        again = import_inspector(there, data)
        assert load_model(there, again).score(plate(70)).score == model.score(plate(70)).score


def test_what_the_method_cannot_do_is_refused_by_name(imported):
    model, workspace, version, results = imported
    label = METHODS[model.method].label
    with pytest.raises(SettingsError, match=f"^{label} keeps no coreset"):
        reslice(workspace, version, 0.5)
    if model.method == "spade":
        assert explain(workspace, results[0]).distance > 0
    else:
        with pytest.raises(SettingsError, match="^PaDiM does not compare a patch with single good patches"):
            explain(workspace, results[0])
