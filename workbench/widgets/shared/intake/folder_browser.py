"""A browser of folders on the computer that runs the dashboard: folders with their images, one step down or up."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from patchcore.images.file_names import display_name
from workbench.uploads.folders import Folder, Listing, first_folder, list_folder
from workbench.uploads.intake import FolderError
from workbench.widgets.shared import session, wording

LAST = "last_folder"  # the folder chosen last in this session
HEIGHT = 260  # pixels of the list


def draw(key: str, typed: str, take: Callable[[str], None], label: str) -> None:
    """Draw a switch, and below it the folders; `take` is called with the path of the one that is chosen.

    Parameters
    ----------
    key
        Prefix of the widgets' keys.
    typed
        A path that stands in a field beside it, where the browser begins if it can.
    label
        The words on the button that chooses a folder.
    """
    if not st.toggle("Browse folders", key=f"{key}_browse"):
        return

    @session.fragment()
    def browse() -> None:
        exclude = [session.workspace().root]
        at = st.session_state.get(f"{key}_at", "")
        try:
            if at == "":
                at = first_folder(typed, st.session_state.get(LAST, ""), exclude=exclude)
            listing = list_folder(at, exclude=exclude)
        except FolderError as error:
            st.warning(session.sentence(str(error)))
            listing = list_folder(None, exclude=exclude)
        with st.container(border=True, key=f"panel_{key}_browser"):
            _head(key, listing, take, label)
            _folders(key, listing)

    browse()


def _head(key: str, listing: Listing, take: Callable[[str], None], label: str) -> None:
    here = listing.here
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Up", key=f"{key}_up", disabled=here is None, on_click=_go, args=(key, listing.above))
        where = "This computer" if here is None else display_name(str(here.path))
        st.caption(session.sentence(where), width="stretch")
        if st.button(
            label if here is None else f"{label}, {_contents(here)}",
            key=f"{key}_choose",
            type="primary",
            disabled=here is None,
            on_click=_choose,
            args=(key, take, "" if here is None else str(here.path)),
        ):
            st.rerun()


def _folders(key: str, listing: Listing) -> None:
    if not listing.folders:
        st.caption("No folder lies in this one.")
        return
    with st.container(height=min(HEIGHT, 24 + 42 * len(listing.folders)), border=False, gap=None):
        for place, folder in enumerate(listing.folders):
            name = str(folder.path) if listing.here is None else folder.path.name
            words = folder.problem or f"{display_name(name)} · {_contents(folder)}"
            st.button(
                session.sentence(words),
                key=f"{key}_to_{place}",
                type="tertiary",
                icon=":material/folder:",
                disabled=bool(folder.problem),
                on_click=_go,
                args=(key, folder.path),
            )
    if listing.more:
        st.caption(f"{wording.counted(listing.more, 'further folder')} not listed; type the path.")


def _contents(folder: Folder) -> str:
    parts = [_images(folder)] if folder.images else []
    parts += [wording.counted(folder.folders, "folder")] if folder.folders else []
    return ", ".join(parts) or "no images"


def _images(folder: Folder) -> str:
    return f"{'' if folder.whole else 'at least '}{wording.counted(folder.images, 'image')}"


def _go(key: str, place: Path | None) -> None:
    st.session_state[f"{key}_at"] = place


def _choose(key: str, take: Callable[[str], None], path: str) -> None:
    st.session_state[LAST] = path
    st.session_state[f"{key}_browse"] = False
    take(path)
