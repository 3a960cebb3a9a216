"""The other implementations, each in a separate process that does one request at a time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

SETTLE = 0.3  # seconds after which a peer's threads sleep, so that the next work has the machine
HERE = Path(__file__).resolve().parent


class Peer:
    """A process that reads one request a line and answers each with a line.

    Parameters
    ----------
    script
        In this folder.
    python
        The Python that runs it.
    path
        A folder put in front of its import path.
    """

    def __init__(self, script: str, python: str = sys.executable, path: Path | None = None) -> None:
        environment = dict(os.environ, PYTHONPATH=str(path or ""), PYTHONSAFEPATH="1")
        self._process = subprocess.Popen(
            [python, str(HERE / script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            env=environment,
        )

    def ask(self, **request: Any) -> dict[str, Any]:
        """Send a request and wait for the answer."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._process.args!r} ended; run it by hand to see why.")
        time.sleep(SETTLE)
        return dict(json.loads(line))

    def close(self) -> None:
        """Let it end."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(timeout=60)


def reference(checkout: Path | None) -> Peer | None:
    """Start the authors' implementation from a checkout; None without a checkout."""
    return None if checkout is None else Peer("peer_reference.py", path=checkout / "src")


def anomalib(python: str | None) -> Peer | None:
    """Start anomalib in the environment of a Python; None without one."""
    return None if python is None else Peer("peer_anomalib.py", python)
