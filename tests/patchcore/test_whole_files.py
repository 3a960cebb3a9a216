"""A file is whole or not there, and one that was there stays until the new one is whole."""

import os

import pytest

from patchcore.whole_files import whole_file


def test_file_is_flushed_before_it_is_renamed(tmp_path, monkeypatch):
    done, target = [], tmp_path / "a.txt"
    target.write_text("old", encoding="utf-8")
    monkeypatch.setattr(os, "fsync", lambda _: done.append(target.read_text(encoding="utf-8")))
    with whole_file(target, before=lambda: done.append("ready")) as part:
        assert part.parent == tmp_path and part.name.startswith(".a.txt.") and part.suffix == ".part"
        part.write_text("new", encoding="utf-8")
    assert done == ["old", "ready"]
    assert target.read_text(encoding="utf-8") == "new" and list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("ready", [True, False])
def test_failed_write_keeps_only_the_earlier_file(tmp_path, ready):
    target, part = tmp_path / "a.txt", tmp_path / "elsewhere"
    target.write_text("old", encoding="utf-8")

    def refuse():
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"), whole_file(target, part, refuse) as path:
        assert path == part
        path.write_text("new", encoding="utf-8")
        if not ready:
            refuse()
    assert target.read_text(encoding="utf-8") == "old" and list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("name", ["x" * 255, "ü" * 127, "螺" * 85, "a" * 230 + ".patchcore"])
def test_names_as_long_as_a_disk_takes_are_written(tmp_path, name):
    with whole_file(tmp_path / name) as part:
        part.write_text("whole", encoding="utf-8")
    assert [path.name for path in tmp_path.iterdir()] == [name]
