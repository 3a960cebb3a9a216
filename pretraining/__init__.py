"""How the built-in backbone was made: procedural scenes, objectives, training loop, evaluation."""
