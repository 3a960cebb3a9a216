import threading

import pytest

from patchcore.kernels.prefetch import done_ahead


def test_results_come_in_order_however_long_each_takes():
    turns = [threading.Event() for _ in range(3)]

    def work(number):
        if number == 0:
            turns[1].wait(5)  # the first is finished after the second
        turns[number].set()
        return 10 * number

    assert list(done_ahead(work, range(3), threads=2, waiting=2)) == [0, 10, 20]


def test_work_begins_on_no_more_items_than_may_wait():
    begun = []
    found = done_ahead(lambda item: item, (begun.append(i) or i for i in range(100)), threads=2, waiting=3)
    assert next(found) == 0
    assert begun == [0, 1, 2, 3]
    found.close()
    assert begun == [0, 1, 2, 3]


def test_an_exception_of_the_work_is_raised_in_its_place():
    found = done_ahead(lambda item: 1 // item, [2, 0, 1], threads=2, waiting=3)
    assert next(found) == 0
    with pytest.raises(ZeroDivisionError):
        next(found)
