"""Jobs that do nothing useful, for the tests of the queue; run like `python -m workbench.jobs.requests`."""

import os
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from patchcore.errors import Cancelled, NoImagesError
from workbench.jobs.process import RunningJob, leave, main
from workbench.people import roles

KINDS = {
    kind: f"rehearsal:{kind}" for kind in ("count", "deaf", "refuse", "stumble", "introduce", "poisoned")
}


def count(job: RunningJob) -> dict[str, int]:
    """Count to `steps`, one file a step, going on from the files that are there."""
    found = len(list(job.scratch.iterdir()))
    steps = job.arguments["steps"]
    for step in range(found, steps):
        job.progress("counting", step, steps)
        if job.cancelled():
            raise Cancelled
        time.sleep(job.arguments.get("seconds", 0.02))
        (job.scratch / f"{step}").write_text("", encoding="utf-8")
    job.progress("resting", 1, 1)
    return {"found": found, "counted": steps - found}


def deaf(job: RunningJob) -> None:
    """Never ask whether it was cancelled."""
    time.sleep(60)


def refuse(job: RunningJob) -> None:
    """Raise what the user can mend."""
    raise NoImagesError("There is no image in folder x. Choose another.")


def introduce(job: RunningJob) -> dict[str, str]:
    """Say as whom it acts."""
    person = roles.current()
    return {"name": person.name, "role": person.role.word}


def poisoned(job: RunningJob) -> dict[str, str]:
    """Work on a file and be killed, or stay with it so many seconds; until the file is refused."""
    notes, sha256 = job.workspace.notes, job.arguments["sha256"]
    if not (refusal := notes.refusal(sha256)):
        with notes.in_work(sha256, "poisoned.png"):
            time.sleep(job.arguments.get("seconds", 0))
            os.kill(os.getpid(), signal.SIGKILL)
    return {"refusal": refusal}


def stumble(job: RunningJob) -> None:
    """Raise what only a programmer can mend."""
    raise KeyError("nose")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    leave(main(sys.argv[1:], KINDS))
