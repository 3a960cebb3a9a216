"""Every page while the workspace cannot be used: a sentence and a button, no trace, and then it works again."""

import sqlite3
import subprocess
from contextlib import closing, contextmanager

import pytest

from tests.pages.texts import ROOT
from workbench.running import running, stop_all
from workbench.storage import database
from workbench.widgets.shared import sample

PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py"))


@contextmanager
def moved_away(workspace):
    away = workspace.root.with_name("away")
    workspace.root.rename(away)
    yield
    assert not workspace.root.exists()  # no page has begun another one in its place
    away.rename(workspace.root)


@contextmanager
def locked(workspace):
    """Another program has the whole database for itself, readers shut out too."""
    here = running(workspace.root).workspace
    stop_all()
    here.close()
    with closing(sqlite3.connect(workspace.root / "workspace.db", timeout=5)) as other:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        yield


@contextmanager
def without_database(workspace):
    """The folder is there and empty, as where a share was mounted before."""
    file = workspace.root / "workspace.db"
    away = workspace.root.with_name("away.db")
    file.rename(away)
    yield
    assert not file.exists()
    away.rename(file)


FAULTS = [
    (moved_away, "is not there: it was moved or deleted"),
    (without_database, "is not there: it was moved or deleted"),
    (locked, "is locked by another program"),
]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_says_what_is_wrong_and_works_again(empty, open_app, monkeypatch, page):
    """A fault each for the nine pages, in turn; the sentences come from one place."""
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    fault, words = FAULTS[PAGES.index(page) % len(FAULTS)]
    app = open_app()
    with fault(empty):
        app.run() if page == "home" else app.switch_page(f"pages/{page}.py").run()
        assert not app.exception and words in app.error[0].value.replace("\\", "")
        assert "Traceback" not in str(app.main)
    app.button(key="page_again").click().run()
    assert not app.exception and not app.error


@pytest.fixture
def small_disk(tmp_path):
    """A disk of two megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("only an administrator may mount a small disk")
    yield place
    stop_all()
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_page_on_a_full_disk_refuses_and_goes_on_once_there_is_room(small_disk, open_app, monkeypatch):
    monkeypatch.setenv("PATCHCORE_WORKSPACE", str(small_disk / "here"))
    app = open_app("history")
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        while True:
            file.write(b"x" * 4096)
    app = app.switch_page("pages/home.py").run()
    app.button(key="open_sample").click().run()
    assert not app.exception
    assert "is full" in " ".join(one.value for one in (*app.error, *app.warning)).replace("\\", "")
    filler.unlink()
    del app.session_state[sample.ASKED]  # the sample itself is larger than this disk
    app.run()
    assert not app.exception and not app.error
    assert not any((small_disk / "here" / "temporary").iterdir())  # nothing half-written is left
