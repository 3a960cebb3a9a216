"""`python -m patchcore report`: measure an inspector on a labelled set and write the report."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from patchcore.cli.terminal import (
    InspectorFile,
    LabelledSet,
    Weights,
    end_with,
    load_inspector,
    progress_bars,
    remark,
    write_result,
)
from patchcore.files.targets import require_file
from patchcore.whole_files import whole_file


def report(
    inspector: InspectorFile,
    labelled: LabelledSet,
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.", show_default=False)],
    title: Annotated[str, typer.Option(help="Title of the report.")] = "Inspection report",
    author: Annotated[str, typer.Option(help="Author of the report.")] = "",
    note: Annotated[str, typer.Option(help="A remark for its readers.")] = "",
    weights: Weights = None,
) -> None:
    """Write a report as one HTML file that opens offline and prints well."""
    from patchcore.evaluation.label_table import labels_of, read_labelled
    from patchcore.evaluation.measures import evaluate
    from patchcore.reports.document import Report, render_report
    from patchcore.reports.inspector_facts import inspector_facts

    require_file(output, "report.html")
    model = load_inspector(inspector, weights)
    images, problems = read_labelled(labelled)
    remark([labels_of(images).sentence])
    with progress_bars() as bars:
        evaluation = evaluate(model, images, lambda done, total: bars("scoring", done, total))
    evaluation = replace(evaluation, problems=problems + evaluation.problems)
    remark([*evaluation.problems, *evaluation.unjudged, *evaluation.remarks])
    page = render_report(
        Report(
            evaluation,
            product=inspector.stem,
            title=title,
            author=author,
            note=note,
            test_set=labelled.resolve().name,
            facts=inspector_facts(model),
            good_images=len(model.image_records_),
            good_scores=list(model.good_scores_.values()),
            left_out=[str(error) for error in model.skipped_],
            share=model.size.share,
        )
    )
    place, trouble = write_result(output, lambda target: _write(target, page))
    print(place)
    end_with(trouble)


def _write(output: Path, page: str) -> None:
    """Write beside the place and rename, so that no half report is ever left."""
    output.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(output) as part:
        part.write_bytes(
            page.encode("utf-8", "backslashreplace")
        )  # a name's undecodable bytes become escapes
