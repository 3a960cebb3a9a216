"""Work that is done ahead of whoever asks for it, by threads, and handed over in order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def done_ahead(
    work: Callable[[Item], Result], items: Iterable[Item], threads: int, waiting: int
) -> Iterator[Result]:
    """Work on items in threads; hand over what comes of each, in their order.

    Parameters
    ----------
    work
        Called in the threads. What it raises is raised in its place in the order.
    items
        Taken one by one, in the thread that asks.
    threads
        How many items are worked on at a time.
    waiting
        How many results, finished or not, there are at most ahead of the one that is asked for.
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
