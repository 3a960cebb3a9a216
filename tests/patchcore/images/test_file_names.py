"""Names: one form of each, lengths that a disk takes, and finding a file by another form of its name."""

import ntpath
import time
import unicodedata
from pathlib import PureWindowsPath

import pytest
from hypothesis import given
from hypothesis.strategies import text

from patchcore.images.file_names import (
    LONGEST_BYTES,
    LONGEST_NAME,
    MOST_BYTES,
    FreeNames,
    NamedFiles,
    expanded,
    is_file,
    is_folder,
    is_reserved,
    joined,
    names_on_disk,
    quoted,
    safe_name,
    shortened,
    written_name,
)

ACCENTED = ["größe.png", "Ångström/ç.png", "Việt.png", "한글/부품.png", "é/ü/ñ.png"]


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("a.png", "a.png"),
        ("good parts/a 1.png", "good parts/a 1.png"),
        ("Größe/螺栓.png", "Größe/螺栓.png"),
        ("Gro\u0308ße.png", "Größe.png"),  # macOS sends the two dots by themselves
        ("../../etc/passwd.png", "etc/passwd.png"),
        ("/etc/a.png", "etc/a.png"),
        ("C:\\parts\\..\\lot 7\\a.png", "parts/lot 7/a.png"),
        ("\\\\server\\share\\a.png", "server/share/a.png"),
        ("a\nb\r\t\x00\x1b[31m.png", "a_b____[31m.png"),
        ("a\u202egnp.exe.png", "a_gnp.exe.png"),  # right-to-left override
        ("bad\udcff.png", "bad_.png"),
        ("./a//b/./c.png", "a/b/c.png"),
        ("", "unnamed"),
        ("..", "unnamed"),
        (" / . /", "unnamed"),
        ("line 3/2026-03-01T10:15:30.png", "line 3/2026-03-01T10_15_30.png"),
        ('what?<5>|"x"*.png', "what__5___x__.png"),
        ("aux/com1.tar.png", "aux_/com1_.tar.png"),
        ("Nul .png/LPT³", "Nul_.png/LPT³_"),
        ("lot 7./a. . /b.png. .", "lot 7./a./b.png"),
        (".../CONIN$.txt", "CONIN$_.txt"),
        ("console.png", "console.png"),
    ],
)
def test_names_become_safe(name, safe):
    assert safe_name(name) == safe
    assert safe_name(safe) == safe


@given(text(alphabet='aA:.?*<>|"/\\ \x00\u0308üconauxlpt1¹.png', max_size=30) | text(max_size=300))
def test_every_safe_name_is_one_of_windows_too(name):
    safe = safe_name(name)
    assert safe_name(safe) == safe and not PureWindowsPath(safe).is_absolute()
    for part in written_name(safe).split("/"):
        assert part == PureWindowsPath(part).name and not part.endswith((".", " "))
        assert not set('<>:"|?*\\') & set(part) and part.isprintable() and len(part.encode()) <= LONGEST_BYTES
        assert not (is_reserved(part) or is_device(part))


def is_device(part):
    """Tell whether Python's own Windows paths take a name for a device."""
    return ntpath.isreserved(part) if hasattr(ntpath, "isreserved") else PureWindowsPath(part).is_reserved()


def test_long_names_keep_their_ends():
    name = safe_name("x" * 500 + "/" + "y" * 500 + ".png")
    assert len(name) <= LONGEST_NAME
    assert name.endswith("y.png")
    assert len(safe_name("/".join(["part"] * 200))) <= LONGEST_NAME


@pytest.mark.parametrize("letter", ["螺", "ü", "한", "🔩"])
def test_safe_names_fit_a_disk_in_bytes(letter, tmp_path):
    name = safe_name(letter * 119 + ".png")
    assert len(name.encode()) <= LONGEST_BYTES
    assert name.startswith(letter) and name.endswith(f"{letter}.png")
    assert safe_name(name) == name
    (tmp_path / name).write_bytes(b"")


@pytest.mark.parametrize("stem", ["plate", "x" * 255, "螺" * 85, "a\udcff" * 60])
def test_joined_names_fit_a_disk(stem):
    name = joined(stem, "_2.png")
    assert len(name.encode("utf-8", "surrogatepass")) <= MOST_BYTES
    assert name.endswith("_2.png") and name[0] == stem[0]


def test_shortening_respects_the_limit():
    assert shortened("plate.png") == "plate.png"
    assert len(shortened("ü" * 100, 50).encode()) <= 50


@pytest.mark.parametrize("name", ACCENTED)
@pytest.mark.parametrize(("on_disk", "in_table"), [("NFD", "NFC"), ("NFC", "NFD")])
def test_a_name_is_found_in_another_form(tmp_path, name, on_disk, in_table):
    path = tmp_path / unicodedata.normalize(on_disk, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    found = NamedFiles(tmp_path).find(unicodedata.normalize(in_table, name))
    assert found.exists() and found.samefile(path)


def test_the_name_as_written_comes_first(tmp_path):
    for form in ("NFC", "NFD"):
        (tmp_path / unicodedata.normalize(form, "größe.png")).write_text(form, encoding="utf-8")
    if len(list(tmp_path.iterdir())) < 2:
        pytest.skip("this disk takes both forms as one name")
    for form in ("NFC", "NFD"):
        assert (
            NamedFiles(tmp_path).find(unicodedata.normalize(form, "größe.png")).read_text(encoding="utf-8")
            == form
        )


def test_names_that_lead_out_of_the_folder_find_nothing_inside(tmp_path):
    inside = tmp_path / "set"
    inside.mkdir()
    (inside / "größe.png").write_bytes(b"")
    for name in ("../größe.png", "/größe.png", "x/../../größe.png"):
        assert not NamedFiles(inside).find(name).exists()


def test_questions_about_impossible_names_are_answered_no(tmp_path):
    for name in ("x" * 300, "a/" * 3000, "ü" * 200):
        assert not is_folder(tmp_path / name)
        assert not is_file(tmp_path / name)


def test_home_is_put_in_where_there_is_one(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert expanded("~/weights") == tmp_path / "weights"
    assert str(expanded("~nobody-of-this-name/weights")) == "~nobody-of-this-name/weights"


@pytest.mark.parametrize(
    "names",
    [
        ["a.png"] * 20_000,
        [f"a ({number}).png" if number % 2 else "A.png" for number in range(20_000)],
        [("größe é", "GRÖSSE É")[number % 2] for number in range(20_000)],
        ["lot/" * 20 + "a"] * 20_000,
    ],
)
def test_thousands_of_equal_names_get_numbers_in_the_time_of_other_names(names):
    free, began = FreeNames(), time.process_time()
    found = {free.take(name).casefold() for name in names}
    assert len(found) == 20_000 and time.process_time() - began < 3


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a", "a/b.png"], ["a (2)", "a/b.png"]),
        (["a/b.png", "A"], ["a/b.png", "A (2)"]),
        (["labels.csv/x.png", "labels.csv"], ["labels.csv/x.png", "labels (2).csv"]),
        (["a/b/c.png", "a/b", "a", "a (2)"], ["a/b/c.png", "a/b (2)", "a (2)", "a (2) (2)"]),
        ([".", "a"], ["unnamed", "a"]),
        (["a.png", "A.png", "a.PNG"], ["a.png", "A (2).png", "a (3).PNG"]),
    ],
)
def test_names_for_one_folder_are_given_twice_to_nobody(names, expected, tmp_path):
    found = names_on_disk(map(safe_name, names))
    assert found == expected
    for name in found:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch(exist_ok=False)


def test_quoted_text_is_on_one_line_and_short():
    assert quoted("dent") == "dent"
    assert quoted("a\nb") == "a\\nb"
    for long in ("x" * 10**7, "\0" * 10**6, "é" * 121):
        assert len(quoted(long)) <= 120 and "…" in quoted(long)
