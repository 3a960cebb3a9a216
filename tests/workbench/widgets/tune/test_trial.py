import pytest
from streamlit.testing.v1 import AppTest

from patchcore.errors import SettingsError
from patchcore.thresholds.decision import decide
from patchcore.thresholds.operating_point import Choice, Evidence
from workbench.viewer import RegionRule, Thresholds
from workbench.widgets.tune.trial import Trial, by_hand

EVIDENCE = Evidence(good={f"g{i}": 1.0 + i / 10 for i in range(20)}, defect={"d": 4.0})


def test_a_trial_read_from_a_point_makes_the_same_point():
    point = decide(
        Choice("provisional"),
        EVIDENCE,
        "bank",
        set_by="build",
        accept_rule=Choice("from_good", {"budget": 0.1}),
        min_area=7,
        millimetres_per_pixel=0.05,
    )
    again = Trial.of(point).point(EVIDENCE, "bank")
    assert (again.reject, again.accept, again.rule, again.accept_rule) == (
        point.reject,
        point.accept,
        point.rule,
        point.accept_rule,
    )
    assert (again.min_area, again.millimetres_per_pixel) == (7, 0.05)


def test_a_dragged_line_alone_is_set_by_hand():
    trial = Trial(Choice("provisional"), Choice("from_good", {"budget": 0.1}))
    before = Thresholds(3.0, 2.0)
    assert trial.moved(before, Thresholds(3.5, 2.0)) == Trial(by_hand(3.5), trial.accept_rule)
    assert trial.moved(before, Thresholds(3.0, 1.5)) == Trial(trial.rule, by_hand(1.5))
    assert trial.moved(before, Thresholds(3.0)) == Trial(trial.rule)
    assert trial.moved(before, before) == trial


def test_a_region_rule_is_set_by_hand_too():
    trial = Trial(Choice("provisional"), pixel_rule=Choice("provisional"))
    assert trial.ruled(RegionRule(0.5, 30)) == Trial(trial.rule, None, by_hand(0.5), 30)
    assert trial.ruled(RegionRule(None, 4)) == Trial(trial.rule, None, trial.pixel_rule, 4)


def test_a_rule_that_cannot_be_met_raises_settings_error():
    with pytest.raises(SettingsError, match="more good images are needed"):
        Trial(Choice("from_good", {"budget": 0.005})).point(EVIDENCE, "bank")


def app(text):
    from types import SimpleNamespace

    import streamlit as st

    from patchcore.thresholds.decision import decide
    from patchcore.thresholds.operating_point import Choice, Evidence
    from workbench.widgets.tune import trial

    if text is not None:
        st.query_params["trial"] = text
    point = decide(Choice("provisional"), Evidence({"a": 1.0, "b": 2.0}), "bank", set_by="build")
    st.session_state["seen"] = trial.current(SimpleNamespace(operating_point=point.to_dict()))
    st.session_state["left"] = "trial" in st.query_params


STORED = Trial(Choice("provisional"))
BY_HAND = '{"rule":{"name":"by_hand","parameters":{%s}}%s}'


@pytest.mark.parametrize(
    "text, expected",
    [
        (None, STORED),
        (
            '{"rule":{"name":"by_hand","parameters":{"value":1.5}},"judge_by":"both"}',
            Trial(by_hand(1.5), judge_by="both"),
        ),
        ("nonsense", STORED),
        ('{"rule":{"name":"magic","parameters":{}}}', STORED),
        ('{"rule":{"name":"by_hand","parameters":{"strength":1}}}', STORED),
        ('{"rule":{"name":"provisional","parameters":{}},"judge_by":"luck"}', STORED),
        ("[1]", STORED),
        (BY_HAND % ('"value":1', f',"min_area":{"9" * 49}'), STORED),
        (BY_HAND % ('"value":1', ',"min_area":1e400'), STORED),
        (BY_HAND % ('"value":1', ',"millimetres_per_pixel":NaN'), STORED),
        (BY_HAND % (f'"value":{"9" * 49}', ""), STORED),
        (BY_HAND % (f'"value":{"9" * 400}', ""), STORED),
        (BY_HAND % ('"value":-Infinity', ""), STORED),
        ("[" * 8_000, STORED),
        ('{"rule":{"name":"by_hand"\0', None),
        (" " * 9_000, None),
    ],
)
def test_the_address_is_read_and_nonsense_is_ignored(text, expected):
    run = AppTest.from_function(app, args=(text,), default_timeout=30).run()
    assert not run.exception
    assert run.session_state["seen"] == (expected or STORED)
    assert run.session_state["left"] == (text is not None and expected != STORED)
