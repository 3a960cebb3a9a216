"""Outputs that cannot be written: tried before the work; one that fails later stops only itself."""

import json
import resource
import shutil
from pathlib import Path

import pytest

from patchcore.cli import terminal
from patchcore.detector import Detector
from patchcore.errors import PatchCoreError
from tests.patchcore.cli.test_commands import built, patchcore, product  # noqa: F401 - fixtures

COMMANDS = {
    "build": ("build", "{good}", "-o", "{target}", "--image-size", "64"),
    "overlays": ("score", "{model}", "{test}", "--overlays", "{target}"),
    "report": ("report", "{model}", "{product}", "-o", "{target}"),
}


@pytest.fixture
def unloadable(monkeypatch):
    """Nothing costly may begin: no inspector is loaded and none is fitted."""

    def refuse(*_args, **_options):
        raise AssertionError("the work began before its target was tried")

    monkeypatch.setattr(Detector, "load", refuse)
    monkeypatch.setattr(Detector, "fit", refuse)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("target", ["file/x", "file/deeper/x", "/proc/none/x", "/dev/null/x"])
def test_targets_are_tried_before_the_work(built, product, tmp_path, unloadable, command, target):  # noqa: F811
    if target.startswith("/") and not Path("/proc/self").exists():
        pytest.skip("a place that nobody can write to, on Linux")
    (tmp_path / "file").write_text("here", encoding="utf-8")
    place = target if target.startswith("/") else tmp_path / target
    values = {
        "good": product / "train/good",
        "model": built[1],
        "test": product / "test",
        "product": product,
        "target": place,
    }
    done = patchcore(*(text.format(**values) for text in COMMANDS[command]), expect=1)
    said = " ".join(done.stderr.split())
    assert str(place) in said.replace("x.patchcore", "x") and "cannot be written" in said
    assert "Choose" in said and "Traceback" not in said and done.stdout == ""
    assert [path.name for path in tmp_path.iterdir()] == ["file"] and (tmp_path / "file").read_text(
        encoding="utf-8"
    ) == "here"


def test_an_existing_file_is_no_folder_for_overlays(built, product, tmp_path, unloadable):  # noqa: F811
    (tmp_path / "file").write_text("here", encoding="utf-8")
    done = patchcore("score", built[1], product / "test", "--overlays", tmp_path / "file", expect=1)
    assert "is a file, not a folder" in " ".join(done.stderr.split())


def limited(*arguments):
    """Run the command line where no file may grow beyond 3,000 bytes, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)  # Python itself ignores the signal, SIGXFSZ
    resource.setrlimit(resource.RLIMIT_FSIZE, (3_000, before[1]))
    try:
        return patchcore(*arguments, expect=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_overlays_that_fail_later_leave_the_scores(built, product, tmp_path):  # noqa: F811
    done = limited("score", built[1], product / "test", "--overlays", tmp_path / "pictures", "--json")
    rows = json.loads(done.stdout)
    assert [row["error"] for row in rows] == [None, None] and all(row["score"] > 0 for row in rows)
    assert [row["overlay"] for row in rows] == [None, None]
    assert "cannot be written" in done.stderr and "Traceback" not in done.stderr
    assert list((tmp_path / "pictures").iterdir()) == []


def test_a_threshold_that_cannot_be_stored_is_still_printed(built, tmp_path):  # noqa: F811
    inspector = shutil.copy(built[1], tmp_path / "x.patchcore")
    before = Path(inspector).read_bytes()
    done = limited("threshold", inspector, "--rule", "from_good:budget=0.4", "--save", "--json")
    assert "cannot be written" in done.stderr and "Traceback" not in done.stderr
    assert Path(inspector).read_bytes() == before and len(list(tmp_path.iterdir())) == 1


def test_a_build_whose_folder_is_gone_is_written_elsewhere(product, tmp_path, monkeypatch):  # noqa: F811
    target, fit = tmp_path / "out/x.patchcore", Detector.fit
    target.parent.mkdir()

    def fit_and_lose(model, *args, **options):
        fitted = fit(model, *args, **options)
        target.parent.rmdir()
        target.parent.write_text("a file has taken its place", encoding="utf-8")
        return fitted

    monkeypatch.setattr(Detector, "fit", fit_and_lose)
    done = patchcore("build", product / "train/good", "-o", target, "--image-size", 64, "--json", expect=1)
    place = Path(json.loads(done.stdout)["path"])
    try:
        assert Detector.load(place).bank_id_
        assert str(target) in done.stderr and str(place) in done.stderr.replace("\n", "")
    finally:
        shutil.rmtree(place.parent)


def test_a_result_that_can_be_written_nowhere_is_an_error(tmp_path, monkeypatch):
    def refuse(place):
        place.write_text("half", encoding="utf-8")
        place.unlink()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(PatchCoreError, match="No space left on device.*Make room"):
        terminal.write_result(tmp_path / "x", refuse)
    assert list(tmp_path.iterdir()) == []
