import json

import numpy as np
from PIL import Image

from patchcore.backbones import find_weights
from pretraining import protocol


def _set(folder):
    chance = np.random.default_rng(0)
    for name, spot in (("train/good", 0), ("test/good", 0), ("test/hole", 90)):
        (folder / name).mkdir(parents=True)
        for i in range(3):
            pixels = chance.integers(120, 140, (48, 48, 3), dtype=np.uint8)
            pixels[20:30, 20:30] -= np.uint8(spot)
            Image.fromarray(pixels).save(folder / name / f"{i}.png")
    (folder / "ground_truth/hole").mkdir(parents=True)
    mask = np.zeros((48, 48), np.uint8)
    mask[20:30, 20:30] = 255
    for i in range(3):
        Image.fromarray(mask).save(folder / f"ground_truth/hole/{i}_mask.png")


def test_a_set_is_measured_once_and_the_row_is_kept(tmp_path, capsys):
    _set(tmp_path / "plate")
    arguments = ["--set", f"plate={tmp_path / 'plate'}", "--backbone", "builtin", "--seeds", "1"]
    arguments += ["--out", str(tmp_path / "table.json")]
    protocol.main(arguments)
    row = json.loads((tmp_path / "table.json").read_text())["builtin/plate/0"]
    assert row["image"]["auroc"] == 1.0
    assert row["pixel"]["auroc"] > 0.9
    assert "builtin/plate/0" in capsys.readouterr().out
    protocol.main(arguments)
    assert capsys.readouterr().out == ""


def test_weights_from_a_file_are_measured_in_the_network_of_their_name(tmp_path):
    _set(tmp_path / "plate")
    weights = find_weights("builtin_texture")
    arguments = [
        "--set",
        f"plate={tmp_path / 'plate'}",
        "--seeds",
        "1",
        "--out",
        str(tmp_path / "table.json"),
    ]
    protocol.main([*arguments, "--backbone", f"builtin_texture={weights}"])
    from_file = json.loads((tmp_path / "table.json").read_text())["builtin_texture/plate/0"]
    (tmp_path / "table.json").unlink()
    protocol.main([*arguments, "--backbone", "builtin_texture"])
    registered = json.loads((tmp_path / "table.json").read_text())["builtin_texture/plate/0"]
    assert from_file["image"] == registered["image"] and from_file["pixel"] == registered["pixel"]
