"""Parts in processes of this machine: a process that dies is replaced, and its part is run again."""

import multiprocessing
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

from patchcore.disk import work_notes
from patchcore.errors import SettingsError, WorkerLost
from patchcore.executors.contract import Listen, Part, Result, Run
from patchcore.executors.worker import Done, Failed, Progress, Ready, work

MOST_PROCESSES = 64
TRIES = 3  # runs of a part, if its process dies each time and no file of it is to blame (`work_notes`)
PATIENCE = 0.2  # seconds between two calls of the listener
LEAVING = 5.0  # seconds for a process to end after the request


class Processes:
    """Runs parts in so many processes at a time, each started afresh (`spawn`).

    A program that builds with processes must be importable: a script keeps its calls under
    ``if __name__ == "__main__":``, as :mod:`multiprocessing` asks for.

    Parameters
    ----------
    count
        Number of processes, 1 to 64.
    """

    def __init__(self, count: int) -> None:
        if not 1 <= count <= MOST_PROCESSES:
            raise SettingsError(
                f"The number of processes lies between 1 and {MOST_PROCESSES}; {count} does not."
            )
        self.count = count

    def run(
        self, start: Callable[[], Run[Part, Result]], parts: Sequence[Part], listen: Listen
    ) -> list[Result]:
        """Run all parts; see :meth:`patchcore.executors.contract.Executor.run`."""
        crew = _Crew(start, parts)
        try:
            for _ in range(min(self.count, len(parts))):
                crew.hire()
            while len(crew.results) < len(parts):
                crew.hear(PATIENCE)
                listen(sum(crew.done.values()))
        finally:
            crew.dismiss()
        return [crew.results[number] for number in range(len(parts))]


@dataclass
class _Worker:
    """A process, the pipe to it, and the number of the part that it runs."""

    process: SpawnProcess
    pipe: Connection
    number: int | None = None

    def end(self) -> None:
        """Stop the process, by force if it does not follow."""
        self.pipe.close()
        self.process.terminate()
        self.process.join(LEAVING)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


class _Crew:
    """The processes of one run, the parts that wait, and the results of the others."""

    def __init__(self, start: Callable[[], Any], parts: Sequence[Any]) -> None:
        self.start, self.parts = start, parts
        self.waiting = deque(range(len(parts)))
        self.results: dict[int, Any] = {}
        self.done: Counter[int] = Counter()  # items of each part
        self._deaths: Counter[int | None] = Counter()  # of each part; None for processes without a part
        self._workers: list[_Worker] = []

    def hire(self) -> None:
        """Start one more process; it gets a part once it reports that it is ready."""
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=work, args=(theirs, self.start), daemon=True)
        process.start()
        theirs.close()  # so that reading ends when the process does
        self._workers.append(_Worker(process, ours))

    def hear(self, seconds: float) -> None:
        """Wait at most so long for messages, and act on them."""
        pipes = {worker.pipe: worker for worker in self._workers}
        for pipe in wait(list(pipes), seconds):
            worker = pipes[pipe]  # type: ignore[index]  # only pipes were asked about
            try:
                self._act(worker, worker.pipe.recv())
            except (EOFError, OSError):
                self._replace(worker)

    def dismiss(self) -> None:
        """Stop all processes."""
        for worker in self._workers:
            worker.end()
        self._workers = []

    def _act(self, worker: _Worker, message: Ready | Progress | Done | Failed) -> None:
        number = worker.number
        if isinstance(message, Failed):
            raise message.error
        if number is not None and isinstance(message, Progress):
            self.done[number] = max(self.done[number], message.items)  # a second run begins at zero
            return
        if number is not None and isinstance(message, Done):
            self.results[number] = message.result
        worker.number = self.waiting.popleft() if self.waiting else None
        if worker.number is not None:
            worker.pipe.send(self.parts[worker.number])

    def _replace(self, worker: _Worker) -> None:
        """Put the part of a dead process back and start another process."""
        self._workers.remove(worker)
        worker.end()
        number = worker.number
        if number is None and not self.waiting:
            return  # nothing was left for it to do
        notes, pid = work_notes.of_process(), worker.process.pid
        if (
            notes is None or pid is None or not notes.explains(pid)
        ):  # else the file is set aside after its own deaths
            self._deaths[number] += 1
        if self._deaths[number] == TRIES:
            raise WorkerLost(_sentence(number, len(self.parts), worker.process.exitcode))
        if number is not None:
            self.waiting.appendleft(number)
        self.hire()


def _sentence(number: int | None, parts: int, exitcode: int | None) -> str:
    what = "A process of the build" if number is None else f"The process of part {number + 1} of {parts}"
    how = f"by signal {-exitcode}" if exitcode is not None and exitcode < 0 else f"with exit code {exitcode}"
    return (
        f"{what} ended {TRIES} times before it was done, the last time {how}. The machine may be short of memory: "
        "build with fewer processes, or without."
    )
