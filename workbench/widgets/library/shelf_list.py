"""The shelf of the page Library: every inspector with its picture, method, size, thresholds and last use."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from patchcore.thresholds.operating_point import OperatingPoint
from workbench.inspectors.capabilities import method_label
from workbench.inspectors.library import Shelved
from workbench.storage.tables import Inspector
from workbench.widgets.shared import session, wording
from workbench.widgets.shared.pictures import thumbnail_tag

AT_FIRST = 8
FILTER_FROM = 9  # inspectors
NO_BREAK = "\N{NO-BREAK SPACE}"  # within what belongs together: a line ends at a comma


def show(shelved: Sequence[Shelved], opened: Inspector) -> None:
    """Draw the inspectors, the last used first; a button opens one."""
    found = _filtered(shelved)
    if not found:
        st.caption("No inspector has that in its name or product.")
    count = int(st.session_state.get("shelf_count", AT_FIRST))
    shown = found[:count]
    if opened.id not in {one.inspector.id for one in shown}:
        shown = [*shown, *(one for one in found[count:] if one.inspector.id == opened.id)]
    for one in shown:
        here = one.inspector.id == opened.id
        with st.container(
            border=True, key=f"{'shelf_here' if here else 'panel_shelf'}_{one.inspector.id}", gap="xsmall"
        ):
            st.html(row_html(one))
            st.button(
                "Opened" if here else "Open",
                key=f"open_{one.inspector.id}",
                disabled=here,
                on_click=session.use_inspector,
                args=(one.inspector.id,),
                help=None if here else "Works with it from here on, and shows all that was done to it.",
            )
    if len(found) > len(shown):
        st.button(
            f"Show {wording.count(len(found) - len(shown))} more",
            on_click=st.session_state.update,
            kwargs={"shelf_count": len(found)},
        )


def row_html(one: Shelved) -> str:
    """Return an inspector in a few lines beside its picture."""
    version = one.version
    point = OperatingPoint.from_dict(version.operating_point)
    product = f'<span class="pc-mute">{escape(one.inspector.product)}</span>' if one.inspector.product else ""
    used = "never used" if one.last_used is None else f"used {wording.moment(one.last_used)}"
    review = f", review above {wording.score(point.accept)}" if point.accept < point.reject else ""
    lines = (
        f"{method_label(version)}, {wording.size(version)}",
        f"reject above {wording.score(point.reject)}{review}",
        f"{used}, {wording.counted(one.versions, 'version')}",
    )
    told = "<br>".join(line.replace(" ", NO_BREAK).replace(f",{NO_BREAK}", ", ") for line in lines)
    picture = thumbnail_tag(session.workspace(), version.thumbnail_sha256)
    return (
        f'<div class="pc-inspector pc-shelf pc-num">{picture}<div><b>{escape(one.inspector.name)}</b>{product}'
        f'<span class="pc-mute">{told}</span></div></div>'
    )


def _filtered(shelved: Sequence[Shelved]) -> list[Shelved]:
    if len(shelved) < FILTER_FROM:
        return list(shelved)
    wanted = st.text_input("Find by name or product", key="shelf_filter").strip().casefold()
    return [one for one in shelved if wanted in f"{one.inspector.name}\n{one.inspector.product}".casefold()]
