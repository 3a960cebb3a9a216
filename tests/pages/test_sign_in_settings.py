"""Every way to set signing in up, right or slightly wrong: nobody gets in by mistake, and the reason is said.

The program's own code decides, in a page of one line; the files are real ones at the places where Streamlit looks.
"""

import copy
import json
import os
from dataclasses import dataclass
from pathlib import Path

import pytest
import streamlit as st
from streamlit import config
from streamlit.runtime.secrets import Secrets
from streamlit.testing.v1 import AppTest
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from tests.pages.texts import words
from workbench.people.gate import admitted
from workbench.people.roles import Person, Role, acting
from workbench.widgets.frame import sign_in, signed_in

SECRET = "5e0c1f7ad92b48603be1f5d7c8a94e6203d7b1fa68c95e240b8fd3617ca9e052"
GOOD = f"""
[auth]
redirect_uri = "https://inspection.example.com/oauth2callback"
cookie_secret = "{SECRET}"
client_id = "dashboard"
client_secret = "s"
server_metadata_url = "https://login.example.com/.well-known/openid-configuration"
"""
ADA = {
    "is_logged_in": True,
    "iss": "https://login.example.com",
    "sub": "4711",
    "email": "ada@example.com",
    "email_verified": True,
}
OTHERS = ("0.0.0.0", "::", "192.168.0.7", "inspection.example.com", "", None)
GUARDED = ("yes", " YES ")
UNGUARDED = (None, "", "1", "true", "y", "yes please", "no")
POSIX = pytest.mark.skipif(os.name == "nt", reason="the system has no such links")


def page() -> None:
    """Draw one word, where the person may see it."""
    import streamlit as st

    from workbench.widgets.frame import sign_in

    if sign_in.admit():
        st.markdown("inside")


@dataclass
class Place:
    """A computer's folders: where Streamlit and the dashboard look for how they are set up."""

    root: Path
    monkeypatch: pytest.MonkeyPatch
    app: AppTest

    @property
    def secrets(self) -> Path:
        return self.root / "project" / ".streamlit" / "secrets.toml"

    @property
    def workspace(self) -> Path:
        return self.root / "workspace"

    def option(
        self, name: str, value: object, where: str = "command-line argument or environment variable"
    ) -> None:
        options = config.get_config_options()
        changed = copy.copy(options[name])
        changed.set_value(value, where)
        self.monkeypatch.setitem(options, name, changed)

    def listen(self, address: str | None, guarded: str | None = None) -> None:
        self.option("server.address", address)
        if guarded is None:
            self.monkeypatch.delenv("PATCHCORE_OPEN_NETWORK", raising=False)
        else:
            self.monkeypatch.setenv("PATCHCORE_OPEN_NETWORK", guarded)

    def open(self, **user: object) -> AppTest:
        self.app.user = user or {"is_logged_in": False}
        self.app.run()
        assert not self.app.exception
        return self.app

    def restart(self) -> None:
        fresh = Secrets()
        fresh._file_watchers_installed = True  # no threads that look for changes
        self.monkeypatch.setattr(st, "secrets", fresh)
        signed_in._wished.clear()
        signed_in._latest.clear()


@pytest.fixture(scope="module")
def app():
    """The page; making one takes longer than all that is asked of it here."""
    return AppTest.from_function(page, default_timeout=30)


@pytest.fixture
def place(tmp_path, monkeypatch, app):
    config.get_config_options()  # read once in a process: as the project has them, not as this test's folder does
    before = set(os.environ)
    for variable in [name for name in os.environ if name.startswith(("STREAMLIT_", "PATCHCORE_"))]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.setenv("PATCHCORE_WORKSPACE", str(tmp_path / "workspace"))
    (tmp_path / "workspace").mkdir()  # a server has begun it before anybody writes a list of people into it
    (tmp_path / "project" / ".streamlit").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.setattr(config, "_main_script_path", None)
    here = Place(tmp_path, monkeypatch, app)
    here.restart()
    here.listen("localhost")
    assert {path.parent.parent.parent for path in signed_in.setup().files} == {tmp_path}
    yield here
    for variable in set(os.environ) - before:  # Streamlit makes variables of what stands in no section
        del os.environ[variable]


def is_inside(app):
    return "inside" in words(app)


def assert_closed(place, told):
    """Nobody gets in, wherever the server listens, and the page says why; the server may start, to say it."""
    for address in ("localhost", "0.0.0.0"):
        for guarded in (None, "yes"):
            place.listen(address, guarded)
            for user in ({}, ADA):
                app = place.open(**user)
                assert not is_inside(app) and told in words(app)
            reason = sign_in.why_not_start()
            assert reason is None or told in reason
    assert sign_in.is_on() and signed_in.who().role <= Role.VIEW
    assert not list(place.open(**ADA).button)


# ---- nothing is set up


@pytest.mark.parametrize("address", ["localhost", "127.0.0.1", "::1"])
@pytest.mark.parametrize("guarded", [*GUARDED, *UNGUARDED])
def test_the_person_at_this_computer_is_inside_without_sign_in(place, address, guarded):
    place.listen(address, guarded)
    app = place.open()
    assert is_inside(app) and not app.warning
    assert sign_in.why_not_start() is None and not sign_in.is_on() and signed_in.who() is None


@pytest.mark.parametrize("address", OTHERS)
@pytest.mark.parametrize("guarded", UNGUARDED)
def test_a_server_that_others_reach_does_not_start_and_lets_nobody_in(place, address, guarded):
    place.listen(address, guarded)
    for told in (sign_in.why_not_start(), words(place.open()), words(place.open(**ADA))):
        assert "can be reached from other computers" in told and "docs/signing_in.md" in told
        assert (address or "every address of this computer") in told and "inside" not in told
        assert ("only yes counts" in told) == bool((guarded or "").strip())


@pytest.mark.parametrize("address", OTHERS)
@pytest.mark.parametrize("guarded", GUARDED)
def test_a_guarded_server_starts_and_its_pages_say_that_it_is_open(place, address, guarded):
    place.listen(address, guarded)
    app = place.open()
    assert is_inside(app) and sign_in.why_not_start() is None
    assert "nobody has to sign in" in app.warning[0].value


def test_a_value_that_does_not_count_is_logged_too(place, caplog):
    place.listen("localhost", "on")
    sign_in._tell_once.cache_clear()
    sign_in.why_not_start()
    assert "PATCHCORE_OPEN_NETWORK is 'on', and only yes counts" in caplog.text


@pytest.mark.parametrize("asking", ["192.168.0.7", "10.1.2.3", "2001:db8::7", "::ffff:10.1.2.3"])
def test_a_computer_whose_request_a_proxy_passes_on_is_another_one(place, asking, monkeypatch):
    monkeypatch.setattr(type(st.context), "ip_address", property(lambda _: asking))
    app = place.open()
    assert not is_inside(app) and f"{asking} is asking for this page" in words(app)
    place.listen("localhost", "yes")
    assert is_inside(place.open())


@pytest.mark.parametrize("asking", [None, "127.0.0.1", "127.1.2.3", "::ffff:127.0.0.1", "testclient"])
def test_a_request_of_this_computer_is_its_own(place, asking, monkeypatch):
    monkeypatch.setattr(type(st.context), "ip_address", property(lambda _: asking))
    assert is_inside(place.open())


# ---- something is set up, slightly wrong


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "has no section [auth]"),
        ("# [auth]\n# client_id = 'a'\n", "has no section [auth]"),
        ("[database]\nurl = 'x'\n", "has no section [auth]"),
        (GOOD.replace("[auth]", "[Auth]"), "the section [Auth] is not read"),
        (GOOD.replace("[auth]", "[AUTH]"), "the section [AUTH] is not read"),
        (GOOD.replace("[auth]", "[oauth]"), "the section [oauth] is not read"),
        (GOOD.replace("[auth]", "[oauth2]"), "the section [oauth2] is not read"),
        (GOOD.replace("[auth]", '["auth "]'), "the section [auth ] is not read"),
        (GOOD.replace("[auth]", "[authentication]"), "the section [authentication] is not read"),
        (GOOD.replace("[auth]", "[oidc]"), "the section [oidc] is not read"),
        (GOOD.replace("[auth]", "[streamlit.auth]"), "has no section [auth]"),
        (GOOD.replace("[auth]", ""), "stand in no section"),
        ("auth = 'x'\n", "auth is a value"),
        ("auth = ''\n", "auth is a value"),
        ("auth = true\n", "auth is a value"),
        ("auth = ['client_id']\n", "auth is a value"),
        (GOOD.replace("[auth]", "[[auth]]"), "auth is a value"),
        ("[auth]\n", "redirect_uri is not there"),
        (GOOD.replace("[auth]", "[auth"), "is not TOML"),
        (GOOD + GOOD, "is not TOML"),
        (GOOD.replace('"s"', "s"), "is not TOML"),
        (f"\ufeff{GOOD}", "begins with a byte-order mark"),
        (f"{GOOD}# J\u00fcrgen".encode("latin-1"), "is not UTF-8 text"),
        (GOOD.encode("utf-16"), "is not UTF-8 text"),
        (GOOD.replace("/oauth2callback", "/"), "redirect_uri does not end in /oauth2callback"),
        (GOOD.replace("https://inspection.example.com", "inspection"), "redirect_uri is not an address"),
        (GOOD.replace("redirect_uri", "redirect_url"), "redirect_uri is not there"),
        (GOOD.replace("cookie_secret", "cookiesecret"), "cookie_secret is not there"),
        (GOOD.replace("cookie_secret", "Cookie_Secret"), "cookie_secret is not there"),
        (GOOD.replace(SECRET, ""), "cookie_secret is empty"),
        (GOOD.replace(SECRET, SECRET[:31]), "cookie_secret has 31 characters"),
        (GOOD.replace(SECRET, "c" * 64), "cookie_secret repeats itself"),
        (GOOD.replace(f'"{SECRET}"', "12345678901234567890123456789012"), "cookie_secret is not a text"),
        (
            GOOD.replace(
                SECRET, "a long random text: python -c 'import secrets; print(secrets.token_hex())'"
            ),
            "cookie_secret consists of words",
        ),
        (GOOD.replace('"dashboard"', f'"{SECRET}"'), "cookie_secret is the same as client_id"),
        (GOOD.replace("client_id", "client"), "client_id is not filled in"),
        (GOOD.replace('"dashboard"', '"..."'), "client_id is not filled in"),
        (GOOD.replace('client_secret = "s"', ""), "client_secret is not filled in"),
        (GOOD.replace("server_metadata_url", "metadata_url"), "server_metadata_url is not filled in"),
        (GOOD.partition("client_id")[0], "client_id is not there"),
        (
            GOOD.replace("client_id", "[auth.google]\nclient"),
            "section [auth.google]: client_id is not filled in",
        ),
        (GOOD.replace("client_id", "[auth.my_office]\nclient_id"), "must not have a _"),
        (
            GOOD.replace("login.example.com", "login.microsoftonline.com/common/v2.0"),
            "the people of any company can sign in",
        ),
    ],
)
def test_a_file_of_secrets_that_is_slightly_wrong_keeps_everybody_out(place, content, told):
    place.secrets.write_bytes(content if isinstance(content, bytes) else content.encode())
    list_people(place)
    assert_closed(place, told)
    assert str(place.secrets) in words(place.open())


@pytest.mark.parametrize("at", ["project/.streamlit", "home/.streamlit"])
@pytest.mark.parametrize("name", ["secrets.toml", "Secrets.toml", "secrets.toml.txt"])
def test_an_empty_file_where_streamlit_looks_keeps_everybody_out(place, at, name):
    (place.root / at).mkdir(parents=True, exist_ok=True)
    (place.root / at / name).touch()
    assert_closed(place, f"because there is {place.root / at / name}")


def test_a_folder_in_the_place_of_the_file_keeps_everybody_out(place):
    place.secrets.mkdir()
    assert_closed(place, "is a folder")
    assert "is a folder" in sign_in.why_not_start()  # Streamlit's server would end there with a traceback


@POSIX
@pytest.mark.parametrize(
    ("target", "told"), [("secrets.toml", "cannot be read"), ("nowhere.toml", "cannot be read")]
)
def test_a_link_that_leads_nowhere_keeps_everybody_out(place, target, told):
    place.secrets.symlink_to(target)
    assert_closed(place, told)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("secrets.files", ["nowhere/secrets.toml"]),
        ("secrets.files", ["nowhere/secrets.json"]),
        ("secrets.files", []),
        ("secrets.files", "nowhere/secrets.toml"),
        ("server.cookieSecret", ""),
        ("server.cookieSecret", SECRET),
    ],
)
def test_an_option_that_leads_nowhere_keeps_everybody_out(place, name, value):
    place.option(name, value)
    assert_closed(place, f"because the option {name} is set")


@pytest.mark.parametrize("secrets", ["", GOOD])
def test_names_from_headers_keep_everybody_out(place, secrets):
    place.option("server.trustedUserHeaders", {"X-Email": "email"})
    if secrets:
        place.secrets.write_text(secrets, encoding="utf-8")
    assert_closed(place, "server.trustedUserHeaders is set")


@pytest.mark.parametrize(
    "variable",
    [
        "PATCHCORE_PEOPLE",
        "STREAMLIT_AUTH_CLIENT_ID",
        "STREAMLIT_SECRETS_FILES",
        "STREAMLIT_SERVER_COOKIE_SECRET",
        "STREAMLIT_SERVER_TRUSTED_USER_HEADERS",
    ],
)
@pytest.mark.parametrize("value", ["", "nowhere/it.toml"])
def test_a_variable_that_leads_nowhere_keeps_everybody_out(place, variable, value):
    place.monkeypatch.setenv(variable, value)
    assert_closed(place, f"the environment variable {variable} is set")


@pytest.mark.parametrize("name", ["people.toml", "People.toml", "people.toml.txt"])
def test_a_list_of_people_alone_keeps_everybody_out(place, name):
    (place.workspace / name).write_text('"ada@example.com" = "engineer"\n', encoding="utf-8")
    assert_closed(place, f"because there is a list of people, {place.workspace / name}")


@pytest.mark.parametrize("section", ["auth", "Auth", "oauth"])
def test_a_section_in_the_wrong_file_keeps_everybody_out(place, section):
    place.secrets.with_name("config.toml").write_text(
        GOOD.replace("[auth]", f"[{section}]"), encoding="utf-8"
    )
    assert_closed(place, f"has a section [{section}], which is not read there")


def test_a_file_that_is_gone_for_a_moment_opens_nothing(place):
    place.secrets.write_text(GOOD, encoding="utf-8")
    assert "Sign in" in [button.label for button in place.open().button]
    place.secrets.unlink()
    st.secrets._reset()
    assert_closed(place, "because it was set up when the dashboard was started")
    place.restart()
    place.listen("localhost")
    assert is_inside(place.open())


# ---- everything is as it should be


def list_people(place, text='"ada@example.com" = "engineer"\n'):
    (place.workspace / "people.toml").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("secret", [SECRET, SECRET[:32]])
@pytest.mark.parametrize("address", ["localhost", "0.0.0.0"])
@pytest.mark.parametrize("guarded", [None, "yes", "1"])
def test_a_correct_set_up_lets_in_listed_people_only(place, secret, address, guarded):
    place.secrets.write_text(GOOD.replace(SECRET, secret), encoding="utf-8")
    list_people(place)
    place.listen(address, guarded)
    assert sign_in.why_not_start() is None
    assert [button.label for button in place.open().button] == ["Sign in"]
    app = place.open(**ADA)
    assert is_inside(app) and not app.warning
    for other in (
        {"email": "nemo@example.com"},
        {"email_verified": False},
        {"sub": ""},
        {"is_logged_in": "yes"},
    ):
        assert not is_inside(place.open(**{**ADA, **other}))


def test_a_named_file_counts_in_any_folder(place):
    elsewhere = place.root / "elsewhere.toml"
    elsewhere.write_text(GOOD, encoding="utf-8")
    place.option("secrets.files", [str(elsewhere)])
    list_people(place)
    assert is_inside(place.open(**ADA)) and not is_inside(place.open())


def test_a_folder_of_secrets_is_accepted(place):
    for line in GOOD.strip().splitlines()[1:]:
        name, _, value = line.partition(" = ")
        file = place.root / "mounted" / "auth" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(value.strip('"'), encoding="utf-8")
    place.option("secrets.files", [str(place.root / "mounted")])
    list_people(place)
    assert is_inside(place.open(**ADA))


def test_a_list_that_is_missing_or_broken_lets_nobody_in(place):
    place.secrets.write_text(GOOD, encoding="utf-8")
    assert "There is no list of people" in words(place.open(**ADA))
    list_people(place, "ada = engineer")
    app = place.open(**ADA)
    assert not is_inside(app) and "people.toml, line 1" in words(app)


def test_files_that_others_can_change_warn_engineers_and_keep_nobody_out(place, caplog):
    place.secrets.write_text(GOOD.replace("https://login", "http://login"), encoding="utf-8")
    list_people(place)
    place.secrets.chmod(0o644)
    (place.workspace / "people.toml").chmod(0o666)
    sign_in._tell_once.cache_clear()
    assert is_inside(place.open(**ADA))
    told = list(sign_in._remarks(signed_in.setup()))
    if os.name != "nt":
        assert any(f"chmod 600 {place.secrets}" in words for words in told)
        assert any("can change the list of people" in words for words in told)
    assert any("without encryption" in words for words in told)
    assert all(words in caplog.text for words in told)
    place.secrets.chmod(0o600)
    (place.workspace / "people.toml").chmod(0o600)
    assert len(list(sign_in._remarks(signed_in.setup()))) == 1


# ---- who is who


def test_an_address_belongs_to_the_first_account_until_it_is_given_free(place):
    from contextlib import closing

    from workbench.storage.address_owners import release
    from workbench.storage.workspace import Workspace

    place.secrets.write_text(GOOD, encoding="utf-8")
    list_people(place)
    assert is_inside(place.open(**ADA))
    assert is_inside(place.open(**{**ADA, "iss": "https://login.example.com/"}))
    for other in ({"sub": "4712"}, {"iss": "https://login.example.org"}):
        app = place.open(**{**ADA, **other})
        assert not is_inside(app) and "python -m workbench people --release ada@example.com" in words(app)
    with closing(Workspace()) as workspace, acting(Person("the administrator", Role.ENGINEER)):
        release(workspace, "ada@example.com")
    assert is_inside(place.open(**{**ADA, "sub": "4712"}))
    signed_in._owned.clear()
    assert not is_inside(place.open(**ADA))


def test_an_account_that_is_listed_needs_no_address(place):
    place.secrets.write_text(GOOD, encoding="utf-8")
    list_people(place, '"https://login.example.com/ 4711" = "view"\n')
    claims = {name: value for name, value in ADA.items() if not name.startswith("email")}
    assert is_inside(place.open(**claims)) and is_inside(place.open(**ADA))
    app = place.open(**{**claims, "sub": "4712"})
    assert not is_inside(app) and "https://login.example.com 4712" in words(app)


def test_a_database_that_does_not_answer_lets_nobody_in(place, monkeypatch):
    from sqlalchemy.exc import OperationalError

    def fail(*_):
        raise OperationalError("SELECT", {}, Exception("away"))

    monkeypatch.setattr(signed_in, "claim", fail)
    place.secrets.write_text(GOOD, encoding="utf-8")
    list_people(place)
    app = place.open(**ADA)
    assert not is_inside(app) and "does not answer" in words(app)


def test_the_gate_learns_which_sessions_were_let_in(place, monkeypatch):
    told = []
    monkeypatch.setattr(type(admitted), "note", lambda _, session, let_in: told.append((session, let_in)))
    place.open()
    place.secrets.write_text(GOOD, encoding="utf-8")
    list_people(place)
    place.open()
    place.open(**{**ADA, "email": "nemo@example.com"})
    place.open(**ADA)
    list_people(place, "")
    place.open(**ADA)
    assert [let_in for _, let_in in told] == [True, False, False, True, False] and all(one for one, _ in told)


# ---- cookies


def cookies_of(place, monkeypatch, secret, *, chunks=1):
    """Have the browser send what Streamlit set for Ada, signed with a secret, in one cookie or in several."""
    told = json.dumps(ADA)
    size = -(-len(told) // chunks)
    parts = [told[start : start + size] for start in range(0, len(told), size)]
    values = {f"{USER_COOKIE_NAME}_{number}": part for number, part in enumerate(parts, start=1)}
    values = {USER_COOKIE_NAME: f"chunks-{chunks}", **values} if chunks > 1 else {USER_COOKIE_NAME: told}
    signed = {name: create_signed_value(secret, name, value).decode() for name, value in values.items()}
    monkeypatch.setattr(type(st.context), "cookies", property(lambda _: signed))
    return signed


@pytest.mark.parametrize("chunks", [1, 3])
def test_a_session_whose_cookie_another_secret_has_signed_ends_with_that_secret(place, monkeypatch, chunks):
    place.secrets.write_text(GOOD, encoding="utf-8")
    list_people(place)
    sent = cookies_of(place, monkeypatch, SECRET, chunks=chunks)
    assert is_inside(place.open(**ADA))  # whom Streamlit took for Ada when the browser connected
    for other in ("", "xxx", SECRET[:-1]):
        cookies_of(place, monkeypatch, other, chunks=chunks)
        assert [button.label for button in place.open(**ADA).button] == ["Sign in"]
        assert signed_in.who().role <= Role.VIEW
    if chunks > 1:
        sent.pop(f"{USER_COOKIE_NAME}_2")
        monkeypatch.setattr(type(st.context), "cookies", property(lambda _: sent))
        assert not is_inside(place.open(**ADA))
