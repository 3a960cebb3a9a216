"""The gate in front of Streamlit: which hosts, which pages, which messages, which files."""

import asyncio
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg

from workbench.people.gate import HEADERS, Gate, admitted
from workbench.people.upload_room import LARGEST_FILE, MOST_BYTES, UploadRoom

ROOT = Path(__file__).resolve().parents[3]

STREAM, UPLOAD = "/_stcore/stream", "/_stcore/upload_file/one/two"
NAMES = ["inspection.example.com", "*.plant.example.com", "192.168.7.9"]


class Behind:
    """What stands behind the gate: notes what reaches it."""

    def __init__(self):
        self.reached, self.heard = [], []

    async def __call__(self, scope, receive, send):
        self.reached.append(scope["path"])
        if scope["type"] == "websocket":
            while (message := await receive())["type"] != "websocket.disconnect":
                self.heard.append(message)
        else:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"here"})


def call(headers, *, kind="http", path="/", method="GET", names=NAMES, messages=(), held=0):
    """Send one request through a gate: (what is behind, what came back)."""
    behind, sent = Behind(), []
    waiting = [{"type": f"{kind}.connect" if kind == "websocket" else "http.request"}, *messages]
    waiting.append({"type": f"{kind}.disconnect"})
    scope = {
        "type": kind,
        "path": path,
        "scheme": "ws" if kind == "websocket" else "http",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers],
    } | ({"method": method} if kind == "http" else {})

    async def receive():
        return waiting.pop(0)

    async def send(message):
        sent.append(message)

    run(Gate(behind, lambda: names, lambda: held)(scope, receive, send))
    return behind, sent


def run(work):
    """Run a coroutine in a thread of its own: a browser test's loop may be running in this one."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work).result()


def passes(headers, **more):
    behind, sent = call(headers, **more)
    if behind.reached:
        return True
    first = sent[0]
    assert (first.get("status"), first.get("code")) in ((403, None), (None, 1008))
    return False


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("localhost:8501", True),
        ("LOCALHOST", True),
        ("127.0.0.1:8501", True),
        ("127.9.9.9:1", True),
        ("[::1]:8501", True),
        ("inspection.example.com", True),
        ("Inspection.Example.com.:443", True),
        ("line3.plant.example.com", True),
        ("192.168.7.9:8501", True),
        ("plant.example.com", False),  # only what lies below it
        ("evil.test:8501", False),
        ("localhost.evil.test", False),
        ("inspection.example.com.evil.test", False),
        ("evilplant.example.com", False),
        ("10.0.0.7:8501", False),
        ("0.0.0.0:8501", False),
        ("2130706433", False),
        ("localhost:port", False),
        ("localhost:99999", False),
        ("user@localhost", False),
        ("localhost/evil.test", False),
        ("localhost#evil", False),
        ("", False),
    ],
)
def test_only_our_names_are_answered(host, known, kind):
    assert passes([("Host", host)], kind=kind, path=STREAM) is known


@pytest.mark.parametrize("headers", [[], [("Host", "localhost"), ("Host", "evil.test")]])
def test_one_host_is_named_and_no_two(headers):
    assert not passes(headers)


def test_without_names_only_local_ones_are_known():
    assert passes([("Host", "localhost:1")], names=[])
    assert not passes([("Host", "inspection.example.com")], names=[])


@pytest.mark.parametrize(
    ("host", "origin", "ours"),
    [
        ("localhost:8501", "http://localhost:8501", True),
        ("127.0.0.1:8501", "http://127.0.0.1:8501", True),
        ("[::1]:8501", "http://[::1]:8501", True),
        ("inspection.example.com", "http://inspection.example.com", True),
        ("inspection.example.com", "https://inspection.example.com", True),  # a proxy speaks HTTPS in front
        ("localhost:8501", "https://inspection.example.com", True),  # a proxy that names another host
        ("localhost:8501", "http://localhost:8502", False),
        ("localhost:8501", "http://localhost", False),
        ("localhost:8501", "http://127.0.0.1:8501", False),
        ("localhost:8501", "http://evil.test", False),
        ("localhost:8501", "http://evil.test:8501", False),
        ("localhost:8501", "null", False),
        ("localhost:8501", "file://", False),
        ("localhost:8501", "http://localhost:8501.evil.test", False),
        ("localhost:8501", "http://localhost:8501@evil.test", False),
        ("localhost:8501", "chrome-extension://abcdef", False),
        ("localhost:8501", "", False),
    ],
)
def test_only_pages_of_the_same_address_may_call(host, origin, ours):
    headers = [("Host", host), ("Origin", origin)]
    assert passes(headers, kind="websocket", path=STREAM) is ours
    assert passes(headers) is ours
    assert passes([("Host", host), ("Origin", origin)], method="POST") is ours


def test_two_origins_are_refused():
    same = ("Origin", "http://localhost:8501")
    assert not passes([("Host", "localhost:8501"), same, same], kind="websocket", path=STREAM)


def test_every_name_lets_no_foreign_page_call():
    headers = [("Host", "anything.test"), ("Origin", "http://evil.test")]
    assert passes(headers[:1], names=["*"])
    assert not passes(headers, names=["*"])


@pytest.mark.parametrize(
    ("site", "mode", "dest", "passed"),
    [
        ("same-origin", "cors", "empty", True),
        ("none", "navigate", "document", True),
        ("cross-site", "navigate", "document", True),  # a link, which changes nothing
        ("same-site", "navigate", "document", True),
        ("same-site", "no-cors", "image", False),  # another port of this computer
        ("cross-site", "no-cors", "script", False),
        ("cross-site", "navigate", "iframe", False),
        ("cross-site", "cors", "empty", False),
    ],
)
def test_embedded_requests_of_foreign_pages_are_refused_and_links_are_not(site, mode, dest, passed):
    headers = [("Host", "localhost:8501"), ("Sec-Fetch-Site", site)]
    headers += [("Sec-Fetch-Mode", mode), ("Sec-Fetch-Dest", dest)]
    assert passes(headers, path="/media/abc.png") is passed
    assert not passes(headers, method="POST") or site in ("same-origin", "none")


def test_a_program_that_names_no_page_is_let_through():
    assert passes([("Host", "localhost:8501")], kind="websocket", path=STREAM)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "POST"])
def test_files_come_from_sessions_that_were_let_in_alone(method):
    headers = [("Host", "localhost")]
    assert not passes(headers, path=UPLOAD, method=method)
    assert not passes(headers, path=f"/base{UPLOAD}", method=method)
    admitted.note("one", let_in=True)
    assert passes(headers, path=UPLOAD, method=method)
    assert not passes(headers, path=UPLOAD.replace("one", "other"), method=method)
    admitted.note("one", let_in=False)
    assert not passes(headers, path=UPLOAD, method=method)


@pytest.mark.parametrize(
    ("length", "held", "passed"),
    [
        ("1000", 0, True),
        (str(LARGEST_FILE), MOST_BYTES - LARGEST_FILE, True),
        (str(LARGEST_FILE), MOST_BYTES - LARGEST_FILE + 1, False),
        ("1000", MOST_BYTES, False),
        (None, MOST_BYTES - LARGEST_FILE + 1, False),  # chunked: it may be as large as any
        ("many", MOST_BYTES - LARGEST_FILE + 1, False),
        ("9" * 49, 0, True),  # counted as the largest; Streamlit refuses it by itself
    ],
)
def test_uploads_of_all_sessions_fit_into_one_room(length, held, passed):
    admitted.note("one", let_in=True)
    headers = [("Host", "localhost"), *([("Content-Length", length)] if length else [])]
    behind, sent = call(headers, path=UPLOAD, method="PUT", held=held)
    admitted.note("one", let_in=False)
    assert (behind.reached != []) is passed
    assert sent[0]["status"] == (200 if passed else 413)


def test_an_upload_that_ends_leaves_its_room_to_the_next_one():
    room = UploadRoom(lambda: 0, most=10)
    assert room.enter(6) and not room.enter(6)
    room.leave(6)
    assert room.enter(6)


def test_the_largest_upload_is_the_one_that_the_settings_name():
    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert settings["server"]["maxUploadSize"] * 2**20 == LARGEST_FILE


def test_messages_that_act_on_everybody_are_not_heard():
    heard = [BackMsg(rerun_script={}), BackMsg(stop_script=True), BackMsg(app_heartbeat=True)]
    ignored = [BackMsg(clear_cache=True), BackMsg(set_run_on_save=True), BackMsg(load_git_info=True)]
    ignored += [BackMsg(debug_shutdown_runtime=True), BackMsg(debug_disconnect_websocket=True)]
    messages = [
        {"type": "websocket.receive", "bytes": message.SerializeToString()}
        for pair in zip(ignored, [*heard, *heard], strict=False)
        for message in pair
    ]
    messages.append({"type": "websocket.receive", "bytes": b"\xff\xff no message"})
    behind, _ = call([("Host", "localhost")], kind="websocket", path=STREAM, messages=messages)
    kinds = [BackMsg.FromString(m["bytes"]).WhichOneof("type") for m in behind.heard[1:-1]]
    assert kinds == [*(m.WhichOneof("type") for m in heard), "rerun_script", "stop_script"]
    assert behind.heard[-1]["bytes"].startswith(b"\xff\xff")  # for Streamlit to refuse


def test_answers_forbid_frames_and_guessing():
    _, sent = call([("Host", "localhost")])
    found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    assert found == {name.lower(): value for name, value in HEADERS.items()}
    _, refused = call([("Host", "evil.test")])
    assert b"server.allowedHosts" in refused[1]["body"]


def test_other_messages_than_requests_pass():
    behind, seen = Behind(), []

    async def app(scope, receive, send):
        seen.append(scope["type"])

    run(Gate(app, list)({"type": "lifespan"}, None, None))
    assert seen == ["lifespan"] and not behind.reached
