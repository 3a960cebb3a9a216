"""Operating points of thresholds that a person chose, for the tests."""

from patchcore.operating_point import Choice
from patchcore.thresholds import BY_HAND, decide


def by_hand(reject, evidence, bank_id, *, accept=None, pixel=None, **details):
    """Nothing is reviewed without `accept`; without `pixel` there are no regions. `details` are those of `decide`."""
    return decide(
        _hand(reject),
        evidence,
        bank_id,
        accept_rule=None if accept is None else _hand(accept),
        pixel_rule=None if pixel is None else _hand(pixel),
        **details,
    )


def _hand(value):
    return Choice(BY_HAND, {"value": value})
