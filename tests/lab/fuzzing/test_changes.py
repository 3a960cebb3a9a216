"""Changes of valid files: the same for a seed, and right in all that was not changed."""

import json
import struct
import zlib
from random import Random

import pytest

from lab.fuzzing import changes
from lab.fuzzing.kinds import KINDS
from lab.fuzzing.seeds import picture_seeds
from patchcore.images.reading import read_image

WITHOUT_FILES = [name for name in KINDS if name not in ("inspector", "backup")]


@pytest.mark.parametrize("name", WITHOUT_FILES)
def test_an_input_follows_from_its_number(name):
    made = [KINDS[name].make(Random(f"0/{name}/{number}"), None) for number in (1, 2, 1)]
    assert made[0] == made[2] and made[0] != made[1]


def test_most_pictures_are_valid_before_they_are_changed():
    plain = [data for kind in ("jpeg", "tiff", "bmp") for data in picture_seeds()[kind][:3]]
    assert all(read_image(data).pixels.size for data in plain)


def test_altered_chunks_of_a_png_have_their_right_sums():
    for number in range(30):
        data, at = changes.png(picture_seeds()["png"][4], Random(number)), 8
        while at < len(data):
            (length,) = struct.unpack_from(">I", data, at)
            part = data[at + 4 : at + 8 + length]
            assert struct.unpack_from(">I", data, at + 8 + length)[0] == zlib.crc32(part)
            at += 12 + length


def test_other_values_are_json_again():
    value = {"a": [1, {"b": "c"}], "d": 0.5}
    made = [changes.revalued(value, Random(number)) for number in range(50)]
    assert value == {"a": [1, {"b": "c"}], "d": 0.5} and any(one != value for one in made)
    written = [changes.as_json(one) for one in made]
    flat = [text for text in written if b"[" * 40 not in text]
    assert len(flat) > 20 and all(changes.as_json(json.loads(text)) == text for text in flat)
