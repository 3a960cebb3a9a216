import torch

from pretraining.products import Pool, fill_pool, render


def test_the_pool_is_the_same_each_time_and_holds_bytes():
    pool, again = (fill_pool(3, 3, 1, 2, 32) for _ in range(2))
    assert pool.pictures.dtype == torch.uint8
    assert pool.pictures.shape == (4, 2, 3, 32, 32)
    assert torch.equal(pool.pictures, again.pictures)
    assert len(pool) == 4
    assert bool(pool.aligned[3])  # a place of a photograph


def test_the_pool_is_the_same_however_many_render_it():
    pool, again = (fill_pool(3, 5, 1, 2, 32, workers) for workers in (0, 2))
    assert torch.equal(pool.pictures, again.pictures)
    assert torch.equal(pool.aligned, again.aligned)


def test_products_differ():
    first, _ = render((0, 1, 0), 1, 32)
    second, _ = render((0, 1, 1), 1, 32)
    assert float((first - second).abs().mean()) > 0.02


def test_a_kept_pool_is_taken_only_for_the_numbers_it_was_made_from(tmp_path):
    pool = fill_pool(3, 2, 0, 2, 32)
    pool.save(tmp_path / "pool.safetensors", "these")
    kept = Pool.load(tmp_path / "pool.safetensors", "these")
    assert kept is not None
    assert torch.equal(kept.pictures, pool.pictures)
    assert torch.equal(kept.aligned, pool.aligned)
    assert Pool.load(tmp_path / "pool.safetensors", "others") is None
    assert Pool.load(tmp_path / "nowhere", "these") is None
