"""Thresholds that hold on a day not seen: whole sessions of good images are left out, and the worst of them decides.

A score of a good image by the others comes from images of its own day too, so it is lower than the score of a part of
another day. Scores without the whole session are not. They answer two questions: how would a threshold have judged good
parts of a day that was not learned from (`check_on_sessions`), and which threshold would have held on each of them
(`from_sessions`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from patchcore.errors import DataError
from patchcore.statistics.intervals import Interval, clopper_pearson, count, finite_scores, percent
from patchcore.thresholds.declaration import UNSEEN, Rule
from patchcore.thresholds.from_good import BUDGET, GoodThreshold, conformal_rank, images_needed, promise
from patchcore.thresholds.operating_point import Evidence

ONE_SESSION = (
    "All good images count as one session, such as one day in one light. So nothing here shows how good parts of "
    "another day will score; on another day several times as many may be rejected. Add good images of a second day."
)


@dataclass(frozen=True)
class SessionRejects:
    """How many good images of a session a threshold rejects that is scored by the other sessions alone."""

    name: str
    images: int
    rejected: int

    @property
    def rate(self) -> float:
        """The share that is rejected."""
        return self.rejected / self.images

    @property
    def interval(self) -> Interval:
        """Clopper-Pearson interval of the share."""
        return clopper_pearson(self.rejected, self.images)


@dataclass(frozen=True)
class SessionCheck:
    """A threshold checked on sessions that were left out in turn.

    Attributes
    ----------
    threshold
        The score above which an image is rejected.
    sessions
        Each of them, in the order of their names.
    promised
        Good images that the threshold rejects where only the image itself is left out, of how many.
    """

    threshold: float
    sessions: tuple[SessionRejects, ...]
    promised: tuple[int, int]

    @property
    def worst(self) -> SessionRejects:
        """The session with the largest share of rejects; of several the one with most images."""
        return max(self.sessions, key=lambda session: (session.rate, session.images))

    @property
    def rejected(self) -> int:
        """Good images that are rejected where their session is left out."""
        return sum(session.rejected for session in self.sessions)

    @property
    def images(self) -> int:
        """Good images in all sessions."""
        return sum(session.images for session in self.sessions)

    @property
    def sentence(self) -> str:
        """The promise, and what it would have been on a day not seen."""
        low, high = self.worst.interval
        return (
            f"With each image left out alone, {self.promised[0]:,} of {count(self.promised[1], 'good image')} are "
            f"rejected. With its whole session left out, as on a day not seen, {self.rejected:,} of {self.images:,} "
            f"({percent(self.rejected / self.images)}). The worst session, {self.worst.name}: {self.worst.rejected:,} "
            f"of {self.worst.images:,} (95 % confidence: {percent(low)} to {percent(high)})."
        )


def check_on_sessions(evidence: Evidence, threshold: float) -> SessionCheck | None:
    """Judge the good images by a threshold, each scored without its whole session; None for fewer than two sessions."""
    by_session = evidence.by_session
    if len(by_session) < 2:
        return None
    good = np.array([evidence.good[sha256] for sha256 in evidence.unseen if sha256 in evidence.good])
    return SessionCheck(
        threshold,
        tuple(_rejects(dict(sorted(by_session.items())), threshold)),
        (int(np.count_nonzero(good > threshold)), len(good)),
    )


def from_sessions(sessions: Mapping[str, Sequence[float]], budget: float) -> GoodThreshold:
    """Set the threshold that keeps to a false-reject budget in each session, scored by the other sessions alone.

    In each session it is the score that `from_good` would choose, or the largest one where the session has too few
    images for the budget; the largest of these counts. If a further day is to the days here as they are to each other,
    it needs a higher threshold with a chance of at most 1 in the number of sessions and one.

    Parameters
    ----------
    sessions
        Scores of the good images of each session, by the other sessions alone.
    budget
        Share of good parts of any session that may be rejected, between 0 and 1.

    Raises
    ------
    DataError
        Fewer than two sessions, or a score that is not a finite number.
    SettingsError
        The budget is not between 0 and 1.

    Examples
    --------
    >>> from_sessions({"monday": [1, 2, 3], "tuesday": [2, 4, 5]}, 0.25).value
    5.0
    """
    if len(sessions) < 2:
        raise DataError(
            "There is no score of a good image by the images of other days: all are of one session. Add good images of "
            "a second day, or say at Build which images were taken together."
        )
    needed = images_needed(budget)
    scores = {name: np.sort(finite_scores(values)) for name, values in sessions.items()}
    value = max(_of_session(values, budget) for values in scores.values())
    check = _rejects(scores, value)
    worst = max(check, key=lambda session: (session.rate, session.interval[1]))
    total, rejected = sum(part.images for part in check), sum(part.rejected for part in check)
    few = [part.name for part in check if part.images < needed]
    statement = (
        f"Set so that good parts hold on each of {count(len(check), 'session')}, scored by the other sessions alone: "
        f"{promise(budget)} of any session is rejected. In the worst, {worst.name}, it rejects {worst.rejected:,} of "
        f"{worst.images:,}; with 95 % confidence its rate lies between {percent(worst.interval[0])} and "
        f"{percent(worst.interval[1])}. About 1 further day in {len(check) + 1:,} is stranger than all of these."
    )
    if few:
        statement += (
            f" {count(len(few), 'session')} {'has' if len(few) == 1 else 'have'} fewer than {needed:,} images, so the "
            "largest score counts there."
        )
    return GoodThreshold(value, 0, statement, worst.interval, budget, total, rejected, provisional=bool(few))


def _of_session(values: NDArray[np.float64], budget: float) -> float:
    return float(values[min(conformal_rank(values.size, budget), values.size) - 1])


def _rejects(scores: Mapping[str, NDArray[np.float64]], threshold: float) -> list[SessionRejects]:
    return [
        SessionRejects(name, values.size, int(np.count_nonzero(values > threshold)))
        for name, values in scores.items()
    ]


SESSIONS = Rule(
    "from_sessions",
    "Holds on a day not seen",
    from_sessions,
    needs=UNSEEN,
    good_only=True,
    by_session=True,
    parameters=BUDGET.parameters,
    choice="Holds on a day not seen, 1 good part in …",
    rank=1,
    review="What scores like the worst 1 good part in … of a day not seen",
    report="Reject {budget} of any session, each scored by the other sessions alone",
    brief="rejects at most {budget} of a session not seen",
)
