"""The order of turns: the batch with the least work left goes first, and no batch waits for ever."""

from collections.abc import Sequence
from dataclasses import dataclass

TURN_SECONDS = 0.5  # of work on one batch before another may follow; an image is always finished
EVERY = 4  # every fourth turn goes to the batch that has waited longest, so that none starves
GUESS = 0.3  # seconds of an image, as long as they are unknown
STEPS = 40  # of the forecast


@dataclass
class Place:
    """A batch in the queue.

    Attributes
    ----------
    arrived
        Its number in the order of arrival.
    remaining
        Images still to be scored.
    seconds
        Time of an image; None as long as it is unknown.
    last_turn
        Number of its latest turn, else of the turn at which it arrived.
    """

    arrived: int
    remaining: int
    seconds: float | None = None
    last_turn: int = 0

    @property
    def each(self) -> float:
        """Seconds of an image, guessed where they are unknown."""
        return self.seconds or GUESS


def ranking(places: Sequence[Place]) -> list[int]:
    """Return the indices of the places, the first in line first."""
    return _ranked(places, [place.remaining * place.each for place in places])


def next_place(places: Sequence[Place], turn: int) -> int:
    """Return the index of the place whose turn it is.

    Parameters
    ----------
    turn
        Number of the turn; turns are counted without a gap.
    """
    if turn % EVERY == EVERY - 1:
        return min(range(len(places)), key=lambda one: (places[one].last_turn, places[one].arrived))
    return ranking(places)[0]


def seconds_left(places: Sequence[Place]) -> list[float]:
    """Return the seconds until each place is through, if no other batch arrives."""
    work = [place.remaining * place.each for place in places]
    found, now, longest = [0.0] * len(places), 0.0, sum(work) / STEPS
    waiting = [one for one in range(len(places)) if work[one]]
    while waiting:
        order = [one for one in _ranked(places, work) if one in waiting]
        speeds = _speeds([max(TURN_SECONDS, places[one].each) for one in order])
        ends = [work[one] / speed for one, speed in zip(order, speeds, strict=True)]
        step = min(longest, *ends)  # no longer, because the order may change
        now += step
        for one, speed, end in zip(order, speeds, ends, strict=True):
            work[one] -= step * speed
            if end <= step:
                work[one], found[one] = 0.0, now
                waiting.remove(one)
    return found


def _ranked(places: Sequence[Place], work: Sequence[float]) -> list[int]:
    return sorted(range(len(places)), key=lambda one: (work[one], places[one].arrived))


def _speeds(turns: Sequence[float]) -> list[float]:
    """Return each place's share of the time, the first in line first.

    Parameters
    ----------
    turns
        Seconds of a turn of each.
    """
    others = len(turns) - 1
    if not others:
        return [1.0]
    often = [float(EVERY - 1), *[1 / others] * others]  # turns in a round of `EVERY`
    weights = [times * seconds for times, seconds in zip(often, turns, strict=True)]
    return [weight / sum(weights) for weight in weights]
