"""Operating points of thresholds that a person chose, for the tests."""

from patchcore.thresholds.decision import BY_HAND, decide
from patchcore.thresholds.operating_point import Choice


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
