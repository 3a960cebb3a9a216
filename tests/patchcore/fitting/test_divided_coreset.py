"""Picking in parts: its bound, its guarantee, and its cover radius beside that of the exact order."""

from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from patchcore.backbones import DEFAULT, load_backbone
from patchcore.coreset import greedy_k_centre
from patchcore.errors import SettingsError
from patchcore.fitting.calibration import calibrate
from patchcore.fitting.divided_coreset import divided_k_centre, parts_needed
from patchcore.fitting.run import FittingRun
from patchcore.fitting.selection import choose
from patchcore.fitting.stages import prepare_store
from patchcore.images.copy_groups import CopyGroups
from patchcore.settings import Settings


@pytest.fixture
def points():
    generator = np.random.default_rng(0)
    centres = generator.standard_normal((40, 6)) * 4
    return (centres[generator.integers(40, size=3000)] + generator.standard_normal((3000, 6))).astype(
        np.float32
    )


def in_parts(points, number):
    return [partial(np.asarray, part) for part in np.array_split(points, number)]


def cover_radius(points, picks):
    return np.sqrt(((points[:, None].astype(np.float64) - points[picks]) ** 2).sum(2)).min(1).max()


@pytest.mark.parametrize("parts", [2, 5])
def test_points_lie_within_the_bound_and_the_radius_is_near_the_exact_one(points, parts):
    found = divided_k_centre(in_parts(points, parts), 150, memory=2**30)
    radius = cover_radius(points, found.order.indices)
    exact = cover_radius(points, greedy_k_centre(points, 150).indices)
    assert found.guaranteed
    assert len(set(found.order.indices.tolist())) == 150
    assert radius <= found.bound
    assert radius <= 1.25 * exact  # measured; promised is 4 times the best possible


def test_a_shorter_run_of_the_merge_is_a_prefix(points):
    found = divided_k_centre(in_parts(points, 3), 90, memory=2**30)
    assert (np.diff(found.order.radii) <= 0).all()
    merged_again = divided_k_centre(in_parts(points, 3), 90, memory=2**30)
    assert_array_equal(found.order.indices, merged_again.order.indices)


def test_bound_holds_where_the_merged_picks_do_not_fit(points):
    found = divided_k_centre(in_parts(points, 4), 150, memory=60 * 4 * (6 * 4 + 80))
    assert not found.guaranteed
    assert cover_radius(points, found.order.indices) <= found.bound


def test_more_picks_than_fit_are_refused(points):
    with pytest.raises(SettingsError, match="needs more memory .* a share of at most 1.33% fits"):
        divided_k_centre(in_parts(points, 4), 150, memory=10 * 4 * (6 * 4 + 80))


def test_the_number_of_parts():
    assert parts_needed(1000, 128, 1000 * 592) == 1
    assert parts_needed(1001, 128, 1000 * 592) == 2


def test_a_build_in_parts_makes_a_bank_of_the_same_size(good):
    settings = Settings(image_size=64, coreset=0.2)
    run = FittingRun(load_backbone(DEFAULT), settings)
    with prepare_store(run, good) as (store, _):
        whole = choose(run, store)
        small = choose(FittingRun(run.backbone, settings, coreset_memory=250 * 592), store)
        groups = CopyGroups.of([""] * len(good))
        radii = [calibrate(run, store, bank, groups, [groups])[0].cover_radius[-1] for bank in (whole, small)]
    assert len(small) == len(whole)
    assert radii[1] <= 1.5 * radii[0]
