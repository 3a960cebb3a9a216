"""The dashboard as a server: the gate in front of Streamlit, and the checks before it answers anybody."""

import ipaddress
import os
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import BaseRoute
from streamlit import runtime

from patchcore.images.file_names import expanded
from workbench.people.accounts import is_local
from workbench.people.gate import Gate
from workbench.viewer import tile_files
from workbench.widgets.frame import sign_in
from workbench.widgets.frame.browser_history import HistoryScript

SHARED_FOLDER = (
    "inspection"  # of the home: the only folder that pages may read where other computers are served too
)


def middleware() -> list[Middleware]:
    """Return the layers that each request passes before Streamlit sees it.

    Raises
    ------
    SystemExit
        When the dashboard must not start as it is set up; the message says why and what to change.
    """
    if reason := sign_in.why_not_start():
        raise SystemExit(reason)
    if not serves_this_computer_alone():
        home = expanded("~")  # stays "~" for a service's user without a home: no folder is open
        os.environ.setdefault("PATCHCORE_ROOTS", str(home / SHARED_FOLDER))
    return [
        Middleware(partial(Gate, names=public_names, held=uploaded_bytes)),
        Middleware(HistoryScript),
    ]


def routes() -> list[BaseRoute]:
    """Return the addresses that the dashboard answers beside Streamlit's own."""
    return [tile_files.route(st.get_option("server.baseUrlPath") or "")]


def serves_this_computer_alone() -> bool:
    """Whether nobody but the person at this computer is meant to reach the dashboard."""
    return is_local(st.get_option("server.address")) and not sign_in.is_on() and not public_names()


def public_names() -> list[str]:
    """Return the names and addresses besides the local ones under which the dashboard is reached.

    They are ``server.allowedHosts``, the configured addresses, and the host of the sign-in's redirect.
    """
    named = list(st.get_option("server.allowedHosts") or [])
    configured = (st.get_option("server.address"), st.get_option("browser.serverAddress"), _redirect_host())
    return [
        *named,
        *(name for name in configured if name and not is_local(name) and not _is_every_address(name)),
    ]


def uploaded_bytes() -> int:
    """Return the bytes of uploaded files that Streamlit holds for all sessions."""
    if not runtime.exists():
        return 0
    families = runtime.get_instance().uploaded_file_mgr.get_stats()
    stats: list[Any] = [stat for family in families.values() for stat in family]
    return sum(int(stat.byte_length) for stat in stats)


def _redirect_host() -> str | None:
    """Return the host to which people come back from signing in."""
    section = st.secrets.get("auth") if st.secrets.load_if_toml_exists() else None
    address = section.get("redirect_uri") if isinstance(section, Mapping) else None
    try:
        return urlsplit(address).hostname if isinstance(address, str) else None
    except ValueError:
        return None


def _is_every_address(name: str) -> bool:
    try:
        return ipaddress.ip_address(name.strip("[]")).is_unspecified
    except ValueError:
        return False
