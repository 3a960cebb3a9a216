"""Commands run by hand: they measure the figures of README and docs and take their pictures. Nothing imports them."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
