import pytest

from workbench.uploads.image_set import LONGEST_NAME, UploadSet, new_file, safe_name, why_not_wanted


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
    ],
)
def test_names_become_safe(name, safe):
    assert safe_name(name) == safe
    assert safe_name(safe) == safe


def test_long_names_keep_their_ends():
    name = safe_name("x" * 500 + "/" + "y" * 500 + ".png")
    assert len(name) <= LONGEST_NAME
    assert name.endswith("y.png")
    assert len(safe_name("/".join(["part"] * 200))) <= LONGEST_NAME


def test_equal_names_are_told_apart_whatever_their_case():
    found = UploadSet()
    for name in ("a/x.png", "a/X.png", "a\\x.png", "b/x.png", "a/x (2).png"):
        found.add(name, b"")
    assert [upload.name for upload in found] == [
        "a/x.png",
        "a/X (2).png",
        "a/x (3).png",
        "b/x.png",
        "a/x (2) (2).png",
    ]


def test_sets_join_without_collisions():
    one, other = UploadSet(), UploadSet()
    one.add("a.png", b"1")
    other.add("a.png", b"2")
    other.leave_out("../n\notes", "no image.")
    one.extend(other)
    assert [(u.name, u.data) for u in one] == [("a.png", b"1"), ("a (2).png", b"2")]
    assert one.left_out[0].name == "n_otes"
    assert len(one) == 2


@pytest.mark.parametrize(
    ("name", "head", "word"),
    [
        ("a.png", b"", None),
        ("A.TIFF", b"", None),
        ("frame", b"\x89PNG\r\n\x1a\n", None),
        ("frame.dat", b"\xff\xd8\xff\xe0", None),
        (".DS_Store", b"", "hidden"),
        ("__MACOSX/._a.png", b"", "hidden"),
        ("lot/Thumbs.db", b"", "hidden"),
        (".hidden/a.png", b"", "hidden"),
        ("notes.txt", b"lot 7", "not an image"),
        ("more.zip", b"PK\x03\x04", "archive"),
        ("more.7z", b"7z", "archive"),
    ],
)
def test_candidates_are_recognised_by_name_or_first_bytes(name, head, word):
    reason = why_not_wanted(name, head)
    assert (reason is None) if word is None else (word in reason)


def test_new_files_never_take_the_name_they_are_given(tmp_path):
    one, two = new_file(tmp_path, "../../a.png"), new_file(tmp_path, "../../a.png")
    assert one != two
    assert one.parent == two.parent == tmp_path
    assert one.suffix == ".png"
    assert new_file(tmp_path, "a.sh").suffix == ""
