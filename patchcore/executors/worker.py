"""One process of an executor: it starts once, runs the parts that are sent to it, and ends with its parent."""

import contextlib
import multiprocessing
import os
import pickle
import signal
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from threading import Thread
from typing import Any

from patchcore.executors.contract import Run


@dataclass(frozen=True)
class Ready:
    """The process has started and waits for a part."""


@dataclass(frozen=True)
class Progress:
    """Number of items of the part that are done."""

    items: int


@dataclass(frozen=True)
class Done:
    """The part is done; the process waits for another one."""

    result: Any


@dataclass(frozen=True)
class Failed:
    """The part, or the start, raised an error. Running it again would raise it again."""

    error: Exception


def work(pipe: Connection, start: Callable[[], Run[Any, Any]]) -> None:
    """Run parts from a pipe until it closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends its processes
    Thread(target=_end_with_parent, daemon=True).start()
    with contextlib.suppress(EOFError, OSError):  # the parent has closed the pipe
        try:
            run = start()
            pipe.send(Ready())
            while True:
                pipe.send(Done(run(pipe.recv(), lambda items: pipe.send(Progress(items)))))
        except (EOFError, BrokenPipeError, ConnectionResetError):
            raise
        except Exception as error:
            pipe.send(Failed(_sendable(error)))


def _end_with_parent() -> None:
    """End at once when the parent dies, so that no two processes ever write into one part's folder."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _sendable(error: Exception) -> Exception:
    """Return the error itself if it survives the way to the parent, else its text."""
    error.add_note("In a process of the build:\n" + traceback.format_exc())
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # any class may refuse in any way
        return RuntimeError("".join(traceback.format_exception(error)))
    return error
