"""Words for scoring: how far it is, its place in line, and about how long it takes."""

from workbench.inspections.background_scorer import ScoringState
from workbench.inspections.turns.rows import Amount
from workbench.widgets.shared import wording

PLACES = {2: "second", 3: "third"}


def about(seconds: float) -> str:
    """Return an estimated duration, no finer than it is known: 5 s, 40 s, 3 min, 2 h 10 min."""
    if seconds < 10:
        return f"{max(1, round(seconds))} s"
    if seconds < 90:
        return f"{5 * round(seconds / 5)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60 // 10 * 10:02d} min"


def line(doing: str, amount: Amount, state: ScoringState) -> str:
    """Return how far a batch is: "Scoring 40/2,000, second in line, about 12 min left".

    Parameters
    ----------
    doing
        The work in a word or two.
    """
    if state.trial:
        return "Measuring the time of an image on the first images"
    words = [f"{doing} {wording.count(amount.scored)}/{wording.count(amount.images)}"]
    if state.place > 1:
        words.append(f"{PLACES.get(state.place, f'{state.place}th')} in line")
    if state.seconds_left is not None:
        words.append(f"about {about(state.seconds_left)} left")
    return ", ".join(words)


def stopped(amount: Amount) -> str:
    """Return how far a batch was when a person stopped it."""
    return f"Stopped at {wording.count(amount.scored)} of {wording.count(amount.images)}."


def start(verb: str, images: int, seconds: float | None) -> str:
    """Return the label of the button that starts long work: "Score 254 images, about 40 s"."""
    label = f"{verb} {wording.counted(images, 'image')}"
    return label if seconds is None else f"{label}, about {about(seconds)}"
