"""Roles around the pages: whatever changes something asks first who is acting, and what one may see is no change."""

import ast
import importlib
import inspect
from pathlib import Path

import pytest
from sqlalchemy import select

import workbench
from tests.workbench.parts import ADA, NOBODY, OLA, VIC, store_plates
from workbench.inspections.batches import (
    create_batch,
    explain,
    good_batch,
    list_results,
    load_tile,
    score_batch,
)
from workbench.inspections.labels import set_label
from workbench.inspectors.building import BuildSettings, submit_build
from workbench.inspectors.versions import list_versions, rename, reslice
from workbench.jobs.requests import get_job
from workbench.people import roles
from workbench.people.roles import NotAllowed, Role, acting
from workbench.storage.tables import Event

FOLDER = Path(workbench.__file__).parent
PAGES = [path for folder in ("widgets", "viewer") for path in sorted((FOLDER / folder).rglob("*.py"))]
WRITES = {"write_directly", "new_file", "place_folder"}  # and `database.write`
NO_CHANGE = {
    "storage.clock.follow_clock": "notes the time, nothing that a person has made",
    "storage.address_owners.claim": "signing in itself, which comes before any role",
    "upkeep.backups.restoring.*": "the command line, into an empty folder",
    "inspections.history.store_overlay": "part of scoring",
    "inspections.batches._add_good_images": "made from the inspector when it is looked at",
    "inspections.batches._score_once": "what is brought in is scored for whoever looks at it",
    "inspections.batches.explain": "computed from the inspector when it is looked at",
    "inspections.batches.good_batch": "made from the inspector when it is looked at",
    "inspections.batches.make_map_again": "called by `upkeep.check.repair`, which asks",
    "jobs.process.RunningJob._write": "a job about itself; who submits one is asked",
    "jobs.queue.*": "the queue about its jobs; who submits one is asked",
    "upkeep.lost_files.*": "called by `upkeep.check.repair`, which asks",
    "upkeep.backups.portable_rows.copy_rows": "the command line, into an empty database",
    "upkeep.retention.submit_if_due": "the queue about its jobs, by a rule that an engineer set",
    "inspections.samples._add_masks": "stores images, which asks",
    "inspections.score_and_store._stored": "part of scoring",
    "inspections.turns.rows.*": "the queue about itself; who starts or stops a long batch is asked",
    "inspections.score_and_store.store_tile": "part of scoring",
    "watching.history.HistoryJournal.finish": "a standing job about its own work; who starts a watch is asked",
    "watching.history.HistoryJournal.record": "a standing job about its own work; who starts a watch is asked",
    "storage.workspace.Workspace.thumbnail": "can be made again from the image",
}


def functions():
    """Every function of the workbench, but for those of the pages, as (name, its syntax)."""
    for path in sorted(set(FOLDER.rglob("*.py")) - set(PAGES)):
        module = ".".join(path.relative_to(FOLDER).with_suffix("").parts)
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                yield f"{module}.{node.name}", node
            elif isinstance(node, ast.ClassDef):
                for method in node.body:
                    if isinstance(method, ast.FunctionDef):
                        yield f"{module}.{node.name}.{method.name}", method


def is_no_change(name):
    parts = name.split(".")
    return name in NO_CHANGE or any(".".join([*parts[:n], "*"]) in NO_CHANGE for n in range(len(parts)))


def calls(node):
    return [call for call in ast.walk(node) if isinstance(call, ast.Call)]


def writes(node):
    for call in calls(node):
        if isinstance(call.func, ast.Attribute):
            called = ast.unparse(call.func)
            if call.func.attr in WRITES or called == "database.write" or called.endswith(".database.write"):
                return True
    return False


def asked_for(node):
    """The role that a function requires, None when it asks for none."""
    for call in calls(node):
        if isinstance(call.func, ast.Name) and call.func.id == "require":
            return Role[call.args[0].attr]
    return None


ASKING = {name: asked_for(node) for name, node in functions() if asked_for(node) is not None}


def call_with_nothing(name):
    """Call a function with None for all it needs: one that asks first never looks at it."""
    function = workbench
    for part in name.split("."):
        if not hasattr(function, part):
            importlib.import_module(f"{function.__name__}.{part}")
        function = getattr(function, part)
    needed = [p for p in inspect.signature(function).parameters.values() if p.default is p.empty]
    by_name = {p.name: None for p in needed if p.kind is p.KEYWORD_ONLY}
    found = function(*(None for p in needed if p.kind is not p.KEYWORD_ONLY), **by_name)
    if inspect.isgenerator(found):
        next(found)


def test_whatever_writes_asks_who_is_acting_or_is_known_to_change_nothing():
    forgotten = [
        name
        for name, node in functions()
        if writes(node) and asked_for(node) is None
        if not is_no_change(name)
    ]
    assert forgotten == [], "call people.require first, or say in NO_CHANGE why it is no change"
    assert [path.name for path in PAGES if writes(ast.parse(path.read_text(encoding="utf-8")))] == []


@pytest.mark.parametrize("name", ASKING)
def test_one_role_too_low_is_refused_before_anything_else_is_looked_at(name):
    least = ASKING[name]
    below = roles.Person("Nemo", Role(least - 1))
    with acting(below), pytest.raises(NotAllowed, match=f"Nemo may not .* takes the role {least.word}"):
        call_with_nothing(name)


def test_an_operator_brings_images_and_labels_them_and_an_engineer_changes_the_inspector(workspace, version):
    with acting(OLA):
        batch = create_batch(workspace, version.inspector_id, store_plates(workspace, 1, first=50), "Monday")
        (result,) = score_batch(workspace, batch, version)
        set_label(workspace, result.batch_image_id, "good")
        for forbidden in (
            lambda: rename(workspace, version.inspector_id, "Mine"),
            lambda: reslice(workspace, version, 0.1),
            lambda: submit_build(workspace, BuildSettings(name="Mine"), store_plates(workspace, 3)),
        ):
            with pytest.raises(NotAllowed, match="Ola may not"):
                forbidden()
    with acting(ADA):
        reslice(workspace, version, 0.1)
        job = get_job(
            workspace, submit_build(workspace, BuildSettings(name="Hers"), store_plates(workspace, 3))
        )
    newest = list_versions(workspace, "plate-1")[0]
    assert (newest.change, newest.made_by) == ("share", "Ada")
    assert job.made_by == "Ada"
    with workspace.database.read() as session:
        events = [(e.person, e.action) for e in session.scalars(select(Event).order_by(Event.id))]
    assert events[-2:] == [("Ola", "bring images"), ("Ada", "change bank size")]


def test_who_may_only_view_sees_everything(workspace, version):
    with acting(ADA):
        batch = create_batch(workspace, version.inspector_id, store_plates(workspace, 1, first=50), "Monday")
    with acting(VIC):
        (result,) = score_batch(workspace, batch, version)
        assert load_tile(workspace, result) and explain(workspace, result).distance > 0
        good = good_batch(workspace, version)
        assert len(list(score_batch(workspace, good, version))) == 6
        assert len(list_results(workspace, good, version.id)) == 6
        with pytest.raises(NotAllowed, match="Vic may not label images.*takes the role operate"):
            set_label(workspace, result.batch_image_id, "good")
        with pytest.raises(NotAllowed):
            store_plates(workspace, 1, first=90)
    with acting(NOBODY), pytest.raises(NotAllowed, match="Nemo may not label images"):
        set_label(workspace, result.batch_image_id, "good")
