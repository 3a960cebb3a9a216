"""Owns the command: ``python -m pretraining`` makes the built-in backbone from nothing.

Four stages: the network, the gains of its parts and the filters, the map, network and map together. Run again, it goes
on from the last checkpoint.
"""

from __future__ import annotations

import argparse
from dataclasses import fields, replace
from pathlib import Path

import torch
from safetensors.torch import load_file

from patchcore.weight_files import file_sha256
from pretraining import context, textured, whole
from pretraining.context import ContextRecipe
from pretraining.evaluate import held_out_products
from pretraining.products import Pool
from pretraining.recipe import SMOKE, Recipe
from pretraining.runs import pool_of, say
from pretraining.training import Training
from pretraining.whole import WholeRecipe

GAINS_FROM = {False: (40, 224), True: (3, 64)}  # products and their size in px; of a smoke run


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m pretraining", description=__doc__)
    parser.add_argument(
        "--out", type=Path, default=Path("build/pretraining"), help="folder for log and weights"
    )
    parser.add_argument("--start", type=Path, default=None, help="weights to go on from, instead of none")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=None, help="CPU threads")
    parser.add_argument("--until", type=int, default=None, help="stop early at this step; run again to go on")
    parser.add_argument("--map-steps", type=int, default=None, help="steps of the map's training")
    parser.add_argument("--whole-steps", type=int, default=None, help="steps of the last training")
    parser.add_argument(
        "--workers", type=int, default=1, help="processes that render and draw; they change no number"
    )
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


def _network(arguments: argparse.Namespace, recipe: Recipe, pool: Pool) -> Path | None:
    """Train the network; None if the run was to stop before its end."""
    held_out = held_out_products(64, 3, 3) if arguments.smoke else held_out_products()
    there = Pool(pool.pictures.to(arguments.device), pool.aligned)
    training = Training(recipe, there, held_out, arguments.out, arguments.device)
    if arguments.start:
        training.start_from(load_file(arguments.start))
    if training.resume():
        say(f"network: going on from step {training.step}")
    training.run(say, arguments.until)
    weights: Path = arguments.out / "network.safetensors"
    training.save_weights(weights)
    return weights if training.step == recipe.steps else None


def _map_recipe(arguments: argparse.Namespace, recipe: Recipe) -> ContextRecipe:
    """Return the map's numbers, upon the same products as the network's."""
    base = context.SMOKE if arguments.smoke else ContextRecipe()
    base = replace(
        base,
        **{
            name: getattr(recipe, name)
            for name in ("seed", "procedural", "photographed", "views", "view_size")
        },
    )
    return replace(base, steps=arguments.map_steps) if arguments.map_steps else base


def _whole_recipe(arguments: argparse.Namespace, recipe: Recipe) -> WholeRecipe:
    """Return the last stage's numbers, upon products of its own."""
    base = whole.SMOKE if arguments.smoke else WholeRecipe()
    base = replace(base, seed=recipe.seed + 1)
    return replace(base, steps=arguments.whole_steps) if arguments.whole_steps else base


def main(argv: list[str] | None = None) -> Path | None:
    """Render, train, judge; return the path of the weights, None if the run was to stop before."""
    arguments = _arguments(argv)
    recipe = recipe_from(arguments)
    if arguments.smoke and not arguments.threads:
        arguments.threads = 1  # on several PyTorch 2.11 crashes in the gradient of so narrow a network
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    say(f"recipe {recipe.to_dict()}")
    pool = pool_of(recipe, arguments.out, arguments.workers)
    weights = _network(arguments, recipe, pool)
    if weights is None:
        return None
    filtered = textured.make(weights, *GAINS_FROM[arguments.smoke], arguments.out / "textured.safetensors")
    mapped = context.make(
        filtered, arguments.out / "map", _map_recipe(arguments, recipe), pool, arguments.workers
    )
    del pool  # the last stage's takes four times as much memory
    return whole.make(
        mapped,
        arguments.out / "whole",
        _whole_recipe(arguments, recipe),
        arguments.device,
        arguments.workers,
    )


if __name__ == "__main__":
    main()
