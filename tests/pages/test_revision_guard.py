"""Two tabs on one inspector: the second writer is refused with a sentence; one's own changes are accepted."""

from dataclasses import replace

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from patchcore.thresholds.operating_point import OperatingPoint
from tests.pages.texts import agree
from workbench.inspections.labels import set_label
from workbench.inspectors.point_history import point_history
from workbench.inspectors.versions import find_inspector, list_versions, rename, set_operating_point
from workbench.people.roles import Person, Role, acting
from workbench.widgets.tune import overview

BEN = Person("Ben", Role.ENGINEER)


def test_a_threshold_on_an_outdated_one_is_refused_once(full, open_app):
    first = open_app("inspect", inspector="washer", threshold="0.2", review="none")
    second = open_app("inspect", inspector="washer", threshold="0.3", review="none")
    press(first, "Use this threshold")
    assert point(full).reject == 0.2 and not first.warning
    press(second, "Use this threshold")
    (told,) = (one.value for one in second.warning)
    assert "changed it (set threshold, " in told.replace("\\", "") and "since you looked at Washer" in told
    assert (point(full).reject, len(point_history(full, "washer"))) == (0.2, 2)
    assert button(second, "Back to 0.200")  # the present state, with what was tried out still in view
    press(second, "Use this threshold")
    assert point(full).reject == 0.3 and not second.warning


def test_a_bank_change_holds_up_a_threshold_and_a_threshold_a_bank_change(full, open_app):
    set_operating_point(full, version(full), replace(point(full), reject=0.5, accept=0.5))
    build = open_app("build", job=str(built_by_job(full)))
    tune = open_app("tune", inspector="washer")
    build.select_slider(key="share_1").set_value(0.05).run()
    use = button(build, "Use 5 %")
    with acting(BEN):
        set_operating_point(full, version(full), replace(point(full), reject=0.4, accept=0.4))
    use.click().run()
    assert not build.exception and "Ben changed it" in build.warning[0].value
    assert (len(list_versions(full, "washer")), point(full).reject) == (1, 0.4)
    press(build, "Close")
    assert not build.warning
    press(build, "Use 5 %")
    assert not build.warning and version(full).change == "share"
    press(tune, "Restore")  # a callback: it runs before the page is redrawn
    assert "changed it (change bank size" in tune.warning[0].value.replace("\\", "")
    assert version(full).share == pytest.approx(0.05, rel=0.05)


def test_changes_of_one_person_in_a_row_are_accepted(full, open_app):
    app = open_app("inspect", inspector="washer", threshold="0.2", review="none")
    press(app, "Use this threshold")
    app.query_params["threshold"] = "0.3"
    app.run()
    press(app, "Use this threshold")
    assert point(full).reject == 0.3 and not app.warning
    app.switch_page("pages/tune.py").run()
    press(app, "Restore")
    assert point(full).reject == 0.2 and not app.warning


def test_a_refusal_disappears_after_a_change_that_succeeds(full, open_app):
    app = open_app("inspect", inspector="washer", threshold="0.2", review="none")
    with acting(BEN):
        rename(full, "washer", "Washer 2")
    press(app, "Use this threshold")
    assert "Ben changed it (rename" in app.warning[0].value.replace("\\", "")
    app.switch_page("pages/tune.py").run()
    assert app.warning  # it stays until it was read
    app.switch_page("pages/inspect.py").run()
    press(app, "Use this threshold")
    assert not app.warning


def test_a_label_from_elsewhere_is_not_overwritten_before_it_is_shown(full, open_app, monkeypatch):
    given = {}

    def gallery(tiles, thresholds, **rest):
        given.update(tiles=tiles, **rest)
        if "tell" in given:
            given.pop("tell")()
            st.rerun()

    monkeypatch.setattr(overview, "gallery", gallery)
    app = open_app("tune", inspector="washer")
    tile, label = given["tiles"][0], given["on_labelled"]
    image = int(tile.key.split(":")[0])
    with full.database.read() as session:
        from workbench.storage.tables import Result

        place = session.get_one(Result, image).batch_image_id
    with acting(BEN):
        set_label(full, place, "dent")
    given["tell"] = lambda: label(tile.key, "good")
    app.run()
    assert "Ben" in app.warning[0].value and "as dent since you looked" in app.warning[0].value
    again = given["on_labelled"]  # of the page as it is now
    given["tell"] = lambda: (again(tile.key, "good"), again(tile.key, "defect"))  # faster than the page
    app.run()
    assert not app.warning and not app.exception
    with full.database.read() as session:
        assert session.get_one(Result, image).image.truth == "defect"


def test_a_page_counts_as_shown_only_when_drawn_completely():
    def page():
        import streamlit as st

        from workbench.storage.tables import Inspector
        from workbench.widgets.shared import revision_guard

        how = st.query_params.get("how", "")
        with revision_guard.run():
            revision_guard.note(Inspector(id="washer", revision=int(st.query_params["now"])))
            if how == "stops":
                st.stop()
            if how == "cut short":
                st.session_state["runs"] = st.session_state.get("runs", 0) + 1
                if st.session_state["runs"] == 1:
                    raise RuntimeError

    app = AppTest.from_function(page, default_timeout=60)
    app.session_state["revisions_shown"] = {}

    def shown_after(now, how=""):
        app.query_params["now"], app.query_params["how"] = str(now), how
        app.session_state["runs"] = 0
        app.run()
        return app.session_state["revisions_shown"].get("washer")

    assert shown_after(3, "cut short") is None  # nothing yet
    assert shown_after(4, "cut short") == 3  # what the first run had drawn may have been seen
    assert shown_after(5, "stops") == 5
    assert shown_after(6, "cut short") == 5
    assert shown_after(8) == 8


def built_by_job(workspace):
    """A job that has built the inspector, so that the page Build shows it with its slider."""
    from workbench.inspectors.building import BuildSettings
    from workbench.jobs.requests import JobState
    from workbench.storage.tables import Job

    arguments = {"settings": BuildSettings(name="x").to_dict(), "images": [], "inspector_id": "washer"}
    result = {"inspector_id": "washer", "version_id": 1}
    job = Job(kind="build", title="Build", arguments=arguments, state=JobState.DONE, result=result)
    with workspace.database.write() as session:
        session.add(job)
    return job.id


def version(workspace):
    return find_inspector(workspace, "washer").current


def point(workspace):
    return OperatingPoint.from_dict(version(workspace).operating_point)


def button(app, label):
    return next(one for one in app.button if one.label == label)


def press(app, label):
    button(app, label).click().run()
    agree(app)
