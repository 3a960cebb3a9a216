"""A session of the dashboard without a browser: it runs pages over the server's line and reads all that comes back.

What the server refuses to send, no browser can show; and a click on a disabled button, which no page would send, can be
sent here. A page that loads in a browser costs seconds, a run over the line a fraction of one.
"""

import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any

from streamlit.proto.Alert_pb2 import Alert
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
    _url: str
    _headers: Mapping[str, str]
    _address: BackMsg = field(default_factory=BackMsg)
    _id: str = ""
    sent: list[bytes] = field(default_factory=list)
    patience: float = SECONDS

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

    def upload(self, files: Mapping[str, bytes]) -> None:
        """Drop files on the first field for files of the last run, as a browser does, and wait as `open` does."""
        drawn = (one.delta.new_element for one in self._messages() if one.HasField("delta"))
        widget = next(one.file_uploader.id for one in drawn if one.HasField("file_uploader"))
        wish = BackMsg()
        wish.file_urls_request.request_id, wish.file_urls_request.session_id = uuid.uuid4().hex, self._id
        wish.file_urls_request.file_names.extend(files)
        self._connection.send(wish.SerializeToString())
        while not (found := self._next()).HasField("file_urls_response"):
            continue
        message = BackMsg()
        message.CopyFrom(self._address)
        state = message.rerun_script.widget_states.widgets.add()
        state.id = widget
        for (name, data), urls in zip(files.items(), found.file_urls_response.file_urls, strict=True):
            self._put(urls.upload_url, name, data)
            file = state.file_uploader_state_value.uploaded_file_info.add()
            file.name, file.size, file.file_id = name, len(data), urls.file_id
            file.file_urls.CopyFrom(urls)
        self._run(message)

    def _put(self, place: str, name: str, data: bytes) -> None:
        mark = uuid.uuid4().hex
        head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        request = urllib.request.Request(
            f"{self._url}{place}", f"{head}".encode() + data + f"\r\n--{mark}--\r\n".encode(), method="PUT"
        )
        for header, value in self._headers.items():
            request.add_header(header, value)
        request.add_header("Content-Type", f"multipart/form-data; boundary={mark}")
        urllib.request.urlopen(request, timeout=self.patience).close()

    @property
    def faults(self) -> tuple[list[str], list[str]]:
        """What the last run showed in red: (kinds of errors that nobody turned into a sentence, sentences)."""
        drawn = [one.delta.new_element for one in self._messages() if one.HasField("delta")]
        bare = [one.exception.type for one in drawn if one.HasField("exception")]
        alerts = [one.alert for one in drawn if one.HasField("alert")]
        return bare, [one.body for one in alerts if one.format == Alert.ERROR]

    @property
    def query(self) -> dict[str, str]:
        """The choices in the page's address, as the last run has left them."""
        told = [
            one.page_info_changed.query_string
            for one in self._messages()
            if one.HasField("page_info_changed")
        ]
        return dict(urllib.parse.parse_qsl(told[-1] if told else self._address.rerun_script.query_string))

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
            found = self._next()
            if found.HasField("script_finished") and found.script_finished == FINISHED:
                return

    def _next(self) -> ForwardMsg:
        payload = self._connection.recv(timeout=self.patience)
        assert isinstance(payload, bytes)
        self.sent.append(payload)
        found = ForwardMsg.FromString(payload)
        if found.HasField("new_session"):
            self._id = found.new_session.initialize.session_id
        return found

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
        address,
        subprotocols=["streamlit", token],
        additional_headers=headers,
        max_size=None,
        ping_interval=None,  # the server asks, as of a browser; a busy one may answer late
    ) as connection:
        yield Line(connection, url, {"Cookie": headers["Cookie"], "X-Xsrftoken": token})
