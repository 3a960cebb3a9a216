"""The sweep over shares, each row against a build of its own at that share."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from patchcore.errors import Cancelled, SettingsError
from patchcore.evaluation.measures import evaluate
from patchcore.evaluation.sweep import default_shares, sweep
from patchcore.labels.masks import Marks, fitted
from patchcore.patchcore import PatchCore
from patchcore.statistics.curves import Undefined
from patchcore.thresholds.decision import decide
from patchcore.thresholds.operating_point import Choice, Evidence
from tests.patchcore.conftest import SIDE, stripes
from tests.points import by_hand

SHARES = (0.002, 0.02, 0.1, 0.5)


@dataclass(frozen=True)
class Shown:
    """A labelled image that never was a file."""

    name: str
    source: Any
    defect_type: str | None
    marked: Any = None

    @property
    def is_defect(self):
        return self.defect_type not in (None, "good")

    def mask(self, shape):
        return None if self.marked is None else fitted(Marks(self.marked), shape)


def spotted(seed, size=8, brighter=30):
    image, mask = stripes(seed).astype(int), np.zeros((SIDE, SIDE), bool)
    mask[20 : 20 + size, 30 : 30 + size] = True
    return np.where(mask[..., None], image + brighter, image).clip(0, 255).astype(np.uint8), mask


@pytest.fixture(scope="module")
def labelled():
    images = [Shown(f"good/{seed}", stripes(200 + seed), "good") for seed in range(5)]
    images += [Shown(f"spot/{s}", *spotted(300 + s)[:1], "spot", spotted(300 + s)[1]) for s in range(4)]
    return [
        *images,
        Shown("unmarked/0", spotted(400)[0], "unmarked"),
        Shown("unlabelled", stripes(500), None),
    ]


@pytest.fixture(scope="module")
def swept(model, labelled):
    return sweep(model, labelled, SHARES)


@pytest.mark.parametrize("place", range(len(SHARES)))
@pytest.mark.parametrize("reweight", [False, True])
def test_each_row_equals_a_separate_build_at_that_share(good, labelled, swept, place, reweight):
    fresh = PatchCore(image_size=SIDE, coreset=SHARES[place], reweight=reweight).fit(good)
    found = swept[place]
    if reweight:
        largest = PatchCore(image_size=SIDE, coreset=SHARES[-1], reweight=True).fit(good)
        found = sweep(largest, labelled, SHARES)[place]
    expected = evaluate(fresh, [image for image in labelled if image.defect_type])
    assert found.rows == len(fresh.bank_)
    assert found.cover_radius == pytest.approx(fresh.cover_radius_, abs=1e-6)
    assert found.threshold == pytest.approx(fresh.threshold_, abs=1e-6)
    finite = [
        score for score in fresh.good_scores_.values() if np.isfinite(score)
    ]  # of one row, its image has none
    assert found.good_scores.highest == pytest.approx(max(finite), abs=1e-6)
    for measure in ("auroc", "average_precision", "f1_max", "f1_threshold"):
        assert getattr(found.image, measure) == pytest.approx(getattr(expected.image, measure), abs=1e-6)
    pixels = expected.pixel
    for measure in ("auroc", "average_precision", "aupro"):
        assert getattr(found.pixels, measure) == pytest.approx(getattr(pixels, measure), abs=1e-6)
    assert (found.pixels.n_images, found.pixels.n_regions) == (pixels.n_images, pixels.n_regions) == (9, 4)


def test_the_numbers_of_the_bank(model, swept):
    assert [row.rows for row in swept] == [1, 10, 51, 256]
    assert [row.in_use for row in swept] == [False, False, False, True]
    assert swept[-1].megabytes == model.bank_.nbytes / 1e6
    assert [row.share for row in swept] == pytest.approx([n / 512 for n in (1, 10, 51, 256)])
    radii = [row.cover_radius for row in swept]
    assert radii == sorted(radii, reverse=True)
    assert all(row.milliseconds > 0 for row in swept)
    scores = sorted(model.good_scores_.values())
    last = swept[-1].good_scores
    assert (last.count, last.lowest, last.highest) == (8, scores[0], scores[-1])
    assert last.median == pytest.approx(np.median(scores))
    assert last.percentile_95 == pytest.approx(np.quantile(scores, 0.95))


def test_usual_shares_run_from_a_tenth_of_a_percent_to_the_largest_and_hold_the_one_in_use(model):
    shares = default_shares(model.with_coreset(0.3))
    sizes = [round(share * 512) for share in shares]
    assert sizes[0] == 1 and sizes[-1] == 256 and 153 in sizes
    assert 9 <= len(sizes) <= 12 and sizes == sorted(set(sizes))
    swept = sweep(model.with_coreset(0.3), [])
    assert [row.rows for row in swept] == sizes
    assert [row.rows for row in swept if row.in_use] == [153]


def test_without_images_or_defects_metrics_are_undefined_with_the_reason(model, labelled):
    nothing = sweep(model, [], [0.1])[0]
    assert isinstance(nothing.image.auroc, Undefined) and nothing.milliseconds is None
    assert nothing.good_scores.count == 8
    only_good = sweep(model, [image for image in labelled if not image.is_defect], [0.1])[0]
    assert "defect" in only_good.image.auroc.reason
    assert isinstance(only_good.pixels.auroc, Undefined)
    assert (only_good.image.n_good, only_good.image.n_defect) == (5, 0)
    plain = only_good.to_dict()
    assert plain["image"]["auroc"] is None and plain["pixels"]["aupro"] is None
    assert plain["good_scores"]["count"] == 8 and plain["rows"] == 51


def test_a_good_image_of_the_bank_is_scored_without_its_own_rows(model, good):
    images = [Shown(name, image, "good") for name, image in good[:3]]
    images.append(Shown("spot", spotted(300)[0], "spot", spotted(300)[1]))
    for row in sweep(model, images, SHARES[1:]):
        smaller = model.with_coreset(row.share)
        expected = evaluate(smaller, images)
        assert [s.score for s in expected.scored[:3]] == [smaller.good_scores_[name] for name, _ in good[:3]]
        assert row.image.auroc == expected.image.auroc
        assert row.pixels.auroc == pytest.approx(expected.pixel.auroc, abs=1e-6)


def test_image_is_not_counted_at_a_share_that_holds_only_its_own_rows(model, good):
    first = int(model.bank_.images[0])
    images = [Shown(good[first][0], good[first][1], "good"), Shown("spot", spotted(300)[0], "spot")]
    row = sweep(model, images, [0.002])[0]
    assert (row.rows, row.image.n_good, row.image.n_defect) == (1, 0, 1)


def test_a_labelled_rule_is_applied_to_the_scores_at_each_share(model, labelled):
    bad = {model.patches(i.source).record.sha256: i for i in labelled if i.is_defect}
    scores = {sha: model.score(image.source).score for sha, image in bad.items()}
    evidence = Evidence(model.evidence_.good, scores)
    decided = model.with_operating_point(decide(Choice("f1_max"), evidence, model.bank_id_, set_by="Ada"))
    rows = sweep(decided, labelled, SHARES)
    assert rows[-1].threshold == decided.threshold_
    small = model.with_coreset(SHARES[1])
    again = {sha: small.score(image.source).score for sha, image in bad.items()}
    fresh = decide(Choice("f1_max"), Evidence(small.evidence_.good, again), "b", set_by="Ada")
    assert rows[1].threshold == pytest.approx(fresh.reject, abs=1e-6)
    without = sweep(decided, labelled[:5], SHARES)
    assert without[1].threshold is None and "have not been scored" in without[1].reason


def test_a_threshold_that_cannot_follow_is_none_with_the_reason(model):
    hand = model.with_operating_point(by_hand(1.0, model.evidence_, model.bank_id_, set_by="Ada"))
    rows = sweep(hand, [], SHARES)
    assert rows[0].threshold is None and "by hand" in rows[0].reason
    assert rows[-1].threshold == 1.0
    assert sweep(model.with_operating_point(None), [], SHARES)[0].reason == "No threshold has been set."


def test_unusable_images_are_named_and_the_others_measured(model, labelled):
    odd = [
        Shown("broken", b"no image", "good"),
        Shown("small mask", spotted(1)[0], "spot", np.ones((4, 5), bool)),
    ]
    said = []
    row = sweep(model, [*odd, *labelled], [0.1], problem=said.append)[0]
    assert (row.image.n_good, row.image.n_defect, row.pixels.n_images) == (5, 6, 9)
    assert len(said) == 2
    assert said[0].startswith("Left out broken")
    assert "small mask: its mask was not counted" in said[1]


def test_progress_and_cancel(model, labelled):
    seen = []
    sweep(model, labelled[:3], [0.1], progress=lambda *step: seen.append(step))
    assert seen == [("scoring", done, 3) for done in range(4)]
    asked = iter([False, True])
    with pytest.raises(Cancelled):
        sweep(model, labelled, [0.1], cancelled=lambda: next(asked))


@pytest.mark.parametrize("shares", [[], [0.9], [0.0]])
def test_shares_out_of_range(model, shares):
    with pytest.raises(SettingsError):
        sweep(model, [], shares)
