"""The place in a demonstration that a link names: inspector, batch, scene and part, and sentences where one is gone."""

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.inspections.batches import list_batches
from workbench.inspectors.versions import find_inspector
from workbench.storage.tables import Batch, Inspector, Result
from workbench.viewer.show import SCENES
from workbench.widgets.shared import session
from workbench.widgets.show.entry import BACK

PAGES = ("home", "inspect", "evaluate")
GONE = (
    "The inspector of this link is not in use any more: it was deleted, or it belongs to another workspace. Choose "
    "another one on Home, or bring it back from the bin of the Library."
)


@dataclass(frozen=True)
class Shown:
    """The batch that is shown, with a sentence where the link asked for another."""

    batch: Batch | None
    notice: str = ""


def lost_inspector() -> str:
    """Return a sentence where the link names an inspector that cannot be shown; "" otherwise."""
    named = session.in_address("inspector")
    if named is None:
        return ""
    inspector = find_inspector(session.workspace(), named)
    usable = inspector is not None and inspector.current is not None and inspector.deleted is None
    return "" if usable else GONE


def batch_of(inspector: Inspector) -> Shown:
    """Return the batch of the link, else the one used last, else the newest."""
    batches = {str(one.id): one for one in list_batches(session.workspace(), inspector.id)}
    newest = next(iter(batches.values()), None)
    named = session.chosen("batch")
    if named in batches or named != session.in_address("batch") or named is None:
        return Shown(batches.get(named or "", newest))
    instead = "There is no other." if newest is None else f"{newest.name} is shown instead."
    return Shown(newest, f"The batch of this link is not here any more. {instead}")


def scene() -> str:
    """Return the scene of the link, else the first one."""
    named = session.in_address("scene")
    return named if named in SCENES else SCENES[0]


def part(results: Sequence[Result]) -> tuple[str, str]:
    """Return the part of the link ("" for none), and a sentence where it is not among the results."""
    named = session.in_address("part") or ""
    if not named or any(str(result.id) == named for result in results):
        return named, ""
    return "", "The part of this link is not here any more; the demonstration begins with the first part."


def leave() -> None:
    """Go back to the page that the demonstration was started from; Inspect without one."""
    back = session.in_address(BACK)
    chosen = {
        name: value for name in ("inspector", "batch") if (value := session.in_address(name)) is not None
    }
    session.open_page(f"pages/{back if back in PAGES else 'inspect'}.py", **chosen)
