"""The process that reads: it takes numbers of inputs from its standard input, and answers in lines of JSON."""

import json
import os
import resource
import sys
import tempfile
import traceback
from pathlib import Path
from random import Random

from lab import ROOT
from lab.fuzzing.kinds import KINDS, Kind
from lab.fuzzing.seeds import Seeds
from patchcore.errors import PatchCoreError

MOST_ADDRESSES = 12 << 30  # bytes of memory that a process may ask for at all


def read(kind: Kind, data: bytes, folder: Path, seeds: Seeds) -> tuple[str, str]:
    """Hand an input in: (refused, accepted or crash; words)."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        path, spool = Path(place, kind.file), Path(place, "spool")
        path.write_bytes(data)
        spool.mkdir()
        try:
            return "accepted", kind.read(path, spool, seeds)
        except PatchCoreError as error:
            return "refused", str(error)
        except BaseException as error:
            return "crash", signature(error)


def signature(error: BaseException) -> str:
    """Return the kind of an error and the place in the project where it arose."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [
        frame
        for frame in frames
        if Path(frame.filename).is_relative_to(ROOT) and "/lab/" not in frame.filename
    ]
    at = (own or frames)[-1]
    where = f"{Path(at.filename).name}, {at.name}"
    return f"{type(error).__name__} in {where}: {' '.join(str(error).split())[:300]}"


def memory(name: str) -> int:
    """Return a figure of this process's memory, in megabytes: VmRSS or VmHWM."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) // 1024
    return 0


def main(seed: str, folder: Path) -> None:
    """Answer until the standard input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_ADDRESSES, MOST_ADDRESSES))
    seeds = Seeds(folder / "seeds")
    for line in sys.stdin:
        name, number = line.split()
        data = KINDS[name].make(Random(f"{seed}/{name}/{number}"), seeds)
        (folder / "input").write_bytes(data)
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # the peak is counted from here
        before = memory("VmRSS")
        print(json.dumps({"bytes": len(data)}), file=answers, flush=True)
        outcome, said = read(KINDS[name], data, folder, seeds)
        found = {
            "outcome": outcome,
            "said": said,
            "megabytes": memory("VmHWM") - before,
            "held": memory("VmRSS"),
        }
        print(json.dumps(found), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
