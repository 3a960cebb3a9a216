"""Places: a name leads strictly below its own folder or nowhere, and folders are open to their owner alone."""

import os
from pathlib import Path

import pytest

from tests.workbench.parts import build_small, plate, store_plates
from workbench.inspections.batches import create_batch, score_batch
from workbench.inspectors.building import BuildSettings, build, new_inspector_id, submit_build
from workbench.inspectors.importing import import_inspector
from workbench.inspectors.version_files import store_version
from workbench.inspectors.versions import find_inspector, make_current, rename
from workbench.jobs.process import RunningJob
from workbench.jobs.requests import JobState, submit
from workbench.storage.database import WorkspaceError
from workbench.storage.places import (
    below,
    is_id,
    make_folder,
    make_root,
    portable_path,
    require_id,
    require_sha256,
)
from workbench.storage.roi import keep_region
from workbench.storage.tables import Job
from workbench.storage.workspace import Workspace
from workbench.upkeep.bin import delete_inspector
from workbench.upkeep.quarantine import Bin

POSIX = pytest.mark.skipif(os.name == "nt", reason="links and modes are of POSIX")
NO_IDS = (
    "", ".", "..", "../x", "a/b", "a\\b", "/a", "~", "C:", "A", "a_b", "a.b", "a b", "a\n", "a\0", "ä", "аbс", "a" * 65,
    None, 7, True, ["a"], b"a",
)  # fmt: skip
NO_PATHS = (
    "", ".", "..", "a/..", "../a", "a/../b", "a//b", "/a", "a/", "./a", "~/a", "a\\b", "..\\a", "C:\\a", "C:/a", "C:a",
    "a\0b", "a\nb", "a b", "a.", "a ", "a/b. ", ".hidden", "-a", "a/NUL", "a/con.png", "ａ", "a\u202eb", "a" * 200,
    "a/\u2024\u2024/b", "aux.tar.png", "COM0/a", None, 7,
)  # fmt: skip


@pytest.fixture
def database_kind(monkeypatch):
    """Which database there is does not matter here."""
    monkeypatch.delenv("PATCHCORE_DATABASE_URL", raising=False)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "own").mkdir()
    return (tmp_path / "own").resolve()


@pytest.mark.parametrize("path", ["a", "a/b.png", "v0001/model.patchcore", "A_b-c.d/e"])
def test_paths_of_this_program_lead_below(folder, path):
    assert below(folder, path) == folder / path == below(folder, folder / path) == below(folder, Path(path))


@pytest.mark.parametrize("path", NO_PATHS, ids=ascii)
def test_a_text_that_leads_elsewhere_is_refused(folder, path):
    with pytest.raises(WorkspaceError, match="not a path of a workspace|does not lie below"):
        below(folder, portable_path(path) if path is None or path == 7 else path)


@pytest.mark.parametrize(
    "path", [".", "", "..", "../own", "a/../..", "../owner", "/etc/passwd", "a\0b"], ids=ascii
)
def test_a_path_that_is_not_strictly_below_is_refused(folder, path):
    with pytest.raises(WorkspaceError, match="does not lie below"):
        below(folder, folder / path)
    with pytest.raises(WorkspaceError, match="does not lie below"):
        below(folder, Path(path))


def test_any_names_that_were_listed_are_taken(folder):
    for name in ("notes from Anna.txt", "ä.png", ".hidden", "a..b", "-x"):
        assert below(folder, folder / name) == folder / name


@POSIX
def test_a_link_on_the_way_is_refused_wherever_it_leads(folder, tmp_path):
    (tmp_path / "victim").mkdir()
    (folder / "real").mkdir()
    for name, target in (("out", tmp_path / "victim"), ("in", folder / "real"), ("up", folder)):
        (folder / name).symlink_to(target)
        for path in (name, f"{name}/x", f"{name}/x/y"):
            with pytest.raises(WorkspaceError, match="crosses a link"):
                below(folder, path)
    with pytest.raises(WorkspaceError):
        below(folder / "out", "x")  # the folder itself is one


@pytest.mark.parametrize("value", NO_IDS, ids=ascii)
def test_an_impossible_id_is_refused_as_every_argument(workspace, value):
    with pytest.raises(WorkspaceError, match="not the id of an inspector"):
        require_id(value)
    assert not is_id(value) and find_inspector(workspace, value) is None
    images, settings = store_plates(workspace, 2), BuildSettings(name="x")
    before = sorted(workspace.root.rglob("*"))
    for use in (
        lambda: build(workspace, settings, images, inspector_id=value),
        lambda: workspace.version_folder(value, 1),
        lambda: workspace.model_path(value, "inspectors/a/v0001/model.patchcore"),
        lambda: store_version(workspace, value, None, None, settings={}, measured={}, change="build", why=""),
        lambda: make_current(workspace, value, 1),
        lambda: rename(workspace, value, "x"),
        lambda: delete_inspector(workspace, value),
        lambda: submit(workspace, "sweep", "x", {"inspector_id": value}),
    ):
        with pytest.raises(WorkspaceError, match="not the id of an inspector"):
            use()
    if value is not None:  # which means a new one
        for use in (
            lambda: submit_build(workspace, settings, images, inspector_id=value),
            lambda: import_inspector(workspace, b"", into=value),
        ):
            with pytest.raises(WorkspaceError, match="not the id of an inspector"):
                use()
    assert sorted(workspace.root.rglob("*")) == before


def test_every_new_id_is_valid():
    for name in ("Häuser / Ω", "", "../..", "A" * 500, "x\0y"):
        assert require_id(new_inspector_id(name))


@pytest.mark.parametrize(
    "value", ["", "..", "a" * 63, "A" * 64, f"../{'a' * 61}", "a" * 65, f"{'a' * 64}\n", None, 7]
)
def test_an_impossible_hash_is_refused_wherever_it_names_a_file(workspace, value):
    for use in (
        lambda: require_sha256(value),
        lambda: workspace.image_file(value, ".png"),
        lambda: workspace.thumbnail_path(value),
        lambda: workspace.region_path(value),
        lambda: workspace.map_path(1, value),
        lambda: keep_region(workspace, value, None),
    ):
        with pytest.raises(WorkspaceError, match="not the SHA-256"):
            use()


@pytest.mark.parametrize(
    "suffix", ["", "png", ".PNG", "./x", ".png/../../x", ".p ng", ".png.", "." + "a" * 13, None]
)
def test_an_impossible_suffix_is_refused(workspace, suffix):
    with pytest.raises(WorkspaceError, match="not the suffix"):
        workspace.image_file("a" * 64, suffix)


@pytest.mark.parametrize("number", ["..", "1/../..", -1, "x\\y", ""])
def test_an_impossible_number_names_no_folder(workspace, number):
    for use in (lambda: workspace.job_folder(number), lambda: workspace.map_path(number, "a" * 64)):
        with pytest.raises(WorkspaceError):
            use()


@pytest.mark.parametrize(
    "path", ["..", "workspace.db", "images/x", "results", "results/../images/x.png", "/results/x"]
)
def test_a_map_lies_among_the_results(workspace, path):
    with pytest.raises(WorkspaceError):
        workspace.tile_path(path)


@pytest.mark.parametrize(
    "target", [".", "..", "../x", "x", "workspace.db", "people.toml", "images", "images/../x", "bin"]
)
def test_a_file_or_folder_is_put_into_one_of_the_places_alone(workspace, target, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(WorkspaceError), workspace.new_file(workspace.root / target):
        pass
    with workspace.draft_folder() as draft, pytest.raises(WorkspaceError):
        workspace.place_folder(draft, workspace.root / target)
    with pytest.raises(WorkspaceError):
        workspace.place_folder(workspace.root / "images", workspace.root / "inspectors" / "a" / "v0001")
    with pytest.raises(WorkspaceError):
        workspace.delete(workspace.root / target, "images")
    assert sorted(tmp_path.rglob("*")) == before


def test_the_bin_takes_only_files_of_the_workspace(workspace, tmp_path):
    (tmp_path / "victim.png").write_bytes(b"x")
    for path in (tmp_path / "victim.png", workspace.root / ".." / "victim.png", workspace.root):
        with pytest.raises(WorkspaceError):
            Bin(workspace).put_file(path, "")
    assert (tmp_path / "victim.png").exists() and not (workspace.root / "bin").exists()


@POSIX
def test_every_folder_is_open_to_its_owner_alone(tmp_path, monkeypatch):
    monkeypatch.delenv("PATCHCORE_DATABASE_URL", raising=False)
    workspace = Workspace(tmp_path / "above" / "here")
    version = build_small(workspace, 2)
    list(
        score_batch(
            workspace, create_batch(workspace, "plate-1", store_plates(workspace, 1, first=9), "b"), version
        )
    )
    workspace.thumbnail(workspace.store_image(plate(0), "x.png").sha256)
    workspace.spool_folder()
    Bin(workspace).put_file(workspace.root / "inspectors" / "plate-1" / "v0001", "")
    with workspace.database.write() as session:
        job = Job(kind="retain", title="", arguments={}, state=JobState.RUNNING, attempts=1)
        session.add(job)
    with RunningJob(workspace, job.id, 1), workspace.draft_folder():
        folders = [path for path in workspace.root.rglob("*") if path.is_dir()]
    assert {"scratch", "v0001", "1", "bin", "watches"} <= {path.name for path in folders}
    modes = {
        str(path): oct(path.stat().st_mode & 0o777) for path in (workspace.root, *folders) if path.exists()
    }
    assert set(modes.values()) == {"0o700"}, modes
    workspace.close()


@POSIX
def test_existing_folders_and_their_parents_keep_their_mode(tmp_path):
    for name in ("used", "empty"):
        (tmp_path / name).mkdir()
        (tmp_path / name).chmod(0o755)
    (tmp_path / "used" / "file").write_text("", encoding="utf-8")
    for name in ("used", "empty", "new/below"):
        make_root(tmp_path / name)
    modes = {name: (tmp_path / name).stat().st_mode & 0o777 for name in ("used", "empty", "new/below")}
    assert modes == {"used": 0o755, "empty": 0o700, "new/below": 0o700}
    make_folder(tmp_path / "used" / "a" / "b")
    assert [(tmp_path / "used" / name).stat().st_mode & 0o777 for name in ("a", "a/b")] == [0o700] * 2
    umask = os.umask(0o002)
    os.umask(umask)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o777 & ~umask  # nobody's workspace
