import re

from patchcore.operating_point import Evidence
from patchcore.thresholds import by_hand
from workbench.database import BatchImage, Result
from workbench.widgets.gallery import tile_html

POINT = by_hand(3.0, Evidence(), "bank", set_by="test", accept=2.0)


def result(score, name="a.png", error=None):
    return Result(id=1, score=score, error=error, image=BatchImage(name=name, sha256="0" * 64, position=0))


def test_a_tile_says_its_verdict_in_word_sign_and_colour():
    for score, word, sign in (
        (3.1, "reject", "✕"),
        (2.5, "review", "?"),
        (3.0, "review", "?"),
        (1.0, "accept", "✓"),
    ):
        tile = tile_html(result(score), POINT, "data:,")
        assert f"pc-{word}" in tile and sign in tile and f"{score:.2f}" in tile


def test_the_bar_reaches_the_tick_at_the_threshold():
    tile = tile_html(result(3.0), POINT, "data:,")
    assert re.findall(r"(?:width|left):([\d.]+)%", tile) == ["60.0", "60"]


def test_names_and_reasons_are_text():
    hostile = "<img src=x onerror=alert(1)>.png"
    scored = tile_html(result(1.0, hostile), POINT, "data:,")
    unscored = tile_html(result(None, hostile, hostile), POINT, None)
    for tile in (scored, unscored):
        assert hostile not in tile and "&lt;img src=x" in tile
