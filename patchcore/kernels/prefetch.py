"""Prefetching: threads work ahead of the consumer, and results come in order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def done_ahead(
    work: Callable[[Item], Result], items: Iterable[Item], threads: int, waiting: int
) -> Iterator[Result]:
    """Work on items in threads; yield the results in the order of the items.

    Parameters
    ----------
    work
        Called in the threads. An exception is raised at its place in the order.
    items
        Taken one by one, in the consumer's thread.
    threads
        Number of items worked on at a time.
    waiting
        Largest number of results, finished or not, ahead of the consumer.
    """
    begun: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="ahead")
    try:
        for item in items:
            begun.append(pool.submit(work, item))
            if len(begun) > waiting:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
