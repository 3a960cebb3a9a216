"""What the tests of the workbench share: a workspace, a queue, and patience."""

import os
import shutil

import pytest

from tests.workbench.parts import build_small
from tests.workbench.processes import REHEARSAL, end_all, wait_until
from workbench.inspectors import get_version
from workbench.job_queue import JobQueue
from workbench.workspace import Workspace

os.environ.setdefault("OMP_NUM_THREADS", "1")  # images of 64 px: threads would only wait for each other


@pytest.fixture
def workspace(tmp_path):
    workspace = Workspace(tmp_path / "here")
    yield workspace
    workspace.database.close()


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
    workspace.database.close()
    return workspace.root


@pytest.fixture
def version(workspace, built):
    """The version of a small inspector in the test's own workspace."""
    shutil.copytree(built, workspace.root, dirs_exist_ok=True)
    return get_version(workspace, 1)
