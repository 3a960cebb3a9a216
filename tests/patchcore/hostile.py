"""Files that pretend to be inspectors: each made from a sound one, with what the refusal must say."""

import json
import os
import pickle
import struct
import zipfile

import numpy as np
from safetensors.numpy import save_file

from patchcore.files import container

ABOVE = "../../evil"


def rewritten(path, change):
    """Write a file anew, all its hashes right, after `change(tensors, header)`."""
    tensors, header = container.read(path)
    tensors = {name: array.copy() for name, array in tensors.items()}
    change(tensors, header)
    container.write(path, tensors, {k: v for k, v in header.items() if k not in ("format", "version")})


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


def stretch(path, places, size):
    """Declare parts of a file, by their places in it, as so many bytes together; the file is as long, and sparse."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    listed = json.loads(data[8 : 8 + length])
    parts = sorted(
        (one for one in listed if one != "__metadata__"), key=lambda one: listed[one]["data_offsets"]
    )
    chosen, end = [parts[place] for place in places], 0
    for name in parts:
        part = listed[name]
        first, last = part["data_offsets"]
        if name in chosen:
            row = (last - first) // part["shape"][0]
            part["shape"][0] = size // len(chosen) // row
            last = first + part["shape"][0] * row
        part["data_offsets"] = [end, end + last - first]
        end += last - first
    text = json.dumps(listed).encode()
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + end)


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
    tensors, header = container.read(path)
    header["sha256"]["bank.features"] = "0" * 64
    save_file(tensors, path, metadata={"patchcore": json.dumps(header)})


def hashes_that_are_a_number(path):
    tensors, header = container.read(path)
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
    path.write_text("This is not the file that you are looking for. " * 20, encoding="utf-8")


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
    _, header = container.read(path)
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


def with_point(path, **parts):
    rewritten(path, lambda tensors, header: header["operating_point"].update(parts))


def threshold_beyond_all_scores(path):
    with_point(path, accept=1e300, reject=1e300)


def threshold_just_beyond(path):
    with_point(path, reject=1e13)


def whole_threshold_beyond_all_numbers(path):
    with_point(path, reject=10**400)


def negative_threshold(path):
    with_point(path, accept=-1.0)


def negative_pixel_threshold(path):
    with_point(path, pixel=-1e-9)


def endless_pixel_threshold(path):
    with_point(path, pixel=float("inf"))


def threshold_that_is_true(path):
    with_point(path, accept=True, reject=True)


def threshold_that_is_a_text(path):
    with_point(path, reject="9")


def negative_scale(path):
    with_point(path, millimetres_per_pixel=-0.1)


def region_of_true_pixels(path):
    with_point(path, min_area=True)


def judged_by_nothing(path):
    with_point(path, judge_by=True)


def accept_above_reject(path):
    with_point(path, accept=3.0, reject=2.0)


def parameter_of_a_rule_beyond_all_scores(path):
    with_point(path, rule={"name": "by_hand", "parameters": {"value": 1e300}})


def negative_parameter_of_a_rule(path):
    with_point(path, rule={"name": "from_good", "parameters": {"budget": -1}})


def parameter_that_no_rule_has(path):
    with_point(path, rule={"name": "from_good", "parameters": {"__class__": 1}})


def evidence_of(score):
    return {"good": {"a" * 64: score}, "defect": {}, "map_peaks": {}}


def endless_evidence(path):
    with_point(path, evidence=evidence_of(float("inf")))


def negative_evidence(path):
    with_point(path, evidence=evidence_of(-1.0))


def evidence_that_is_true(path):
    with_point(path, evidence=evidence_of(True))


def version_that_is_true(path):
    _, header = container.read(path)
    header_of(path, json.dumps({**header, "version": True}))


def version_zero(path):
    _, header = container.read(path)
    header_of(path, json.dumps({**header, "version": 0}))


def rows_that_are_true(path):
    rewritten(path, lambda tensors, header: header.update(rows_in_use=True))


def taught_rows_that_are_false(path):
    rewritten(path, lambda tensors, header: header.update(taught_rows=False))


def map_that_is_true(path):
    rewritten(path, lambda tensors, header: header.update(grid=[True, True]))


def image_of_true_width(path):
    rewritten(path, lambda tensors, header: header["images"][0].update(width=True))


def seed_that_is_true(path):
    rewritten(path, lambda tensors, header: header["settings"].update(seed=True))


def share_that_is_true(path):
    rewritten(path, lambda tensors, header: header["settings"].update(coreset=True))


def layers_that_are_false(path):
    rewritten(path, lambda tensors, header: header["settings"].update(layers=False))


def endless_good_score(path):
    rewritten(path, lambda tensors, header: tensors["good_scores.values"].__setitem__(-1, np.inf))


def good_scores_without_end(path):
    rewritten(path, lambda tensors, header: tensors["good_scores.values"].fill(np.inf))


def good_score_beyond_all_scores(path):
    rewritten(path, lambda tensors, header: tensors["good_scores.values"].__setitem__(-1, 1e30))


def negative_good_score(path):
    rewritten(path, lambda tensors, header: tensors["good_scores.values"].__setitem__(-1, -1))


def feature_beyond_all_measure(path):
    rewritten(path, lambda tensors, header: tensors["bank.features"].__setitem__((0, 0), 1e30))


def endless_distance_of_the_self_test(path):
    rewritten(path, lambda tensors, header: tensors["self_test.distances"].__setitem__(0, np.inf))


def endless_cover_radius(path):
    rewritten(path, lambda tensors, header: tensors["good_scores.cover_radius"].__setitem__(0, np.inf))


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
    a_folder: "is not a file",
    a_pipe: "is not a file",
    huge_declared_shape: "declared as 1000000000 x 10000 numbers",
    huge_declared_header: "shorter than it says",
    header_without_end: "a header of 72 MB; no inspector needs one",
    negative_shape: "the size of bank.features is impossible",
    endless_empty_shape: "a feature has a length",
    overlapping_parts: "holds another number of them",
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
    map_beyond_all_measure: "the map's size is not a whole number",
    good_scores_that_end_beyond: "the good scores follow each other",
    patches_without_end: "the number of patches is not a whole number",
    path_as_an_image: "the name of an image is '../../evil.png', a path that leads out",
    path_as_its_name: "its name is '../../evil', a path",
    absolute_path_as_its_product: "its product is '/etc/passwd', a path",
    endless_name: "its name has 100,000 characters",
    control_signs_in_its_name: "characters that cannot be shown",
    picture_beyond_all_measure: "its picture must be",
    unknown_part: "an unknown part '../x'",
    part_that_is_missing: "has no good_scores.values",
    threshold_that_is_no_number: "the threshold reject is not a number",
    threshold_of_another_bank: "its thresholds were set for another bank",
    rule_that_nobody_knows: "by a rule that this program does not know",
    backbone_that_nobody_knows: "There is no backbone",
    layer_that_is_none: "has no layer __class__",
    size_beyond_all_measure: "The image size must be a whole number from 32 to 2,048 pixels; it is 1000000",
    weights_that_are_not_here: "not the expected file",
    bank_under_a_false_number: "does not follow from its images and settings",
    self_test_that_fails: "computes other numbers than the builder's machine",
    threshold_beyond_all_scores: r"the threshold accept is not a number from 0 to 1e\+12",
    threshold_just_beyond: r"the threshold reject is not a number from 0 to 1e\+12",
    whole_threshold_beyond_all_numbers: "the threshold reject is not a number",
    negative_threshold: "the threshold accept is not a number from 0",
    negative_pixel_threshold: "the threshold pixel is not a number from 0",
    endless_pixel_threshold: "the threshold pixel is not a number",
    threshold_that_is_true: "the threshold accept is not a number",
    threshold_that_is_a_text: "the threshold reject is not a number",
    negative_scale: "the millimetres per pixel is not a number from 0",
    region_of_true_pixels: "the smallest region is not a whole number",
    judged_by_nothing: "something other than score, area or both",
    accept_above_reject: "accept is above the threshold reject",
    parameter_of_a_rule_beyond_all_scores: "the parameter value of the rule is not a number from 0",
    negative_parameter_of_a_rule: "the parameter budget of the rule is not a number from 0",
    parameter_that_no_rule_has: "the rule from_good has no parameter '__class__'",
    endless_evidence: "a score of the operating point's evidence is not a number",
    negative_evidence: "a score of the operating point's evidence is not a number from 0",
    evidence_that_is_true: "a score of the operating point's evidence is not a number",
    version_that_is_true: "format version True",
    version_zero: "format version 0",
    rows_that_are_true: "the number of rows in use is not a whole number",
    taught_rows_that_are_false: "the number of rows that were taught is not a whole number",
    map_that_is_true: "the map's size is not a whole number",
    image_of_true_width: "the width of an image is not a whole number",
    seed_that_is_true: "The seed must be a whole number",
    share_that_is_true: "The coreset share must be above 0",
    layers_that_are_false: "The list of layers must be a list of names",
    endless_good_score: "a good score is infinite only while its image is alone",
    good_scores_without_end: "a good score is infinite only while its image is alone",
    good_score_beyond_all_scores: "no larger than a score can be",
    negative_good_score: "no good score is negative",
    feature_beyond_all_measure: "a feature is no larger than a score can be",
    endless_distance_of_the_self_test: "the self-test has a distance for each patch",
    endless_cover_radius: "no larger than a score can be",
}
