"""The server's time of the pages with a large batch: `python -m lab.speed.pages [--images 2000] [--profile FOLDER]`.

The inspector of a sample product is built, and a few dozen of its test images are scored. Their results are then stored
again for as many other images as asked for: each has a file, a name, a score, a map, a tile and an overlay of its own,
and half of the images have their label. The command measures runs of each page's script from start to end: the first
one of a session, the same again, and one after a person has changed something.
"""

from __future__ import annotations

import argparse
import cProfile
import io
import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas  # noqa: F401  # Streamlit loads it once in a server, with the first chart or component
import PIL.Image
import psutil
from PIL.PngImagePlugin import PngInfo
from sqlalchemy import insert, select
from streamlit.runtime.scriptrunner import script_runner
from streamlit.testing.v1 import AppTest

from lab import ROOT, tables
from lab.machine import machine
from patchcore.images.reading import list_images
from patchcore.thresholds.operating_point import OperatingPoint
from workbench.inspections.batches import (
    create_batch,
    good_batch,
    list_batches,
    list_results,
    load_map,
    load_pixels,
    score_batch,
    value_range_of,
)
from workbench.inspections.samples import list_samples, prepare_sample
from workbench.inspectors.versions import get_version
from workbench.storage.map_files import write_map
from workbench.storage.pictures import encode_tile
from workbench.storage.tables import GOOD, BatchImage, Inspection, InspectorVersion, Result
from workbench.storage.workspace import NamedImage, Workspace

LIMIT = 1.0  # seconds of server time
ORIGINALS = 36  # test images that are scored
FILES = 500  # maps, tiles and overlays of their own; those of further images are links to them
ROWS_AT_ONCE = 5_000
BATCH = "A day of parts"
EVEN = 0.02  # spread of the factor between an original's scores and a copy's


Change = Callable[[AppTest, int], Any]
"""Changes something on an open page, as a person does; the number is an image's result."""


def _choose(key: str, value: str) -> Change:
    return lambda app, _result: app.selectbox(key=key).set_value(value)


def _view(key: str, name: str | list[str]) -> Change:
    return lambda app, _result: app.button_group(key=key).set_value(name)


def _open(name: str) -> Change:
    def change(app: AppTest, result: int) -> None:
        app.query_params[name] = str(result)

    return change


PAGES: dict[str, dict[str, Change]] = {
    "Tune": {
        "judge by score and regions": _choose("tune_judge", "both"),
        "regions of 25 pixels": lambda app, _result: app.text_input(key="tune_area").set_value("25"),
        "the same, measured": lambda app, _result: _until_drawn(app),
        "open an image": _open("look"),
    },
    "History": {
        "filter by name": lambda app, _result: app.text_input(key="history_text").set_value("0011"),
        "filter by verdict": _view("history_verdicts", ["reject"]),
    },
    "Inspect": {
        "review band": lambda app, _result: app.toggle(key="review_band").set_value(True),
        "open an image": _open("image"),
    },
    "Review": {"skip": lambda app, _result: app.button(key="review_S").click()},
    "Evaluate": {
        name.lower(): _view("evaluate_view", name)
        for name in (
            "By defect type",
            "Misses and false rejects",
            "Bank size",
            "Good images",
            "Compare",
            "Report",
        )
    },
    "Show": {},
    "Home": {},
    "Library": {"jobs": _view("shelf_view", "jobs")},
}
"""What is changed on each page, one after the other."""


def _until_drawn(app: AppTest) -> None:
    """Wait for what the server measures in the background, as the page does that shows how far it is."""
    while "tune_judge" not in {box.key for box in app.selectbox}:
        time.sleep(1)
        app.run()


def prepare(workspace: Workspace, images: int, seed: int = 0) -> int:
    """Build the sample's inspector, score a few images, and store their results for as many images as asked for.

    Returns
    -------
    The id of the batch.
    """
    sample = list_samples()[0]
    inspector = prepare_sample(workspace, sample)
    assert inspector.current is not None
    version = get_version(workspace, inspector.current.id)
    for _ in score_batch(workspace, good_batch(workspace, version), version):
        pass
    paths = [path for path in list_images(sample.folder / "test") if path.stat().st_size]
    paths = paths[:: max(1, len(paths) // ORIGINALS)]
    originals = [workspace.store_image(path, path.name, truth=path.parent.name) for path in paths]
    first = create_batch(workspace, inspector.id, originals, "Originals")
    for _ in score_batch(workspace, first, version):
        pass
    copies = _Copies(workspace, version, list_results(workspace, first, version.id), seed)
    named = [copies.image(number) for number in range(images)]
    batch = create_batch(workspace, inspector.id, named, BATCH)
    copies.store(batch)
    return batch


class _Copies:
    """Images like scored ones, each with results of its own."""

    def __init__(
        self, workspace: Workspace, version: InspectorVersion, results: list[Result], seed: int
    ) -> None:
        self.workspace, self.version, self.rng = workspace, version, random.Random(seed)
        with workspace.database.read() as session:
            rows = session.execute(select(*Inspection.__table__.columns)).mappings()
            self.inspections = {row["batch_image_id"]: dict(row) for row in rows}
        scored = [result for result in results if result.score is not None]
        good = [result for result in scored if result.image.truth == GOOD]
        mixture = [*scored, *good, *good]  # most batches have more good parts than defective ones
        self.originals = [self.rng.choice(mixture) for _ in range(FILES)]
        self.factors = [self.rng.lognormvariate(0.0, EVEN) for _ in range(FILES)]
        self.files: dict[int, tuple[Path, Path, Path]] = {}

    def image(self, number: int) -> NamedImage:
        """Store a picture that differs from an original in a comment only."""
        original = self.originals[number % FILES].image
        comment, file = PngInfo(), io.BytesIO()
        comment.add_text("number", str(number))
        with PIL.Image.open(self.workspace.image_path(original.sha256)) as picture:
            picture.save(file, "PNG", pnginfo=comment, compress_level=1)
        truth = original.truth if self.rng.random() < 0.5 else None
        return self.workspace.store_image(file.getvalue(), f"line 3/part {number:06d}.png", truth=truth)

    def store(self, batch_id: int) -> None:
        """Store results and inspections of the whole batch."""
        with self.workspace.database.read() as session:
            query = select(BatchImage).where(BatchImage.batch_id == batch_id).order_by(BatchImage.position)
            images = list(session.scalars(query))
        for first in range(0, len(images), ROWS_AT_ONCE):
            rows = [self._rows(image) for image in images[first : first + ROWS_AT_ONCE]]
            with self.workspace.database.write() as session:
                session.execute(insert(Result), [result for result, _ in rows])
                session.execute(insert(Inspection), [inspection for _, inspection in rows])

    def _rows(self, image: BatchImage) -> tuple[dict[str, Any], dict[str, Any]]:
        original = self.originals[image.position % FILES]
        map_path, overlay = self._stored(image)
        own = {
            "batch_image_id": image.id,
            "score": (original.score or 0.0) * self.factors[image.position % FILES],
        }
        names = [column.name for column in Result.__table__.columns if column.name != "id"]
        result = {name: getattr(original, name) for name in names} | own | {"map_path": map_path}
        stored = self.inspections[original.batch_image_id]
        point = OperatingPoint.from_dict(self.version.operating_point)
        inspection = {name: value for name, value in stored.items() if name != "id"} | own
        verdict = point.judge_by_peak(own["score"], None, doubtful=bool(original.doubts))
        about = {"sha256": image.sha256, "name": image.name, "verdict": verdict, "overlay_path": overlay}
        return result, inspection | about

    def _stored(self, image: BatchImage) -> tuple[str, str]:
        """Store map, tile and overlay of a copy, and return the paths of map and overlay."""
        here, number = self.workspace, image.position % FILES
        original = self.originals[number]
        overlay = here.root / self.inspections[original.batch_image_id]["overlay_path"]
        target = here.map_path(self.version.id, image.sha256)
        targets = (
            target,
            here.tile_path(here.relative(target)),
            overlay.with_name(f"{image.sha256[:16]}-{image.id}{overlay.suffix}"),
        )
        if number in self.files:
            for source, link in zip(self.files[number], targets, strict=True):
                link.hardlink_to(source)
        else:
            self.files[number] = targets
            scores = load_map(here, original) * np.float32(self.factors[number])
            write_map(targets[0], scores)
            pixels = load_pixels(here, original.image.sha256, value_range_of(self.version))
            targets[1].write_bytes(encode_tile(pixels, scores, self.version.operating_point["reject"]))
            shutil.copyfile(overlay, targets[2])
        return here.relative(targets[0]), here.relative(targets[2])


def measure(name: str, result: int, profiles: Path | None) -> Iterator[tuple[str, float, float]]:
    """Open a page in a session of its own, run it again, change something; yield each run with both its times."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=600)
    app.query_params["inspector"] = list_samples()[0].inspector_id
    app.switch_page(f"pages/{name.lower()}.py")
    runs: dict[str, Change | None] = {"first run": None, "run again": None, **PAGES[name]}
    for what, change in runs.items():
        if change is not None:
            change(app, result)
        profile = cProfile.Profile(time.thread_time, builtins=False) if profiles else None
        began, worked = time.perf_counter(), time.process_time()
        with _of_script(profile):
            app.run()
        yield what, time.perf_counter() - began, time.process_time() - worked
        assert not app.exception, app.exception
        if profile is not None and profiles is not None:
            profile.dump_stats(profiles / f"{name}-{what.replace(' ', '-')}.prof")


@contextmanager
def _of_script(profile: cProfile.Profile | None) -> Iterator[None]:
    """Profile the thread that runs a page's script, which is another one than the test's."""
    if profile is None:
        yield
        return
    run = script_runner.ScriptRunner._run_script

    def profiled(self: Any, *args: Any) -> Any:
        return profile.runcall(run, self, *args)

    script_runner.ScriptRunner._run_script = profiled  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        script_runner.ScriptRunner._run_script = run  # type: ignore[method-assign]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=2_000)
    parser.add_argument("--pages", nargs="+", choices=PAGES, default=list(PAGES))
    parser.add_argument("--workspace", type=Path, help="made at the first call, then used again")
    parser.add_argument("--profile", type=Path, metavar="FOLDER", help="for files of cProfile, one a run")
    options = parser.parse_args()
    if options.profile is not None:
        options.profile.mkdir(parents=True, exist_ok=True)
    print(machine(), flush=True)
    with tempfile.TemporaryDirectory(prefix="pages-") as scratch:
        folder = options.workspace or Path(scratch)
        os.environ["PATCHCORE_WORKSPACE"] = str(folder)
        with closing(Workspace(folder)) as workspace:
            if not list_batches(workspace, list_samples()[0].inspector_id):
                began = time.perf_counter()
                prepare(workspace, options.images)
                print(
                    f"{options.images:,} images prepared in {time.perf_counter() - began:.0f} s", flush=True
                )
            result = _some_result(workspace)
        slowest = report(options.pages, result, options.profile)
    print(f"The slowest run took {slowest:.2f} s; {LIMIT:.0f} s is allowed.")
    if slowest > LIMIT:
        raise SystemExit(1)


def _some_result(workspace: Workspace) -> int:
    inspector = prepare_sample(workspace, list_samples()[0])
    assert inspector.current is not None
    batch = list_batches(workspace, inspector.id)[0]
    return list_results(workspace, batch.id, inspector.current.id)[7].id


def report(names: list[str], result: int, profiles: Path | None) -> float:
    """Print the table of runs and return the seconds of the slowest one, which is not a server's very first."""
    for _ in measure("Home", result, None):  # imports what every page needs, and opens the workspace
        pass
    print(tables.head("page", "run", "seconds", "of processors", "memory, MiB"), flush=True)
    slowest = 0.0
    for name in names:
        for what, seconds, busy in measure(name, result, profiles):
            resident = psutil.Process().memory_info().rss / 2**20
            print(tables.line((name, what, f"{seconds:.2f}", f"{busy:.2f}", f"{resident:.0f}")), flush=True)
            slowest = max(slowest, seconds)
    return slowest


if __name__ == "__main__":
    main()
