"""How long a moved threshold takes with 60 images on screen: `python -m lab.speed.threshold`.

The app runs as a user runs it, and a real browser moves the reject threshold by keyboard on Inspect and on Tune.
Counted is the time from the frame that tells the server to the last frame of the run that follows; browser and server
share the machine.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path

from playwright.sync_api import Page, WebSocket

from lab.browser import chromium
from lab.machine import machine
from patchcore.images.reading import list_images
from workbench.inspections.batches import create_batch, score_batch
from workbench.inspections.samples import list_samples, prepare_sample
from workbench.inspectors.versions import get_version
from workbench.storage.workspace import Workspace

IMAGES, MOVES = 60, 20
QUIET_SECONDS = 1.0  # without a frame, after which a run is over


class Frames:
    """When frames went to the server and came from it."""

    def __init__(self) -> None:
        self.sent: list[float] = []
        self.received: list[float] = []

    def watch(self, socket: WebSocket) -> None:
        """Note the frames of a connection."""
        socket.on("framesent", lambda _frame: self.sent.append(time.perf_counter()))
        socket.on("framereceived", lambda _frame: self.received.append(time.perf_counter()))


def prepare(root: Path) -> str:
    """Make a workspace with a scored batch of 60 images and return what opens it."""
    workspace, sample = Workspace(root), list_samples()[0]
    inspector = prepare_sample(workspace, sample)
    files = list_images(sample.folder / "test")
    chosen = [(path, f"{again}/{path.parent.name}/{path.name}") for again in range(9) for path in files][
        :IMAGES
    ]
    images = [workspace.store_image(path, name, truth=path.parent.name) for path, name in chosen]
    batch = create_batch(workspace, inspector.id, images, "sixty")
    assert inspector.current_id is not None
    for _ in score_batch(workspace, batch, get_version(workspace, inspector.current_id)):
        pass
    workspace.database.close()
    return f"inspector={inspector.id}&batch={batch}"


def moves(page: Page, frames: Frames) -> list[float]:
    """Move the threshold step by step and return the seconds that each run took."""
    handle, taken = page.get_by_role("slider", name="Reject threshold"), []
    handle.focus()
    for step in range(MOVES):
        frames.sent.clear()
        frames.received.clear()
        handle.press("ArrowLeft" if step % 2 else "ArrowRight")
        last = time.perf_counter()
        while not frames.sent or time.perf_counter() - last < QUIET_SECONDS:
            page.wait_for_timeout(50)
            last = max([last, *frames.received[-1:], *frames.sent[-1:]])
        taken.append(frames.received[-1] - frames.sent[0])
    return taken


def tell(name: str, taken: list[float]) -> None:
    """Print the median and the longest."""
    shown = [1000 * seconds for seconds in taken]
    print(
        f"{name}: {IMAGES} images, {MOVES} moves: median {statistics.median(shown):.0f} ms, "
        f"longest {max(shown):.0f} ms"
    )


def main() -> None:
    print(machine())
    with chromium() as (browser, serve):
        root = serve.folder / "workspace"
        address = prepare(root)
        for name in ("inspect", "tune"):
            page, frames = browser.new_page(viewport={"width": 1440, "height": 1400}), Frames()
            page.on("websocket", frames.watch)
            page.goto(f"{serve('app.py', workspace=root).url}/{name}?{address}")
            page.locator(".tile.painted").first.wait_for(timeout=120_000)
            page.get_by_text("Scoring").first.wait_for(state="hidden", timeout=120_000)
            page.wait_for_timeout(5_000)
            tell(name, moves(page, frames))
            page.close()


if __name__ == "__main__":
    main()
