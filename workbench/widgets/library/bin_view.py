"""The bin on the page Library: deleted inspectors and versions, the way back, and deletion for good."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from workbench.people.roles import Role
from workbench.upkeep.bin import Binned, bring_back, delete_for_good, list_bin
from workbench.widgets.shared import access, notice, session, wording
from workbench.widgets.shared.pictures import thumbnail_tag


def show() -> None:
    """Draw the contents of the bin."""
    binned = list_bin(session.workspace())
    if not binned:
        st.info("The bin is empty. What you delete from the library comes here first and can be restored.")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        taken = wording.megabytes(sum(one.megabytes for one in binned))
        st.markdown(
            f"**{wording.counted(len(binned), 'thing')} in the bin**, {taken} of banks", width="stretch"
        )
        if access.button("Empty the bin", Role.ENGINEER, key="bin_empty"):
            _confirm(binned)
    for one in binned:
        with st.container(
            border=True, horizontal=True, vertical_alignment="center", key=f"panel_bin_{one.key}"
        ):
            st.html(line_html(one), width="stretch")
            access.button(
                "Restore",
                Role.ENGINEER,
                key=f"back_{one.key}",
                on_click=notice.attempt,
                args=(bring_back, one),
                kwargs={"outcome": f"{one.title} is back as it was."},
            )
            if access.button("Delete for good", Role.ENGINEER, key=f"good_{one.key}", type="tertiary"):
                _confirm([one])


def line_html(one: Binned) -> str:
    """Return one deleted thing: its title, person, time and size."""
    version = one.version or one.inspector.current
    picture = thumbnail_tag(session.workspace(), None if version is None else version.thumbnail_sha256)
    who = f" by {escape(one.deleted_by)}" if one.deleted_by else ""
    return (
        f'<div class="pc-inspector pc-shelf pc-num">{picture}<div><b>{escape(one.title)}</b>'
        f'<span class="pc-mute">deleted {wording.moment(one.deleted)}{who}; {what_goes(one)}</span></div></div>'
    )


def what_goes(one: Binned) -> str:
    """Return what deletion for good would lose, in words."""
    bank = "its bank stays, other versions use it" if one.keeps_bank else wording.megabytes(one.megabytes)
    return f"{bank}, {wording.counted(one.results, 'scored image')}"


@st.dialog("Delete for good?")
def _confirm(chosen: Sequence[Binned]) -> None:
    lines = [f"- **{session.sentence(one.title)}**: {session.sentence(what_goes(one))}" for one in chosen]
    st.markdown("\n".join(["This cannot be undone. It deletes:", "", *lines]))
    st.caption(
        "Verdicts stay in the history, with the name and the number of the version. The photographs themselves stay in "
        "the workspace."
    )
    notice.answers("Delete for good", "Keep everything", "bin", _delete, chosen)


def _delete(chosen: Sequence[Binned]) -> None:
    titles = ", ".join(one.title for one in chosen)
    notice.attempt(delete_for_good, chosen, outcome=f"Deleted for good: {titles}.")
