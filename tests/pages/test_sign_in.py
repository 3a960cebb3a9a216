"""Pages and buttons by role, and the sentences for people without one."""

import re
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from patchcore.thresholds.operating_point import OperatingPoint
from tests.pages.texts import ROOT, agree, words
from workbench.inspectors.versions import find_inspector, set_operating_point
from workbench.people.roles import Role
from workbench.widgets.frame import sign_in, signed_in

COMMON = {
    "redirect_uri": "http://localhost:8501/oauth2callback",
    "cookie_secret": "5e0c1f7ad92b48603be1f5d7c8a94e6203d7b1fa68c95e240b8fd3617ca9e052",
}
ISSUER = "https://login.example.com"
PROVIDER = {
    "client_id": "dashboard",
    "client_secret": "s",
    "server_metadata_url": f"{ISSUER}/.well-known/openid-configuration",
}
SECRETS = {"auth": {**COMMON, **PROVIDER}}
LIST = """
"vic@example.com" = "view"
"ola@example.com" = "operate"
"ada@example.com" = "engineer"
ask = "Ada, phone 4711"
"""
PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py"))
LOOKING = {  # buttons that change nothing for anybody else, on any page
    "Sign out",
    "Build an inspector",
    "Open the sample product",
    "Label images",
    "Work with it",
    "Inspect",
    "Tune",
    "Close",
    "Previous",
    "Next",
    "Look closely",
    "Inspect images",
    "Tune the threshold",
    "Skip",
    "Certificate",
    "Show",
}


SEVERAL = r"Back to .*|\d+\.\d+|.*\.(jpg|png)(\\>)?"  # versions and images that can be opened, thresholds gone back to


@pytest.fixture
def enter(full):
    """Open a page as somebody, by the part of their address before the @; None: signed out."""
    (full.root / "people.toml").write_text(LIST, encoding="utf-8")

    def open_one(page, name, **claims):
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        app.secrets = SECRETS
        app.user = {"is_logged_in": False}
        if name is not None:
            known = {"iss": ISSUER, "sub": name, "email": f"{name}@example.com", "email_verified": True}
            app.user = {"is_logged_in": True, "name": name.title(), **known, **claims}
        app.query_params["inspector"] = "washer"
        app.run()
        if page != "home":
            app.switch_page(f"pages/{page}.py").run()
        assert not app.exception
        return app

    return open_one


@pytest.mark.parametrize("page", PAGES)
def test_a_signed_out_person_sees_only_the_way_in(enter, page):
    app = enter(page, None)
    assert [one.label for one in app.button] == ["Sign in"]
    assert "Washer" not in words(app) and not app.sidebar.children


@pytest.mark.parametrize("page", PAGES)
def test_an_unlisted_person_learns_whom_to_ask(enter, page):
    app = enter(page, "nemo")
    assert "Nemo (nemo@example.com), who is not on the list of people here. Ask Ada, phone 4711." in words(
        app
    )
    assert [one.label for one in app.button] == ["Sign out"] and "Washer" not in words(app)


@pytest.mark.parametrize("page", PAGES)
def test_a_viewer_sees_every_page_and_no_enabled_button_that_changes_anything(enter, page):
    app = enter(page, "vic")
    assert page == "show" or ("Vic (vic@example.com)" in words(app) and "role view" in words(app))
    assert not app.error
    enabled = {one.label for one in app.button if not one.disabled}
    assert {label for label in enabled - LOOKING if not re.fullmatch(SEVERAL, label)} == set()
    refused = [one for one in app.button if one.disabled and "takes the role" in (one.help or "")]
    if page in ("inspect", "tune"):
        assert refused
    if page == "build":
        assert "Building inspectors takes the role engineer; yours is view." in words(app)


def test_an_operator_brings_images_and_labels_but_sets_no_threshold(enter):
    app = enter("inspect", "ola")
    assert "Bringing images in takes the role" not in words(app)
    assert [one.disabled for one in app.button if one.label == "Use this threshold"] == [True]
    app = enter("tune", "ola")
    assert not next(one for one in app.button if one.label == "Undo the last label").disabled
    assert "Building inspectors takes the role engineer" in words(enter("build", "ola"))


def test_changes_of_an_engineer_bear_the_name(enter, full):
    app = enter("inspect", "ada")
    app.query_params["threshold"], app.query_params["review"] = "0.25", "none"
    press(app.run(), "Use this threshold")
    point = find_inspector(full, "washer").current.operating_point
    assert (point["reject"], point["set_by"]) == (0.25, "Ada (ada@example.com)") and not app.warning


def test_a_role_that_was_taken_away_counts_at_once_also_for_a_button_that_is_still_there(enter, full):
    version = find_inspector(full, "washer").current
    first = OperatingPoint.from_dict(version.operating_point)
    set_operating_point(full, version, replace(first, reject=0.25, accept=0.25))
    app = enter("tune", "ada")
    (full.root / "people.toml").write_text(LIST.replace("engineer", "view"), encoding="utf-8")
    press(app, "Restore")
    told = app.warning[0].value.replace("\\", "")
    assert "Ada (ada@example.com) may not use “Restore”: this takes the role engineer" in told
    assert find_inspector(full, "washer").current.operating_point["reject"] == 0.25
    assert next(one for one in app.button if one.label == "Restore").disabled


def press(app, label):
    next(one for one in app.button if one.label == label).click().run()
    agree(app)


def test_a_broken_list_lets_nobody_in_and_says_where_it_is_broken(enter, full):
    app = enter("home", "ada")
    (full.root / "people.toml").write_text(LIST + "\nbob = engineer", encoding="utf-8")
    app.run()
    assert "people.toml, line 7: " in words(app) and "Washer" not in words(app)
    (full.root / "people.toml").unlink()
    assert "There is no list of people" in words(app.run())


def test_an_address_that_is_not_verified_is_nobodys(enter):
    app = enter("home", "ada", email_verified=False)
    assert "is not verified" in words(app) and "Washer" not in words(app)


def test_an_account_that_has_taken_over_an_address_is_nobodys(enter):
    assert "Washer" in words(enter("home", "ada"))
    app = enter("home", "ada", sub="another")
    told = words(app)
    assert "Ada (ada@example.com). The address ada@example.com belongs to another account" in told
    assert "Ask Ada, phone 4711 to give the address free" in told and "Washer" not in told


WRONG = [
    {"auth": {}},
    {"auth": "yes"},
    {"auth": {**COMMON, "google": {"client": "x"}}},
    {"auth": {**COMMON, **PROVIDER, "cookie_secret": ""}},
    {"Auth": SECRETS["auth"]},
    {"database": {"url": "x"}},
]


@pytest.mark.parametrize(
    ("secrets", "page", "name"),
    [
        *((secrets, page, name) for secrets in WRONG for page, name in (("home", None), ("inspect", "ada"))),
        (WRONG[0], "home", "ada"),
        (WRONG[0], "inspect", None),
    ],
)
def test_a_sign_in_that_is_set_up_wrongly_lets_nobody_in(enter, monkeypatch, secrets, page, name):
    monkeypatch.setitem(globals(), "SECRETS", secrets)
    app = enter(page, name)
    assert "Nobody can sign in" in words(app) and ".streamlit/secrets.toml" in words(app)
    assert "Washer" not in words(app) and not app.button and not app.sidebar.children


def test_several_providers_have_a_button_each(full):
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.secrets = {"auth": {**COMMON, "plant": PROVIDER, "office": PROVIDER}}
    app.user = {"is_logged_in": False}
    app.run()
    assert [one.label for one in app.button] == ["Sign in with plant", "Sign in with office"]


def test_an_open_server_without_sign_in_is_closed_or_warns_on_every_page(full, open_app, monkeypatch, caplog):
    for page in ("home", "inspect"):
        assert not any("nobody has to sign in" in one.value for one in open_app(page).warning)
    ask = sign_in.st.get_option
    public = {"server.address": "0.0.0.0"}
    monkeypatch.setattr(sign_in.st, "get_option", lambda name: public.get(name) or ask(name))
    sign_in._tell_once.cache_clear()
    assert "it is closed" in words(open_app()) and "Washer" not in words(open_app())
    monkeypatch.setenv("PATCHCORE_OPEN_NETWORK", "yes")
    caplog.clear()
    for page in ("home", "inspect"):
        (told,) = (one.value for one in open_app(page).warning if "nobody has to sign in" in one.value)
        assert "listens at 0.0.0.0" in told.replace("\\", "")
    assert sum("nobody has to sign in" in one.getMessage() for one in caplog.records) == 1


def test_a_background_thread_may_only_view_where_people_sign_in(empty, monkeypatch):
    assert signed_in.who() is None
    monkeypatch.setenv("PATCHCORE_PEOPLE", "people.toml")
    assert signed_in.who().role == Role.VIEW
