"""The panel Watched folder of Inspect, and the line about it in the sidebar."""

import pytest

from patchcore.disk.work_notes import STOPPED
from tests.pages.texts import words
from tests.workbench.watching.outputs.toy import notes, notes_file  # noqa: F401 - fixtures
from workbench.jobs.queue import JobQueue
from workbench.jobs.requests import JobState
from workbench.people import roles
from workbench.people.roles import Person, Role
from workbench.storage.tables import Job, Watch, WatchedFile
from workbench.storage.timestamps import now
from workbench.watching.history import plain_inspection
from workbench.watching.standing import WatchOptions, list_watches, start_watch
from workbench.watching.verdict import VerdictRecord


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PATCHCORE_ROOTS", str(tmp_path))
    place = tmp_path / "line *3* <b>"
    place.mkdir()
    return place


@pytest.fixture(autouse=True)
def still(monkeypatch):
    """No job is started: what is shown of one is written by the test."""
    monkeypatch.setattr(JobQueue, "step", lambda self: None)


@pytest.fixture
def watch(full, folder):
    return start_watch(
        full, "washer", str(folder), WatchOptions(outputs={"move_to": str(folder.parent / "out")})
    )


def arrived(workspace, watch_id, **told):
    with workspace.database.write() as session:
        watch = session.get(Watch, watch_id)
        given = VerdictRecord("a<i>.png", 3, 5, "", now().isoformat(), "Washer", **told)
        row = WatchedFile(folder=watch.folder, path="a<i>.png", size_bytes=3, modified="5")
        row.told = given.to_dict()
        session.add(row)


def set_job(workspace, **values):
    with workspace.database.write() as session:
        job = session.get(Job, session.query(Watch).one().job_id)
        for name, value in values.items():
            setattr(job, name, value)


def test_a_watch_is_started_and_stopped_here(full, open_app, folder):
    app = open_app("inspect", inspector="washer")
    app.text_input(key="watch_folder").set_value(str(folder))
    assert "takes about 420 MB of memory while it is watched" in words(app)
    app.checkbox(key="watch_below").set_value(True)
    press(app, "Start watching")
    (state,) = list_watches(full, "washer")
    assert (state.folder, state.options.subfolders, state.job_state) == (str(folder), True, "queued")
    assert "○ Starting" in words(app) and "images stay where they are" not in words(app)
    line = "line *3* &lt;b&gt;, 0 today"
    assert line in words(open_app("home")) and not open_app("home").get("progress")  # in the sidebar
    press(app, "Stop watching")
    assert list_watches(full) == [] and "Starting" not in words(app)
    assert {"Start watching"} <= {button.label for button in app.button}


def test_a_refused_folder_gets_its_sentence(full, open_app, folder):
    app = open_app("inspect", inspector="washer")
    app.text_input(key="watch_folder").set_value("/etc")
    press(app, "Start watching")
    assert "is outside the folders that are open here" in app.error[0].value.replace("\\", "")
    assert list_watches(full) == []


@pytest.mark.parametrize(
    ("job", "signs"),
    [
        ({"state": JobState.RUNNING, "stage": "watching"}, ["● Watching"]),
        ({"state": JobState.RUNNING, "stage": "/x is away."}, ["! Waiting", "/x is away."]),
        ({"state": JobState.FAILED, "message": "No <network>."}, ["✕ Stopped", "No &lt;network&gt;."]),
    ],
)
def test_the_state_of_a_watch_names_the_last_verdict(full, open_app, watch, job, signs):
    set_job(full, **job)
    arrived(full, watch, score=5.12, verdict="reject")
    app = open_app("inspect", inspector="washer")
    shown = words(app)
    assert all(sign in shown for sign in signs)
    assert "1 image today; last a&lt;i&gt;.png" in shown and "✕ reject</span> at 5.12" in shown
    assert "images move into" in shown and not app.get("progress")
    assert ("Start again" in {button.label for button in app.button}) == (job["state"] == JobState.FAILED)


def test_images_that_could_not_be_judged_are_named(full, open_app, watch):
    arrived(full, watch, error="truncated")
    assert "! not scored" in words(open_app("inspect", inspector="washer"))


def test_an_operator_sees_a_watch_and_cannot_change_it(full, open_app, watch, monkeypatch):
    monkeypatch.setattr(roles, "local_person", lambda: Person("Ola", Role.OPERATE))
    app = open_app("inspect", inspector="washer")
    (stop,) = [button for button in app.button if button.label == "Stop watching"]
    assert "○ Starting" in words(app) and stop.disabled and "takes the role engineer" in stop.help
    assert "Start watching" not in {button.label for button in app.button}


def test_a_folder_to_watch_is_found_by_looking_through_folders(full, folder, open_app):
    (folder / "parts").mkdir()
    (folder / "parts" / "a.png").write_bytes(b"x")
    app = open_app("inspect", inspector="washer")
    app.toggle(key="watch_browse").set_value(True).run()
    labels = [one.label for one in app.button if (one.key or "").startswith("watch_to_")]
    assert any("line" in one and "1 folder" in one for one in labels)
    next(one for one in app.button if "line" in one.label and "1 folder" in one.label).click().run()
    next(one for one in app.button if one.label.replace("\\", "") == "parts · 1 image").click().run()
    press(app, "Choose this folder, 1 image")
    assert app.text_input(key="watch_folder").value == str(folder / "parts")
    assert not app.toggle(key="watch_browse").value


def press(app, label):
    next(one for one in app.button if one.label.startswith(label)).click().run()
    assert not app.exception


def test_an_output_of_one_file_and_one_line_has_its_fields_in_the_form(full, open_app, folder, notes):  # noqa: F811
    app = open_app("inspect", inspector="washer")
    app.text_input(key="watch_folder").set_value(str(folder))
    place, copies = app.text_input(key="watch_notes_to"), app.text_input(key="watch_notes_copies")
    assert place.label == "Write a note for each image into this folder"
    assert (copies.value, copies.help) == ("1", "The printer prints each line.")
    place.set_value(str(folder.parent))
    app.text_input(key="watch_notes_sign").set_value("long")
    press(app, "Start watching")
    assert "The sign has at most three letters, unlike long." in app.error[0].value
    app.text_input(key="watch_notes_sign").set_value("=")
    app.text_input(key="watch_notes_copies").set_value("ten")
    press(app, "Start watching")
    assert "“ten” is not a number" in app.error[0].value
    app.text_input(key="watch_notes_copies").set_value("3")
    press(app, "Start watching")
    (state,) = list_watches(full, "washer")
    assert state.options.outputs == {
        "move_to": "",
        "lines_to": "",
        "notes_to": str(folder.parent),
        "notes_sign": "=",
        "notes_copies": 3,
    }
    assert "notes go to" in words(app)


def test_files_that_stopped_the_program_are_named_and_tried_again(full, open_app, watch):
    reason = f"{STOPPED}, the last time today. Save the file again from where it came, or delete it."
    arrived(full, watch, error=reason)
    with full.database.write() as rows:
        file = rows.query(WatchedFile).one()
        row = plain_inspection(VerdictRecord.from_dict(file.told))
        rows.add(row)
        rows.flush()
        file.inspection_id = row.id
    app = open_app("inspect", inspector="washer")
    assert f"! Set aside: a&lt;i&gt;.png: {STOPPED}" in words(app)
    press(app, "Try again what was set aside")
    assert list_watches(full)[0].set_aside == [] and "Set aside" not in words(app)
