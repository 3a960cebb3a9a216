"""Small made-up parts for the tests: grey plates with noise, some with a scratch; and people who work on them."""

import io

import numpy as np
import PIL.Image

from workbench.inspections.batches import create_batch, score_batch
from workbench.inspectors.building import BuildSettings, build
from workbench.inspectors.versions import get_version, keep_removal, without_good
from workbench.people.roles import Person, Role
from workbench.tuning.evidence import evidence_from, known_images

SIDE = 64
SMALL = {"image_size": 64, "coreset": 0.5}
OF_METHOD = {
    "padim": {"method": "padim", "dims_used": 20},
    "spade": {"method": "spade", "nearest_images": 3},
}
"""Settings of the methods besides PatchCore."""
ADA, BEN = Person("Ada", Role.ENGINEER, "ada@example.com"), Person("Ben", Role.ENGINEER, "ben@example.com")
OLA, VIC = Person("Ola", Role.OPERATE, "ola@example.com"), Person("Vic", Role.VIEW, "vic@example.com")
NOBODY = Person("Nemo", Role.NOBODY, "nemo@example.com")


def plate(seed, *, scratched=False, side=SIDE):
    """PNG bytes of a plate, unlike any other seed's."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(100, 130, (side, side, 3), np.uint8)
    pixels[side // 4 : -side // 4, side // 4 : -side // 4] += 60
    if scratched:
        pixels[side // 2 - 3 : side // 2 + 3, 8:-8] = (255, 40, 0)
    return picture(pixels)


def scratch_mask(side=SIDE):
    """PNG bytes of where the scratch of a plate is."""
    marked = np.zeros((side, side), np.uint8)
    marked[side // 2 - 3 : side // 2 + 3, 8:-8] = 255
    return picture(marked)


def picture(pixels):
    """PNG bytes of an array."""
    buffer = io.BytesIO()
    PIL.Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def store_plates(workspace, count, *, first=0, scratched=False, truth=None):
    kind = "scratch" if scratched else "good"
    return [
        workspace.store_image(plate(seed, scratched=scratched), f"{kind}/{seed:03d}.png", truth=truth)
        for seed in range(first, first + count)
    ]


def remove_good(workspace, version, sha256s, progress=None, seen=None):
    """Take good images out of a version's bank, without looking at what becomes of known defects."""
    return keep_removal(workspace, without_good(workspace, version, sha256s, progress), seen=seen)


def build_small(workspace, count=6, inspector_id="plate-1", **settings):
    """Build an inspector on a few plates and return its version."""
    images = store_plates(workspace, count)
    version = build(
        workspace, BuildSettings(**{"name": "Plate", **SMALL, **settings}), images, inspector_id=inspector_id
    )
    return get_version(workspace, version.id)


def evidence(workspace, version, batch_id, good, *, min_area=1):
    """What a threshold of a version can be set from; `good` is as for `evidence_from`."""
    return evidence_from(known_images(workspace, version, batch_id), good, min_area=min_area)


def build_each_method(workspace):
    """Build an inspector of each method, called like it, and a labelled set of each; all score both sets."""
    versions = [build_small(workspace, inspector_id="patchcore", name="Plate by patchcore")]
    for name, own in OF_METHOD.items():
        settings = {"name": f"Plate by {name}", "coreset": BuildSettings.coreset, **own}
        versions.append(build_small(workspace, inspector_id=name, **settings))
    images = store_plates(workspace, 3, first=50, truth="good")
    images += store_plates(workspace, 3, first=60, scratched=True, truth="scratch")
    for name in OF_METHOD:
        batch = create_batch(workspace, name, images, "Monday")
        for version in versions:
            assert all(result.error is None for result in score_batch(workspace, batch, version))
