"""What the browser asks for while a demonstration runs: pictures, reasons, tiles and the report."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Thread
from typing import Any, TypeVar

import streamlit as st

from patchcore.errors import PatchCoreError
from patchcore.methods import EXPLAIN
from workbench.evaluation.report import report_of
from workbench.inspections.batches import explain, load_map, load_pixels, load_tile, value_range_of
from workbench.inspectors.capabilities import refusal
from workbench.inspectors.versions import has_good_images
from workbench.storage.tables import Batch, Inspector, InspectorVersion, Result
from workbench.storage.workspace import Workspace
from workbench.tuning.evidence import result_key
from workbench.viewer import Why
from workbench.viewer.items import Loaded
from workbench.viewer.show import Material, Need, large_picture
from workbench.widgets.evaluate.report import file_name
from workbench.widgets.shared import session, wording
from workbench.widgets.shared.detail_view import why_of

T = TypeVar("T")
PATIENCE = (
    0.3  # seconds for which a run of the page waits; Escape must not wait behind a network that is loaded
)
KEPT = 6  # pictures as large as a screen, and reasons; the browser keeps more
TILES_KEPT = 72
NO_IMAGE = "The photograph is not in the workspace any more."
NO_MAP = "The anomaly map of this part is not in the workspace any more, so no heat can be shown."
NO_REASON = "The closest good part cannot be shown: {error}"
ELSEWHERE = "Closest: {name} (distance {distance}). The inspector was imported without that photograph."


@dataclass
class Answers:
    """The needs of a session, so that each run of the page serves what the last ones have found.

    Reasons and the report take seconds. A thread finds them, and the browser asks again until they are there.
    """

    inspector: Inspector
    version: InspectorVersion
    results: Mapping[str, Result]
    measured_on: Batch | None
    material: Material = field(default_factory=Material)
    _begun: dict[str, "Future[Any]"] = field(default_factory=dict)

    def answer(self, need: Need) -> None:
        """Find what the browser lacks; what is not found becomes a sentence."""
        self.material.answers += 1
        here = session.workspace()
        if need.what == "report":
            self.material.report = self._soon("report", lambda: self._report(here))
        for key in need.keys:
            result = self.results.get(key)
            if result is None:
                self._miss(key)
            elif need.what == "pictures":
                self._picture(key, result)
            elif need.what == "reasons":
                self._give_reason(key, result, here)
            elif need.what == "tiles":
                self._tile(key, result)
        self._let_go()

    def _let_go(self) -> None:
        for found, most in (
            (self.material.pictures, KEPT),
            (self.material.reasons, KEPT),
            (self.material.tiles, TILES_KEPT),
        ):
            for key in list(found)[:-most]:
                del found[key]

    def _miss(self, key: str) -> None:
        """Answer for a part that is not in the batch any more, so that the browser does not ask again."""
        self.material.pictures[key], self.material.reasons[key] = None, NO_IMAGE
        self.material.lacks[key] = NO_IMAGE

    def _picture(self, key: str, result: Result) -> None:
        here, black_white = session.workspace(), value_range_of(self.version)
        try:
            pixels = load_pixels(here, result.image.sha256, black_white)
        except (PatchCoreError, OSError):
            self.material.pictures[key] = None
            self.material.lacks[key] = NO_IMAGE
            return

        def load() -> Loaded:
            try:
                return pixels, load_map(here, result)
            except (PatchCoreError, OSError, ValueError):
                self.material.lacks[key] = NO_MAP
                return pixels, None

        reject = self.version.operating_point["reject"]
        self.material.pictures[key] = large_picture(
            f"{result_key(result)}:{_stamp(here, result)}", load, reject
        )

    def _tile(self, key: str, result: Result) -> None:
        try:
            self.material.tiles[key] = load_tile(session.workspace(), result)
        except (PatchCoreError, OSError, ValueError):
            self.material.lacks.setdefault(key, NO_MAP)

    def _give_reason(self, key: str, result: Result, here: Workspace) -> None:
        if lack := refusal(self.version, EXPLAIN):
            self.material.reasons[key] = lack
        elif (why := self._soon(key, lambda: self._reason(result, here))) is not None:
            self.material.reasons[key] = why

    def _soon(self, name: str, find: Callable[[], T]) -> T | None:
        """Return what a thread finds; None while it is not found."""
        begun = self._begun.get(name)
        if begun is None:
            begun = self._begun[name] = _begin(find)
        try:
            found: T = begun.result(PATIENCE)
        except TimeoutError:
            return None
        del self._begun[name]
        return found

    def _reason(self, result: Result, here: Workspace) -> Why | str:
        black_white = value_range_of(self.version)
        try:
            why = explain(here, result)
            if not has_good_images(self.version):
                return ELSEWHERE.format(name=why.neighbour_name, distance=wording.score(why.distance))
            return why_of(here, result, why, black_white)
        except (PatchCoreError, OSError) as error:
            return NO_REASON.format(error=error)

    def _report(self, here: Workspace) -> tuple[str, bytes] | str:
        if self.measured_on is None:
            return "The report takes a labelled set."
        try:
            document = report_of(here, self.version, self.measured_on.id, "", "")
        except (PatchCoreError, OSError) as error:
            return str(error)
        return file_name(self.inspector.name, self.version.number), document.encode()


def answers(
    inspector: Inspector, version: InspectorVersion, results: Mapping[str, Result], measured_on: Batch | None
) -> Answers:
    """Return this session's answers; they begin again with another version, batch or threshold."""
    about = (
        version.id,
        str(version.operating_point.get("set_at")),
        tuple(results),
        measured_on and measured_on.id,
    )
    known: tuple[object, Answers] | None = st.session_state.get("show_answers")
    if known is None or known[0] != about:
        known = (about, Answers(inspector, version, results, measured_on))
        st.session_state["show_answers"] = known
    return known[1]


def _begin(find: Callable[[], T]) -> "Future[T]":
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(find())
        except BaseException as error:  # the run of the page that asks for the result raises it
            future.set_exception(error)

    Thread(target=run, name="show", daemon=True).start()
    return future


def _stamp(here: Workspace, result: Result) -> str:
    """Return a text that changes when the map comes or goes, so that a lack is not remembered for ever."""
    return str(result.map_path is not None and (here.root / result.map_path).exists())
