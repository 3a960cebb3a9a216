"""Commands run by hand that measure what README and docs say, and take their pictures. Nothing imports them."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
