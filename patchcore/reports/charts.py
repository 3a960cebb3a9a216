"""The report's charts as inline SVG: drawn by matplotlib, coloured by the page's own style sheet.

Each colour is drawn as a placeholder that becomes a CSS variable, so that a chart follows the light and the dark
look of the page. Names of defect types never reach matplotlib: they are set in as escaped text afterwards.
"""

from __future__ import annotations

import io
import re
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray

from patchcore.images.file_names import display_name
from patchcore.statistics.curves import Curve, MarkedCurve
from patchcore.thresholds.operating_point import OperatingPoint

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, MUTE, LINE, ACCENT = "#000001", "#000002", "#000003", "#000004"
ACCEPT, REVIEW, REJECT, PANEL = "#000005", "#000006", "#000007", "#000008"
VARIABLES = {
    INK: "ink",
    MUTE: "mute",
    LINE: "line",
    ACCENT: "accent",
    ACCEPT: "accept",
    REVIEW: "review",
    REJECT: "reject",
    PANEL: "panel",
}
LONGEST_LABEL = 24
DOTS_A_ROW = 400
LABEL_FROM = 0.8  # share of the axis beyond which the reject label would leave the page
SWEEP_PANELS: tuple[tuple[str, dict[str, str]], ...] = (
    ("How well it tells", {"image_auroc": "image AUROC", "pixel_auroc": "pixel AUROC", "aupro": "AUPRO"}),
    ("Score units", {"threshold": "reject threshold", "cover_radius": "cover radius"}),
    ("Megabytes", {"megabytes": "bank"}),
    ("Milliseconds an image", {"milliseconds": "time"}),
)
FROM_ZERO = {"megabytes", "milliseconds"}
LINES = ((ACCENT, "-", "o"), (INK, "--", "s"), (MUTE, ":", "^"))

_LOCK = threading.Lock()  # matplotlib's settings belong to the whole process


def distribution_chart(
    rows: Sequence[tuple[str, str, Sequence[float]]],
    point: OperatingPoint | None,
    words: Callable[[float], str],
) -> Markup:
    """Draw every score as a dot, a row for each kind of image, with the threshold lines.

    Parameters
    ----------
    rows
        (label, kind, scores), from the top; the kind is "building", "good" or "defect".
    point
        The thresholds to draw.
    words
        Returns a score in words.
    """
    top = 30
    height = top + 27 * len(rows) + 42

    def draw(figure: Figure) -> None:
        axes = figure.add_axes((190 / 1000, 40 / height, 790 / 1000, (height - 40 - top) / height))
        for at, (_, kind, scores) in enumerate(rows):
            _dots(axes, len(rows) - 1 - at, kind, _thinned(np.sort(np.asarray(scores, np.float64))))
        axes.set_ylim(-0.6, len(rows) - 0.4)
        axes.set_yticks(range(len(rows)), [_placeholder(i) for i in reversed(range(len(rows)))])
        _plain(axes, grid="x")
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0, pad=10, labelcolor=INK)
        axes.set_xlabel("anomaly score", color=MUTE)
        if point is not None:
            _thresholds(axes, point, words)

    return _svg("scores", 1000, height, draw, [label for label, _, _ in rows])


def curve_chart(
    name: str, marked: MarkedCurve, x_label: str, y_label: str, *, x_end: float = 1.0, diagonal: bool = False
) -> Markup:
    """Draw a curve in the unit square with the operating point's place.

    Parameters
    ----------
    name
        Distinguishes the chart from others of the page; letters only.
    marked
        The curve and the place.
    x_label, y_label
        Labels of the axes.
    x_end
        End of the x axis.
    diagonal
        Whether to draw the diagonal of guessing.
    """
    beyond = max(x_end, marked.place[0] * 1.1 if marked.place else 0)

    def draw(figure: Figure) -> None:
        axes = figure.add_axes((0.155, 0.165, 0.81, 0.8))
        curve = marked.curve.thinned(400)
        if diagonal:
            axes.plot([0, 1], [0, 1], color=MUTE, linewidth=1, linestyle="--", alpha=0.5)
        _draw_curve(axes, curve)
        if marked.place is not None:
            axes.plot(*marked.place, "D", color=REJECT, markersize=8, markeredgecolor=PANEL, clip_on=False)
        axes.set_xlim(0, min(beyond, 1.0))
        axes.set_ylim(0, 1.02)
        _plain(axes, grid="both")
        axes.set_xlabel(x_label, color=MUTE)
        axes.set_ylabel(y_label, color=MUTE)

    return _svg(name, 330, 290, draw)


def sweep_charts(sweep: Sequence[Mapping[str, Any]], share: float | None) -> list[tuple[str, Markup]]:
    """Draw the cost of a smaller bank, as (title, chart); a measure without values has no chart.

    Parameters
    ----------
    sweep
        Rows with "share" and any of the measures in `SWEEP_PANELS`; None for an unknown value.
    share
        The share in use, marked by a line.
    """
    charts = []
    for number, (title, measures) in enumerate(SWEEP_PANELS):
        known = {key: text for key, text in measures.items() if _series(sweep, key)[0].size}
        if known:
            charts.append((title, _sweep_chart(f"sweep{number}", sweep, share, known)))
    return charts


def _sweep_chart(
    name: str, sweep: Sequence[Mapping[str, Any]], share: float | None, measures: Mapping[str, str]
) -> Markup:
    def draw(figure: Figure) -> None:
        axes = figure.add_axes((0.16, 0.18, 0.8, 0.78))
        for (key, text), (colour, line, marker) in zip(measures.items(), LINES, strict=False):
            x, y = _series(sweep, key)
            axes.plot(
                100 * x, y, line, color=colour, marker=marker, markersize=4.5, linewidth=1.6, label=text
            )
        if share is not None:
            axes.axvline(100 * share, color=ACCENT, linewidth=1, alpha=0.6)
        axes.set_xscale("log")
        _percent_ticks(axes)
        axes.margins(y=0.18)
        if measures.keys() & FROM_ZERO:
            axes.set_ylim(bottom=0)
        _plain(axes, grid="y")
        axes.set_xlabel("share of patches kept, %", color=MUTE)
        if len(measures) > 1:
            axes.legend(frameon=False, labelcolor=MUTE, fontsize=11, loc="best")

    return _svg(name, 480, 250, draw)


def _series(sweep: Sequence[Mapping[str, Any]], key: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return shares and known values, by share."""
    known = sorted(
        (float(row["share"]), float(row[key]))
        for row in sweep
        if isinstance(row.get(key), Real) and np.isfinite(row[key])
    )
    pairs = np.array(known, np.float64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _percent_ticks(axes: Axes) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator

    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.minorticks_off()


def _draw_curve(axes: Axes, curve: Curve) -> None:
    axes.plot(curve.x, curve.y, color=ACCENT, linewidth=2, solid_joinstyle="round", clip_on=True)
    axes.fill_between(curve.x, curve.y, color=ACCENT, alpha=0.08, linewidth=0)


def _dots(axes: Axes, row: int, kind: str, scores: NDArray[np.float64]) -> None:
    """Put the dots of a row in five lanes in turn, so that near ones stay apart."""
    lanes = (np.arange(scores.size) * 2 % 5 - 2) * 0.13 if scores.size > 1 else np.zeros(scores.size)
    styles: dict[str, dict[str, Any]] = {
        "building": {"marker": "o", "facecolors": "none", "edgecolors": MUTE, "s": 22, "linewidths": 1},
        "good": {"marker": "o", "facecolors": ACCEPT, "edgecolors": "none", "s": 30, "alpha": 0.75},
        "defect": {"marker": "D", "facecolors": REJECT, "edgecolors": "none", "s": 26, "alpha": 0.8},
    }
    axes.scatter(scores, row + lanes, zorder=3, **styles[kind])


def _thresholds(axes: Axes, point: OperatingPoint, words: Callable[[float], str]) -> None:
    """Draw the threshold lines with labels: review's on the left, reject's on the right, so that they never meet."""
    lines = [(point.reject, REJECT, f" ✕ reject above {words(point.reject)}", "left")]
    if point.accept < point.reject:
        lines.append((point.accept, REVIEW, f"? review above {words(point.accept)} ", "right"))
        axes.axvspan(point.accept, point.reject, color=REVIEW, alpha=0.1, linewidth=0)
    low, high = axes.get_xlim()
    low = min(low, point.accept)
    axes.set_xlim(low, max(high, low + (point.reject - low) / LABEL_FROM))
    for value, colour, text, side in lines:
        axes.axvline(value, color=colour, linewidth=1.8, zorder=2)
        axes.annotate(
            text,
            (value, 1),
            (0, 6),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            ha=side,
            color=colour,
            fontsize=12,
            annotation_clip=False,
        )


def _thinned(ordered: NDArray[np.float64]) -> NDArray[np.float64]:
    if ordered.size <= DOTS_A_ROW:
        return ordered
    kept: NDArray[np.float64] = ordered[np.linspace(0, ordered.size - 1, DOTS_A_ROW).round().astype(int)]
    return kept


def _plain(axes: Axes, grid: str) -> None:
    axes.set_facecolor("none")
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(LINE)
    axes.tick_params(color=LINE, labelcolor=MUTE, labelsize=12)
    axes.xaxis.label.set_fontsize(12)
    axes.yaxis.label.set_fontsize(12)
    axes.grid(axis=grid, color=LINE, linewidth=0.8, alpha=0.7)  # type: ignore[arg-type]
    axes.set_axisbelow(True)


def _svg(
    name: str, width: int, height: int, draw: Callable[[Figure], None], labels: Sequence[str] = ()
) -> Markup:
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    buffer = io.StringIO()
    settings: Any = {"svg.fonttype": "none", "svg.hashsalt": name, "axes.unicode_minus": False}
    with _LOCK, rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", message="Glyph"
        )  # the browser has the letter even if this font lacks it
        figure = Figure(figsize=(width / 72, height / 72))
        FigureCanvasSVG(figure)
        figure.patch.set_visible(False)
        draw(figure)
        figure.savefig(buffer, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
        figure.clear()
    return _inline(buffer.getvalue(), name, width, height, labels)


def _inline(svg: str, name: str, width: int, height: int, labels: Sequence[str]) -> Markup:
    """Make a stand-alone SVG a part of the page: no prologue, no outside names, own ids, the page's fonts."""
    body = svg[svg.index("<svg") :]
    body = body[body.index(">") + 1 :]
    body = re.sub(r"<style.*?</style>", "", body, flags=re.DOTALL)
    body = re.sub(r"font-family: [^;\"]*;?", "", body)
    used = set(re.findall(r"(?:href=\"#|url\(#)([\w.-]+)", body))
    body = re.sub(r' id="([\w.-]+)"', lambda m: f' id="{name}-{m[1]}"' if m[1] in used else "", body)
    body = re.sub(r"xlink:href=\"#", f'href="#{name}-', body)
    body = body.replace("url(#", f"url(#{name}-")
    for placeholder, variable in VARIABLES.items():
        body = body.replace(placeholder, f"var(--{variable})")
    for number, label in enumerate(labels):
        body = body.replace(_placeholder(number), str(escape(_short(label))))
    body = re.sub(r"\n\s*", "\n", body)
    return Markup(
        f'<svg class="chart" viewBox="0 0 {width} {height}" aria-hidden="true" focusable="false">{body}'
    )


def _placeholder(number: int) -> str:
    return f"@label{number}@"


def _short(label: str) -> str:
    shown = display_name(label)
    return shown if len(shown) <= LONGEST_LABEL else shown[: LONGEST_LABEL - 1] + "…"
