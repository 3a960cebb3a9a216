"""Where a map counts as defective: pixel threshold and smallest region, drawn live on a chosen image."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from patchcore.operating_point import JudgeBy
from patchcore.regions import pixels_in_area
from workbench.widgets import detail_view, rule_picker, session, trial, tune_view
from workbench.widgets.tune_view import Decision

JUDGES: dict[JudgeBy, str] = {"score": "Score", "area": "Regions", "both": "Both"}


def show(now: Decision) -> None:
    """Draw the rules for regions, and an image on which they can be watched."""
    pixel, scale, smallest, judge = st.columns(4, gap="medium")
    with pixel:
        _pixel_rule(now)
    with scale:
        _scale(now)
    with smallest:
        _smallest(now)
    with judge:
        _judge(now)
    _image(now)


def _pixel_rule(now: Decision) -> None:
    pixel = now.point.pixel if now.point.pixel is not None else now.point.accept
    rule_picker.pick(
        "tune_pixel",
        "Pixel threshold",
        rule_picker.PIXEL_WORDS,
        now.trial.pixel_rule,
        replace(now.evidence, good=now.evidence.map_peaks),
        pixel,
        lambda rule: _try(now, pixel_rule=rule, judge_by=now.trial.judge_by if rule else "score"),
        explained="Pixels of a higher score form regions. Set from the good images' maps, the promise is about whole "
        "images: in how many of them a region appears at all.",
    )


def _scale(now: Decision) -> None:
    def put() -> None:
        _try(now, millimetres_per_pixel=st.session_state["tune_scale"] or None)

    st.session_state["tune_scale"] = now.trial.millimetres_per_pixel or 0.0
    st.number_input(
        "Scale, mm per pixel", min_value=0.0, step=0.01, format="%.4f", key="tune_scale", on_change=put,
        help="Of the photograph, on the part; 0 when not known. Areas and distances are then in mm.",
    )  # fmt: skip


def _smallest(now: Decision) -> None:
    scale = now.trial.millimetres_per_pixel
    place = "tune_area_mm" if scale else "tune_area"

    def put() -> None:
        value = st.session_state[place]
        _try(now, min_area=pixels_in_area(value, scale) if scale and value > 0 else max(1, int(value)))

    if scale:
        st.session_state[place] = round(now.trial.min_area * scale**2, 4)
        st.number_input(
            "Smallest region, mm²", min_value=0.0, step=0.1, format="%.4f", key=place, on_change=put
        )
        st.caption(f"{now.trial.min_area:,} pixels of the photograph")
    else:
        st.session_state[place] = now.trial.min_area
        st.number_input(
            "Smallest region, pixels", min_value=1, step=10, key=place, on_change=put,
            help="Regions of fewer pixels of the photograph do not count.",
        )  # fmt: skip


def _judge(now: Decision) -> None:
    def put() -> None:
        chosen = st.session_state["tune_judge"]
        rule = now.trial.pixel_rule
        if chosen != "score" and rule is None:
            rule = trial.by_hand(now.point.heat_from)
        _try(now, judge_by=chosen, pixel_rule=rule)

    st.session_state["tune_judge"] = now.trial.judge_by
    st.selectbox(
        "Judge an image by",
        list(JUDGES),
        format_func=lambda name: JUDGES[name],
        key="tune_judge",
        on_change=put,
        help="By regions: any region rejects. By both: a reject takes a score and a region; where they differ, a "
        "person looks.",
    )


def _image(now: Decision) -> None:
    scored = [one for one in now.known if one.result is not None]
    if not scored:
        st.caption("Regions can be watched here once an image is scored.")
        return
    ids = [one.result.id for one in scored if one.result is not None]
    chosen = session.chosen_number("look")
    nearest = min(scored, key=lambda one: abs(one.score - now.point.reject))
    image = scored[ids.index(chosen)] if chosen in ids else nearest
    names = {one.result.id: one.name for one in scored if one.result is not None}
    order = sorted(names, key=lambda one: -scored[ids.index(one)].score)
    place = f"look_at_{image.result.id if image.result else 0}"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.selectbox(
            "Image",
            order,
            index=order.index(image.result.id) if image.result else 0,
            format_func=lambda one: names[one],
            key=place,
            on_change=lambda: session.choose("look", st.session_state[place]),
            label_visibility="collapsed",
            width=320,
        )
        st.caption(
            "Click a dot or an image above to look at it here. Move the two sliders: the regions follow."
        )

    @st.fragment
    def look() -> None:
        with session.plain_errors():
            assert image.result is not None
            detail_view.show(
                image.result,
                image.key,
                now.version,
                now.thresholds,
                now.point,
                key="tune_detail",
                link=tune_view.LINK,
                peak=tune_view.peak(image, now),
                on_rule=lambda rule: trial.keep(now.trial.ruled(rule)),
            )

    look()


def _try(now: Decision, **changes: object) -> None:
    trial.keep(replace(now.trial, **changes))  # type: ignore[arg-type]
