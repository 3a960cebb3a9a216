"""Files for the user: results as CSV, overlays as a zip."""

import csv
import io
import math
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import BinaryIO

from patchcore.images.file_names import written_name
from patchcore.inspection import place_that_decided, regions_at, verdict_on
from patchcore.maps.regions import Region
from patchcore.maps.rendering import HeatScale, Mode, encode_png, overlay
from patchcore.thresholds.operating_point import OperatingPoint, Verdict
from workbench.inspections.batches import load_map, load_pixels
from workbench.inspections.picture_doubts import doubt_sentences
from workbench.storage.tables import Result
from workbench.storage.workspace import Workspace

COLUMNS = (
    "file", "label", "score", "verdict", "threshold", "worst box", "number of regions", "largest region px",
    "regions", "error", "remarks", "doubts",
)  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet may take these for the start of a formula


def results_csv(workspace: Workspace, results: Sequence[Result], point: OperatingPoint) -> bytes:
    """Return UTF-8 CSV (with a byte-order mark, for spreadsheets): one row an image.

    Boxes are ``x0 y0 x1 y1`` in pixels of the original; regions are worst first, each with its area in pixels and
    its score. The label is "good", a defect type, or empty where nothing is known. Text that a spreadsheet would
    take for a formula is preceded by an apostrophe.
    """
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(COLUMNS)
    table.writerows([harmless(cell) for cell in _row(workspace, result, point)] for result in results)
    return text.getvalue().encode("utf-8-sig")


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


def _row(workspace: Workspace, result: Result, point: OperatingPoint) -> list[str]:
    threshold, label = f"{point.reject:.6g}", result.image.truth or ""
    remarks, doubts = " ".join(result.remarks or ()), " ".join(doubt_sentences(result))
    if result.score is None:
        unknown = [""] * 4
        return [result.image.name, label, "", "", threshold, *unknown, result.error or "", remarks, doubts]
    regions = regions_at(load_map(workspace, result), point)
    return [
        result.image.name,
        label,
        f"{result.score:.6g}",
        _verdict(result, regions, point) or "",
        threshold,
        " ".join(str(edge) for edge in result.worst_box or ()),
        str(len(regions)),
        str(max((region.area for region in regions), default=0)),
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


def harmless(cell: str) -> str:
    """Return text that no spreadsheet takes for a formula: a text that looks like one gets an apostrophe."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def _file_names(results: Sequence[Result]) -> Iterator[str]:
    """Yield a name inside the archive for every result: relative, unique, ending in .png."""
    taken: set[str] = set()
    for result in results:
        path = PurePosixPath(written_name(result.image.name))
        name, count = f"{path}.png", 1
        while name.casefold() in taken:
            count += 1
            name = f"{path} ({count}).png"
        taken.add(name.casefold())
        yield name
