"""The way into a page: a run that is being stopped does not lead the next one astray."""

import threading

from workbench.widgets import entry


def test_a_run_that_ends_late_changes_nothing_for_the_one_that_has_begun():
    begun, ended = threading.Event(), threading.Event()

    def old_run():
        with entry.app():
            begun.set()
            ended.wait(10)

    old = threading.Thread(target=old_run)
    old.start()
    begun.wait(10)
    assert not entry._by_app.get()
    with entry.app():
        ended.set()
        old.join()
        entry.by_app()  # goes on with the page: app.py runs it
    assert not entry._by_app.get()
