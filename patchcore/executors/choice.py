"""The choice of an executor by the text of an option: `here`, or `processes:4`."""

from patchcore.errors import SettingsError
from patchcore.executors.contract import Executor
from patchcore.executors.processes import MOST_PROCESSES, Processes

HERE = "here"


def chosen_executor(text: str) -> Executor | None:
    """Make the executor that a text names; None for `here`, the process of the build itself.

    Raises
    ------
    SettingsError
        If the text names no executor.
    """
    name, _, count = text.strip().partition(":")
    if name == HERE and not count:
        return None
    if name == "processes" and count.isdecimal() and 1 <= int(count) <= MOST_PROCESSES:
        return Processes(int(count))
    raise SettingsError(
        f"A build runs 'here', or on processes:N with N from 1 to {MOST_PROCESSES}, as in processes:4; "
        f"'{text}' is neither."
    )
