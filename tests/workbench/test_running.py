"""What a server keeps running for everybody: one of each, whatever becomes of Streamlit's cache."""

import gc
import sys
import threading
import types
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import streamlit as st

import workbench
import workbench.running as module
from patchcore.errors import SettingsError
from workbench.running import COLLECTIONS, MANY_MODULES, running, stop_all


@pytest.fixture(autouse=True)
def stopped(monkeypatch):
    monkeypatch.delenv("PATCHCORE_DATABASE_URL", raising=False)
    yield
    stop_all()


def queues():
    return [thread for thread in threading.enumerate() if thread.name == "job queue" and thread.is_alive()]


def test_a_workspace_has_one_queue_however_many_ask_at_once(tmp_path):
    before = len(queues())
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: running(tmp_path / "here"), range(8)))
    assert all(one is found[0] for one in found)
    assert len(queues()) == before + 1


def test_garbage_is_looked_for_less_often_than_a_page_of_images_would_have_it(tmp_path):
    before = gc.get_threshold()
    try:
        running(tmp_path)
        assert gc.isenabled() and gc.get_threshold() == COLLECTIONS
    finally:
        gc.set_threshold(*before)


def test_modules_are_passed_over_in_looking_for_garbage_and_what_pages_make_is_not(tmp_path, monkeypatch):
    monkeypatch.setitem(module._passed_over, "modules", 0)
    running(tmp_path)
    assert not any(one is vars(workbench) for one in gc.get_objects())
    made = {"by": "a page"}
    made["itself"] = made
    running(tmp_path)
    assert any(one is made for one in gc.get_objects())
    for number in range(MANY_MODULES + 1):
        monkeypatch.setitem(sys.modules, f"loaded_by_a_page_{number}", types.ModuleType("loaded"))
    later = ["something of theirs"]
    assert any(one is later for one in gc.get_objects())
    running(tmp_path)
    assert not any(one is later for one in gc.get_objects())


def test_clearing_streamlits_cache_stops_nothing(tmp_path):
    here = running(tmp_path / "here")
    st.cache_resource.clear()
    st.cache_data.clear()
    assert running(tmp_path / "here") is here
    assert queues() and not here.scorer._ended


def test_two_workspaces_have_two_and_stopping_ends_both(tmp_path):
    before = len(queues())
    one, two = running(tmp_path / "one"), running(tmp_path / "two")
    assert one is not two and len(queues()) == before + 2
    stop_all()
    assert len(queues()) == before
    assert running(tmp_path / "one") is not one  # started again when it is asked for


def test_a_number_of_jobs_that_is_none_is_said_and_leaves_nothing_running(tmp_path, monkeypatch):
    before = len(queues())
    monkeypatch.setenv("PATCHCORE_JOBS", "many")
    with pytest.raises(SettingsError, match="PATCHCORE_JOBS"):
        running(tmp_path / "here")
    assert len(queues()) == before


def test_nothing_in_the_program_is_released_by_streamlit():
    for path in Path(workbench.__file__).parent.rglob("*.py"):
        assert "on_release" not in path.read_text(encoding="utf-8"), path
