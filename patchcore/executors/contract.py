"""The contract of an executor: numbered, picklable parts go in, their results come back by number."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

Part = TypeVar("Part")
Result = TypeVar("Result")

Report = Callable[[int], None]
"""Called while a part runs, with the number of its items that are done."""

Listen = Callable[[int], None]
"""Called in the caller's process, several times a second, with the items done in all parts; may raise to stop them."""

Run = Callable[[Part, Report], Result]
"""Runs one part. A part that was cut off is run again, so a second run must do no harm."""


class Executor(Protocol):
    """Runs parts: in processes of this machine, or on other machines.

    The parts and the results must not depend on the place, nor on the number of parts that run at a time.
    """

    def run(
        self, start: Callable[[], Run[Part, Result]], parts: Sequence[Part], listen: Listen
    ) -> list[Result]:
        """Run all parts.

        Parameters
        ----------
        start
            Picklable; called once in each process, before its first part. It returns a function that runs a part.
        parts
            Picklable.
        listen
            Called with the items done in all parts. If it raises, all parts are stopped and the error goes on to the
            caller.

        Returns
        -------
        list
            The result of each part, in the order of the parts.

        Raises
        ------
        WorkerLost
            If the process of one part keeps dying.
        """
        ...
