"""The workbench's command line."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from tests.workbench.parts import SMALL, plate
from workbench.__main__ import app
from workbench.inspections import samples
from workbench.inspections.batches import list_batches, list_results
from workbench.inspections.samples import SampleProduct
from workbench.inspectors.building import BuildSettings
from workbench.inspectors.versions import list_inspectors, list_versions
from workbench.storage.workspace import Workspace


@pytest.fixture
def home(tmp_path, monkeypatch):
    good = tmp_path / "washer" / "train" / "good"
    good.mkdir(parents=True)
    for seed in range(3):
        (good / f"{seed}.png").write_bytes(plate(seed))
    test = tmp_path / "washer" / "test" / "good"
    test.mkdir(parents=True)
    (test / "9.png").write_bytes(plate(9))
    found = samples.list_samples(tmp_path)
    monkeypatch.setattr(samples, "list_samples", lambda: found)
    monkeypatch.setattr(SampleProduct, "settings", property(lambda self: BuildSettings(name="W", **SMALL)))
    monkeypatch.setenv("PATCHCORE_WORKSPACE", str(tmp_path / "here"))
    return tmp_path / "here"


def test_the_sample_is_prepared_once(home):
    first, second = (CliRunner().invoke(app, ["prepare-sample"]) for _ in range(2))
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "Building the sample inspector Stamped washer" in first.stderr.replace("\n", " ")
    assert first.stdout == "" and second.stderr == ""
    workspace = Workspace(home)
    assert [inspector.id for inspector in list_inspectors(workspace)] == ["sample-washer"]
    assert len(list_versions(workspace, "sample-washer")) == 1
    assert len(list_batches(workspace, "sample-washer")) == 1
    workspace.database.close()


def test_check_repairs_and_says_so_by_its_exit_code(worked, monkeypatch):
    monkeypatch.setenv("PATCHCORE_WORKSPACE", str(worked.root))
    runner = CliRunner()
    assert runner.invoke(app, ["check"]).exit_code == 0
    (worked.root / list_results(worked, 1, 1)[0].map_path).unlink()
    told, mended, again = (
        runner.invoke(app, ["check", *more]) for more in ([], ["--repair"], ["--grace", "0"])
    )
    assert (told.exit_code, mended.exit_code, again.exit_code) == (1, 0, 0)
    assert "missing" in told.stdout and "yes" in mended.stdout and "in order now" in mended.stderr
    worked.image_path(list_results(worked, 1, 1)[0].image.sha256).unlink()
    hopeless = runner.invoke(app, ["check", "--repair"])
    assert hopeless.exit_code == 1 and "Still to do" in hopeless.stdout


def test_backup_and_restore(worked, monkeypatch, tmp_path):
    monkeypatch.setenv("PATCHCORE_WORKSPACE", str(worked.root))
    runner, file = CliRunner(), str(tmp_path / "all.zip")
    done = runner.invoke(app, ["backup", file])
    assert done.exit_code == 0 and "13 files" not in done.stdout and "18 files" in done.stderr
    monkeypatch.delenv("PATCHCORE_DATABASE_URL", raising=False)
    back = runner.invoke(app, ["restore", file, "--into", str(tmp_path / "new")])
    assert back.exit_code == 0 and f"PATCHCORE_WORKSPACE to {tmp_path / 'new'}" in back.stderr
    assert (tmp_path / "new" / "workspace.db").exists()


def test_a_backup_with_losses_says_so_by_its_exit_code(worked, monkeypatch, tmp_path):
    monkeypatch.setenv("PATCHCORE_WORKSPACE", str(worked.root))
    worked.image_path(list_results(worked, 1, 1)[0].image.sha256).unlink()
    done = CliRunner().invoke(app, ["backup", str(tmp_path / "all.zip")])
    assert done.exit_code == 1 and "is missing" in done.stderr and "workbench check" in done.stderr
    monkeypatch.delenv("PATCHCORE_DATABASE_URL", raising=False)
    back = CliRunner().invoke(app, ["restore", str(tmp_path / "all.zip"), "--into", str(tmp_path / "new")])
    assert back.exit_code == 1 and "is missing" in back.stderr


def test_an_inspector_goes_from_one_workspace_to_another_by_commands(worked, tmp_path, monkeypatch):
    monkeypatch.setenv("PATCHCORE_WORKSPACE", str(worked.root))
    runner, file = CliRunner(), tmp_path / "plate.patchcore"
    told = runner.invoke(app, ["export", "plate-1", str(file), "--version", "1"])
    assert told.exit_code == 0 and "Plate, version 1.1" in told.stderr and file.stat().st_size > 10_000
    again = runner.invoke(app, ["export", "Plate", str(file)])
    assert again.exit_code == 1 and "is there already" in str(again.exception)
    brought = runner.invoke(app, ["import", str(file), "--name", "Plate, line 4"])
    assert brought.exit_code == 0 and "Plate, line 4, version 1, is in" in brought.stderr.replace("\n", " ")
    names = {inspector.id: inspector.name for inspector in list_inspectors(worked)}
    assert names[brought.stdout.strip()] == "Plate, line 4" and len(names) == 2
    later = runner.invoke(app, ["import", str(file), "--into", "plate-1"])
    assert later.exit_code == 0 and [one.number for one in list_versions(worked, "plate-1")] == [2, 1]
    file.write_bytes(file.read_bytes()[:-10])
    refused = runner.invoke(app, ["import", str(file)])
    assert refused.exit_code == 1 and "plate.patchcore" in str(refused.exception)
    assert len(list_inspectors(worked)) == 2


def test_the_list_of_people_is_checked_and_printed(home, monkeypatch):
    home.mkdir()
    file = home / "people.toml"
    file.write_text('"anna@example.com" = "engineer"\n"ben@example.com" = "view"\n', encoding="utf-8")
    told = CliRunner().invoke(app, ["people"])
    assert told.exit_code == 0 and "anna@example.com" in told.stdout and "none" in told.stdout
    file.write_text('"anna@example.com" = "boss"\n', encoding="utf-8")
    assert "line 1: the role is none of" in str(CliRunner().invoke(app, ["people"]).exception)


def test_no_command_waits_for_scipy_or_torch_before_it_needs_them():
    code = "import sys, workbench.__main__; sys.exit(bool({'scipy', 'torch', 'sqlalchemy'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
