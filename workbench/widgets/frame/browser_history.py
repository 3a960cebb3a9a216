"""The script that keeps the browser's history, put into each page before Streamlit's own scripts."""

from functools import cache
from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SCRIPT = Path(__file__).with_name("history.js")
LEFT_OUT = (b"if-none-match", b"if-modified-since", b"range", b"accept-encoding")
"""Headers by which a browser would get a page without the script, a part of one, or one that is packed."""
OF_THE_FILE = ("etag", "last-modified", "accept-ranges")


class HistoryScript:
    """ASGI middleware that adds `SCRIPT` to the head of Streamlit's page.

    Parameters
    ----------
    app
        The ASGI application behind it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; the answer to a browser that asks for a page is changed."""
        if (
            scope["type"] != "http"
            or scope["method"] != "GET"
            or "text/html" not in Headers(scope=scope).get("accept", "")
        ):
            await self.app(scope, receive, send)
            return
        headers = [(name, value) for name, value in scope["headers"] if name not in LEFT_OUT]
        await self.app({**scope, "headers": headers}, receive, _Answer(send).send)


class _Answer:
    """One answer, held back until it is whole where it is a page."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._body = b""

    async def send(self, message: Message) -> None:
        """Take a part of the answer."""
        if message["type"] == "http.response.start" and _is_page(message):
            self._start = message
        elif message["type"] == "http.response.body" and self._start is not None:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._send_page(self._start)
        else:
            await self._send(message)

    async def _send_page(self, start: Message) -> None:
        page = self._body.replace(b"<head>", b"<head><script>" + _script() + b"</script>", 1)
        headers = MutableHeaders(scope=start)
        headers["content-length"] = str(len(page))
        for name in OF_THE_FILE:
            del headers[name]
        await self._send(start)
        await self._send({"type": "http.response.body", "body": page})


def _is_page(start: Message) -> bool:
    headers = Headers(raw=start["headers"])
    whole = start["status"] == 200 and "content-encoding" not in headers
    return whole and headers.get("content-type", "").startswith("text/html")


@cache
def _script() -> bytes:
    return SCRIPT.read_bytes()
