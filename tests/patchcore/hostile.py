"""Files that pretend to be inspectors: each made from a sound one, with what the refusal must say."""

import json
import os
import pickle
import struct
import zipfile

import numpy as np
from safetensors.numpy import save_file

from patchcore import artifact

ABOVE = "../../evil"


def rewritten(path, change):
    """Write a file anew, all its hashes right, after `change(tensors, header)`."""
    tensors, header = artifact.read(path)
    tensors = {name: array.copy() for name, array in tensors.items()}
    change(tensors, header)
    artifact.write(path, tensors, {k: v for k, v in header.items() if k not in ("format", "version")})


def relisted(path, change):
    """Write a file anew after `change(listed)` of the list of parts at its head; the bytes of the parts stay."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    listed = json.loads(data[8 : 8 + length])
    text = change(listed) or json.dumps(listed)
    path.write_bytes(struct.pack("<Q", len(text)) + text.encode() + data[8 + length :])


def header_of(path, text):
    """Put another text where the inspector's own header is."""

    def change(listed):
        listed["__metadata__"]["patchcore"] = text

    relisted(path, change)


def cut_off(path):
    path.write_bytes(path.read_bytes()[:-1000])


def cut_off_in_the_header(path):
    path.write_bytes(path.read_bytes()[:300])


def bytes_appended(path):
    path.write_bytes(path.read_bytes() + b"and more")


def one_bit_turned(path):
    data = bytearray(path.read_bytes())
    data[-2000] ^= 1
    path.write_bytes(data)


def wrong_hashes(path):
    tensors, header = artifact.read(path)
    header["sha256"]["bank.features"] = "0" * 64
    save_file(tensors, path, metadata={"patchcore": json.dumps(header)})


def hashes_that_are_a_number(path):
    tensors, header = artifact.read(path)
    save_file(tensors, path, metadata={"patchcore": json.dumps({**header, "sha256": 5})})


def pickle_renamed(path):
    path.write_bytes(pickle.dumps({"bank": [1, 2, 3]}))


def old_pickle_renamed(path):
    path.write_bytes(pickle.dumps({"bank": [1, 2, 3]}, protocol=0))


def zip_renamed(path):
    path.unlink()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"x")


def text_renamed(path):
    path.write_text("This is not the file that you are looking for. " * 20)


def nothing_in_it(path):
    path.write_bytes(b"")


def a_link(path):
    path.rename(path.with_name("real"))
    path.symlink_to(path.with_name("real"))


def a_folder(path):
    path.unlink()
    path.mkdir()


def a_pipe(path):
    path.unlink()
    os.mkfifo(path)


def huge_declared_shape(path):
    def change(listed):
        listed["bank.features"]["shape"] = [10**9, 10**4]

    relisted(path, change)


def huge_declared_header(path):
    path.write_bytes(struct.pack("<Q", 1 << 60) + path.read_bytes()[8:])


def header_without_end(path):
    """Seventy megabytes that are said to be a header; most of them take no place on the disk."""
    path.write_bytes(struct.pack("<Q", 69 << 20) + b"{")
    os.truncate(path, 70 << 20)


def negative_shape(path):
    def change(listed):
        listed["bank.features"]["shape"] = [-s for s in listed["bank.features"]["shape"]]

    relisted(path, change)


def endless_empty_shape(path):
    def change(tensors, header):
        tensors["bank.features"] = np.empty((10**12, 0), np.float32)

    rewritten(path, change)


def overlapping_parts(path):
    def change(listed):
        listed["bank.positions"]["data_offsets"] = listed["bank.images"]["data_offsets"]

    relisted(path, change)


def name_twice(path):
    def change(listed):
        text = json.dumps(listed)
        entry = f'"bank.images": {json.dumps(listed["bank.images"])}'
        return text.replace(entry, f"{entry}, {entry}")

    relisted(path, change)


def deep_json(path):
    header_of(path, "[" * 200_000)


def deep_list_of_parts(path):
    text = b'{"a":' * 100_000
    path.write_bytes(struct.pack("<Q", len(text)) + text)


def header_of_a_later_version(path):
    _, header = artifact.read(path)
    header_of(path, json.dumps({**header, "version": 99}))


def nan_in_the_bank(path):
    rewritten(path, lambda tensors, header: tensors["bank.features"].__setitem__((3, 2), np.nan))


def infinity_in_the_bank(path):
    rewritten(path, lambda tensors, header: tensors["bank.features"].__setitem__((0, 0), np.inf))


def other_numbers(path):
    def change(tensors, header):
        tensors["bank.features"] = tensors["bank.features"].astype(np.float64)

    rewritten(path, change)


def negative_image_number(path):
    rewritten(path, lambda tensors, header: tensors["bank.images"].__setitem__(0, -1))


def position_beyond_the_map(path):
    rewritten(path, lambda tensors, header: tensors["bank.positions"].__setitem__(0, 10**6))


def map_of_another_size(path):
    rewritten(path, lambda tensors, header: header.update(grid=[4, 4]))


def map_beyond_all_measure(path):
    rewritten(path, lambda tensors, header: header.update(grid=[10**9, 10**9]))


def good_scores_that_end_beyond(path):
    rewritten(path, lambda tensors, header: tensors["good_scores.offsets"].__setitem__(1, 10**9))


def patches_without_end(path):
    rewritten(path, lambda tensors, header: header.update(total_patches=1e400))


def path_as_an_image(path):
    rewritten(path, lambda tensors, header: header["images"][0].update(name=f"{ABOVE}.png"))


def path_as_its_name(path):
    rewritten(path, lambda tensors, header: header.update(about={"name": ABOVE}))


def absolute_path_as_its_product(path):
    rewritten(path, lambda tensors, header: header.update(about={"product": "/etc/passwd"}))


def endless_name(path):
    rewritten(path, lambda tensors, header: header.update(about={"name": "a" * 100_000}))


def control_signs_in_its_name(path):
    rewritten(path, lambda tensors, header: header.update(about={"name": "a\x1b[2Jb"}))


def picture_beyond_all_measure(path):
    def change(tensors, header):
        tensors["about.picture"] = np.zeros((4000, 4000, 3), np.uint8)

    rewritten(path, change)


def unknown_part(path):
    rewritten(path, lambda tensors, header: tensors.update({"../x": np.zeros(3, np.uint8)}))


def part_that_is_missing(path):
    rewritten(path, lambda tensors, header: tensors.pop("good_scores.values"))


def threshold_that_is_no_number(path):
    rewritten(path, lambda tensors, header: header["operating_point"].update(reject=float("nan")))


def threshold_of_another_bank(path):
    rewritten(path, lambda tensors, header: header["operating_point"].update(bank_id="0123456789abcdef"))


def rule_that_nobody_knows(path):
    rewritten(path, lambda tensors, header: header["operating_point"]["rule"].update(name="__import__"))


def backbone_that_nobody_knows(path):
    rewritten(path, lambda tensors, header: header["settings"].update(backbone="os.system"))


def layer_that_is_none(path):
    rewritten(path, lambda tensors, header: header["settings"].update(layers=["__class__"]))


def size_beyond_all_measure(path):
    rewritten(path, lambda tensors, header: header["settings"].update(image_size=10**6))


def weights_that_are_not_here(path):
    rewritten(path, lambda tensors, header: header.update(weights_sha256="ab" * 32))


def bank_under_a_false_number(path):
    rewritten(path, lambda tensors, header: header.update(bank_id="0123456789abcdef", operating_point=None))


def self_test_that_fails(path):
    def change(tensors, header):
        tensors["self_test.distances"] *= np.float32(1.01)

    rewritten(path, change)


HOSTILE = {
    cut_off: "not what the file holds|takes? .* bytes",
    cut_off_in_the_header: "cut off",
    bytes_appended: "the file has",
    one_bit_turned: "does not have the hash",
    wrong_hashes: "'bank.features' does not have the hash",
    hashes_that_are_a_number: "not those listed",
    pickle_renamed: "pickle, which is never opened",
    old_pickle_renamed: "not an inspector",
    zip_renamed: "a zip archive",
    text_renamed: "not an inspector",
    nothing_in_it: "is empty",
    a_link: "is a link",
    a_folder: "is no file",
    a_pipe: "is no file",
    huge_declared_shape: "declared as 1000000000 x 10000 numbers",
    huge_declared_header: "shorter than it says",
    header_without_end: "a header of 72 MB; no inspector needs one",
    negative_shape: "the size of bank.features is none",
    endless_empty_shape: "a feature has a length",
    overlapping_parts: "not what the file holds",
    name_twice: "a name occurs twice",
    deep_json: "recursion",
    deep_list_of_parts: "recursion",
    header_of_a_later_version: "format version 99",
    nan_in_the_bank: "every feature is a finite number",
    infinity_in_the_bank: "every feature is a finite number",
    other_numbers: "bank.features must be F32",
    negative_image_number: "every row's image is listed",
    position_beyond_the_map: "every row's position is on the map",
    map_of_another_size: "no image has more patches|every row's position|a distance for each patch",
    map_beyond_all_measure: "the map's size is no whole number",
    good_scores_that_end_beyond: "the good scores follow each other",
    patches_without_end: "the number of patches is no whole number",
    path_as_an_image: "the name of an image is '../../evil.png', a path that leads out",
    path_as_its_name: "its name is '../../evil', a path",
    absolute_path_as_its_product: "its product is '/etc/passwd', a path",
    endless_name: "its name has 100,000 characters",
    control_signs_in_its_name: "characters that cannot be shown",
    picture_beyond_all_measure: "its picture must be",
    unknown_part: "a part '../x' that none has",
    part_that_is_missing: "has no good_scores.values",
    threshold_that_is_no_number: "the threshold reject is no number",
    threshold_of_another_bank: "its thresholds were set for another bank",
    rule_that_nobody_knows: "by a rule that this program does not know",
    backbone_that_nobody_knows: "There is no backbone",
    layer_that_is_none: "has no layer __class__",
    size_beyond_all_measure: "image_size is no whole number",
    weights_that_are_not_here: "not the expected file",
    bank_under_a_false_number: "not the one that its images and settings make",
    self_test_that_fails: "does not compute what the builder's did",
}
