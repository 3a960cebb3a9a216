"""The outputs of one watched folder, told of each verdict one after the other."""

from collections.abc import Sequence
from pathlib import Path

from workbench.watching.outputs.declaration import Output
from workbench.watching.verdict import Given


class Outputs:
    """Tells outputs of verdicts, in their order."""

    def __init__(self, outputs: Sequence[Output] = ()) -> None:
        self.outputs = tuple(outputs)
        self._interrupted: tuple[Given, Given, int] | None = None  # the verdict, as it stood, the next output

    def plan(self, verdict: Given) -> Given:
        """Return a verdict with what is about to be done noted in it, so that a restart knows; before it is kept."""
        for output in self.outputs:
            verdict = output.plan(verdict)
        return verdict

    def give(self, verdict: Given, *, again: bool = False) -> None:
        """Do all that is to be done with a verdict.

        Parameters
        ----------
        again
            Whether some of it may have been done already, before a failure or a crash.

        Raises
        ------
        NotKept
            When something cannot be done at present. Calling again with `again` does the rest: outputs that this
            object has told are not told twice.
        """
        latest, first = verdict, 0
        if self._interrupted is not None and self._interrupted[0] == verdict:
            _, latest, first = self._interrupted
        for number in range(first, len(self.outputs)):
            self._interrupted = (verdict, latest, number)
            latest = self.outputs[number].give(latest, again=again)
        self._interrupted = None

    def folders_left_out(self) -> list[Path]:
        """Return folders in which no new images are to be looked for."""
        return [folder for output in self.outputs for folder in output.folders_left_out()]

    def needs_verdict(self) -> str:
        """Return how the refusal begins where an output can do nothing without verdicts; empty where all can."""
        return next((output.needs_verdict for output in self.outputs if output.needs_verdict), "")
