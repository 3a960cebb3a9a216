"""Pages that are not the dashboard's, in a real browser: they neither read nor change anything of it."""

from __future__ import annotations

import json
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser

from patchcore.errors import PatchCoreError
from tests.browser.conftest import EVIL, AppServer, free_port
from tests.workbench.parts import build_small
from workbench.jobs.requests import list_jobs
from workbench.storage.tables import Job
from workbench.storage.workspace import Workspace
from workbench.watching.standing import WatchOptions, list_watches, start_watch

ATTACK = """
<!doctype html><meta charset="utf-8"><title>harmless</title><script>
const target = new URLSearchParams(location.search).get("target");
const found = {};
const ask = (path, options) => fetch(target + path, options).then(
  async (answer) => `${answer.status} ${(await answer.text()).slice(0, 40)}`, () => "no answer");
const connect = () => new Promise((done) => {
  const socket = new WebSocket(target.replace("http", "ws") + "/_stcore/stream", ["streamlit", "token"]);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => { found.opened = true; socket.send(new Uint8Array([0x0a, 0x00])); };
  socket.onmessage = () => done("heard");
  socket.onclose = () => done("closed");
  setTimeout(() => done("silence"), 4000);
});
const drawn = () => new Promise((done) => {
  const picture = new Image();
  picture.onload = () => done("drawn");
  picture.onerror = () => done("refused");
  picture.src = target + "/favicon.png";
});
const framed = () => new Promise((done) => {
  const frame = document.createElement("iframe");
  frame.onload = () => setTimeout(() => done(frame.contentDocument ? "ours" : "foreign"), 500);
  frame.src = target;
  document.body.append(frame);
});
addEventListener("load", async () => {
  found.config = await ask("/_stcore/host-config");
  found.health = await ask("/_stcore/health");
  found.upload = await ask("/_stcore/upload_file/one/two", {method: "PUT", body: "x"});
  found.picture = await drawn();
  found.socket = await connect();
  found.frame = await framed();
  document.body.dataset.found = JSON.stringify(found);
});
</script><body>
"""


class Attacker(BaseHTTPRequestHandler):
    """Serves the page that attacks whatever address it is given."""

    def do_GET(self) -> None:
        body = ATTACK.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def attacker() -> Iterator[int]:
    """The port on which the foreign page is served."""
    with ThreadingHTTPServer(("127.0.0.1", free_port()), Attacker) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture(scope="module")
def dashboard(house: AppServer) -> AppServer:
    with closing(Workspace(house.workspace)) as workspace:
        build_small(workspace, inspector_id="guarded")
    return house


def attack(browser: Browser, page_address: str, target: str) -> dict[str, str]:
    """Open the foreign page and return what it found out about the dashboard."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{page_address}/?target={target}")
    page.wait_for_function("() => document.body.dataset.found")
    found: dict[str, str] = json.loads(page.evaluate("() => document.body.dataset.found"))
    context.close()
    return found


def jobs(server: AppServer) -> int:
    with closing(Workspace(server.workspace)) as workspace, workspace.database.read() as session:
        return session.query(Job).count()


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", EVIL, f"www.{EVIL}"])
@pytest.mark.parametrize("called", ["localhost", "127.0.0.1", EVIL])
def test_a_foreign_page_hears_nothing(browser, dashboard, attacker, name, called):
    port = dashboard.url.rpartition(":")[2]
    before = jobs(dashboard)
    found = attack(browser, f"http://{name}:{attacker}", f"http://{called}:{port}")
    assert found["socket"] == "closed" and "opened" not in found
    assert found["picture"] == "refused"
    for answer in (found["config"], found["health"], found["upload"]):
        assert answer == "no answer" or answer.startswith("403")
    assert jobs(dashboard) == before


def test_a_rebound_name_gets_a_sentence_and_no_dashboard(browser, dashboard):
    port = dashboard.url.rpartition(":")[2]
    page = browser.new_page()
    for path in ("/", "/tune", "/_stcore/host-config", "/static/index.html", "/auth/login"):
        answer = page.goto(f"http://{EVIL}:{port}{path}")
        assert answer is not None and answer.status == 403
        assert "server.allowedHosts" in page.content()
    page.close()


def test_pages_of_the_dashboard_pass_the_gate(open_page, dashboard):
    page = open_page(dashboard.url).page
    page.get_by_role("button", name="Build an inspector").wait_for()


def test_a_name_that_is_set_is_served(serve, browser, tmp_path):
    port = free_port()
    server = serve("app.py", workspace=tmp_path, port=port, options=["--server.allowedHosts", f"www.{EVIL}"])
    page = browser.new_page()
    page.goto(f"http://www.{EVIL}:{port}/")
    page.get_by_role("button", name="Open the sample product").wait_for()
    answer = page.goto(f"http://{EVIL}:{port}/")
    assert answer is not None and answer.status == 403
    page.close()
    assert server.process.poll() is None


def test_a_web_page_cannot_reach_a_shell(browser, dashboard, attacker, tmp_path, monkeypatch):
    """The whole chain: a foreign page takes the dashboard over, and has it write where a shell reads."""
    home = tmp_path / "home"
    (home / "line 3").mkdir(parents=True)
    (home / "run.json").write_text("{}\n", encoding="utf-8")
    (home / ".bashrc").write_text("# mine\n", encoding="utf-8")
    mark = tmp_path / "taken over"
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("PATCHCORE_ROOTS", raising=False)

    port = dashboard.url.rpartition(":")[2]
    reached = attack(browser, f"http://{EVIL}:{attacker}", f"http://{EVIL}:{port}")
    reached |= attack(browser, f"http://localhost:{attacker}", f"http://localhost:{port}")

    workspace = Workspace(tmp_path / "workspace")  # as whoever was let in may use it
    build_small(workspace, inspector_id="plate-1")
    with workspace.database.write() as session:
        from workbench.storage.tables import Inspector

        session.get_one(Inspector, "plate-1").name = f'$(touch "{mark}")'
    written = []
    for target in (".bashrc", ".profile", ".bashrc.json", "run.json", ".config/run.jsonl", "line 3/run.sh"):
        try:
            options = WatchOptions(outputs={"lines_to": f"~/{target}"})
            start_watch(workspace, "plate-1", str(home / "line 3"), options)
            written.append(target)
        except PatchCoreError:
            continue
    subprocess.run(["bash", "-i", "-c", "true"], cwd=home, check=False, capture_output=True, timeout=20)

    assert reached["socket"] == "closed" and "opened" not in reached
    assert written == []
    assert list_watches(workspace) == [] and list_jobs(workspace) == []
    assert not mark.exists() and (home / ".bashrc").read_text(encoding="utf-8") == "# mine\n"
    workspace.close()


def test_a_stranger_stops_nothing(dashboard):
    """The message that clears everybody's caches, sent by a session of no page."""
    from streamlit.proto.BackMsg_pb2 import BackMsg
    from websockets.sync.client import connect

    before = dashboard.log().count("Traceback")
    address = dashboard.url.replace("http", "ws") + "/_stcore/stream"
    with connect(address, subprotocols=["streamlit"], additional_headers={"Origin": dashboard.url}) as socket:
        for message in (
            BackMsg(clear_cache=True),
            BackMsg(set_run_on_save=True),
            BackMsg(load_git_info=True),
        ):
            socket.send(message.SerializeToString())
        with urllib.request.urlopen(f"{dashboard.url}/_stcore/health", timeout=5) as answer:
            assert answer.status == 200
    request = urllib.request.Request(
        f"{dashboard.url}/_stcore/upload_file/one/two", data=b"x" * 100, method="PUT"
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=5)
    assert refused.value.code == 403
    refused.value.close()
    assert dashboard.log().count("Traceback") == before
