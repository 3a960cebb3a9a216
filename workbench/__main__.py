"""The workbench on the command line: the sample, a watched folder, check, backup, restore, import, export, people."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from patchcore.cli.terminal import run
from patchcore.errors import ArtifactError
from workbench.watching.command import watch

if TYPE_CHECKING:
    from workbench.people.accounts import Account
    from workbench.storage.workspace import Workspace
    from workbench.upkeep.check import Repaired
    from workbench.upkeep.finding import Finding

JOBS = {
    "build": "workbench.inspectors.building:run_build",
    "sweep": "workbench.evaluation.sweep:run_sweep",
    "retain": "workbench.upkeep.retention:run_retention",
    "watch": "workbench.watching.job:run_watch",
}
"""The function of each kind of job; it is imported in the job's own process only."""

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
remarks = Console(stderr=True, highlight=False, emoji=False)
results = Console(highlight=False, emoji=False)


def _workspace() -> closing[Workspace]:
    """Open the workspace for a block; the import is late, so that --help waits for no database."""
    from patchcore.disk import work_notes
    from workbench.storage.workspace import Workspace

    workspace = Workspace()
    work_notes.use(workspace.notes)
    return closing(workspace)


def _remark(words: str, style: str = "") -> None:
    remarks.print(words, style=style, markup=False, soft_wrap=True)


@app.callback()
def workbench() -> None:
    """Look after the workspace of the dashboard, and watch a folder of a line."""


@app.command(hidden=True)
def run_job(workspace: Path, job: int, attempt: int) -> None:
    """Do one job of the queue; the queue starts this command."""
    from workbench.jobs.process import leave, main

    leave(main([str(workspace), str(job), str(attempt)], JOBS))


@app.command()
def prepare_sample() -> None:
    """Build the inspectors of the sample products and inspect their test images, unless that is done."""
    from workbench.inspections import samples  # late, so that --help does not wait for PyTorch
    from workbench.inspectors.versions import find_inspector

    with _workspace() as workspace:
        for sample in reversed(samples.list_samples()):  # the newest is in use at first: the one listed first
            if find_inspector(workspace, sample.inspector_id) is None:
                _remark(f"Building the sample inspector {sample.title} in {workspace.root} ...")
            samples.score_sample(workspace, sample)


app.command()(watch)


@app.command()
def check(
    repair: Annotated[bool, typer.Option("--repair", help="Mend what can be mended.")] = False,
    grace: Annotated[
        float, typer.Option(help="Leave alone what was written in the last so many seconds.", min=0)
    ] = 600,
) -> None:
    """Find files without rows and rows without files. Exit code 0: all is in order, or was put in order."""
    from workbench.upkeep import check

    with _workspace() as workspace:
        found = check.check(workspace, grace=grace)
        if not found:
            _remark(f"{workspace.root} is in order.")
            return
        if repair:
            _tell_repairs(list(check.repair(workspace, found)))
            found = check.check(workspace, grace=grace)
    if found:
        _tell_findings(found, "Still to do" if repair else "What --repair would do")
        raise typer.Exit(1)
    _remark(f"{workspace.root} is in order now.")


def _tell_findings(found: list[Finding], heading: str) -> None:
    table = _table("What", "Trouble", heading)
    for finding in found:
        table.add_row(Text(finding.place), Text(finding.trouble), Text(finding.remedy))
    results.print(table)


def _table(*headings: str) -> Table:
    table = Table()
    for heading in headings:
        table.add_column(heading, overflow="fold")  # names are to be copied whole
    return table


def _tell_repairs(repaired: list[Repaired]) -> None:
    table = _table("What", "Trouble", "Repaired", "How")
    for one in repaired:
        sign = Text("yes", "green") if one.done else Text("no", "red")
        table.add_row(Text(one.finding.place), Text(one.finding.trouble), sign, Text(one.outcome))
    results.print(table)


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="The zip file to write.")],
    replace: Annotated[bool, typer.Option(help="Overwrite the file when it is there already.")] = False,
) -> None:
    """Write everything that was made to one file; the dashboard may go on working meanwhile."""
    from patchcore.files.targets import require_file
    from workbench.upkeep.backups.writing import back_up

    require_file(file, "backup.zip")
    with _workspace() as workspace:
        done = back_up(workspace, file, replace=replace)
    _remark(
        f"{done.path}: {done.rows} rows and {done.files} files of {workspace.root}, "
        f"{done.size_bytes / 1e6:.1f} MB."
    )
    _tell_losses(done.lost, "The backup does not have everything. Run: python -m workbench check")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A file that `backup` wrote.")],
    into: Annotated[Path, typer.Option(help="A new or empty folder.")],
) -> None:
    """Put a backup into a new folder, after checking every part of it."""
    from workbench.upkeep.backups.restoring import restore as put_back

    done = put_back(file, into)
    _remark(
        f"{done.rows} rows and {done.files} files are in {done.workspace}. "
        f"To work with them, set PATCHCORE_WORKSPACE to {done.workspace} and start the dashboard."
    )
    _tell_losses(done.lost, "The backup was taken without these.")


@app.command("import")
def import_file(
    file: Annotated[
        Path, typer.Argument(help="An inspector that was exported, or built by the command line.")
    ],
    name: Annotated[str, typer.Option(help="What to call it, if not what the file says.")] = "",
    into: Annotated[
        str, typer.Option(help="The id of an inspector, to make it the next version of that one.")
    ] = "",
    weights: Annotated[
        Path | None, typer.Option(help="The network's weights, where they lie elsewhere than usual.")
    ] = None,
) -> None:
    """Bring an inspector in from a file; nothing is written unless all of it is sound."""
    from workbench.inspectors.importing import import_inspector
    from workbench.inspectors.versions import find_inspector

    with _workspace() as workspace:
        version = import_inspector(workspace, file, name, into=into or None, weights=weights)
        inspector = find_inspector(workspace, version.inspector_id)
    called = version.inspector_id if inspector is None else inspector.name
    _remark(f"{called}, version {version.number}, is in {workspace.root}.")
    results.print(version.inspector_id, markup=False, soft_wrap=True)


@app.command("export")
def export_file(
    inspector: Annotated[
        str, typer.Argument(help="The name of an inspector, or its id, as the dashboard's address has it.")
    ],
    file: Annotated[Path, typer.Argument(help="The file to write.")],
    version: Annotated[str, typer.Option(help="Which, as 3.2; the one in use when left out.")] = "",
    replace: Annotated[bool, typer.Option(help="Overwrite the file when it is there already.")] = False,
) -> None:
    """Write an inspector to one file that scores the same anywhere; the good images themselves are not in it."""
    from patchcore.files.targets import require_file
    from workbench.inspectors.exporting import export
    from workbench.inspectors.timeline import require_state
    from workbench.inspectors.versions import find_id

    require_file(file, "inspector.patchcore")
    if file.exists() and not replace:
        raise ArtifactError(f"{file} is there already. Choose another name, or --replace.")
    with _workspace() as workspace:
        found, entry = require_state(workspace, find_id(workspace, inspector), version or None)
        export(workspace, found, entry, file)
    _remark(f"{file}: {found.name}, version {entry.number}.")


@app.command()
def people(
    release: Annotated[
        str,
        typer.Option(
            metavar="EMAIL", help="Give an address free for the next account that signs in with it."
        ),
    ] = "",
) -> None:
    """Check the list of people who may sign in, and print who may do what; or give an address free."""
    from workbench.people.accounts import people_file, read_people
    from workbench.people.roles import Role
    from workbench.storage import address_owners

    with _workspace() as workspace:
        if release:
            _release(release, address_owners.release(workspace, release))
            return
        path = people_file(workspace.root)
        listed = read_people(path)
        owners = address_owners.list_owners(workspace)
    _remark(str(path))
    table = _table("Address or account", "Role", "Belongs to")
    for address, role in sorted(listed.roles.items()):
        table.add_row(Text(address), role.word, Text(str(owners.get(address, "the first to sign in"))))
    for account, role in sorted(listed.accounts.items(), key=lambda entry: str(entry[0])):
        table.add_row(Text(str(account)), role.word)
    table.add_row("all others who sign in", "none" if listed.default == Role.NOBODY else listed.default.word)
    results.print(table)


def _release(email: str, owner: Account | None) -> None:
    from workbench.people.accounts import PeopleError

    if owner is None:
        raise PeopleError(f"The address {email} belongs to no account: nobody has signed in with it yet.")
    _remark(f"{email} no longer belongs to {owner}.")


def _tell_losses(lost: list[str], what: str) -> None:
    """Name the lost files, and end with exit code 1."""
    if lost:
        for sentence in [*lost, what]:
            _remark(sentence, "yellow")
        raise typer.Exit(1)


if __name__ == "__main__":
    run(app)
