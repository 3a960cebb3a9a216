"""The app's side: what the dashboard's server does, without the pages."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.survival.kinds import KINDS
from tests.survival.setting import App, Ledger
from workbench.inspections.background_scorer import Scorer
from workbench.jobs.queue import JobQueue
from workbench.storage.workspace import Workspace

JOB = (sys.executable, "-m", "tests.survival.job")


def main(root: str, ledger: str) -> None:
    workspace = Workspace(root)
    queue = JobQueue(workspace, command=JOB).start()
    app = App(workspace, Scorer(workspace).resume(), Ledger(Path(ledger)))
    for kind in KINDS:
        kind.work(app)
    app.scorer.stop()
    queue.stop()
    workspace.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
