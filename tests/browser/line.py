"""A session of the dashboard without a browser: it runs pages over the server's line and reads all that comes back.

What the server refuses to send, no browser can show; and a click on a disabled button, which no page would send, can be
sent here. A page that loads in a browser costs seconds, a run over the line a fraction of one.
"""

import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

XSRF = "_streamlit_xsrf"
SECONDS = 60
FINISHED = ForwardMsg.FINISHED_SUCCESSFULLY


@dataclass
class Line:
    """A session, as `session` opens it.

    ``sent`` holds what the server has sent since the last run was asked for.
    """

    _connection: ClientConnection
    _address: BackMsg = field(default_factory=BackMsg)
    sent: list[bytes] = field(default_factory=list)

    def open(self, address: str) -> None:
        """Run a page, such as ``inspect?inspector=washer``, and wait until its run has ended."""
        page, _, query = address.partition("?")
        self._address = BackMsg()
        self._address.rerun_script.page_name = page
        self._address.rerun_script.query_string = query
        self._run(self._address)

    def press(self, label: str) -> None:
        """Send a click on a button of the last run, whether or not it is disabled, and wait as `open` does."""
        message = BackMsg()
        message.CopyFrom(self._address)
        state = message.rerun_script.widget_states.widgets.add()
        state.id, state.trigger_value = self._buttons()[label].id, True
        self._run(message)

    def holds(self, text: str) -> bool:
        """Whether the text stands anywhere in what was sent, on the page or not."""
        return any(text.encode() in payload for payload in self.sent)

    @property
    def enabled(self) -> dict[str, bool]:
        """Whether each button of the last run can be pressed, by its label."""
        return {label: not button.disabled for label, button in self._buttons().items()}

    @property
    def redirect(self) -> str:
        """The address, from the server's root, to which the last run sent the browser to sign in."""
        (found,) = (one.auth_redirect.url for one in self._messages() if one.HasField("auth_redirect"))
        return str(found)

    def _run(self, message: BackMsg) -> None:
        self.sent.clear()
        self._connection.send(message.SerializeToString())
        while True:
            payload = self._connection.recv(timeout=SECONDS)
            assert isinstance(payload, bytes)
            self.sent.append(payload)
            found = ForwardMsg.FromString(payload)
            if found.HasField("script_finished") and found.script_finished == FINISHED:
                return

    def _buttons(self) -> dict[str, Any]:
        drawn = (one.delta.new_element for one in self._messages() if one.HasField("delta"))
        return {one.button.label: one.button for one in drawn if one.HasField("button")}

    def _messages(self) -> Iterator[ForwardMsg]:
        return map(ForwardMsg.FromString, self.sent)


@contextmanager
def session(url: str, cookies: Mapping[str, str] | None = None) -> Iterator[Line]:
    """Connect to the server at `url` with a browser's cookies, as a page of it does."""
    with urllib.request.urlopen(f"{url}/_stcore/health", timeout=SECONDS) as answer:
        token = SimpleCookie(answer.headers["Set-Cookie"])[XSRF].value
    carried = {**(cookies or {}), XSRF: token}
    headers = {"Origin": url, "Cookie": "; ".join(f"{name}={value}" for name, value in carried.items())}
    address = f"{url.replace('http', 'ws', 1)}/_stcore/stream"
    with connect(
        address, subprotocols=["streamlit", token], additional_headers=headers, max_size=None
    ) as connection:
        yield Line(connection)
