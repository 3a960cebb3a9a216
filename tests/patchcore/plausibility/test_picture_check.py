"""The check of the whole picture, against leave-one-out by hand, and on pictures that nobody may accept."""

import json
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from patchcore import PatchCore, inspect
from patchcore.amendment.removal import without_images
from patchcore.amendment.teaching import with_taught
from patchcore.detector import Detector
from patchcore.images.geometry import Geometry, place
from patchcore.padim import PaDiM
from patchcore.plausibility.doubt import KINDS, Doubt
from patchcore.plausibility.picture_check import PictureCheck
from patchcore.plausibility.typical_patches import ANYWHERE, TypicalPatches, places
from patchcore.spade import SPADE
from tests.patchcore.conftest import stripes

SIDE = 128


def part(seed, *, part_there=True):
    """A dark disc on a ground of fine grain, always at its place."""
    draw = np.random.default_rng(seed)
    image = draw.normal(150, 6, (SIDE, SIDE, 3))
    rows, cols = np.indices((SIDE, SIDE)) - SIDE * 0.3
    if part_there:
        image[np.hypot(rows, cols) < SIDE / 5] -= 90 + draw.normal(0, 3)
    return image.clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def parts():
    return [part(seed) for seed in range(10)]


@pytest.fixture(scope="module")
def inspector(parts):
    return PatchCore(image_size=SIDE, coreset=0.5).fit(parts)


def kinds(detector, image):
    return [doubt.kind for doubt in inspect(detector, image).doubts]


BLANKS = {
    "black": lambda image: image * 0,
    "white": lambda image: image * 0 + 255,
    "mid grey": lambda image: image * 0 + 128,
    "5 % light": lambda image: (image * 0.05).astype(np.uint8),
    "over-exposed": lambda image: (image * 6.0).clip(0, 255).astype(np.uint8),
    "colour lost": lambda image: image * np.array([0, 1, 1], np.uint8),
    "noise": lambda image: np.random.default_rng(5).integers(0, 256, image.shape, np.uint8),
}


@pytest.mark.parametrize("kind", [PatchCore, PaDiM, SPADE])
def test_no_method_accepts_blanks_and_every_good_image_is_plausible(kind, parts):
    detector = kind(image_size=SIDE, **({"dims_used": 10} if kind is PaDiM else {})).fit(parts)
    for name, blank in BLANKS.items():
        found = inspect(detector, blank(parts[0]))
        assert found.doubts and found.verdict != "accept", name
        assert {doubt.kind for doubt in found.doubts} <= set(KINDS)
    for seed in (*range(4), *range(50, 54)):
        assert kinds(detector, part(seed)) == []


def test_a_missing_part_is_named_with_its_place(inspector):
    (doubt,) = inspect(inspector, part(70, part_there=False)).doubts[-1:]
    assert doubt.kind == "content" and doubt.sentence.startswith(
        "What good images show at the upper left is missing: the nearest match is "
    )
    x0, y0, x1, y1 = doubt.box
    assert 0 <= x0 < 38 < x1 < SIDE and 0 <= y0 < 38 < y1 < SIDE  # the middle of the disc


def test_patches_at_another_place_are_doubted_by_their_layout():
    grid, draw = (6, 6), np.random.default_rng(0)
    usual, inspected = 10 * draw.random((36, 4), np.float32), np.ones(grid, bool)
    pictures = [usual + draw.normal(0, 0.1, (36, 4)).astype(np.float32) for _ in range(8)]
    cells = np.concatenate([np.full(36, ANYWHERE), places(grid)]).astype(np.int32)
    patches = TypicalPatches(np.tile(pictures[0], (2, 1)), np.zeros(72, np.int32), cells, grid)
    measures = np.tile([0.5, 0.1, 0.1, 1, 1], (8, 1))
    distances = np.array([patches.distances(one, inspected) for one in pictures])
    check = PictureCheck(patches, np.arange(8, dtype=np.int32), measures, distances)
    new = usual + draw.normal(0, 0.1, (36, 4)).astype(np.float32)
    placement = place((60, 60), Geometry("fit", 60))
    assert check.doubts(measures[0], new, inspected, placement) == ()
    (doubt,) = check.doubts(measures[0], new[::-1].copy(), inspected, placement)
    assert doubt.kind == "layout" and "missing or elsewhere" in doubt.sentence and doubt.value > doubt.high


def test_values_equal_leave_one_out_by_hand(inspector):
    check = inspector.picture_check_
    expected = []
    for at, number in enumerate(check.images):
        multiples = []
        for k, owner in enumerate(check.patches.images):
            if check.patches.cells[k] >= 0 or owner == number:
                continue
            others = [i for i in range(len(check.images)) if i != at and check.images[i] != owner]
            usual = np.mean([float(check.distances[i, k]) for i in others])
            multiples.append(float(check.distances[at, k]) / usual)
        expected.append(np.mean(multiples))
    assert check.content_values == pytest.approx(expected)


def test_a_doubt_reviews_an_accepted_image_and_changes_no_other_verdict(inspector):
    point = inspector.operating_point_
    blank = part(0) * 0 + 128
    high = replace(point, accept=1e6, reject=1e6)
    assert inspect(inspector, blank, high).verdict == "review"
    off = inspect(inspector, blank, replace(high, picture_check=False))
    assert off.verdict == "accept" and off.doubts and off.to_dict()["picture_check"] is False
    low = replace(point, accept=0, reject=0)
    assert inspect(inspector, blank, low).verdict == "reject"


def test_doubts_stand_in_the_json_form_and_come_back(inspector):
    form = json.loads(json.dumps(inspect(inspector, part(0) * 0).to_dict(), allow_nan=False))
    assert form["doubts"][0]["kind"] == "brightness" and form["doubts"][0]["low"] > form["doubts"][0]["value"]
    assert tuple(map(Doubt.from_dict, form["doubts"])) == inspect(inspector, part(0) * 0).doubts


def test_a_file_keeps_the_check_and_a_smaller_share_too(inspector, tmp_path):
    inspector.save(tmp_path / "disc.patchcore")
    loaded, blank = Detector.load(tmp_path / "disc.patchcore"), part(0) // 2
    assert inspect(loaded, blank).doubts == inspect(inspector, blank).doubts != ()
    assert inspect(inspector.with_coreset(0.1), blank).doubts == inspect(inspector, blank).doubts


def test_a_taught_image_is_no_longer_doubted(inspector, parts):
    dark = (part(90) * 0.5).astype(np.uint8)
    assert "brightness" in kinds(inspector, dark)
    taught = with_taught(inspector, [dark], parts)
    found = inspect(taught, dark)
    assert found.doubts == () and found.verdict == "accept"
    back = without_images(taught, taught.taught_, parts).picture_check_
    assert_array_equal(back.distances, inspector.picture_check_.distances)


def test_a_removed_image_teaches_nothing(inspector, parts):
    gone = [inspector.image_records_[i].sha256 for i in (0, 4)]
    check = without_images(inspector, gone, [image for i, image in enumerate(parts) if i not in (0, 4)])
    left = check.picture_check_
    old = inspector.picture_check_
    assert left.images.tolist() == list(range(8))
    stay = ~np.isin(old.patches.images, [0, 4])
    assert_array_equal(left.distances, np.delete(old.distances, [0, 4], 0)[:, stay])
    assert_array_equal(left.measures, np.delete(old.measures, [0, 4], 0))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_good_images_give_a_sensible_check(count):
    detector = PatchCore(image_size=SIDE, coreset=0.5).fit([part(seed) for seed in range(count)])
    assert [kinds(detector, part(seed)) for seed in range(50, 58)] == [[]] * 8
    for name in ("black", "white", "5 % light", "over-exposed", "noise"):
        assert kinds(detector, BLANKS[name](part(0))), name


@pytest.mark.parametrize(("shape", "roi"), [((SIDE, SIDE), True), ((40, 90), False), ((90, 40), True)])
def test_region_and_other_shapes_are_judged(shape, roi):
    draw = np.random.default_rng(0)
    region = np.zeros((8, 8), bool)
    region[2:7, 1:6] = True
    images = [draw.integers(90, 130, (*shape, 3), np.uint8) for _ in range(5)]
    detector = PatchCore(image_size=SIDE, coreset=0.5).fit(images, roi=region if roi else None)
    assert kinds(detector, draw.integers(90, 130, (*shape, 3), np.uint8)) == []
    assert kinds(detector, np.zeros((*shape, 3), np.uint8))
    other = draw.integers(90, 130, (64, 64, 3), np.uint8)
    assert set(kinds(detector, other)) <= set(KINDS)


def test_copies_of_one_image_divide_by_nothing():
    detector = PatchCore(image_size=SIDE, coreset=0.5).fit([stripes(0), stripes(0) ^ 1, stripes(0) ^ 2])
    assert np.isfinite([doubt.value for doubt in inspect(detector, stripes(0) * 0).doubts]).all()


def test_an_inspector_without_the_check_doubts_nothing(inspector):
    bare = inspector.with_operating_point(None)
    bare.picture_check_ = None
    assert kinds(bare, part(0) * 0) == []
