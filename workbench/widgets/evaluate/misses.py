"""The view Misses and false rejects: the images that are judged wrongly, or come nearest to it."""

from collections.abc import Sequence

import streamlit as st

from patchcore.evaluation.labelled_score import LabelledScore
from workbench.storage.tables import Result
from workbench.widgets.evaluate import agreement, images
from workbench.widgets.evaluate.measured import Measured, stored
from workbench.widgets.shared import wording

CLOSEST = 4  # images shown when none is judged wrongly
HEIGHT = 300


def show(measured: Measured) -> None:
    """Draw both galleries side by side, and the opened image with its mask compared."""
    scored = measured.evaluation.scored
    left, right = st.columns(2, gap="medium")
    with left:
        lowest = sorted((item for item in scored if item.is_defect), key=lambda item: item.score)
        defects = _gallery(measured, "Misses", measured.evaluation.misses(), lowest, "defect", "is accepted")
    with right:
        highest = sorted((item for item in scored if not item.is_defect), key=lambda item: -item.score)
        good = _gallery(
            measured,
            "False rejects",
            measured.evaluation.false_rejects(),
            highest,
            "good part",
            "is rejected",
        )
    opened = images.show_opened([*defects, *good], measured.version, measured.point)
    if opened is None:
        st.caption("Open an image to see why it scored so, and how its regions agree with the mask.")
    else:
        agreement.show(opened, measured.point)


def _gallery(
    measured: Measured,
    title: str,
    wrong: Sequence[LabelledScore],
    closest: Sequence[LabelledScore],
    noun: str,
    verb: str,
) -> list[Result]:
    """Draw the images judged wrongly, else the images that come closest to it; return the images drawn."""
    shown = wrong or closest[:CLOSEST]
    st.markdown(f"**{title}: {wording.counted(len(wrong), noun)}**")
    if wrong:
        st.caption(f"Each {verb} at the threshold in force, {wording.score(measured.point.reject)}.")
    elif shown:
        st.caption(f"No {noun} of this set {verb}; these come nearest to it.")
    else:
        st.info(f"No image of this set is labelled as a {noun}. Label one, or bring a set that has some.")
    results = stored(shown)
    if results:
        key = "gallery_misses" if noun == "defect" else "gallery_false_rejects"
        images.show_gallery(results, measured.point, key, height=HEIGHT)
    return results
