"""The order of turns and the time left, against a slow simulation that takes turn after turn."""

import numpy as np
import pytest

from workbench.inspections.turns.order import (
    EVERY,
    GUESS,
    TURN_SECONDS,
    Place,
    next_place,
    ranking,
    seconds_left,
)


def simulated(places):
    """Seconds until each place is through, turn by turn."""
    places = [Place(one.arrived, one.remaining, one.seconds) for one in places]
    done, now, turn = [0.0] * len(places), 0.0, 0
    while any(place.remaining for place in places):
        left = [number for number, place in enumerate(places) if place.remaining]
        number = left[next_place([places[one] for one in left], turn)]
        place, until = places[number], now + TURN_SECONDS
        while place.remaining and now < until:
            place.remaining, now = place.remaining - 1, now + place.seconds
        turn += 1
        place.last_turn, done[number] = turn, now
    return done


def test_the_batch_with_the_least_work_left_is_first_in_line_then_the_one_that_came_first():
    places = [Place(0, 2000), Place(1, 20), Place(2, 20), Place(3, 254), Place(4, 30, seconds=0.1)]
    assert ranking(places) == [4, 1, 2, 3, 0]
    assert next_place(places, 0) == 4


@pytest.mark.parametrize("waiting", [2, 3, 9])
def test_no_batch_starves_while_smaller_ones_arrive_without_end(waiting):
    places = [Place(number, 10 + number, 0.1) for number in range(waiting)]
    places[-1].remaining = 2000
    turns = [0] * waiting
    for turn in range(40 * waiting):
        number = next_place(places, turn)
        turns[number] += 1
        places[number].last_turn = turn + 1
        places[-1].remaining -= number == waiting - 1  # the others stay small: new images come all the time
    assert min(turns) >= 40 // EVERY - 1
    assert turns[0] >= 40 * waiting * (EVERY - 1) // EVERY  # and the smallest has most of the time


@pytest.mark.parametrize("seed", range(8))
def test_the_time_left_agrees_with_the_turns_as_they_are_taken(seed):
    rng = np.random.default_rng(seed)
    places = [
        Place(number, int(rng.integers(5, 600)), float(rng.choice([0.02, 0.1, 0.7, 2.0])))
        for number in range(int(rng.integers(1, 5)))
    ]
    expected = simulated(places)
    found = seconds_left(places)
    assert all(abs(ours - truth) <= truth / 3 + 2 for ours, truth in zip(found, expected, strict=True))
    assert max(found) == pytest.approx(sum(one.remaining * one.seconds for one in places))


def test_an_unknown_time_of_an_image_is_guessed():
    assert seconds_left([Place(0, 10)]) == [pytest.approx(10 * GUESS)]
