import io
import stat
import time
import zipfile

import numpy as np
import pytest
from PIL import Image

from tests.hostile import archives
from workbench.uploads.spool_budget import SpoolBudget
from workbench.uploads.zip_archives import ZipLimits, unpack_zip


def picture(seed=0):
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (9, 8, 3), dtype=np.uint8)).save(
        buffer, "PNG"
    )
    return buffer.getvalue()


PNG = picture()


def packed(entries, compression=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    buffer.seek(0)
    return buffer


def reasons(found):
    return {left.name: left.reason for left in found.left_out}


@pytest.mark.parametrize(
    "compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_images_come_out_whole_and_named(tmp_path, compression):
    found = unpack_zip(
        packed([("good/", b""), ("good/a 1.png", PNG), ("good/Größe.png", picture(1))], compression),
        "lot.zip",
        tmp_path,
    )
    assert [upload.name for upload in found] == ["good/a 1.png", "good/Größe.png"]
    assert found.images[0].data.read_bytes() == PNG
    assert all(upload.data.parent == tmp_path for upload in found)
    assert found.left_out == []


def test_paths_out_of_the_archive_are_left_out_and_the_rest_proceeds(tmp_path):
    spool = tmp_path / "spool"
    spool.mkdir()
    names = ["../up.png", "/abs.png", "a/../../up.png", "C:\\win.png", "..\\up2.png", "ok..png", "good/a.png"]
    found = unpack_zip(packed([(name, PNG) for name in names]), "lot.zip", spool)
    assert [upload.name for upload in found] == ["ok..png", "good/a.png"]
    assert len(found.left_out) == 5
    assert all("points outside the archive" in left.reason for left in found.left_out)
    assert [path.name for path in tmp_path.iterdir()] == ["spool"]


def test_links_and_devices_are_left_out(tmp_path):
    entries = []
    for name, kind in (("link.png", stat.S_IFLNK), ("pipe.png", stat.S_IFIFO), ("real.png", stat.S_IFREG)):
        entry = zipfile.ZipInfo(name)
        entry.external_attr = (kind | 0o644) << 16
        entries.append((entry, b"/etc/passwd" if kind == stat.S_IFLNK else PNG))
    found = unpack_zip(packed(entries), "lot.zip", tmp_path)
    assert [upload.name for upload in found] == ["real.png"]
    assert "a link" in reasons(found)["link.png"]
    assert "not a regular file" in reasons(found)["pipe.png"]


def test_nested_zips_hidden_files_and_text_are_left_out(tmp_path):
    inner = packed([("b.png", PNG)]).getvalue()
    entries = [
        ("inner.zip", inner),
        ("inner", inner),
        ("__MACOSX/._a.png", b"x"),
        (".DS_Store", b"x"),
        ("Thumbs.db", b"x"),
        ("notes.txt", b"x"),
        ("a.png", PNG),
    ]
    found = unpack_zip(packed(entries), "lot.zip", tmp_path)
    assert [upload.name for upload in found] == ["a.png"]
    why = reasons(found)
    assert "archive within" in why["inner.zip"]
    assert "archive within" in why["inner"]
    assert all("hidden" in why[name] for name in ("__MACOSX/._a.png", ".DS_Store", "Thumbs.db"))
    assert "not an image" in why["notes.txt"]
    assert len(list(tmp_path.iterdir())) == 1


def test_a_zip_bomb_is_refused_by_its_ratio_before_it_is_unpacked(tmp_path):
    bomb = packed([("bomb.bmp", bytes(70 * 2**20)), ("a.png", PNG)])
    assert len(bomb.getvalue()) < 100_000
    found = unpack_zip(bomb, "lot.zip", tmp_path)
    assert [upload.name for upload in found] == ["a.png"]
    assert "zip bomb" in reasons(found)["bomb.bmp"]
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) == len(PNG)


def test_total_and_single_size_and_count_are_limited(tmp_path):
    noise = np.random.default_rng(0).bytes(1000)
    entries = [(f"{i}.png", PNG[:8] + noise) for i in range(5)]
    found = unpack_zip(packed(entries), "lot.zip", tmp_path, ZipLimits(max_total_bytes=2500))
    assert len(found) == 2
    assert all("no room left" in left.reason for left in found.left_out)
    found = unpack_zip(packed(entries), "lot.zip", tmp_path, ZipLimits(max_file_bytes=1007))
    assert len(found) == 0
    assert "limit for one file is 1,007" in found.left_out[0].reason
    found = unpack_zip(packed(entries), "lot.zip", tmp_path, ZipLimits(max_files=3))
    assert len(found) == 0
    assert "it holds 5 files; the limit is 3" in reasons(found)["lot.zip"]
    folders = packed([("a/", b""), ("b/", b""), ("b/c/", b""), ("a.png", PNG)])
    assert (
        "it holds 4 files"
        in reasons(unpack_zip(folders, "lot.zip", tmp_path, ZipLimits(max_files=3)))["lot.zip"]
    )


def test_an_entry_that_lies_about_its_size_unpacks_to_no_more_than_it_declares(tmp_path):
    data = bytearray(packed([("a.bmp", bytes(10_000_000))]).getvalue())
    true, lie = (10_000_000).to_bytes(4, "little"), (1000).to_bytes(4, "little")
    data[:] = data.replace(true, lie)
    found = unpack_zip(io.BytesIO(bytes(data)), "lot.zip", tmp_path)
    assert len(found) == 0
    assert "cannot be unpacked" in found.left_out[0].reason
    assert list(tmp_path.iterdir()) == []


def test_a_broken_checksum_spoils_one_entry_only(tmp_path):
    data = bytearray(packed([("a.png", PNG), ("b.png", PNG)], zipfile.ZIP_STORED).getvalue())
    data[data.index(PNG) + 40] ^= 0xFF
    found = unpack_zip(io.BytesIO(bytes(data)), "lot.zip", tmp_path)
    assert [upload.name for upload in found] == ["b.png"]
    assert "cannot be unpacked (Bad CRC-32" in reasons(found)["a.png"]
    assert len(list(tmp_path.iterdir())) == 1


def test_encrypted_entries_are_left_out(tmp_path):
    data = bytearray(packed([("a.png", PNG)]).getvalue())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    found = unpack_zip(io.BytesIO(bytes(data)), "lot.zip", tmp_path)
    assert reasons(found) == {"a.png": "encrypted. Pack it again without a password."}


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 half", packed([("a.png", PNG)]).getvalue()[:-30]])
def test_damaged_archives_say_so(tmp_path, data):
    found = unpack_zip(io.BytesIO(data), "lot.zip", tmp_path)
    assert "damaged or incomplete" in reasons(found)["lot.zip"]


def test_an_empty_archive_says_so(tmp_path):
    assert "empty" in reasons(unpack_zip(packed([]), "lot.zip", tmp_path))["lot.zip"]


def test_names_in_archives_are_made_safe(tmp_path):
    found = unpack_zip(packed([("a\nb.png", PNG), ("A_B.png", PNG)]), "lot.zip", tmp_path)
    assert [upload.name for upload in found] == ["a_b.png", "A_B (2).png"]


def test_a_thousand_files(tmp_path):
    archive = packed(((f"good/{i:05d}.png", PNG) for i in range(1_000)), zipfile.ZIP_STORED)
    began = time.process_time()
    found = unpack_zip(archive, "lot.zip", tmp_path)
    assert len(found) == 1_000
    assert sum(1 for _ in tmp_path.iterdir()) == 1_000
    assert time.process_time() - began < 3


@pytest.mark.parametrize("name", archives.REFUSED)
def test_an_archive_that_would_unpack_to_far_more_is_refused_before_a_byte_is_written(name, tmp_path):
    found = unpack_zip(io.BytesIO(archives.REFUSED[name]()), "lot.zip", tmp_path)
    assert len(found) == 0 and len(found.left_out) == 1
    reason = found.left_out[0].reason
    assert reason.startswith(("this zip archive was not unpacked: ", "packed ")) and len(reason) < 300
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", archives.PARTLY)
def test_one_entry_that_the_directory_describes_wrongly_leaves_the_others(name, tmp_path):
    found = unpack_zip(io.BytesIO(archives.PARTLY[name]()), "lot.zip", tmp_path)
    assert {"a.png", "c.png"} <= {upload.name for upload in found}
    assert all(len(left.reason) < 300 and len(left.name) <= 255 for left in found.left_out)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 10_000


def test_entries_whose_names_differ_by_case_or_form_alone_are_all_taken(tmp_path):
    found = unpack_zip(io.BytesIO(archives.packed(archives.forms(30))), "lot.zip", tmp_path)
    assert len(found) == len({upload.name.casefold() for upload in found}) == 30
    assert found.images[1].name == "GRÖSSE É (2).png"


def test_an_archive_that_is_many_times_its_size_is_taken_while_it_is_small(tmp_path):
    found = unpack_zip(io.BytesIO(archives.many_small(60)), "lot.zip", tmp_path)
    assert len(found) == 60


def test_the_files_of_all_sessions_share_one_room(tmp_path):
    spools, budget = [tmp_path / "one", tmp_path / "two"], SpoolBudget(2 * len(PNG))
    for spool in spools:
        spool.mkdir()
    entries = [("a.png", PNG), ("notes.txt", b"text"), ("b.png", PNG)]
    assert len(unpack_zip(packed(entries), "lot.zip", spools[0], budget=budget)) == 2
    found = unpack_zip(packed(entries), "lot.zip", spools[1], budget=budget)
    assert len(found) == 0 and reasons(found)["a.png"].startswith("no room is left")
    budget.give_back(spools[0])
    assert budget.held == 0 and len(unpack_zip(packed(entries), "lot.zip", spools[1], budget=budget)) == 2


def test_flipped_bytes_never_raise(tmp_path):
    good = packed([("a.png", PNG), ("b/c.png", PNG)]).getvalue()
    for seed in range(300):
        rng = np.random.default_rng(seed)
        bad = bytearray(good)
        for at in rng.integers(0, len(bad), 3):
            bad[at] = rng.integers(0, 256)
        found = unpack_zip(io.BytesIO(bytes(bad)), "lot.zip", tmp_path)
        assert len(found) + len(found.left_out) > 0
