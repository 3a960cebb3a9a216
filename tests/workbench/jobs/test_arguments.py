"""Arguments of jobs: those that the program gives pass, all others are refused before anything is done."""

import pytest

from workbench.inspectors.building import BuildSettings, submit_build
from workbench.jobs import requests
from workbench.jobs.arguments import check_arguments
from workbench.jobs.requests import JobState, get_job
from workbench.storage.database import WorkspaceError
from workbench.storage.roi import Roi
from workbench.storage.shapes import Shape
from workbench.storage.tables import Inspector, Job, Watch
from workbench.storage.timestamps import now

A, B = "a" * 64, "b" * 64
REGION = Roi((Shape("rectangle", ((1.0, 2.0), (30.0, 40.0))),), 64, 64)
SETTINGS = BuildSettings(
    name="Plate", roi=REGION, value_range=(0, 4095), weights="/w.pth", share=0.05
).to_dict()
BUILD = {"inspector_id": "plate-1", "settings": SETTINGS, "images": [[A, "a.png"], [B, "b.png"]]}
SWEEP = {
    "inspector_id": "plate-1",
    "version_id": 1,
    "bank_id": 1,
    "batch_id": None,
    "rule": {"name": "provisional"},
}
SOUND = [
    ("build", BUILD),
    ("build", {**BUILD, "settings": {name: value for name, value in SETTINGS.items() if name != "method"}}),
    ("sweep", SWEEP),
    ("sweep", {**SWEEP, "version_id": None, "bank_id": None}),
    ("retain", {}),
    ("watch", {"watch_id": 7}),
    ("count", {"steps": 3}),
]
UNSOUND = [
    *(("build", {**BUILD, "inspector_id": value}) for value in ("../../victim", "..", "/x", "C:\\x", "", None, 7, [])),
    *(("build", {**BUILD, "images": value}) for value in (None, {}, "x", [A], [[A]], [["../x", "a"]], [[A, 7]])),
    *(("build", {**BUILD, "settings": value}) for value in (None, [], "x")),
    *(
        ("build", {**BUILD, "settings": {**SETTINGS, **change}})
        for change in ({"name": 7}, {"weights": 7}, {"weights": ["x"]}, {"image_size": True}, {"image_size": "224"},
                       {"coreset": float("nan")}, {"coreset": -0.1}, {"seed": -1}, {"roi": []}, {"roi": {}},
                       {"roi": {"shapes": [], "height": 1, "width": 1}}, {"value_range": [5, 1]},
                       {"value_range": [0]}, {"geometry": None})
    ),
    *(
        ("build", {**BUILD, "settings": {name: SETTINGS[name] for name in SETTINGS if name != gone}})
        for gone in sorted(SETTINGS.keys() - {"method"})
    ),
    *(("build", {name: BUILD[name] for name in BUILD if name != gone}) for gone in BUILD),
    *(("sweep", {**SWEEP, name: value}) for name in ("version_id", "bank_id", "batch_id") for value in ("1", True, 0)),
    ("sweep", {**SWEEP, "rule": None}),
    ("sweep", {**SWEEP, "inspector_id": "../x"}),
    ("watch", {}),
    ("watch", {"watch_id": "1; --"}),
    ("watch", {"watch_id": True}),
    ("retain", {"months": 0}),
    ("count", {"inspector_id": "../../victim"}),
    ("build", None),
    ("build", []),
    ("retain", "x"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "arguments"), SOUND)
def test_arguments_of_this_program_are_accepted(kind, arguments):
    check_arguments(kind, arguments)


@pytest.mark.parametrize(("kind", "arguments"), UNSOUND, ids=lambda value: ascii(value)[:60])
def test_all_other_arguments_are_refused(kind, arguments):
    with pytest.raises(WorkspaceError, match="The job Nice cannot be done: .*[.] Discard it"):
        check_arguments(kind, arguments, "Nice")


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
class TestWhenTheyAreAsked:
    def test_a_job_with_an_impossible_inspector_is_not_submitted(self, workspace):
        for kind, arguments in UNSOUND[:8]:
            with pytest.raises(WorkspaceError, match="cannot be done.*not the id of an inspector"):
                requests.submit(workspace, kind, "x", arguments)
        assert requests.list_jobs(workspace) == []
        assert requests.submit(workspace, "build", "x", BUILD) == 1

    def test_arguments_submitted_by_a_page_pass(self, workspace):
        images = [workspace.store_image(bytes([7, number]), f"{number}.png") for number in range(2)]
        settings = BuildSettings(name="Plate", roi=REGION)
        job_id = submit_build(workspace, settings, images)
        job = get_job(workspace, job_id)
        check_arguments(job.kind, job.arguments)
        assert BuildSettings.from_dict(job.arguments["settings"]) == settings

    @pytest.mark.parametrize("state", [JobState.INTERRUPTED, JobState.FAILED])
    @pytest.mark.parametrize(("kind", "arguments"), [UNSOUND[0], UNSOUND[8], UNSOUND[-3]])
    def test_a_job_is_not_resumed_with_others(self, workspace, state, kind, arguments):
        with workspace.database.write() as session:
            session.add(Job(kind=kind, title="Nice", arguments=arguments or [], state=state))
        with pytest.raises(WorkspaceError, match="The job Nice cannot be done"):
            requests.resume(workspace, 1)
        assert get_job(workspace, 1).state == state
        requests.discard(workspace, 1)
        assert get_job(workspace, 1).state == JobState.CANCELLED

    @pytest.mark.parametrize("watch_id", [1, 2, 3])
    def test_a_stopped_or_foreign_watch_is_not_resumed(self, workspace, watch_id):
        with workspace.database.write() as session:
            session.add(Inspector(id="p", name="P"))
            session.add(
                Job(kind="watch", title="In", arguments={"watch_id": watch_id}, state=JobState.FAILED)
            )
            session.flush()
            session.add(Watch(id=1, inspector_id="p", folder="/in", options={}, job_id=1, stopped=now()))
            session.add(Watch(id=2, inspector_id="p", folder="/out", options={}))
        with pytest.raises(WorkspaceError, match="In was stopped"):
            requests.resume(workspace, 1)
        assert get_job(workspace, 1).state == JobState.FAILED
