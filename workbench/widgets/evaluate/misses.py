"""The view Misses and false rejects: the images that are judged wrongly, or come nearest to it."""

from collections.abc import Sequence

import streamlit as st

from patchcore.evaluation.labelled_score import LabelledScore
from workbench.storage.tables import Result
from workbench.widgets.evaluate import agreement, images
from workbench.widgets.evaluate.measured import Measured, stored
from workbench.widgets.shared import wording

CLOSEST = 4  # images shown when none is judged wrongly


def show(measured: Measured) -> None:
    """Draw both galleries side by side, and the opened image with its mask compared."""
    found, scored = measured.evaluation, measured.evaluation.scored
    lowest = sorted((item for item in scored if item.is_defect), key=lambda item: item.score)
    highest = sorted((item for item in scored if not item.is_defect), key=lambda item: -item.score)
    misses, false_rejects = found.misses(), found.false_rejects()
    results = stored([*(misses or lowest[:CLOSEST]), *(false_rejects or highest[:CLOSEST])])
    left, right = st.columns(2, gap="medium")
    with left:
        _gallery(measured, "Misses", misses, lowest, "defect", "is accepted", results)
    with right:
        _gallery(measured, "False rejects", false_rejects, highest, "good part", "is rejected", results)
    opened = images.show_opened(results, measured.version, measured.point)
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
    beside: Sequence[Result],
) -> None:
    """Draw the images judged wrongly, else the images that come closest to it; `beside`: all images of the view."""
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
        images.show_gallery(results, measured.point, key, beside=beside)
