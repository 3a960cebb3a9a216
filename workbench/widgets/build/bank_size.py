"""The coreset slider: the numbers of a smaller bank, at once, and the button that puts it into use."""

from typing import Any

import numpy as np
import streamlit as st

from patchcore.thresholds.operating_point import OperatingPoint
from workbench.inspectors.recalibration import ShareNumbers
from workbench.inspectors.versions import reslice, share_numbers
from workbench.people.roles import Role
from workbench.storage.tables import InspectorVersion
from workbench.widgets.shared import access, revision_guard, session, theme, wording

STEPS = (0.001, 0.0025, 0.005, 0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.06, 0.08, 0.10, 0.15, 0.20, 0.25)
CURVE_POINTS = 12
SAME = 5e-4  # shares closer than this are one bank: a share is a whole number of patches


def show(version: InspectorVersion) -> None:
    """Draw the slider, the numbers before and after, and their curves over the share."""
    options = shares(version)
    key = f"share_{version.bank_id}"
    if st.session_state.get(key) not in options:
        st.session_state[key] = min(options, key=lambda share: abs(share - version.share))
    chosen = st.select_slider(
        "Bank size, share of all patches",
        options,
        format_func=wording.share,
        key=key,
        help="The share of the good images' patches that the inspector compares with. A smaller bank is faster; its "
        "patches lie further apart, so scores rise and the threshold is set again by its own rule in the same step.",
    )
    numbers = share_numbers(session.workspace(), version, chosen)
    left, right = st.columns([3, 4], gap="large")
    with left:
        st.html(table_html(version, numbers))
        if use_button(chosen, numbers.patches == version.patches, key="use_share"):
            with revision_guard.change(version.inspector_id) as revision:
                note = f"bank size {wording.share(chosen)}"
                reslice(session.workspace(), version, chosen, note, seen=revision)
                session.forget("threshold")
            st.rerun()
    with right:
        st.vega_lite_chart(
            _points(version.bank_id, version.largest_share, version),
            _chart(chosen),
            width="stretch",
            height=230,
        )


def use_button(share: float, in_use: bool, key: str) -> bool:
    """Draw the button that puts a share into use; the share in use cannot be chosen."""
    return access.button(
        f"Use {wording.share(share)}",
        Role.ENGINEER,
        key=key,
        type="primary",
        disabled=in_use,
    )


def shares(version: InspectorVersion) -> list[float]:
    """Return the shares on the slider: round shares, the largest that was built, and the share in use."""
    largest = version.largest_share
    below = [
        share
        for share in STEPS
        if share < largest * (1 - SAME) and share * version.patches / version.share >= 1
    ]
    options = [*below, largest]
    if all(abs(share - version.share) > SAME * version.share for share in options):
        options.append(version.share)
    return sorted(options)


@st.cache_data(show_spinner=False, max_entries=16)
def _points(bank: int, largest: float, _version: InspectorVersion) -> list[dict[str, float]]:
    here = session.workspace()
    points = []
    for share in np.geomspace(max(0.001, largest / 100), largest * (1 - 1e-9), CURVE_POINTS):
        numbers = share_numbers(here, _version, float(share))
        scores = np.fromiter(numbers.good_scores.values(), float)
        point = {
            "share": 100 * numbers.share,
            "cover": numbers.cover_radius,
            "threshold": numbers.point.reject,
        }
        if scores.size:
            low, middle, high = np.percentile(scores, [5, 50, 95])
            point |= {"low": float(low), "middle": float(middle), "high": float(high)}
        points.append(point)
    return points


def _chart(chosen: float) -> dict[str, Any]:
    share = {
        "field": "share",
        "type": "quantitative",
        "scale": {"type": "log", "nice": False},
        "title": "bank size, % of all patches",
    }

    def line(field: str, name: str, dash: list[int]) -> dict[str, Any]:
        return {
            "mark": {"type": "line", "strokeDash": dash, "strokeWidth": 2},
            "encoding": {
                "y": {"field": field, "type": "quantitative", "scale": {"zero": False}, "title": "score"},
                "color": {"datum": name, "type": "nominal", "legend": {"orient": "top", "title": None}},
            },
        }

    return {
        "background": "transparent",
        "encoding": {"x": share},
        "layer": [
            {
                "mark": {"type": "area", "opacity": 0.16},
                "encoding": {
                    "y": {"field": "low", "type": "quantitative", "title": "score"},
                    "y2": {"field": "high"},
                    "color": {"datum": "good images"},
                },
            },
            line("middle", "good images", []),
            line("cover", "cover radius", [5, 3]),
            line("threshold", "threshold", [2, 2]),
            {"mark": {"type": "rule", "color": "#7d8b98"}, "encoding": {"x": {"datum": 100 * chosen}}},
        ],
    }


def table_html(version: InspectorVersion, after: ShareNumbers) -> str:
    """Return a version beside its numbers at another share."""
    before = OperatingPoint.from_dict(version.operating_point)
    rows = [
        ("Patches", wording.count(version.patches), wording.count(after.patches)),
        ("Memory", wording.megabytes(version.megabytes), wording.megabytes(after.megabytes)),
        ("Cover radius", wording.score(version.cover_radius), wording.score(after.cover_radius)),
        ("Threshold", wording.score(before.reject), wording.score(after.point.reject)),
        (
            "Worst good image",
            *(wording.score(max(one.good_scores.values(), default=None)) for one in (version, after)),
        ),
    ]
    helps = {
        "Cover radius": "The largest distance from any patch of the good images to its nearest kept patch.",
        "Threshold": "Set again by its own rule for the smaller bank; scores rise as the bank shrinks.",
        "Worst good image": "The largest score of a good image, compared with the bank without its own patches.",
    }
    cells = [
        (theme.meaning_html(name, helps.get(name, ""), underlined=False), now, f"<b>{then}</b>")
        for name, now, then in rows
    ]
    head = ("", f"in use, {wording.share(version.share)}", wording.share(after.share))
    return theme.table_html(cells, head, right=(1, 2), named=True)
