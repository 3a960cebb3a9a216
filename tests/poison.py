"""Poisoned pictures, and a nursery of processes that really die on them.

A picture `WIDTH` pixels wide kills the process that prepares it for the network: SIGKILL, as of the kernel's memory
killer. `python -m tests.poison` imports everything once; for each line of JSON on its standard input it forks a
process that does one piece of work, and prints how that ended. A fork need not import PyTorch again.
"""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[1]
WIDTH = 65  # pixels


def poisoned(seed):
    """PNG bytes of a picture that kills."""
    buffer = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(100, 130, (64, WIDTH, 3), np.uint8)
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def unreadable(good):
    """Files that a decoder refuses, by their names, made of a good one."""
    return {
        "empty.png": b"",
        "text.png": b"not a picture",
        "cut.png": good[: len(good) // 2],
        "head.png": good[:20],
        "zeros.bmp": bytes(100),
        "jpeg.jpg": b"\xff\xd8\xff\xe0" + bytes(40),
        "tiff.tif": b"II*\x00\xff\xff\xff\x7f" + bytes(20),
        "riff.webp": b"RIFF\x10\x00\x00\x00WEBPVP8 " + bytes(8),
    }


class Nursery:
    """Starts processes that may die. Used with ``with``."""

    def __enter__(self):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.poison"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(60)

    def live(self, kind, *arguments):
        """Have a process do a piece of work; return its exit code, negative for a signal, and its output."""
        print(json.dumps([kind, *map(str, arguments)]), file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())

    def live_on(self, kind, *arguments, most=20):
        """Begin processes until one does not die; return how many died, and the output of the last."""
        for deaths in range(most):
            code, output = self.live(kind, *arguments)
            if code != -signal.SIGKILL:
                assert code == 0, output
                return deaths, output
        raise AssertionError(f"{most} processes died one after the other")


def die_of_poison():
    """Have this process die when a poisoned picture is prepared for the network."""
    from patchcore import detector
    from patchcore.fitting import extraction
    from patchcore.images import geometry

    def prepare(pixels, *arguments):
        if pixels.shape[1] == WIDTH:
            os.kill(os.getpid(), signal.SIGKILL)
        return geometry.prepare(pixels, *arguments)

    detector.prepare = extraction.prepare = prepare


def command(*arguments):
    """`python -m patchcore`, with its notes in the folder that the first argument names."""
    from patchcore.cli.commands import main

    os.environ["XDG_CACHE_HOME"] = arguments[0]
    sys.argv[1:] = arguments[1:]
    main()


def scorer(root, batch, version):
    """Score what the queue of a dashboard holds."""
    from workbench.inspections.background_scorer import Scorer
    from workbench.storage.workspace import Workspace

    workspace = Workspace(root)
    scorer = Scorer(workspace).resume()
    while scorer.wait(int(batch), int(version), 1.0):
        pass
    scorer.stop()
    workspace.close()


def job(root, job_id, attempt):
    """`python -m workbench run-job`."""
    from workbench.__main__ import JOBS
    from workbench.jobs.process import main

    sys.exit(main([root, job_id, attempt], JOBS))


def watch(root, folder):
    """Judge the files of a folder by their grey; see `tests.workbench.watching.watched`."""
    from tests.workbench.watching.watched import GreyJudge, Session

    session = Session(Path(folder), Path(root), broken_after=0.1, settle=0.02)
    session.run.judge = Deadly(GreyJudge())
    session.once()


class Deadly:
    """A judge that poisoned pictures kill."""

    def __init__(self, judge):
        self.judge = judge

    def __call__(self, key, data):
        judged = self.judge(key, data)
        with Image.open(io.BytesIO(data)) as picture:
            if picture.width == WIDTH:
                os.kill(os.getpid(), signal.SIGKILL)
        return judged

    def broken(self, *arguments):
        return self.judge.broken(*arguments)


KINDS = {"command": command, "scorer": scorer, "job": job, "watch": watch}


@cache
def prepare(kind):
    """Import what a kind of work needs, once for all processes."""
    from tests.workbench.watching import watched

    if kind != "watch":
        die_of_poison()
    with tempfile.TemporaryDirectory() as folder:
        watched.Workspace(folder).close()
        watched.Session(Path(folder), Path(folder) / "here").close()  # imports the migrations


def bear(kind, arguments, output):
    """Fork a process; return its exit code."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 1
    try:
        for number in (1, 2):
            os.dup2(output.fileno(), number)
        KINDS[kind](*arguments)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def main():
    for line in sys.stdin:
        kind, *arguments = json.loads(line)
        prepare(kind)
        with tempfile.TemporaryFile() as output:
            code = bear(kind, arguments, output)
            output.seek(0)
            said = output.read().decode("utf-8", "replace")
        print(json.dumps([code, said]), flush=True)


if __name__ == "__main__":
    main()
