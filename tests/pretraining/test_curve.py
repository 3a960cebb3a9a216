import json

from pretraining.curve import draw


def test_the_picture_is_a_png(tmp_path):
    entries = [
        {"step": step, "naming": 3.0, "ranking": 2.0, "held_out": {"board": 0.6}, "held_out_mean": 0.6}
        for step in (10, 20)
    ]
    (tmp_path / "log.json").write_text(json.dumps({"recipe": {}, "log": entries}))
    draw(tmp_path / "log.json", tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
