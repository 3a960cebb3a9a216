"""Owns the command: ``python -m pretraining`` makes the built-in backbone from nothing."""

from __future__ import annotations

import argparse
import hashlib
import sys
from dataclasses import fields, replace
from pathlib import Path

import torch
from safetensors.torch import load_file

from patchcore.weight_files import file_sha256
from pretraining.evaluate import held_out_products
from pretraining.products import Pool, kept_pool
from pretraining.recipe import SMOKE, Recipe
from pretraining.training import Training


def _say(text: object) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m pretraining", description=__doc__)
    parser.add_argument(
        "--out", type=Path, default=Path("build/pretraining"), help="folder for log and weights"
    )
    parser.add_argument("--start", type=Path, default=None, help="weights to go on from, instead of none")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=None, help="CPU threads")
    parser.add_argument("--until", type=int, default=None, help="stop early at this step; run again to go on")
    parser.add_argument("--smoke", action="store_true", help="a few tiny steps, to see that all of it runs")
    for field in fields(Recipe):
        kind = {"int": int, "float": float}.get(str(field.type))
        if kind is not None:
            parser.add_argument(f"--{field.name.replace('_', '-')}", type=kind, default=None)
    return parser.parse_args(argv)


def recipe_from(arguments: argparse.Namespace) -> Recipe:
    """Apply the command line's numbers to the standard recipe."""
    base = SMOKE if arguments.smoke else Recipe()
    given = {field.name: getattr(arguments, field.name, None) for field in fields(Recipe)}
    given["start"] = file_sha256(arguments.start) if arguments.start else None
    return replace(base, **{name: value for name, value in given.items() if value is not None})


def _pool(recipe: Recipe, folder: Path, device: str) -> Pool:
    """Take the pool an earlier start of the same run rendered, or render it."""
    numbers = (recipe.seed, recipe.procedural, recipe.photographed, recipe.views, recipe.view_size)
    return kept_pool(
        *numbers, folder=folder, device=device, progress=lambda n, of: _say(f"rendered {n} of {of} products")
    )


def main(argv: list[str] | None = None) -> Path:
    """Render, train, judge; return the path of the weights."""
    arguments = _arguments(argv)
    recipe = recipe_from(arguments)
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    _say(f"recipe {recipe.to_dict()}")
    pool = _pool(recipe, arguments.out, arguments.device)
    held_out = held_out_products(64, 3, 3) if arguments.smoke else held_out_products()
    training = Training(recipe, pool, held_out, arguments.out, arguments.device)
    if arguments.start:
        training.start_from(load_file(arguments.start))
    if training.resume():
        _say(f"going on from step {training.step}")
    training.run(_say, arguments.until)
    weights = arguments.out / "builtin.safetensors"
    training.save_weights(weights)
    _say(f"{weights} sha256 {hashlib.sha256(weights.read_bytes()).hexdigest()}")
    return weights


if __name__ == "__main__":
    main()
