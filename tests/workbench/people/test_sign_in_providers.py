"""Providers of a sign-in: their required values, and providers that let anybody in."""

import pytest

from workbench.people.sign_in_providers import is_open_to_anybody, providers_in, wrong_provider

WELL_KNOWN = "/.well-known/openid-configuration"
GOOD = {
    "client_id": "dashboard",
    "client_secret": "s",
    "server_metadata_url": f"https://login.example.com{WELL_KNOWN}",
}
ENTRA = "https://login.microsoftonline.com"


@pytest.mark.parametrize(
    "address",
    [
        f"{ENTRA}/common/v2.0{WELL_KNOWN}",
        f"{ENTRA}/common{WELL_KNOWN}",
        f"{ENTRA}/organizations/v2.0{WELL_KNOWN}",
        f"{ENTRA}/consumers/v2.0{WELL_KNOWN}",
        f"{ENTRA}/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0{WELL_KNOWN}",
        f"{ENTRA}/Common/v2.0{WELL_KNOWN}",
        f"{ENTRA}//common/v2.0{WELL_KNOWN}",
        f"{ENTRA}/%63ommon/v2.0{WELL_KNOWN}",
        f"{ENTRA}:443/common/v2.0{WELL_KNOWN}",
        f"{ENTRA}./common/v2.0{WELL_KNOWN}",
        f"https://LOGIN.MicrosoftOnline.com/common/v2.0{WELL_KNOWN}",
        f"https://login.microsoftonline.us/organizations/v2.0{WELL_KNOWN}",
        f"https://login.partner.microsoftonline.cn/common/v2.0{WELL_KNOWN}",
        f"https://sts.windows.net/common{WELL_KNOWN}",
        f"https://login.plant.de/common/v2.0{WELL_KNOWN}",
    ],
)
def test_an_address_where_every_company_signs_in_is_refused(address):
    assert is_open_to_anybody(address)
    assert "the people of any company" in wrong_provider(None, {**GOOD, "server_metadata_url": address})


@pytest.mark.parametrize(
    "address",
    [
        f"{ENTRA}/4f2a91c7-0000-4000-8000-5a3c00000001/v2.0{WELL_KNOWN}",
        f"{ENTRA}/plant.onmicrosoft.com/v2.0{WELL_KNOWN}",
        f"https://accounts.google.com{WELL_KNOWN}",
        f"https://keycloak.plant.de/realms/common{WELL_KNOWN}",
        f"https://common.plant.de{WELL_KNOWN}",
        f"http://localhost:5000{WELL_KNOWN}",
    ],
)
def test_an_address_of_one_company_is_not(address):
    assert wrong_provider("office", {**GOOD, "server_metadata_url": address}) is None


@pytest.mark.parametrize("key", sorted(GOOD))
@pytest.mark.parametrize("value", [None, "", "  ", "...", "xxx", 7])
def test_placeholders_are_named(key, value):
    values = {name: one for name, one in {**GOOD, key: value}.items() if one is not None}
    assert f"{key} is not filled in" in wrong_provider(None, values)


@pytest.mark.parametrize(
    "address", ["login.example.com", "ftp://login.example.com", "https://", "https://[::1"]
)
def test_values_other_than_addresses_are_named(address):
    assert "server_metadata_url is not an address" in wrong_provider(
        None, {**GOOD, "server_metadata_url": address}
    )


def test_a_name_that_streamlit_refuses_is_named():
    assert "must not have a _" in wrong_provider("my_office", GOOD)


def test_providers_are_found_with_and_without_names():
    section = {"redirect_uri": "r", "cookie_secret": "c", "client_kwargs": {"prompt": "consent"}}
    assert providers_in(section) == {}
    assert list(providers_in({**section, "office": GOOD, "plant": {"client_id": "a"}})) == ["office", "plant"]
    assert list(providers_in({**section, **GOOD})) == [None]
