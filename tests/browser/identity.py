"""Runs the OpenID provider of the tests of signing in; as a program, makes the environment that it runs in.

The provider is Canaille, a real one: its own login form, consent and signed tokens. It gets an environment inside that
of the project, because its package brings a folder ``tests`` that would be taken for ours.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
import venv
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, TracebackType

import pytest

HERE = Path(__file__).parent
REQUIREMENTS = HERE / "requirements-provider.txt"
ENVIRONMENT = Path(sys.prefix) / "provider"
PYTHON = ENVIRONMENT / "bin" / "python"
READY = ENVIRONMENT / "installed.txt"  # what was asked for when it was made

PASSWORD = "correct horse battery staple"
COOKIE_SECRET = "of the tests alone, which sign in nowhere else"
CLIENT_ID, CLIENT_SECRET = "dashboard", "the dashboard's own secret"
START_SECONDS = 60


def is_ready() -> bool:
    """Whether the environment is there, with what is asked for now."""
    return READY.exists() and READY.read_text(encoding="utf-8") == REQUIREMENTS.read_text(encoding="utf-8")


def make_environment() -> None:
    """Make the environment; needs a package index once."""
    venv.create(ENVIRONMENT, with_pip=True, clear=True)
    install = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, "-r", str(REQUIREMENTS)], check=True)
    READY.write_text(REQUIREMENTS.read_text(encoding="utf-8"), encoding="utf-8")


NEEDS_PROVIDER = pytest.mark.skipif(
    not is_ready(), reason="the OpenID provider is not installed (python -m tests.browser.identity)"
)


class Provider:
    """The provider, running; used with ``with``.

    Parameters
    ----------
    port
        Where it listens on this computer.
    redirect_uri
        Where the dashboard takes people back.
    people
        Full names by the names they sign in with.
    addresses
        E-mail addresses of those who have another than their own, by the same names.
    unverified
        The names of those whose address is not said to be verified.
    """

    def __init__(
        self,
        port: int,
        redirect_uri: str,
        people: dict[str, str],
        *,
        addresses: Mapping[str, str] = MappingProxyType({}),
        unverified: Sequence[str] = (),
    ) -> None:
        self.url = f"http://localhost:{port}"
        self.redirect_uri = redirect_uri
        self.people = people
        self.addresses, self.unverified = dict(addresses), list(unverified)
        self._command = [str(PYTHON), str(HERE / "provider.py"), str(port), redirect_uri]

    def secrets(self, cookie_secret: str = COOKIE_SECRET) -> str:
        """Return what Streamlit must know of it."""
        return "\n".join(
            [
                "[auth]",
                f'redirect_uri = "{self.redirect_uri}"',
                f'cookie_secret = "{cookie_secret}"',
                f'client_id = "{CLIENT_ID}"',
                f'client_secret = "{CLIENT_SECRET}"',
                f'server_metadata_url = "{self.url}/.well-known/openid-configuration"',
                'client_kwargs = { prompt = "consent" }',  # Canaille asks again and again who one is otherwise
            ]
        )

    def __enter__(self) -> Provider:
        """Start it and wait until it answers."""
        known = {
            "people": self.people,
            "addresses": self.addresses,
            "unverified": self.unverified,
            "password": PASSWORD,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
        }
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE)
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(known).encode())
        self._process.stdin.close()
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/.well-known/openid-configuration", timeout=5):
                    return self
            except (urllib.error.URLError, TimeoutError, ConnectionError):
                time.sleep(0.1)
        pytest.fail("The OpenID provider did not start.")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(timeout=10)


if __name__ == "__main__":
    if not is_ready():
        make_environment()
    print(f"tests of signing in use the provider in {ENVIRONMENT}")
