"""Limits on sizes: on every number that a container declares, on what is unpacked, and on the memory that is free."""

import io
import subprocess
import sys
import time

import numpy as np
import pytest
import tifffile
from PIL import Image

from patchcore.errors import ImageError, ImageTooLarge
from patchcore.images.raw_image import Limits, by_rows, memory_for
from patchcore.images.reading import read_image, read_samples
from tests.hostile import pictures

READ_SMALL = {
    "png, second header behind the samples",
    "png, three headers",
    "jpeg, 2^31 further pictures",
    "jpeg, EXIF lists that name themselves",
}


@pytest.mark.parametrize("name", pictures.PICTURES)
def test_a_picture_that_declares_far_more_than_it_holds_is_refused_at_once(name):
    data = pictures.PICTURES[name]()
    began = time.process_time()
    if name in READ_SMALL:  # nothing but the size of the first header is unpacked
        assert read_image(data).pixels.shape == (16, 16, 3)
    else:
        with pytest.raises(ImageError) as refused:
            read_image(data, name="part")
        assert str(refused.value).startswith("part: ") and len(str(refused.value)) < 300
    assert time.process_time() - began < 1


@pytest.mark.parametrize("name", ["tiff, TileDepth 2^31", "png, second header 20,000 x 20,000"])
def test_masks_meet_the_same_limits(name):
    with pytest.raises(ImageError):
        read_samples(pictures.PICTURES[name]())


def test_a_png_with_two_equal_headers_is_read():
    assert read_image(pictures.png((16, 16), (16, 16))).record.width == 16


@pytest.mark.parametrize("tile", [(16, 16), (64, 48), (512, 512)])
def test_a_small_picture_in_large_tiles_is_read(tile):
    buffer, samples = io.BytesIO(), np.arange(300, dtype=np.uint8).reshape(15, 20)
    tifffile.imwrite(buffer, samples, tile=tile)
    assert (read_samples(buffer.getvalue()).samples == samples).all()


@pytest.mark.parametrize("options", [{"rowsperstrip": 5}, {"tile": (32, 48)}])
def test_jpegs_within_a_tiff_may_fill_whole_blocks(options):
    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer, np.full((40, 60, 3), 90, np.uint8), photometric="rgb", compression="jpeg", **options
    )
    assert read_image(buffer.getvalue()).pixels.shape == (40, 60, 3)


def test_a_moving_webp_with_whole_frames_is_read():
    frames = [Image.new("RGB", (40, 30), shade) for shade in ("red", "blue")]
    data = pictures.saved(frames[0], "WEBP", save_all=True, append_images=frames[1:])
    assert read_image(data).record.notes == ("Only the first of 2 frames in the file was read.",)


def test_deep_samples_are_refused_by_their_bytes_with_their_own_sentence():
    limits = Limits(max_pixels=1000, max_bytes=10_000)
    limits.check("part", 30, 30, 16)
    with pytest.raises(ImageTooLarge, match=r"of 17 bytes each unpack to 15,300 bytes; the limit is 15,000"):
        limits.check("part", 30, 30, 17)


@pytest.mark.parametrize(
    "fault",
    [
        MemoryError("no"),
        Image.DecompressionBombError("bomb"),
        OSError(12, "Cannot allocate memory"),
        OSError("out of memory error when reading image file"),
    ],
)
def test_a_lack_of_memory_is_an_image_that_is_too_large(fault):
    with (
        pytest.raises(ImageTooLarge, match="part: it is too large for the memory that is free"),
        memory_for("part"),
    ):
        raise fault


def test_other_faults_of_files_stay_what_they_are():
    with pytest.raises(FileNotFoundError), memory_for("part"):
        raise FileNotFoundError(2, "No such file")


SMALL_MEMORY = """
import resource, sys
from patchcore.errors import ImageTooLarge
from patchcore.images.reading import read_image
data = sys.stdin.buffer.read()
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (60 << 20),) * 2)
try:
    read_image(data, name="part")
except ImageTooLarge as refused:
    print(refused)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="a limit of memory for one process")
def test_a_picture_beyond_the_memory_of_its_process_is_refused_in_a_sentence():
    done = subprocess.run(
        [sys.executable, "-c", SMALL_MEMORY],
        input=pictures.largest_png(4_000, 4_000),
        capture_output=True,
        check=True,
    )
    assert done.stdout.decode().startswith(
        "part: it is too large for the memory that is free on this computer."
    )


@pytest.mark.parametrize("shape", [(1, 1), (7, 3_000_000), (300_000, 7), (1024, 1024, 3)])
def test_pieces_of_rows_cover_a_picture_once(shape):
    rows = [row for piece in by_rows(shape) for row in range(shape[0])[piece]]
    assert rows == list(range(shape[0]))
