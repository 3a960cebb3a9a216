"""The page Show in the browser: scenes of a demonstration, which turn, slide and judge without the server."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.storage.pictures import as_bytes, encode_tile, encoded
from workbench.viewer.component import event_value, json_url, media_url, mount, picture_url
from workbench.viewer.detail import Why
from workbench.viewer.items import Dot, Loaded, Thresholds
from workbench.viewer.outcome import intervals

SCENES = ("product", "parts", "replay", "figures", "threshold", "limits", "report")
PICTURE_SIDE = 1080  # pixels of the longer side, as high as the screens of most meeting rooms


@dataclass(frozen=True)
class Known:
    """What is known of the verdicts: labelled parts, or good images alone.

    Parameters
    ----------
    dots
        Parts of the kinds "good", "reference" and "defect".
    source
        A sentence that names them: "18 good parts and 24 defects of Lot 8".
    missing
        What is missing for a figure, as a sentence; "" where nothing is.
    no_interval
        Why no interval is stated; "" where one is.
    weighted
        Shares at the thresholds in force that a random sample gives, "escapes" and "falseRejects": estimate and
        interval, 0 to 1. They stand in place of shares of the dots, which are drawn unequally.
    """

    dots: Sequence[Dot]
    source: str
    missing: str = ""
    no_interval: str = ""
    weighted: Mapping[str, tuple[float, tuple[float, float]]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON that the browser reads; with the interval of every possible count."""
        counts = {
            "good": sum(dot.kind in ("good", "reference") for dot in self.dots),
            "defect": sum(dot.kind == "defect" for dot in self.dots),
        }
        return {
            "items": [dot.to_dict() for dot in self.dots],
            "intervals": {kind: intervals(trials) for kind, trials in counts.items()},
            "source": self.source,
            "missing": self.missing,
            "noInterval": self.no_interval,
            "weighted": {
                name: {"rate": rate, "interval": list(interval)}
                for name, (rate, interval) in self.weighted.items()
            },
        }


@dataclass(frozen=True)
class Contents:
    """What the scenes say; it is sent once.

    Parameters
    ----------
    title
        The product's name.
    facts
        Lines of the first scene, each a number that stands out and the words after it: ("45", "photographs").
    gallery
        Pictures of good parts as JPEG.
    note
        A quiet line below: the method, the day.
    parts
        All parts in their order, `Dot.to_dict` each, with "truth", "box" (of the worst patch) and "width", "height".
    telling
        Keys of the parts that are shown one after another.
    known, limits
        For the figures, and the sentence on their limits.
    batches
        The choices of what is shown: (id, label).
    batch
        The id in use, "" without one.
    notices
        Sentences on what the link asked for and is not here any more, or on what is missing.
    report
        Why there is no report; "" where one can be made.
    mixed
        Whether the order of the parts is not the order in which they came.
    """

    title: str
    facts: Sequence[tuple[str, str]]
    gallery: Sequence[bytes]
    note: str
    parts: Sequence[Mapping[str, Any]]
    telling: Sequence[str]
    known: Known
    limits: str
    batches: Sequence[tuple[str, str]] = ()
    batch: str = ""
    notices: Sequence[str] = ()
    report: str = ""
    mixed: bool = False

    def to_dict(self, key: str) -> dict[str, Any]:
        """Return the JSON that the browser reads."""
        urls = [
            media_url(picture, "image/jpeg", f"{key}:good:{place}")
            for place, picture in enumerate(self.gallery)
        ]
        return {
            "title": self.title,
            "facts": [list(line) for line in self.facts],
            "gallery": urls,
            "note": self.note,
            "parts": list(self.parts),
            "telling": list(self.telling),
            "known": self.known.to_dict(),
            "limits": self.limits,
            "batches": [list(one) for one in self.batches],
            "batch": self.batch,
            "notices": list(self.notices),
            "noReport": self.report,
            "mixed": self.mixed,
        }


@dataclass
class Material:
    """What the browser has asked for and Python has found, by the keys of parts; a sentence stands for a lack.

    `answers` counts the questions, so that the browser hears of each answer, also of one that brings nothing yet.
    """

    pictures: dict[str, bytes | None] = field(default_factory=dict)
    tiles: dict[str, bytes] = field(default_factory=dict)
    reasons: dict[str, Why | str] = field(default_factory=dict)
    lacks: dict[str, str] = field(default_factory=dict)
    report: tuple[str, bytes] | str | None = None
    answers: int = 0

    def to_dict(self, key: str) -> dict[str, Any]:
        """Serve all of it and return the addresses."""
        report: dict[str, str] | None = None
        if isinstance(self.report, str):
            report = {"lack": self.report}
        elif self.report is not None:
            name, document = self.report
            report = {"name": name, "url": media_url(document, "text/html", f"{key}:report")}
        return {
            "pictures": {
                part: None if picture is None else picture_url(picture, f"{key}:picture:{part}")
                for part, picture in self.pictures.items()
            },
            "tiles": {part: picture_url(tile, f"{key}:tile:{part}") for part, tile in self.tiles.items()},
            "reasons": {part: _reason(key, part, why) for part, why in self.reasons.items()},
            "lacks": self.lacks,
            "report": report,
            "answers": self.answers,
        }


@dataclass(frozen=True)
class Need:
    """What the browser asks for: "pictures", "reasons" or "tiles" of parts, or the "report"."""

    what: str
    keys: tuple[str, ...] = ()

    @classmethod
    def of(cls, value: object) -> "Need | None":
        """Read what a browser has sent; None for anything else."""
        if not isinstance(value, dict) or value.get("what") not in ("pictures", "reasons", "tiles", "report"):
            return None
        keys = value.get("keys")
        return cls(value["what"], tuple(map(str, keys)) if isinstance(keys, list) else ())


def large_picture(key: str, load: Callable[[], Loaded], threshold: float | None) -> bytes:
    """Return image and map of a part as large as a screen, encoded once under its key."""

    def encode() -> bytes:
        pixels, scores = load()
        return encode_tile(as_bytes(pixels), scores, threshold, side=PICTURE_SIDE)

    return encoded.get(("show", key), encode)


def show(
    contents: Contents,
    material: Material,
    thresholds: Mapping[str, Any],
    *,
    key: str,
    scene: str,
    part: str,
    on_need: Callable[[Need], None],
    on_batch: Callable[[str], None],
    on_leave: Callable[[], None],
) -> None:
    """Draw the scenes over the whole window.

    Parameters
    ----------
    thresholds
        As `thresholds_in_force` returns them.
    scene, part
        The place to open at; the browser keeps them in the page's address from there on.
    on_need, on_batch, on_leave
        Called before the run that an event causes: what the browser lacks, the id of another batch, the wish to leave.
    """
    data = {
        "link": key,
        "thresholds": dict(thresholds),
        "contentsUrl": json_url(contents.to_dict(key), f"{key}:contents"),
        "material": material.to_dict(key),
        "scene": scene,
        "part": part,
    }

    def needed() -> None:
        need = Need.of(event_value(key, "need"))
        if need is not None:
            on_need(need)

    def chosen() -> None:
        batch = event_value(key, "batch")  # never a bare text of digits, which Streamlit takes for a number
        if isinstance(batch, dict):
            on_batch(str(batch.get("id")))

    mount("show", key, data, events={"need": needed, "batch": chosen, "leave": on_leave})


def thresholds_in_force(
    thresholds: Thresholds, pixel: float | None, min_area: int, judge_by: str, picture_check: bool
) -> dict[str, Any]:
    """Return the thresholds in force as the browser judges by them; each None where they are out of date."""
    return {
        "reject": thresholds.reject,
        "review": thresholds.review,
        "pixel": pixel,
        "minArea": min_area,
        "judgeBy": judge_by,
        "pictureCheck": picture_check,
    }


def _reason(key: str, part: str, why: Why | str) -> dict[str, Any]:
    if isinstance(why, str):
        return {"lack": why}
    return {
        "name": why.name,
        "distance": float(why.distance),
        "test": {"url": picture_url(why.test, f"{key}:test:{part}"), "box": list(why.test_box)},
        "neighbour": {
            "url": picture_url(why.neighbour, f"{key}:neighbour:{part}"),
            "box": list(why.neighbour_box),
        },
    }
