"""The list of people: read as it is now, wrong in a sentence, and never a way to more rights."""

import os

import pytest

from workbench.people.accounts import (
    WHOM,
    Account,
    People,
    PeopleError,
    account_of,
    is_local,
    people_file,
    person_of,
    read_people,
    verified_address,
)
from workbench.people.roles import Role

LIST = """
# who may do what
"anna@example.com" = "engineer"
"Ben@Example.com" = "operate"
"https://login.example.com/plant 4f2a" = "operate"
"https://login.example.com/ cara@plant" = "engineer"
default = "view"
ask = "Anna, phone 4711"
"""

AT = {
    "iss": "https://login.example.com/office",
    "sub": "4711",
}  # an account that no list of these tests names


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "people.toml"
    path.write_text(LIST, encoding="utf-8")
    return path


def test_roles_are_found_by_address_however_it_is_written(file):
    people = read_people(file)
    assert people.ask == "Anna, phone 4711"
    roles = {"anna@example.com": 3, " ANNA@example.com ": 3, "ben@example.com": 2, "x@example.com": 1, "": 0}
    assert {address: people.role_of(address) for address in roles} == roles


def test_an_unlisted_person_has_the_default_role_or_none(file):
    file.write_text('"anna@example.com" = "engineer"\n', encoding="utf-8")
    people = read_people(file)
    assert (people.role_of("x@example.com"), people.ask) == (Role.NOBODY, WHOM)
    assert people.role_of("\u212aarl@example.com") == Role.NOBODY  # a sign that only looks like a K
    file.write_text('"karl@example.com" = "engineer"\n', encoding="utf-8")
    assert read_people(file).role_of("\u212aarl@example.com") == Role.NOBODY


def test_a_change_counts_at_once_even_within_one_tick_of_the_clock(file):
    moment = file.stat()
    assert read_people(file).role_of("anna@example.com") == Role.ENGINEER
    file.write_text(LIST.replace("engineer", "operate") + "#", encoding="utf-8")
    os.utime(file, ns=(moment.st_atime_ns, moment.st_mtime_ns))
    assert read_people(file).role_of("anna@example.com") == Role.OPERATE


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('\n"a@b.de" = "boss"\n', "line 2: the role is none of view, operate, engineer"),
        ('"a@b.de" = 3', "line 1: the role is none of"),
        ('default = "nobody"', "line 1: the role is none of"),
        ('"a@b.de" = "view"\n\n"A@B.de" = "engineer"', "line 3: this address is listed twice"),
        ('"https://a.de 7" = "view"\n"https://a.de/  7" = "view"', "line 2: this account is listed twice"),
        ('"https://a.de" = "view"', "line 1: .* is neither an e-mail address nor an account"),
        ('"https://a.de/@7" = "view"', "line 1: .* is neither an e-mail address nor an account"),
        ('"a.de 7" = "view"', "line 1: .* is neither an e-mail address nor an account"),
        ('"Anna <a@b.de>" = "view"', "line 1: .* is neither an e-mail address nor an account"),
        ('"https://a.de 7" = "boss"', "line 1: the role is none of"),
        ('"a@b.de" = "view"\nanna = "view"', 'line 2: "anna" is neither an e-mail address'),
        ('anna.b = "view"', 'line 1: "anna" is neither an e-mail address'),
        ('[people]\n"a@b.de" = "view"', 'line 1: "people" is neither an e-mail address'),
        ("ask = 4711", "line 1: write after ask whom to ask"),
        ('"a@b.de" = "view"\na@b.de = "engineer"', "line 2: .*in quotation marks"),
        ('"a@b.de" = "view"\n"c@d.de" = "engi', "line 2: "),
        ('"a@b.de" = "view"\n"a@b.de" = "engineer"', "line 2: cannot overwrite a value"),
    ],
)
def test_a_list_that_is_wrong_says_where_and_how_and_counts_for_nothing(file, text, told):
    file.write_text(text, encoding="utf-8")
    with pytest.raises(PeopleError, match=told) as raised:
        read_people(file)
    assert str(raised.value).startswith(str(file))


def test_an_unreadable_list_raises_people_error(tmp_path, file):
    with pytest.raises(PeopleError, match=r"There is no list of people. Make the file .*none\.toml"):
        read_people(tmp_path / "none.toml")
    with pytest.raises(PeopleError, match="cannot be read"):
        read_people(tmp_path)
    file.write_bytes(b'"a@b.de" = "view"\n# \xff\n')
    with pytest.raises(PeopleError, match="line 2: this is not UTF-8"):
        read_people(file)


def test_the_list_lies_in_the_workspace_or_in_the_variable(tmp_path, monkeypatch):
    monkeypatch.delenv("PATCHCORE_PEOPLE", raising=False)
    assert people_file(tmp_path) == tmp_path / "people.toml"
    monkeypatch.setenv("PATCHCORE_PEOPLE", "~/everybody.toml")
    assert people_file(tmp_path).name == "everybody.toml" and people_file(tmp_path).is_absolute()
    monkeypatch.setenv("PATCHCORE_PEOPLE", "~nobody-of-that-name/everybody.toml")
    with pytest.raises(PeopleError, match="There is no list of people"):
        read_people(people_file(tmp_path))


def test_a_list_saved_by_an_editor_that_marks_utf8_is_read(file):
    file.write_text(LIST, encoding="utf-8-sig")
    assert read_people(file).role_of("anna@example.com") == Role.ENGINEER


def test_a_person_is_known_by_the_address_and_it_is_kept_with_the_name(file):
    people = read_people(file)
    verified = {**AT, "email": "anna@example.com", "email_verified": True}
    anna = person_of({**verified, "name": " Anna\n \u202eBerg"}, people)
    assert (anna.name, anna.role) == ("Anna Berg (anna@example.com)", Role.ENGINEER)
    assert person_of(verified, people).name == "anna@example.com"
    assert len(person_of({**verified, "name": "x" * 5000}, people).name) < 110


def test_an_address_that_does_not_count_is_not_kept_with_the_name(file):
    claims = {**AT, "email": "anna@example.com", "name": "Anna Berg"}
    assert person_of(claims, read_people(file)).name == "Anna Berg (4711 at login.example.com)"


@pytest.mark.parametrize(
    ("issuer", "subject", "role"),
    [
        ("https://login.example.com/plant", "4f2a", Role.OPERATE),
        ("https://login.example.com/plant/", "4f2a", Role.OPERATE),
        ("https://login.example.com", "cara@plant", Role.ENGINEER),
        ("https://login.example.com/plant", "4F2A", Role.NOBODY),
        ("https://login.example.com/other", "4f2a", Role.NOBODY),
        ("https://login.example.org/plant", "4f2a", Role.NOBODY),
        ("https://login.example.com/plant", "", Role.NOBODY),
        ("", "4f2a", Role.NOBODY),
        (None, "4f2a", Role.NOBODY),
        ("https://login.example.com/plant", 4, Role.NOBODY),
    ],
)
def test_an_account_is_known_by_issuer_and_subject_without_any_address(file, issuer, subject, role):
    assert person_of({"iss": issuer, "sub": subject}, read_people(file)).role == role


def test_the_role_of_an_account_overrides_the_role_of_its_address(file):
    claims = {"iss": "https://login.example.com/plant", "sub": "4f2a"}
    address = {"email": "anna@example.com", "email_verified": True}
    assert person_of({**claims, **address}, read_people(file)).role == Role.OPERATE


def test_an_address_that_looks_like_an_account_is_not_an_account(file):
    claims = {**AT, "email": "https://login.example.com/ cara@plant", "email_verified": True}
    assert (verified_address(claims), person_of(claims, read_people(file)).role) == ("", Role.NOBODY)


def test_an_account_reads_as_the_line_of_the_list_does():
    account = account_of({"iss": "https://a.de/", "sub": "7 b"})
    assert account == Account("https://a.de", "7 b") and str(account) == "https://a.de 7 b"


@pytest.mark.parametrize(
    "claims",
    [
        *(
            {"email": "anna@example.com", "email_verified": no}
            for no in (False, "false", None, 0, 1, "True", "", [True])
        ),
        {"email": "anna@example.com"},
        {"email": "", "name": "anna@example.com", "email_verified": True},
        {"email": ["anna@example.com"], "email_verified": True},
        {"email": "anna@example.com ben@example.com", "email_verified": True},
        {"name": "anna@example.com", "preferred_username": "anna@example.com"},
        {},
    ],
)
def test_an_unverified_address_gives_neither_role_nor_default(file, claims):
    assert person_of({**AT, **claims}, read_people(file)).role == Role.NOBODY


@pytest.mark.parametrize("yes", [True, "true"])
def test_a_verified_address_gives_its_role_to_one_account_only(file, yes):
    claims = {"email": "anna@example.com", "email_verified": yes}
    assert person_of({**AT, **claims}, read_people(file)).role == Role.ENGINEER
    for part, value in AT.items():
        assert person_of({part: value, **claims}, read_people(file)).role == Role.NOBODY


def test_an_empty_list_knows_nobody():
    claims = {**AT, "email": "anna@example.com", "email_verified": True}
    assert person_of(claims, People()).role == Role.NOBODY


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("localhost", True),
        ("LocalHost", True),
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("[::1]", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.0.7", False),
        ("inspection.example.com", False),
        ("", False),
        (None, False),
    ],
)
def test_only_addresses_of_this_computer_alone_are_local(address, local):
    assert is_local(address) == local
