"""Facts on an inspector, as rows of label, value and meaning for people."""

from typing import NamedTuple

from patchcore import backbones
from patchcore.detector import Detector
from patchcore.methods import METHODS, SHARE
from patchcore.settings import SETTINGS
from patchcore.statistics.intervals import percent

GEOMETRY_WORDS = {
    "fit": "whole image kept, padded to a square",
    "stretch": "stretched to a square",
    "crop": "central square, as in the paper",
}


class Fact(NamedTuple):
    """One row.

    Parameters
    ----------
    label, value
        Name and value of the fact.
    meaning
        Its meaning in plain words.
    """

    label: str
    value: str
    meaning: str = ""


def inspector_facts(model: Detector) -> list[Fact]:
    """Return the facts on a fitted model: its images, network, settings and size."""
    settings = model.settings
    size = settings.image_size
    facts = [
        Fact(
            "Good images",
            f"{len(model.image_records_) - len(model.taught_):,}",
            "photographs of good parts it was built from",
        ),
        Fact("Taught", _taught_words(model), "called fine after the build; in the bank at every size of it")
        if model.taught_
        else None,
        Fact("Left out", f"{len(model.skipped_):,}", "images that could not be used")
        if model.skipped_
        else None,
        Fact("Method", METHODS[model.method].label, METHODS[model.method].summary),
        Fact("Backbone", settings.backbone, backbones.spec(settings.backbone).summary),
        Fact("Weights", model.backbone_.sha256, "SHA-256 of the network's weights"),
        Fact("Input", f"{size} × {size} px", GEOMETRY_WORDS.get(settings.geometry, settings.geometry)),
        Fact("Region of interest", _roi_words(model), "where it looks; the rest takes no part"),
        *(_bank_facts(model) if SHARE in model.capabilities else _learned_facts(model)),
        Fact("Seed", str(settings.seed), "of every random choice; the same seed gives the same bank"),
        Fact("Bank number", model.bank_id_, "identifies images, settings, weights and size together"),
    ]
    return [fact for fact in facts if fact is not None]


def _bank_facts(model: Detector) -> list[Fact]:
    size = model.size
    return [
        Fact("Patches kept", percent(size.share), "the coreset: the share of all patches that is remembered"),
        Fact("Bank", f"{size.rows:,} rows, {size.nbytes / 1e6:,.1f} MB", f"of {size.patches:,} patches"),
        Fact(
            "Cover radius",
            f"{size.cover_radius:.3g}",
            "farthest that any good patch lies from its nearest kept one, in score units",
        ),
        Fact(
            "Re-weighting",
            "on" if model.settings.reweight else "off",
            "whether scores weigh the neighbours of a match",
        ),
    ]


def _learned_facts(model: Detector) -> list[Fact]:
    """One row of the size, and one of each setting that only this method has."""
    size, own = model.size, METHODS[model.method].settings
    values = {name: getattr(model.settings, name) for name in own}
    return [
        Fact("Learned", f"{size.nbytes / 1e6:,.1f} MB", f"from {size.patches:,} patches"),
        *(
            Fact(
                name.replace("_", " ").capitalize(),
                "all" if value is None else str(value),
                SETTINGS[name].about,
            )
            for name, value in values.items()
        ),
    ]


def _taught_words(model: Detector) -> str:
    count = len(model.taught_)
    return f"{count:,} image{'s' if count > 1 else ''}, {model.size.taught:,} rows"


def _roi_words(model: Detector) -> str:
    if model.roi_ is None:
        return "whole image"
    return f"{percent(float(model.roi_.mean()))} of the image"
