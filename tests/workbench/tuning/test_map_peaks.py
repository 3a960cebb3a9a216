"""Map peaks: the same in the background as at once, and no page waits for few maps or for one that is lost."""

import time
from dataclasses import replace

import numpy as np
import pytest

from patchcore.maps.regions import clearing_threshold
from workbench.storage.map_files import read_map, write_map
from workbench.tuning.map_peaks import AT_ONCE, Measuring, StoredMap, lost_maps


@pytest.fixture
def maps(tmp_path):
    found = []
    for number in range(6):
        path = tmp_path / f"{number}.png"
        write_map(path, np.random.default_rng(number).random((20, 30), np.float32))
        found.append(StoredMap(path, f"{number}", AT_ONCE // 4))
    return found


def wait(measuring, maps, area):
    until = time.monotonic() + 30
    while measuring.want(maps, area) is not None:
        assert time.monotonic() < until
        time.sleep(0.005)


@pytest.mark.parametrize("area", [2, 9])
def test_peaks_are_those_of_the_maps_wherever_they_are_computed(maps, area):
    assert Measuring().want(maps[:4], area) is None  # few: the page computes them
    measuring = Measuring()
    begun = measuring.want(maps, area)
    assert begun is not None and begun.total == 6
    wait(measuring, maps, area)
    assert [one.peak(area) for one in maps] == [clearing_threshold(read_map(one.path), area) for one in maps]
    for one in maps:
        one.path.unlink()
    assert all(np.isfinite(one.peak(area)) for one in maps)  # from memory


def test_no_page_waits_for_the_highest_scores(maps):
    assert Measuring().want(maps, 1) is None
    assert [one.peak(1) for one in maps] == [read_map(one.path).max() for one in maps]


def test_a_page_that_waits_goes_on_waiting_for_the_last_maps(maps):
    measuring = Measuring()
    done = [found.done for found in iter(lambda: measuring.want(maps, 3), None)]
    assert done and done == sorted(done)


def test_a_lost_map_keeps_no_page_waiting_and_is_named(maps):
    maps[2].path.unlink()
    measuring = Measuring()
    wait(measuring, maps, 4)
    assert maps[2].peak(4) is None
    assert lost_maps([None, *(replace(one, name=one.key) for one in maps)], 4) == ["2"]
