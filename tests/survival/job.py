"""The job's side: `python -m workbench run-job`, with a line in its log for each image whose features are on disk."""

from __future__ import annotations

import sys
from typing import Any

from patchcore.fitting.feature_store import FeatureStore
from tests.survival.setting import STORED
from workbench.__main__ import JOBS
from workbench.jobs.process import leave, main

append = FeatureStore.append


def append_and_tell(store: FeatureStore, sha256: str, *arguments: Any) -> None:
    append(store, sha256, *arguments)
    print(STORED, sha256, flush=True)


FeatureStore.append = append_and_tell  # type: ignore[method-assign, assignment]

if __name__ == "__main__":
    leave(main(sys.argv[1:], JOBS))
