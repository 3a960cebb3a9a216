"""Engines that run a backbone: torch, or OpenVINO if installed, which is faster on Intel and AMD processors."""

import warnings
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from patchcore.errors import SettingsError

NAMES = ("torch", "openvino")
MISSING = (
    "engine='openvino' was asked for, but OpenVINO is not installed. Install it with "
    "'python -m pip install openvino', or use engine='torch'."
)


Features = Callable[[Tensor], Tensor]


class Engine(Protocol):
    """Runs the computation of features: RGB images [N, 3, S, S] -> [N, rows, cols, dims]."""

    def __call__(self, features: Features, kind: int | None, images: Tensor) -> Tensor:
        """Compute the features of a batch.

        Parameters
        ----------
        features
            The steps, in torch.
        kind
            Equal for equal steps, so that an engine prepares them only once.
        images
            [N, 3, S, S] float32 RGB in 0..1.
        """


def make_engine(name: str, device: torch.device) -> Engine | None:
    """Make the engine of one backbone; None for torch itself.

    Parameters
    ----------
    name
        'torch' or 'openvino'.
    device
        The device to run on.

    Raises
    ------
    SettingsError
        If the name is unknown, or the engine is not installed or does not run on the device.
    """
    if name not in NAMES:
        raise SettingsError(f"There is no engine '{name}'. Known: {', '.join(NAMES)}.")
    if name == "torch":
        return None
    if device.type != "cpu":
        raise SettingsError(
            "engine='openvino' runs on the processor only; use device='cpu', or engine='torch'."
        )
    return OpenVino()


class OpenVino:
    """Compiles the steps to machine code, in single precision, once for each size of input."""

    def __init__(self) -> None:
        try:
            import openvino
        except ImportError as error:
            raise SettingsError(MISSING) from error
        self._openvino, self._core = openvino, openvino.Core()
        self._compiled: dict[tuple[int | None, tuple[int, ...]], Any] = {}

    def __call__(self, features: Features, kind: int | None, images: Tensor) -> Tensor:
        """Compute the features of a batch; the first of its size takes seconds."""
        array = np.ascontiguousarray(images.numpy(), np.float32)
        if (kind, array.shape) not in self._compiled:
            self._compiled[kind, array.shape] = self._compile(features, images)
        request = self._compiled[kind, array.shape].create_infer_request()
        return torch.from_numpy(request.infer([array], share_inputs=True)[0])

    def _compile(self, features: Features, images: Tensor) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's and OpenVINO's warnings about each other
            model = self._openvino.convert_model(
                _Recorded(features).eval(),
                example_input=images.contiguous(),
                input=[tuple(images.shape)],
            )
        # 16-bit arithmetic, which some processors would choose by themselves, changes distances by a percent
        how = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
        how["INFERENCE_NUM_THREADS"] = str(torch.get_num_threads())
        return self._core.compile_model(model, "CPU", how)


class _Recorded(nn.Module):
    """Steps as a module, which OpenVINO can trace."""

    def __init__(self, features: Features) -> None:
        super().__init__()
        self.features = features

    def forward(self, images: Tensor) -> Tensor:
        return self.features(images)
