"""The command line: `python -m patchcore build | score | evaluate | threshold | report | info | weights`.

Standard output carries the result and nothing else; progress and remarks go to standard error. Exit code 0: done;
1: something the user can mend, said in a sentence; 2: a fault of the program.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from patchcore.cli.report import report as write_report
from patchcore.cli.terminal import (
    AsJson,
    InspectorFile,
    LabelledSet,
    Weights,
    end_with,
    load_inspector,
    number,
    progress_bars,
    remark,
    remarks,
    run,
    write_result,
)
from patchcore.cli.threshold import threshold
from patchcore.disk import work_notes
from patchcore.disk.whole_files import whole_file
from patchcore.disk.work_notes import WorkNotes
from patchcore.errors import ImageError, NoImagesError, SettingsError
from patchcore.executors import HERE, chosen_executor
from patchcore.files.targets import cannot_write, require_file, require_folder
from patchcore.images.file_names import display_name, is_folder, safe_part
from patchcore.images.remarks import RemarkTally
from patchcore.kernels.cache_folders import user_folder
from patchcore.labels.good_images import choose_good
from patchcore.labels.layout import few, mask_folder
from patchcore.methods import METHODS, SHARE, settings_of_others
from patchcore.settings import SETTINGS, Settings, refusal
from patchcore.statistics.intervals import count

if TYPE_CHECKING:
    from patchcore.detector import Detector
    from patchcore.evaluation.measures import Evaluation
    from patchcore.evaluation.share_point import SharePoint
    from patchcore.images.reading import LoadedImage
    from patchcore.inspection import Inspection

AGAIN = (
    "Files that stopped the program are tried again, as after a fix, with: python -m patchcore --again ..."
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help=(__doc__ or "").partition("\n")[0],
)
app.command(name="report")(write_report)


@app.callback()
def prepare(
    again: Annotated[
        bool, typer.Option("--again", help="Try files again that stopped the program three times.")
    ] = False,
) -> None:
    """Take back what a file has done to earlier calls, where that is asked for."""
    if again and (notes := work_notes.of_process()) is not None:
        notes.forget_all()


def _setting(name: str, **more: Any) -> Any:
    """Return the option of a setting; `Settings` checks its value."""
    return typer.Option(help=SETTINGS[name].about, **more)


def _all_or_number(text: str) -> int | None:
    """Read a number of dimensions, or "all"."""
    try:
        return None if text == "all" else int(text)
    except ValueError as error:
        raise SettingsError(
            f"The number of dimensions is a whole number or all; it is {text!r:.80}."
        ) from error


@app.command()
def build(
    context: typer.Context,
    good_dir: Annotated[Path, typer.Argument(help="Folder of images of good parts.", show_default=False)],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.", show_default=False)],
    backbone: Annotated[str, _setting("backbone")] = Settings.backbone,
    weights: Weights = None,
    coreset: Annotated[float, _setting("coreset")] = Settings.coreset,
    image_size: Annotated[int, _setting("image_size")] = Settings.image_size,
    geometry: Annotated[str, _setting("geometry")] = Settings.geometry,
    roi: Annotated[Path | None, typer.Option(help="Mask picture: white on black where to look.")] = None,
    reweight: Annotated[bool, _setting("reweight")] = Settings.reweight,
    value_range: Annotated[tuple[float, float] | None, _setting("value_range")] = Settings.value_range,
    method: Annotated[str, _setting("method")] = Settings.method,
    dims_used: Annotated[str, _setting("dims_used", metavar="NUMBER|all")] = str(Settings.dims_used),
    nearest_images: Annotated[int, _setting("nearest_images")] = Settings.nearest_images,
    seed: Annotated[int, _setting("seed")] = Settings.seed,
    sessions: Annotated[
        bool,
        typer.Option(
            help="Find days by folders, cameras' dates and names, and score each image without its whole day too."
        ),
    ] = True,
    on: Annotated[str, typer.Option(help="Where to compute features: here, or processes:N.")] = HERE,
    as_json: AsJson = False,
) -> None:
    """Build an inspector from a folder of images of good parts, or from the good ones of a product's folder."""
    from patchcore.detector import Detector
    from patchcore.images.reading import require_images

    executor = chosen_executor(on)
    is_named = output.suffix == ".patchcore" or not output.name  # "." has no name, and is refused as a folder
    target = output if is_named else output.with_name(output.name + ".patchcore")
    require_file(target)
    found = {path.relative_to(good_dir).as_posix(): path for path in require_images(good_dir)}
    chosen = choose_good(found, good_dir.resolve().name)
    remark(chosen.remarks)
    paths = [found[name] for name in chosen.names]
    settings = Settings(
        backbone=backbone,
        image_size=image_size,
        geometry=geometry,  # type: ignore[arg-type]  # Settings checks it
        coreset=coreset,
        reweight=reweight,
        seed=seed,
        value_range=value_range,
        method=method,
        dims_used=_all_or_number(dims_used),
        nearest_images=nearest_images,
    )
    for name in sorted(settings_of_others(method) & context.params.keys()):
        if getattr(context.get_parameter_source(name), "name", "") == "COMMANDLINE":
            raise SettingsError(refusal(method, name))
    model = Detector.of(settings, weights)
    if announcement := model.announcement(len(paths)):
        remarks.print(announcement, markup=False, soft_wrap=True)
    mask = None if roi is None else _region(roi, paths[0])
    with progress_bars() as report:
        images = [(path.relative_to(good_dir).as_posix(), path) for path in paths]
        model.fit(images, roi=mask, sessions=None if sessions else {}, progress=report, executor=executor)
    for error in model.skipped_:
        remarks.print(f"left out {error}", style="yellow", markup=False, soft_wrap=True)
    remark(model.remarks_)
    remark(_doubtful_good(model))
    place, trouble = write_result(target, model.save)
    _print(_summary(model) | {"path": str(place)}, as_json)
    end_with(trouble)


@app.command()
def score(
    inspector: InspectorFile,
    paths: Annotated[list[Path], typer.Argument(help="Images or folders of images.", show_default=False)],
    overlays: Annotated[Path | None, typer.Option(help="Folder to write overlay pictures to.")] = None,
    weights: Weights = None,
    as_json: AsJson = False,
) -> None:
    """Score images: score, verdict if a threshold is stored, and the box of the worst patch."""
    from patchcore.inspection import failure

    pictures = None if overlays is None else _Overlays(overlays)
    images = _images_of(paths)
    model = load_inspector(inspector, weights)
    if model.operating_point_ is not None and model.operating_point_.stale:
        remark([f"No image is judged: the threshold is out of date. {model.operating_point_.stale}"])
        model = model.with_operating_point(None)
    rows, failed, tally = [], 0, RemarkTally()
    for path in images:
        try:
            rows.append(_score_one(model, path, pictures))
            tally.take(str(path), rows[-1]["remarks"])
            remark([f"{display_name(str(path))}: {doubt['sentence']}" for doubt in rows[-1]["doubts"]])
        except ImageError as error:
            failed += 1
            rows.append({"path": str(path), **failure(error.reason)})
            remarks.print(f"left out {error}", style="yellow", markup=False, soft_wrap=True)
    if as_json:
        print(json.dumps(rows, indent=1, allow_nan=False))
    else:
        for row in rows:
            _print_score(row)
    remark(tally.sentences())
    if failed == len(rows):
        raise NoImagesError("None of the images could be scored.")
    end_with(pictures.trouble if pictures else "")


@app.command(
    hidden=True,
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def watch() -> None:
    """Say which command watches a folder."""
    raise SettingsError(
        "A folder is watched by the workbench: python -m workbench watch NAME|FILE.patchcore FOLDER."
    )


@app.command()
def evaluate(
    inspector: InspectorFile,
    labelled: LabelledSet,
    sweep: Annotated[
        bool, typer.Option("--sweep", help="Measure smaller banks too, in one more pass.")
    ] = False,
    weights: Weights = None,
    as_json: AsJson = False,
) -> None:
    """Measure an inspector on a labelled set: image and pixel metrics, overall and per defect type."""
    from patchcore.evaluation.label_table import labels_of, read_labelled
    from patchcore.evaluation.measures import evaluate as measure
    from patchcore.evaluation.sweep import sweep as measure_shares

    model = load_inspector(inspector, weights)
    images, problems = read_labelled(labelled)
    labels = labels_of(images)
    remark([labels.sentence])
    with progress_bars() as report:
        evaluation = measure(model, images, lambda done, total: report("scoring", done, total))
        shares = measure_shares(model, images, progress=report) if sweep else []
    problems += evaluation.problems + evaluation.unjudged
    remark(problems + evaluation.remarks + _undefined(evaluation))
    result = evaluation.to_dict() | ({"sweep": [point.to_dict() for point in shares]} if sweep else {})
    result |= {"problems": problems, "labels": labels.to_dict()}
    if as_json:
        print(json.dumps(result, indent=1))
        return
    _print_evaluation(result)
    if sweep:
        _print_sweep(shares)


app.command()(threshold)


@app.command()
def info(inspector: InspectorFile, weights: Weights = None, as_json: AsJson = False) -> None:
    """Say what an inspector is, after checking all of it and repeating its self-test."""
    model = load_inspector(inspector, weights)
    remark(model.remarks_)
    _print(_summary(model) | {"path": str(inspector), "self_test": model.self_test_.sentence}, as_json)


@app.command(name="weights")
def list_weights(
    download: Annotated[str | None, typer.Option(help="Fetch the weights of this backbone.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the backbones and where their weights are; with --download, fetch one."""
    from patchcore import backbones

    if download:
        with progress_bars() as report:
            backbones.download_weights(download, lambda done, total: report("downloading", done, total))
    found = [(backbones.spec(name), backbones.find_weights(name)) for name in backbones.names()]
    rows = [
        {
            "backbone": entry.name,
            "summary": entry.summary,
            "file": entry.weights.file,
            "sha256": entry.weights.sha256,
            "megabytes": entry.weights.megabytes,
            "licence": entry.licence,
            "path": str(path) if path else None,
        }
        for entry, path in found
    ]
    if as_json:
        print(json.dumps(rows, indent=1))
        return
    table = Table("backbone", "weights", "MB", "what for", box=None)
    for row in rows:
        here = "ready" if row["path"] else f"missing: {row['file']}"
        table.add_row(str(row["backbone"]), here, f"{row['megabytes']:.0f}", str(row["summary"]))
    Console().print(table)


def _region(path: Path, image: Path) -> Any:
    """Read a region of interest, bool [h, w]; remarks on its reading, and on other proportions than an image's."""
    from patchcore.images.reading import read_image
    from patchcore.labels.drawing import same_aspect, size_words
    from patchcore.labels.masks import read_region

    pixels, said = read_region(path)
    try:
        size = read_image(image).pixels.shape[:2]
    except ImageError:  # named when the image is built from
        size = pixels.shape
    if not same_aspect(pixels.shape, size):
        said.append(
            f"The region of interest is {size_words(pixels.shape)} but {image.name} {size_words(size)}: it is "
            "stretched over the image. Draw it on an image of the same proportions."
        )
    remark(said)
    return pixels


def _images_of(paths: list[Path]) -> list[Path]:
    """Return the images to score; a folder without one gets a remark, which is the refusal where none has one."""
    from patchcore.images.reading import require_images

    images, problems = list[Path](), list[str]()
    for path in paths:
        if not is_folder(path):
            images.append(path)
            continue
        try:
            found = require_images(path)
        except NoImagesError as error:
            problems.append(str(error))
            continue
        folders = {one: one.relative_to(path).parts[:-1] for one in found}
        masks = {"/".join(parts) for parts in folders.values() if mask_folder(parts) is not None}
        images += [one for one, parts in folders.items() if mask_folder(parts) is None]
        if masks:
            problems.append(
                f"Folders of masks are not scored: {few(sorted(masks))}. Name such a folder itself to score it."
            )
    if not images:
        raise NoImagesError(" ".join(problems))
    remark(problems)
    return images


def _score_one(model: Any, path: Path, overlays: _Overlays | None) -> dict[str, Any]:
    from patchcore.images.reading import read_image
    from patchcore.inspection import inspect

    image = read_image(path, value_range=model.settings.value_range)
    inspection = inspect(model, image)
    row: dict[str, Any] = {"path": str(path), **inspection.to_dict()}
    if overlays is not None:
        row["overlay"] = overlays.write(image, inspection, path)
    return row


class _Overlays:
    """Overlay pictures in a folder; once one cannot be written, no further one is tried, and scoring goes on.

    Raises
    ------
    SettingsError
        Nothing can be written into the folder.
    """

    def __init__(self, folder: Path) -> None:
        require_folder(folder)
        self.folder = folder
        self.trouble = ""

    def write(self, image: LoadedImage, inspection: Inspection, path: Path) -> str | None:
        """Write the overlay of an image and return its path; None where that is not possible."""
        if self.trouble:
            return None
        name = safe_part(f"{path.parent.name}_{path.stem}")
        target = self.folder / f"{name}_{inspection.result.record.sha256[:6]}.png"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with whole_file(target) as part:
                part.write_bytes(self._picture(image, inspection))
        except OSError as fault:
            self.trouble = f"{cannot_write(target, fault)} The overlays from this image on are missing."
            return None
        return str(target)

    def _picture(self, image: LoadedImage, inspection: Inspection) -> bytes:
        from patchcore.maps.rendering import HeatScale, encode_png, overlay

        point, result = inspection.point, inspection.result
        anchor = point.heat_from if point else max(float(result.map.max()) / 2, 1e-6)
        scale = HeatScale.anchored(anchor)
        return encode_png(overlay(image.pixels, result.map, scale, mode="both", box=inspection.decided_box))


def _summary(model: Detector) -> dict[str, Any]:
    size, settings, point = model.size, model.settings, model.operating_point_
    bank = {
        "bank_rows": size.rows,
        "bank_share": size.share,
        "bank_megabytes": size.nbytes / 1e6,
        "cover_radius": size.cover_radius,
    }
    own = {name: getattr(settings, name) for name in METHODS[model.method].settings}
    return {
        "method": model.method,
        "backbone": settings.backbone,
        "weights_sha256": model.backbone_.sha256,
        "image_size": settings.image_size,
        "geometry": settings.geometry,
        "seed": settings.seed,
        "good_images": len(model.image_records_),
        **_sessions(model),
        "left_out": [str(error) for error in model.skipped_],
        "remarks": model.remarks_,
        "patch_covers": _patches_cover(model),
        "patches": size.patches,
        **(bank if SHARE in model.capabilities else {"megabytes": size.nbytes / 1e6, **own}),
        "bank_id": model.bank_id_,
        "threshold": model.threshold_,
        "threshold_rule": point.statement if point else None,
        "picture_check": _picture_check(model),
    }


def _sessions(model: Detector) -> dict[str, Any]:
    """Return the sessions of the good images, and how the threshold judges them on a day not seen."""
    from patchcore.thresholds.from_sessions import ONE_SESSION, check_on_sessions

    images = Counter(record.session for record in model.image_records_ if record.sha256 not in model.taught_)
    if len(images) == 1:
        return {"sessions": {}, "another_day": ONE_SESSION}
    check = None if model.threshold_ is None else check_on_sessions(model.evidence_, model.threshold_)
    return {"sessions": dict(images), "another_day": "" if check is None else check.sentence}


def _patches_cover(model: Detector) -> str:
    """Return the part of the largest good image that one patch covers."""
    largest = max(model.image_records_, key=lambda record: record.width * record.height)
    detail = model.good_set_.visible_detail(largest)
    width, height = detail.size
    return f"{detail.patch_words} of {width:,} × {height:,} px"


def _doubtful_good(model: Detector) -> list[str]:
    """Return the sentences on good images that would themselves be sent to review."""
    from patchcore.fitting.whole_picture import doubts_on_good_images
    from patchcore.plausibility.sentences import good_image_remarks

    found = doubts_on_good_images(model.picture_check_, model.image_records_, model.settings)
    return good_image_remarks(
        [(record.name, [doubt.sentence for doubt in doubts]) for record, doubts in found]
    )


def _picture_check(model: Detector) -> str:
    check, point = model.picture_check_, model.operating_point_
    if check is None:
        return "none: no good image is left that it was learned from"
    state = "off" if point is not None and not point.picture_check else "on"
    return f"{state}, learned from {count(len(check.images), 'good image')}"


def _print(summary: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(summary, indent=1))
        return
    for key, value in summary.items():
        if key == "remarks":  # printed on standard error already
            continue
        shown = f"{value:.4g}" if isinstance(value, float) else value
        if isinstance(value, dict):
            shown = ", ".join(f"{name} ({number})" for name, number in value.items())
        if value not in (None, [], {}, ""):
            print(f"{key.replace('_', ' '):>16}  {shown}")


def _print_score(row: dict[str, Any]) -> None:
    if row["error"] is not None:
        return
    box = ",".join(str(edge) for edge in row["worst_box"])
    score = "-" if row["score"] is None else f"{row['score']:.4f}"
    print(f"{score}\t{row['verdict'] or '-'}\t{box}\t{display_name(row['path'])}")


def _print_evaluation(result: dict[str, Any]) -> None:
    table = Table("", "images", "image AUROC", "AP", "F1-max", "pixel AUROC", "AUPRO", box=None)
    rows = {"all": {"image": result["image"], "pixel": result["pixel"]}} | result["types"]
    for name, part in rows.items():
        image, pixel = part["image"], part["pixel"] or {}
        table.add_row(
            Text(display_name(name)),  # a folder's name is no markup
            f"{image['n_good']} + {image['n_defect']}",
            *(number(image[key]) for key in ("auroc", "average_precision", "f1_max")),
            *(number(pixel.get(key)) for key in ("auroc", "aupro")),
        )
    Console(width=100).print(table)
    if verdicts := result["verdicts"]:
        print(
            f"at the stored threshold: {verdicts['false_rejects']} of {verdicts['good']} good rejected, "
            f"{verdicts['escapes']} of {verdicts['defects']} defects accepted, {verdicts['review']} to review"
        )


def _undefined(evaluation: Evaluation) -> list[str]:
    """Say why a metric is missing."""
    from patchcore.statistics.curves import Undefined

    measures = (evaluation.image.auroc, evaluation.pixel.auroc)
    return [measure.reason for measure in measures if isinstance(measure, Undefined)]


def _print_sweep(shares: list[SharePoint]) -> None:
    table = Table(
        *(
            "share",
            "rows",
            "MB",
            "cover radius",
            "threshold",
            "good, 95 %",
            "image AUROC",
            "pixel AUROC",
            "ms",
        ),
        box=None,
    )
    for point in shares:
        plain = point.to_dict()
        table.add_row(
            f"{point.share:.2%}" + (" in use" if point.in_use else ""),
            str(point.rows),
            f"{point.megabytes:.3g}",
            *(number(value) for value in (point.cover_radius, point.threshold)),
            number(point.good_scores.percentile_95),
            *(number(plain[level]["auroc"]) for level in ("image", "pixels")),
            "-" if point.milliseconds is None else f"{point.milliseconds:.1f}",
        )
    Console(width=120).print(table)
    for reason in dict.fromkeys(point.reason for point in shares if point.reason):
        print(f"no threshold: {reason}")


def main() -> None:
    """Run the command line; turn errors into exit codes. A file that keeps stopping the program is left out."""
    if (folder := user_folder()) is not None:
        work_notes.use(WorkNotes(folder / "in_work"))
    try:
        run(app)
    finally:
        notes = work_notes.of_process()
        work_notes.use(None)
        if notes is not None:
            notes.close()
            remark([AGAIN] if notes.has_refused else [])
