import torch

from pretraining.dice import Dice
from pretraining.objectives import FLOOR, Episodes, ExemplarHeads, _nearest, episode_loss, patch_labels


def test_nearest_equals_a_naive_search():
    dice = Dice(0)
    tests, bank = dice.normal(2, 5, 3), dice.normal(2, 7, 3)
    naive = (tests[:, :, None] - bank[:, None]).norm(dim=3).amin(2)
    assert torch.allclose(_nearest(tests, bank).exp(), (naive**2 + FLOOR).sqrt(), atol=1e-4)


def test_patches_on_the_defect_are_defective_and_those_beside_it_are_not_judged():
    change = torch.zeros(1, 40, 40)
    change[0, 16:24, 16:24] = 0.5  # exactly the patch in the middle of 5 x 5
    defective, good = patch_labels(change, 5)
    assert defective[0].nonzero().tolist() == [[2, 2]]
    assert good[0, 1:4, 1:4].sum() == 0
    assert int(good.sum()) == 25 - 9


def test_invisible_change_is_good():
    defective, good = patch_labels(torch.full((1, 16, 16), 0.01), 2)
    assert not bool(defective.any())
    assert bool(good.all())


def _maps(defect: float) -> tuple[dict[str, torch.Tensor], Episodes]:
    """One episode of a bank, a good and a defective picture, the defect standing out by so much."""
    shallow = torch.ones(3, 2, 8, 8) + 0.01 * Dice(3).normal(3, 2, 8, 8)
    shallow[2, 0, 3:5, 3:5] += defect
    change = torch.zeros(1, 1, 64, 64)
    change[0, 0, 24:40, 24:40] = 0.5
    return {"layer2": shallow, "layer3": torch.ones(3, 2, 4, 4)}, Episodes(
        torch.zeros(1, 3, 3, 64, 64), change, 1
    )


def test_the_loss_falls_as_the_defect_stands_out():
    plain, clear = episode_loss(*_maps(0.1), unit_depths=False), episode_loss(*_maps(5.0), unit_depths=False)
    assert float(clear[0]) < float(plain[0])
    assert float(clear[1]) == 1.0


def test_the_loss_knows_no_scale():
    maps, drawn = _maps(0.02)
    scaled = ({name: value * factor for name, value in maps.items()} for factor in (100, 1000))
    first, second = (episode_loss(m, drawn, unit_depths=False)[0] for m in scaled)
    assert float(first) > 0.1
    assert torch.allclose(first, second, rtol=0.01)


def test_naming_is_at_chance_before_training():
    heads = ExemplarHeads(4, 8, 50)
    maps = {"layer2": Dice(0).normal(6, 4, 14, 14), "layer3": Dice(1).normal(6, 8, 7, 7)}
    loss, accuracy = heads(maps, torch.arange(6), Dice(2))
    assert float(loss.detach()) > 3 * 3.9  # three times ln 50
    assert 0 <= float(accuracy) <= 1
