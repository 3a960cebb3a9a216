"""Files for the user: results as CSV, overlays as a zip."""

import math
import zipfile
from collections.abc import Sequence
from typing import BinaryIO

from patchcore.images.file_names import names_on_disk, written_name
from patchcore.inspection import place_that_decided, regions_at, verdict_on
from patchcore.maps.regions import Region
from patchcore.maps.rendering import HeatScale, Mode, encode_png, overlay
from patchcore.thresholds.operating_point import OperatingPoint, Verdict
from workbench.inspections.batches import load_map, load_pixels
from workbench.inspections.csv_text import Cell, csv_text
from workbench.inspections.picture_doubts import doubt_sentences
from workbench.storage.tables import Result
from workbench.storage.workspace import Workspace

COLUMNS = (
    "file", "label", "score", "verdict", "threshold", "worst box", "number of regions", "largest region px",
    "regions", "error", "remarks", "doubts",
)  # fmt: skip


def results_csv(workspace: Workspace, results: Sequence[Result], point: OperatingPoint) -> bytes:
    """Return UTF-8 CSV (with a byte-order mark, for spreadsheets): one row an image.

    Boxes are ``x0 y0 x1 y1`` in pixels of the original; regions are worst first, each with its area in pixels and
    its score. The label is "good", a defect type, or empty where nothing is known. Formulas are disarmed
    (`workbench.inspections.csv_text`).
    """
    rows = (_row(workspace, result, point) for result in results)
    return csv_text([COLUMNS, *rows]).encode("utf-8-sig")


def write_overlays(
    workspace: Workspace,
    results: Sequence[Result],
    point: OperatingPoint,
    target: BinaryIO,
    *,
    mode: Mode = "both",
    opacity: float = 0.6,
) -> None:
    """Write a zip with an overlay PNG for every scored image, image by image, named as the images were."""
    scale = HeatScale.anchored(point.heat_from)
    scored = [result for result in results if result.score is not None]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:  # PNG is compressed already
        for result, name in zip(scored, _file_names(scored), strict=True):
            pixels, scores = load_pixels(workspace, result.image.sha256), load_map(workspace, result)
            verdict = _verdict(result, regions_at(scores, point), point)
            box = place_that_decided(result.worst_box, result.score, verdict, point.accept, point.judge_by)
            painted = overlay(pixels, scores, scale, mode=mode, opacity=opacity, box=box)
            archive.writestr(name, encode_png(painted))


def _row(workspace: Workspace, result: Result, point: OperatingPoint) -> list[Cell]:
    threshold, label = point.reject, result.image.truth or ""
    remarks, doubts = " ".join(result.remarks or ()), " ".join(doubt_sentences(result))
    if result.score is None:
        unknown: list[Cell] = [None] * 4
        return [result.image.name, label, "", "", threshold, *unknown, result.error or "", remarks, doubts]
    regions = regions_at(load_map(workspace, result), point)
    return [
        result.image.name,
        label,
        result.score,
        _verdict(result, regions, point) or "",
        threshold,
        " ".join(str(edge) for edge in result.worst_box or ()),
        len(regions),
        max((region.area for region in regions), default=0),
        "; ".join(_words(region) for region in regions),
        "",
        remarks,
        doubts,
    ]


def _verdict(result: Result, regions: Sequence[Region], point: OperatingPoint) -> Verdict | None:
    score = math.nan if result.score is None else result.score
    return verdict_on(score, regions, point, doubtful=bool(result.doubts))


def _words(region: Region) -> str:
    return f"{' '.join(str(edge) for edge in region.box)} area {region.area} score {region.score:.6g}"


def _file_names(results: Sequence[Result]) -> list[str]:
    """Return a name inside the archive for every result: relative, unique, ending in .png."""
    return names_on_disk(f"{written_name(result.image.name)}.png" for result in results)
