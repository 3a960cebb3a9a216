import threading

import pytest

from tests.workbench.processes import wait_until
from workbench.inspections.turns.engine import Engine


@pytest.mark.timeout(30)
def test_a_person_goes_before_the_next_image_of_the_queue():
    engine, order, first_image, person_asks = Engine(), [], threading.Event(), threading.Event()

    def queue():
        for number in range(3):
            with engine.for_queue():
                order.append(number)
                first_image.set()
                person_asks.wait()
                if number == 0:
                    wait_until(lambda: engine._people == 1)

    def person():
        first_image.wait()
        person_asks.set()
        with engine.for_person():
            order.append("person")

    threads = [threading.Thread(target=work) for work in (queue, person)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert order == [0, "person", 1, 2]


def test_a_fault_gives_the_engine_back():
    engine = Engine()
    for hold in (engine.for_person, engine.for_queue):
        with pytest.raises(ValueError, match="image"), hold():
            raise ValueError("image")
    with engine.for_person():
        pass
