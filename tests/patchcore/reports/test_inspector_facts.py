"""The facts on an inspector."""

import numpy as np

from patchcore import PaDiM, PatchCore
from patchcore.reports.inspector_facts import inspector_facts
from tests.patchcore.conftest import SIDE


def test_facts_are_those_of_the_model(model):
    facts = {fact.label: fact.value for fact in inspector_facts(model)}
    assert facts["Good images"] == "8"
    assert facts["Weights"] == model.backbone_.sha256
    assert facts["Input"] == f"{SIDE} × {SIDE} px"
    assert facts["Patches kept"] == "50 %" and facts["Bank"].startswith(f"{len(model.bank_):,} rows")
    assert facts["Cover radius"] == f"{model.cover_radius_:.3g}"
    assert facts["Region of interest"] == "whole image" and "Left out" not in facts
    assert facts["Bank number"] == model.bank_id_


def test_facts_name_the_region_and_the_images_left_out(good):
    roi = np.zeros((SIDE, SIDE), bool)
    roi[: SIDE // 4] = True
    built = PatchCore(image_size=SIDE, coreset=0.1).fit([*good[:3], ("x.png", b"no image")], roi=roi)
    facts = {fact.label: fact.value for fact in inspector_facts(built)}
    assert facts["Region of interest"] == "25 % of the image" and facts["Left out"] == "1"


def test_facts_of_a_method_without_a_bank_are_its_own(good):
    facts = {fact.label: fact.value for fact in inspector_facts(PaDiM(image_size=SIDE).fit(good))}
    assert (facts["Method"], facts["Dims used"]) == ("PaDiM", "100")
    assert facts["Learned"] == "2.6 MB" and not facts.keys() & {"Bank", "Cover radius", "Patches kept"}
