import io
import json
import tracemalloc
from hashlib import sha256

import numpy as np
import pytest
import tifffile
from PIL import Image

from patchcore.disk import work_notes
from patchcore.disk.work_notes import STOPPED, TRIES
from patchcore.errors import Cancelled
from patchcore.images.geometry import thumbnail
from patchcore.images.raw_image import Limits
from tests.workbench.parts import VIC
from workbench.people.roles import NotAllowed, acting
from workbench.storage.timestamps import now
from workbench.storage.workspace import Workspace
from workbench.uploads import preflight as checks
from workbench.uploads.image_set import Upload, UploadSet
from workbench.uploads.intake import from_folder
from workbench.uploads.preflight import preflight, try_stopped_again

RNG = np.random.default_rng(4)


def png(shape=(40, 50, 3), seed=None):
    rng = RNG if seed is None else np.random.default_rng(seed)
    buffer = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def tiff(array):
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, array, photometric="minisblack", metadata=None)
    return buffer.getvalue()


def looked_at(*contents, **options):
    uploads = [Upload(f"{i:02d}.png", content) for i, content in enumerate(contents)]
    return preflight(uploads, **options)


def warned(found, *words):
    return any(all(word in sentence for word in words) for sentence in found.warnings)


def test_a_sound_set_has_nothing_to_say():
    found = looked_at(*(png() for _ in range(20)))
    assert found.warnings == []
    assert found.broken == found.left_out == found.duplicates == []
    assert found.sizes == [((50, 40), 20)]
    assert (found.bit_depths, found.formats, found.colours) == ({8: 20}, {"PNG": 20}, {"colour": 20})
    first = found.usable[0]
    assert (first.name, len(first.sha256), first.record.colourful) == ("00.png", 64, True)
    assert (first.thumbnail.shape, first.thumbnail.dtype) == ((40, 50, 3), np.uint8)


def test_thumbnails_are_at_most_96_px():
    assert looked_at(png((400, 200, 3))).usable[0].thumbnail.shape == (96, 48, 3)


@pytest.mark.parametrize(
    ("count", "start"), [(0, "No images yet"), (1, "Only 1 image"), (7, "Only 7 images")]
)
def test_too_few_images_are_warned_of(count, start):
    assert looked_at(*(png() for _ in range(count))).warnings[0].startswith(start)


def test_a_set_without_usable_images_is_warned_of():
    found = looked_at(b"text, not a picture")
    assert found.usable == []
    assert found.warnings == [
        "None of these files can be used; see the reason beside each. Nothing can be built."
    ]


def test_each_broken_file_has_its_name_and_reason_and_the_rest_proceeds():
    jpeg = io.BytesIO()
    Image.fromarray(RNG.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(jpeg, "JPEG")
    hole = np.full((8, 8), np.nan, np.float32)
    bad = {
        "text.png": (b"just text", "text, not an image"),
        "cut.jpg": (jpeg.getvalue()[:1500], "breaks off after 1,500 bytes"),
        "zero.png": (b"", "empty (0 bytes)"),
        "nan.tif": (tiff(hole), "64 of its values are NaN"),
        "big.png": (png((200, 200, 3)), "the limit is"),
        "depth.tif": (tiff(hole.copy() * 0 + 1), "NaN"),
    }
    uploads = [Upload(name, data) for name, (data, _) in bad.items()] + [Upload("ok.png", png())]
    found = preflight(uploads, limits=Limits(max_pixels=5000))
    assert [image.name for image in found.usable] == ["ok.png"]
    assert {fault.name for fault in found.broken} == set(bad)
    for fault in found.broken:
        assert bad[fault.name][1] in fault.reason
    assert warned(found, "6 images cannot be used", "text.png", "5 more are listed")


def test_exact_copies_are_grouped_and_counted_once():
    one, two = png(), png()
    found = looked_at(one, two, one, one, two, png())
    assert found.duplicates == [["00.png", "02.png", "03.png"], ["01.png", "04.png"]]
    assert [image.name for image in found.distinct] == ["00.png", "01.png", "05.png"]
    assert warned(found, "3 images are exact copies", "02.png of 00.png")
    assert warned(found, "Only 3 images")


def test_exact_copies_in_other_files_are_grouped_by_their_pixels():
    pixels = np.random.default_rng(0).integers(0, 256, (40, 40), np.uint8)
    grey, colour = Image.fromarray(pixels), Image.fromarray(np.dstack([pixels] * 3))
    opaque = Image.fromarray(np.dstack([pixels] * 3 + [np.full_like(pixels, 255)]))
    deep = Image.fromarray(pixels.astype(np.uint16) * 257)
    files = []
    for image, kind in ((grey, "PNG"), (colour, "BMP"), (opaque, "PNG"), (deep, "TIFF"), (colour, "TIFF")):
        buffer = io.BytesIO()
        image.save(buffer, kind)
        files.append(buffer.getvalue())
    found = looked_at(*files, png())
    assert found.duplicates == [[f"{number:02d}.png" for number in range(5)]]
    assert [image.name for image in found.distinct] == ["00.png", "05.png"]
    assert warned(found, "4 images are exact copies", "01.png of 00.png")


def test_mixed_sizes_are_named_mildly_or_not():
    mild = looked_at(png((289, 240, 3)), png((300, 250, 3)), png((289, 240, 3)))
    assert mild.sizes == [((240, 289), 2), ((250, 300), 1)]
    assert warned(mild, "2 shapes, 240 × 289 to 250 × 300 px", "one scale")
    wild = looked_at(png((289, 240, 3)), png((900, 900, 3)), png((40, 400, 3)))
    assert warned(wild, "3 shapes", "wildly different")


def test_tiny_images_are_named():
    assert warned(looked_at(png((3, 1, 3)), png()), "1 image has a side below 32 px", "00.png, 1 × 3 px")


def test_grey_and_colour_mixed():
    grey_in_colour = np.repeat(RNG.integers(0, 256, (40, 50, 1), dtype=np.uint8), 3, axis=2)
    buffer = io.BytesIO()
    Image.fromarray(grey_in_colour).save(buffer, "PNG")
    assert warned(looked_at(png((40, 50)), png(), png()), "2 in colour", "such as 00.png")
    assert not warned(looked_at(png((40, 50)), buffer.getvalue()), "Grey and colour")
    assert looked_at(png((40, 50)), buffer.getvalue()).colours == {"grey": 1, "colour": 1}


def test_16_bit_containers_with_fewer_bits_and_mixed_depths():
    deep = RNG.integers(0, 4001, (40, 50), dtype=np.uint16)
    deep[0, 0] = 4000
    found = looked_at(tiff(deep), png((40, 50)))
    assert warned(found, "Bit depths are mixed: 1 of 8 bits, 1 of 16 bits")
    assert warned(found, "no value lies above 4,000, as in 12-bit data", "0 to 4095")
    assert not warned(looked_at(tiff(deep), value_range=(0, 4095)), "12-bit")
    full = RNG.integers(0, 65536, (40, 50), dtype=np.uint16)
    assert not warned(looked_at(tiff(deep), tiff(full)), "12-bit")


def test_float_images_wait_for_a_value_range():
    data = tiff(np.linspace(-5, 80, 2000, dtype=np.float32).reshape(40, 50))
    found = looked_at(data)
    assert "run from -5 to 80" in found.broken[0].reason
    assert warned(found, "1 image waits for a value range")
    assert len(looked_at(data, value_range=(-5.0, 80.0)).usable) == 1


def test_left_out_files_are_carried_along():
    uploads = UploadSet()
    uploads.add("a.png", png())
    uploads.leave_out("notes.txt", "not an image.")
    found = preflight(uploads)
    assert [left.name for left in found.left_out] == ["notes.txt"]
    assert len(found.usable) == 1


def test_progress_and_cancelling():
    seen = []
    looked_at(png(), b"", png(), progress=lambda *step: seen.append(step))
    assert seen == [("checking images", done, 3) for done in range(4)]
    with pytest.raises(Cancelled):
        looked_at(png(), png(), cancelled=lambda: len(seen) > 0)


def test_memory_stays_with_the_thumbnails(tmp_path):
    for i in range(30):
        (tmp_path / f"{i}.png").write_bytes(png((300, 300, 3)))
    tracemalloc.start()
    found = preflight(from_folder(tmp_path))
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found.usable) == 30
    assert kept < 30 * 20_000
    assert peak < 10 * 300 * 300 * 3 * 4  # a few images as float, not thirty


def test_a_thousand_files_of_which_most_are_empty(tmp_path):
    for i in range(1000):
        (tmp_path / f"{i:04d}.png").write_bytes(b"" if i % 10 else png((8, 8, 3)))
    found = preflight(from_folder(tmp_path))
    assert (len(found.usable), len(found.broken)) == (100, 900)


def photograph(seed, kind="PNG", **options):
    """One picture of a made-up part in a file format."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(40, 200, (9, 12, 3), dtype=np.uint8))
    buffer = io.BytesIO()
    coarse.resize((120, 90), Image.Resampling.BICUBIC).save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(("kind", "options"), [("JPEG", {"quality": 75}), ("WEBP", {"quality": 80})])
def test_one_picture_in_two_formats_is_named(kind, options):
    uploads = [Upload(f"{seed}.png", photograph(seed)) for seed in range(4)]
    found = preflight([*uploads, Upload("again.jpg", photograph(2, kind, **options))])
    assert found.in_two_formats == [("2.png", "again.jpg")] and not found.duplicates
    assert warned(
        found, "1 image shows the same picture as another in another format (such as again.jpg and 2.png)"
    )
    assert preflight(uploads).in_two_formats == []


@pytest.mark.parametrize("level", [0, 255])
def test_a_black_or_white_frame_among_photographs_is_named(level):
    frame = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 4, (90, 120, 3))
    Image.fromarray(np.abs(level - noise).astype(np.uint8)).save(frame, "PNG")
    photographs = [photograph(seed) for seed in range(4)]
    found = looked_at(*photographs, frame.getvalue())
    assert [image.name for image in found.plain] == ["04.png"]
    assert warned(found, "1 image shows nothing, like a black frame (such as 04.png). Leave it out")
    assert looked_at(*photographs).plain == []


def test_file_that_stopped_the_program_is_left_out_until_a_person_allows_another_try(tmp_path, monkeypatch):
    workspace = Workspace(tmp_path / "here")
    data, folder = png(seed=1), workspace.notes.folder
    record = {"name": "a.png", "deaths": TRIES, "at": f"{now().isoformat()}", "host": "x", "pid": 1}
    folder.mkdir()
    (folder / f"{sha256(data).hexdigest()}-read.json").write_text(json.dumps(record), encoding="utf-8")
    monkeypatch.setattr(work_notes, "_of_process", workspace.notes)
    found = looked_at(data, png(seed=2))
    assert len(found.usable) == 1 and found.broken[0].reason.startswith(STOPPED)
    with acting(VIC), pytest.raises(NotAllowed, match="tried again"):
        try_stopped_again(workspace)
    try_stopped_again(workspace)
    assert len(looked_at(data, png(seed=2)).usable) == 2
    workspace.close()


def test_fault_of_the_program_on_one_file_stops_no_other(monkeypatch):
    def stumble(pixels, side):
        if pixels.shape[0] == 30:
            raise RuntimeError("the program stumbles")
        return thumbnail(pixels, side)

    monkeypatch.setattr(checks, "thumbnail", stumble)
    found = looked_at(png((30, 30, 3), seed=1), png(seed=2))
    assert len(found.usable) == 1 and "RuntimeError: the program stumbles" in found.broken[0].reason
