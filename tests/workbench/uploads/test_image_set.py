import pytest

from patchcore.errors import NoImagesError
from patchcore.images.unread_files import kind_of
from workbench.uploads.image_set import UploadSet, new_file, why_not_wanted


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


def test_a_set_without_images_counts_its_files_by_kind():
    found = UploadSet()
    for name, head in (
        ("a.gif", b"GIF89a"),
        ("b.gif", b"GIF89a"),
        ("c.txt", b"lot 7"),
        ("d.xyz", b"\x01\x02"),
    ):
        found.leave_out(name, str(why_not_wanted(name, head)), kind_of(name, head))
    with pytest.raises(NoImagesError, match=r"lot 7 holds no images.*: 2 GIFs, 1 \.xyz file, 1 text file\."):
        found.require_images("lot 7")
    found.add("e.png", b"")
    found.require_images("lot 7")


def test_new_files_never_take_the_name_they_are_given(tmp_path):
    one, two = new_file(tmp_path, "../../a.png"), new_file(tmp_path, "../../a.png")
    assert one != two
    assert one.parent == two.parent == tmp_path
    assert one.suffix == ".png"
    assert new_file(tmp_path, "a.sh").suffix == ""
