import json

from skimage.io import imread

from pretraining.curve import draw


def test_the_picture_has_a_row_for_each_run(tmp_path):
    for name, losses in (("network", {"naming": 3.0, "ranking": 2.0}), ("map", {"loss": 2.0})):
        entries = [
            {"step": step, **losses, "held_out": {"board": 0.6}, "held_out_mean": 0.6} for step in (10, 20)
        ]
        (tmp_path / f"{name}.json").write_text(json.dumps({"recipe": {}, "log": entries}))
    draw([tmp_path / "network.json"], tmp_path / "one.png")
    draw([tmp_path / "network.json", tmp_path / "map.json"], tmp_path / "two.png")
    assert imread(tmp_path / "two.png").shape[0] == 2 * imread(tmp_path / "one.png").shape[0]
