"""Sign-in providers: checks of each provider's values in the section ``[auth]``."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

REQUIRED = ("client_id", "client_secret", "server_metadata_url")
BLANKS = {"", "...", "…", "xxx"}  # placeholders for a value, here and in other instructions
FROM_THEM = "Write the provider's value, in quotation marks."

OPEN_TENANTS = {"common", "organizations", "consumers", "9188040d-6c67-4c5b-b112-36a304b66dad"}
"""Tenants of Entra ID at which anybody with a Microsoft account can sign in; the last holds all private accounts."""
MICROSOFT = (
    "microsoftonline.com",
    "microsoftonline.us",
    "microsoftonline.cn",
    "windows.net",
    "ciamlogin.com",
)


def providers_in(section: Mapping[str, Any]) -> dict[str | None, Mapping[str, Any]]:
    """Return a section's values of each provider, by the provider's name; None stands for a provider without a name."""
    found: dict[str | None, Mapping[str, Any]] = {}
    if any(key in section for key in REQUIRED):
        found[None] = section
    for name, values in section.items():
        if isinstance(values, Mapping) and any(key in values for key in REQUIRED):
            found[name] = values
    return found


def wrong_provider(name: str | None, values: Mapping[str, Any]) -> str | None:
    """Return the fault of a provider's values, and what to write instead; None for good values."""
    if name is not None and "_" in name:
        return "the name of a provider must not have a _ in it. Choose another name."
    for key in REQUIRED:
        value = values.get(key)
        if not isinstance(value, str) or value.strip() in BLANKS:
            return f"{key} is not filled in. {FROM_THEM}"
    address = values["server_metadata_url"]
    if not is_web_address(address):
        return f"server_metadata_url is not an address that begins with https://. {FROM_THEM}"
    if is_open_to_anybody(address):
        return (
            "at server_metadata_url the people of any company can sign in. Write the id of your own tenant in the "
            "place of common, organizations or consumers."
        )
    return None


def is_open_to_anybody(address: str) -> bool:
    """Whether an address stands for all tenants of Entra ID at once; at other providers such a name is one realm."""
    parts = urlsplit(address)
    host = (parts.hostname or "").rstrip(".")
    of_microsoft = any(host == name or host.endswith(f".{name}") for name in MICROSOFT)
    places = [place.strip().casefold() for place in unquote(unquote(parts.path)).split("/") if place.strip()]
    return not OPEN_TENANTS.isdisjoint(places if of_microsoft else places[:1])


def is_web_address(address: str) -> bool:
    """Whether a text is an address of the web, with a host."""
    try:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
