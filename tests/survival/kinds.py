"""The kinds of work that are interrupted: how each is done by the app, how far it is, and what must survive.

A further kind is one more entry of `KINDS`. Its `work` is called again after every restart and goes on with whatever
is not done; it tells the ledger of a thing only when a page would have shown that thing as saved.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter

from sqlalchemy import select

from tests.survival.setting import (
    GOOD,
    IMPORTS,
    INSPECTOR,
    SETTINGS,
    SIDE,
    STORED,
    TEACH_STEPS,
    TEST,
    App,
    Kind,
    Ledger,
    inspections,
    picture,
    stored,
)
from tests.survival.watch import WATCH, watched_files
from workbench.inspections.batches import count_unscored, create_batch, list_batches, list_results, load_map
from workbench.inspectors.building import submit_build
from workbench.inspectors.exporting import export
from workbench.inspectors.importing import import_inspector
from workbench.inspectors.timeline import require_state
from workbench.inspectors.versions import (
    find_inspector,
    get_version,
    list_inspectors,
    list_versions,
    load_model,
)
from workbench.jobs import requests
from workbench.jobs.requests import JobState
from workbench.storage.tables import (
    Batch,
    BatchImage,
    Event,
    Inspection,
    Inspector,
    InspectorVersion,
    Job,
    Result,
)
from workbench.storage.workspace import Workspace
from workbench.tuning.teaching import TEACH, keep_teaching, undo_teaching
from workbench.tuning.teaching_preview import preview_teaching

# ---- store


def store(app: App) -> None:
    told = app.ledger.told("store")
    for number in range(GOOD + TEST):
        image = app.workspace.store_image(picture(number), f"{number}.png")
        if image.sha256 not in told:
            app.ledger.tell("store", image.sha256)


def stored_share(workspace: Workspace) -> float:
    return min(1.0, len(list((workspace.root / "images").rglob("*.png"))) / (GOOD + TEST))


def verify_images(workspace: Workspace, ledger: Ledger) -> None:
    for sha256, path in workspace.image_paths(map(str, ledger.told("store"))).items():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == sha256, (
            f"image {sha256} is not what was stored"
        )


def all_images(workspace: Workspace) -> None:
    assert len(workspace.image_paths(image.sha256 for image in stored(0, GOOD + TEST))) == GOOD + TEST
    assert len(list((workspace.root / "images").rglob("*.*"))) == GOOD + TEST + len(watched_files(workspace))


# ---- build


def build(app: App) -> None:
    if app.ledger.told("build"):
        return
    waiting = builds(app.workspace)  # a job that was submitted without anybody having been told
    job_id = (
        waiting[0].id
        if waiting
        else submit_build(app.workspace, SETTINGS, stored(0, GOOD), inspector_id=INSPECTOR)
    )
    if job_id not in app.ledger.told("submit"):
        app.ledger.tell("submit", job_id)
    job = requests.get_job(app.workspace, job_id)
    while job.state != JobState.DONE:
        if job.state == JobState.INTERRUPTED:
            requests.resume(app.workspace, job_id)
        assert job.state not in (JobState.FAILED, JobState.CANCELLED), job.message
        time.sleep(0.05)
        job = requests.get_job(app.workspace, job_id)
    assert job.result is not None
    app.ledger.tell("build", job.result["version_id"])


def builds(workspace: Workspace) -> list[Job]:
    return [job for job in requests.list_jobs(workspace) if job.kind == "build"]


def built_share(workspace: Workspace) -> float:
    """Features are four fifths of the way; then the coreset, and the version being stored."""
    job = next(iter(builds(workspace)), None)
    if job is None or job.total == 0:
        return 0.0
    if job.state == JobState.DONE:
        return 1.0
    return 0.8 * job.done / job.total if job.stage == "features" else 0.85


def verify_build(workspace: Workspace, ledger: Ledger) -> None:
    for job_id in ledger.told("submit"):
        assert requests.get_job(workspace, int(job_id)).state not in (JobState.FAILED, JobState.CANCELLED)
    for version_id in ledger.told("build"):
        load_model(workspace, get_version(workspace, int(version_id)))
    repeated = [line for line, times in Counter(stored_features(workspace)).items() if times > 1]
    assert not repeated, f"features that were on disk were computed again: {repeated}"


def stored_features(workspace: Workspace) -> list[str]:
    """Which images' features the build put on disk, by its log, over all attempts."""
    logs = [requests.read_log(workspace, job.id, tail=10_000) for job in builds(workspace)]
    return [line for log in logs for line in log.splitlines() if line.startswith(STORED)]


def one_version(workspace: Workspace) -> None:
    assert INSPECTOR in [inspector.id for inspector in list_inspectors(workspace)]
    (version,) = built_versions(workspace)
    model = load_model(workspace, version)
    assert len(model.image_records_) == GOOD
    (job,) = builds(workspace)
    assert job.state == JobState.DONE and len(set(stored_features(workspace))) <= GOOD
    assert not requests.scratch_path(workspace, job.id).exists()


def built_versions(workspace: Workspace) -> list[InspectorVersion]:
    return [version for version in list_versions(workspace, INSPECTOR) if version.change == "build"]


# ---- score


def score(app: App) -> None:
    (version_id,) = app.ledger.told("build")
    batches = brought(app.workspace)
    batch_id = (
        batches[0].id
        if batches
        else create_batch(app.workspace, INSPECTOR, stored(GOOD, GOOD + TEST), "Test")
    )
    app.scorer.want(batch_id, int(version_id))
    told = app.ledger.told("score")
    working = True
    while working:
        working = app.scorer.wait(batch_id, int(version_id), 0.05)
        for result in list_results(app.workspace, batch_id, int(version_id)):
            if result.batch_image_id not in told:
                told[result.batch_image_id] = result.score
                app.ledger.tell("score", result.batch_image_id, result.score)
    assert app.scorer.state(batch_id, int(version_id)).fault == ""
    assert count_unscored(app.workspace, batch_id, int(version_id)) == 0


def brought(workspace: Workspace) -> list[Batch]:
    return [batch for batch in list_batches(workspace, INSPECTOR) if batch.watch_id is None]


def scored_share(workspace: Workspace) -> float:
    return min(1.0, len(list((workspace.root / "results").rglob("*.png"))) / TEST)


def verify_scores(workspace: Workspace, ledger: Ledger) -> None:
    results = {}
    for batch in brought(workspace):
        for version in list_versions(workspace, INSPECTOR):
            for result in list_results(workspace, batch.id, version.id):
                assert result.batch_image_id not in results, f"{result.image.name} was scored twice"
                results[result.batch_image_id] = result
    kept = Counter(inspection.batch_image_id for inspection in inspections(workspace, "page"))
    assert kept == dict.fromkeys(results, 1), "not every image that was scored is in the history exactly once"
    for image_id, value in ledger.told("score").items():
        result = results[int(image_id)]
        assert result.score == value, f"{result.image.name} has another score"
        assert load_map(workspace, result).shape == (SIDE, SIDE)


def all_scores(workspace: Workspace) -> None:
    (batch,) = brought(workspace)
    (version,) = built_versions(workspace)
    results = list_results(workspace, batch.id, version.id)
    assert len({result.batch_image_id for result in results}) == len(results) == TEST
    assert all(result.error is None for result in results)
    scores = {result.batch_image_id: result.score for result in results}
    assert {row.batch_image_id: row.score for row in inspections(workspace, "page")} == scores
    assert all(
        (workspace.root / (row.overlay_path or "?")).is_file()
        for row in inspections(workspace, "page", "watch")
    )


# ---- teach: an image is called fine, that is taken back, and so on; in the end it is taught


def teach(app: App) -> None:
    here, preview = app.workspace, None
    while taught_steps(here) < TEACH_STEPS:
        inspector = find_inspector(here, INSPECTOR)
        assert inspector is not None and inspector.current is not None
        version = inspector.current
        if version.change == TEACH:
            undo_teaching(here, version, seen=inspector.revision)
            continue
        if preview is None:
            preview = preview_teaching(here, version, [taught_result(here)])
        app.ledger.tell("teach", keep_teaching(here, preview, seen=inspector.revision).id)


def taught_result(workspace: Workspace) -> Result:
    (batch,), (version,) = brought(workspace), built_versions(workspace)
    return list_results(workspace, batch.id, version.id)[0]


def taught_steps(workspace: Workspace) -> int:
    taught = [version for version in list_versions(workspace, INSPECTOR) if version.change == TEACH]
    with workspace.database.read() as session:
        undone = session.scalars(select(Event.id).where(Event.action == "undo teaching"))
        return len(taught) + len(list(undone))


def taught_share(workspace: Workspace) -> float:
    return taught_steps(workspace) / TEACH_STEPS


def verify_teaching(workspace: Workspace, ledger: Ledger) -> None:
    for version_id in ledger.told("teach"):
        model = load_model(workspace, get_version(workspace, int(version_id)))
        assert len(model.taught_) == 1 and len(model.image_records_) == GOOD + 1
    with workspace.database.read() as session:
        inspector = session.get(Inspector, INSPECTOR)
        labels = set(session.scalars(select(BatchImage.truth).where(BatchImage.truth.is_not(None))))
        decisions = set(session.scalars(select(Inspection.decision).where(Inspection.decision.is_not(None))))
        taught = inspector is not None and inspector.current is not None and inspector.current.change == TEACH
    if inspector is not None and inspector.current is not None:
        load_model(workspace, inspector.current)
    assert (labels, decisions) == (({"good"}, {"fine"}) if taught else (set(), set())), (
        "what was taught and what was labelled do not agree"
    )


def all_taught(workspace: Workspace) -> None:
    assert taught_steps(workspace) == TEACH_STEPS
    inspector = find_inspector(workspace, INSPECTOR)
    assert inspector is not None and inspector.current is not None and inspector.current.change == TEACH


# ---- import


def imported(workspace: Workspace) -> list[Inspector]:
    return [inspector for inspector in list_inspectors(workspace) if inspector.id != INSPECTOR]


def bring_in(app: App) -> None:
    file = app.ledger.path.with_name("plate.patchcore")
    if not file.exists():
        inspector, entry = require_state(app.workspace, INSPECTOR, None)
        export(app.workspace, inspector, entry, file)
    while len(imported(app.workspace)) < IMPORTS:
        version = import_inspector(app.workspace, file)
        app.ledger.tell("import", version.inspector_id)


def imported_share(workspace: Workspace) -> float:
    return len(imported(workspace)) / IMPORTS


def verify_imports(workspace: Workspace, ledger: Ledger) -> None:
    """Each is not there or whole; those that were told of are there."""
    there = {inspector.id for inspector in imported(workspace)}
    assert set(ledger.told("import")) <= there, "an inspector that was imported is gone"
    for inspector_id in there:
        (version,) = list_versions(workspace, inspector_id)
        assert len(load_model(workspace, version).image_records_) >= GOOD


def all_imports(workspace: Workspace) -> None:
    assert len(imported(workspace)) == IMPORTS


KINDS = (
    Kind("store", store, stored_share, verify_images, all_images),
    Kind("build", build, built_share, verify_build, one_version, runs_jobs=True),
    Kind("score", score, scored_share, verify_scores, all_scores),
    Kind("teach", teach, taught_share, verify_teaching, all_taught),
    Kind("import", bring_in, imported_share, verify_imports, all_imports),
    WATCH,
)


def running_jobs(workspace: Workspace) -> list[Job]:
    return requests.list_jobs(workspace, JobState.RUNNING)
