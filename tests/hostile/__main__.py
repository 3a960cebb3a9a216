"""python -m tests.hostile [WORDS]: hand in every hostile file, each to a process of its own, and print what came of it.

A line for each file: its name and bytes, the seconds of its process and of the child that decodes, the peak memory of
the larger one, and the sentence that users read. The command fails when one file takes over 10 seconds of processor
time or 2 GB, ends its process, or raises anything but a sentence. WORDS choose the files whose names hold them.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from patchcore.errors import PatchCoreError
from patchcore.images.decoding.pool import POOL
from tests.hostile.corpus import AMONG_OTHERS, READERS, SEEDS, Hostile, corpus
from tests.hostile.files import seeds

MOST_SECONDS, MOST_MEGABYTES = 10, 2048
LAST_RESORT = 4 * MOST_SECONDS, 4 * MOST_MEGABYTES  # at which the system ends a process
ONE = "--one"


def peak_megabytes() -> int:
    """Return the largest memory of this process so far."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) // 1024
    return 0


def used_seconds() -> float:
    """Return the processor time of this process and of the children that decoded for it."""
    POOL.close()
    return sum(os.times()[:4])


def read_one(reader: str, file: Path) -> dict[str, object]:
    """Read one file within the limits of this process."""
    seconds, megabytes = LAST_RESORT
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
    spool = file.parent / "spool"
    spool.mkdir()
    began = used_seconds()
    try:
        said, caught = READERS[reader](file, spool), True
    except PatchCoreError as error:
        said, caught = str(error), True
    except BaseException as error:
        said, caught = f"{type(error).__name__}: {error}", False
    return {
        "said": said,
        "caught": caught,
        "seconds": used_seconds() - began,
        "megabytes": max(peak_megabytes(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024),
    }


def run(hostile: Hostile, folder: Path) -> tuple[int, dict[str, object]]:
    """Make a file, and have a process of its own read it: (bytes, what came of it)."""
    file = folder / hostile.file
    file.write_bytes(hostile.make())
    if hostile.length:
        os.truncate(file, hostile.length)
    command = [sys.executable, "-m", "tests.hostile", ONE, hostile.reader, str(file)]
    own = {SEEDS: str(seeds().folder)} if hostile.reader in AMONG_OTHERS else {}
    done = subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", check=False, env={**os.environ, **own}
    )
    try:
        return file.stat().st_size, json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        said = f"ended with {done.returncode}: {done.stderr[-200:]}"
        return file.stat().st_size, {"said": said, "caught": False, "seconds": 0.0, "megabytes": 0}


def main(words: list[str]) -> int:
    """Run the corpus; 1 when a file did harm."""
    harm, chosen = 0, {name: one for name, one in corpus().items() if all(word in name for word in words)}
    print(f"{'':2}{'file':62}{'bytes':>12}{'s':>7}{'MB':>7}  said")
    for name, hostile in chosen.items():
        with tempfile.TemporaryDirectory() as folder:
            size, found = run(hostile, Path(folder))
        is_bad = not found["caught"] or found["seconds"] > MOST_SECONDS or found["megabytes"] > MOST_MEGABYTES
        harm += is_bad
        said = " ".join(str(found["said"]).split())
        mark = "! " if is_bad else "  "
        print(
            f"{mark}{name:62}{size:12,}{found['seconds']:7.2f}{found['megabytes']:7,}  {said[:160]}",
            flush=True,
        )
    print(f"{len(chosen)} files, {harm} did harm.")
    return int(harm > 0)


if __name__ == "__main__":
    if sys.argv[1:2] == [ONE]:
        print(json.dumps(read_one(sys.argv[2], Path(sys.argv[3]))))
    else:
        sys.exit(main(sys.argv[1:]))
