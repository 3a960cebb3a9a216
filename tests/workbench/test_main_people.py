"""The command `people`: the list with the owners of its addresses, and giving an address free."""

from contextlib import closing

import pytest
from rich.console import Console
from typer.testing import CliRunner

from workbench.__main__ import app
from workbench.people.accounts import Account, PeopleError
from workbench.storage.address_owners import claim, list_owners
from workbench.storage.workspace import Workspace

ANNA = Account("https://login.example.com/plant", "4f2a")


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("PATCHCORE_WORKSPACE", str(tmp_path))
    monkeypatch.setattr("workbench.__main__.results", Console(highlight=False, width=200))
    monkeypatch.delenv("PATCHCORE_PEOPLE", raising=False)
    monkeypatch.delenv("PATCHCORE_DATABASE_URL", raising=False)
    with closing(Workspace()) as workspace:
        yield workspace


def test_the_list_is_printed_with_accounts_and_owners(home):
    (home.root / "people.toml").write_text(
        '"anna@example.com" = "engineer"\n"ben@example.com" = "view"\n"https://login.example.com/ 7" = "operate"\n',
        encoding="utf-8",
    )
    claim(home, "anna@example.com", ANNA)
    told = CliRunner().invoke(app, ["people"])
    assert told.exit_code == 0
    lines = {line.split()[1]: line for line in told.stdout.splitlines() if " " in line.strip("│ ")}
    assert str(ANNA) in lines["anna@example.com"] and "the first to sign in" in lines["ben@example.com"]
    assert "https://login.example.com 7" in lines["https://login.example.com"]


def test_an_address_is_given_free(home):
    claim(home, "anna@example.com", ANNA)
    told = CliRunner().invoke(app, ["people", "--release", "Anna@example.com"])
    assert told.exit_code == 0 and list_owners(home) == {}
    again = CliRunner().invoke(app, ["people", "--release", "anna@example.com"])
    assert isinstance(again.exception, PeopleError) and "belongs to no account" in str(again.exception)
