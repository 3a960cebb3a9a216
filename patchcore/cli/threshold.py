"""The command `threshold`: set an inspector's threshold by a rule, or compare every rule, and store the decision."""

from __future__ import annotations

import getpass
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from patchcore.cli.terminal import (
    AsJson,
    InspectorFile,
    Weights,
    end_with,
    load_inspector,
    number,
    progress_bars,
    read_parameters,
    read_rule,
    remark,
    write_result,
)
from patchcore.errors import DataError, SettingsError
from patchcore.files.targets import require_file

if TYPE_CHECKING:
    from patchcore.detector import Detector
    from patchcore.evaluation.evidence import LabelledScores
    from patchcore.thresholds.operating_point import Choice, Evidence, OperatingPoint


class Judge(StrEnum):
    """Basis of a verdict."""

    SCORE = "score"
    AREA = "area"
    BOTH = "both"


def threshold(
    context: typer.Context,
    inspector: InspectorFile,
    rule: Annotated[
        str, typer.Option(help="Sets the reject threshold; --all lists the rules.")
    ] = "from_good",
    parameters: Annotated[
        list[str] | None, typer.Option("--parameter", "-p", help="Of the rule, as in budget=0.005.")
    ] = None,
    review: Annotated[
        str | None,
        typer.Option(
            help="Rule that sets the accept threshold, as in from_good:budget=0.05; review between."
        ),
    ] = None,
    pixel: Annotated[
        str | None, typer.Option(help="Rule that sets the pixel threshold from the maps of --good.")
    ] = None,
    good: Annotated[Path | None, typer.Option(help="Folder that the inspector was built from.")] = None,
    min_area: Annotated[int, typer.Option(min=1, help="Pixels that a region needs to count.")] = 1,
    judge: Annotated[Judge, typer.Option(help="Basis of the verdict.")] = Judge.SCORE,
    picture_check: Annotated[
        bool | None,
        typer.Option(
            "--picture-check/--no-picture-check",
            help="Whether a picture unlike all good ones goes to review. Alone, it leaves the thresholds as they are.",
            show_default=False,
        ),
    ] = None,
    labelled: Annotated[
        Path | None, typer.Option(help="Labelled set: MVTec's layout, or a CSV of file,label[,mask].")
    ] = None,
    note: Annotated[str, typer.Option(help="Why; kept with the threshold.")] = "",
    by: Annotated[str, typer.Option(help="Who decides; your login name where left out.")] = "",
    save: Annotated[bool, typer.Option("--save", help="Put it in force, in the inspector's file.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Compare every rule instead.")] = False,
    weights: Weights = None,
    as_json: AsJson = False,
) -> None:
    """Set the threshold by a rule, from the good images alone or from labelled ones, and print its effect."""
    model = load_inspector(inspector, weights)
    if save:
        require_file(inspector)
    if picture_check is not None and _names_nothing_else(context):
        _switch(model, inspector, picture_check, save=save, as_json=as_json)
        return
    scores = _scored(model, labelled)
    chosen = read_parameters(parameters or [])
    if every:
        if save:
            raise SettingsError("--all compares the rules; choose one with --rule to save it.")
        _show_all(_all_rules(model, scores, chosen), as_json)
        return
    first = read_rule(rule)
    rules = _Rules(
        _with(first, chosen), read_rule(review) if review else None, read_rule(pixel) if pixel else None
    )
    evidence = rules.evidence(model, scores, _peaks(model, good, min_area) if good and pixel else {})
    if pixel and not good and not rules.pixel_by_hand:
        raise SettingsError(
            "A pixel threshold is set from the good images' maps; name their folder with --good."
        )
    if picture_check is None:
        picture_check = model.operating_point_ is None or model.operating_point_.picture_check
    point = _decide(
        model,
        rules,
        evidence,
        by=by,
        note=note,
        min_area=min_area,
        judge_by=judge.value,
        picture_check=picture_check,
    )
    remark(_consequences(model, point, scores))
    place, trouble = inspector, ""
    if save:
        place, trouble = write_result(inspector, model.with_operating_point(point).save)
    _show(_summary(point, scores) | {"path": str(place), "saved": save}, as_json)
    end_with(trouble)


def _names_nothing_else(context: typer.Context) -> bool:
    """Whether no option was given but the switch of the picture check and options of the output."""
    plain = {"inspector", "picture_check", "save", "weights", "as_json"}
    others = context.params.keys() - plain
    return all(getattr(context.get_parameter_source(name), "name", "") != "COMMANDLINE" for name in others)


def _switch(model: Detector, inspector: Path, on: bool, *, save: bool, as_json: bool) -> None:
    """Switch the check of the whole picture, and leave the thresholds as they are."""
    point = model.operating_point_
    if point is None:
        raise SettingsError("No threshold is in force; set one with --rule in the same command.")
    place, trouble = inspector, ""
    if save:
        changed = model.with_operating_point(replace(point, picture_check=on))
        place, trouble = write_result(inspector, changed.save)
    summary = {"picture_check": on, "path": str(place), "saved": save}
    print(json.dumps(summary, indent=1) if as_json else _switched(summary))
    end_with(trouble)


def _switched(summary: Mapping[str, Any]) -> str:
    state = "goes to review" if summary["picture_check"] else "is judged like any other"
    stored = f"Stored in {summary['path']}" if summary["saved"] else "Not stored; --save puts it in force."
    return f"A picture unlike all good ones {state}.\n{stored}"


@dataclass(frozen=True)
class _Rules:
    reject: Choice
    accept: Choice | None
    pixel: Choice | None

    @property
    def pixel_by_hand(self) -> bool:
        from patchcore.thresholds.rules import BY_HAND

        return self.pixel is not None and self.pixel.name == BY_HAND

    def evidence(self, model: Detector, scores: LabelledScores, peaks: Mapping[str, float]) -> Evidence:
        """Return the scores that the rules are applied to.

        Rules for good images alone get only the leave-one-out scores, so that the labelled set independently tests
        their promises.
        """
        from patchcore.thresholds.rules import BY_HAND, is_good_only

        alone = replace(model.evidence_, map_peaks=peaks)
        chosen = [choice for choice in (self.reject, self.accept) if choice is not None]
        if all(choice.name == BY_HAND or is_good_only(choice) for choice in chosen):
            return alone
        return replace(alone, good={**scores.good, **alone.good}, defect=scores.defect)


def _scored(model: Detector, labelled: Path | None) -> LabelledScores:
    from patchcore.evaluation.evidence import LabelledScores, score_labelled
    from patchcore.evaluation.label_table import labels_of, read_labelled

    if labelled is None:
        return LabelledScores()
    images, problems = read_labelled(labelled, good_elsewhere=True)
    remark([labels_of(images).sentence])
    with progress_bars() as report:
        scores = score_labelled(model, images, report)
    scores.problems[:0] = problems
    remark(scores.problems + scores.remarks)
    return scores


def _peaks(model: Detector, good: Path, min_area: int) -> dict[str, float]:
    from patchcore.evaluation.evidence import map_peaks
    from patchcore.images.reading import require_images

    with progress_bars() as report:
        peaks = map_peaks(model, require_images(good), min_area, report)
    missing = len(model.evidence_.good) - len(peaks)
    if missing:
        remark(
            [
                f"{missing} of the {len(model.evidence_.good)} good images are not in {good}; their maps are missing."
            ]
        )
    return peaks


def _with(choice: Choice, parameters: Mapping[str, float]) -> Choice:
    from patchcore.thresholds.operating_point import Choice

    return Choice(choice.name, {**choice.parameters, **parameters})


def _decide(
    model: Detector,
    rules: _Rules,
    evidence: Evidence,
    *,
    by: str,
    note: str,
    min_area: int,
    judge_by: Any,
    picture_check: bool,
) -> OperatingPoint:
    from patchcore.thresholds.decision import decide

    return decide(
        rules.reject,
        evidence,
        model.bank_id_,
        set_by=by or _login(),
        accept_rule=rules.accept,
        pixel_rule=rules.pixel,
        min_area=min_area,
        judge_by=judge_by,
        note=note,
        picture_check=picture_check,
    )


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a service's user; Windows lacks `pwd`
        return "command line"


def _summary(point: OperatingPoint, scores: LabelledScores) -> dict[str, Any]:
    from patchcore.thresholds.rules import apply_rule

    found = apply_rule(point.rule, point.evidence)
    interval = getattr(found, "interval", None)
    return {
        "rule": point.rule.name,
        "parameters": dict(point.rule.parameters),
        "reject": point.reject,
        "accept": point.accept,
        "pixel": point.pixel,
        "min_area": point.min_area,
        "judge_by": point.judge_by,
        "picture_check": point.picture_check,
        "statement": point.statement,
        "false_reject_interval": None if interval is None else list(interval),
        "good_images": len(point.evidence.good),
        "defects": len(point.evidence.defect),
        "bank_id": point.bank_id,
        "set_by": point.set_by,
        "note": point.note,
        "outcome": _outcome(scores, point.reject, point.accept),
        "set_from_these": bool(point.evidence.defect),
        "problems": scores.problems,
        "remarks": scores.remarks,
    }


def _consequences(model: Detector, point: OperatingPoint, scores: LabelledScores) -> list[str]:
    """Return what somebody should hear of a new threshold, from the known scores; regions are not known here."""
    from patchcore.thresholds.consequences import JudgedTwice, grave_consequences

    before = model.operating_point_
    if point.judge_by != "score":
        return []
    kinds = [(False, {**scores.good, **model.evidence_.good}), (True, scores.defect)]
    judged = [
        JudgedTwice(
            is_defect,
            score,
            None if before is None or before.stale else before.verdict(score),
            point.verdict(score),
        )
        for is_defect, known in kinds
        for score in known.values()
    ]
    return grave_consequences(judged, point.reject)


def _outcome(scores: LabelledScores, reject: float, accept: float | None = None) -> dict[str, Any] | None:
    """Count the verdicts of thresholds on the labelled set, by score; None without a set."""
    from patchcore.thresholds.from_labelled import outcome

    if not (scores.good or scores.defect):
        return None
    found = outcome(list(scores.good.values()), list(scores.defect.values()), reject, accept)
    intervals = {"false_reject_interval": found.false_reject_rate, "escape_interval": found.escape_rate}
    return {
        "false_rejects": found.false_rejects,
        "n_good": found.good,
        "escapes": found.escapes,
        "n_defect": found.defects,
        "review": found.review,
        **{name: rate.interval if rate.trials else None for name, rate in intervals.items()},
    }


def _all_rules(model: Detector, scores: LabelledScores, chosen: Mapping[str, float]) -> list[dict[str, Any]]:
    """Apply every rule; one that cannot be applied has its reason in place of a threshold."""
    from patchcore.thresholds.operating_point import Choice
    from patchcore.thresholds.rules import BY_HAND, RULES, apply_rule, completed

    known = {name for rule in RULES.values() for name in rule.parameters} - {"value"}
    if unknown := sorted(set(chosen) - known):
        raise SettingsError(
            f"No rule has the parameter {', '.join(unknown)}; there are {', '.join(sorted(known))}."
        )
    rows = []
    for name, rule in RULES.items():
        if name == BY_HAND:
            continue
        choice = completed(Choice(name, {key: chosen[key] for key in rule.parameters if key in chosen}))
        row: dict[str, Any] = {
            "rule": name,
            "label": rule.label,
            "parameters": dict(choice.parameters),
            "threshold": None,
            "outcome": None,
        }
        try:
            found = apply_rule(choice, _Rules(choice, None, None).evidence(model, scores, {}))
            row |= {"threshold": found.value, "statement": found.statement}
        except (SettingsError, DataError) as fault:
            row["statement"] = str(fault)
        if row["threshold"] is not None:
            row["outcome"] = _outcome(scores, row["threshold"])
        rows.append(row)
    return rows


def _show_all(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print(json.dumps(rows, indent=1))
        return
    table = Table("rule", "asked", "threshold", "false rejects", "escapes", "statement", box=None)
    for row in rows:
        asked = ", ".join(f"{name} {value:g}" for name, value in row["parameters"].items())
        false_rejects, escapes = _counts(row["outcome"])
        table.add_row(row["rule"], asked, number(row["threshold"]), false_rejects, escapes, row["statement"])
    Console(width=160).print(table)


def _counts(outcome: dict[str, Any] | None) -> tuple[str, str]:
    if outcome is None:
        return "-", "-"
    return (
        _rate(outcome["false_rejects"], outcome["n_good"], outcome["false_reject_interval"]),
        _rate(outcome["escapes"], outcome["n_defect"], outcome["escape_interval"]),
    )


def _rate(count: int, of: int, interval: tuple[float, float] | None) -> str:
    if interval is None:
        return "-"
    return f"{count} of {of} ({interval[0]:.1%} to {interval[1]:.1%})"


def _show(summary: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(summary, indent=1))
        return
    print(f"reject above {number(summary['reject'])}  ({summary['rule']})")
    if summary["accept"] != summary["reject"]:
        print(f"accept up to {number(summary['accept'])}, review between")
    if summary["pixel"] is not None:
        print(f"regions above {number(summary['pixel'])}, of at least {summary['min_area']} px")
    print(summary["statement"])
    if summary["false_reject_interval"]:
        low, high = summary["false_reject_interval"]
        print(f"False-reject rate: {low:.1%} to {high:.1%} (95 % interval)")
    if summary["outcome"]:
        false_rejects, escapes = _counts(summary["outcome"])
        where = "the labelled set it was set from" if summary["set_from_these"] else "the labelled set"
        review = (
            f", to review {summary['outcome']['review']}" if summary["accept"] < summary["reject"] else ""
        )
        print(f"On {where}: false rejects {false_rejects}, escapes {escapes}{review}")
    print("Stored in " + summary["path"] if summary["saved"] else "Not stored; --save puts it in force.")
