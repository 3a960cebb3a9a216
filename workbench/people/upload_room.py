"""The room for uploaded files in the server's memory: Streamlit holds each file there until its session ends."""

from collections.abc import Callable
from threading import Lock

from starlette.datastructures import Headers

MOST_BYTES = 4 * 2**30  # of all sessions together
LARGEST_FILE = 512 * 2**20  # bytes; server.maxUploadSize in .streamlit/config.toml says the same in megabytes
FULL = (
    "The dashboard holds as many uploaded files as fit into its memory. Close pages that are not needed, or choose a "
    "folder on the dashboard's computer instead."
)


class UploadRoom:
    """Counts the bytes of uploads that are held or on their way.

    Parameters
    ----------
    held
        Returns the bytes that all sessions hold.
    most
        Bytes that may be held and on their way together.
    """

    def __init__(self, held: Callable[[], int], most: int = MOST_BYTES) -> None:
        self._held, self._most = held, most
        self._arriving = 0
        self._lock = Lock()

    def enter(self, count: int) -> bool:
        """Reserve bytes for an upload; False where they do not fit."""
        with self._lock:
            if self._held() + self._arriving + count > self._most:
                return False
            self._arriving += count
            return True

    def leave(self, count: int) -> None:
        """Free the bytes of an upload that has ended."""
        with self._lock:
            self._arriving -= count


def announced(headers: Headers) -> int:
    """Return the bytes that a request announces; those of the largest file for one that does not say."""
    lengths = headers.getlist("content-length")
    is_said = len(lengths) == 1 and lengths[0].isascii() and lengths[0].isdigit() and len(lengths[0]) < 16
    return int(lengths[0]) if is_said else LARGEST_FILE
