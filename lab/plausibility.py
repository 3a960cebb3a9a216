"""Blanks and failed pictures on every set in MVTec layout below a folder: `python -m lab.plausibility --root FOLDER`.

The command builds on train/good by the product's own `fit`, evaluates the labelled images, and inspects disturbed good
test images (:mod:`lab.disturbances`) and one picture of every other set. It prints the share of each disturbance that
is not accepted, by the check of the whole picture alone and by the verdict, and how many good test images the check
sends to review, with image AUROC beside it. Finished sets are appended to a CSV, so the command can be stopped and
repeated.

"Empty ground" is derived from each picture, since no set has one: the border, 6 % of the shorter side wide, is
continued inwards, smoothly (as if the part were painted over) or mirrored with its texture. Where the part fills the
picture, the textured one is a picture of the part's own surface.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from lab import tables
from lab.accuracy.__main__ import find_sets
from lab.accuracy.kept_features import KeptFeatures, with_kept_features
from lab.disturbances import FURTHER, NAMED, Picture
from patchcore.evaluation.measures import evaluate
from patchcore.evaluation.mvtec_layout import read_layout
from patchcore.images.geometry import resize
from patchcore.images.reading import list_images, read_image
from patchcore.inspection import inspect
from patchcore.methods import DEFAULT_METHOD, METHODS

OTHER_DAYS = ("bsd_wear", "kolektor_sdd")  # their good test images are of other days or other items
GOOD, OTHER = "good test images", "other product"
ONCE = {"black", "white", "mid grey", "noise"}  # the same whatever the picture
LARGEST_SIDE = 1200  # px: a disturbance of a larger picture takes seconds, and the network sees 224


def main(argv: list[str] | None = None) -> int:
    """Measure the sets that the CSV lacks, then print its tables."""
    options = _options(argv)
    sets = find_sets(options.root)
    if not sets:
        sys.stderr.write(f"{options.root} holds no set: train/good is missing below it.\n")
        return 1
    done = {(row["method"], row["set"]) for row in tables.read(options.out)}
    for name, folder in sets.items():
        if (options.method, name) not in done:
            others = [of for other, of in sets.items() if other != name]
            for row in measure(name, folder, others, options):
                tables.append(options.out, row)
            print(f"{options.method}, {name}: done", flush=True)
    rows = [row for row in tables.read(options.out) if row["method"] == options.method]
    print(f"\n{text(rows)}")
    return 0


def measure(
    name: str, folder: Path, others: Sequence[Path], options: argparse.Namespace
) -> list[dict[str, object]]:
    """Build on a set and inspect its labelled and disturbed images: a row for each kind of picture."""
    good = folder / "train" / "good"
    model = with_kept_features(options.features / name, options.method)
    images = [(path.relative_to(good).as_posix(), path) for path in list_images(good)]
    model.fit(images, scratch=model.folder / "good")
    evaluation = evaluate(model, read_layout(folder))
    first = {"method": options.method, "set": name, "good": len(images), "auroc": evaluation.image.auroc}
    doubted = [item.doubtful for item in evaluation.scored if not item.is_defect]
    verdicts = [str(item.verdict) for item in evaluation.scored if not item.is_defect]
    rows: list[dict[str, object]] = [{**first, **_counts(GOOD, verdicts, doubted)}]
    found: dict[str, list[tuple[str, bool]]] = {}
    for disturbance, picture in _pictures(folder, others, options.pictures):
        found.setdefault(disturbance, []).append(_judged(model, picture))
    rows += [{**first, **_counts(kind, *zip(*of, strict=True))} for kind, of in found.items()]
    return rows


def text(rows: Sequence[dict[str, str]]) -> str:
    """Return Markdown: good test images by set, then disturbances by set."""
    sets = list(dict.fromkeys(row["set"] for row in rows))
    by = {(row["disturbance"], row["set"]): row for row in rows}
    lines = [tables.head("set", "good images", "good test images", "doubted", "image AUROC")]
    total = doubted = 0
    for name in sets:
        row = by[GOOD, name]
        total, doubted = total + int(row["pictures"]), doubted + int(row["doubted"])
        marked = f"{name} (other days)" if name in OTHER_DAYS else name
        lines.append(
            tables.line([marked, row["good"], row["pictures"], row["doubted"], f"{float(row['auroc']):.3f}"])
        )
    lines.append(tables.line(["all", "", str(total), f"{doubted} ({doubted / max(1, total):.1%})", ""]))
    lines += ["", "Not accepted, of all; in brackets doubted by the check alone.", ""]
    lines.append(tables.head("disturbance", *sets))
    for kind in dict.fromkeys(row["disturbance"] for row in rows if row["disturbance"] != GOOD):
        cells = [_cell(by[kind, name]) if (kind, name) in by else "" for name in sets]
        lines.append(tables.line([f"**{kind}**" if kind in NAMED or kind == OTHER else kind, *cells]))
    return "\n".join(lines)


def _cell(row: dict[str, str]) -> str:
    count = int(row["pictures"])
    return f"{count - int(row['accept'])}/{count} ({row['doubted']})"


def _pictures(folder: Path, others: Sequence[Path], count: int) -> Iterator[tuple[str, Picture | Path]]:
    for other in others:
        yield OTHER, list_images(other / "test" / "good")[0]
    good = list_images(folder / "test" / "good")
    for at in range(min(count, len(good))):
        pixels = read_image(good[at * len(good) // min(count, len(good))]).pixels
        factor = LARGEST_SIDE / max(pixels.shape)
        if factor < 1:
            pixels = resize(pixels, (round(pixels.shape[0] * factor), round(pixels.shape[1] * factor)))
        for kind, disturbed in {**NAMED, **FURTHER}.items():
            if at == 0 or kind not in ONCE:
                yield kind, np.ascontiguousarray(disturbed(pixels))


def _judged(model: KeptFeatures, picture: Picture | Path) -> tuple[str, bool]:
    inspection = inspect(model, picture)
    return str(inspection.verdict), bool(inspection.doubts)


def _counts(kind: str, verdicts: Sequence[str], doubted: Sequence[bool]) -> dict[str, object]:
    counted = {verdict: list(verdicts).count(verdict) for verdict in ("accept", "review", "reject")}
    return {"disturbance": kind, "pictures": len(verdicts), **counted, "doubted": sum(doubted)}


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m lab.plausibility",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--root", type=Path, required=True, help="folder of the sets")
    parser.add_argument("--method", choices=METHODS, default=DEFAULT_METHOD)
    parser.add_argument("--pictures", type=int, default=3, help="good test images of a set to disturb")
    parser.add_argument(
        "--out", type=Path, default=Path("build/plausibility.csv"), help="CSV of finished sets"
    )
    parser.add_argument(
        "--features", type=Path, default=Path("build/features"), help="folder of stored features"
    )
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
