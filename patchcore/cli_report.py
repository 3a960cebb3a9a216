"""`python -m patchcore report`: measure an inspector on a labelled set and write the report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from patchcore.errors import PatchCoreError, SettingsError

if TYPE_CHECKING:
    from patchcore.mvtec_layout import LabelledImage


def report(
    inspector: Annotated[
        Path, typer.Argument(metavar="NAME.patchcore", help="A saved inspector.", show_default=False)
    ],
    test_dir: Annotated[Path, typer.Argument(help="Labelled set in MVTec's layout.", show_default=False)],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.", show_default=False)],
    title: Annotated[str, typer.Option(help="What the report is called.")] = "Inspection report",
    author: Annotated[str, typer.Option(help="Who made it.")] = "",
    note: Annotated[str, typer.Option(help="A remark for its readers.")] = "",
    weights: Annotated[
        Path | None, typer.Option(help="State dict of the backbone (.pth or .safetensors).")
    ] = None,
) -> None:
    """Write a report as one HTML file that opens offline and prints well."""
    from patchcore import cli
    from patchcore.evaluation import evaluate
    from patchcore.inspector_facts import inspector_facts
    from patchcore.report import Report, render_report

    _check_output(output)
    model = cli._load(inspector, weights)
    images = labelled_set(test_dir)
    with cli.progress_bars() as bars:
        evaluation = evaluate(model, images, lambda done, total: bars("scoring", done, total))
    for problem in [*evaluation.problems, *evaluation.unjudged]:
        cli.remarks.print(problem, style="yellow", markup=False)
    page = render_report(
        Report(
            evaluation,
            product=inspector.stem,
            title=title,
            author=author,
            note=note,
            test_set=test_dir.resolve().name,
            facts=inspector_facts(model),
            good_images=len(model.image_records_),
            good_scores=list(model.good_scores_.values()),
            left_out=[str(error) for error in model.skipped_],
            share=model.bank_.share,
        )
    )
    _write(output, page)
    print(output)  # noqa: T201 - the result, as in cli


def labelled_set(source: Path) -> Sequence[LabelledImage]:
    """Read the labelled set that the report is about; errors as for `mvtec_layout.read_layout`."""
    from patchcore.mvtec_layout import read_layout

    return read_layout(source)


def _check_output(output: Path) -> None:
    """Refuse before anything is scored what could not be written afterwards."""
    if output.is_dir():
        raise SettingsError(
            f"{output} is a folder; name the file to write, such as {output / 'report.html'}."
        )


def _write(output: Path, page: str) -> None:
    """Write beside and rename, so that there is never half a report."""
    partial = output.with_name(output.name + ".part")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(page, encoding="utf-8")
        partial.replace(output)
    except OSError as error:
        raise PatchCoreError(
            f"{output} cannot be written ({error.strerror}). Choose another place."
        ) from error
