import torch

from pretraining.dice import Dice
from pretraining.objectives import FLOOR, ExemplarHeads, FaultHead, _logs, patch_labels, rank


def test_every_picture_is_judged_by_the_others_as_a_naive_search_does():
    rows = Dice(0).normal(5, 4, 3)  # three good pictures of four patches, copies of the first two
    logs = _logs(rows, 3, 1.0, Dice(1))
    naive = torch.empty(5, 4)
    for i, own in enumerate([0, 1, 2, 0, 1]):
        others = torch.cat([rows[j] for j in range(3) if j != own])
        naive[i] = (rows[i][:, None] - others[None]).norm(dim=2).amin(1) ** 2
    assert torch.allclose((2 * logs).exp(), naive + FLOOR * naive[:3].mean(), atol=1e-4)


def test_the_bank_is_a_share_of_the_good_patches():
    rows = torch.zeros(3, 4, 2)
    rows[0], rows[1, 0], rows[2, 0] = 5.0, 5.0, 5.0
    whole, part = (_logs(rows, 3, share, Dice(1))[0] for share in (1.0, 0.0))
    assert bool((part >= whole - 1e-6).all())


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


def _drawn(defect: float) -> tuple[torch.Tensor, torch.Tensor]:
    """One product: three good pictures and a copy of the first, its defect standing out by so much."""
    maps = torch.ones(3, 8, 8, 2) + 0.01 * Dice(3).normal(3, 8, 8, 2)
    maps = torch.cat([maps, maps[:1]])
    maps[3, 3:5, 3:5, 0] += defect
    change = torch.zeros(1, 1, 64, 64)
    change[0, 0, 24:40, 24:40] = 0.5
    return maps.flatten(1, 2)[None], change


def test_the_loss_falls_as_the_defect_stands_out():
    plain, clear = (rank(*_drawn(defect), 1.0, Dice(0)) for defect in (0.001, 5.0))
    assert float(clear[0]) < float(plain[0])
    assert float(clear[1]) == 1.0


def test_the_loss_knows_no_scale():
    features, change = _drawn(0.02)
    first, second = (rank(features * factor, change, 1.0, Dice(0))[0] for factor in (100, 1000))
    assert float(first) > 0.1
    assert torch.allclose(first, second, rtol=0.01)


def test_products_without_a_visible_defect_teach_nothing():
    features, change = _drawn(1.0)
    loss, area = rank(features, change * 0, 1.0, Dice(0))
    assert float(loss) == 0.0
    assert bool(area.isnan())


def test_the_single_patch_is_told_apart_after_some_steps():
    torch.manual_seed(0)
    rows, defective = Dice(0).normal(60, 4), torch.arange(60) < 20
    rows[defective, 1] += 3
    head = FaultHead(4)
    optimiser = torch.optim.Adam(head.parameters(), 0.1)
    judged = torch.arange(60) != 5
    first = float(head(rows, defective, judged).detach())
    for _ in range(50):
        optimiser.zero_grad()
        head(rows, defective, judged).backward()
        optimiser.step()
    assert float(head(rows, defective, judged).detach()) < 0.5 * first


def test_naming_is_at_chance_before_training():
    heads = ExemplarHeads(4, 8, 50)
    maps = {"layer2": Dice(0).normal(6, 4, 14, 14), "layer3": Dice(1).normal(6, 8, 7, 7)}
    loss, accuracy = heads(maps, torch.arange(6), Dice(2))
    assert float(loss.detach()) > 3 * 3.9  # three times ln 50
    assert 0 <= float(accuracy) <= 1
