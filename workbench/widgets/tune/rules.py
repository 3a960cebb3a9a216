"""The right column of Tune: the rule of each threshold, its promise, and the button that puts it into force."""

from dataclasses import replace

import streamlit as st

from patchcore.thresholds.operating_point import Choice, OperatingPoint
from patchcore.thresholds.rules import reject_choices, review_choices
from workbench.inspectors.point_history import store_point
from workbench.people.roles import Role
from workbench.storage.tables import InspectorVersion
from workbench.tuning.consequences import consequences_for
from workbench.widgets.fields import shared
from workbench.widgets.shared import access, notice, revision_guard, session, wording
from workbench.widgets.tune import overview, rule_picker, trial
from workbench.widgets.tune.overview import Decision


def show(now: Decision) -> None:
    """Draw the rules in view and their promises."""
    _good_images(now)
    rule_picker.pick(
        "tune_rule",
        "Reject above",
        reject_choices(),
        now.trial.rule,
        now.evidence,
        now.point.reject,
        lambda rule: trial.change(now.version, rule=rule or now.trial.rule),
        explained="A rule sets the threshold from the images that are known, and sets it again whenever the bank "
        "changes. Drag the line and it is set by hand.",
    )
    rule_picker.pick(
        "tune_review",
        "Send to review",
        review_choices(),
        now.trial.accept_rule,
        now.evidence,
        now.point.accept if now.point.accept < now.point.reject else 0.9 * now.point.reject,
        lambda rule: trial.change(now.version, accept_rule=rule),
        explained="Parts whose score lies between two thresholds are neither accepted nor rejected: a person looks "
        "at them.",
    )
    _whole_picture(now)
    if rule_picker.missing(now.evidence, list(reject_choices())):
        st.caption("More rules appear once a defect is labelled: from costs, or so that none is let through.")
    if now.fault:
        st.warning(session.sentence(now.fault))
        if now.trial.rule.name == "from_good":
            st.button(
                f"Set it from the worst of these {wording.counted(len(now.evidence.good), 'good image')}",
                on_click=lambda: trial.change(now.version, rule=Choice("provisional")),
            )
    else:
        st.caption(session.sentence(now.statement))


def use(now: Decision) -> None:
    """Draw the note and the buttons that put the decision into force or drop it."""
    if now.stored.stale:
        st.warning(
            session.sentence(f"The threshold in force is out of date: {now.stored.stale} Set it again.")
        )
    note = st.text_input(
        "Note",
        key=f"tune_note_{now.version.inspector_id}",
        persist_state="session",
        placeholder="why, for a later question",
        help="Kept with the thresholds, their rule, the evidence and the time.",
    )
    with st.container(horizontal=True):
        if access.button(
            "Use this",
            Role.ENGINEER,
            type="primary",
            disabled=not now.is_new and (not now.stored.stale or bool(now.fault)),
            key="use_this",
        ):
            point = replace(now.point, note=note, statement=now.statement)
            seen = revision_guard.revision_of(now.version.inspector_id)
            found = consequences_for(now.known, now.version, point)
            notice.confirmed_in_force(found, lambda: _use(now.version, point, seen))
        st.button(
            f"Back to {wording.score(now.stored.reject)}",
            disabled=session.chosen(trial.NAME) is None,
            on_click=trial.forget,
            help="The thresholds in force.",
        )
    stored = st.session_state.pop("tune_stored", None)
    if stored is not None:
        st.toast(f"In force: reject above {stored}.")


def _use(version: InspectorVersion, point: OperatingPoint, seen: int | None) -> None:
    """Put a point in force; `seen` is the revision that the person saw when asking for it."""
    with revision_guard.change(version.inspector_id):
        store_point(session.workspace(), version, point, point.note, seen=seen)
        trial.forget()
        session.forget("threshold", "review")  # what Inspect was trying out is decided now
        st.session_state["tune_stored"] = wording.score(point.reject)


def _whole_picture(now: Decision) -> None:
    shared.draw(
        st.toggle,
        "Check the whole picture",
        key="tune_picture",
        value=now.trial.picture_check,
        on_change=lambda on: trial.change(now.version, picture_check=on),
        help="A picture that is darker, brighter, flatter, blurred or of another colour than all good images, or that "
        "lacks what they show, goes to review instead of being accepted.",
    )


def _good_images(now: Decision) -> None:
    held_out = sum(one.source == "test" and one.truth == "good" for one in now.known)
    if not held_out:
        return
    own = sum(one.source == "leave-one-out" for one in now.known)
    counts = {"leave-one-out": own, "held-out": held_out, "both": own + held_out}

    def switch(source: str) -> None:
        session.choose("good", source)
        trial.change(now.version)

    shared.draw(
        st.selectbox,
        "Good images",
        list(overview.GOOD_SOURCES),
        format_func=lambda name: f"{counts[name]}, {overview.GOOD_SOURCES[name]}",
        key="tune_good",
        value=overview.good_source(now.known),
        on_change=switch,
        help="Which good images thresholds are set from. The images of the build are each scored without themselves.",
    )
