"""What the kinds of work that are interrupted share: the inspector, its images, what a user was told, and the app."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import PIL.Image
from sqlalchemy import select

from workbench.inspections.background_scorer import Scorer
from workbench.inspectors.building import BuildSettings
from workbench.storage.tables import Inspection
from workbench.storage.workspace import NamedImage, Workspace

GOOD, TEST = 24, 12  # images to build on, and to inspect
SIDE = 192  # pixels; large enough that a build takes seconds
SETTINGS = BuildSettings(name="Plate", image_size=SIDE, coreset=0.05)
INSPECTOR = "plate-survives"
TEACH_STEPS = 5  # taught three times, taken back twice
IMPORTS = 4  # times that it is brought in as another inspector
WATCHED = [f"{number}.png" for number in range(6)]  # the files that arrive in the watched folder
STORED = "stored features of"  # what the job's log says, see `tests.survival.job`


class Ledger:
    """What a user was told is saved, kept outside of the workspace."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def tell(self, kind: str, value: str | int, about: float | None = None) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps([kind, value, about]) + "\n")

    def told(self, kind: str) -> dict[str | int, float | None]:
        """Return what was told of a kind; a line that was cut off was told to nobody."""
        found = {}
        for line in self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else ():
            try:
                of_kind, value, about = json.loads(line)
            except ValueError:
                continue
            if of_kind == kind:
                found[value] = about
        return found


@dataclass(frozen=True)
class App:
    """What stands in for the dashboard: its workspace, its scorer, and what it has told."""

    workspace: Workspace
    scorer: Scorer
    ledger: Ledger


@dataclass(frozen=True)
class Kind:
    """One kind of work that may be killed at any moment."""

    name: str
    work: Callable[[App], None]
    progress: Callable[[Workspace], float]  # 0..1
    verify: Callable[[Workspace, Ledger], None]  # at any time: what was told is there
    complete: Callable[[Workspace], None]  # at the end: everything is there, once
    runs_jobs: bool = False


def picture(number: int) -> bytes:
    """A plate as PNG, unlike any other number's; those to inspect have a scratch."""
    rng = np.random.default_rng(number)
    pixels = rng.integers(100, 130, (SIDE, SIDE, 3), np.uint8)
    pixels[SIDE // 4 : -SIDE // 4, SIDE // 4 : -SIDE // 4] += 60
    if number >= GOOD:
        pixels[SIDE // 2 - 4 : SIDE // 2 + 4, 16:-16] = (255, 40, 0)
    buffer = io.BytesIO()
    PIL.Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def stored(first: int, last: int) -> list[NamedImage]:
    return [
        NamedImage(hashlib.sha256(picture(number)).hexdigest(), f"{number}.png")
        for number in range(first, last)
    ]


def inspections(workspace: Workspace, *sources: str) -> list[Inspection]:
    with workspace.database.read() as session:
        return list(session.scalars(select(Inspection).where(Inspection.source.in_(sources))))
