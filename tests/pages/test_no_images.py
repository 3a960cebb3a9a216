"""A folder without images, on each page that takes images: a sentence counts the files that it holds."""

import pytest

FILES = {
    "a.gif": (b"GIF89a", "1 GIF"),
    "a.exr": (b"\x76\x2f\x31\x01", "1 OpenEXR file"),
    "notes.md": (b"lot 7", "1 text file"),
    "frame.raw": (b"\x01\x02\xff", "1 .raw file"),
}
PAGES = {"build": "good", "inspect": "test", "evaluate": "labelled"}


@pytest.mark.parametrize("page", PAGES)
def test_the_sentence_counts_the_files_by_kind(full, open_app, tmp_path, monkeypatch, page):
    monkeypatch.setenv("PATCHCORE_ROOTS", str(tmp_path))
    place = tmp_path / "lot 7"
    place.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (place / "other").symlink_to(tmp_path / "elsewhere")
    for name, (data, _) in FILES.items():
        (place / name).write_bytes(data)
    app, key = open_app(page, **({} if page == "build" else {"inspector": "washer"})), PAGES[page]
    if page == "build":
        app.text_input[0].set_value("M12")
        press(app, "Continue")
    app.segmented_control(key=f"{key}_way").set_value("Folder on this computer").run()
    app.text_input(key=f"{key}_server").set_value(str(place))
    press(app, "Read the folder")
    said = [block.value.replace("\\", "") for block in (*app.error, *app.warning)]
    (sentence,) = [one for one in said if "holds no images that can be read" in one]
    for _, kind in FILES.values():
        assert kind in sentence
    assert "1 link to a folder" in sentence and "name that folder itself" in sentence
    assert not app.exception


@pytest.mark.parametrize("name", ["x" * 300, "螺" * 100, "x" * 300 + "/y"])
def test_a_folder_whose_name_no_disk_takes_gets_a_sentence(full, open_app, tmp_path, monkeypatch, name):
    monkeypatch.setenv("PATCHCORE_ROOTS", str(tmp_path))
    app = open_app("inspect", inspector="washer")
    app.segmented_control(key="test_way").set_value("Folder on this computer").run()
    app.text_input(key="test_server").set_value(str(tmp_path / name))
    press(app, "Read the folder")
    assert not app.exception and "is not a folder on this computer" in app.error[0].value
    app.text_input(key="watch_folder").set_value(str(tmp_path / name))
    press(app, "Start watching")
    assert not app.exception and any("is not a folder" in error.value for error in app.error)


def press(app, label):
    next(button for button in app.button if button.label == label).click().run()
