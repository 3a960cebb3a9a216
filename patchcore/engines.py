"""What runs a backbone: torch, or OpenVINO where it is installed, which is faster on Intel and AMD processors."""

from __future__ import annotations

import warnings
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


class Engine(Protocol):
    """Runs a network: normalised images [N, 3, S, S] -> {layer: [N, C, H, W]}."""

    def __call__(self, images: Tensor) -> dict[str, Tensor]:
        """Compute the maps of a batch."""


def make_engine(
    name: str, network: nn.Module, layers: tuple[str, ...], device: torch.device
) -> Engine | None:
    """Make a network ready to run; None where torch runs it as it is.

    Parameters
    ----------
    name
        'torch' or 'openvino'.
    network
        In evaluation mode, its weights loaded.
    layers
        The maps wanted.
    device
        Where it is to run.

    Raises
    ------
    SettingsError
        If there is no engine of that name, it is not installed, or it does not run on the device.
    """
    if name not in NAMES:
        raise SettingsError(f"There is no engine '{name}'. Known: {', '.join(NAMES)}.")
    if name == "torch":
        return None
    if device.type != "cpu":
        raise SettingsError(
            "engine='openvino' runs on the processor only; use device='cpu', or engine='torch'."
        )
    return OpenVino(network, layers)


class OpenVino:
    """A network compiled by OpenVINO, in single precision; one compilation for each size of input.

    Parameters
    ----------
    network
        In evaluation mode.
    layers
        The maps wanted.
    """

    def __init__(self, network: nn.Module, layers: tuple[str, ...]) -> None:
        try:
            import openvino
        except ImportError as error:
            raise SettingsError(MISSING) from error
        self._openvino, self._core = openvino, openvino.Core()
        self._network, self._layers = _Ordered(network, layers).eval(), layers
        self._compiled: dict[tuple[int, ...], Any] = {}

    def __call__(self, images: Tensor) -> dict[str, Tensor]:
        """Compute the maps of a batch."""
        array = np.ascontiguousarray(images.numpy(), np.float32)
        if array.shape not in self._compiled:
            self._compiled[array.shape] = self._compile(images)
        request = self._compiled[array.shape].create_infer_request()
        found = request.infer([array], share_inputs=True)
        return {layer: torch.from_numpy(found[i]) for i, layer in enumerate(self._layers)}

    def _compile(self, images: Tensor) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch and OpenVINO about each other
            model = self._openvino.convert_model(
                self._network, example_input=images.contiguous(), input=[tuple(images.shape)]
            )
        # 16-bit arithmetic, which some processors would choose by themselves, changes distances by a percent
        how = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
        how["INFERENCE_NUM_THREADS"] = str(torch.get_num_threads())
        return self._core.compile_model(model, "CPU", how)


class _Ordered(nn.Module):
    """The network with its maps in a tuple, which can be traced."""

    def __init__(self, network: nn.Module, layers: tuple[str, ...]) -> None:
        super().__init__()
        self.network, self.layers = network, layers

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        found = self.network(x)
        return tuple(found[layer] for layer in self.layers)
