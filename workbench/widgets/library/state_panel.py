"""One state of an inspector on the page Library: its numbers, its note, and its buttons."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from workbench.evaluation.certificate import certificate_of
from workbench.inspectors.capabilities import method_label
from workbench.inspectors.exporting import CONTENTS, export_bytes, file_name
from workbench.inspectors.importing import IMPORTED
from workbench.inspectors.timeline import WORDS, Entry, edit_note, restore
from workbench.inspectors.versions import good_images
from workbench.people.roles import Role
from workbench.storage.tables import Inspector
from workbench.tuning.consequences import consequences_of_use
from workbench.upkeep.bin import delete_version
from workbench.widgets.library import compare
from workbench.widgets.shared import access, downloads, notice, revision_guard, session, theme, wording

LOOK = "panel"  # the name in the address of the part that is open
CERTIFICATE, COMPARE = "certificate", "compare"
CERTIFICATE_HEIGHT = 720
LABELS = {CERTIFICATE: ("Certificate", "Close certificate"), COMPARE: ("Compare", "Close comparison")}


def show(inspector: Inspector, entries: Sequence[Entry], entry: Entry) -> None:
    """Draw a state of an inspector."""
    state = "in use" if entry.in_use else WORDS.get(entry.what, entry.what)
    st.markdown(f"**Version {entry.number}**, {session.sentence(state)}")
    st.html(numbers_html(entry))
    st.caption(session.sentence(entry.point.statement))
    _origin(entry)
    _note(inspector, entry)
    _actions(inspector, entries, entry)
    if session.chosen(LOOK) == CERTIFICATE:
        _certificate(inspector, entry)
    elif session.chosen(LOOK) == COMPARE and len(entries) > 1:
        compare.show(entries, entry)


def numbers_html(entry: Entry) -> str:
    """Return the state's thresholds, its method and its size."""
    version, point = entry.version, entry.point
    images = len(good_images(session.workspace(), version))
    return theme.numbers_html(
        [
            ("Reject above", wording.score(point.reject), f"The rule: {wording.rule(point)}."),
            ("Review above", wording.review(point), "Between the two a person decides."),
            (
                method_label(version),
                wording.learned(version),
                "What was learned from the good images, with which images are compared.",
            ),
            ("Memory", wording.megabytes(version.megabytes), "What was learned, while inspecting."),
            ("Good images", wording.count(images), "Photographs of good parts that it knows."),
        ]
    )


def _origin(entry: Entry) -> None:
    came = entry.version.numbers.get(IMPORTED)
    if came:
        words = f"Imported from {came['file']}"
        if came.get("version"):
            words += f", there version {came['version']}"
        if came.get("made_by"):
            words += f", exported by {came['made_by']}"
        st.caption(session.sentence(words))


def _note(inspector: Inspector, entry: Entry) -> None:
    key = f"note_{inspector.id}_{entry.number}_{inspector.revision}"

    def keep() -> None:
        note = str(st.session_state.get(key, ""))
        if note.strip() != entry.note.strip():
            notice.attempt(
                edit_note,
                inspector.id,
                entry.number,
                note,
                seen=inspector.revision,
                outcome=f"The note of {entry.number} is kept.",
            )

    st.text_input(
        "Note",
        entry.note,
        key=key,
        max_chars=2000,
        on_change=keep,
        placeholder="Why it was made; kept when you leave the field",
        disabled=not access.may(Role.ENGINEER),
    )


def _actions(inspector: Inspector, entries: Sequence[Entry], entry: Entry) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="state_actions"):
        if not entry.in_use and access.button(
            "Restore",
            Role.ENGINEER,
            type="primary",
            key="state_restore",
            disabled=not entry.fits,
            help="Puts this bank and these thresholds into use again, as a new line of the timeline. Newer states "
            "stay."
            if entry.fits
            else "Its thresholds are out of date, or the bank of its version has another size by now.",
        ):
            seen = revision_guard.revision_of(inspector.id)
            found = consequences_of_use(session.workspace(), entry.version, entry.point)
            notice.confirmed_in_force(found, partial(_restore, inspector, entry, seen))
        name, kind = file_name(inspector, entry), "application/octet-stream"
        st.download_button(
            "Export",
            partial(downloads.held, partial(export_bytes, session.workspace(), inspector, entry), name, kind),
            file_name=name,
            mime=kind,
            on_click="ignore",
            key="state_export",
            disabled=not entry.fits,
            help=CONTENTS,
        )
        _look(CERTIFICATE, disabled=not entry.fits)
        if len(entries) > 1:
            _look(COMPARE)
        used = any(one.in_use and one.version.id == entry.version.id for one in entries)
        if not used and access.button("Delete version", Role.ENGINEER, key="state_delete"):
            _confirm(inspector, entry)


def _look(what: str, *, disabled: bool = False) -> None:
    open_now = session.chosen(LOOK) == what
    st.button(
        LABELS[what][open_now],
        key=f"state_{what}",
        disabled=disabled,
        on_click=partial(session.forget, LOOK) if open_now else partial(session.choose, LOOK, what),
    )


def _restore(inspector: Inspector, entry: Entry, seen: int | None) -> None:
    """Restore a state; `seen` is the revision that the person saw when asking for it."""
    restored = notice.attempt(
        restore,
        inspector.id,
        entry.number,
        seen=seen,
        outcome=f"{entry.number} is in use again.",
    )
    if restored:
        session.forget("version", "threshold", "review", "trial")


@st.dialog("Delete this version?")
def _confirm(inspector: Inspector, entry: Entry) -> None:
    number = entry.version.number
    st.markdown(
        f"**Version {number} of {session.sentence(inspector.name)}** goes to the bin with its thresholds and all that "
        "it has inspected. It can be restored from there until the bin is emptied."
    )
    notice.answers("Put it in the bin", "Keep it", "version_delete", _delete, inspector, entry)


def _delete(inspector: Inspector, entry: Entry) -> None:
    deleted = notice.attempt(
        delete_version,
        entry.version.id,
        seen=inspector.revision,
        outcome=f"Version {entry.version.number} is in the bin. It can be restored from there.",
    )
    if deleted:
        session.forget("version")


def _certificate(inspector: Inspector, entry: Entry) -> None:
    with session.plain_errors():
        document = _document(
            str(session.workspace().root), inspector.id, inspector.revision, entry.number, inspector, entry
        )
        downloads.button(
            "Download the certificate",
            document.encode,
            file_name(inspector, entry).replace(".patchcore", "_certificate.html"),
            "text/html",
            key="certificate_download",
        )
        st.iframe(document, height=CERTIFICATE_HEIGHT)


@st.cache_data(show_spinner="Repeating the self-test", max_entries=4, ttl=600)
def _document(
    root: str, inspector_id: str, revision: int, number: str, _inspector: Inspector, _entry: Entry
) -> str:
    return certificate_of(session.workspace(), _inspector, _entry)
