"""Images from the user: dropped files, a zip, a folder, a folder of this computer, the camera."""

import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from patchcore.disk.in_use import delete_folder
from workbench.uploads.image_set import UploadSet
from workbench.uploads.intake import allowed_roots, from_files, from_server
from workbench.uploads.spool_budget import spool_budget
from workbench.widgets.shared import session, wording
from workbench.widgets.shared.intake import folder_browser

FOLDER, FILES, SERVER = "Folder", "Files or zip", "Folder on this computer"
CAMERA, SAMPLE = "Camera", "Sample"


class Spool:
    """A folder for uploaded files; it disappears with the session that holds it."""

    def __init__(self) -> None:
        self.path = session.workspace().spool_folder()
        weakref.finalize(self, _delete, self.path)


def _delete(folder: Path) -> None:
    delete_folder(folder)
    spool_budget.give_back(folder)


@dataclass(frozen=True)
class NewImages:
    """Images that the user has just handed in; their files live as long as `spool` does."""

    uploads: UploadSet
    title: str
    spool: Spool


def images_from_user(key: str, ways: Sequence[str], *, noun: str = "images") -> NewImages | None:
    """Offer several ways to hand in images, and return the images that are new in this run.

    Parameters
    ----------
    key
        Prefix of the widgets' keys.
    ways
        The ways in order; the caller draws `SAMPLE` when it is chosen (`chosen_way`).
    noun
        The images that are wanted, for the labels.
    """
    way = st.segmented_control(
        "Where from", ways, default=ways[0], required=True, key=f"{key}_way", label_visibility="collapsed"
    )
    if way in (FOLDER, FILES):
        return _dropped(key, noun, folder=way == FOLDER)
    if way == SERVER:
        return _from_this_computer(key, noun)
    if way == CAMERA:
        return _photographed(key)
    return None


def chosen_way(key: str) -> str | None:
    """Return the way that is chosen."""
    value = st.session_state.get(f"{key}_way")
    return None if value is None else str(value)


def start_over(key: str) -> None:
    """Empty the drop zones."""
    st.session_state[f"{key}_round"] = round_of(key) + 1


def round_of(key: str) -> int:
    """Count how often the drop zones were emptied."""
    return int(st.session_state.get(f"{key}_round", 0))


def _dropped(key: str, noun: str, *, folder: bool) -> NewImages | None:
    files = st.file_uploader(
        f"Drop {'a folder' if folder else 'files or a zip archive'} of {noun} here",
        accept_multiple_files="directory" if folder else True,
        key=f"{key}_{'folder' if folder else 'files'}_{round_of(key)}",
        help="PNG, JPEG, TIFF, BMP, WebP or PGM, 8 or 16 bits or float, grey or colour. Others are listed.",
    )
    if not files or not _is_new(key, [file.file_id for file in files]):
        return None
    spool = Spool()
    named: list[tuple[str, Any]] = [(file.name, file) for file in files]
    with st.spinner("Taking the files in"):
        return NewImages(from_files(named, spool.path), _title([file.name for file in files]), spool)


def _from_this_computer(key: str, noun: str) -> NewImages | None:
    roots = ", ".join(str(root) for root in allowed_roots()) or "none"
    field, browsed = f"{key}_server", f"{key}_browsed"

    def take(path: str) -> None:
        st.session_state[field] = st.session_state[browsed] = path

    with (
        st.form(f"{key}_server_form", border=False),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        typed = st.text_input(
            f"Folder (or zip) of {noun} on the computer that runs the dashboard",
            key=field,
            placeholder=str(next(iter(allowed_roots()), "")),
            help=f"Nothing is uploaded; the files are read where they lie. Open folders: {roots}. "
            "PATCHCORE_ROOTS opens others.",
        )
        pressed = st.form_submit_button("Read the folder")
    folder_browser.draw(key, typed, take, "Read this folder")
    pressed = st.session_state.pop(browsed, None) is not None or pressed
    if not pressed or not typed.strip():
        return None
    spool = Spool()
    with session.plain_errors():
        uploads = from_server(typed, spool.path, exclude=[session.workspace().root])
        return NewImages(uploads, Path(typed.strip()).name or "folder", spool)
    return None


def _photographed(key: str) -> NewImages | None:
    picture = st.camera_input("Take a photograph", key=f"{key}_camera_{round_of(key)}", width=420)
    if picture is None or not _is_new(key, [picture.file_id]):
        return None
    number = st.session_state[f"{key}_photographs"] = st.session_state.get(f"{key}_photographs", 0) + 1
    spool = Spool()
    uploads = from_files([(f"camera_{number:03d}.png", picture.getvalue())], spool.path)
    return NewImages(uploads, "camera", spool)


def _is_new(key: str, ids: list[str]) -> bool:
    """Whether these files have not been taken in already: a widget keeps its files from run to run."""
    if st.session_state.get(f"{key}_taken") == ids:
        return False
    st.session_state[f"{key}_taken"] = ids
    return True


def _title(names: Sequence[str]) -> str:
    """Return a title for dropped files: their folder, the archive, or the first file and how many more there are."""
    first = names[0].replace("\\", "/").strip("/")
    if "/" in first:
        return first.split("/")[0]
    return first if len(names) == 1 else f"{first} and {wording.count(len(names) - 1)} more"
