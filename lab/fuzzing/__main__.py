"""python -m lab.fuzzing [--minutes M] [KIND...]: hand changed files in, each bounded in time and memory, and count.

A table says for each kind how many inputs were refused in a sentence, accepted, ended in an error that is none of
`patchcore/errors.py` (crashes), took over ten seconds of processor time (hangs) or over two gigabytes (large). Such
inputs are written to a folder. Input number n of a kind follows from `--seed` alone. The command fails when one did
harm. `--again FILE` hands one of these files in once more and says what comes of it.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from lab.fuzzing.kinds import KINDS
from lab.fuzzing.seeds import Seeds
from lab.fuzzing.supervision import Outcome, Reader
from lab.machine import machine

HARM = ("crash", "hang", "large")
TURN = 10.0  # seconds of one kind, before the next one has its turn
KEPT = 5  # inputs of one fault that are written to the folder


@dataclass
class Count:
    """What came of the inputs of a kind."""

    inputs: int = 0
    bytes: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    megabytes: int = 0
    slowest: float = 0.0
    spent: float = 0.0

    def add(self, found: Outcome) -> int:
        """Count an outcome; return how often its fault has come."""
        self.inputs += 1
        self.outcomes[found.outcome] += 1
        self.megabytes = max(self.megabytes, found.megabytes)
        self.slowest = max(self.slowest, found.seconds)
        if found.outcome in HARM:
            fault = f"{found.outcome}: {found.said.partition(': ')[0]}"
            self.faults[fault] += 1
            return self.faults[fault]
        return 0


def fuzz(names: list[str], minutes: float, seed: int, into: Path, console: Console) -> dict[str, Count]:
    """Hand inputs of these kinds in, in turns, for so long."""
    counts = {name: Count() for name in names}
    with tempfile.TemporaryDirectory(prefix="fuzzing-", ignore_cleanup_errors=True) as place:
        folder = Path(place)
        (folder / "seeds").mkdir()
        Seeds.of(folder / "seeds")
        reader, until = Reader(seed, folder), time.monotonic() + 60 * minutes
        try:
            while time.monotonic() < until:
                name = min(names, key=lambda one: counts[one].spent)
                turn = time.monotonic()
                while time.monotonic() < min(turn + TURN, until):
                    _one(name, counts[name], reader, into, console)
                counts[name].spent += time.monotonic() - turn
        except KeyboardInterrupt:
            pass
        finally:
            reader.stop()
    return counts


def _one(name: str, count: Count, reader: Reader, into: Path, console: Console) -> None:
    number = count.inputs
    found = reader.read(name, number)
    times = count.add(found)
    if 0 < times <= KEPT:
        into.mkdir(parents=True, exist_ok=True)
        file = into / f"{name}-{number}-{found.outcome}"
        file.write_bytes(reader.input)
        console.print(f"{file.name}: {found.said}", highlight=False, markup=False)


def table(counts: dict[str, Count]) -> Table:
    """Return the table, a row for each kind."""
    made = Table("kind", "inputs", "refused", "accepted", "crashes", "hangs", "large", "slowest", "peak")
    for column in made.columns[1:]:
        column.justify = "right"
    for name, count in counts.items():
        of = count.outcomes
        numbers = [count.inputs, of["refused"], of["accepted"], of["crash"], of["hang"], of["large"]]
        made.add_row(
            name, *(f"{number:,}" for number in numbers), f"{count.slowest:.1f} s", f"{count.megabytes:,} MB"
        )
    return made


def again(path: Path) -> int:
    """Hand one file in once more, in this process; its kind is the first word of its name."""
    from lab.fuzzing.reader import read

    kind = KINDS[path.name.partition("-")[0]]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        (Path(place) / "seeds").mkdir()
        outcome, said = read(kind, path.read_bytes(), Path(place), Seeds.of(Path(place) / "seeds"))
    print(f"{outcome}: {said}")
    return int(outcome in HARM)


def main() -> int:
    """Fuzz, print, and return 1 where an input did harm."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "kinds", nargs="*", metavar="KIND", help=f"of {', '.join(KINDS)}; all, where none is named"
    )
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--into", type=Path, default=Path("fuzzing-findings"), help="folder of the inputs that did harm"
    )
    parser.add_argument("--again", type=Path, metavar="FILE")
    options = parser.parse_args()
    if unknown := set(options.kinds) - KINDS.keys():
        parser.error(f"no such kind: {', '.join(sorted(unknown))}")
    if options.again:
        return again(options.again)
    console, began = Console(), time.monotonic()
    counts = fuzz(options.kinds or list(KINDS), options.minutes, options.seed, options.into, console)
    console.print(machine(), highlight=False)
    console.print(table(counts))
    faults = {
        f"{name}, {fault}": times for name, one in counts.items() for fault, times in one.faults.items()
    }
    for fault, times in faults.items():
        console.print(f"{times:,} × {fault}", highlight=False, markup=False)
    harm = sum(one.outcomes[kind] for one in counts.values() for kind in HARM)
    inputs, minutes = sum(one.inputs for one in counts.values()), (time.monotonic() - began) / 60
    console.print(
        f"{inputs:,} inputs in {minutes:.0f} minutes (seed {options.seed}), {harm:,} did harm.",
        highlight=False,
    )
    return int(harm > 0)


if __name__ == "__main__":
    sys.exit(main())
