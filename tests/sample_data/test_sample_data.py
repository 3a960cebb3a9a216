"""Owns the checks of the sample products: what is in the repository, and that the code renders it."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sample_data.__main__ import encode, main
from sample_data.fields import Curve, curve_field, lookup, smooth_noise
from sample_data.glyphs import text_distance
from sample_data.optics import Camera, photograph, to_bytes
from sample_data.products import PRODUCTS, SIDE, Shot, changed, plan

ROOT = Path(__file__).parents[2] / "sample_data"
BOTH = pytest.mark.parametrize("name", sorted(PRODUCTS))


@BOTH
def test_counts_and_layout(name: str) -> None:
    folder = ROOT / name
    assert len(list(folder.glob("train/good/*.jpg"))) == 45
    assert len(list(folder.glob("test/good/*.jpg"))) == 18
    types = sorted(path.name for path in folder.glob("test/*") if path.name != "good")
    assert types == sorted(PRODUCTS[name].defects)
    assert len(types) == 6
    for kind in types:
        photos = sorted(path.stem for path in folder.glob(f"test/{kind}/*.jpg"))
        masks = sorted(path.stem for path in folder.glob(f"ground_truth/{kind}/*.png"))
        assert len(photos) == 4
        assert masks == [f"{stem}_mask" for stem in photos]


@BOTH
def test_no_file_beside_the_plan(name: str) -> None:
    shots = plan(PRODUCTS[name])
    planned = {shot.path for shot in shots} | {shot.mask_path for shot in shots if shot.label != "good"}
    found = {path.relative_to(ROOT).as_posix() for path in (ROOT / name).rglob("*") if path.is_file()}
    assert found == planned


@BOTH
def test_photographs_are_rgb_of_one_size_and_all_different(name: str) -> None:
    contents = set()
    for path in (ROOT / name).rglob("*.jpg"):
        with Image.open(path) as photo:
            assert (photo.size, photo.mode, photo.format) == ((SIDE, SIDE), "RGB", "JPEG")
        contents.add(path.read_bytes())
    assert len(contents) == len(plan(PRODUCTS[name]))


@BOTH
def test_masks_are_binary_and_cover_a_visible_but_small_part(name: str) -> None:
    for path in (ROOT / name).glob("ground_truth/*/*.png"):
        with Image.open(path) as picture:
            mask = np.asarray(picture)
        assert mask.shape == (SIDE, SIDE), path
        assert set(np.unique(mask)) == {0, 255}, path
        assert 0.001 < (mask > 0).mean() < 0.10, path


def test_everything_together_is_small() -> None:
    assert sum(path.stat().st_size for path in ROOT.rglob("*") if path.is_file()) < 15 * 10**6


def grey_levels_apart(photo: bytes, path: Path) -> float:
    """Mean difference of a photograph from the one in a file."""
    with Image.open(io.BytesIO(photo)) as fresh, Image.open(path) as stored:
        return float(np.abs(np.asarray(fresh, dtype=float) - np.asarray(stored, dtype=float)).mean())


def check_defect(photo: bytes, mask: bytes, shot: Shot) -> None:
    """A rendered defect and its mask are those in the repository; other processors round otherwise."""
    assert grey_levels_apart(photo, ROOT / shot.path) < 0.5
    with Image.open(io.BytesIO(mask)) as fresh, Image.open(ROOT / shot.mask_path) as stored:
        one, other = np.asarray(fresh) > 0, np.asarray(stored) > 0
    assert (one & other).sum() / (one | other).sum() > 0.99


def test_a_rendered_defect_and_its_mask_are_those_in_the_repository() -> None:
    """A washer; of fabric, those that the command writes."""
    shot = Shot(PRODUCTS["washer"], "test", "rust", 2)
    photo, mask = encode(shot)  # the mask holds the pixels that the defect changes
    assert mask is not None
    check_defect(photo, mask, shot)


def test_command_writes_the_layout_and_what_is_in_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        PRODUCTS, "fabric", replace(PRODUCTS["fabric"], train_good=1, test_good=0, per_defect=1)
    )
    main(["--out", str(tmp_path), "--product", "fabric", "--label", "good", "--label", "slub", "--jobs", "1"])
    written = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    good = "fabric/train/good/000.jpg"
    assert written == ["fabric/ground_truth/slub/000_mask.png", "fabric/test/slub/000.jpg", good]
    assert grey_levels_apart((tmp_path / good).read_bytes(), ROOT / good) < 0.5
    slub = Shot(PRODUCTS["fabric"], "test", "slub", 0)
    check_defect((tmp_path / slub.path).read_bytes(), (tmp_path / slub.mask_path).read_bytes(), slub)


def test_unknown_product_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--out", str(tmp_path), "--product", "gear"])
    assert "gear" in capsys.readouterr().err


def test_changed_finds_a_square_and_drops_a_speck() -> None:
    one = np.full((300, 300, 3), 0.5, np.float32)
    other = one.copy()
    other[100:120, 100:120] += 0.2
    other[10, 10] += 0.2
    mask = changed(one, other)
    assert mask[101:119, 101:119].all()
    assert not mask[:90].any()
    assert 400 <= mask.sum() <= 24 * 24


def test_distance_from_a_straight_curve() -> None:
    curve: Curve = curve_field(np.array([[10.0, 20.0], [50.0, 20.0], [90.0, 20.0]]), (60, 100))
    assert curve.distance[20, 30] == pytest.approx(0, abs=0.5)
    assert curve.distance[35, 50] == pytest.approx(15, abs=0.05)
    assert curve.side[35, 50] == pytest.approx(-curve.side[5, 50], abs=0.1)
    assert curve.along[20, 90] == pytest.approx(1, abs=0.01)
    assert curve.along[40, 50] == pytest.approx(0.5, abs=0.01)


def test_smooth_noise_is_standardised_and_smooth() -> None:
    noise = smooth_noise(np.random.default_rng(0), (128, 128), 6)
    assert noise.mean() == pytest.approx(0, abs=1e-5)
    assert noise.std() == pytest.approx(1, abs=1e-4)
    assert np.abs(np.diff(noise, axis=1)).mean() < 0.15


def test_lookup_interpolates_and_repeats() -> None:
    table = np.array([[0.0, 1.0], [2.0, 3.0]], np.float32)
    assert lookup(table, np.float32([0.5]), np.float32([0.5]))[0] == pytest.approx(1.5)
    assert lookup(table, np.float32([2.0]), np.float32([3.0]))[0] == pytest.approx(1.0)


def test_letter_one_is_a_vertical_stroke() -> None:
    u, v = np.float32([0.02, 0.32]), np.float32([0.0, 0.0])
    near, away = text_distance("1", u, v)
    assert near == pytest.approx(0, abs=1e-5)
    assert away == pytest.approx(0.30, abs=1e-5)


def test_camera_keeps_a_grey_card_grey_and_darkens_corners() -> None:
    camera = Camera(1.0, 0.5, 0.2, (1.0, 1.0, 1.0), 10000, 0.002, noise_seed=3)
    card = np.full((128, 128, 3), 0.2140, np.float32)
    picture = photograph(card, camera, noise=False)
    assert to_bytes(picture)[32, 32].tolist() == [127, 127, 127]
    assert picture[0, 0, 0] < picture[32, 32, 0] - 0.03
    noisy = photograph(card, camera)
    assert 0.002 < (noisy - picture).std() < 0.02
