"""No serious barrier on any page of the dashboard, empty and full, by axe-core."""

from __future__ import annotations

import pytest

from tests.browser.settled import settle
from tests.pages.prepared import prepare
from workbench.inspections.batches import list_batches, list_results
from workbench.storage.workspace import Workspace

PATIENCE = 120_000  # milliseconds; the machine may be busy
EMPTY = {"": "h1", "build": "input", "inspect": "h1", "review": "h1", "evaluate": "h1", "library": "h1"}


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """A workspace with something on every page, and the id of an image that has a detail."""
    workspace = Workspace(prepare(tmp_path_factory.mktemp("full")))
    batch = list_batches(workspace, "washer")[0].id
    image = next(one.id for one in list_results(workspace, batch, 1) if one.score is not None)
    workspace.database.close()
    return workspace.root, image


@pytest.mark.parametrize("path", EMPTY)
def test_empty_pages(serve, open_page, find_barriers, tmp_path_factory, path):
    server = serve("app.py", PATCHCORE_EMPTY="1")
    page = open_page(f"{server.url}/{path}").page
    assert barriers(page, EMPTY[path], find_barriers) == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("path", "ready"),
    [
        ("", ".pc-card"),
        ("inspect?inspector=washer", ".tile.painted"),
        ("inspect?inspector=washer&image={image}", ".detail-viewer[data-ready]"),
    ],
    ids=["home", "gallery", "detail"],
)
def test_full_pages(serve, open_page, find_barriers, full, path, ready, dark):
    root, image = full
    page = open_page(f"{serve('app.py', workspace=root).url}/{path.format(image=image)}", dark=dark).page
    assert barriers(page, ready, find_barriers) == []


def barriers(page, ready, find_barriers):
    page.locator(ready).first.wait_for(state="attached", timeout=PATIENCE)
    settle(page, PATIENCE)
    page.wait_for_timeout(500)
    return find_barriers(page)
