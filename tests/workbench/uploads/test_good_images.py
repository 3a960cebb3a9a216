"""Good images among uploads to build from, chosen as the command line chooses them."""

import io
import zipfile

import pytest

from patchcore.errors import NoImagesError
from patchcore.labels.good_images import choose_good
from tests.patchcore.labels.layouts import ROOTS_OF_DEFECTS, TREES
from tests.workbench.parts import plate
from workbench.uploads.good_images import good_uploads
from workbench.uploads.intake import from_files, from_folder

PLATE = plate(1)


def zipped(names):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in names:
            archive.writestr(name, PLATE)
    return packed.getvalue()


@pytest.mark.parametrize(("folders", "taken"), TREES)
def test_every_way_takes_what_the_command_line_takes(tmp_path, folders, taken):
    names = [f"{folder}/0.png" for folder in folders]
    for name in names:
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / name).write_bytes(PLATE)
    dropped = [(f"set/{name}", PLATE) for name in names]
    ways = [
        (from_folder(tmp_path / "set"), "set"),
        (from_files([("set.zip", zipped(names))], tmp_path), "set.zip"),
        (from_files(dropped, tmp_path), "set"),
    ]
    for uploads, title in ways:
        kept, remarks = good_uploads(uploads, title)
        inside = [upload.name.removeprefix("set/") for upload in kept]
        expected = choose_good(sorted(names), "set")
        assert (
            set(inside) == set(expected.names) == {name for name in names if name.rpartition("/")[0] in taken}
        )
        assert len(kept.left_out) == len(names) - len(inside)
        assert all("lies in " in file.reason for file in kept.left_out)
        assert remarks[0].startswith("Taken as good: ")


@pytest.mark.parametrize(("root", "folders"), ROOTS_OF_DEFECTS)
def test_defects_alone_are_refused(tmp_path, root, folders):
    names = [f"{folder}/0.png".lstrip("/") for folder in folders]
    top = root or "lot"
    for uploads, title in (
        (from_files([(f"{top}.zip", zipped(names))], tmp_path), f"{top}.zip"),
        (from_files([(f"{top}/{name}", PLATE) for name in names], tmp_path), top),
    ):
        with pytest.raises(NoImagesError, match="defects or masks alone"):
            good_uploads(uploads, title)


@pytest.mark.parametrize("names", [("bad_01.png", "bad_02.png"), ("NG.png",), ("x.txt", "defect.png")])
def test_names_of_loose_files_say_nothing(tmp_path, names):
    uploads = from_files([(name, PLATE) for name in names], tmp_path)
    kept, remarks = good_uploads(uploads, names[0])
    assert [upload.name for upload in kept] == list(names) and remarks == []
