import pytest
import torch

from pretraining.held_out import DEFECTS, SCENES, held_out_product


@pytest.mark.parametrize("name", SCENES)
def test_a_held_out_product_has_all_its_pictures(name):
    product = held_out_product(name, train=2, test=2, size=48)
    for pictures in (product.train, product.good, product.defective):
        assert pictures.shape == (2, 3, 48, 48)
        assert float(pictures.min()) >= 0 and float(pictures.max()) <= 1


def test_rendering_again_gives_the_same_pictures():
    first, again = (held_out_product("board", 1, 1, 48) for _ in range(2))
    assert torch.equal(first.defective, again.defective)


def test_training_knows_none_of_it():
    from pretraining import products

    assert not {"held_out", *SCENES, *(defect.__name__ for defect in DEFECTS)} & set(vars(products))
