import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from starlette.applications import Starlette
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route

import workbench
from workbench.widgets.frame.browser_history import SCRIPT, HistoryScript

PAGE = "<!DOCTYPE html><html><head><title>x</title></head></html>"
ASKED = [(b"accept", b"text/html"), (b"if-none-match", b'"1"'), (b"accept-encoding", b"gzip")]


def page(request):
    # Streamlit may pack its page, or say that it has not changed.
    assert not {"accept-encoding", "if-none-match"} & set(request.headers)
    return HTMLResponse(PAGE, headers={"etag": '"1"'})


def script(_request):
    return PlainTextResponse("<head>")


def answer(path):
    """Return (headers, body) of what a browser gets that opens an address."""
    app = HistoryScript(Starlette(routes=[Route("/tune", page), Route("/index.js", script)]))
    sent = []

    async def receive():
        return {"type": "http.request", "body": b""}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"batch=1", "headers": ASKED}
    with ThreadPoolExecutor(1) as pool:  # the browser's tests leave a loop of their own in this thread
        pool.submit(asyncio.run, app(scope, receive, send)).result()
    return dict(sent[0]["headers"]), b"".join(message["body"] for message in sent[1:])


def test_a_page_gets_the_script_before_all_others_and_nothing_else_is_changed():
    headers, body = answer("/tune")
    assert body.decode() == PAGE.replace(
        "<head>", f"<head><script>{SCRIPT.read_text(encoding='utf-8')}</script>"
    )
    assert b"etag" not in headers and int(headers[b"content-length"]) == len(body)
    assert answer("/index.js")[1] == b"<head>"


def test_pages_go_to_each_other_and_write_addresses_through_one_module():
    root = Path(workbench.__file__).parents[1]
    sources = [*(root / "workbench").rglob("*.py"), *(root / "pages").glob("*.py")]
    writing = re.compile(r"st\.switch_page|st\.query_params")
    assert [path.name for path in sources if writing.search(path.read_text(encoding="utf-8"))] == [
        "session.py"
    ]
