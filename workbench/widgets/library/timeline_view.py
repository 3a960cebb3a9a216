"""The timeline on the page Library: a line for each state of an inspector, the latest first; a click opens one."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from workbench.inspectors.timeline import WORDS, Entry
from workbench.widgets.shared import session, wording

HEIGHT = 330  # pixels; longer ones scroll
LOW_UNTIL = 5  # entries that need no scrolling
SHOWN = 60


def show(entries: Sequence[Entry], opened: Entry, choice: str) -> None:
    """Draw the lines; `choice` is the name in the address for the open state."""
    st.markdown(
        f"**Timeline, {wording.counted(len(entries), 'state')}**",
        help="Every bank, and every threshold that was in force for it: 3.2 is version 3 of the bank with its second "
        "threshold. Nothing in it is lost when an earlier one is put into use.",
    )
    everything = bool(st.session_state.get("timeline_all"))
    shown = entries if everything else entries[:SHOWN]
    with st.container(height="content" if len(shown) <= LOW_UNTIL else HEIGHT, border=False, gap="xsmall"):
        for entry in shown:
            here = entry.number == opened.number
            with st.container(
                horizontal=True,
                vertical_alignment="center",
                gap="small",
                key=f"state_{'here' if here else 'line'}_{entry.number.replace('.', '_')}",
            ):
                st.button(
                    entry.number,
                    key=f"look_at_{entry.number}",
                    type="tertiary",
                    on_click=session.choose,
                    args=(choice, entry.number),
                    help=f"Look at {entry.number}",
                    width=56,
                )
                st.html(line_html(entry), width="stretch")
        if len(entries) > len(shown):
            st.button(
                f"Show {wording.count(len(entries) - len(shown))} older ones",
                on_click=st.session_state.update,
                kwargs={"timeline_all": True},
            )


def line_html(entry: Entry) -> str:
    """Return an entry's kind, note, person, time, threshold and size."""
    used = ' <span class="pc-accent pc-whole">● in use</span>' if entry.in_use else ""
    note = f' <span class="pc-mute">{escape(entry.note)}</span>' if entry.note else ""
    version = entry.version
    return (
        f'<div class="pc-state pc-num"><div class="pc-clip" title="{escape(entry.note)}"><b>'
        f"{escape(WORDS.get(entry.what, entry.what))}</b>{used}{note}</div>"
        f'<div class="pc-mute pc-clip">{escape(entry.made_by)}, {wording.moment(entry.created)}; reject above '
        f"{wording.score(entry.point.reject)}; {wording.learned(version)}</div></div>"
    )
