"""Thresholds on days not seen: `python -m lab.accuracy.days SET [--first 6] [--added 2]`.

SET is in MVTec layout. Its good images, of train/good and test/good, tell their days by folder, camera's date or name.
An inspector is built from the first days. Its thresholds judge the good images of the later days and all defects: once
set by the good images alone, once by the rule that leaves whole days out. Both are set again after some later days were
added. At last the scores without a day are compared with scores by banks that are built again without it.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from lab import tables
from lab.machine import machine
from patchcore import PatchCore
from patchcore.images.reading import list_images, read_image
from patchcore.labels.sessions import SessionImage, find_sessions
from patchcore.statistics.intervals import clopper_pearson, percent
from patchcore.thresholds.decision import decide
from patchcore.thresholds.operating_point import Choice

BUDGET = 1 / 20
RULES = {
    "from the good images": Choice("from_good", {"budget": BUDGET}),
    "holds on a day not seen": Choice("from_sessions", {"budget": BUDGET}),
}
COLUMNS = ("built from", "rule, 1 in 20", "threshold", "rejected of later days", "95 %", "escapes")
Images = Mapping[str, Path]


def days_of(images: Images) -> dict[str, list[str]]:
    """Return the names of good images by day, the days in their order."""
    facts = [SessionImage(name, read_image(path).record.taken) for name, path in images.items()]
    found = find_sessions(facts)
    if not found.several:
        raise SystemExit("Nothing tells days apart: no folders, no camera's dates, no dates in the names.")
    days: dict[str, list[str]] = {}
    for name, day in sorted(zip(images, found.names, strict=True), key=lambda pair: pair[1]):
        days.setdefault(day, []).append(name)
    return days


def built(images: Images, days: Mapping[str, Sequence[str]], chosen: Sequence[str]) -> PatchCore:
    """Build from the good images of some days, as the product does."""
    sessions = {name: day for day in chosen for name in days[day]}
    return PatchCore().fit([(name, images[name]) for name in sessions], sessions=sessions)


def judged(model: PatchCore, words: str, good: Sequence[Path], defects: Sequence[Path]) -> None:
    """Print how the thresholds of a model judge later good images and all defects."""
    later, bad = (np.array([model.score(path).score for path in paths]) for paths in (good, defects))
    for rule, choice in RULES.items():
        value = decide(choice, model.evidence_, model.bank_id_, set_by="lab").reject
        rejected = int(np.count_nonzero(later > value))
        low, high = clopper_pearson(rejected, len(later))
        print(
            tables.line(
                (
                    words,
                    rule,
                    f"{value:.4g}",
                    f"{rejected} of {len(later)}",
                    f"{percent(low)} to {percent(high)}",
                    f"{np.count_nonzero(bad <= value)} of {len(bad)}",
                )
            ),
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("set", type=Path, metavar="SET")
    parser.add_argument("--first", type=int, default=6, help="days to build from")
    parser.add_argument("--added", type=int, default=2, help="later days that are added")
    options = parser.parse_args()
    images = {
        path.name: path for split in ("train", "test") for path in list_images(options.set / split / "good")
    }
    defects = [path for path in list_images(options.set / "test") if path.parent.name != "good"]
    days = days_of(images)
    names = list(days)
    first, more = names[: options.first], names[: options.first + options.added]
    later = [images[name] for day in names[len(more) :] for name in days[day]]
    print(f"{machine()}\n\n{tables.head(*COLUMNS)}")
    model = built(images, days, first)
    judged(model, f"{len(first)} days, {len(model.image_records_)} images", later, defects)
    judged(built(images, days, more), f"{len(more)} days", later, defects)
    _compare(model, images, days, first)


def _compare(
    model: PatchCore, images: Images, days: Mapping[str, Sequence[str]], first: Sequence[str]
) -> None:
    """Print how far the scores without a day's rows lie from the scores by a bank built without that day."""
    kept = {record.name: record.sha256 for record in model.image_records_}
    differences = []
    for day in first:
        without = built(images, days, [other for other in first if other != day])
        for name in days[day]:
            if (score := model.evidence_.unseen.get(kept.get(name, ""))) is not None:
                differences.append(score / without.score(images[name]).score - 1)
    found = np.array(differences)
    print(
        f"\nScores without a day's rows, beside scores by a bank built without that day, {len(found)} images: "
        f"{100 * found.mean():+.1f} % on average, {100 * found.min():+.1f} to {100 * found.max():+.1f} %."
    )


if __name__ == "__main__":
    main()
