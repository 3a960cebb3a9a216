"""The page History: rows, filters, an open inspection, a decision, export, and retention."""

import csv
import io
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from patchcore.inspection import place_that_decided
from tests.pages.texts import HOSTILE, words
from workbench.jobs.queue import JobQueue
from workbench.jobs.requests import list_jobs
from workbench.people.roles import Person, Role, acting
from workbench.storage.tables import BatchImage, Inspection, Job, Preference, Result
from workbench.storage.timestamps import now


def rows(workspace):
    with workspace.database.read() as session:
        return list(session.scalars(select(Inspection).order_by(Inspection.id)))


def shown(app):
    """Names of the rows, which are buttons that open them."""
    return [button.label for button in app.button if (button.key or "").startswith("open_")]


@pytest.fixture
def history(full, open_app):
    return open_app("history", inspector="washer")


def test_the_page_without_a_verdict_says_what_to_do(empty, open_app):
    app = open_app("history")
    assert "History works on an inspector, and there is none yet" in words(app)


def test_an_inspector_without_verdicts_is_sent_to_inspect(full, open_app):
    with full.database.write() as session:
        for row in session.scalars(select(Inspection)):
            session.delete(row)
    app = open_app("history", inspector="washer")
    assert "has given no verdict yet that is kept" in words(app)
    assert "Inspect images" in [button.label for button in app.button]


def test_every_verdict_has_its_row_newest_first_with_its_facts(full, history):
    text = words(history)
    assert len(shown(history)) == 4 and shown(history)[0] == "notes.png"
    assert "<b>4 inspections</b>" in text and "1 without verdict" in text
    assert text.count("data:image/jpeg") >= 3 and "not scored" in text
    assert "<span class=pc-mute>1.1</span> Washer *line* &lt;3&gt;" in text
    assert "<img src=x" not in text
    for row in rows(full):
        if row.verdict:
            assert f"{row.verdict}</span>" in text
    assert "there are " in text and "so far" in text  # of accepted parts, until drift is looked for


def test_a_part_is_found_by_its_name_and_filters_add_up(full, history):
    with full.database.write() as session:
        session.execute(update(Inspection).where(Inspection.id == 2).values(name="Line 3/Part 4711.png"))
    history.text_input(key="history_text").set_value("4711").run()
    assert shown(history) == ["Line 3/Part 4711.png"]
    verdict = rows(full)[1].verdict
    other = next(one for one in ("accept", "reject") if one != verdict)
    history.button_group(key="history_verdicts").set_value([other]).run()
    assert shown(history) == [] and "No inspection is like that" in history.info[0].value
    next(button for button in history.button if button.label == "Clear").click().run()
    assert len(shown(history)) == 4
    history.text_input(key="history_lowest:text").set_value(repr(rows(full)[0].score).replace(".", ",")).run()
    expected = [row for row in rows(full) if row.score is not None and row.score >= rows(full)[0].score]
    assert len(shown(history)) == len(expected) and not history.exception


def test_an_open_inspection_shows_overlay_and_facts_also_from_a_cold_link(full, open_app):
    row = rows(full)[0]
    app = open_app("history", inspection=str(row.id))
    text = words(app)
    assert row.sha256 in text and f"Inspection {row.id}" in text and f"{row.verdict}</span>" in text
    assert "data:image/jpeg" in text and "as the thresholds then were" in text
    assert f"{row.width} × {row.height} px" in text
    assert text.count("<i style=") == min(12, row.region_count)
    x0, y0, x1, y1 = row.worst_box
    place = place_that_decided(row.worst_box, row.score, row.verdict, row.accept, row.judge_by)
    assert (f"x {x0} to {x1}, y {y0} to {y1}" in text) == ("Dashes outline" in text) == (place is not None)
    next(button for button in app.button if button.label == "Back to all").click().run()
    assert len(shown(app)) == 4


def test_a_hostile_name_is_text(full, open_app):
    row = next(row for row in rows(full) if row.name == HOSTILE)
    app = open_app("history", inspection=str(row.id))
    assert "&lt;img src=x onerror" in words(app) and "<img src=x" not in words(app)


def test_a_link_to_an_absent_inspection_gets_a_sentence(full, open_app):
    app = open_app("history", inspection="99")
    assert "no inspection 99" in app.warning[0].value and len(shown(app)) == 4


def test_an_image_without_a_score_says_why(full, open_app):
    row = next(row for row in rows(full) if row.error)
    text = words(open_app("history", inspection=str(row.id)))
    assert row.error[:20] in text


def test_filters_outlast_a_look_at_an_inspection(full, history):
    history.text_input(key="history_text").set_value("notes").run()
    history.button(key=f"open_{rows(full)[3].id}").click().run()
    assert history.query_params["inspection"] == "4"
    next(button for button in history.button if button.label == "Back to all").click().run()
    assert shown(history) == ["notes.png"] and history.text_input(key="history_text").value == "notes"


def test_a_decision_is_kept_with_its_note_and_taken_back(full, open_app):
    app = open_app("history", inspection="1")
    app.text_input(key="note_1").set_value("polishing *mark*")
    app.button(key="decide_fine").click().run()
    row = rows(full)[0]
    assert row.decision == "fine" and row.decided_by and label(full, row) == "good"
    assert "Decided: ✓ fine" in words(app) and "polishing \\*mark\\*" in words(app)
    app.button(key="undo_decision").click().run()
    assert rows(full)[0].decision is None and label(full, row) is None and not app.exception


def label(workspace, row):
    with workspace.database.read() as session:
        return session.get_one(BatchImage, row.batch_image_id).truth


def test_a_decision_can_be_made_on_an_image_that_was_deleted(full, open_app):
    with full.database.write() as session:
        session.delete(session.get_one(Result, 1))
    app = open_app("history", inspection="1")
    app.button(key="decide_defect").click().run()
    assert rows(full)[0].decision == "defect" and label(full, rows(full)[0]) is None
    app.button(key="undo_decision").click().run()
    assert rows(full)[0].decision is None and not app.exception


def test_a_viewer_gets_the_sentence_about_roles(full, open_app, monkeypatch):
    app = open_app("history", inspection="1")
    with acting(Person("Vic", Role.VIEW)):
        monkeypatch.setattr("workbench.people.roles.current", lambda: Person("Vic", Role.VIEW))
        app.button(key="decide_fine").click().run()
    assert rows(full)[0].decision is None and "takes the role operate" in app.toast[0].value


def test_both_files_hold_what_is_filtered(full, history):
    from workbench.inspections.history_export import write_csv
    from workbench.inspections.history_query import Filter

    history.text_input(key="history_text").set_value("notes").run()
    assert [button.proto.label for button in history.get("download_button")] == ["CSV", "Parquet"]
    target = io.BytesIO()
    write_csv(full, Filter(inspector_id="washer", text="notes"), target)
    (line,) = csv.DictReader(io.StringIO(target.getvalue().decode("utf-8-sig")))
    assert line["file"] == "notes.png" and line["error"]


def test_a_retention_rule_counts_its_deletions_before_it_is_set(full, open_app, monkeypatch):
    monkeypatch.setattr(JobQueue, "step", lambda self: None)  # nothing is deleted here
    with full.database.write() as session:
        session.execute(update(Inspection).values(created=now() - timedelta(days=800)))
    app = open_app("history", inspector="washer")
    assert [one.label for one in app.expander] == ["History is kept for ever"]
    app.selectbox(key="history_months").select(12).run()
    assert "This deletes **4 inspections** and" in words(app) and "cannot be undone" in words(app)
    app.button(key="keep_history").click().run()
    with full.database.read() as session:
        assert session.get_one(Preference, "retention").value == {"months": 12}
        assert session.scalars(select(Job.kind)).all()[-1] == "retain"
    assert not app.exception


def test_deletions_are_listed(full, open_app):
    from workbench.upkeep.retention import delete_older

    with full.database.write() as session:
        session.execute(
            update(Inspection).where(Inspection.id < 3).values(created=now() - timedelta(days=800))
        )
    delete_older(full, 12)
    assert "2 inspections older than 12 months were deleted with" in words(open_app("history"))


def test_a_clock_that_leapt_ahead_is_told_with_the_deletions_that_wait_for_a_person(
    full, open_app, monkeypatch
):
    with full.database.write() as session:
        session.add(Preference(name="retention", value={"months": 12}))
        before = (now() - timedelta(days=3000)).isoformat()
        session.add(Preference(name="clock", value={"at": before, "ids": []}))
        old = session.scalars(select(Inspection).order_by(Inspection.id)).first()
        old.created = now() - timedelta(days=3000)
    monkeypatch.setattr(JobQueue, "step", lambda self: None)
    app = open_app("history")
    assert "3,000 days after the last moment that is certain" in app.warning[0].value
    assert "1 inspection and" in app.warning[0].value and not list_jobs(full)
    app.button(key="confirm_clock").click().run()
    assert not app.exception and not app.warning
    assert [job.kind for job in list_jobs(full)] == ["retain"]
