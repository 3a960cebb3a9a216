"""Valid files that are changed: pictures as cameras and programs write them, an inspector of each method, a backup.

An inspector and a backup take seconds to make; `Seeds.of` makes them once in a folder that every process reads.
"""

import io
import json
import os
import shutil
from contextlib import closing
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from tests.hostile import pictures as hostile

INSPECTOR, SIDE = "plate-1", 64
EXIF = b"Exif\0\0MM\0*\0\0\0\x08\0\0"


@dataclass(frozen=True)
class Seeds:
    """The folder of the files that take long to make."""

    folder: Path

    @classmethod
    def of(cls, folder: Path) -> "Seeds":
        """Make them: a workspace with a scored batch, its inspector of each method, and its backup."""
        from workbench.inspections.batches import create_batch, score_batch
        from workbench.inspectors.building import BuildSettings, build
        from workbench.inspectors.versions import get_version
        from workbench.storage.workspace import Workspace
        from workbench.upkeep.backups.writing import back_up

        methods = {
            INSPECTOR: BuildSettings("Plate", image_size=SIDE, coreset=0.5),
            "padim-1": BuildSettings("Plate", image_size=SIDE, method="padim", dims_used=20),
            "spade-1": BuildSettings("Plate", image_size=SIDE, method="spade", nearest_images=3),
        }
        with closing(Workspace(folder / "workspace")) as workspace:
            images = [workspace.store_image(plate(number), f"good/{number}.png") for number in range(7)]
            for name, settings in methods.items():
                made = build(workspace, settings, images[:4], inspector_id=name)
                if name == INSPECTOR:
                    batch = create_batch(workspace, INSPECTOR, images[4:], "Monday")
                    list(score_batch(workspace, batch, get_version(workspace, made.id)))
                    back_up(workspace, folder / "backup.zip")
        (folder / "inspectors").mkdir()
        for number, path in enumerate(sorted((folder / "workspace").rglob("*.patchcore"))):
            shutil.copyfile(path, folder / "inspectors" / f"{number}.patchcore")
        return cls(folder)

    @cached_property
    def inspectors(self) -> list[bytes]:
        """An inspector of each method, as files."""
        return [path.read_bytes() for path in sorted((self.folder / "inspectors").iterdir())]

    @property
    def backup(self) -> Path:
        """A whole backup."""
        return self.folder / "backup.zip"

    def workspace(self) -> Path:
        """Return a workspace with an inspector and a scored batch, of this process alone."""
        own = self.folder / f"workspace-{os.getpid()}"
        if not own.exists():
            shutil.copytree(self.folder / "workspace", own)
        return own


def plate(number: int) -> bytes:
    """Return a grey plate as PNG, unlike any other number's."""
    pixels = np.random.default_rng(number).integers(100, 130, (SIDE, SIDE, 3), np.uint8)
    pixels[SIDE // 4 : -SIDE // 4, SIDE // 4 : -SIDE // 4] += 60
    return _saved(Image.fromarray(pixels), "PNG")


@cache
def picture_seeds() -> dict[str, list[bytes]]:
    """Return small valid pictures by their kind, and those of the hostile corpus that are small."""
    side = np.arange(24 * 24 * 3, dtype=np.uint8).reshape(24, 24, 3)
    picture = Image.fromarray(side)
    found = {
        "png": [*_pngs(picture), _saved(picture, "PNG", save_all=True, append_images=[picture.rotate(90)])],
        "jpeg": _jpegs(picture),
        "webp": [
            _saved(picture, "WEBP"),
            _saved(picture, "WEBP", lossless=True),
            _saved(picture.convert("RGBA"), "WEBP", quality=30),
            _saved(picture, "WEBP", save_all=True, append_images=[picture.rotate(90)], exif=EXIF),
        ],
        "bmp": [_saved(picture.convert(mode), "BMP") for mode in ("1", "L", "P", "RGB", "RGBA")]
        + [hostile.bmp(24, 24, bits=8, compression=1, rows=b"\x18\x07\0\0" * 24 + b"\0\1")]
        + [hostile.bmp(24, 24, bits=4, compression=2, rows=b"\x18\x07\0\0" * 24 + b"\0\1")],
        "tiff": _tiffs(side),
        "pnm": [
            _saved(picture, "PPM"), _saved(picture.convert("L"), "PPM"), _saved(picture.convert("1"), "PPM"),
            b"P2\n# a\n3 2\n1000\n0 500 1000\n1 2 3\n", b"P3 1 1 255 1 2 3 ", b"P1\n4 2\n0101\n1 0 1 0\n",
            b"P5 2 2 65535\n" + bytes(range(8)),
        ],
    }  # fmt: skip
    for name, make in hostile.PICTURES.items():
        if len(data := make()) < 100_000:
            found[name.partition(",")[0]].append(data)
    return found


@cache
def stored_maps() -> list[bytes]:
    """Return stored maps: as large as their image, and smaller."""
    from workbench.storage.map_files import write_map

    found = []
    for side in (24, 700):
        buffer = io.BytesIO()
        write_map(buffer, np.linspace(0, 3, side * side, dtype=np.float32).reshape(side, side))
        found.append(buffer.getvalue())
    return found


def _saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    return hostile.saved(picture, kind, **options)


def _pngs(picture: Image.Image) -> list[bytes]:
    import imagecodecs

    deep = np.asarray(picture).astype(np.uint16) * 257
    plain = [_saved(picture.convert(mode), "PNG") for mode in ("1", "L", "LA", "P", "RGB", "RGBA")]
    return [
        *plain,
        _saved(picture.quantize(16), "PNG", transparency=3, bits=4),
        _saved(picture, "PNG", icc_profile=_profile(), dpi=(72, 72)),
        bytes(imagecodecs.png_encode(deep)),
        bytes(imagecodecs.png_encode(deep[..., 0].copy())),
    ]


def _profile() -> bytes:
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


def _jpegs(picture: Image.Image) -> list[bytes]:
    exif = Image.Exif()
    exif[0x0112] = 5
    return [
        _saved(picture, "JPEG"),
        _saved(picture, "JPEG", progressive=True, subsampling=0),
        _saved(picture.convert("L"), "JPEG", exif=exif, icc_profile=_profile()),
        _saved(picture.convert("CMYK"), "JPEG"),
        _saved(picture, "JPEG", restart_marker_blocks=1, optimize=True),
        _saved(picture, "MPO", save_all=True, append_images=[picture.rotate(90)]),
    ]


def _tiffs(side: NDArray[np.uint8]) -> list[bytes]:
    deep, half = side.astype(np.uint16) * 257, side.astype(np.float32) / 255
    made = [
        _tiff(side, photometric="rgb", compression=kind)
        for kind in (None, "lzw", "deflate", "jpeg", "packbits", "zstd")
    ]
    made += [
        _tiff(deep[..., 0], photometric="minisblack", compression="deflate", predictor=True),
        _tiff(half, photometric="rgb", compression="deflate", predictor=3),
        _tiff(np.moveaxis(side, -1, 0).copy(), photometric="rgb", planarconfig="separate"),
        _tiff(side, photometric="rgb", tile=(16, 16), compression="deflate"),
        _tiff(side[..., 0], photometric="palette", colormap=np.arange(768, dtype=np.uint16).reshape(3, 256)),
        _tiff(side, photometric="rgb", bigtiff=True),
        _tiff(side, photometric="rgb", byteorder=">", rowsperstrip=5),
        _tiff(np.dstack([side, side[..., :1]]), photometric="rgb", extrasamples=["unassalpha"]),
    ]
    pages = io.BytesIO()
    with tifffile.TiffWriter(pages) as file:
        for page, kind in ((side[::4, ::4], 1), (side, 0)):
            file.write(page, photometric="rgb", metadata=None, subfiletype=kind)
    made.append(pages.getvalue())
    grey = Image.fromarray(side[..., 0]).convert("1")
    return made + [_saved(grey, "TIFF", compression=kind) for kind in ("group3", "group4", "tiff_ccitt")]


def _tiff(pixels: NDArray[Any], *, bigtiff: bool = False, byteorder: Any = "<", **options: Any) -> bytes:
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer, bigtiff=bigtiff, byteorder=byteorder) as file:
        file.write(pixels, metadata=None, **options)
    return buffer.getvalue()


ANNOTATIONS: dict[str, bytes] = {
    "labelme.json": json.dumps(
        {
            "imagePath": "a.png", "imageHeight": 24, "imageWidth": 24, "version": "5.4.1", "flags": {},
            "shapes": [
                {"shape_type": "polygon", "label": "dent", "points": [[1, 1], [9, 2], [5, 9]], "group_id": None},
                {"shape_type": "circle", "label": "dent", "points": [[8, 8], [11, 8]]},
                {"shape_type": "rectangle", "label": "good", "points": [[8, 8], [11, 9]]},
                {"shape_type": "linestrip", "label": "dent", "points": [[8, 8], [11, 9]]},
                {"shape_type": "points", "label": "dent", "points": [[8, 8], [11, 9]]},
            ],
        }
    ).encode(),
    "mask.json": hostile.labelme(hostile.saved(Image.new("1", (4, 4), 1), "PNG")),
    "coco.json": json.dumps(
        {
            "images": [{"id": 1, "file_name": "a.png", "height": 24, "width": 24}],
            "categories": [{"id": 1, "name": "dent"}],
            "annotations": [
                {"image_id": 1, "category_id": 1, "segmentation": [[1, 1, 9, 2, 5, 9]], "bbox": [1, 1, 8, 8]},
                {"image_id": 1, "category_id": 1, "segmentation": {"counts": [4, 572], "size": [24, 24]}},
                {"image_id": 1, "category_id": 1, "segmentation": {"counts": "5Ra0", "size": [24, 24]}},
                {"image_id": 1, "category_id": 1, "bbox": [1, 1, 8, 8]},
            ],
        }
    ).encode(),
    "cvat.xml": (
        b'<?xml version="1.0" encoding="utf-8"?><annotations><version>1.1</version>'
        b'<image id="0" name="a.png" width="24" height="24">'
        b'<polygon label="dent" points="1.00,1.00;9.00,2.00;5.00,9.00" z_order="0"></polygon>'
        b'<box label="dent" xtl="1.0" ytl="1.0" xbr="8.0" ybr="8.0" rotation="30"></box>'
        b'<ellipse label="dent" cx="8" cy="8" rx="3" ry="2"></ellipse>'
        b'<mask label="dent" rle="4, 12" left="2" top="2" width="4" height="4"></mask>'
        b'<polyline label="dent" points="1.0,1.0;9.0,2.0"></polyline><tag label="good"></tag>'
        b"</image></annotations>"
    ),
}  # fmt: skip
"""Annotation files of every kind that is read, with every kind of mark."""
