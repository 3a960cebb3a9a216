"""The gate: requests reach the dashboard only with a right host name, calling page and message.

Streamlit lets any page of this computer, and any name that leads to it, open the dashboard's connection, also before
anybody has signed in. The gate stands in front of Streamlit, as ASGI middleware of `st.App`, and asks of every request:

- Is the name in ``Host`` one of ours? A foreign page whose name leads to this computer (DNS rebinding) has another one.
- Does the calling page come from the very same address? A page of another port or another site does not.
- Does a page of this dashboard ever send such a message? ``clear_cache`` and its like act on everybody's sessions.
- Was the uploading session let in, and does its file fit? Neither a stranger nor a crowd must fill the memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from google.protobuf.message import DecodeError
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg

from workbench.people.accounts import is_local
from workbench.people.upload_room import FULL, UploadRoom, announced

DEFAULT_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}
UPLOADS = "/_stcore/upload_file/"
READS = {"GET", "HEAD"}
IGNORED = {
    "clear_cache",
    "set_run_on_save",
    "load_git_info",
    "debug_disconnect_websocket",
    "debug_shutdown_runtime",
}
"""Messages of Streamlit's own menu, which this dashboard does not show; some of them act on all sessions."""

HEADERS = {
    "Content-Security-Policy": "frame-ancestors 'self'",  # no other site may draw the dashboard under its own buttons
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # addresses name inspectors and images
}


@dataclass(frozen=True)
class Address:
    """A host and its port, as a header names them."""

    host: str
    port: int | None

    @classmethod
    def of_host(cls, header: str, scheme: str) -> Address | None:
        """Read a ``Host`` header; None for an invalid one."""
        return cls._parsed(f"{scheme}://{header}", bare=True)

    @classmethod
    def of_origin(cls, header: str) -> Address | None:
        """Read an ``Origin`` header; None for an invalid one such as ``null``."""
        return cls._parsed(header, bare=True)

    @classmethod
    def _parsed(cls, url: str, *, bare: bool) -> Address | None:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            return None
        extra = parts.username or parts.password or parts.path or parts.query or parts.fragment
        if parts.scheme not in DEFAULT_PORTS or not parts.hostname or (bare and extra):
            return None
        return cls(parts.hostname.rstrip("."), port or DEFAULT_PORTS[parts.scheme])


@dataclass
class Admitted:
    """Sessions that were let in, by Streamlit's ids: each run of a page notes its session, the gate asks."""

    _sessions: set[str] = field(default_factory=set)
    _lock: Lock = field(default_factory=Lock)

    def note(self, session: str, *, let_in: bool) -> None:
        """Note whether a session is let in, as of its last run."""
        with self._lock:
            (self._sessions.add if let_in else self._sessions.discard)(session)

    def __contains__(self, session: object) -> bool:
        """Whether the session was let in."""
        return session in self._sessions


admitted = Admitted()


class Gate:
    """ASGI middleware that refuses requests that no page of this dashboard sends.

    Parameters
    ----------
    app
        The ASGI application behind the gate.
    names
        Returns the names and addresses, besides the local ones, under which this dashboard is meant to be reached; a
        leading ``*.`` stands for every name below, ``*`` for every name.
    held
        Returns the bytes of uploaded files that the server holds.
    """

    def __init__(
        self, app: ASGIApp, names: Callable[[], Iterable[str]], held: Callable[[], int] = lambda: 0
    ) -> None:
        self.app, self.names, self.room = app, names, UploadRoom(held)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it with a sentence."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        if refusal := self.refusal(scope):
            await _refuse(scope, receive, send, refusal)
        elif scope["type"] == "websocket":
            await self.app(scope, _without_ignored(receive), send)
        elif _is_upload(scope):
            await self._take_upload(scope, receive, send)
        else:
            await self.app(scope, receive, _with_headers(send))

    async def _take_upload(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass an upload on while it fits into the memory with all others."""
        count = announced(Headers(scope=scope))
        if not self.room.enter(count):
            await _refuse(scope, receive, send, FULL, 413)
            return
        try:
            await self.app(scope, receive, _with_headers(send))
        finally:
            self.room.leave(count)

    def refusal(self, scope: Scope) -> str | None:
        """Return the reason why a request is refused; None for an allowed one."""
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        called = Address.of_host(hosts[0], scope["scheme"]) if len(hosts) == 1 else None
        if called is None or not self._is_ours(called.host):
            return (
                "This dashboard is not reached by that name. Open it at localhost, or add the name to "
                "server.allowedHosts in .streamlit/config.toml (docs/security.md)."
            )
        if not self._comes_from_here(scope, headers, called):
            return "Only the dashboard's own pages may call it."
        if _is_upload(scope):
            session = scope["path"].partition(UPLOADS)[2].partition("/")[0]
            if session not in admitted:
                return "Open the dashboard and sign in before bringing files."
        return None

    def _is_ours(self, host: str) -> bool:
        return is_local(host) or any(_matches(host, name) for name in self.names())

    def _comes_from_here(self, scope: Scope, headers: Headers, called: Address) -> bool:
        """Whether the calling page is one of ours, as far as the browser tells."""
        origins = headers.getlist("origin")
        if origins:
            origin = Address.of_origin(origins[0]) if len(origins) == 1 else None
            return origin is not None and (origin == called or self._is_public_name(origin.host))
        if scope["type"] == "websocket":
            return True  # every browser names the page; a caller without one is a program of this computer or network
        site, mode = headers.get("sec-fetch-site"), headers.get("sec-fetch-mode")
        opened = (
            mode == "navigate" and headers.get("sec-fetch-dest") == "document" and scope["method"] in READS
        )
        return site in (None, "same-origin", "none") or opened

    def _is_public_name(self, host: str) -> bool:
        """Whether a page comes from the dashboard's public name; a proxy may have replaced it in ``Host``."""
        return not is_local(host) and any(_matches(host, name) for name in self.names() if name != "*")


def _matches(host: str, name: str) -> bool:
    host, name = host.casefold(), name.strip().casefold().rstrip(".")
    return name == "*" or host == name.strip("[]") or (name.startswith("*.") and host.endswith(name[1:]))


def _is_upload(scope: Scope) -> bool:
    """Whether a request brings or deletes a file."""
    return scope["type"] == "http" and UPLOADS in scope["path"] and scope["method"] not in ("OPTIONS", *READS)


async def _refuse(scope: Scope, receive: Receive, send: Send, sentence: str, status: int = 403) -> None:
    if scope["type"] == "websocket":
        await receive()  # the connection's first message; closing before accepting answers 403
        await send({"type": "websocket.close", "code": 1008, "reason": ""})
        return
    await PlainTextResponse(f"{sentence}\n", status_code=status)(scope, receive, _with_headers(send))


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending


def _without_ignored(receive: Receive) -> Receive:
    async def receiving() -> Message:
        while True:
            message = await receive()
            if message["type"] != "websocket.receive" or not _is_ignored(message):
                return message

    return receiving


def _is_ignored(message: dict[str, Any] | Message) -> bool:
    data = message.get("bytes")
    if not data:
        return False
    try:
        return BackMsg.FromString(data).WhichOneof("type") in IGNORED
    except DecodeError:  # Streamlit closes the connection on unreadable messages
        return False
