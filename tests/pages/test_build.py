from dataclasses import replace

import pytest

from patchcore.thresholds.operating_point import OperatingPoint
from tests.pages.texts import words
from workbench.inspections.batches import list_batches, list_results
from workbench.inspections.labels import set_label
from workbench.inspectors.versions import find_inspector, set_operating_point
from workbench.jobs.queue import JobQueue
from workbench.jobs.requests import JobState, get_job, list_jobs
from workbench.storage.roi import Roi, kept_region
from workbench.storage.tables import Job
from workbench.uploads.drafts import list_drafts
from workbench.viewer import Drawing, Shape
from workbench.widgets.build import network_view
from workbench.widgets.build.draft import SETTINGS
from workbench.widgets.shared import wording

LEFT_HALF = Shape("rectangle", ((0.0, 0.0), (224.0, 448.0)))
CUT_ALL = Shape("rectangle", ((0.0, 0.0), (448.0, 448.0)), cut=True)


@pytest.fixture
def drawn(monkeypatch):
    """What the page gives the editor of the region."""
    seen = {}
    monkeypatch.setattr(network_view, "roi_editor", lambda images, **rest: seen.update(rest, images=images))
    return seen


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Three good parts and a broken file, in a folder that is open to the interface."""
    import shutil

    from tests.pages.texts import WASHER

    monkeypatch.setenv("PATCHCORE_ROOTS", str(tmp_path))
    folder = tmp_path / "good parts"
    folder.mkdir()
    for path in sorted((WASHER / "train/good").iterdir())[:3]:
        shutil.copy(path, folder)
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return folder


def test_a_name_is_asked_for_first(empty, open_app):
    app = open_app("build")
    press(app, "Continue")
    assert "name" in app.error[0].value
    assert len(app.text_input) == 1


def test_steps_close_to_a_line_and_end_in_a_queued_build(empty, open_app, folder, drawn, monkeypatch):
    monkeypatch.setattr(JobQueue, "step", lambda self: None)
    app = open_app("build")
    app.text_input[0].set_value("M12, line 3")
    press(app, "Continue")
    app.segmented_control(key="good_way").set_value("Folder on this computer").run()
    app.text_input(key="good_server").set_value(str(folder))
    press(app, "Read the folder")
    assert "broken.png" in words(app) and "Only 3 images" in app.warning[0].value.replace("\\", "")
    press(app, "Use these 3 images")
    assert "What the network sees" in words(app) and "network input" in words(app)
    assert drawn["images"][0].load().shape == (448, 448, 3)
    drawn["on_change"](Drawing((CUT_ALL,), 448, 448))
    app.run()
    assert "nothing to inspect" in app.error[-1].value and button(app, "Continue").disabled
    drawn["on_change"](Drawing((LEFT_HALF,), 448, 448))
    app.run()
    assert not app.error
    draft = app.session_state["build_draft"]
    for fit in ("crop", "fit", "stretch"):  # one after the other: each counts like the first
        app.radio[0].set_value(fit).run()
        assert draft.geometry == app.radio[0].value == fit
    press(app, "Continue")
    assert "3 images, 448 × 448 px, 1 left out" in words(app)  # the step is closed, and says what was chosen
    assert "Build time, about" in words(app)
    for side in (320, 192, 128):
        app.select_slider(key="build_image_size").set_value(side).run()
        assert draft.image_size == app.select_slider(key="build_image_size").value == side
    press(app, "Build")
    assert not app.error and not app.exception
    [job] = list_jobs(empty)
    assert job.arguments["settings"]["name"] == "M12, line 3"
    assert (job.arguments["settings"]["geometry"], job.arguments["settings"]["image_size"]) == (
        "stretch",
        128,
    )
    roi = Roi.from_dict(job.arguments["settings"]["roi"])
    assert roi == Roi((LEFT_HALF,), 448, 448)
    assert kept_region(empty, drawn["images"][0].key.split(":")[0]) == roi
    assert len(job.arguments["images"]) == 3
    assert app.query_params["job"] == str(job.id)
    press(app, "Cancel")
    assert get_job(empty, job.id).state == JobState.CANCELLED


def test_a_network_without_weights_says_how_to_get_them(empty, open_app, folder, monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "no weights here"))
    app = open_app("build")
    from workbench.widgets.build.draft import SETTINGS, Draft

    app.session_state["build_draft"] = Draft(step=SETTINGS, name="x", backbone="wide_resnet50_2")
    app.run()
    assert "wide_resnet50_2-95faca4d.pth" in app.warning[0].value.replace("\\", "")
    assert button(app, "Build").disabled


def test_a_folder_outside_the_roots_is_refused(empty, open_app, folder):
    app = open_app("build")
    app.text_input[0].set_value("x")
    press(app, "Continue")
    app.segmented_control(key="good_way").set_value("Folder on this computer").run()
    app.text_input(key="good_server").set_value("/etc")
    press(app, "Read the folder")
    assert "outside the folders" in app.error[0].value


@pytest.mark.parametrize(
    ("good", "others"),
    [("train/good", ("test/dent", "ground_truth/dent")), ("gut", ("Kratzer",)), ("OK", ("NG", "masks/NG"))],
)
def test_a_products_folder_gives_its_good_images_and_names_the_others(empty, open_app, folder, good, others):
    (folder / "broken.png").unlink()
    for number, path in enumerate(sorted(folder.iterdir())):
        for name in (good, *others)[number : number + 1]:
            (folder / name).mkdir(parents=True)
            path.rename(folder / name / path.name)
    for path in folder.glob("*.jpg"):
        path.unlink()
    app = read_folder(open_app, folder)
    said = " ".join(info.value for info in app.info).replace("\\", "")
    assert f"Taken as good: {good} (1)." in said
    assert all(f"{name} (1)" in said for name in others)
    assert button(app, "Use these 1 images")


@pytest.mark.parametrize("name", ["bad", "n.i.O.", "ground_truth/hole"])
def test_a_folder_of_defects_is_refused(empty, open_app, folder, name):
    target = folder / name
    target.mkdir(parents=True)
    for path in folder.glob("*.jpg"):
        path.rename(target / path.name)
    (folder / "broken.png").unlink()
    app = read_folder(open_app, folder)
    assert "defects or masks alone" in app.error[0].value
    assert not [one for one in app.button if one.label.startswith("Use these")]


def test_a_failed_build_says_why_and_leads_back(empty, open_app, monkeypatch):
    from workbench.inspectors.building import BuildSettings
    from workbench.jobs.requests import submit

    monkeypatch.setattr(JobQueue, "step", lambda self: None)
    settings = BuildSettings(name="x").to_dict()
    job_id = submit(empty, "build", "Build x", {"settings": settings, "images": [], "inspector_id": "x"})
    with empty.database.write() as session:
        from workbench.storage.tables import Job

        job = session.get_one(Job, job_id)
        job.state, job.message = JobState.FAILED, "The disk is full."
    app = open_app("build", job=str(job_id))
    assert "The disk is full" in app.error[0].value
    press(app, "Back to the steps")
    assert "job" not in app.query_params


def test_a_draft_is_there_again_in_another_session_with_its_region_until_it_is_discarded(
    empty, open_app, folder, drawn
):
    app = read_folder(open_app, folder)
    press(app, "Use these 3 images")
    drawn["on_change"](Drawing((LEFT_HALF,), 448, 448))
    press(app, "Continue")
    again = open_app("build")  # no address: a closed tab, or a server that was started again
    assert "x, 3 images" in words(again).replace("\\", "") and "Draft of today" in words(again)
    assert again.session_state["build_draft"].roi == Roi((LEFT_HALF,), 448, 448)
    press(again, "Begin another")  # another inspector of the same photographs
    again.text_input[0].set_value("y")
    press(again, "Continue")
    again.segmented_control(key="good_way").set_value("Folder on this computer").run()
    again.text_input(key="good_server").set_value(str(folder))
    press(again, "Read the folder")
    press(again, "Use these 3 images")
    assert again.session_state["build_draft"].roi is None and drawn["initial"] == ()
    press(again, "Use the region last drawn on this image")
    assert again.session_state["build_draft"].roi == Roi((LEFT_HALF,), 448, 448)
    app.run()  # the first session has its own draft still
    assert app.session_state["build_draft"].name == "x"
    press(again, "Discard the draft")
    press(again, "Discard the draft")
    assert not [one for one in again.button if one.label == "Discard the draft"]
    app.run()
    assert "discarded elsewhere" in app.warning[0].value


def test_a_draft_changed_in_two_tabs_becomes_two_and_says_which_files_are_gone(empty, open_app, folder):
    app = read_folder(open_app, folder)
    other = open_app("build", draft=app.query_params["draft"])
    press(app, "Use these 3 images")
    press(other, "Use these 3 images")
    assert "draft of its own" in other.warning[0].value
    assert len(list_drafts(empty)) == 2
    for path in folder.glob("*.jpg"):
        path.unlink()
    third = open_app("build")
    assert "The files of 3 images of this draft" in third.warning[0].value


def finished(workspace):
    """A build of the washer that has just ended, and its job."""
    version = find_inspector(workspace, "washer").current
    with workspace.database.write() as session:
        job = Job(
            kind="build",
            title="Build",
            arguments={"settings": version.settings, "images": []},
            state=JobState.DONE,
            result={"inspector_id": "washer", "version_id": version.id},
        )
        session.add(job)
        session.flush()
        return version, str(job.id)


def test_a_new_inspector_shows_the_good_images_that_set_the_line_and_leaves_them_out(full, open_app):
    version, job = finished(full)
    first, _, third, _ = sorted(version.good_scores.values(), reverse=True)
    app = open_app("build", job=job)
    said = words(app)
    assert "These two good images set the line. Look at them." in said
    assert said.count("the place that decides") == 2 and "one patch covers" in said
    falls = f"falls from {wording.score(first)} to about {wording.score(third)}".replace(".", "\\.")
    assert falls.replace("\\", "") in said.replace("\\", "")
    press(app, "Leave both out")
    after = find_inspector(full, "washer").current
    assert after.change == "remove" and len(after.good_scores) == 2
    assert "2 images removed" in app.success[0].value


def test_all_good_images_are_looked_at_without_a_labelled_set(full, open_app):
    app = open_app("evaluate", inspector="washer", view="Good images")
    assert "To evaluate, the program needs images" in words(app)
    assert "No good image stands out" in words(app) or "look at it first" in words(app)


def test_a_build_is_begun_with_the_good_images_and_settings_of_an_inspector(full, open_app):
    version = find_inspector(full, "washer").current
    first, *_ = list_results(full, list_batches(full, "washer")[0].id, version.id)
    point = OperatingPoint.from_dict(version.operating_point)
    set_operating_point(full, version, replace(point, accept=900.0, reject=900.0))
    set_label(full, first.batch_image_id, "dent")
    app = open_app("tune", inspector="washer")
    assert "What would help against these escapes" in [one.label for one in app.expander]
    app.button(key="advice_tune_size").click().run()
    draft = app.session_state["build_draft"]
    assert (draft.step, draft.image_size, draft.coreset) == (SETTINGS, 256, version.settings["coreset"])
    assert draft.name == "Washer *line* <3>, 256 px" and len(draft.images) == 4
    app.switch_page("pages/build.py").run()
    assert "Build time, about" in words(app) and not button(app, "Build").disabled


def read_folder(open_app, folder):
    """Open the page and read a folder of this computer."""
    app = open_app("build")
    app.text_input[0].set_value("x")
    press(app, "Continue")
    app.segmented_control(key="good_way").set_value("Folder on this computer").run()
    app.text_input(key="good_server").set_value(str(folder))
    press(app, "Read the folder")
    return app


def press(app, label):
    button(app, label).click().run()
    assert not app.exception


def button(app, label):
    return next(one for one in app.button if one.label == label)
