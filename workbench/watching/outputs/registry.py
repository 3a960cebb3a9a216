"""Every output of watching, by name. A new output is a file that declares it, and a line in `OUTPUTS`.

The order of `OUTPUTS` is the order in which outputs get a verdict, and the order of their fields in the form.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from patchcore.errors import SettingsError
from workbench.watching.outputs import lines, moving, printing
from workbench.watching.outputs.declaration import Option, OutputSpec, Values
from workbench.watching.outputs.delivery import Outputs

OUTPUTS: dict[str, OutputSpec] = {
    spec.name: spec
    for spec in (
        moving.MOVE,
        lines.LINES,
        printing.PRINT,
    )
}


def options(*, terminal: bool = False) -> list[Option]:
    """Return the options of all outputs; outputs to standard output count only with `terminal`."""
    return [option for spec in _specs(terminal) for option in spec.options]


def complete(values: Values, *, terminal: bool = False) -> dict[str, Any]:
    """Return the values of all options; an option without a value gets its default.

    Raises
    ------
    SettingsError
        No option has that name, or an option cannot have that value.
    """
    known = options(terminal=terminal)
    unknown = sorted(values.keys() - {option.name for option in known})
    if unknown:
        raise SettingsError(
            f"No output of this program has the option {', '.join(unknown)}. Update the program, or start to watch "
            "the folder without it."
        )
    completed = {option.name: values.get(option.name, option.default) for option in known}
    for option in known:
        option.check(completed[option.name])
    return completed


def make_outputs(values: Values, folder: Path, *, terminal: bool = False) -> Outputs:
    """Return the outputs that the option values turn on.

    Parameters
    ----------
    values
        Option values by name; a missing option has its default.
    folder
        The watched folder.
    terminal
        Whether outputs to standard output take part.

    Raises
    ------
    SettingsError
        An option has a value that cannot be used.
    """
    completed = complete(values, terminal=terminal)
    made = [spec.make(_own(spec, completed), folder) for spec in _specs(terminal)]
    return Outputs([output for output in made if output is not None])


def summaries(values: Mapping[str, Any]) -> list[str]:
    """Describe the outputs of a folder that the dashboard watches, a few words each."""
    usual = {option.name: option.default for option in options()}
    said = [spec.summary(_own(spec, {**usual, **values})) for spec in _specs(terminal=False)]
    return [words for words in said if words]


def _specs(terminal: bool) -> list[OutputSpec]:
    return [spec for spec in OUTPUTS.values() if terminal or not spec.terminal]


def _own(spec: OutputSpec, values: Mapping[str, Any]) -> dict[str, Any]:
    return {option.name: values[option.name] for option in spec.options}
