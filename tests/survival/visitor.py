"""A person at the dashboard, over the server's line: brings images, counts batches otherwise, and looks at pages.

The ledger of a visitor holds only what the server has told as saved: a batch that was opened after an upload, and a
purpose whose button has changed.
"""

import hashlib
import random
import threading
from collections import Counter
from dataclasses import dataclass, field

from websockets.exceptions import WebSocketException

from tests.browser.line import Line, session
from tests.survival.setting import INSPECTOR, picture
from workbench.storage.tables import EVALUATION, PRODUCTION

PAGES = ("", "inspect", "tune", "evaluate", "review", "history", "library", "build", "show")
PATIENCE = 400.0  # seconds for a run: a locked database holds it for thirty at a time, beside twenty others
SENTENCES = 70  # characters of an error that tell its kind
COUNT_AS = {
    EVALUATION: "Count the open batch as an evaluation set",
    PRODUCTION: "Count the open batch as production",
}


@dataclass
class Told:
    """What a visitor was told."""

    batches: dict[int, dict[str, str]] = field(
        default_factory=dict
    )  # by id: SHA-256 of each image by its name
    brought: dict[str, str] = field(
        default_factory=dict
    )  # SHA-256 of each image that was handed in, by its name
    purposes: dict[int, str] = field(default_factory=dict)
    runs: int = 0
    ends: int = 0  # of the line
    bare: Counter[str] = field(default_factory=Counter)
    sentences: Counter[str] = field(default_factory=Counter)


class Visitor(threading.Thread):
    """One of the people, in a thread of its own, until `leave` is set."""

    def __init__(self, number: int, url: str, leave: threading.Event, seed: int) -> None:
        super().__init__(name=f"visitor {number}", daemon=True)
        self.told, self._number, self._url, self._leave = Told(), number, url, leave
        self._rng, self._pictures = random.Random(f"{seed}/{number}"), 0

    def run(self) -> None:
        """Come again when the line ends."""
        while not self._leave.is_set():
            try:
                with session(self._url) as line:
                    line.patience = PATIENCE
                    self._stay(line)
            except (OSError, WebSocketException, TimeoutError, AssertionError):
                self.told.ends += 1
                self._leave.wait(1)

    def _stay(self, line: Line) -> None:
        while not self._leave.is_set():
            activity = self._rng.choice((self._look, self._look, self._bring, self._count_otherwise))
            activity(line)
            self._leave.wait(self._rng.uniform(0.5, 3))

    def _look(self, line: Line) -> None:
        self._open(line, f"{self._rng.choice(PAGES)}?inspector={INSPECTOR}")

    def _bring(self, line: Line) -> None:
        """Drop one to three new images on Inspect; they are told as saved when their batch is opened."""
        if not self._open(line, f"inspect?inspector={INSPECTOR}"):
            return
        before, files = _batch(line), {}
        for _ in range(self._rng.choice((1, 1, 2, 3))):
            self._pictures += 1
            number = 10_000 * (self._number + 1) + self._pictures
            files[f"{number}.png"] = picture(number)
        sums = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
        self.told.brought |= sums
        line.upload(files)
        self._count(line)
        batch = _batch(line)
        if batch is not None and batch != before:
            self.told.batches[batch] = sums

    def _count_otherwise(self, line: Line) -> None:
        """Count an own batch as production, or as an evaluation set."""
        if not self.told.batches:
            return
        batch = self._rng.choice(list(self.told.batches))
        address = f"inspect?inspector={INSPECTOR}&batch={batch}"
        if not self._open(line, address):
            return
        for purpose, label in COUNT_AS.items():
            if label in line.enabled:
                self.told.purposes.pop(batch, None)  # unknown while it is asked for
                line.press(label)
                self._count(line)
                other = COUNT_AS[PRODUCTION if purpose == EVALUATION else EVALUATION]
                if other in line.enabled:
                    self.told.purposes[batch] = purpose
                return

    def _open(self, line: Line, address: str) -> bool:
        line.open(address)
        return self._count(line)

    def _count(self, line: Line) -> bool:
        """Count what a run showed; False where it ended in an error."""
        bare, sentences = line.faults
        self.told.runs += 1
        self.told.bare.update(bare)
        self.told.sentences.update(sentence[:SENTENCES] for sentence in sentences)
        return not bare


def _batch(line: Line) -> int | None:
    """Return the batch that is open by the page's address."""
    value = line.query.get("batch", "")
    return int(value) if value.isdigit() else None
