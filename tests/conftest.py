"""What all tests share: threads of a process of theirs, what Streamlit looks up once, and their main module."""

import functools
import os
import sys

import pytest

# Before torch is imported anywhere, and for every process a test starts: images of 64 px gain nothing by more threads,
# which would only wait for each other, and the last bit of a feature depends on their number.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session", autouse=True)
def packages_read_once():
    """Have Streamlit look for components in the installed packages once, and not for every app that a test opens."""
    from streamlit.components.v2 import manifest_scanner

    with pytest.MonkeyPatch.context() as patch:
        found = functools.cache(manifest_scanner.scan_component_manifests)
        patch.setattr(manifest_scanner, "scan_component_manifests", found)
        yield


@pytest.fixture(autouse=True)
def main_module():
    """Put the main module back: `AppTest` leaves its script in its place, and a process started later would run it."""
    before = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = before
