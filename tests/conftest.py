"""What all tests share: how many threads a process of theirs takes, and what Streamlit looks up once."""

import functools
import os

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
