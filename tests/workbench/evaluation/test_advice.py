"""What would help against escapes: estimated from these escapes where that is possible, else by experience."""

from dataclasses import replace

import pytest

from patchcore.amendment.removal import without_images
from patchcore.thresholds.operating_point import Choice, OperatingPoint
from tests.workbench.parts import scratch_mask, store_plates
from workbench.evaluation import advice as advices
from workbench.evaluation.advice import advice
from workbench.evaluation.audit import audit, threshold_without
from workbench.inspections.batches import create_batch, score_batch
from workbench.inspectors.versions import get_version, good_images, load_model, set_operating_point
from workbench.storage.workspace import NamedImage
from workbench.tuning.evidence import tested_images as images_with_scores


@pytest.fixture
def escapes(workspace, version):
    """Two scratches, one of them marked; the tests take them for escapes whatever they score."""
    mask = workspace.store_image(scratch_mask(), "m.png").sha256
    first, second = store_plates(workspace, 2, first=60, scratched=True, truth="scratch")
    images = [NamedImage(first.sha256, first.name, "scratch", mask), second]
    list(score_batch(workspace, create_batch(workspace, "plate-1", images, "Monday"), version))
    return images_with_scores(workspace, version)


def test_the_threshold_without_the_odd_ones_is_near_to_that_of_a_bank_without_them(workspace, version):
    odd = [one.sha256 for one in audit(workspace, version)[:2]]
    sources = [
        (one.name, workspace.image_path(one.sha256))
        for one in good_images(workspace, version)
        if one.sha256 not in odd
    ]
    exact = without_images(load_model(workspace, version), odd, sources).operating_point_.reject
    point = OperatingPoint.from_dict(version.operating_point)
    estimated = threshold_without(version, odd)
    assert estimated < point.reject and estimated <= exact
    assert estimated == sorted(version.good_scores.values())[-3]
    by_hand = replace(point, rule=Choice("by_hand", {"value": 1.0}))
    set_operating_point(workspace, version, by_hand)
    assert threshold_without(get_version(workspace, version.id), odd) is None


def test_what_the_escapes_show_comes_before_what_is_experience(workspace, version, escapes, monkeypatch):
    point = OperatingPoint.from_dict(version.operating_point)
    after = threshold_without(version, [one.sha256 for one in audit(workspace, version)[:2]])
    between = [replace(one, score=(after + point.reject) / 2) for one in escapes]
    asked = []
    monkeypatch.setattr(advices, "load_model", lambda *of: asked.append(of) or load_model(*of))
    found = advice(workspace, version, between)
    assert len(asked) == 1  # not for each mark: loading takes seconds
    assert [one.way for one in found[:2]] == ["odd ones", "size"]
    assert found[0].effect == 1 and "2 of 2 escapes would be rejected" in found[0].sentence
    # At 64 px a patch covers 24 px of a plate, the scratch is 6 px wide: a patch of 6 px needs 256 px.
    assert (
        found[1].size == 256 and found[1].effect == 0.5 and "(estimated from the masks)" in found[1].sentence
    )
    assert [one.way for one in found[2:]] == ["images", "network"]  # six good images are few
    assert all("experience" in one.sentence or "no table" in one.sentence for one in found[2:])


def test_without_masks_or_an_effect_the_order_is_by_experience_and_says_from_where(
    workspace, version, escapes
):
    bare = [one for one in escapes if one.result.image.mask_sha256 is None]
    found = advice(workspace, version, [replace(one, score=0.0) for one in bare])
    assert [one.way for one in found] == ["images", "size", "network", "odd ones"]
    assert not any(one.effect for one in found) and "docs/accuracy.csv" in found[1].sentence
    assert advice(workspace, version, []) == []
