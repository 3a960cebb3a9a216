"""Choices of an inspector stay with it when another one is used, and a new session finds them by the address."""

import json

import pytest
from sqlalchemy import select

from tests.pages.test_history import shown
from workbench.storage.tables import Inspector, InspectorVersion

TRIAL = {"rule": {"name": "by_hand", "parameters": {"value": 0.25}}}
TWIN = "twin"


@pytest.fixture
def twins(full):
    """A second inspector that uses the first one's bank."""
    with full.database.write() as rows:
        version = rows.scalars(select(InspectorVersion)).one()
        values = {column.name: getattr(version, column.name) for column in version.__table__.columns}
        rows.add(Inspector(id=TWIN, name="Twin"))
        rows.flush()
        again = InspectorVersion(**(values | {"id": None, "inspector_id": TWIN, "base_id": version.id}))
        rows.add(again)
        rows.flush()
        rows.get_one(Inspector, TWIN).current_id = again.id
    return full


def use(app, inspector_id):
    box = next(one for one in app.selectbox if one.label == "Change inspector")
    box.set_value(inspector_id).run()
    assert not app.exception and app.query_params["inspector"] == inspector_id


def test_a_threshold_in_hand_and_a_note_stay_with_their_inspector(twins, open_app):
    app = open_app("tune", inspector="washer", trial=json.dumps(TRIAL))
    app.text_input(key="tune_note_washer").set_value("after the new lamp").run()
    use(app, TWIN)
    assert "trial" not in app.query_params and "batch" not in app.query_params
    assert app.text_input(key=f"tune_note_{TWIN}").value == ""
    app.query_params["inspector"] = "no-such-inspector"  # the one in use stays
    app.run()
    assert app.query_params["inspector"] == TWIN
    use(app, "washer")
    assert json.loads(app.query_params["trial"]) == TRIAL and app.query_params["batch"] == "1"
    assert app.text_input(key="tune_note_washer").value == "after the new lamp"


def test_history_follows_the_inspector_in_use_and_its_filters_stand_in_the_address(twins, open_app):
    app = open_app("history", inspector="washer")
    use(app, TWIN)
    assert app.selectbox(key="history_of").value == "all"  # the twin has no verdict yet
    use(app, "washer")
    assert app.selectbox(key="history_of").value == "washer"
    app.selectbox(key="history_of").set_value("all").run()
    app.text_input(key="history_text").set_value("notes").run()
    again = open_app("history", inspector="washer", filter=app.query_params["filter"])
    assert again.selectbox(key="history_of").value == "all" and shown(again) == ["notes.png"]
    assert again.text_input(key="history_text").value == "notes"
    next(button for button in again.button if button.label == "Clear").click().run()
    assert json.loads(again.query_params["filter"]) == {"of": "all"}
    odd = open_app("history", filter='{"since": 3, "decision": "perhaps"}')
    assert odd.text_input(key="history_text").value == "" and "filter" not in odd.query_params
