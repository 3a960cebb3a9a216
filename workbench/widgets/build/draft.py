"""The draft of an inspector on the page Build: the choices made so far, and the step that is open."""

from dataclasses import dataclass, field

import streamlit as st

from patchcore.backbones import preferred_backbone
from patchcore.methods import settings_of_others
from patchcore.settings import SETTINGS as OF_MODEL
from patchcore.settings import Mode, Settings
from workbench.inspectors.building import BuildSettings
from workbench.storage.roi import Roi
from workbench.uploads.preflight import CheckedImage, Preflight
from workbench.widgets.shared.intake import Spool

NAME, IMAGES, VIEW, SETTINGS = 1, 2, 3, 4


@dataclass
class Draft:
    """All choices that a build takes."""

    step: int = NAME
    name: str = ""
    title: str = ""  # of the good images: the folder's name
    found: Preflight | None = None
    remarks: list[str] = field(default_factory=list)  # on folders taken as good, and on others
    spool: Spool | None = None
    reading_seconds: float = 0.02  # to read one image, measured
    geometry: Mode = Settings.geometry
    roi: Roi | None = None
    backbone: str = field(default_factory=preferred_backbone)
    image_size: int = Settings.image_size
    method: str = Settings.method
    coreset: float = Settings.coreset
    dims_used: int | None = Settings.dims_used
    nearest_images: int = Settings.nearest_images
    seed: int = Settings.seed
    value_range: tuple[float, float] | None = Settings.value_range

    @property
    def images(self) -> list[CheckedImage]:
        """The good images, each content once."""
        return [] if self.found is None else self.found.distinct

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


def current() -> Draft:
    """Return the draft of this browser session."""
    draft: Draft = st.session_state.setdefault("draft", Draft())
    return draft


def discard() -> None:
    """Forget the draft of this browser session."""
    st.session_state.pop("draft", None)
