"""A picture that kills its process, in a batch, in a job and on the command line: set aside, and the rest done.

Two deaths of each are on record already; the third is real. All three are real in `watching/test_poisoned.py`.
"""

import json
import os
import signal
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from sqlalchemy import func, select

from patchcore.disk.work_notes import STOPPED, TRIES, WorkNotes
from tests.poison import Nursery, poisoned, unreadable
from tests.workbench.parts import OLA, VIC, plate, store_plates
from tests.workbench.processes import wait_until
from workbench.inspections.background_scorer import Scorer
from workbench.inspections.batches import count_unscored, create_batch, list_results
from workbench.jobs.requests import JobState, cancel, get_job, submit
from workbench.people.roles import NotAllowed, acting
from workbench.storage.tables import Inspection, Scoring
from workbench.upkeep.check import check

pytestmark = pytest.mark.skipif(os.name == "nt", reason="forks, and signals of POSIX")
POISON = poisoned(1)


@pytest.fixture
def database_kind(monkeypatch):
    """One kind of database: notes lie in files."""
    monkeypatch.delenv("PATCHCORE_DATABASE_URL", raising=False)
    return "sqlite"


@pytest.fixture(scope="module")
def nursery():
    with Nursery() as nursery:
        yield nursery


def die_twice(folder, data=POISON, step="read"):
    """Put two deaths of a file on record."""
    notes = WorkNotes(folder)
    folder.mkdir(exist_ok=True, parents=True)
    moment = datetime.now(UTC).isoformat()
    record = f'{{"name": "p", "deaths": {TRIES - 1}, "at": "{moment}", "host": "x", "pid": 1}}'
    (folder / f"{sha256(data).hexdigest()}-{step}.json").write_text(record, encoding="utf-8")
    assert notes.refusal(sha256(data).hexdigest()) == "" and notes.suspects()


def test_batch_is_scored_apart_from_the_picture_that_kills_and_it_is_tried_again_when_asked(
    nursery, workspace, version
):
    die_twice(workspace.root / "in_work")
    images = [workspace.store_image(POISON, "kills.png"), *store_plates(workspace, 3)]
    images += [workspace.store_image(data, name) for name, data in unreadable(plate(3)).items() if data]
    batch = create_batch(workspace, "plate-1", images, "batch")
    with workspace.database.write() as session:  # asked for, and taken by no server yet
        session.add(Scoring(batch_id=batch, version_id=version.id, made_by="Ola"))
    deaths, _ = nursery.live_on("scorer", workspace.root, batch, version.id)
    results = {result.image.name: result for result in list_results(workspace, batch, version.id)}
    assert deaths == 1 and len(results) == len(images)
    assert [result.error for result in results.values() if result.score is not None] == [None] * 3
    assert [name for name, one in results.items() if (one.error or "").startswith(STOPPED)] == ["kills.png"]

    assert check(workspace, grace=0) == []  # it knows the folder of notes

    scorer = Scorer(workspace)
    with acting(VIC), pytest.raises(NotAllowed, match="tried again"):
        scorer.try_again(batch, version.id)
    with acting(OLA):
        scorer.try_again(batch, version.id)
    while scorer.wait(batch, version.id, 1.0):
        pass
    scorer.stop()
    assert count_unscored(workspace, batch, version.id) == 0
    results = {result.image.name: result for result in list_results(workspace, batch, version.id)}
    assert results["kills.png"].score is not None  # nothing kills this process
    assert sum(result.error is not None for result in results.values()) == len(images) - 4
    with workspace.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Inspection)) == len(images)


def test_build_and_score_of_the_command_line_leave_the_picture_out_and_try_it_again_when_asked(
    nursery, tmp_path
):
    good, parts, inspector = tmp_path / "good", tmp_path / "parts", tmp_path / "a.patchcore"
    for folder, seeds in ((good, range(4)), (parts, range(10, 12))):
        folder.mkdir()
        for seed in seeds:
            (folder / f"{seed}.png").write_bytes(plate(seed))
    (good / "0 kills.png").write_bytes(POISON)
    (parts / "0 kills.png").write_bytes(poisoned(2))
    cache = tmp_path / "cache"
    die_twice(cache / "patchcore" / "in_work")
    die_twice(cache / "patchcore" / "in_work", poisoned(2), "score")

    build = ("build", good, "--output", inspector, "--image-size", 64, "--coreset", 0.5)
    deaths, said = nursery.live_on("command", cache, *build)
    assert deaths == 1 and inspector.exists()
    assert f"left out 0 kills.png: {STOPPED}" in " ".join(said.split()) and "patchcore --again" in said

    score = ("score", inspector, parts, "--json")
    deaths, said = nursery.live_on("command", cache, *score)
    rows = json.loads(said[said.index("[\n") : said.rindex("]") + 1])
    assert deaths == 1 and [row["score"] is None for row in rows] == [True, False, False]
    assert rows[0]["error"].startswith(STOPPED)
    assert nursery.live("command", cache, "--again", *score)[0] == -signal.SIGKILL


def test_job_whose_process_dies_on_a_file_goes_on_by_itself(workspace, rehearsals):
    die_twice(workspace.root / "in_work")
    job_id = submit(workspace, "poisoned", "", {"sha256": sha256(POISON).hexdigest()})
    wait_until(lambda: get_job(workspace, job_id).state not in (JobState.QUEUED, JobState.RUNNING))
    job = get_job(workspace, job_id)
    assert (job.state, job.attempts) == (JobState.DONE, 2)
    assert job.result["refusal"].startswith(STOPPED)


def test_job_that_a_person_stops_leaves_no_death(workspace, rehearsals):
    job_id = submit(workspace, "poisoned", "", {"sha256": sha256(POISON).hexdigest(), "seconds": 60})
    wait_until(lambda: list((workspace.root / "in_work").glob("*.note")))
    cancel(workspace, job_id)
    wait_until(lambda: get_job(workspace, job_id).state == JobState.CANCELLED)
    notes = WorkNotes(workspace.root / "in_work")
    notes.count_deaths()
    assert notes.suspects() == {}
