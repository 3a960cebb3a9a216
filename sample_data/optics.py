"""Owns the camera: linear light in, the 8-bit photograph out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from sample_data.fields import Field

SUPERSAMPLING = 2  # scenes are rendered at this multiple of the photograph's side


@dataclass(frozen=True)
class Camera:
    """One exposure: everything that differs between photographs without touching the object."""

    exposure: float
    defocus: float  # px of the photograph, radius of the blur disc
    vignette: float  # light lost in the corners, share
    balance: tuple[float, float, float]  # white balance gains
    electrons: float  # full well: fewer means more shot noise
    read_noise: float  # share of full scale
    noise_seed: int

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Camera:
        """Draw a camera of a fixed station: nearly, never quite, the same."""
        return cls(
            exposure=float(np.exp(rng.normal(0, 0.03))),
            defocus=float(rng.uniform(0.35, 0.95)),
            vignette=float(rng.uniform(0.14, 0.22)),
            balance=(float(1 + rng.normal(0, 0.008)), 1.0, float(1 + rng.normal(0, 0.010))),
            electrons=float(rng.uniform(9000, 14000)),
            read_noise=0.0022,
            noise_seed=int(rng.integers(2**31)),
        )


def photograph(light: Field, camera: Camera, *, noise: bool = True) -> Field:
    """Expose a scene.

    Parameters
    ----------
    light : float32 [S, S, 3]
        Linear radiance, supersampled; 1.0 saturates at unit exposure.
    camera : Camera
        The exposure.
    noise : bool
        Without noise two scenes can be compared pixel by pixel, which is how masks are made.

    Returns
    -------
    float32 [S / 2, S / 2, 3]
        Display values in 0..1.
    """
    focused = _defocus(light, camera.defocus * SUPERSAMPLING)
    small = focused.reshape(
        light.shape[0] // SUPERSAMPLING, SUPERSAMPLING, light.shape[1] // SUPERSAMPLING, SUPERSAMPLING, 3
    ).mean(axis=(1, 3))
    exposed = (
        small * (camera.exposure * np.asarray(camera.balance, np.float32)) * _vignette(small.shape, camera)
    )
    glow = ndimage.gaussian_filter(np.maximum(exposed - 0.7, 0), (6, 6, 0))
    exposed = exposed + 0.12 * glow
    if noise:
        exposed = _sensor(exposed, camera)
    return _develop(exposed)


def to_bytes(display: Field) -> NDArray[np.uint8]:
    """Round display values in 0..1 to 8 bits."""
    return np.clip(np.rint(display * 255), 0, 255).astype(np.uint8)


def _defocus(light: Field, radius: float) -> Field:
    reach = int(np.ceil(radius)) + 1
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disc = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1).astype(np.float32)
    disc /= disc.sum()
    blurred = [ndimage.convolve(light[..., channel], disc, mode="nearest") for channel in range(3)]
    return ndimage.gaussian_filter(np.stack(blurred, axis=-1), (0.7, 0.7, 0))


def _vignette(shape: tuple[int, ...], camera: Camera) -> Field:
    y, x = np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
    return (1 - camera.vignette * ((x**2 + y**2) / 2) ** 1.3)[..., None].astype(np.float32)


def _sensor(exposed: Field, camera: Camera) -> Field:
    rng = np.random.default_rng(camera.noise_seed)
    sigma = np.sqrt(np.maximum(exposed, 0) / camera.electrons + camera.read_noise**2)
    grain = rng.standard_normal(exposed.shape).astype(np.float32)
    # Demosaicing spreads a site's noise over its neighbours, colours more than brightness.
    grain = 1.5 * ndimage.gaussian_filter(grain, (0.55, 0.55, 0))
    return exposed + sigma * grain


def _develop(exposed: Field) -> Field:
    """Roll highlights off, apply the sRGB curve, sharpen a little as every camera does."""
    x = np.maximum(exposed, 0)
    rolled = np.where(x < 0.6, x, 0.6 + 0.4 * (1 - np.exp(-(x - 0.6) / 0.4)))
    display = np.where(
        rolled < 0.0031308, 12.92 * rolled, 1.055 * np.maximum(rolled, 1e-6) ** (1 / 2.4) - 0.055
    )
    sharpened = display + 0.35 * (display - ndimage.gaussian_filter(display, (1.0, 1.0, 0)))
    return np.clip(sharpened, 0, 1).astype(np.float32)
