"""The workbench's command line."""

import pytest
from typer.testing import CliRunner

from tests.workbench.parts import SMALL, plate
from workbench import samples
from workbench.__main__ import app
from workbench.building import BuildSettings
from workbench.inspecting import list_batches
from workbench.inspectors import list_inspectors, list_versions
from workbench.samples import SampleProduct
from workbench.workspace import Workspace


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
