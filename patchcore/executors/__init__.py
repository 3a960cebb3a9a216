"""Executors run the numbered parts of a build. Without one a build runs in its own process, image by image."""

from patchcore.executors.choice import HERE, chosen_executor
from patchcore.executors.contract import Executor, Listen, Report, Run
from patchcore.executors.processes import Processes

__all__ = ["HERE", "Executor", "Listen", "Processes", "Report", "Run", "chosen_executor"]
