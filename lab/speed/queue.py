"""Two people at once: a small batch beside 2,000 images, `python -m lab.speed.queue`.

A small inspector is built from the sample product. One person has a long batch scored, and a second person a small one,
several times in between. The command prints the wait of each small batch for its first result, the times left that the
queue told beside the times taken, and the wait for an explanation that a person asks for meanwhile. It fails where a
small batch waits longer than 2 s, or a time left is wrong by more than a third.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from itertools import cycle, islice

from lab.machine import machine
from patchcore.images.reading import list_images
from workbench.inspections.background_scorer import Scorer
from workbench.inspections.batches import count_unscored, create_batch, explain, list_results
from workbench.inspections.samples import list_samples
from workbench.inspectors.building import BuildSettings, build
from workbench.storage.tables import InspectorVersion
from workbench.storage.workspace import NamedImage, Workspace

SMALL = 20  # images of a small batch
TIMES = 3  # small batches
AT_FIRST = 60  # images of the long batch before the first time left is read
WAIT = 2.0  # seconds that a small batch may wait for its first result
SLACK = 1.0  # seconds by which a short time left may be wrong: a turn, and this command's own looks
LOOK = 0.05  # seconds between two looks


def batch_of(workspace: Workspace, images: list[NamedImage], count: int, name: str) -> int:
    """Make a batch of so many images; the same pictures come again under other names."""
    named = [
        NamedImage(image.sha256, f"{number:05d}.jpg")
        for number, image in enumerate(islice(cycle(images), count))
    ]
    return create_batch(workspace, "part", named, name)


def seconds_until(is_true: Callable[[], object]) -> float:
    """Wait until a function returns true, and return the seconds."""
    began = time.monotonic()
    while not is_true():
        time.sleep(LOOK)
    return time.monotonic() - began


def told_and_taken(what: str, told: float | None, taken: float) -> bool:
    """Print a time left beside the time taken; return whether it is right within a third."""
    share = float("inf") if told is None else abs(told - taken) / taken
    print(f"{what:44} told {told or 0:6.1f} s, taken {taken:6.1f} s, off by {share:4.0%}", flush=True)
    return told is not None and abs(told - taken) <= max(taken / 3, SLACK)


def two_people(workspace: Workspace, version: InspectorVersion, images: list[NamedImage], count: int) -> bool:
    """Score a long batch with small ones in between; return whether all waits and times left are as promised."""
    scorer = Scorer(workspace)
    long = batch_of(workspace, images, count, "long")
    scorer.want(long, version.id)
    seconds_until(lambda: count_unscored(workspace, long, version.id) <= count - AT_FIRST)
    right, began = [], time.monotonic()
    of_long = scorer.state(long, version.id).seconds_left
    disturbed = 0.0
    for number in range(TIMES):
        small = batch_of(workspace, images, SMALL, f"small {number}")
        asked = time.monotonic()
        scorer.want(small, version.id)
        of_small = scorer.state(small, version.id)
        first = seconds_until(lambda: list_results(workspace, small, version.id))  # noqa: B023
        print(f"small batch, place {of_small.place}: first result after {first:.2f} s", flush=True)
        seconds_until(lambda: not scorer.wait(small, version.id, LOOK))  # noqa: B023
        taken = time.monotonic() - asked
        disturbed += taken * (1 - (1 / 4))
        right += [first <= WAIT, told_and_taken("small batch", of_small.seconds_left, taken)]
    result = list_results(workspace, long, version.id)[0]
    asked = time.monotonic()
    explain(workspace, result)
    print(f"explanation beside the long batch: {time.monotonic() - asked:.2f} s", flush=True)
    seconds_until(lambda: not scorer.wait(long, version.id, 1.0))
    taken = time.monotonic() - began - disturbed  # the small ones came after the time left was told
    right.append(told_and_taken(f"{count:,} images, without the small ones", of_long, taken))
    scorer.stop()
    return all(right)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--size", type=int, default=224, help="side of the network's input, in pixels")
    options = parser.parse_args()
    print(machine(), flush=True)
    with tempfile.TemporaryDirectory(prefix="queue-") as folder:
        workspace = Workspace(folder)
        product = list_samples()[0]
        good = [workspace.store_image(path, path.name) for path in list_images(product.folder / "train/good")]
        settings = BuildSettings(name="Part", image_size=options.size)
        version = build(workspace, settings, good, inspector_id="part")
        test = [workspace.store_image(path, path.name) for path in list_images(product.folder / "test")]
        is_right = two_people(workspace, version, test, options.images)
        workspace.close()
    if not is_right:
        raise SystemExit("A small batch waited too long, or a time left was wrong by more than a third.")


if __name__ == "__main__":
    main()
