"""What the tests of the workbench share: a workspace, a queue, and patience."""

import shutil

import pytest

from tests.workbench.parts import SIDE, build_small, store_plates
from tests.workbench.postgresql import NEEDS_POSTGRESQL, Server, SharedDatabase, find_programs
from tests.workbench.processes import REHEARSAL, end_all, wait_until
from workbench.inspections.batches import create_batch, score_batch
from workbench.inspectors.versions import get_version
from workbench.jobs.queue import JobQueue
from workbench.jobs.requests import JobState, log_path
from workbench.storage.database import Database
from workbench.storage.roi import Roi, keep_region
from workbench.storage.shapes import Shape
from workbench.storage.tables import Job
from workbench.storage.workspace import Workspace


@pytest.fixture(scope="session")
def postgresql():
    """A server with one database of the newest schema, for as long as the tests run."""
    with Server(find_programs()) as server:
        url = server.url(server.make_database())
        Database(url).close()
        shared = SharedDatabase(server, url)
        yield shared
        shared.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=NEEDS_POSTGRESQL)])
def database_kind(request, monkeypatch):
    """Have workspaces keep their rows in SQLite, then, in a second run of the test, on a PostgreSQL server."""
    monkeypatch.delenv("PATCHCORE_DATABASE_URL", raising=False)
    if request.param == "postgresql":
        shared = request.getfixturevalue("postgresql")
        shared.empty()
        monkeypatch.setenv("PATCHCORE_DATABASE_URL", shared.url)
    return request.param


@pytest.fixture(scope="session")
def untouched(tmp_path_factory):
    """A workspace nobody has used, to be copied: making the tables takes longer than most tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PATCHCORE_DATABASE_URL", raising=False)
        workspace = Workspace(tmp_path_factory.mktemp("untouched"))
        workspace.database.close()
    return workspace.root


@pytest.fixture
def workspace(tmp_path, database_kind, untouched):
    if database_kind == "sqlite":
        shutil.copytree(untouched, tmp_path / "here")
    workspace = Workspace(tmp_path / "here")
    yield workspace
    workspace.close()


@pytest.fixture
def rehearsals(workspace):
    """A queue of rehearsal jobs, moving by itself; nothing is left running."""
    queue = JobQueue(workspace, command=REHEARSAL).start()
    yield queue
    end_all(workspace)
    wait_until(lambda: not queue._children)
    queue.stop()


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """A workspace with one small inspector, to be copied."""
    workspace = Workspace(tmp_path_factory.mktemp("built"))
    build_small(workspace)
    workspace.close()
    return workspace.root


@pytest.fixture(scope="session")
def worked_in(tmp_path_factory, built):
    """A workspace in which an inspector was built, three images were scored, and a job left its log."""
    root = tmp_path_factory.mktemp("worked") / "here"
    shutil.copytree(built, root)
    workspace = Workspace(root)
    version = get_version(workspace, 1)
    images = [
        *store_plates(workspace, 2, first=20, scratched=True, truth="scratch"),
        *store_plates(workspace, 1, first=9),
    ]
    batch = create_batch(workspace, version.inspector_id, images, "Monday")
    assert all(result.error is None for result in score_batch(workspace, batch, version))
    workspace.thumbnail(images[0].sha256)
    triangle = Shape("polygon", ((8.0, 8.0), (56.0, 8.0), (8.0, 56.0)))
    keep_region(workspace, images[0].sha256, Roi((triangle,), SIDE, SIDE))
    with workspace.database.write() as session:
        session.add(Job(kind="build", title="Build", arguments={}, state=JobState.DONE))
    workspace.job_folder(1).mkdir(parents=True)
    log_path(workspace, 1).write_text("it went well\n", encoding="utf-8")
    workspace.close()
    return workspace.root


@pytest.fixture
def version(workspace, built, request):
    """The version of a small inspector in the test's own workspace."""
    _copy_workspace(built, workspace, request)
    return get_version(workspace, 1)


@pytest.fixture
def worked(workspace, worked_in, request):
    """A copy of that workspace, of the test's own."""
    _copy_workspace(worked_in, workspace, request)
    return workspace


def _copy_workspace(root, workspace, request):
    shutil.copytree(root, workspace.root, dirs_exist_ok=True)
    if not workspace.database.is_sqlite:
        request.getfixturevalue("postgresql").fill(root)
