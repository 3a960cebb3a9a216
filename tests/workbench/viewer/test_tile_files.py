"""Tiles on disk: what a page finds without reading, and what a browser gets under their addresses."""

import asyncio
import gc
from concurrent.futures import ThreadPoolExecutor

import pytest

from workbench.storage.database import WorkspaceError
from workbench.storage.pictures import TileFile
from workbench.viewer import component, tile_files


@pytest.fixture
def tile(workspace):
    """A tile on disk."""
    return stored(workspace, "a", b"PCT1 of a")


def stored(workspace, letter, content):
    map_path = f"results/1/{letter * 64}.png"
    with workspace.new_file(workspace.tile_path(map_path)) as path:
        path.write_bytes(content)
    return TileFile.find(workspace, map_path)


def answer(url, base=""):
    """Ask the route for an address as a browser does; return status and bytes."""
    sent = []
    scope = {"type": "http", "method": "GET", "path": url, "headers": [], "query_string": b""}

    async def receive():
        return {"type": "http.request"}

    async def send(message):
        sent.append(message)

    with ThreadPoolExecutor(1) as pool:  # a browser test's loop may be running in this thread
        pool.submit(asyncio.run, tile_files.route(base)(scope, receive, send)).result()
    return sent[0]["status"], sent[1]["body"]


def test_a_browser_gets_the_bytes_that_reading_the_file_gives(tile):
    offered = tile_files.offer(tile)
    url = tile_files.address(offered)
    naive = tile.workspace.tile_path(tile.map_path).read_bytes()
    assert answer(url) == (200, naive) == (200, b"PCT1 of a")
    assert answer(f"/line/3{url}", "/line/3/") == (200, naive)


def test_an_address_leads_nowhere_once_no_session_shows_the_tile(workspace):
    first = tile_files.offer(stored(workspace, "a", b"PCT1 of a"))
    second = tile_files.offer(TileFile.find(workspace, first.map_path))
    assert first is second
    url = tile_files.address(first)
    del first
    assert answer(url)[0] == 200
    del second
    gc.collect()
    assert answer(url)[0] == 404


def test_a_tile_that_was_written_again_has_another_address(workspace, tile):
    again = stored(workspace, "a", b"PCT1 of a, at another threshold")
    assert tile_files.address(again) != tile_files.address(tile)
    assert tile_files.address(stored(workspace, "b", b"PCT1 of a")) != tile_files.address(tile)


def test_a_tile_that_has_gone_or_became_a_link_is_not_served(workspace, tile, tmp_path):
    url, path = tile_files.address(tile_files.offer(tile)), workspace.tile_path(tile.map_path)
    path.unlink()
    assert answer(url)[0] == 404 and TileFile.find(workspace, tile.map_path) is None
    (tmp_path / "secret").write_bytes(b"secret")
    path.symlink_to(tmp_path / "secret")
    assert answer(url)[0] == 404 and TileFile.find(workspace, tile.map_path) is None


@pytest.mark.parametrize(
    "path", ["", "..", "../x.png", "/results/1/x.png", "results//x.png", "results\\x.png"]
)
def test_a_path_that_this_program_does_not_make_is_refused(workspace, path):
    with pytest.raises(WorkspaceError, match="not a path of a workspace"):
        TileFile.find(workspace, path)


def test_a_gallery_names_its_tiles_and_reads_none(workspace, tile, monkeypatch):
    monkeypatch.setattr("streamlit.session_state", {})
    monkeypatch.setattr(TileFile, "read", None)
    other = stored(workspace, "b", b"PCT1 of b")
    for _ in range(2):
        assert component.picture_urls([tile, other], "near") == [
            tile_files.address(tile),
            tile_files.address(other),
        ]
