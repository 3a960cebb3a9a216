"""The method of a build: each in a sentence with what it cannot do, and the settings of the method chosen."""

from collections.abc import Sequence
from functools import partial
from typing import Protocol

import streamlit as st

from patchcore.methods import LACKING, METHODS, lacking
from workbench.widgets.build.draft import Draft
from workbench.widgets.fields import shared
from workbench.widgets.shared import wording

SHARES = (0.01, 0.02, 0.05, 0.10, 0.15, 0.20, 0.25)
ALL = 0
DIMENSIONS = (25, 50, 100, 150, 200, 300)
NEAREST = (1, 5, 10, 20, 50, 100, 200)


class Choices(Protocol):
    """What a draft and the settings of a build both have."""

    @property
    def method(self) -> str:
        """Name of the method."""

    @property
    def coreset(self) -> float:
        """PatchCore's largest share."""

    @property
    def dims_used(self) -> int | None:
        """PaDiM's dimensions."""

    @property
    def nearest_images(self) -> int:
        """SPADE's images."""


def show(draft: Draft) -> None:
    """Draw the choice of the method and its own settings, and put them into the draft."""
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    shared.draw(
        left.selectbox,
        "Method",
        list(METHODS),
        key="build_method",
        value=draft.method,
        on_change=partial(setattr, draft, "method"),
        format_func=lambda name: f"{METHODS[name].label}: {METHODS[name].summary}",
        help="How normality is learned from the good images. Time and memory of the method chosen stand below.",
    )
    with right:
        for name in METHODS[draft.method].settings:
            if name in _FIELDS:
                _FIELDS[name](draft)
    if sentences := cannot(draft.method):
        st.caption(" ".join(sentences))


def with_value(options: Sequence[float], value: float) -> list[float]:
    """Return the options of a slider in order, with a value of a draft that a command may have chosen."""
    return sorted({*options, value})


def cannot(name: str) -> list[str]:
    """Return a sentence for each capability that a method lacks."""
    return [sentence for one in LACKING if (sentence := lacking(name, one))]


def summary(chosen: Choices) -> str:
    """Return the method with its setting in a few words."""
    words = {
        "patchcore": f"largest bank {wording.share(chosen.coreset)}",
        "padim": f"PaDiM, {chosen.dims_used or 'all'} dimensions",
        "spade": f"SPADE, {wording.counted(chosen.nearest_images, 'nearest image')}",
    }
    return words.get(chosen.method, METHODS[chosen.method].label)


def _coreset(draft: Draft) -> None:
    shared.draw(
        st.select_slider,
        "Largest bank",
        with_value(SHARES, draft.coreset),
        key="build_coreset",
        value=draft.coreset,
        on_change=partial(setattr, draft, "coreset"),
        format_func=wording.share,
        help="The largest share of all patches that is kept. Afterwards the bank can be made smaller, down to 1 % "
        "and below, at once and without building again.",
    )


def _dims_used(draft: Draft) -> None:
    shared.draw(
        st.select_slider,
        "Dimensions drawn",
        [*with_value(DIMENSIONS, draft.dims_used or DIMENSIONS[0]), ALL],
        key="build_dims_used",
        value=draft.dims_used or ALL,
        on_change=lambda drawn: setattr(draft, "dims_used", None if drawn == ALL else drawn),
        format_func=lambda number: "all" if number == ALL else str(number),
        help="Numbers of a patch feature that the Gaussians are made of, drawn by the seed. Memory grows with the "
        "square of this number.",
    )


def _nearest_images(draft: Draft) -> None:
    shared.draw(
        st.select_slider,
        "Nearest images",
        with_value(NEAREST, draft.nearest_images),
        key="build_nearest_images",
        value=draft.nearest_images,
        on_change=partial(setattr, draft, "nearest_images"),
        help="The good images, most similar as a whole, whose patches an image is compared with. Time grows with "
        "this number.",
    )


_FIELDS = {"coreset": _coreset, "dims_used": _dims_used, "nearest_images": _nearest_images}
"""Settings with a field of their own; the others of a method keep their defaults."""
