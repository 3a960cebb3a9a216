"""The basis of the figures from a batch's labels, in words, and the offer of a random draw that makes them honest."""

import streamlit as st

from patchcore.statistics.curves import Undefined
from patchcore.statistics.intervals import percent
from patchcore.statistics.stratified import SampledRate
from patchcore.thresholds.label_basis import LabelBasis
from workbench.people.roles import Role
from workbench.storage.tables import Batch, InspectorVersion
from workbench.tuning.label_sampling import AT_ONCE, draw_sample, left_to_label, sampling_of
from workbench.widgets.shared import access, revision_guard, session, wording

CHOICE = "drawn"  # the batch whose drawn images are being labelled, in the address


def show(version: InspectorVersion, batch: Batch, basis: LabelBasis) -> None:
    """Draw the basis, the estimates of a random sample, and the button that draws images or goes on with them."""
    for line in (basis.sentence, *estimates(basis)):
        if line:
            st.caption(session.sentence(line))
    if basis.kind == "set":
        return
    sampling = sampling_of(session.workspace(), batch.id)
    left = len(left_to_label(session.workspace(), version, batch.id))
    if left:
        if st.button(f"Label the {wording.counted(left, 'image')} drawn at random", key="label_drawn"):
            _label(batch)
    elif access.button(
        "Label 20 more at random"
        if sampling
        else f"Label {AT_ONCE['accept']} accepted images picked at random",
        Role.OPERATE,
        key="draw_sample",
        help=f"Escapes lie among the accepted images. Up to {AT_ONCE['review']} images in review and "
        f"{AT_ONCE['reject']} rejected ones without a label are drawn too, so that the share of all defects follows. "
        "The draw is kept: the labelling goes on after a reload.",
    ):
        drawn = False
        with revision_guard.attempt():
            draw_sample(session.workspace(), version, batch.id, sampling)
            drawn = True
        if drawn:
            _label(batch)
        st.rerun()


def estimates(basis: LabelBasis) -> list[str]:
    """Return the rates that a random sample gives, a sentence each; none from other labels."""
    found = (
        ("Escapes", basis.escapes(), "defects", "accepted"),
        ("False rejects", basis.false_rejects(), "good parts", "rejected"),
    )
    return [_estimate(name, rate, of, verdict) for name, rate, of, verdict in found if rate is not None]


def _estimate(name: str, rate: SampledRate, of: str, verdict: str) -> str:
    low, high = rate.interval
    value = "open" if isinstance(rate.value, Undefined) else f"about {percent(rate.value)} of {of}"
    least, most = rate.count_interval
    among = f"{least:,} to {most:,} of {wording.counted(rate.population, f'{verdict} image')}"
    return f"{name}: {value} ({percent(low)} to {percent(high)}), {among}; at least 95 % confidence."


def _label(batch: Batch) -> None:
    session.open_page("pages/review.py", inspector=batch.inspector_id, **{CHOICE: batch.id})
