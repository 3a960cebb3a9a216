"""The settings of a build: the network and its cost, advanced settings folded away, and an estimate."""

import contextlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import streamlit as st

from patchcore import backbones
from patchcore.errors import SettingsError
from patchcore.methods import METHODS
from patchcore.settings import SETTINGS
from workbench.inspectors.estimate import BuildEstimate, estimate_build, network_cost, pace
from workbench.widgets.build import method_form, network_view
from workbench.widgets.build.draft import Draft
from workbench.widgets.fields import number, shared
from workbench.widgets.shared import progress, session, theme, wording

SIZES = (128, 160, 192, 224, 256, 320, 384, 448, 512)


def show(draft: Draft) -> bool:
    """Draw the settings, put them into the draft, and return whether the build can begin."""
    ready = _backbone(draft)
    with st.expander("Advanced"):
        method_form.show(draft)
        _advanced(draft)
    return ready and _estimate(draft)


def summary(draft: Draft) -> str:
    """Return one line: network, image size, method or largest bank."""
    return f"{network_title(draft.backbone)}, {draft.image_size} px, {method_form.summary(draft)}"


def network_title(name: str) -> str:
    """Return a network's name as people write it; the stored name if the registry does not know it."""
    return backbones.spec(name).label if name in backbones.names() else name


def _backbone(draft: Draft) -> bool:
    shared.draw(
        st.selectbox,
        "Network",
        backbones.names(),
        key="build_backbone",
        value=draft.backbone,
        on_change=partial(setattr, draft, "backbone"),
        format_func=_network_line,
        help="The network turns each patch of an image into the numbers that are compared. It is not trained here.",
    )
    if backbones.find_weights(draft.backbone) is not None:
        st.caption(_present(draft.backbone))
        return True
    st.warning(session.sentence(backbones.missing_weights_sentence(draft.backbone)))
    if backbones.spec(draft.backbone).downloadable and st.button(
        "Download the file now", help="Needs the internet. Nothing is ever downloaded unasked."
    ):
        _download(draft.backbone)
    return False


def _network_line(name: str) -> str:
    entry = backbones.spec(name)
    there = "ready" if backbones.find_weights(name) is not None else "file missing"
    return f"{network_title(name)}: {entry.summary} ({entry.weights.megabytes:.0f} MB, {there})"


def _present(name: str) -> str:
    entry = backbones.spec(name)
    file = f"{session.sentence(entry.weights.file)}, SHA-256 {entry.weights.sha256[:8]}…"
    return f"Weights: {file}, on this computer. Licence: {entry.licence}."


def _download(name: str) -> None:
    bar = st.progress(0.0, text="Downloading")

    def report(done: int, total: int) -> None:
        bar.progress(progress.share(done, total), text=f"Downloading {done / 1e6:.0f} MB")

    with session.plain_errors():
        backbones.download_weights(name, report)
        st.rerun()


def _advanced(draft: Draft) -> None:
    left, right = st.columns(2)
    seed = SETTINGS["seed"]
    shared.draw(
        left.select_slider,
        "Image size, px",
        method_form.with_value(SIZES, draft.image_size),
        key="build_image_size",
        value=draft.image_size,
        on_change=partial(setattr, draft, "image_size"),
        help="Side of the network's square. Larger finds smaller defects; time and memory grow with its square.",
    )
    number.draw(
        "Seed",
        key="build_seed",
        value=draft.seed,
        on_change=partial(setattr, draft, "seed"),
        least=seed.lowest,
        most=seed.highest,
        digits=0,
        place=right,
        help="The same images, settings and seed give the same inspector.",
    )


def _estimate(draft: Draft) -> bool:
    with session.plain_errors():
        with st.spinner("Measuring the network on one image"):
            cost = network_cost(draft.backbone, draft.image_size)
        inspected, here = network_view.inspected_share(draft), pace(session.workspace())

        def estimate(of: Draft) -> BuildEstimate:
            return estimate_build(
                cost,
                len(of.images),
                of.settings().of_model(),
                reading_seconds=of.reading_seconds,
                megapixels=max((image.megapixels for image in of.images), default=0.0),
                inspected=inspected,
                pace=here,
            )

        st.html(_estimate_html(estimate(draft), len(draft.images)))
        network_view.show_detail(draft)
        st.caption(_of_others(draft, estimate))
        return True
    return False


def _of_others(draft: Draft, estimate: Callable[[Draft], BuildEstimate]) -> str:
    """Return in a sentence what the other methods would take."""
    parts = []
    for name in METHODS.keys() - {draft.method}:
        with contextlib.suppress(
            SettingsError
        ):  # a method that would refuse the build says so once it is chosen
            found = estimate(replace(draft, method=name))
            file = "" if found.learned is None else f", {wording.megabytes(found.learned.megabytes)}"
            parts.append(f"{METHODS[name].label} {wording.seconds(found.seconds)}{file}")
    return f"The other methods, about: {'; '.join(sorted(parts))}." if parts else ""


def _estimate_html(found: BuildEstimate, images: int) -> str:
    numbers = [
        ("Good images", wording.count(images), ""),
        (
            "Build time, about",
            wording.seconds(found.seconds),
            "Images times the measured time of the network and of reading one, plus a rule for learning and for "
            "scoring the good images. Other work on this computer makes it longer.",
        ),
        (
            "Memory while building, about",
            wording.megabytes(found.peak_megabytes),
            "A rule: the program, and what the method holds while it learns.",
        ),
    ]
    if found.learned is not None:
        noun, count = found.learned.parts
        numbers += [
            (
                "File, about",
                f"{wording.megabytes(found.learned.megabytes)} <small>{wording.count(count)} {noun}</small>",
                "What is kept of the good images. PatchCore's bank can be made smaller afterwards.",
            )
        ]
    numbers += [
        (
            "One image, about",
            wording.seconds(found.image_seconds),
            f"The network's {wording.seconds(found.network_seconds)}, measured just now on this computer, and a rule "
            "for the comparison.",
        )
    ]
    return theme.numbers_html(numbers)
