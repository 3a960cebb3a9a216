"""Every page with an inspector of PaDiM and of SPADE: it opens, says the method, and hides what that cannot do."""

import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from patchcore.methods import METHODS
from tests.pages.texts import words
from tests.workbench.parts import OF_METHOD, build_each_method
from workbench.inspections.batches import list_results
from workbench.inspections.decisions import call_fine
from workbench.inspectors.building import BuildSettings
from workbench.inspectors.versions import find_inspector, good_images
from workbench.jobs.queue import JobQueue
from workbench.jobs.requests import JobState
from workbench.storage.tables import Job
from workbench.storage.workspace import Workspace
from workbench.viewer import Why
from workbench.widgets.shared import detail_view

PEERS = tuple(OF_METHOD)
BATCH = {"padim": 1, "spade": 2}
NO_SIZE = "keeps no coreset, so it has no size to choose."
NO_LESSON = "cannot be taught a single image; add the image to the good ones and build again."
NO_REMOVAL = "cannot give up a single good image; build again without the image."
NO_NEAREST = "does not compare a patch with single good patches, so it cannot show the nearest one."


@pytest.fixture(scope="session")
def each_method(tmp_path_factory) -> Path:
    workspace = Workspace(tmp_path_factory.mktemp("methods") / "here")
    build_each_method(workspace)
    workspace.close()
    return workspace.root


@pytest.fixture
def here(each_method, tmp_path, monkeypatch) -> Workspace:
    """A copy of a workspace with an inspector of each method; no job is run."""
    shutil.copytree(each_method, tmp_path / "workspace")
    monkeypatch.setenv("PATCHCORE_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.setattr(JobQueue, "step", lambda self: None)
    return Workspace()


@pytest.fixture
def why(monkeypatch) -> list[Why | None]:
    """What the page gives the viewer of one image as the reason for its score."""
    given: list[Why | None] = []
    monkeypatch.setattr(detail_view, "detail", lambda *_, why, **__: given.append(why))
    return given


def scratched(workspace, name):
    version = find_inspector(workspace, name).current
    return list_results(workspace, BATCH[name], version.id)[-1]


def plain(text):
    return text.replace("\\", "")


def form():
    """The page of a build as far as the method goes."""
    import streamlit as st

    from workbench.widgets.build import method_form
    from workbench.widgets.build.draft import Draft

    draft = st.session_state.setdefault("draft", Draft(name="Plate"))
    method_form.show(draft)
    st.write(method_form.summary(draft))


def test_the_form_has_the_settings_of_the_method_chosen_only():
    app = AppTest.from_function(form, default_timeout=60).run()
    [method], [largest] = app.selectbox, app.select_slider
    assert [option.split(":")[0] for option in method.options] == ["PatchCore", "PaDiM", "SPADE"]
    assert largest.label == "Largest bank" and not app.caption
    largest.set_value(0.05).run()
    for name, title, value, words_of in (
        ("padim", "Dimensions drawn", 0, "PaDiM, all dimensions"),
        ("spade", "Nearest images", 20, "SPADE, 20 nearest images"),
    ):
        app.selectbox[0].set_value(name).run()
        [own] = app.select_slider
        assert own.label == title and NO_SIZE in app.caption[0].value and NO_LESSON in app.caption[0].value
        own.set_value(value).run()
        assert app.markdown[-1].value == words_of
        settings = app.session_state[
            "draft"
        ].settings()  # the bank chosen before is no setting of this method
        assert settings.method == name and not app.exception
    app.selectbox[0].set_value("patchcore").run()
    assert app.session_state["draft"].settings().coreset == 0.05


def test_a_second_choice_in_a_row_counts_like_the_first():
    app = AppTest.from_function(form, default_timeout=60).run()
    for share in (0.05, 0.02, 0.05, 0.25):
        app.select_slider[0].set_value(share).run()
        assert app.session_state["draft"].coreset == app.select_slider[0].value == share
    for name, field, values in (
        ("padim", "dims_used", (50, 0, 25)),
        ("spade", "nearest_images", (5, 20, 10)),
    ):
        app.selectbox[0].set_value("padim" if name == "spade" else "spade").run()
        app.selectbox[0].set_value(name).run()
        assert app.session_state["draft"].method == app.selectbox[0].value == name
        for value in values:
            app.select_slider[0].set_value(value).run()
            assert (getattr(app.session_state["draft"], field) or 0) == app.select_slider[0].value == value


@pytest.mark.parametrize("name", PEERS)
def test_home_library_and_sidebar_name_the_method(here, open_app, name):
    label = METHODS[name].label
    size = {"padim": "64 positions", "spade": "384 patches"}[name]
    app = open_app(inspector=name)
    text = words(app)
    assert text.count(f"{label}, {size}") >= 2  # on the card and in the sidebar
    app.switch_page("pages/library.py").run()
    assert not app.exception
    shelf = words(app).replace("\N{NO-BREAK SPACE}", " ")
    assert f"{label}, {size}, " in shelf and f">{label}</span><b>{size}</b>" in shelf
    assert "PatchCore, 192 patches, 50 %" in shelf


@pytest.mark.parametrize("name", PEERS)
def test_history_and_tune_open(here, open_app, name):
    app = open_app("history", inspector=name)
    assert f"Plate by {name}" in words(app)
    app.switch_page("pages/tune.py").run()
    assert not app.exception and not app.error and "Threshold" in words(app)


@pytest.mark.parametrize("name", PEERS)
def test_inspect_shows_an_image_and_why_only_where_the_method_can_say(here, open_app, why, name):
    result = scratched(here, name)
    app = open_app("inspect", inspector=name, batch=str(BATCH[name]), image=str(result.id))
    assert not app.error
    if name == "spade":
        assert why[-1].name in {image.name for image in good_images(here, find_inspector(here, name).current)}
    else:
        assert why[-1] is None and f"PaDiM {NO_NEAREST}" in plain(words(app))
    assert "A good part: the label is stored." in app.button(key="call_fine").help
    app.button(key="call_fine").click().run()
    assert not app.exception and "teach_one" not in [button.key for button in app.button]
    assert f"{METHODS[name].label} {NO_LESSON}" in plain(words(app))


@pytest.mark.parametrize("name", PEERS)
def test_review_says_that_the_method_cannot_be_taught(here, open_app, name):
    call_fine(here, scratched(here, name))
    app = open_app("review", inspector=name)
    assert not app.error and "teach_all" not in [button.key for button in app.button]
    assert f"{METHODS[name].label} {NO_LESSON}" in plain(words(app))


@pytest.mark.parametrize("name", PEERS)
def test_evaluate_hides_the_sweep_and_the_removal(here, open_app, name):
    label = METHODS[name].label
    app = open_app("evaluate", inspector=name, view="Bank size")
    assert [plain(block.value) for block in app.info] == [f"{label} {NO_SIZE}"]
    assert "start_sweep" not in [button.key for button in app.button]
    assert f"3 good, 3 defects, {label}" in words(app)
    app = open_app("evaluate", inspector=name, view="Good images")
    keys = [button.key for button in app.button]
    assert "audit_remove" not in keys and not app.error
    assert f"{label} {NO_REMOVAL}" in plain(words(app))


@pytest.mark.parametrize("name", PEERS)
def test_evaluate_compares_methods_and_makes_a_report(here, open_app, name):
    app = open_app("evaluate", inspector=name, view="Compare")
    assert "Plate by patchcore, PatchCore" in app.selectbox(key="compare_with").options
    other = find_inspector(here, "patchcore").current
    app = open_app("evaluate", inspector=name, view="Compare", other=str(other.id))
    assert f'<th scope="row">Method</th><td>{METHODS[name].label}</td><td>PatchCore</td>' in words(app)
    app = open_app("evaluate", inspector=name, view="Report")
    assert not app.error


@pytest.mark.parametrize("name", PEERS)
def test_a_build_ends_without_the_slider_of_the_bank(here, open_app, name):
    version = find_inspector(here, name).current
    settings = BuildSettings(name="Plate", image_size=64, **OF_METHOD[name])
    arguments = {"inspector_id": name, "settings": settings.to_dict(), "images": []}
    result = {"inspector_id": name, "version_id": version.id}
    job = Job(kind="build", title="Build", arguments=arguments, state=JobState.DONE, result=result)
    with here.database.write() as session:
        session.add(job)
    app = open_app("build", job=str(job.id))
    own = {"padim": "PaDiM, 20 dimensions", "spade": "SPADE, 3 nearest images"}[name]
    assert not app.error and not app.select_slider and own in words(app)
    assert f"{METHODS[name].label} {NO_SIZE}" in plain(words(app)) and "Cover radius" not in words(app)
