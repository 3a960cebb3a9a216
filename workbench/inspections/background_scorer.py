"""Scoring in the background: the batches that pages have opened, one image at a time, for all sessions."""

import logging
import threading
from collections import deque

from patchcore.errors import PatchCoreError
from workbench.inspections.batches import score_batch
from workbench.inspectors.versions import get_version
from workbench.people.roles import Person, acting, current
from workbench.storage.workspace import Workspace

Work = tuple[int, int]  # batch id, version id

log = logging.getLogger(__name__)


class Scorer:
    """Scores batches in one thread, so that no two sessions run the network at the same time.

    Every result is in the database before the next image is begun, and pages read it there. Images that a stopped
    server has left unscored are scored when their batch is opened again.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._waiting: deque[Work] = deque()
        self._asked: dict[Work, Person] = {}
        self._errors: dict[Work, str] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopped = False

    def want(self, batch_id: int, version_id: int) -> None:
        """Have a batch scored by a version, in the name of the first person who asks; asking again changes nothing."""
        work = (batch_id, version_id)
        with self._changed:
            if self._stopped or work in self._waiting or work in self._errors:
                return
            self._waiting.append(work)
            self._asked[work] = current()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="scorer", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def error(self, batch_id: int, version_id: int) -> str | None:
        """Return why a batch could not be scored any further, if so."""
        return self._errors.get((batch_id, version_id))

    def wait(self, batch_id: int, version_id: int, seconds: float) -> bool:
        """Wait for a new result, at most so long, and return whether the batch is still being worked on."""
        with self._changed:
            if (batch_id, version_id) in self._waiting:
                self._changed.wait(seconds)
            return (batch_id, version_id) in self._waiting

    def retry(self, batch_id: int, version_id: int) -> None:
        """Try again after an error."""
        self._errors.pop((batch_id, version_id), None)
        self.want(batch_id, version_id)

    def stop(self) -> None:
        """End after the image in hand."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._stopped)
                if self._stopped:
                    return
                work = self._waiting[0]
            with acting(self._asked[work]):
                self._score(work)
            with self._changed:
                self._waiting.remove(work)
                del self._asked[work]
                self._changed.notify_all()

    def _score(self, work: Work) -> None:
        batch_id, version_id = work
        try:
            version = get_version(self.workspace, version_id)
            for _ in score_batch(self.workspace, batch_id, version):
                with self._changed:
                    self._changed.notify_all()
                if self._stopped:
                    return
        except PatchCoreError as error:
            self._errors[work] = str(error)
        except Exception:  # the thread must outlive a bug; the page says what the log knows
            log.exception("Scoring batch %s by version %s failed.", batch_id, version_id)
            self._errors[work] = "Scoring stopped at an unexpected fault; the server's log has the details."
