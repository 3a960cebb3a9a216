"""Every output of watching, by name; a further one is a file that declares it, and a line in `OUTPUTS`.

Their order is the order in which they are told of a verdict, and the order of their fields in the form.
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
    """Return the options of all outputs, those for standard output only with `terminal`."""
    return [option for spec in _specs(terminal) for option in spec.options]


def complete(values: Values, *, terminal: bool = False) -> dict[str, Any]:
    """Return the values of all options, the usual ones where none is named.

    Raises
    ------
    SettingsError
        When there is no such option, or it cannot have that value.
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
    """Return the outputs that options ask for.

    Parameters
    ----------
    values
        Of options; those left out have their usual values.
    folder
        The watched folder.
    terminal
        Whether standard output is read.

    Raises
    ------
    SettingsError
        When an option has a value that cannot be used.
    """
    completed = complete(values, terminal=terminal)
    made = [spec.make(_own(spec, completed), folder) for spec in _specs(terminal)]
    return Outputs([output for output in made if output is not None])


def summaries(values: Mapping[str, Any]) -> list[str]:
    """Say what is done with the files of a watched folder of the dashboard, a few words an output."""
    usual = {option.name: option.default for option in options()}
    said = [spec.summary(_own(spec, {**usual, **values})) for spec in _specs(terminal=False)]
    return [words for words in said if words]


def _specs(terminal: bool) -> list[OutputSpec]:
    return [spec for spec in OUTPUTS.values() if terminal or not spec.terminal]


def _own(spec: OutputSpec, values: Mapping[str, Any]) -> dict[str, Any]:
    return {option.name: values[option.name] for option in spec.options}
