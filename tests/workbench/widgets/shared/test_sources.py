"""The title of images that a person has dropped."""

from workbench.widgets.shared.intake.sources import _title


def test_the_title_says_how_many_files_there_are_beside_the_first():
    assert _title(["part.png"]) == "part.png"
    assert _title(["a.png", "b.png", "c.png"]) == "a.png and 2 more"
    assert _title(["tray\\a.png", "tray\\b.png"]) == "tray"
