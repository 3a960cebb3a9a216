import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workbench.uploads.intake import (
    FolderError,
    allowed_roots,
    from_files,
    from_folder,
    from_server,
    open_path,
)


def picture(seed=0):
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (9, 8, 3), dtype=np.uint8)).save(
        buffer, "PNG"
    )
    return buffer.getvalue()


PNG = picture()


def zipped(*names):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, PNG)
    return buffer.getvalue()


@pytest.fixture
def spool(tmp_path):
    folder = tmp_path / "spool"
    folder.mkdir()
    return folder


@pytest.fixture
def parts(tmp_path):
    folder = tmp_path / "home" / "parts"
    for name in (
        "b.png",
        "a 1.png",
        "deep/er/c.PNG",
        ".hidden/x.png",
        "__MACOSX/y.png",
        ".DS_Store",
        "notes.txt",
    ):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"lot 7" if name == "notes.txt" else PNG)
    return folder


def names(found):
    return [upload.name for upload in found]


def reasons(found):
    return {left.name: left.reason for left in found.left_out}


def test_dropped_files_streams_and_zips_in_one_go(spool, tmp_path):
    on_disk = tmp_path / "c.png"
    on_disk.write_bytes(PNG)
    stream = io.BytesIO(PNG)
    stream.read()  # Streamlit's files may have been read before
    found = from_files(
        [
            ("folder/../../a.png", PNG),
            ("C:\\cam\\b.png", stream),
            ("c.png", on_disk),
            ("lot.zip", zipped("a.png", "good/d.png")),
            ("archive", io.BytesIO(zipped("e.png"))),
            ("notes.txt", b"lot 7"),
            ("__MACOSX/._lot.zip", b"PK\x03\x04"),
        ],
        spool,
    )
    assert names(found) == ["folder/a.png", "cam/b.png", "c.png", "a.png", "good/d.png", "e.png"]
    assert found.images[0].data == PNG
    assert found.images[1].data.parent == spool
    assert found.images[2].data == on_disk
    for upload in found:
        assert (upload.data if isinstance(upload.data, bytes) else upload.data.read_bytes()) == PNG
    assert set(reasons(found)) == {"notes.txt", "__MACOSX/._lot.zip"}


def test_names_with_newlines_and_copies_of_a_name(spool):
    found = from_files([("a\nb.png", PNG), ("a_b.png", PNG), ("Größe 螺.png", PNG)], spool)
    assert names(found) == ["a_b.png", "a_b (2).png", "Größe 螺.png"]


def test_a_zip_named_as_an_image_is_kept_for_the_look_that_will_explain_it(spool):
    assert names(from_files([("a.png", zipped("x.png"))], spool)) == ["a.png"]


def test_a_broken_zip_leaves_the_files_beside_it(spool):
    found = from_files([("lot.zip", b"PK\x03\x04rest"), ("a.png", PNG)], spool)
    assert names(found) == ["a.png"]
    assert "damaged or incomplete" in reasons(found)["lot.zip"]


def test_nothing_dropped_is_an_empty_set(spool):
    assert len(from_files([], spool)) == 0


def test_folder_in_order_without_leftovers_or_copies(parts):
    found = from_folder(parts)
    assert names(found) == ["a 1.png", "b.png", "deep/er/c.PNG"]
    assert found.images[2].data == parts / "deep/er/c.PNG"
    assert set(reasons(found)) == {".DS_Store", "notes.txt"}


def test_empty_and_absent_folders(tmp_path):
    (tmp_path / "empty").mkdir()
    found = from_folder(tmp_path / "empty")
    assert len(found) == len(found.left_out) == 0
    with pytest.raises(FolderError, match="is not a folder"):
        from_folder(tmp_path / "absent")


def test_links_inside_are_followed_links_outside_are_not(parts, tmp_path):
    secret = tmp_path / "secret.png"
    secret.write_bytes(PNG)
    (parts / "in.png").symlink_to(parts / "b.png")
    (parts / "out.png").symlink_to(secret)
    (parts / "gone.png").symlink_to(parts / "nothing.png")
    (parts / "loop").symlink_to(parts)
    found = from_folder(parts)
    assert "in.png" in names(found)
    why = reasons(found)
    assert "leads outside" in why["out.png"]
    assert "not a regular file" in why["gone.png"]
    assert "link to a folder" in why["loop"]


def test_pipes_are_not_waited_for(parts):
    os.mkfifo(parts / "pipe.png")
    assert "not a regular file" in reasons(from_folder(parts))["pipe.png"]


def test_bytes_that_are_no_unicode_in_a_name(parts):
    (Path(os.fsdecode(os.fsencode(parts) + b"/x\x81.png"))).write_bytes(PNG)
    found = from_folder(parts)
    assert "x_.png" in names(found)
    assert next(upload for upload in found if upload.name == "x_.png").data.read_bytes() == PNG


def test_two_thousand_files_are_listed_not_read(tmp_path):
    for i in range(2_000):
        (tmp_path / f"{i:05d}.png").touch()
    found = from_folder(tmp_path)
    assert len(found) == 2_000
    assert names(found)[-1] == "01999.png"


def test_server_paths_only_below_the_roots(parts, spool, tmp_path):
    roots = [tmp_path / "home"]
    for typed in (str(parts), f"  {parts}/ ", "parts", f"{parts}/deep/.."):
        assert names(from_server(typed, spool, roots=roots)) == ["a 1.png", "b.png", "deep/er/c.PNG"]
    (tmp_path / "home" / "way out").symlink_to(tmp_path)
    for typed in (
        str(tmp_path),
        "/etc",
        "../",
        str(parts / "../../.."),
        "way out",
        "/absent",
        "a\0b",
        "~nobody-here/x",
    ):
        with pytest.raises(FolderError, match="outside the folders that are open here"):
            from_server(typed, spool, roots=roots)
    with pytest.raises(FolderError, match="not a folder"):
        from_server("absent", spool, roots=roots)


def test_server_path_to_a_zip(parts, spool, tmp_path):
    (parts / "lot.zip").write_bytes(zipped("z.png"))
    assert names(from_server("parts/lot.zip", spool, roots=[tmp_path / "home"])) == ["z.png"]
    assert "archive within" in reasons(from_folder(parts))["lot.zip"]


def test_the_workspace_is_never_a_source(parts, spool, tmp_path):
    roots, workspace = [tmp_path / "home"], parts / "deep"
    assert names(from_server("parts", spool, roots=roots, exclude=[workspace])) == ["a 1.png", "b.png"]
    with pytest.raises(FolderError, match="belongs to the dashboard itself"):
        from_server("parts/deep/er", spool, roots=roots, exclude=[workspace])


@pytest.mark.parametrize(
    "typed",
    [
        ".ssh",
        ".ssh/keys",
        "parts/.cache/x",
        ".bashrc",
        "way in/keys",
        "AppData/Local",
        "appdata",
        "Library/LaunchAgents",
        "parts/../.ssh",
        "parts/__MACOSX",
    ],
)
def test_folders_of_settings_are_not_open(typed, tmp_path):
    home = tmp_path / "home"
    for folder in (".ssh/keys", "parts/.cache/x", "AppData/Local", "Library/LaunchAgents", "parts/__MACOSX"):
        (home / folder).mkdir(parents=True)
    (home / "way in").symlink_to(home / ".ssh")
    with pytest.raises(FolderError, match="hidden folder"):
        open_path(typed, roots=[home])


def test_a_root_may_lie_in_a_hidden_folder_because_it_was_opened_on_purpose(tmp_path):
    root = tmp_path / ".mounted" / "line 3"
    root.mkdir(parents=True)
    assert open_path("parts/library", roots=[root]) == root / "parts" / "library"


def test_roots_come_from_the_environment(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    assert allowed_roots({"PATCHCORE_ROOTS": f"{one}{os.pathsep}{two}{os.pathsep}"}) == [one, two]
    assert allowed_roots({}) == [Path.home().resolve()]


def test_tables_and_annotations_are_kept_for_who_reads_labels_and_listed_as_no_images(parts, spool):
    (parts / "labels.csv").write_text("file,label\n", encoding="utf-8")
    (parts / "marks.XML").write_text("<annotations/>", encoding="utf-8")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("b.png", PNG)
        archive.writestr("labels.csv", "file,label\n")
        archive.writestr("sub/a.json", "{}")
    dropped = from_files([("labels.csv", b"file,label\n"), ("set.zip", buffer.getvalue())], spool)
    for found, tables in ((from_folder(parts), ["labels.csv"]), (dropped, ["labels.csv", "labels (2).csv"])):
        assert [table.name for table in found.tables] == tables
        assert not any(name.endswith(".csv") for name in names(found))
        assert [file.reason.split(",")[0] for file in found.left_out if file.name.endswith(".csv")] == [
            "labels or marks of images"
        ] * len(tables)
    assert [file.name for file in from_folder(parts).annotations] == ["marks.XML"]
    assert [file.name for file in dropped.annotations] == ["sub/a.json"]
    assert all(Path(table.data).read_text(encoding="utf-8") == "file,label\n" for table in dropped.tables[1:])


def test_a_service_user_without_a_home_has_no_open_folder(tmp_path, spool, monkeypatch):
    def no_home(*_):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", classmethod(no_home))
    assert allowed_roots({}) == []
    with pytest.raises(FolderError, match=r"open here \(none\)"):
        from_server(str(tmp_path), spool, roots=allowed_roots({}))


def test_kinds_of_files_that_are_left_out(parts, spool, tmp_path):
    (tmp_path / "lot").mkdir()
    (tmp_path / "lot/a.gif").write_bytes(b"GIF89a")
    (tmp_path / "lot/gone.png").symlink_to(tmp_path / "lot/nowhere.png")
    (tmp_path / "lot/parts").symlink_to(parts)
    assert sorted(left.kind for left in from_folder(tmp_path / "lot").left_out) == [
        "GIF",
        "link that leads nowhere",
        "link to a folder",
    ]
    archive = zipped("a.png", "notes.txt")
    assert [left.kind for left in from_files([("lot.zip", archive[:-30])], spool).left_out] == [
        "damaged archive"
    ]
