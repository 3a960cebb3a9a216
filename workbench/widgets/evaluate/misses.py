"""The view Misses and false rejects: the images that are judged wrongly, and those that come nearest to it."""

from collections.abc import Sequence

import streamlit as st

from patchcore.evaluation.labelled_score import LabelledScore
from workbench.storage.tables import Result
from workbench.widgets.evaluate import agreement, images
from workbench.widgets.evaluate.measured import Measured, stored
from workbench.widgets.shared import wording

CLOSEST = 4  # images shown when none is judged wrongly
HEIGHT = 300


def show(known: Measured) -> None:
    """Draw both galleries side by side, and the opened image with its mask compared."""
    scored = known.evaluation.scored
    left, right = st.columns(2, gap="medium")
    with left:
        lowest = sorted((item for item in scored if item.is_defect), key=lambda item: item.score)
        defects = _gallery(known, "Misses", known.evaluation.misses(), lowest, "defect", "is accepted")
    with right:
        highest = sorted((item for item in scored if not item.is_defect), key=lambda item: -item.score)
        good = _gallery(
            known, "False rejects", known.evaluation.false_rejects(), highest, "good part", "is rejected"
        )
    shown = images.opened([*defects, *good])
    if shown is None:
        st.caption("Open an image to see why it scored so, and how its regions agree with the mask.")
        return
    images.show_detail(shown, known.version, known.point)
    agreement.show(shown, known.point)


def _gallery(
    known: Measured,
    title: str,
    wrong: Sequence[LabelledScore],
    closest: Sequence[LabelledScore],
    noun: str,
    verb: str,
) -> list[Result]:
    """Draw the images judged wrongly, or those that come closest when there are none; return what is shown."""
    shown = wrong or closest[:CLOSEST]
    st.markdown(f"**{title}: {wording.counted(len(wrong), noun)}**")
    if wrong:
        st.caption(f"Each {verb} at the threshold in force, {wording.score(known.point.reject)}.")
    elif shown:
        st.caption(f"No {noun} of this set {verb}; these come nearest to it.")
    else:
        st.info(f"No image of this set is labelled as a {noun}. Label one, or bring a set that has some.")
    results = stored(shown)
    if results:
        key = "gallery_misses" if noun == "defect" else "gallery_false_rejects"
        images.show_gallery(results, known.point, key, height=HEIGHT)
    return results
