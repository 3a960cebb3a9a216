"""What all tests share: how many threads a process of theirs takes."""

import os

# Before torch is imported anywhere, and for every process a test starts: images of 64 px gain nothing by more threads,
# which would only wait for each other, and the last bit of a feature depends on their number.
os.environ.setdefault("OMP_NUM_THREADS", "1")
