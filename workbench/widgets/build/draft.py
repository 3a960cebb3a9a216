"""The draft of an inspector on the page Build: the choices made so far, and the step that is open.

Each change goes to the person's drafts on disk in the same run (`workbench.uploads.drafts`). The address names the
draft, so that a reload opens it; without an address, the person's newest draft opens.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import streamlit as st

from patchcore.backbones import names, preferred_backbone
from patchcore.errors import PatchCoreError
from patchcore.methods import METHODS, settings_of_others
from patchcore.settings import SETTINGS as OF_MODEL
from patchcore.settings import Mode, Settings
from workbench.inspectors.building import BuildSettings
from workbench.jobs.requests import JobState, get_job
from workbench.storage.database import WorkspaceError, WorkspaceUnavailable
from workbench.storage.roi import Roi
from workbench.uploads import drafts
from workbench.uploads.drafts import StoredDraft
from workbench.uploads.preflight import CheckedImage, Preflight
from workbench.widgets.shared import session

NAME, IMAGES, VIEW, SETTINGS = 1, 2, 3, 4
CHOICE = "draft"  # name of the draft, in the address
HELD = "build_draft"  # the draft itself, in the session
SAID = "draft_said"  # in the session: a sentence on the draft that is shown once
FORKED = "Another tab has changed this draft as well, so what is on this page is now a draft of its own."
GONE = "The draft of this page was discarded elsewhere, or its inspector was built."


@dataclass
class Draft:
    """All choices that a build takes."""

    step: int = NAME
    name: str = ""
    title: str = ""  # of the good images: the folder's name
    found: Preflight | None = None
    remarks: list[str] = field(default_factory=list)  # on folders taken as good, and on others
    reading_seconds: float = 0.02  # to read one image, measured
    geometry: Mode = Settings.geometry
    roi: Roi | None = None
    roi_on: str = ""  # SHA-256 of the image that the region was drawn on
    backbone: str = field(default_factory=preferred_backbone)
    image_size: int = Settings.image_size
    method: str = Settings.method
    coreset: float = Settings.coreset
    dims_used: int | None = Settings.dims_used
    nearest_images: int = Settings.nearest_images
    seed: int = Settings.seed
    value_range: tuple[float, float] | None = Settings.value_range
    job: int | None = None  # its build, once begun
    key: str = field(default_factory=drafts.new_key)
    stored: StoredDraft | None = None  # as it was written last
    written: Preflight | None = None  # the images written last
    editor: str = field(
        default_factory=drafts.new_key
    )  # of the region, so that no other draft's drawing is in it

    @property
    def images(self) -> list[CheckedImage]:
        """The good images, each content once."""
        return [] if self.found is None else self.found.distinct

    def is_blank(self) -> bool:
        """Whether nothing was chosen yet that a person would miss."""
        return self.stored is None and not self.name and self.found is None

    def choices(self) -> dict[str, Any]:
        """Return what is written, as JSON."""
        chosen = {name: getattr(self, name) for name in WRITTEN}
        chosen |= {"roi": None if self.roi is None else self.roi.to_dict()}
        return json.loads(json.dumps(chosen))  # type: ignore[no-any-return]  # tuples become lists, as on disk

    def take(self, found: Preflight, title: str) -> None:
        """Take other images; a region stays only with the image that it was drawn on."""
        self.found, self.title = found, title
        if self.roi is not None and all(image.sha256 != self.roi_on for image in self.images):
            self.roi, self.roi_on = None, ""
            st.session_state[SAID] = (
                "The region of interest was drawn on an image that is not among these, so it was taken away."
            )

    def settings(self) -> BuildSettings:
        """Return the settings of the build.

        Raises
        ------
        SettingsError
            When a value is out of its range.
        """
        others = settings_of_others(self.method)  # as they were chosen before the method was
        chosen = {
            name: value for name, value in vars(self).items() if name in OF_MODEL and name not in others
        }
        return BuildSettings(name=self.name, roi=self.roi, **chosen)

    def needs_range(self) -> bool:
        """Whether there are 16-bit or float images, whose black and white the user may state."""
        if self.found is None:
            return False
        waiting = any("value range" in fault.reason for fault in self.found.broken)
        return waiting or any(bits > 8 for bits in self.found.bit_depths)


WRITTEN = [
    one.name for one in fields(Draft) if one.name not in ("found", "key", "stored", "written", "editor")
]


def current() -> Draft:
    """Return the draft that the address names, else the one of this browser session, else the newest stored one."""
    draft: Draft | None = st.session_state.get(HELD)
    here, wanted = session.workspace(), session.chosen(CHOICE)
    if draft is not None and draft.stored is not None and drafts.find_draft(here, draft.key) is None:
        draft, st.session_state[SAID] = None, GONE
        session.forget(CHOICE)
    elif wanted is not None and (draft is None or wanted != draft.key):
        stored = drafts.find_draft(here, wanted)
        if stored is not None:
            draft = _opened(stored)
        else:
            session.forget(CHOICE)
    if draft is None:
        waiting = list_waiting()
        draft = _opened(waiting[0]) if waiting else Draft()
    use(draft)
    return draft


def list_waiting() -> list[StoredDraft]:
    """Return the person's drafts, the newest first; a draft whose inspector was built meanwhile is discarded."""
    found = []
    for stored in drafts.list_drafts(session.workspace()):
        if _state(stored.choices.get("job")) == JobState.DONE:
            drafts.discard_draft(session.workspace(), stored.key)
        else:
            found.append(stored)
    return found


def use(draft: Draft) -> None:
    """Work on a draft from here on."""
    st.session_state[HELD] = draft
    if draft.stored is not None:
        session.choose(CHOICE, draft.key)


def keep(draft: Draft) -> None:
    """Write a draft where it has changed; beside it where another tab has changed the one on disk."""
    choices, images_changed = draft.choices(), draft.found is not draft.written
    if draft.is_blank() or st.session_state.get(HELD) is not draft:
        return
    if draft.stored is not None and choices == draft.stored.choices and not images_changed:
        return
    known = 0 if draft.stored is None else draft.stored.revision
    draft.stored = drafts.save_draft(
        session.workspace(), draft.key, choices, draft.found, revision=known, images_changed=images_changed
    )
    if draft.stored.key != draft.key:
        draft.key, st.session_state[SAID] = draft.stored.key, FORKED
    draft.written = draft.found
    session.choose(CHOICE, draft.key)


def discard(draft: Draft) -> None:
    """Delete a draft, and begin with the next one that waits, or with none."""
    drafts.discard_draft(session.workspace(), draft.key)
    st.session_state.pop(HELD, None)
    session.forget(CHOICE)


def begin_another(draft: Draft | None = None) -> None:
    """Put the draft aside, where it stays, and begin with another one, by default with nothing."""
    session.forget(CHOICE)
    st.session_state[HELD] = Draft() if draft is None else draft


def open_stored(key: str) -> None:
    """Work on another stored draft."""
    stored = drafts.find_draft(session.workspace(), key)
    if stored is not None:
        use(_opened(stored))


def discard_built(job_id: int) -> None:
    """Delete the person's drafts from which a build has made an inspector."""
    for stored in drafts.list_drafts(session.workspace()):
        if stored.choices.get("job") == job_id:
            drafts.discard_draft(session.workspace(), stored.key)
            session.forget(CHOICE)
    draft: Draft | None = st.session_state.get(HELD)
    if draft is not None and draft.job == job_id:
        st.session_state.pop(HELD)


def _opened(stored: StoredDraft) -> Draft:
    draft = _of_choices(stored.choices)
    draft.key, draft.stored = stored.key, stored
    if draft.job is not None and _state(draft.job) in (JobState.QUEUED, JobState.RUNNING):
        session.choose("job", draft.job)
    images = drafts.load_images(session.workspace(), stored.key)
    if images is not None and (images.found.usable or images.found.broken):
        draft.found = draft.written = images.found
    lost = len(images.gone) if images is not None else stored.images
    if lost:
        st.session_state[SAID] = _lost_words(lost, [] if images is None else images.gone)
        if not draft.images:
            draft.found, draft.written = None, None
            draft.step = min(draft.step, IMAGES)
    elif draft.found is None:
        draft.step = min(draft.step, IMAGES)
    return draft


def _lost_words(count: int, gone: list[str]) -> str:
    names = f" ({', '.join(gone[:3])}{' and others' if count > 3 else ''})" if gone else ""
    files = "The file of 1 image" if count == 1 else f"The files of {count:,} images"
    verb = "is" if count == 1 else "are"
    return f"{files} of this draft{names} {verb} gone. Bring them in again."


def _of_choices(choices: Mapping[str, Any]) -> Draft:
    """Return a draft with the choices on disk; a choice that this program does not know keeps its default."""
    known = {name: choices[name] for name in WRITTEN if name in choices}
    if known.get("backbone") not in names():
        known.pop("backbone", None)
    if known.get("method") not in METHODS:
        known.pop("method", None)
    try:
        known["roi"] = None if known.get("roi") is None else Roi.from_dict(known["roi"])
        if known.get("value_range") is not None:
            black, white = known["value_range"]
            known["value_range"] = (float(black), float(white))
        draft = Draft(**known)
        if draft.name:
            draft.settings()
    except (PatchCoreError, ValueError, TypeError, KeyError, AttributeError):
        return Draft(name=str(choices.get("name", "")), step=IMAGES)
    return draft


def _state(job_id: object) -> str | None:
    """Return the state of a build; None for a draft that has none."""
    try:
        return get_job(session.workspace(), job_id).state if isinstance(job_id, int) else None
    except WorkspaceUnavailable:
        raise
    except WorkspaceError:
        return None
