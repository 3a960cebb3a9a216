"""The pages run by Streamlit's own harness, in a workspace of their own; one small inspector is built for all."""

import shutil
from pathlib import Path

import pytest
import streamlit as st
from streamlit.runtime.secrets import Secrets
from streamlit.testing.v1 import AppTest

from tests.pages.prepared import prepare
from tests.pages.texts import ROOT
from workbench.people import roles
from workbench.running import stop_all
from workbench.storage.workspace import Workspace
from workbench.widgets.frame import signed_in


@pytest.fixture(autouse=True)
def at_rest(monkeypatch):
    """Stop what a server would keep running, and forget what it knows: the person, the secrets, that people sign in."""
    monkeypatch.setattr(roles, "_identify", [])
    monkeypatch.setattr(st, "secrets", Secrets())
    signed_in._wished.clear()
    signed_in._latest.clear()
    yield
    stop_all()
    st.cache_resource.clear()
    st.cache_data.clear()


@pytest.fixture
def empty(tmp_path, monkeypatch) -> Workspace:
    monkeypatch.setenv("PATCHCORE_WORKSPACE", str(tmp_path / "workspace"))
    return Workspace()


@pytest.fixture(scope="session")
def prepared(tmp_path_factory) -> Path:
    return prepare(tmp_path_factory.mktemp("prepared"))


@pytest.fixture
def full(prepared, tmp_path, monkeypatch) -> Workspace:
    """A copy of the prepared workspace that a test may change."""
    shutil.copytree(prepared, tmp_path / "workspace")
    monkeypatch.setenv("PATCHCORE_WORKSPACE", str(tmp_path / "workspace"))
    return Workspace()


@pytest.fixture
def open_app():
    """Open the app at a page and return it after its first run."""

    def open_one(page: str = "home", **address: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        for name, value in address.items():
            app.query_params[name] = value
        app.run()
        if page != "home":
            app.switch_page(f"pages/{page}.py").run()
        assert not app.exception
        return app

    return open_one
