"""Printing: a line on standard output for each verdict, as text for people or as JSON for a program."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from patchcore.errors import PatchCoreError
from patchcore.images.file_names import display_name
from workbench.watching.outputs.declaration import Option, Output, OutputSpec, Values
from workbench.watching.outputs.lines import as_line
from workbench.watching.verdict import VerdictRecord


class Printer(Output):
    """Prints verdicts at once, a line each; after a crash the last line may come twice."""

    def __init__(self, text: Callable[[VerdictRecord], str]) -> None:
        self.text = text

    def deliver(self, verdict: VerdictRecord, *, again: bool) -> VerdictRecord:
        """Print a verdict.

        Raises
        ------
        PatchCoreError
            Standard output is closed.
        """
        try:
            print(self.text(verdict), flush=True)  # noqa: T201 - its job
        except BrokenPipeError:
            raise PatchCoreError(
                "Nobody reads the results any more. The last verdict is kept, and printed at the next start."
            ) from None
        return verdict


def for_people(verdict: VerdictRecord) -> str:
    """Return score, verdict, worst box and file, with tabs between."""
    box = ",".join(str(edge) for edge in verdict.worst_box or ())
    score = "-" if verdict.score is None else f"{verdict.score:.4f}"
    return f"{score}\t{verdict.verdict or '-'}\t{box}\t{display_name(verdict.moved_to or verdict.file)}"


def _make(values: Values, _folder: Path) -> Printer:
    return Printer(as_line if values["as_json"] else for_people)


PRINT = OutputSpec(
    "print",
    (
        Option(
            "as_json",
            "--json",
            "switch",
            label="Print a line of JSON for each image",
            help="Print a line of JSON for each image, for a line controller.",
            default=False,
        ),
    ),
    _make,
    terminal=True,
)
