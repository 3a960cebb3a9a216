"""Builds in parts: by one process, by two of which one is killed, and interrupted; the bytes are the same."""

import json
import os
import random
import signal
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from patchcore.errors import Cancelled, NoImagesError
from patchcore.executors import Processes
from patchcore.fitting import parts
from patchcore.maps.rendering import encode_png
from patchcore.patchcore import PatchCore

SIDE = 64


@dataclass(frozen=True)
class Killed:
    """The work of another, whose process kills itself once, after the third image."""

    start: Any
    mark: Path

    def __call__(self):
        run = self.start()
        return lambda part, report: run(part, lambda done: self.kill_once(done, report))

    def kill_once(self, done, report):
        if done == 3 and not self.mark.exists():
            self.mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        report(done)


class OnceKilled(Processes):
    """Processes of which the first to come to a third image is killed."""

    def __init__(self, count, mark):
        super().__init__(count)
        self.mark = mark

    def run(self, start, parts, listen):
        return super().run(Killed(start, self.mark), parts, listen)


class InThisProcess:
    """The smallest executor there can be; it remembers the parts."""

    def __init__(self):
        self.parts = []

    def run(self, start, parts, listen):
        self.parts, done = list(parts), Counter()
        run = start() if parts else None

        def report(number, items):
            done[number] = items
            listen(done.total())

        return [run(part, partial(report, number)) for number, part in enumerate(parts)]


@pytest.fixture(scope="module")
def images(good, tmp_path_factory):
    """Eight files, a twin of one, an array, a file of text, an absent file."""
    folder = tmp_path_factory.mktemp("images")
    named = []
    for number, (name, pixels) in enumerate(good):
        path = folder / f"{number}.png"
        path.write_bytes(encode_png(pixels))
        named.append((name, path))
    (folder / "text.png").write_text("no image", encoding="utf-8")
    twin = ("twin", named[2][1].read_bytes())
    array = ("array", np.full((SIDE, SIDE, 3), 90, np.uint8))
    return [*named, twin, array, ("text", folder / "text.png"), ("absent", folder / "absent.png")]


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(parts, "IN_A_PART", 4)


def built(images, **options):
    return PatchCore(image_size=SIDE, coreset=0.3, device="cpu", engine="torch").fit(images, **options)


def contents(model):
    """The contents of the inspector's file, less the times."""
    arrays, header = model.arrays_and_header()
    text = json.dumps(header, sort_keys=True)
    for moment in moments(header):
        text = text.replace(json.dumps(moment), '"then"')
    return {name: (array.dtype, array.shape, array.tobytes()) for name, array in arrays.items()}, text


def moments(header):
    for key, value in header.items():
        if isinstance(value, dict):
            yield from moments(value)
        elif key in ("created", "set_at") and value:
            yield value


@pytest.fixture(scope="module")
def whole(images):
    return built(images)


def test_a_build_in_parts_by_two_processes_gives_the_same_bytes(images, whole, tmp_path):
    """One of the two is killed on the way; cli/test_commands.py builds by one process."""
    steps = []
    two = built(
        images,
        executor=OnceKilled(2, tmp_path / "killed"),
        progress=lambda *step: steps.append(step),
    )
    assert (tmp_path / "killed").exists()
    assert contents(two) == contents(whole)
    assert len(whole.skipped_) == 3
    assert [str(error) for error in two.skipped_] == [str(error) for error in whole.skipped_]
    assert two.image_records_ == whole.image_records_
    done = [done for stage, done, total in steps if stage == "features" and total == len(images)]
    assert done == sorted(done) and done[-1] == len(images) and len(set(done)) > 3


def test_parts_follow_from_the_hashes_of_the_images_alone(images, whole):
    executor, shuffled = InThisProcess(), InThisProcess()
    assert contents(built(images, executor=executor)) == contents(whole)
    once = [image for image in images if image[0] != "twin"]
    built(random.Random(0).sample(once, len(once)), executor=shuffled)
    assert [len(part.images) for part in executor.parts] == [4, 4, 2]  # neither twin nor absent file in any
    assert names(shuffled) == names(executor)


def test_cancelled_build_in_parts_goes_on_from_its_features_with_or_without_processes(
    images, whole, tmp_path
):
    with pytest.raises(Cancelled):
        built(images, executor=InThisProcess(), scratch=tmp_path, **stopped_after(6))
    executor = InThisProcess()
    assert contents(built(images, executor=executor, scratch=tmp_path)) == contents(whole)
    assert 0 < sum(len(part.images) for part in executor.parts) <= 5
    assert contents(built(images, scratch=tmp_path)) == contents(whole)
    again = InThisProcess()
    built(images, executor=again, scratch=tmp_path)
    assert [part.images for part in again.parts] == [[("text", images[-2][1])]]  # what no process could read


def test_a_build_that_began_without_parts_goes_on_in_parts(images, whole, tmp_path):
    with pytest.raises(Cancelled):
        built(images, scratch=tmp_path, **stopped_after(5))
    executor = InThisProcess()
    assert contents(built(images, executor=executor, scratch=tmp_path)) == contents(whole)
    assert sum(len(part.images) for part in executor.parts) == 10 - 5


def test_build_in_parts_without_a_usable_image_says_the_usual_sentence(images):
    with pytest.raises(NoImagesError, match="No image could be used.*text: "):
        built(images[-2:], executor=InThisProcess())


def names(executor):
    return [[name for name, _ in part.images] for part in executor.parts]


def stopped_after(number):
    """A progress and a question that stop a build once so many images are done."""
    reached = []
    return {
        "progress": lambda stage, done, total: reached.append(done),
        "cancelled": lambda: max(reached, default=0) >= number,
    }
