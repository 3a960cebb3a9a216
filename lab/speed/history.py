"""The time of the page History with 100,000 inspections: `python -m lab.speed.history`.

A small inspector is built and scores a few images; their rows and overlays are then repeated with other names, times
and scores up to the requested number. The command measures the server's time: a run of the page's script from start to
end, with everything it reads and draws. The first paint comes from a fresh server; each filter is set once on the open
page.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select
from streamlit.testing.v1 import AppTest

from lab import ROOT
from lab.machine import machine
from patchcore.images.reading import list_images
from workbench.inspections.batches import create_batch, score_batch
from workbench.inspections.samples import list_samples
from workbench.inspectors.building import BuildSettings, build
from workbench.inspectors.versions import get_version
from workbench.storage.tables import Inspection
from workbench.storage.timestamps import now
from workbench.storage.workspace import Workspace

APP = ROOT / "app.py"
OVERLAYS = 400  # different files; a page shows 25
AT_ONCE = 5_000
LIMIT = 1.0  # seconds


def prepare(workspace: Workspace) -> list[dict[str, Any]]:
    """Build a small inspector, score a few parts with it, and return their rows as plain values."""
    product = list_samples()[0]
    good = [workspace.store_image(path, path.name) for path in list_images(product.folder / "train/good")[:6]]
    version = build(workspace, BuildSettings(name="Part", image_size=96), good, inspector_id="part")
    test = [workspace.store_image(path, path.name) for path in list_images(product.folder / "test")[::6]]
    batch = create_batch(workspace, "part", test, "Morning")
    for _ in score_batch(workspace, batch, get_version(workspace, version.id)):
        pass
    with workspace.database.read() as session:
        table = Inspection.__table__
        return [dict(row._mapping) for row in session.execute(select(*table.columns)).all()]


def fill(workspace: Workspace, rows: list[dict[str, Any]], total: int, seed: int = 0) -> None:
    """Add rows up to a number: two thousand parts a day, nineteen of twenty accepted."""
    rng = random.Random(seed)
    began = now() - timedelta(days=total / 2000)
    with workspace.database.write() as session:
        for first in range(len(rows), total, AT_ONCE):
            values = [
                _another(rng, rng.choice(rows), number, began)
                for number in range(first, min(first + AT_ONCE, total))
            ]
            session.execute(insert(Inspection), values)
    for path in {value["overlay_path"] for value in rows if value["overlay_path"]}:
        for number in range(OVERLAYS // len(rows) + 1):
            shutil.copyfile(workspace.root / path, _copy(workspace.root / path, number))


def _copy(path: Path, number: int) -> Path:
    return path.with_name(f"{path.stem}-{number}{path.suffix}")


def _another(rng: random.Random, row: dict[str, Any], number: int, began: Any) -> dict[str, Any]:
    score = row["accept"] * rng.lognormvariate(-0.35, 0.2)
    verdict = "accept" if score <= row["accept"] else "review" if score <= row["reject"] else "reject"
    path = row["overlay_path"]
    decision = rng.choice(("fine", "defect")) if verdict != "accept" and rng.random() < 0.3 else None
    return {name: value for name, value in row.items() if name != "id"} | {
        "created": began + timedelta(seconds=43.2 * number),
        "name": f"line 3/part {number:06d}.png",
        "batch_image_id": None,
        "score": score,
        "verdict": verdict,
        "operator": rng.choice(("Ann", "Mo", "Vic")),
        "source": rng.choice(("page", "watch", "watch", "watch")),
        "overlay_path": path and str(_copy(Path(path), number % (OVERLAYS // 8))),
        "decision": decision,
        "decided_by": "Ann" if decision else "",
        "decided": now() if decision else None,
    }


def timed(what: str, work: Callable[[], Any]) -> float:
    """Do the work, print its time and its processor time, and return its time."""
    began, worked = time.perf_counter(), time.process_time()
    work()
    seconds, busy = time.perf_counter() - began, time.process_time() - worked
    print(f"{what:58} {seconds * 1e3:7.0f} ms, {busy * 1e3:7.0f} ms of processor time", flush=True)
    return seconds


def page() -> list[float]:
    """Open the page and filter it; return the seconds of every run."""
    app = AppTest.from_file(str(APP), default_timeout=120)
    app.query_params["inspector"] = "part"
    app.run()  # Home: imports what every page needs
    app.switch_page("pages/history.py")
    taken = [timed("page: first paint", app.run)]
    app.text_input(key="history_text").set_value("part 004711")
    taken.append(timed("page: filter by name", app.run))
    assert [button.label for button in _rows(app)] == ["line 3/part 004711.png"]
    app.text_input(key="history_text").set_value("")
    app.button_group(key="history_verdicts").set_value(["reject"])
    taken.append(timed("page: filter by verdict", app.run))
    app.toggle(key="history_other").set_value(True)
    taken.append(timed("page: filter by disagreement", app.run))
    app.button_group(key="history_verdicts").set_value([])
    app.toggle(key="history_other").set_value(False)
    app.number_input(key="history_lowest").set_value(8.0)
    taken.append(timed("page: filter by score", app.run))
    app.selectbox(key="history_of").select("all")
    taken.append(timed("page: all inspectors", app.run))
    next(button for button in app.button if button.label == "Older").click()
    taken.append(timed("page: turned to older ones", app.run))
    _rows(app)[0].click()
    taken.append(timed("page: one inspection opened", app.run))
    assert not app.exception
    return taken


def _rows(app: AppTest) -> list[Any]:
    """Return the buttons that open the rows."""
    return [button for button in app.button if (button.key or "").startswith("open_")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    options = parser.parse_args()
    print(machine(), flush=True)
    with tempfile.TemporaryDirectory(prefix="history-") as folder:
        os.environ["PATCHCORE_WORKSPACE"] = folder
        workspace = Workspace(folder)
        rows = prepare(workspace)
        timed(f"(filling in {options.rows:,} rows)", lambda: fill(workspace, rows, options.rows))
        taken = page()
        workspace.close()
    print(f"The slowest run of the page took {max(taken):.2f} s; {LIMIT:.0f} s is allowed.")
    if max(taken) > LIMIT:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
