"""What the browser asks for while a demonstration runs: pictures, reasons, tiles and the report."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

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
from workbench.viewer import Why, why_pair
from workbench.viewer.items import Loaded
from workbench.viewer.show import Material, Need, large_picture
from workbench.widgets.shared import session, wording

KEPT = 6  # pictures as large as a screen, and reasons; the browser keeps more
TILES_KEPT = 72
NO_IMAGE = "The photograph is not in the workspace any more."
NO_MAP = "The anomaly map of this part is not in the workspace any more, so no heat can be shown."
NO_REASON = "The closest good part cannot be shown: {error}"
ELSEWHERE = "Closest: {name} (distance {distance}). The inspector was imported without that photograph."


@dataclass
class Answers:
    """The needs of a session, so that each run of the page serves what the last ones have found."""

    inspector: Inspector
    version: InspectorVersion
    results: Mapping[str, Result]
    measured_on: Batch | None
    material: Material = field(default_factory=Material)

    def answer(self, need: Need) -> None:
        """Find what the browser lacks; what is not found becomes a sentence."""
        results = [(key, self.results[key]) for key in need.keys if key in self.results]
        if need.what == "report":
            self.material.report = self._report()
        for key, result in results:
            if need.what == "pictures":
                self._picture(key, result)
            elif need.what == "reasons":
                self.material.reasons[key] = self._reason(result)
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

    def _reason(self, result: Result) -> Why | str:
        if lack := refusal(self.version, EXPLAIN):
            return lack
        here, black_white = session.workspace(), value_range_of(self.version)
        try:
            why = explain(here, result)
            if not has_good_images(self.version):
                return ELSEWHERE.format(name=why.neighbour_name, distance=wording.score(why.distance))
            return why_pair(
                load_pixels(here, result.image.sha256, black_white),
                why.test_box,
                load_pixels(here, why.neighbour_sha256, black_white),
                why.neighbour_box,
                name=why.neighbour_name,
                distance=why.distance,
            )
        except (PatchCoreError, OSError) as error:
            return NO_REASON.format(error=error)

    def _report(self) -> tuple[str, bytes] | str:
        if self.measured_on is None:
            return "The report takes a labelled set."
        try:
            document = report_of(session.workspace(), self.version, self.measured_on.id, "", "")
        except (PatchCoreError, OSError) as error:
            return str(error)
        plain = re.sub(r"[^\w-]+", "_", self.inspector.name).strip("_") or "inspector"
        return f"report_{plain}_v{self.version.number}.html", document.encode()


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


def _stamp(here: Workspace, result: Result) -> str:
    """Return a text that changes when the map comes or goes, so that a lack is not remembered for ever."""
    return str(result.map_path is not None and (here.root / result.map_path).exists())
