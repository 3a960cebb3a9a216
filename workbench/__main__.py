"""The workbench's command line: `python -m workbench prepare-sample`."""

from __future__ import annotations

import sys

import typer
from rich.console import Console

from patchcore.errors import PatchCoreError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
remarks = Console(stderr=True, highlight=False)


@app.callback()
def workbench() -> None:
    """Look after the workspace of the dashboard."""


@app.command()
def prepare_sample() -> None:
    """Build the inspectors of the sample products and inspect their test images, unless that is done."""
    from workbench import samples  # late, so that --help does not wait for PyTorch
    from workbench.workspace import Workspace

    workspace = Workspace()
    for sample in reversed(samples.list_samples()):  # the newest is in use at first: the one listed first
        if samples.find_sample_inspector(workspace, sample) is None:
            remarks.print(
                f"Building the sample inspector {sample.title} in {workspace.root} ...", markup=False
            )
        samples.score_sample(workspace, sample)


if __name__ == "__main__":
    try:
        app()
    except PatchCoreError as error:
        remarks.print(str(error), style="red", markup=False)
        sys.exit(1)
