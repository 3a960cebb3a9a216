"""The outputs of one watched folder: each gets every verdict, one output after the other."""

from collections.abc import Sequence
from pathlib import Path

from workbench.watching.outputs.declaration import Output
from workbench.watching.verdict import VerdictRecord


class Outputs:
    """Delivers verdicts to outputs, in the outputs' order."""

    def __init__(self, outputs: Sequence[Output] = ()) -> None:
        self.outputs = tuple(outputs)
        self._interrupted: tuple[VerdictRecord, VerdictRecord, int] | None = (
            None  # the verdict, as it stood, the next output
        )

    def plan(self, verdict: VerdictRecord) -> VerdictRecord:
        """Return the record with the planned actions noted in it, so that a restart knows them; before it is stored."""
        for output in self.outputs:
            verdict = output.plan(verdict)
        return verdict

    def deliver(self, verdict: VerdictRecord, *, again: bool = False) -> None:
        """Deliver a record to every output.

        Parameters
        ----------
        again
            Whether an earlier try may have done part of the delivery, before a failure or a crash.

        Raises
        ------
        NotKept
            An output cannot deliver at present. A further call with `again` continues at that output, so that this
            object delivers to no output twice.
        """
        latest, first = verdict, 0
        if self._interrupted is not None and self._interrupted[0] == verdict:
            _, latest, first = self._interrupted
        for number in range(first, len(self.outputs)):
            self._interrupted = (verdict, latest, number)
            latest = self.outputs[number].deliver(latest, again=again)
        self._interrupted = None

    def require_targets(self) -> None:
        """Try the places of every output. Errors as in `Output.require_targets`."""
        for output in self.outputs:
            output.require_targets()

    def folders_left_out(self) -> list[Path]:
        """Return folders in which watching must not look for new images."""
        return [folder for output in self.outputs for folder in output.folders_left_out()]

    def needs_verdict(self) -> str:
        """Return the beginning of the refusal by an output that needs verdicts; "" where no output needs them."""
        return next((output.needs_verdict for output in self.outputs if output.needs_verdict), "")
