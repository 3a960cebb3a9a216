"""The page Library: inspectors, timeline, restoring, the bin, jobs, and import."""

import shutil

import pytest

from patchcore.thresholds.operating_point import OperatingPoint
from tests.pages.texts import WASHER, agree, words
from tests.patchcore.hostile import HOSTILE, pickle_renamed, wrong_hashes
from tests.points import by_hand
from workbench.inspections.batches import create_batch, list_batches, list_results, score_batch
from workbench.inspections.labels import set_label
from workbench.inspectors.exporting import export, export_bytes
from workbench.inspectors.importing import import_inspector
from workbench.inspectors.point_history import store_point
from workbench.inspectors.timeline import restore, timeline
from workbench.inspectors.versions import find_inspector, list_inspectors, rename, reslice
from workbench.jobs.queue import JobQueue
from workbench.jobs.requests import JobState, get_job, log_path
from workbench.people.roles import Person, Role, acting
from workbench.storage.tables import Inspector, Job
from workbench.storage.workspace import Workspace
from workbench.upkeep.bin import delete_inspector, list_bin

NAME = "Washer *line* <3>"


@pytest.fixture
def changed(full):
    """The prepared inspector with a second threshold by Ada, and a smaller bank that has scored the batch too."""
    version = find_inspector(full, "washer").current
    now = OperatingPoint.from_dict(version.operating_point)
    with acting(Person("Ada <b>", Role.ENGINEER)):
        store_point(full, version, by_hand(0.5, now.evidence, now.bank_id, set_by=""), "new *lamp*")
    smaller = reslice(full, find_inspector(full, "washer").current, version.share / 4, note="faster")
    assert len(list(score_batch(full, list_batches(full, "washer")[0].id, smaller))) == 4
    return full


@pytest.fixture(scope="module")
def file(prepared, tmp_path_factory):
    """The prepared inspector as a file."""
    root = tmp_path_factory.mktemp("exported")
    shutil.copytree(prepared, root / "there")
    there = Workspace(root / "there")
    export(there, find_inspector(there, "washer"), timeline(there, "washer")[0], root / "washer.patchcore")
    there.close()
    return root / "washer.patchcore"


def numbers(workspace):
    return [(entry.number, entry.in_use) for entry in timeline(workspace, "washer")]


def button(app, key):
    return app.button(key=key)


def test_without_an_inspector_the_page_says_what_to_do(empty, open_app):
    app = open_app("library")
    assert "there is none yet" in words(app)
    assert "The bin is empty" in open_app("library", shelf="bin").info[0].value
    assert "Nothing was started yet" in open_app("library", shelf="jobs").info[0].value


def test_every_state_is_a_line_with_kind_note_person_and_time(changed, open_app):
    app = open_app("library", inspector="washer")
    page = words(app)
    assert numbers(changed) == [("2.1", True), ("1.2", False), ("1.1", False)]
    for expected in (
        "bank size changed",
        "threshold set",
        "built",
        "Ada &lt;b&gt;",
        "new *lamp*",
        "● in use",
    ):
        assert expected in page
    assert (
        "Washer *line* &lt;3&gt;" in page
        and "2\N{NO-BREAK SPACE}versions" in page
        and "<b>" + NAME not in page
    )
    assert [entry.label for entry in app.button if entry.key.startswith("look_at_")] == ["2.1", "1.2", "1.1"]


def test_a_link_to_a_state_opens_it_and_restoring_makes_a_new_line(changed, open_app):
    app = open_app("library", inspector="washer", version="1.2")
    assert "**Version 1.2**, threshold set" in words(app)
    button(app, "state_restore").click().run()
    agree(app)  # asked where the state would let known defects through, as on Tune
    assert not app.exception and "is in use again" in app.success[0].value
    assert numbers(changed)[0] == ("1.3", True)
    assert "version" not in app.query_params
    assert find_inspector(changed, "washer").current.operating_point["reject"] == 0.5


def test_the_second_of_two_writers_gets_a_refusal(changed, open_app):
    app = open_app("library", inspector="washer", version="1.1")
    with acting(Person("Grace", Role.ENGINEER)):
        restore(changed, "washer", "1.2")
    button(app, "state_restore").click().run()
    agree(app)
    assert "Grace changed it" in app.error[0].value and numbers(changed)[0] == ("1.3", True)
    assert "version" in app.query_params


def test_a_note_is_kept_when_the_field_is_left(changed, open_app):
    app = open_app("library", inspector="washer", version="1.1")
    note = next(one for one in app.text_input if one.label == "Note")
    note.set_value("the very first").run()
    assert timeline(changed, "washer")[-1].note == "the very first" and not app.exception
    assert "the very first" in words(app)


def test_states_are_compared(changed, open_app):
    app = open_app("library", inspector="washer", version="2.1", panel="compare", **{"with": "1.1"})
    page = words(app)
    assert "Both know the same good images" in page and "No labelled set has been scored with both" in page
    assert '<th scope="col">1.1</th>' in page
    batch = list_batches(changed, "washer")[0]
    for result in list_results(changed, batch.id, find_inspector(changed, "washer").current_id):
        set_label(changed, result.image.id, "good")
    app.run()
    assert "3 good images" in words(app) and "differ" in words(app)


def test_the_certificate_is_shown(changed, open_app):
    app = open_app("library", inspector="washer", version="1.2", panel="certificate")
    assert not app.exception and not app.error
    (frame,) = app.get("iframe")
    assert "Self-test passed" in frame.proto.srcdoc and "Ada &lt;b&gt;" in frame.proto.srcdoc


def test_a_version_and_an_inspector_go_to_the_bin_and_come_back(changed, open_app):
    app = open_app("library", inspector="washer", version="1.2")
    button(app, "state_delete").click().run()
    button(app, "version_delete_yes").click().run()
    assert numbers(changed) == [("2.1", True)]
    button(app, "library_delete").click().run()
    assert "It is in use" in app.warning[0].value
    button(app, "library_delete_yes").click().run()
    assert list_inspectors(changed) == [] and "there is none yet" in words(app)
    app = open_app("library", shelf="bin", inspector="washer")
    assert "deleted today" in words(app) and "Washer *line* &lt;3&gt;" in words(app)
    button(app, "back_washer").click().run()
    assert [one.id for one in list_inspectors(changed)] == ["washer"]
    button(app, "back_washer/1").click().run()
    assert list_bin(changed) == [] and len(numbers(changed)) == 3


def test_the_dialog_of_the_bin_names_each_deletion(changed, open_app):
    delete_inspector(changed, "washer")
    app = open_app("library", shelf="bin")
    button(app, "bin_empty").click().run()
    assert "This cannot be undone" in words(app) and "8 scored images" in words(app)
    button(app, "bin_no").click().run()
    assert len(list_bin(changed)) == 1
    button(app, "bin_empty").click().run()
    button(app, "bin_yes").click().run()
    assert list_bin(changed) == [] and find_inspector(changed, "washer") is None
    assert "Deleted for good" in app.success[0].value


def test_a_new_name_is_kept(full, open_app):
    app = open_app("library", inspector="washer")
    name, product = (
        next(one for one in app.text_input if one.label == label) for label in ("Name", "Product")
    )
    name.set_value("Washer 5")
    product.set_value("M5")
    next(one for one in app.button if one.label == "Keep").click().run()
    inspector = find_inspector(full, "washer")
    assert (inspector.name, inspector.product) == ("Washer 5", "M5") and not app.exception


def bring(app, name, data):
    app.file_uploader[0].set_value((name, data, "application/octet-stream")).run()
    button(app, "import_now").click().run()
    assert not app.exception


def test_a_file_is_brought_in_from_an_empty_library(empty, open_app, file):
    app = open_app("library")
    app.file_uploader[0].set_value(("washer.patchcore", file.read_bytes(), "application/octet-stream")).run()
    app = open_app("library")  # as after a reload
    assert "washer.patchcore" in words(app).replace("\\", "") and "not imported yet" in words(app)
    button(app, "import_now").click().run()
    (inspector,) = list_inspectors(empty)
    assert inspector.name == NAME and inspector.current.change == "import"
    assert "not imported yet" not in words(app) and not any((empty.root / "pending").glob("*/*"))
    assert "is imported, as version 1" in app.success[0].value
    assert "Imported: its good images are not in this workspace" in words(app)


@pytest.mark.parametrize("spoil", [pickle_renamed, wrong_hashes], ids=lambda spoil: spoil.__name__)
def test_a_file_that_is_not_sound_is_refused_with_the_reason(full, open_app, file, tmp_path, spoil):
    path = shutil.copy(file, tmp_path / "bad.patchcore") and tmp_path / "bad.patchcore"
    spoil(path)
    app = open_app("library", inspector="washer")
    bring(app, "../bad.patchcore", path.read_bytes())
    assert "was refused, and nothing of it came into the library" in app.error[0].value
    assert HOSTILE[spoil].split(",")[0].strip("'")[:10] in app.error[0].value.replace("\\", "")
    assert [one.id for one in list_inspectors(full)] == ["washer"]


def test_every_page_copes_with_an_inspector_whose_good_images_are_elsewhere(
    empty, open_app, file, full_images
):
    version = import_inspector(empty, file)
    images = [empty.store_image(path, path.name, truth=truth) for path, truth in full_images]
    batch = create_batch(empty, version.inspector_id, images, "Morning")
    results = list(score_batch(empty, batch, version))
    for page, address in {
        "home": {},
        "inspect": {"image": str(results[0].id)},
        "tune": {},
        "evaluate": {"view": "Good images"},
        "library": {"look": "certificate"},
    }.items():
        app = open_app(page, inspector=version.inspector_id, **address)
        assert not app.exception and not app.error, page
        if page == "inspect":
            assert "so it cannot be shown" in words(app)
        if page == "evaluate":
            assert "not in this workspace" in app.info[0].value


@pytest.fixture
def full_images():
    kinds = sorted(path for path in (WASHER / "test").iterdir())
    return [(sorted(kind.iterdir())[0], kind.name) for kind in kinds[:3]]


def test_jobs_are_listed_with_their_people_and_can_be_cancelled(full, open_app, monkeypatch):
    monkeypatch.setattr(JobQueue, "step", lambda self: None)  # nothing is computed here
    jobs = [
        Job(kind="build", title="Build *A*", arguments={}, state=state, made_by="Ada", message=message)
        for state, message in (
            (JobState.QUEUED, ""),
            (JobState.FAILED, "The *disk* is full."),
            (JobState.INTERRUPTED, "Its process ended."),
        )
    ]
    with full.database.write() as session:
        session.add_all(jobs)
    log_path(full, jobs[1].id).parent.mkdir(parents=True)
    log_path(full, jobs[1].id).write_text("what it wrote", encoding="utf-8")
    app = open_app("library", shelf="jobs")
    assert "… waiting" in words(app) and "Ada" in words(app) and "The *disk* is full" in words(app)
    app.toggle(key=f"log_{jobs[1].id}").set_value(True).run()
    assert "what it wrote" in app.code[0].value
    button(app, f"cancel_{jobs[0].id}").click().run()
    button(app, f"discard_{jobs[1].id}").click().run()
    assert [get_job(full, job.id).state for job in jobs[:2]] == [JobState.CANCELLED] * 2


def test_a_viewer_gets_the_sentence_about_roles(changed, open_app, monkeypatch):
    from workbench.people import roles

    monkeypatch.setattr(roles, "local_person", lambda: Person("Otto", Role.VIEW))
    app = open_app("library", inspector="washer", version="1.1")
    assert button(app, "state_restore").disabled and button(app, "library_delete").disabled
    assert "yours is view" in button(app, "state_restore").help and not app.file_uploader
    assert next(one for one in app.text_input if one.label == "Note").disabled
    entry = timeline(changed, "washer")[0]
    assert len(export_bytes(changed, find_inspector(changed, "washer"), entry)) > 10_000


@pytest.fixture
def namesakes(full, file):
    """A second inspector of the first one's name, as a workspace may hold from before names were told apart."""
    copy = import_inspector(full, file).inspector_id
    with full.database.write() as session:
        session.get(Inspector, copy).name = session.get(Inspector, "washer").name
    return full, copy


def test_what_is_done_to_one_of_two_namesakes_is_done_to_it(namesakes, open_app):
    full, copy = namesakes
    app = open_app("library", inspector=copy)
    change = app.sidebar.selectbox[0]
    assert len(set(change.options)) == 2 and change.value == copy
    change.select("washer").run()
    assert app.query_params["inspector"] == "washer"
    app.sidebar.selectbox[0].select(copy).run()
    field = next(one for one in app.text_input if one.label == "Name")
    field.set_value("Copy")
    next(one for one in app.button if one.label == "Keep").click().run()
    assert {one.id: one.name for one in list_inspectors(full)} == {"washer": NAME, copy: "Copy"}
    app.button(key="library_delete").click().run()
    app.button(key="library_delete_yes").click().run()
    assert [one.id for one in list_inspectors(full)] == ["washer"]


def test_a_name_that_another_inspector_has_is_refused_with_a_free_one(namesakes, open_app):
    full, copy = namesakes
    rename(full, copy, "Copy")
    app = open_app("library", inspector=copy)
    next(one for one in app.text_input if one.label == "Name").set_value(NAME.upper())
    next(one for one in app.button if one.label == "Keep").click().run()
    assert "There is an inspector Washer" in app.error[0].value and r"\(2\)" in app.error[0].value
    assert find_inspector(full, copy).name == "Copy"
