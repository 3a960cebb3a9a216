import json
import os
import subprocess
import sys

import pytest

from patchcore.kernels import native_threads

TOLD = """
import json, os, sys
import patchcore
print(json.dumps(["torch" not in sys.modules, os.environ.get("GOMP_SPINCOUNT")]))
"""


def told(**environment):
    plain = {name: value for name, value in os.environ.items() if name != "GOMP_SPINCOUNT"}
    done = subprocess.run(
        [sys.executable, "-c", TOLD],
        env=plain | environment,
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
    return json.loads(done.stdout)


def test_short_waits_are_set_before_torch_is_loaded():
    assert told() == [True, str(native_threads.SPINS)]


def test_settings_of_the_environment_stay():
    assert told(GOMP_SPINCOUNT="77") == [True, "77"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other C libraries are not asked")
def test_freed_memory_is_kept_unless_the_environment_decides(monkeypatch):
    asked = []
    monkeypatch.setattr(native_threads, "keep_freed_memory", lambda: asked.append(1))
    monkeypatch.delenv("MALLOC_TRIM_THRESHOLD_", raising=False)
    monkeypatch.delenv("MALLOC_MMAP_THRESHOLD_", raising=False)
    native_threads.prepare()
    assert asked == [1]
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "1")
    native_threads.prepare()
    assert asked == [1]


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(native_threads.ctypes, "CDLL", lambda name: object())
    assert not native_threads.keep_freed_memory()
