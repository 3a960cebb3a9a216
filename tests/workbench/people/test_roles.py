"""The person acting, and their permissions."""

import threading

import pytest

from workbench.people import roles
from workbench.people.roles import NotAllowed, Person, Role, acting, current, identify_by, require

ANNA = Person("Anna", Role.OPERATE, "anna@example.com")


@pytest.fixture(autouse=True)
def forgetful(monkeypatch):
    monkeypatch.setattr(roles, "_identify", [])


def test_the_person_at_this_computer_may_do_everything():
    assert current().name and require(Role.ENGINEER, "build inspectors") == current()


def test_roles_include_those_below_them():
    with acting(ANNA):
        assert require(Role.VIEW, "look") == require(Role.OPERATE, "label images") == ANNA
        with pytest.raises(
            NotAllowed,
            match="Anna may not change thresholds: this takes the role engineer; theirs is operate",
        ):
            require(Role.ENGINEER, "change thresholds")
    assert current() != ANNA


def test_the_block_overrides_the_identifying_functions():
    identify_by(lambda: Person("Ben", Role.VIEW))
    assert current().name == "Ben"
    with acting(ANNA):
        assert current() == ANNA
    identify_by(lambda: None)
    assert current().role == Role.ENGINEER


def test_a_new_thread_does_not_act_for_its_starter():
    found = []
    with acting(ANNA):
        thread = threading.Thread(target=lambda: found.append(current()))
        thread.start()
        thread.join()
    assert found != [ANNA]
