"""The rows as tables for people: variants beside each other, and each variant's sets, mean and worst."""

import math
import statistics
from collections.abc import Callable, Sequence
from operator import attrgetter

from lab.accuracy.rows import Row, Variant
from lab.tables import head, line

Z = 1.96  # standard deviations of a 95 % interval
COLUMNS = "set, good + defects, image AUROC [95 %], seeds, AP, pixel AUROC, AUPRO"
AT_THRESHOLDS = "false rejects, escapes, to review, s, ms, MB"


def text(rows: Sequence[Row]) -> str:
    """Return Markdown: a comparison if there are several variants, then a table for each."""
    variants = list(dict.fromkeys(row.variant for row in rows))
    parts = [comparison(rows, variants)] if len(variants) > 1 else []
    parts += [f"{variant}\n\n{by_set([r for r in rows if r.variant == variant])}" for variant in variants]
    return "\n\n".join(parts)


def comparison(rows: Sequence[Row], variants: Sequence[Variant]) -> str:
    """Return image AUROC (AUPRO) of each set and variant, means of the seeds; means and costs over common sets."""
    sets = list(dict.fromkeys(row.name for row in rows))
    found = {(v, s): [r for r in rows if r.variant == v and r.name == s] for v in variants for s in sets}
    common = [s for s in sets if all(found[v, s] for v in variants)]
    lines = [head("set", *map(str, variants))]
    lines += [line([s, *(_pair(found[v, s]) for v in variants)]) for s in sets]
    means = [_pair([row for s in common for row in found[v, s]]) for v in variants]
    costs = {"seconds to learn": "seconds", "ms an image": "milliseconds", "MB": "megabytes"}
    rest = [
        [
            name,
            *(
                _short(_of_sets([row for s in common for row in found[v, s]], attrgetter(one)))
                for v in variants
            ),
        ]
        for name, one in costs.items()
    ]
    return "\n".join([*lines, line([f"mean of {len(common)}", *means]), *map(line, rest)])


def by_set(rows: Sequence[Row]) -> str:
    """Return one variant's table: a line for each set, the mean over sets with its interval, and the worst."""
    sets = {name: [r for r in rows if r.name == name] for name in dict.fromkeys(r.name for r in rows)}
    lines = [
        head(*f"{COLUMNS}, {AT_THRESHOLDS}".split(", ")),
        *(line(_cells(name, of)) for name, of in sets.items()),
    ]
    means = [_average(of, "image_auroc") for of in sets.values()]
    worst = min(sets, key=lambda name: _average(sets[name], "image_auroc"))
    low, high = _interval_of_mean(list(sets.values()))
    columns = ("average_precision", "pixel_auroc", "aupro")
    others = [_mean([_average(of, column) for of in sets.values()]) for column in columns]
    lines.append(
        line(["mean", "", f"**{_mean(means):.3f}** [{low:.3f}, {high:.3f}]", "", *map(_three, others)])
    )
    lines.append(line([f"worst: {worst}", "", f"{min(means):.3f}"]))
    return "\n".join(lines)


def _cells(name: str, rows: list[Row]) -> list[str]:
    first, areas = rows[0], [row.image_auroc for row in rows]
    counts = [_average(rows, column) for column in ("false_rejects", "escapes", "review")]
    return [
        name,
        f"{first.good} + {first.defects}",
        f"{_mean(areas):.3f} [{_average(rows, 'low'):.3f}, {_average(rows, 'high'):.3f}]",
        f"{min(areas):.3f} to {max(areas):.3f}" if len(rows) > 1 else "",
        *(_three(_average(rows, column)) for column in ("average_precision", "pixel_auroc", "aupro")),
        *map(_short, counts),
        _short(statistics.median(row.seconds for row in rows)),
        f"{statistics.median(row.milliseconds for row in rows):.0f}",
        f"{_average(rows, 'megabytes'):.3g}",
    ]


def _interval_of_mean(sets: list[list[Row]]) -> tuple[float, float]:
    """Return the interval of the mean over sets, from the sets' own intervals, as of independent measurements."""
    known = [of for of in sets if not math.isnan(_average(of, "low"))]
    halves = [(_average(of, "high") - _average(of, "low")) / 2 for of in known]
    half = Z * math.sqrt(sum((h / Z) ** 2 for h in halves)) / max(1, len(sets))
    mean = _mean([_average(of, "image_auroc") for of in sets])
    return mean - half, mean + half


def _pair(rows: Sequence[Row]) -> str:
    if not rows:
        return "not measured"
    area, aupro = _of_sets(rows, lambda r: r.image_auroc), _of_sets(rows, lambda r: r.aupro)
    return f"{area:.3f}" + ("" if math.isnan(aupro) else f" ({aupro:.3f})")


def _of_sets(rows: Sequence[Row], value: Callable[[Row], float]) -> float:
    """Mean over sets of the means over seeds."""
    names = dict.fromkeys(row.name for row in rows)
    return _mean([_mean([value(row) for row in rows if row.name == name]) for name in names])


def _average(rows: Sequence[Row], column: str) -> float:
    return _mean([math.nan if (v := getattr(row, column)) is None else float(v) for row in rows])


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return statistics.fmean(known) if known else math.nan


def _short(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3g}"


def _three(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f}"
