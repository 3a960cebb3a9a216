"""What every benchmark prints first: the machine it ran on."""

from __future__ import annotations

import platform
from pathlib import Path

import psutil
import torch


def machine() -> str:
    """Processor, cores in use, memory, and the versions that matter."""
    gpu = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "no GPU"
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{_processor()}, {torch.get_num_threads()} threads, {memory:.0f} GiB, {gpu}; "
        f"Python {platform.python_version()}, torch {torch.__version__}"
    )


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
