"""Owns the command ``python -m sample_data``: renders the sample products into folders laid out as MVTec AD."""

from __future__ import annotations

import argparse
import io
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from PIL import Image

from sample_data.products import PRODUCTS, Shot, plan, take


def encode(shot: Shot) -> tuple[bytes, bytes | None]:
    """Render one photograph as the bytes of its JPEG file and, for a defect, of its PNG mask."""
    pixels, mask = take(shot)
    photo = io.BytesIO()
    Image.fromarray(pixels).save(photo, "JPEG", quality=shot.product.quality, optimize=True)
    if mask is None:
        return photo.getvalue(), None
    stencil = io.BytesIO()
    Image.fromarray(mask.astype("uint8") * 255).save(stencil, "PNG", optimize=True)
    return photo.getvalue(), stencil.getvalue()


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def main(arguments: list[str] | None = None) -> None:
    """Render the requested photographs; progress goes to the error stream."""
    parser = argparse.ArgumentParser(prog="python -m sample_data", description="Render the sample products.")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder to write into")
    parser.add_argument(
        "--product", choices=sorted(PRODUCTS), action="append", help="only this one; repeatable"
    )
    parser.add_argument("--label", action="append", help="only good, or only this defect type; repeatable")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    options = parser.parse_args(arguments)
    shots = [shot for name in options.product or PRODUCTS for shot in plan(PRODUCTS[name])]
    shots = [shot for shot in shots if not options.label or shot.label in options.label]
    with ProcessPoolExecutor(options.jobs) as pool:
        rendered = pool.map(encode, shots)
        for done, (shot, (photo, mask)) in enumerate(zip(shots, rendered, strict=True), start=1):
            _write(options.out / shot.path, photo)
            if mask is not None:
                _write(options.out / shot.mask_path, mask)
            sys.stderr.write(f"\r{done} of {len(shots)} photographs")
    sys.stderr.write("\n")


if __name__ == "__main__":
    main()
