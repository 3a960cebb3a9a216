"""Review: decide, one after the other, on the images that the inspector in use leaves to a person."""

from workbench.widgets.review import one_by_one, random_draw, teaching_view
from workbench.widgets.shared import page_guard, sample, theme

page_guard.by_app()

_inspector, version = sample.inspector_or_stop(
    "Review", "Decide on the images that the inspector leaves to a person."
)
waiting = one_by_one.waiting(version)
theme.page_title("Review", one_by_one.left(waiting, random_draw.batch_in_hand(version)))
teaching_view.notice(version)
one_by_one.show(version, waiting)
