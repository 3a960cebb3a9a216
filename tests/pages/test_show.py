"""The page Show: what it is handed to draw, and a sentence for everything that is missing."""

import threading
import time

import pytest

from patchcore.thresholds.label_basis import CHOSEN
from tests.pages.texts import words
from workbench.inspections.batches import create_batch, list_results
from workbench.inspections.labels import set_label
from workbench.inspectors.versions import find_inspector
from workbench.people import roles
from workbench.people.roles import Person, Role
from workbench.storage.database import WorkspaceError
from workbench.storage.tables import BatchImage, Inspector, InspectorVersion, now
from workbench.viewer import Why
from workbench.viewer.show import Need
from workbench.widgets.show import asked, figures, stage

ID = "washer"


@pytest.fixture
def drawn(monkeypatch):
    """What the page hands to the component: contents, material, thresholds, scene and part, of each run."""
    runs = []

    def draw(contents, material, thresholds, **more):
        runs.append({"contents": contents, "material": material, "thresholds": thresholds, **more})

    monkeypatch.setattr(stage, "show", draw)
    return runs


def results_of(workspace):
    return [one for one in list_results(workspace, 1, find_inspector(workspace, ID).current_id) if one.score]


def test_a_viewer_sees_the_product_its_parts_and_the_limits(full, open_app, drawn, monkeypatch):
    monkeypatch.setattr(roles, "local_person", lambda: Person("Vic", Role.VIEW))
    app = open_app("show", inspector=ID)
    assert not app.error
    contents = drawn[-1]["contents"]
    assert contents.title == "Washer *line* <3>" and contents.facts[0] == ("4", "photographs of good parts")
    assert len(contents.gallery) == 4 and len(contents.parts) == len(contents.telling) == 3
    assert contents.known.missing == figures.NO_SET and contents.report == stage.NO_LABELS
    assert contents.limits.startswith("This inspector learned from 4 photographs of good parts")
    assert "may stay unseen" in contents.limits and contents.notices == []


@pytest.mark.parametrize("back", ["home", "evaluate", "anywhere"])
def test_escape_leads_back_to_the_page_that_it_came_from(full, open_app, drawn, back):
    app = open_app("show", inspector=ID, back=back)
    drawn[-1]["on_leave"]()
    app.session_state[stage.LEFT] = True
    app.run()
    assert not app.exception
    text = words(app)
    assert ("Find what departs from good" in text) == (back == "home")
    assert ("<h1>Inspect</h1>" in text) == (back == "anywhere")


def test_the_buttons_lead_there(full, open_app, drawn):
    app = open_app()
    app.button(key=f"show_{ID}").click().run()
    assert not app.exception and drawn and app.query_params["back"] == "home"


def test_a_link_opens_at_its_scene_and_part(full, open_app, drawn):
    part = str(results_of(full)[1].id)
    open_app("show", inspector=ID, batch="1", scene="replay", part=part)
    assert (drawn[-1]["scene"], drawn[-1]["part"]) == ("replay", part)


def test_what_a_link_names_and_is_gone_gets_a_sentence(full, open_app, drawn):
    open_app("show", inspector=ID, batch="77", scene="nowhere", part="999")
    notices = " ".join(drawn[-1]["contents"].notices)
    assert "The batch of this link is not here any more. Morning is shown instead." in notices
    assert "The part of this link is not here any more" in notices
    assert (drawn[-1]["scene"], drawn[-1]["part"]) == ("product", "")


def test_an_inspector_in_the_bin_is_named_and_none_is_shown_in_its_place(full, open_app, drawn):
    with full.database.write() as session:
        session.get_one(Inspector, ID).deleted = now()
    app = open_app("show", inspector=ID)
    assert not drawn and "was deleted" in app.info[0].value


def test_without_an_inspector_the_sample_is_offered(empty, open_app, drawn):
    app = open_app("show")
    assert not drawn and "there is none yet" in words(app)
    assert any(button.label == "Open the sample product" for button in app.button)


def test_a_batch_without_scores_says_so(full, open_app, drawn):
    image = full.store_image(full.image_path(results_of(full)[0].image.sha256), "later.jpg")
    batch = create_batch(full, ID, [image], "Noon")
    open_app("show", inspector=ID, batch=str(batch))
    contents = drawn[-1]["contents"]
    assert contents.notices == [stage.NOT_SCORED.format(name="Noon")] and not contents.parts
    assert not find_waiting(full, batch)  # a look starts no work


def find_waiting(workspace, batch):
    return list_results(workspace, batch, find_inspector(workspace, ID).current_id)


def test_a_threshold_out_of_date_gives_no_verdict(full, open_app, drawn):
    with full.database.write() as session:
        version = session.get_one(InspectorVersion, find_inspector(full, ID).current_id)
        version.operating_point = version.operating_point | {"stale": "another bank"}
    open_app("show", inspector=ID)
    assert drawn[-1]["thresholds"]["reject"] is None
    assert "The threshold is out of date" in drawn[-1]["contents"].notices[0]


def test_labels_picked_one_by_one_give_counts_alone(full, open_app, drawn):
    first, second, third = results_of(full)
    set_label(full, first.image.id, "scratch")
    open_app("show", inspector=ID)
    known = drawn[-1]["contents"].known
    assert CHOSEN in known.no_interval and not known.missing
    assert "which are no sample of the parts" in drawn[-1]["contents"].limits
    assert [dot.kind for dot in known.dots].count("reference") == 4  # the good images that it learned from
    set_label(full, second.image.id, "good")
    set_label(full, third.image.id, "good")
    with full.database.write() as session:  # the file that is no image
        session.query(BatchImage).filter(BatchImage.truth.is_(None)).one().truth = "good"
    open_app("show", inspector=ID)
    contents = drawn[-1]["contents"]
    assert not contents.known.no_interval and contents.report == "" and contents.mixed
    assert "3 labelled parts" in contents.limits and "no sample" not in contents.limits


@pytest.fixture
def answers(full):
    inspector = find_inspector(full, ID)
    results = {str(one.id): one for one in results_of(full)}
    return asked.Answers(inspector, inspector.current, results, None)


def test_pictures_tiles_and_the_reason_are_found(answers):
    key = next(iter(answers.results))
    for what in ("pictures", "tiles"):
        answers.answer(Need(what, (key,)))
    material = answers.material
    assert list(material.pictures) == list(material.tiles) == [key] and not material.lacks
    assert isinstance(reason_of(answers, key), Why)


def reason_of(answers, key):
    """Ask as the browser does: again until the reason is there."""
    until = time.monotonic() + 60
    while key not in answers.material.reasons and time.monotonic() < until:
        answers.answer(Need("reasons", (key,)))
    return answers.material.reasons[key]


def test_a_part_that_has_gone_meanwhile_is_answered_once_and_for_all(answers):
    answers.answer(Need("tiles", ("77",)))
    assert answers.material.lacks == {"77": asked.NO_IMAGE}
    assert answers.material.pictures["77"] is None and reason_of(answers, "77") == asked.NO_IMAGE


def test_a_run_of_the_page_does_not_wait_for_a_slow_reason(answers, monkeypatch):
    hold = threading.Event()
    monkeypatch.setattr(asked, "PATIENCE", 0.01)

    def explain(*_):
        hold.wait()
        raise WorkspaceError("The test has ended.")

    monkeypatch.setattr(asked, "explain", explain)
    key = next(iter(answers.results))
    answers.answer(Need("reasons", (key,)))
    assert key not in answers.material.reasons and answers.material.answers == 1
    answers.answer(Need("tiles", (key,)))
    assert key in answers.material.tiles
    hold.set()


def test_a_lost_map_and_a_lost_photograph_get_a_sentence_each(full, answers):
    first, second, _third = answers.results.items()
    (full.root / first[1].map_path).unlink()
    full.image_path(second[1].image.sha256).unlink()
    answers.answer(Need("pictures", (first[0], second[0])))
    assert answers.material.lacks == {first[0]: asked.NO_MAP, second[0]: asked.NO_IMAGE}
    assert answers.material.pictures[first[0]] and answers.material.pictures[second[0]] is None
    assert reason_of(answers, second[0]).startswith("The closest good part cannot be shown")


def test_a_method_that_compares_no_patches_says_so(answers):
    answers.version.settings = answers.version.settings | {"method": "padim"}
    key = next(iter(answers.results))
    assert "does not compare a patch with single good patches" in reason_of(answers, key)


def test_the_report_takes_a_labelled_set(answers):
    answers.answer(Need("report"))
    assert answers.material.report == "The report takes a labelled set."
