"""Inspectors as cards: picture, name, method, size, threshold, state, and a button to work with each."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from patchcore.thresholds.operating_point import OperatingPoint
from workbench.inspectors.capabilities import method_label
from workbench.storage.tables import Inspector, InspectorVersion
from workbench.widgets.build.settings_form import network_title
from workbench.widgets.shared import session, wording
from workbench.widgets.shared.pictures import thumbnail_tag
from workbench.widgets.show import entry

COLUMNS = 3


def show(inspectors: Sequence[Inspector]) -> None:
    """Lay the cards out, three to a row."""
    ready = [(one, one.current) for one in inspectors if one.current is not None]
    for start in range(0, len(ready), COLUMNS):
        columns = st.columns(COLUMNS, gap="small")
        for column, (inspector, version) in zip(columns, ready[start : start + COLUMNS], strict=False):
            with column, st.container(border=True, key=f"card_{inspector.id}", height="stretch"):
                _card(inspector, version)


def _card(inspector: Inspector, version: InspectorVersion) -> None:
    in_use = session.inspector_in_use()
    st.html(card_html(inspector, version, in_use=in_use is not None and in_use.id == inspector.id))
    with st.container(horizontal=True):
        if st.button("Inspect", key=f"inspect_with_{inspector.id}"):
            session.use_inspector(inspector.id)
            st.switch_page("pages/inspect.py", query_params={"inspector": inspector.id})
        entry.button(inspector.id, "home")


def card_html(inspector: Inspector, version: InspectorVersion, *, in_use: bool) -> str:
    """Return a card's picture and facts."""
    point = OperatingPoint.from_dict(version.operating_point)
    facts = {
        "Method": method_label(version),
        "Size": wording.size(version),
        "Threshold": wording.score(point.reject),
        "Network": escape(network_title(str(version.settings["backbone"]))),
        "Built": wording.moment(version.created),
        "State": '<span class="pc-accent">● in use</span>'
        if in_use
        else '<span class="pc-accept">✓ ready</span>',
    }
    rows = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts.items())
    picture = thumbnail_tag(session.workspace(), version.thumbnail_sha256)
    return f'<div class="pc-card pc-num">{picture}<div><h3>{escape(inspector.name)}</h3><dl>{rows}</dl></div></div>'
