"""A rule of a further developer: one file in a package of its own, and one line that registers it."""

import sys

import pytest

from patchcore.thresholds.rules import RULES

FILE = '''
"""Reject what lies so many standard deviations above the mean of the good images."""

import numpy as np

from patchcore.thresholds.declaration import GOOD, Parameter, Rule
from patchcore.thresholds.from_good import GoodThreshold


def sigmas(scores, count):
    value = float(np.mean(scores) + count * np.std(scores))
    above = int(np.count_nonzero(np.asarray(scores) > value))
    return GoodThreshold(value, 0, f"Lies {count:g} sigma above the mean.", None, 0.0, len(scores), above)


SIGMAS = Rule(
    "sigmas",
    "Some standard deviations above the mean",
    sigmas,
    needs=GOOD,
    good_only=True,
    parameters={
        "count": Parameter(3.0, "Standard deviations", "Above the mean.", least=1, most=9, step=0.5, digits=1)
    },
    choice="Mean and spread of the good scores",
    report="Reject {count} standard deviations above the mean",
    brief="{count} sigma above the mean",
)
'''


@pytest.fixture
def sigmas(tmp_path, monkeypatch):
    """The rule, registered for one test."""
    package = tmp_path / "packages" / "toy_rules"
    package.mkdir(parents=True)
    (package / "sigmas.py").write_text(FILE, encoding="utf-8")
    monkeypatch.syspath_prepend(package.parent)
    from toy_rules.sigmas import SIGMAS

    monkeypatch.setitem(RULES, SIGMAS.name, SIGMAS)  # the one line
    yield SIGMAS
    for module in ("toy_rules.sigmas", "toy_rules"):
        sys.modules.pop(module, None)
