"""The decision that is being tried out on the page Tune: kept in the address until it is used."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from patchcore.errors import PatchCoreError
from patchcore.images.raw_image import Limits
from patchcore.thresholds.decision import decide
from patchcore.thresholds.operating_point import Choice, Evidence, JudgeBy, OperatingPoint
from patchcore.thresholds.rules import BY_HAND, RULES
from workbench.people.roles import current as current_person
from workbench.storage.tables import InspectorVersion
from workbench.viewer import RegionRule, Thresholds
from workbench.widgets.shared import session

NAME = "trial"  # in the address and the session
UNREADABLE = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    PatchCoreError,
)


@dataclass(frozen=True)
class Trial:
    """The choices of a person that make an operating point; its numbers follow from them and the evidence."""

    rule: Choice
    accept_rule: Choice | None = None
    pixel_rule: Choice | None = None
    min_area: int = 1
    millimetres_per_pixel: float | None = None
    judge_by: JudgeBy = "score"
    picture_check: bool = True

    @classmethod
    def of(cls, point: OperatingPoint) -> Trial:
        """Return the choices that an operating point was made from."""
        return cls(
            point.rule,
            point.accept_rule,
            point.pixel_rule,
            point.min_area,
            point.millimetres_per_pixel,
            point.judge_by,
            point.picture_check,
        )

    def point(
        self, evidence: Evidence, bank_id: str, note: str = "", *, labels_chosen: bool = False
    ) -> OperatingPoint:
        """Return the operating point that these choices make; `labels_chosen` is as in `OperatingPoint`.

        Raises
        ------
        PatchCoreError
            A rule cannot be met with this evidence; the message says why.
        """
        return decide(
            self.rule,
            evidence,
            bank_id,
            set_by=current_person().name,
            accept_rule=self.accept_rule,
            pixel_rule=self.pixel_rule,
            min_area=self.min_area,
            millimetres_per_pixel=self.millimetres_per_pixel,
            judge_by=self.judge_by,
            picture_check=self.picture_check,
            note=note,
            labels_chosen=labels_chosen,
        )

    def moved(self, before: Thresholds, after: Thresholds) -> Trial:
        """Return the trial with the lines where a person has dragged them."""
        trial = self
        if after.reject is not None and after.reject != before.reject:
            trial = replace(trial, rule=by_hand(after.reject))
        if after.review != before.review:
            trial = replace(trial, accept_rule=None if after.review is None else by_hand(after.review))
        return trial

    def ruled(self, rule: RegionRule) -> Trial:
        """Return the trial with pixel threshold and smallest region as a person has set them."""
        pixel = self.pixel_rule if rule.pixel_threshold is None else by_hand(rule.pixel_threshold)
        return replace(self, pixel_rule=pixel, min_area=rule.min_area)


def by_hand(value: float) -> Choice:
    """Return the rule of a threshold that a person has set."""
    return Choice(BY_HAND, {"value": float(value)})


def current(version: InspectorVersion) -> Trial:
    """Return the decision on trial, else the decision in force."""
    stored = OperatingPoint.from_dict(version.operating_point)
    text = session.chosen(NAME)
    if text is None:
        return Trial.of(stored)
    try:
        return _read(json.loads(text))
    except UNREADABLE:  # an address that was typed in
        forget()
        return Trial.of(stored)


def keep(trial: Trial) -> None:
    """Put this trial on the page from here on."""
    session.choose(NAME, json.dumps(_plain(trial), separators=(",", ":")))


def change(version: InspectorVersion, **changes: object) -> None:
    """Change some rules of the current trial; the rest is read now, not from the page as it was drawn."""
    keep(replace(current(version), **changes))  # type: ignore[arg-type]


def forget() -> None:
    """Go back to the decision in force."""
    session.forget(NAME)


def _plain(trial: Trial) -> dict[str, Any]:
    plain = asdict(trial)
    return {name: value for name, value in plain.items() if value is not None}


def _read(plain: Mapping[str, Any]) -> Trial:
    choices = {name: _choice(plain.get(name)) for name in ("rule", "accept_rule", "pixel_rule")}
    rule = choices["rule"]
    if rule is None or plain.get("judge_by", "score") not in ("score", "area", "both"):
        raise KeyError("rule")
    scale, area = plain.get("millimetres_per_pixel"), int(plain.get("min_area", 1))
    if area > Limits().max_pixels or not (scale is None or 0 < float(scale) < math.inf):
        raise ValueError("an area that no image has")
    return Trial(
        rule,
        choices["accept_rule"],
        choices["pixel_rule"],
        max(1, area),
        None if scale is None else float(scale),
        plain.get("judge_by", "score"),
        plain.get("picture_check", True) is not False,
    )


def _choice(plain: Mapping[str, Any] | None) -> Choice | None:
    if plain is None:
        return None
    choice = Choice.from_dict(plain)
    if set(choice.parameters) - set(RULES[choice.name].parameters):
        raise KeyError(choice.name)
    if any(abs(value) > session.LARGEST_AMOUNT for value in choice.parameters.values()):
        raise ValueError("a number that no rule takes")
    return choice
