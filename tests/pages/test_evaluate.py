import shutil
from types import SimpleNamespace

import pytest

from patchcore.thresholds.operating_point import OperatingPoint
from tests.pages.texts import HOSTILE, WASHER, words
from workbench.evaluation.sweep import run_sweep
from workbench.inspections.background_scorer import TRIAL
from workbench.inspections.batches import (
    create_batch,
    good_batch,
    list_results,
    load_map,
    load_mask,
    score_batch,
)
from workbench.inspections.labels import label_counts, labelled_sets
from workbench.inspectors.versions import find_inspector, good_images, reslice, set_operating_point
from workbench.jobs.queue import JobQueue
from workbench.jobs.requests import JobState, list_jobs
from workbench.storage.tables import Job
from workbench.storage.workspace import Workspace
from workbench.widgets.evaluate import images
from workbench.widgets.inspect import batch_view
from workbench.widgets.shared import detail_view
from workbench.widgets.shared.scoring import bar

VIEWS = (
    "Curves",
    "By defect type",
    "Misses and false rejects",
    "Bank size",
    "Good images",
    "Compare",
    "Report",
)


@pytest.fixture(scope="session")
def evaluated(prepared, tmp_path_factory):
    """The prepared workspace with a labelled and scored set: two good parts, three defects, one of a hostile name."""
    root = tmp_path_factory.mktemp("evaluated") / "workspace"
    shutil.copytree(prepared, root)
    workspace = Workspace(root)
    images = [
        *(_labelled(workspace, "good", number) for number in (0, 1)),
        *(_labelled(workspace, kind, 0) for kind in ("contamination", "misstruck")),
        _labelled(workspace, "contamination", 1, HOSTILE),
    ]
    batch = create_batch(workspace, "washer", images, "Labelled *set*")
    version = find_inspector(workspace, "washer").current
    for one in (batch, good_batch(workspace, version)):
        assert len(list(score_batch(workspace, one, version))) in (5, 4)
    workspace.database.close()
    return root


@pytest.fixture
def labelled(evaluated, tmp_path, monkeypatch) -> Workspace:
    """A copy that a test may change."""
    shutil.copytree(evaluated, tmp_path / "workspace")
    monkeypatch.setenv("PATCHCORE_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.setattr(JobQueue, "step", lambda self: None)  # no job is run here
    return Workspace()


@pytest.fixture(autouse=True)
def given(monkeypatch):
    """What the page gives the viewers, by key."""
    seen = {}

    def gallery(tiles, thresholds, *, key, **rest):
        seen[key] = {"tiles": tiles, "thresholds": thresholds, **rest}

    def detail(item, name, load, score, thresholds, **rest):
        seen["detail"] = {"name": name, "load": load, "thresholds": thresholds, **rest}

    monkeypatch.setattr(images, "gallery", gallery)
    monkeypatch.setattr(detail_view, "detail", detail)
    return seen


def test_without_an_inspector_the_page_says_what_to_do(empty, open_app):
    app = open_app("evaluate")
    assert "there is none yet" in words(app)


def test_without_a_label_the_page_says_what_to_do(full, open_app):
    app = open_app("evaluate", inspector="washer")
    assert "images whose truth is known" in words(app) and "file,label" in words(app)
    assert "Label images" in labels(app)
    assert not app.get("vega_lite_chart")


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_draws_and_takes_no_name_for_html(labelled, open_app, view):
    app = open_app("evaluate", inspector="washer", view=view)
    assert not app.exception and not app.error
    assert app.segmented_control(key="evaluate_view").value == view
    assert HOSTILE not in words(app)
    assert "Labelled *set*, 2 good, 3 defects" in words(app)


def test_the_headline_counts_verdicts_of_the_threshold(labelled, open_app):
    judge_by_hand(labelled, reject=1e6)  # everything is accepted
    text = words(open_app("evaluate", inspector="washer"))
    assert (
        '<b><span class="pc-reject">3</span> <small>of 3, 100 % (29.2 % to 100 %)</small></b>' in text
    )  # escapes
    assert "<b>0 <small>of 2, 0 % (0 % to 84.2 %)</small></b>" in text  # false rejects
    judge_by_hand(labelled, reject=0.0)  # everything is rejected
    text = words(open_app("evaluate", inspector="washer"))
    assert '<b><span class="pc-reject">2</span> <small>of 2, 100 % (15.8 % to 100 %)</small></b>' in text
    assert "<b>0 <small>of 3, 0 % (0 % to 70.8 %)</small></b>" in text


def test_a_set_is_measured_once_for_all_views_and_thresholds(labelled, open_app, monkeypatch):
    from workbench.widgets.evaluate import measured

    calls = []
    real = measured.evaluation_of
    monkeypatch.setattr(measured, "evaluation_of", lambda *a, **k: (calls.append(1), real(*a, **k))[1])
    app = open_app("evaluate", inspector="washer")
    app.run()
    judge_by_hand(labelled, reject=0.5)
    app.run()
    app.segmented_control(key="evaluate_view").set_value("By defect type").run()
    assert len(calls) == 1  # not for another view, nor for another threshold


def test_curves_are_marked_at_the_operating_point(labelled, open_app):
    judge_by_hand(labelled, reject=0.0)
    app = open_app("evaluate", inspector="washer")
    charts = app.get("vega_lite_chart")
    assert len(charts) == 3
    assert all('"operating point"' in chart.proto.spec for chart in charts[:2])


def test_the_table_has_a_row_for_every_type_and_its_worst_miss(labelled, open_app, given):
    text = words(open_app("evaluate", inspector="washer", view="By defect type"))
    assert "<b>contamination</b>" in text and "<b>misstruck</b>" in text
    assert len(given["gallery_types"]["tiles"]) == 2
    scores = [tile.score for tile in given["gallery_types"]["tiles"]]
    assert scores == sorted(scores)


def test_a_set_without_defects_says_so_in_every_view(labelled, open_app, given):
    batch = good_only(labelled)
    text = words(open_app("evaluate", inspector="washer", set=str(batch))).replace("\\", "")
    assert "No Image AUROC, Average precision and Best F1: no image is labelled as a defect" in text
    app = open_app("evaluate", inspector="washer", set=str(batch), view="By defect type")
    assert "No image of this set is labelled as a defect" in app.info[0].value
    app = open_app("evaluate", inspector="washer", set=str(batch), view="Misses and false rejects")
    assert "labelled as a defect" in app.info[0].value
    assert len(given["gallery_false_rejects"]["tiles"]) == 2


def test_misses_come_lowest_first_and_open_beside_their_mask(labelled, open_app, given):
    judge_by_hand(labelled, reject=1e6)
    open_app("evaluate", inspector="washer", view="Misses and false rejects")
    scores = [tile.score for tile in given["gallery_misses"]["tiles"]]
    assert len(scores) == 3 and scores == sorted(scores)
    result = next(one for one in results_of(labelled) if one.image.mask_sha256 and one.image.name != HOSTILE)
    judge_by_hand(labelled, reject=float(load_map(labelled, result).max()) * 0.7)
    app = open_app("evaluate", inspector="washer", view="Misses and false rejects", shown=str(result.id))
    if given.get("detail") is None:  # it is rejected now, and not among what is shown
        judge_by_hand(labelled, reject=1e6)
        app = open_app("evaluate", inspector="washer", view="Misses and false rejects", shown=str(result.id))
    assert given["detail"]["name"] == result.image.name and given["detail"]["truth"].any()
    marked = int(load_mask(labelled, result.image).sum())
    agreed, missed = (pixels(app, kind) for kind in ("agreed", "missed"))
    assert agreed + missed == marked
    heights = {given[key]["height"] for key in ("gallery_misses", "gallery_false_rejects") if key in given}
    assert heights == {batch_view.ONE_ROW}
    open_app("evaluate", inspector="washer", view="Misses and false rejects")
    assert given["gallery_misses"]["height"] == batch_view.TALL  # no slit above an empty page


def test_bank_sizes_are_measured_by_a_job_and_one_is_put_into_use(labelled, open_app):
    app = open_app("evaluate", inspector="washer", view="Bank size")
    press(app, "Compare bank sizes")
    [job] = [one for one in list_jobs(labelled) if one.kind == "sweep"]
    assert "Cancel" in labels(app)
    finish(labelled, job)
    app = open_app("evaluate", inspector="washer", view="Bank size")
    before = find_inspector(labelled, "washer").current
    charts = app.get("vega_lite_chart")
    assert len(charts) == 6 and all('"percent"' in chart.proto.spec for chart in charts)
    sizes = app.segmented_control(key="size_choice")
    assert app.button(key="use_size").disabled  # the size in use is chosen at first
    sizes.set_value(
        sizes.options[3] if not isinstance(sizes.value, float) else shares(job, labelled)[3]
    ).run()
    press(app, "Use ")
    after = find_inspector(labelled, "washer").current
    assert after.patches < before.patches and after.id != before.id
    assert after.operating_point["reject"] > before.operating_point["reject"]
    assert "threshold was set again" in app.success[0].value


def test_a_good_image_is_removed_and_comes_back(labelled, open_app):
    before = find_inspector(labelled, "washer").current
    app = open_app("evaluate", inspector="washer", view="Good images")
    first = app.checkbox[0]
    worst = max(before.good_scores, key=before.good_scores.get)
    assert first.key.endswith(worst[:16]) and app.button(key="audit_remove").disabled
    first.check().run()
    press(app, "Remove 1 image from the bank")
    after = find_inspector(labelled, "washer").current
    assert worst not in {image.sha256 for image in good_images(labelled, after)}
    assert len(after.good_scores) == 3 and "1 image removed" in app.success[0].value
    app = open_app("evaluate", inspector="washer", view="Good images")  # also for somebody else, later
    press(app, "Undo the removal")
    press(app, "Put it in force")
    assert find_inspector(labelled, "washer").current.id == before.id
    assert "Undo the removal" not in labels(app)


def test_a_good_image_that_is_kept_is_not_suggested_again(labelled, open_app):
    app = open_app("evaluate", inspector="washer", view="Good images")
    first = app.checkbox[0].key
    app.checkbox[0].check().run()
    press(app, "Keep 1 image")
    assert first not in [box.key for box in app.checkbox] and len(app.checkbox) == 3
    for box in list(app.checkbox):
        app.checkbox(key=box.key).check()
    app.run()
    press(app, "Keep 3 images")
    assert "looked at and kept" in words(app)
    press(app, "Suggest the 4 kept again")
    assert len(app.checkbox) == 4


def test_at_least_two_good_images_remain(labelled, open_app):
    app = open_app("evaluate", inspector="washer", view="Good images")
    for box in list(app.checkbox)[:3]:
        app.checkbox(key=box.key).check()
    app.run()
    assert app.button(key="audit_remove").disabled and "At least two good images" in words(app)


def test_two_versions_are_compared_on_the_same_set(labelled, open_app):
    first = find_inspector(labelled, "washer").current
    second = reslice(labelled, first, first.share / 10)
    assert len(list(score_batch(labelled, labelled_sets(labelled, "washer")[0].id, second))) == 5
    app = open_app("evaluate", inspector="washer", view="Compare")
    text = words(app)
    assert app.selectbox(key="compare_with").value == first.id
    assert "on the same 2 good images and 3 defects" in text.replace("\\", "")
    assert "Images on which they disagree" in text and text.count("Time per image") == 1


def test_another_version_scores_a_long_set_only_when_a_person_asks(labelled, open_app, monkeypatch):
    monkeypatch.setattr(bar, "SHORT_SECONDS", 0.0)
    first = find_inspector(labelled, "washer").current
    second = reslice(labelled, first, first.share / 10)
    app = open_app("evaluate", inspector="washer", view="Compare")
    assert app.segmented_control(key="evaluate_view").value == "Compare"
    batch = labelled_sets(labelled, "washer")[0].id
    for _ in range(600):  # a few images give the time of an image
        if any(one.label.startswith("Score 2 images, about ") for one in app.button):
            break
        app.run()
    assert len(list_results(labelled, batch, second.id)) == TRIAL == 3
    press(app, "Score 2 images")
    for _ in range(600):
        app.run()
        if len(list_results(labelled, batch, second.id)) == 5 and "Image AUROC" in words(app):
            break
    assert "Compare the version in use with" in [box.label for box in app.selectbox]


def test_a_set_with_a_table_comes_in_with_its_remarks(labelled, open_app, monkeypatch, tmp_path):
    monkeypatch.setenv("PATCHCORE_ROOTS", str(tmp_path))
    folder = tmp_path / "lot 8"
    folder.mkdir()
    for name in ("000.jpg", "001.jpg"):
        shutil.copy(WASHER / "test/good" / name, folder)
    (folder / "labels.csv").write_text("file,label\n000.jpg,good\nnot_there.jpg,scratch\n", encoding="utf-8")
    app = open_app("evaluate", inspector="washer")
    app.segmented_control(key="labelled_way").set_value("Folder on this computer").run()
    app.text_input(key="labelled_server").set_value(str(folder))
    press(app, "Read the folder")
    assert not app.error
    assert labelled_sets(labelled, "washer")[0].name == "lot 8"
    assert "not_there.jpg" in words(app).replace("\\", "")
    again = words(open_app("evaluate", inspector="washer")).replace("\\", "")  # as after a reload
    assert "not_there.jpg" in again and "Taken as good: good (1)" in again


@pytest.mark.parametrize(("good", "defect"), [("normal", "NG"), ("gut", "Kratzer"), ("0.0", "1.0")])
def test_the_page_says_which_labels_were_taken_as_good(labelled, open_app, folder_of, good, defect):
    app = read_folder(open_app, folder_of(good, defect))
    assert f"Taken as good: {good} (1). Taken as defects: {defect} (1)." in words(app).replace("\\", "")
    assert label_counts(labelled, labelled_sets(labelled, "washer")[0].id).good == 1


@pytest.mark.parametrize(("chosen", "good"), [(["typ 1"], 1), ([], 0)])
def test_the_page_asks_which_label_means_good(labelled, open_app, folder_of, chosen, good):
    before = labelled_sets(labelled, "washer")
    app = read_folder(open_app, folder_of("typ 1", "typ 2"))
    assert "Labels found: typ 1, typ 2." in app.warning[0].value.replace("\\", "")
    assert len(labelled_sets(labelled, "washer")) == len(before)
    app = open_app("evaluate", inspector="washer")  # as after a reload
    assert "2 images, brought in" in words(app) and "kept for 7 days" in words(app)
    app.multiselect(key="good_labels").set_value(chosen)
    press(app, "Use these labels")
    assert not app.error
    counts = label_counts(labelled, labelled_sets(labelled, "washer")[0].id)
    assert (counts.good, counts.defect) == (good, 2 - good)
    assert not [
        one for one in open_app("evaluate", inspector="washer").multiselect if one.key == "good_labels"
    ]


def test_an_address_of_nonsense_does_no_harm(labelled, open_app):
    app = open_app(
        "evaluate", inspector="washer", view="<b>", set="-1", shown="²", size="nan", other="999999"
    )
    assert app.segmented_control(key="evaluate_view").value == "Curves" and not app.error


@pytest.fixture
def folder_of(monkeypatch, tmp_path):
    """Make a folder of two images, each in the folder of its label."""

    def make(*labels):
        monkeypatch.setenv("PATCHCORE_ROOTS", str(tmp_path))
        for number, label in enumerate(labels):
            (tmp_path / "lot 9" / label).mkdir(parents=True)
            shutil.copy(WASHER / "test/good" / f"00{number}.jpg", tmp_path / "lot 9" / label)
        return tmp_path / "lot 9"

    return make


def read_folder(open_app, folder):
    """Open the page and bring in a folder of this computer."""
    app = open_app("evaluate", inspector="washer")
    app.segmented_control(key="labelled_way").set_value("Folder on this computer").run()
    app.text_input(key="labelled_server").set_value(str(folder))
    press(app, "Read the folder")
    return app


def _labelled(workspace, kind, number, name=None):
    path = sorted((WASHER / "test" / kind).iterdir())[number]
    mask = None
    if kind != "good":
        place = WASHER / "ground_truth" / kind / f"{path.stem}_mask.png"
        mask = workspace.store_image(place, place.name).sha256
    return workspace.store_image(path, name or f"{kind}/{path.name}", truth=kind, mask_sha256=mask)


def good_only(workspace):
    images = [_labelled(workspace, "good", number) for number in (2, 3)]
    batch = create_batch(workspace, "washer", images, "Good alone")
    assert len(list(score_batch(workspace, batch, find_inspector(workspace, "washer").current))) == 2
    return batch


def judge_by_hand(workspace, reject):
    from tests.points import by_hand

    version = find_inspector(workspace, "washer").current
    point = OperatingPoint.from_dict(version.operating_point)
    set_operating_point(workspace, version, by_hand(reject, point.evidence, point.bank_id, set_by="a test"))


def results_of(workspace):
    version = find_inspector(workspace, "washer").current
    return list_results(workspace, labelled_sets(workspace, "washer")[0].id, version.id)


def finish(workspace, job):
    """Do a queued sweep here, and record it as its process would."""
    inside = SimpleNamespace(
        workspace=workspace, arguments=job.arguments, progress=lambda *_: None, cancelled=lambda: False
    )
    found = run_sweep(inside)
    with workspace.database.write() as session:
        row = session.get_one(Job, job.id)
        row.state, row.result = JobState.DONE, found


def shares(job, workspace):
    with workspace.database.read() as session:
        return [point["share"] for point in session.get_one(Job, job.id).result["points"]]


def pixels(app, kind):
    import re

    found = re.search(rf"<b>{kind}</b>.*?([\d,]+) px", words(app))
    return int(found.group(1).replace(",", ""))


def labels(app):
    return [button.label for button in app.button]


def press(app, label):
    next(one for one in app.button if one.label.startswith(label)).click().run()
    assert not app.exception
