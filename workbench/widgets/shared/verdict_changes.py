"""Images whose verdict would change, as cards: before teaching, and before good images are removed."""

from collections.abc import Sequence
from html import escape

from patchcore.thresholds.operating_point import Verdict
from workbench.storage.tables import GOOD
from workbench.tuning.teaching_preview import VerdictChange
from workbench.widgets.shared import session, wording
from workbench.widgets.shared.pictures import name_html, thumbnail_tag
from workbench.widgets.shared.verdicts import verdict_html

SHOWN = 24  # changed images with a picture


def cards_html(changes: Sequence[VerdictChange]) -> str:
    """Return changed verdicts as cards, in their order."""
    cards = "".join(_card(change) for change in changes[:SHOWN])
    more = len(changes) - SHOWN
    rest = f'<p class="pc-mute">and {wording.counted(more, "more image")}</p>' if more > 0 else ""
    return f'<ul class="pc-changes pc-num">{cards}</ul>{rest}'


def _card(change: VerdictChange) -> str:
    image = change.result.image
    picture = thumbnail_tag(session.workspace(), image.sha256, image.name)
    truth = "good" if image.truth == GOOD else (image.truth or "").replace("_", " ")
    label = f'<span class="pc-mute">labelled {escape(truth)}</span>' if truth else ""
    if change.is_escape or (change.loses_rejection and change.is_defect):
        label = f'<b class="pc-reject">! labelled {escape(truth)}</b>'
    grave = ' class="pc-grave"' if change.loses_rejection else ""
    return (
        f"<li{grave}>{picture}<div><b>{name_html(image.name)}</b>"
        f"<span>{_verdict(change.before)} → {_verdict(change.after, change.is_defect)}</span>"
        f'<span class="pc-mute">{wording.score(change.result.score or 0.0)} → {wording.score(change.score)}</span>'
        f"{label}</div></li>"
    )


def _verdict(verdict: Verdict | None, defect: bool | None = None) -> str:
    return '<span class="pc-mute">no verdict</span>' if verdict is None else verdict_html(verdict, defect)
