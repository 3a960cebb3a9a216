"""The parts of a demonstration: all of a batch for the replay, and the few that tell most, one after another."""

from collections.abc import Sequence
from typing import Any

from patchcore.thresholds.operating_point import OperatingPoint
from workbench.inspections.picture_doubts import doubt_sentences
from workbench.storage.tables import GOOD, Batch, Result
from workbench.storage.workspace import Workspace
from workbench.tuning.evidence import peak_for
from workbench.viewer import Dot
from workbench.viewer.items import kind_of

MOST_TOLD = 8  # parts that are shown one after another: more would tire the audience
LEAST_DEFECTS = 4  # of all types together, if there are so many
ALL_TOLD = 10  # a batch of no more parts is shown whole


def scored(results: Sequence[Result]) -> list[Result]:
    """Return the results that have a score, in the batch's order."""
    return [result for result in results if result.score is not None]


def dot_of(workspace: Workspace, result: Result, point: OperatingPoint) -> Dot:
    """Return a scored result as a dot; with the map's peak if the point's verdict takes it."""
    truth = result.image.truth
    return Dot(
        str(result.id),
        result.image.name,
        result.score or 0.0,
        kind_of(truth),
        truth if truth not in (None, GOOD) else None,
        peak_for(workspace, result, point),
        doubt_sentences(result),
    )


def part_of(workspace: Workspace, result: Result, point: OperatingPoint) -> dict[str, Any]:
    """Return a scored result as the browser reads it: `Dot.to_dict`, its truth, worst box and size in pixels."""
    truth = result.image.truth
    return dot_of(workspace, result, point).to_dict() | {
        "truth": None if truth is None else truth.replace("_", " "),
        "box": result.worst_box,
        "width": result.width,
        "height": result.height,
    }


def is_sorted(batch: Batch | None, results: Sequence[Result]) -> bool:
    """Whether the parts came sorted by their truth, as folders do: then their order says nothing of a line."""
    return batch is not None and batch.watch_id is None and any(result.image.truth for result in results)


def mixed(results: Sequence[Result]) -> list[Result]:
    """Return results in an order that is always the same and follows from no name."""
    return sorted(results, key=lambda result: (result.image.sha256, result.id))


def telling(results: Sequence[Result], point: OperatingPoint) -> list[Result]:
    """Choose the parts to be shown one after another, of scored results.

    First a good part; then the clearest defect of each type, and of few types further ones, from clear to faint. Then
    those that the inspector judges wrongly, one of each kind, because a demonstration without them would promise too
    much. Without labels: the lowest score, the highest ones, and the two nearest to the threshold.
    """
    rising = sorted(results, key=_score)
    if len(rising) <= ALL_TOLD:
        return [*rising[:1], *reversed(rising[1:])]
    if all(result.image.truth is None for result in rising):
        nearest = sorted(rising, key=lambda result: abs(_score(result) - point.reject))[:2]
        return _once([rising[0], *reversed(rising[-5:]), *nearest])
    good = [result for result in rising if result.image.truth == GOOD]
    clearest = {
        result.image.truth: result for result in rising if result.image.truth not in (None, GOOD)
    }  # the last of each type is its highest score
    further = [one for one in reversed(rising) if _is_defect(one) and one not in clearest.values()]
    lacking = max(0, LEAST_DEFECTS - len(clearest))
    defects = sorted([*clearest.values(), *_spread(further, lacking)], key=_score, reverse=True)
    escape = next((one for one in rising if _is_defect(one) and _score(one) <= point.accept), None)
    false_reject = next((one for one in reversed(good) if _score(one) > point.reject), None)
    wrong = [one for one in (escape, false_reject) if one is not None]
    first = good[len(good) // 2 :][:1]
    return _once([*first, *defects[: MOST_TOLD - len(first) - len(wrong)], *wrong])


def _spread(results: Sequence[Result], number: int) -> list[Result]:
    """Return so many results, evenly among their places."""
    step = max(1, len(results) // max(1, number))
    return list(results[::step][:number])


def _once(results: Sequence[Result]) -> list[Result]:
    return list({result.id: result for result in results}.values())[:MOST_TOLD]


def _is_defect(result: Result) -> bool:
    return result.image.truth not in (None, GOOD)


def _score(result: Result) -> float:
    return result.score or 0.0
