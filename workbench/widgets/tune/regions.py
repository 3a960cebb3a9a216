"""Where a map counts as defective: pixel threshold and smallest region, drawn live on a chosen image."""

from dataclasses import replace

import streamlit as st

from patchcore.maps.regions import pixels_in_area
from patchcore.thresholds.operating_point import Choice, JudgeBy
from patchcore.thresholds.rules import pixel_choices
from workbench.widgets.fields import number, shared
from workbench.widgets.shared import detail_view, session, wording
from workbench.widgets.tune import overview, rule_picker, trial
from workbench.widgets.tune.overview import Decision

SCALE_DIGITS = 4
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
        pixel_choices(),
        now.trial.pixel_rule,
        replace(now.evidence, good=now.evidence.map_peaks),
        pixel,
        lambda rule: _ruled(now, rule),
        explained="Pixels of a higher score form regions. Set from the good images' maps, the promise is about whole "
        "images: in how many of them a region appears at all.",
    )


def _scale(now: Decision) -> None:
    number.draw(
        "Scale, mm per pixel",
        least=0,
        digits=SCALE_DIGITS,
        key="tune_scale",
        value=now.trial.millimetres_per_pixel or 0.0,
        on_change=lambda scale: trial.change(now.version, millimetres_per_pixel=scale or None),
        help="Of the photograph, on the part; 0 when not known. Areas and distances are then in mm.",
    )


def _smallest(now: Decision) -> None:
    scale = now.trial.millimetres_per_pixel

    def put(value: float) -> None:
        if number.is_shown("tune_scale", scale or 0.0, SCALE_DIGITS):
            area = pixels_in_area(value, scale) if scale and value > 0 else max(1, int(value))
            trial.change(now.version, min_area=area)

    if scale:
        number.draw(
            "Smallest region, mm²",
            least=0,
            digits=4,
            key="tune_area_mm",
            value=round(now.trial.min_area * scale**2, 4),
            on_change=put,
        )
        st.caption(f"{now.trial.min_area:,} pixels of the photograph")
    else:
        number.draw(
            "Smallest region, pixels",
            least=1,
            digits=0,
            key="tune_area",
            value=now.trial.min_area,
            on_change=put,
            help="Regions of fewer pixels of the photograph do not count.",
        )


def _judge(now: Decision) -> None:
    def put(chosen: JudgeBy) -> None:
        rule = trial.current(now.version).pixel_rule
        if chosen != "score" and rule is None:
            rule = trial.by_hand(now.point.heat_from)
        trial.change(now.version, judge_by=chosen, pixel_rule=rule)

    shared.draw(
        st.selectbox,
        "Judge an image by",
        list(JUDGES),
        format_func=JUDGES.__getitem__,
        key="tune_judge",
        value=now.trial.judge_by,
        on_change=put,
        help="By regions: any region rejects. By both: a reject takes a score and a region; where they differ, a "
        "person looks.",
    )


def _image(now: Decision) -> None:
    scored = [one for one in now.known if one.result is not None]
    if not scored:
        st.caption("Regions can be watched here once an image is scored.")
        return
    by_id = {one.result.id: one for one in scored if one.result is not None}
    chosen = session.chosen_number("look")
    nearest = min(scored, key=lambda one: abs(one.score - now.point.reject))
    image = nearest if chosen is None else by_id.get(chosen, nearest)
    assert image.result is not None
    order = sorted(by_id, key=lambda one: -by_id[one].score)
    labels = wording.distinct({one: by_id[one].name for one in order})
    shown = image.result.id
    place = f"look_at_{shown}"

    def changed() -> None:
        # A field that is new on the page counts as changed where the browser sends it before the page's run has ended.
        if (wanted := st.session_state[place]) != shown:
            session.choose("look", wanted)

    with st.container(horizontal=True, vertical_alignment="center"):
        st.selectbox(
            "Image",
            order,
            index=order.index(shown),
            format_func=labels.__getitem__,
            key=place,
            on_change=changed,
            label_visibility="collapsed",
            width=320,
        )
        st.caption(
            "Click a dot or an image above to look at it here. Move the two sliders: the regions follow."
        )

    @session.fragment()
    def look() -> None:
        assert image.result is not None
        detail_view.show(
            image.result,
            image.key,
            now.version,
            now.thresholds,
            now.point,
            key="tune_detail",
            link=overview.LINK,
            peak=overview.peak(image, now),
            reveal=chosen in by_id,
            on_rule=lambda rule: trial.keep(trial.current(now.version).ruled(rule)),
        )

    look()


def _ruled(now: Decision, rule: Choice | None) -> None:
    changes = {} if rule else {"judge_by": "score"}
    trial.change(now.version, pixel_rule=rule, **changes)
