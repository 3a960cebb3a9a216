"""Files of more than a megabyte that differ in one place are two files for Streamlit too."""

import time

import pytest
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.media_file_storage import MediaFileKind, MediaFileStorageError
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage
from streamlit.testing.v1 import AppTest

from workbench.widgets.shared.downloads import _marked, distinct_name, hold

SIZE = 2 * 2**20


def two_tables(kind):
    """Two files of one length that differ in one byte, away from both ends and the middle."""
    first = bytearray(b"accept,\n" * (SIZE // 8))
    second = bytearray(first)
    second[SIZE // 4 : SIZE // 4 + 6] = b"reject"
    return bytes(first), bytes(second)


@pytest.mark.parametrize("name", ["results.csv", "history.csv", "history.parquet", "overlays.zip"])
def test_files_of_two_runs_are_told_apart(name):
    storage = MemoryMediaFileStorage("/media")
    first, second = (
        storage.load_and_get_id(data, "text/csv", MediaFileKind.DOWNLOADABLE, distinct_name(name))
        for data in two_tables(name)
    )
    assert first != second


def test_pages_of_one_run_are_told_apart_by_their_ends():
    storage = MemoryMediaFileStorage("/media")
    first, second = (
        storage.load_and_get_id(
            _marked(lambda data=data: data), "text/html", MediaFileKind.DOWNLOADABLE, "report.html"
        )
        for data in two_tables("html")
    )
    assert first != second


@pytest.mark.parametrize("kind", ["application/octet-stream", "text/html"])
def test_a_file_that_a_click_made_outlasts_the_ends_of_other_runs_and_goes_in_time(kind):
    storage = MemoryMediaFileStorage("/media")
    files = MediaFileManager(storage)

    def make():
        hold(files, b"content", "washer.patchcore", kind, seconds=0.2)
        return b"content"

    asked = files.add_deferred(make, kind, "button", "washer.patchcore")
    name = files.execute_deferred(asked).rsplit("/", 1)[1]

    def two_runs_end():
        files.remove_orphaned_files()
        files.remove_orphaned_files()

    two_runs_end()
    assert storage.get_file(name).content == b"content"
    time.sleep(0.4)
    two_runs_end()
    with pytest.raises(MediaFileStorageError):
        storage.get_file(name)


def app():
    from workbench.widgets.shared import downloads

    downloads.button("CSV", lambda: b"", "results.csv", "text/csv", help="One row an image.")


def test_the_button_is_drawn():
    assert not AppTest.from_function(app, default_timeout=30).run().exception
