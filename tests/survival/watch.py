"""A watched folder that is interrupted: what arrives in it is scored, told and moved once, whoever is killed."""

from __future__ import annotations

import os
import time
from collections import Counter
from pathlib import Path

from sqlalchemy import select

from tests.survival.setting import INSPECTOR, WATCHED, App, Kind, Ledger, inspections, picture
from workbench.jobs import requests
from workbench.jobs.requests import JobState
from workbench.storage.tables import Batch, BatchImage, Result, Watch, WatchedFile
from workbench.storage.workspace import Workspace
from workbench.watching.standing import WatchOptions, start_watch, stop_watch


def watch(app: App) -> None:
    """Deliver images into a watched folder; the job of the watch moves each once it is judged."""
    folder, sorted_into = watched_places(app.workspace)
    folder.mkdir(exist_ok=True)
    os.environ["PATCHCORE_ROOTS"] = str(folder.parent)
    row = the_watch(app.workspace)
    if row is None:
        start_watch(
            app.workspace,
            INSPECTOR,
            str(folder),
            WatchOptions(settle=0.1, outputs={"move_to": str(sorted_into)}),
        )
    for name in WATCHED:
        if not (folder / name).exists() and name not in moved(app.workspace):
            (folder / f"{name}.part").write_bytes(picture(100 + int(name[:-4])))
            (folder / f"{name}.part").replace(folder / name)
    told = app.ledger.told("watch")
    while len(told) < len(WATCHED):
        for file in watched_files(app.workspace):
            if file.path not in told:
                told[file.path] = file.told["score"]
                app.ledger.tell("watch", file.path, file.told["score"])
        time.sleep(0.05)
    while len(moved(app.workspace)) < len(WATCHED):
        time.sleep(0.05)
    row = the_watch(app.workspace)
    assert row is not None and row.job_id is not None
    stop_watch(app.workspace, row.id)
    while requests.get_job(app.workspace, row.job_id).state != JobState.CANCELLED:
        time.sleep(0.05)


def watched_places(workspace: Workspace) -> tuple[Path, Path]:
    return workspace.root.parent / "watched", workspace.root.parent / "sorted"


def the_watch(workspace: Workspace) -> Watch | None:
    with workspace.database.read() as session:
        return session.scalar(select(Watch))


def watched_files(workspace: Workspace) -> list[WatchedFile]:
    with workspace.database.read() as session:
        return list(session.scalars(select(WatchedFile)))


def watched_results(workspace: Workspace) -> list[Result]:
    query = select(Result).join(Result.image).join(Batch, Batch.id == BatchImage.batch_id)
    with workspace.database.read() as session:
        return list(session.scalars(query.where(Batch.watch_id.is_not(None))))


def moved(workspace: Workspace) -> list[str]:
    return sorted(path.name for path in watched_places(workspace)[1].rglob("*.png"))


def watched_share(workspace: Workspace) -> float:
    return len(moved(workspace)) / len(WATCHED)


def verify_watched(workspace: Workspace, ledger: Ledger) -> None:
    rows = inspections(workspace, "watch")
    repeated = [name for name, times in Counter(row.name for row in rows).items() if times > 1]
    assert not repeated, f"watched files were scored again: {repeated}"
    scores = {row.name: row.score for row in rows}
    for name, value in ledger.told("watch").items():
        assert scores.get(str(name)) == value, f"{name} has another score, or none"


def all_watched(workspace: Workspace) -> None:
    assert moved(workspace) == sorted(WATCHED) and not list(watched_places(workspace)[0].iterdir())
    assert sorted(file.path for file in watched_files(workspace) if file.finished) == sorted(WATCHED)
    rows, results = inspections(workspace, "watch"), watched_results(workspace)
    assert {row.batch_image_id: row.score for row in rows} == {
        one.batch_image_id: one.score for one in results
    }
    assert len(rows) == len(results) == len(WATCHED)
    assert {row.name: row.verdict for row in rows} == {
        path.name: path.parent.name for path in watched_places(workspace)[1].rglob("*.png")
    }


WATCH = Kind("watch", watch, watched_share, verify_watched, all_watched, runs_jobs=True)
