"""The way into a page: a run that is being stopped does not lead the next one astray."""

import threading

from workbench.widgets.shared import page_guard


def test_a_run_that_ends_late_changes_nothing_for_the_one_that_has_begun():
    begun, ended = threading.Event(), threading.Event()

    def old_run():
        with page_guard.app():
            begun.set()
            ended.wait(10)

    old = threading.Thread(target=old_run)
    old.start()
    begun.wait(10)
    assert not page_guard._by_app.get()
    with page_guard.app():
        ended.set()
        old.join()
        page_guard.by_app()  # goes on with the page: app.py runs it
    assert not page_guard._by_app.get()
