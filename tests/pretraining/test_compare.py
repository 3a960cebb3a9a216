import json

import torch

from patchcore.backbones import load_backbone
from pretraining import compare
from pretraining.dice import Dice
from pretraining.evaluate import auroc, image_scores, joined
from pretraining.held_out import SCENES, HeldOut


def _product():
    ground = 0.5 + 0.01 * Dice(0).normal(9, 3, 64, 64)
    spoilt = ground[6:].clone()
    spoilt[:, :, 24:40, 24:40] = 0.0
    return HeldOut(ground[:3], ground[3:6], spoilt)


def test_a_plain_defect_is_told_from_every_good_piece():
    backbone = load_backbone("builtin_texture", device="cpu")
    assert compare.product_auroc(backbone, _product()) == 1.0


def test_with_all_patches_kept_the_order_is_that_of_the_plain_distances():
    backbone, product = load_backbone("builtin_texture", device="cpu"), _product()
    faint = HeldOut(product.train, product.good, product.good.flip(0) + 0.004 * Dice(1).normal(3, 3, 64, 64))
    scores = image_scores(
        lambda pictures: joined(backbone.maps(pictures), False),
        faint.train,
        torch.cat([faint.good, faint.defective]),
        share=1.0,
    )
    assert compare.product_auroc(backbone, faint, share=1.0) == auroc(scores[:3], scores[3:])


def test_the_command_compares_all_built_in_ones_on_every_product(capsys):
    compare.main(["--seed", "3", "--size", "64", "--build-on", "2", "--test-on", "2"])
    row = json.loads(capsys.readouterr().out)
    assert row["seed"] == 3
    for name in ("builtin", "builtin_texture", "builtin_metric", "builtin_context", "builtin_whole"):
        assert set(row[name]) == {*SCENES, "mean"}
        assert 0 <= row[name]["mean"] <= 1
