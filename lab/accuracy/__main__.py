"""Accuracy on every set in MVTec layout below a folder: `python -m lab.accuracy --root FOLDER`.

    python -m lab.accuracy --root SETS --seeds 3                    the default network and settings
    python -m lab.accuracy --root SETS --image-size 320             a variant beside it
    python -m lab.accuracy --root SETS --method padim               another method, for each network and size
    python -m lab.accuracy --root SETS --backbone wide_resnet50_2   another network, whose weights are on this machine

The command builds on train/good by the product's own `fit` and measures test/ and ground_truth/ by its own `evaluate`.
Each finished row is appended to a CSV at once and not measured again, so the command can be stopped and repeated.
Features are stored for each network, size and set: other seeds and shares cost minutes. At the end the command prints
the tables of all rows of the CSV.
"""

import argparse
import sys
from pathlib import Path

from lab.accuracy import rows, tables
from lab.accuracy.measuring import measure
from lab.machine import machine
from patchcore.backbones import DEFAULT
from patchcore.methods import DEFAULT_METHOD, METHODS


def find_sets(root: Path) -> dict[str, Path]:
    """Find the sets below a folder, by their paths within it."""
    found = (good.parent.parent for good in sorted(root.rglob("train/good")) if good.is_dir())
    return {folder.relative_to(root).as_posix() if folder != root else root.name: folder for folder in found}


def main(argv: list[str] | None = None) -> int:
    """Measure the rows that the CSV lacks, then print its tables."""
    options = _options(argv)
    sets = find_sets(options.root)
    if not sets:
        sys.stderr.write(f"{options.root} holds no set: train/good is missing below it.\n")
        return 1
    variants = [
        rows.Variant(backbone, size, options.geometry, options.coreset, tuple(options.layers or ()), method)
        for method in options.method or [DEFAULT_METHOD]
        for backbone in options.backbone or [DEFAULT]
        for size in options.image_size or [224]
    ]
    done = {row.key for row in rows.read(options.out)}
    for variant in variants:
        for name, folder in sets.items():
            for seed in range(options.seeds):
                if (variant, name, seed) in done:
                    continue
                row = measure(variant, folder, name, seed, options.features)
                rows.append(options.out, row)
                print(f"{variant}, {name}, seed {seed}: image AUROC {row.image_auroc:.3f}", flush=True)
    print(f"\n{machine()}\n\n{tables.text(rows.read(options.out))}")
    return 0


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m lab.accuracy",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--root", type=Path, required=True, help="folder of the sets")
    parser.add_argument("--backbone", action="append", help=f"registered name, may be repeated; {DEFAULT}")
    parser.add_argument(
        "--method", action="append", choices=METHODS, help=f"may be repeated; {DEFAULT_METHOD}"
    )
    parser.add_argument("--image-size", type=int, action="append", help="px, may be repeated; 224")
    parser.add_argument("--geometry", choices=("fit", "stretch", "crop"), default="fit")
    parser.add_argument("--coreset", type=float, default=0.10, help="share of the patches kept")
    parser.add_argument("--layers", nargs="+", help="the network's layers; its own by default")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("build/accuracy.csv"), help="CSV of finished rows")
    parser.add_argument(
        "--features", type=Path, default=Path("build/features"), help="folder of stored features"
    )
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
