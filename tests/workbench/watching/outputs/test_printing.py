"""Verdicts are printed at once, a line each."""

import os
import sys

import pytest

from patchcore.errors import PatchCoreError
from tests.workbench.watching.watched import arrived
from workbench.watching.outputs.lines import as_line
from workbench.watching.outputs.printing import Printer


def test_closed_standard_output_raises_a_sentence(tmp_path, monkeypatch):
    read, write = os.pipe()
    os.close(read)
    pipe = os.fdopen(write, "w", encoding="utf-8")
    monkeypatch.setattr(sys, "stdout", pipe)
    with pytest.raises(PatchCoreError, match="Nobody reads the results any more"):
        Printer(as_line).deliver(arrived(tmp_path, "a.png"), again=False)
    with pytest.raises(BrokenPipeError):
        pipe.close()
