"""Features on disk, and what an interrupted run leaves behind."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from patchcore.fitting.feature_store import FeatureStore


@pytest.fixture
def images():
    return np.random.default_rng(0).standard_normal((3, 4, 5, 6)).astype(np.float32)


def fill(store, images, kept=None):
    kept = np.ones((4, 5), bool) if kept is None else kept
    for number, features in enumerate(images):
        store.append(f"sha{number}", features, kept, {"name": f"{number}.png"})
    return store


def test_rows_come_back_by_image_and_by_number(tmp_path, images):
    store = fill(FeatureStore(tmp_path, "key"), images)
    flat = images.reshape(-1, 6)
    assert len(store) == 60
    for number, image in enumerate(store.images):
        assert_array_equal(store.rows(image), images[number].reshape(-1, 6))
    wanted = np.array([59, 0, 20, 19, 41])
    assert_array_equal(store.take(wanted), flat[wanted])
    number, within = store.locate(wanted)
    assert_array_equal(number, wanted // 20)
    assert_array_equal(within, wanted % 20)


def test_only_inspected_patches_are_kept_with_their_positions(tmp_path, images):
    kept = np.zeros((4, 5), bool)
    kept[1, 2:4] = True
    store = fill(FeatureStore(tmp_path, "key"), images, kept)
    assert len(store) == 6
    assert_array_equal(store.images[2].positions, [7, 8])
    assert_array_equal(store.rows(store.images[2]), images[2, 1, 2:4])


def test_second_run_reuses_stored_images_in_any_order(tmp_path, images):
    first = FeatureStore(tmp_path, "key")
    assert not first.resumes
    fill(first, images)
    again = FeatureStore(tmp_path, "key")
    assert again.resumes
    assert len(again) == 0
    assert again.reuse("sha2")
    assert not again.reuse("unknown")
    assert_array_equal(again.rows(again.images[0]), images[2].reshape(-1, 6))
    again.append("sha9", images[0] + 1, np.ones((4, 5), bool), {})
    assert_array_equal(again.take(np.arange(20, 40)), (images[0] + 1).reshape(-1, 6))


def test_images_of_an_included_folder_are_read_where_they_lie(tmp_path, images):
    part = fill(FeatureStore(tmp_path / "part", "key"), images[1:])  # as sha0 and sha1
    fill(FeatureStore(tmp_path / "own", "key"), images[:1])
    store = FeatureStore(tmp_path / "own", "key")
    store.include(FeatureStore(tmp_path / "part", "key"))
    assert store.reuse("sha1") and store.reuse("sha0")
    store.append("sha9", images[0] + 1, np.ones((4, 5), bool), {})
    rows = np.concatenate([images[2], images[0], images[0] + 1]).reshape(-1, 6)
    assert_array_equal(np.concatenate([store.rows(image) for image in store.images]), rows)
    wanted = np.array([59, 0, 20, 19, 41])
    assert_array_equal(store.take(wanted), rows[wanted])
    assert part.rows_path.stat().st_size == 2 * 20 * 6 * 4


def test_other_settings_start_afresh(tmp_path, images):
    fill(FeatureStore(tmp_path, "key"), images)
    assert not FeatureStore(tmp_path, "other").reuse("sha0")
    assert not (tmp_path / "rows.f32").exists()


@pytest.mark.parametrize("damage", ["half a line", "rows missing"])
def test_run_killed_while_writing_keeps_whole_images(tmp_path, images, damage):
    store = fill(FeatureStore(tmp_path, "key"), images)
    if damage == "half a line":
        store.index_path.write_text(store.index_path.read_text(encoding="utf-8")[:-20], encoding="utf-8")
    else:
        with store.rows_path.open("r+b") as file:
            file.truncate(50 * 24)
    again = FeatureStore(tmp_path, "key")
    assert again.reuse("sha1")
    assert not again.reuse("sha2")
    again.append("sha2", images[2], np.ones((4, 5), bool), {})
    assert_array_equal(again.rows(again.images[1]), images[2].reshape(-1, 6))
