"""Scoring on the pages: the bar with its place and Stop, the button before long work, and the deletion of a batch."""

from contextlib import contextmanager
from threading import Event

import pytest

from tests.pages.texts import words
from workbench.inspections import background_scorer, batches
from workbench.inspections.background_scorer import ScoringState
from workbench.inspections.batches import count_unscored, create_batch, good_batch, list_batches
from workbench.inspections.turns.rows import Amount
from workbench.inspectors.versions import find_inspector, good_images
from workbench.people import roles
from workbench.people.roles import Person, Role
from workbench.running import running
from workbench.storage.workspace import NamedImage
from workbench.widgets.shared.scoring import bar
from workbench.widgets.shared.scoring import words as scoring_words


@pytest.fixture
def version(full):
    return find_inspector(full, "washer").current


def lines(app):
    """The texts of all bars."""
    return [one.proto.text for one in app.get("progress")]


@contextmanager
def nothing_scored(monkeypatch):
    """Let the queue's turns wait for the end of the block."""
    go_on = Event()

    def later(*arguments):
        go_on.wait(60)
        yield from batches.score_batch(*arguments)

    monkeypatch.setattr(background_scorer, "score_batch", later)
    try:
        yield
    finally:
        go_on.set()


def button(app, beginning):
    return next(one for one in app.button if one.label.startswith(beginning))


def test_a_page_that_waits_ends_its_run_so_that_nothing_of_the_run_before_stays(
    full, version, open_app, monkeypatch
):
    """The page Inspect, whose question about a deletion must go where it was answered with no."""
    copies = [NamedImage(one.sha256, f"{n}.jpg") for n in range(9) for one in good_images(full, version)]
    batch = create_batch(full, "washer", copies, "Tuesday")
    with nothing_scored(monkeypatch):
        running(full.root).scorer.want(batch, version.id)
        app = open_app("inspect", inspector="washer", batch=str(batch))
        assert any(line.startswith("Scoring 0/36") for line in lines(app))
        button(app, "Delete batch").click().run()
        button(app, "Keep it").click().run()
        assert "Delete for good" not in {one.label for one in app.button}
    running(full.root).scorer.halt(batch, version.id)


def test_a_page_that_waits_shows_place_and_stop_and_so_do_sidebar_and_jobs(
    full, version, open_app, monkeypatch
):
    maps = good_batch(full, version)
    copies = [NamedImage(one.sha256, f"{n}.jpg") for n in range(9) for one in good_images(full, version)]
    other = create_batch(full, "washer", copies, "Tuesday")
    scorer = running(full.root).scorer
    with nothing_scored(monkeypatch):
        scorer.want(other, version.id)
        app = open_app("home", inspector="washer")
        app.session_state["batch"] = 1
        app.switch_page(
            "pages/tune.py"
        ).run().run()  # the sidebar, drawn first, sees the maps in the second run
        assert any(line.startswith("Scoring for maps 4/8") for line in lines(app))
        assert any("Tuesday, Washer" in line and "0/36, second in line" in line for line in lines(app))
        app.query_params["shelf"] = "jobs"
        app.switch_page("pages/library.py").run()
        assert sum("Tuesday" in line for line in lines(app)) == 2  # in the sidebar and among the jobs
        button(app, "Stop").click().run()  # the first in line: the maps
        assert [work[0] for work in scorer.list_waiting()] == [other]
        app.switch_page("pages/tune.py").run()
        assert "Stopped at 4 of 8." in [one.value for one in app.markdown]
        button(app, "Continue").click().run()
        button(app, "Stop").click().run()
        assert "Stopped at 4 of 8." in [one.value for one in app.markdown]
    scorer.halt(other, version.id)
    assert count_unscored(full, maps, version.id) >= 3  # but for an image that was in hand


def test_long_work_waits_for_a_button_that_says_how_many_and_how_long(full, version, open_app, monkeypatch):
    monkeypatch.setattr(bar, "SHORT_SECONDS", 0.0)
    app = open_app("tune", inspector="washer")
    assert button(app, "Make the maps of 4 images, about ") and not lines(app)
    scorer, maps = running(full.root).scorer, good_batch(full, version)
    assert scorer.list_waiting() == {} and count_unscored(full, maps, version.id) == 4
    with nothing_scored(monkeypatch):
        button(app, "Make the maps of 4 images").click().run()
        assert any(line.startswith("Scoring for maps") for line in lines(app))
    while scorer.wait(maps, version.id, 1.0):
        pass
    assert count_unscored(full, maps, version.id) == 0


def test_who_may_only_look_neither_starts_nor_stops_nor_deletes(full, open_app, monkeypatch):
    monkeypatch.setattr(bar, "SHORT_SECONDS", 0.0)
    monkeypatch.setattr(roles, "local_person", lambda: Person("Vic", Role.VIEW))
    app = open_app("tune", inspector="washer")
    assert button(app, "Make the maps").disabled
    app.switch_page("pages/inspect.py").run()
    assert button(app, "Delete batch").disabled


def test_a_batch_is_deleted_after_the_page_has_said_what_goes(full, open_app):
    app = open_app("inspect", inspector="washer")
    button(app, "Delete batch").click().run()
    text = words(app)
    assert "**Delete Morning?** This cannot be undone. It deletes 4 images, 4 of them scored." in text
    assert "The history keeps 4 verdicts, with the pictures." in text
    button(app, "Keep it").click().run()
    assert "Delete Morning" not in words(app) and len(list_batches(full, "washer")) == 1
    button(app, "Delete batch").click().run()
    button(app, "Delete for good").click().run()
    assert list_batches(full, "washer") == [] and not app.exception
    assert "Bring images to be inspected" in words(app)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (7.4, "7 s"), (42, "40 s"), (130, "2 min"), (4000, "67 min"), (7900, "2 h 10 min")],
)
def test_durations_are_no_finer_than_they_are_known(seconds, text):
    assert scoring_words.about(seconds) == text


def test_the_line_says_how_far_where_in_line_and_how_long():
    amount = Amount(40, 2000)
    waiting = ScoringState("waiting", 2, 720.0)
    assert (
        scoring_words.line("Scoring", amount, waiting)
        == "Scoring 40/2,000, second in line, about 12 min left"
    )
    assert scoring_words.line("Scoring", amount, ScoringState("waiting", 1)) == "Scoring 40/2,000"
    assert "5th in line" in scoring_words.line("Scoring", amount, ScoringState("waiting", 5))
    assert scoring_words.stopped(amount) == "Stopped at 40 of 2,000."
    assert scoring_words.start("Score", 1, None) == "Score 1 image"
    assert scoring_words.start("Score", 254, 41.0) == "Score 254 images, about 40 s"
