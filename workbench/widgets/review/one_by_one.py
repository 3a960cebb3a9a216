"""The page Review: one image after the other, decided by a key, and teaching what was called fine."""

from collections.abc import Callable, Sequence

import streamlit as st

from patchcore.methods import TEACH
from patchcore.thresholds.operating_point import OperatingPoint
from workbench.inspections.batches import get_result
from workbench.inspections.decisions import call_defect, call_fine, take_back
from workbench.inspectors.capabilities import refusal
from workbench.people.roles import Role
from workbench.storage.tables import GOOD, Batch, InspectorVersion, Result
from workbench.storage.workspace import Workspace
from workbench.tuning.evidence import tested_images
from workbench.tuning.review_queue import Queued, Unseen, called_fine, review_queue, skipped_last, unseen
from workbench.viewer import Thresholds
from workbench.widgets.review import random_draw, teaching_view
from workbench.widgets.shared import access, detail_view, notice, session, wording
from workbench.widgets.shared.scoring import bar
from workbench.widgets.tune import advice

CHOICE = "queued"  # id of the result that is looked at, in the address
SKIPPED, DONE = "review_skipped", "review_done"  # ids of results, in this session, in the order of the steps
LINK = "review"
SCORING = bar.Purpose(verb="Inspect", why="They join the queue where they call for a person.")


def waiting(version: InspectorVersion) -> list[Queued]:
    """Return the queue as this session works through it, or the images drawn at random: skipped images come last."""
    drawn = random_draw.batch_in_hand(version)
    queue = (
        review_queue(session.workspace(), version) if drawn is None else random_draw.waiting(version, drawn)
    )
    return skipped_last(queue, st.session_state.get(SKIPPED, ()))


def left(queue: Sequence[Queued], drawn: Batch | None = None) -> str:
    """Return in a sentence how many images wait, in the queue or of those drawn at random from a batch."""
    if drawn is not None:
        return random_draw.left(len(queue))
    if not queue:
        return "Nothing waits for a decision."
    disagree = sum(one.disagrees for one in queue)
    words = f"{wording.counted(len(queue), 'image')} left to decide on"
    if not disagree:
        return f"{words}."
    which = f"{disagree} of them" if len(queue) > 1 else "it is"
    return f"{words}, {which} labelled otherwise than judged."


def show(version: InspectorVersion, queue: Sequence[Queued]) -> None:
    """Draw the image whose turn it is, or that all is done; then the images to teach, and those not scored."""
    fine, drawn = called_fine(session.workspace(), version), random_draw.batch_in_hand(version)
    if queue:
        _work(version, queue, drawn is not None)
    if drawn is not None:
        if not queue:
            _undo_button()
        random_draw.ways_out(drawn, done=not queue)
        notice.show()
        return
    if not queue:
        _nothing_left(fine)
    notice.show()
    if any(one.disagrees and one.verdict == "accept" for one in queue):
        advice.show(version, tested_images(session.workspace(), version), "review")
    _teach(version, fine, bool(queue))
    _unseen(version, unseen(session.workspace(), version))


def reason(one: Queued, point: OperatingPoint) -> str:
    """Return in a sentence why an image waits."""
    score, truth = wording.score(one.result.score or 0.0), one.result.image.truth
    accept, reject = wording.score(point.accept), wording.score(point.reject)
    label = "" if truth is None else f"It is labelled {'good' if truth == GOOD else truth.replace('_', ' ')}."
    if one.disagrees:
        verdict = {"accept": f"accepted, not above {accept}", "reject": f"rejected, above {reject}"}
        judged = verdict.get(one.verdict, one.verdict)
        by = "" if point.judge_by == "score" else " or by its regions"
        return f"Score {score}: {judged}{by}. {label} One of the two is wrong."
    by_patches = one.result.score is not None and one.result.score > point.accept
    if one.result.doubts and point.picture_check and not (point.judge_by == "score" and by_patches):
        return f"Score {score}: the whole picture is doubtful. {label}".strip()
    if point.judge_by != "score":
        return f"Score {score}: score and regions call for a person. {label}".strip()
    return f"Score {score}: in the review band, {accept} to {reject}. {label}".strip()


def _work(version: InspectorVersion, queue: Sequence[Queued], drawn: bool) -> None:
    chosen = session.chosen_number(CHOICE)
    place = next((i for i, one in enumerate(queue) if one.result.id == chosen), 0)
    one, point = queue[place], OperatingPoint.from_dict(version.operating_point)
    name = session.sentence(one.result.image.name)
    why = f"Drawn at random. Score {wording.score(one.result.score)}." if drawn else reason(one, point)
    st.markdown(f"**{name}** from {session.sentence(one.batch)}. {session.sentence(why)}")
    _keys(queue, place)

    detail_view.look(
        one.result, version, Thresholds.of(point), point, key="review_detail", link=LINK, reveal=False
    )


def _keys(queue: Sequence[Queued], place: int) -> None:
    result, ids = queue[place].result, [one.result.id for one in queue]
    after = ids[place + 1] if place + 1 < len(ids) else ids[0]
    with st.container(horizontal=True, vertical_alignment="center", key="review_keys"):
        for label, key, what in (("Fine", "F", call_fine), ("Defect", "D", call_defect)):
            access.button(
                label,
                Role.OPERATE,
                shortcut=key,
                key=f"review_{key}",
                on_click=_decide,
                args=(what, result, after),
            )
        st.button("Skip", shortcut="S", key="review_S", on_click=_skip, args=(result, after))
        _undo_button()
        st.space("stretch")
        st.caption(f"{place + 1} of {len(ids)}", width="content")
        before = ids[place - 1] if place else None
        following = ids[place + 1] if place + 1 < len(ids) else None
        for label, key, target in (("Previous", "Left", before), ("Next", "Right", following)):
            st.button(
                label,
                shortcut=key,
                key=f"review_{key}",
                disabled=target is None,
                on_click=session.choose,
                args=(CHOICE, target or 0),
            )


def _undo_button() -> None:
    access.button(
        "Undo",
        Role.OPERATE,
        shortcut="U",
        key="review_U",
        disabled=not _done(),
        on_click=_undo,
        help="Undoes your last decision here and shows the image again.",
    )


def _decide(what: Callable[[Workspace, Result], None], result: Result, after: int) -> None:
    if notice.attempt(what, result):
        _done().append(result.id)
        session.choose(CHOICE, after)


def _skip(result: Result, after: int) -> None:
    skipped: list[int] = st.session_state.setdefault(SKIPPED, [])
    if result.id in skipped:
        skipped.remove(result.id)
    skipped.append(result.id)
    session.choose(CHOICE, after)


def _done() -> list[int]:
    """Return the results decided here, of the inspector in use alone: an undo takes back what its person sees."""
    of_inspectors: dict[object, list[int]] = st.session_state.setdefault(DONE, {})
    return of_inspectors.setdefault(st.session_state.get("inspector"), [])


def _undo() -> None:
    last = _done().pop()
    notice.attempt(take_back, get_result(session.workspace(), last))
    session.choose(CHOICE, last)


def _nothing_left(fine: Sequence[Result]) -> None:
    with st.container(border=True, key="panel_review_empty"):
        st.markdown(
            "Images come here when their score lies in the review band, or when the verdict contradicts the label."
        )
        with st.container(horizontal=True):
            _undo_button()
            if st.button("Inspect images", type="secondary" if fine else "primary"):
                session.open_page("pages/inspect.py")
            if st.button("Tune the threshold"):
                session.open_page("pages/tune.py")


def _teach(version: InspectorVersion, fine: Sequence[Result], more: bool) -> None:
    """Offer to teach all images that were called fine, in one step."""
    if not fine:
        return
    if lack := refusal(version, TEACH):
        st.caption(lack)
        return
    if teaching_view.asked():
        teaching_view.show(version, fine)
        return
    number = "image" if len(fine) == 1 else f"{len(fine)} images"
    with st.container(horizontal=True, vertical_alignment="center", key="review_teach"):
        access.button(
            f"Teach the {number} you called fine",
            Role.ENGINEER,
            key="teach_all",
            type="secondary" if more else "primary",
            on_click=teaching_view.ask,
            args=(fine,),
            help="You see which verdicts would change before anything is stored.",
        )
        if not access.may(Role.ENGINEER):
            st.caption("That takes the role engineer.", width="content")


def _unseen(version: InspectorVersion, batches: Sequence[Unseen]) -> None:
    """Name the batches that the version in use has not scored, and have them scored when asked."""
    if not batches:
        return
    with st.container(key="review_unseen"):
        images = wording.counted(sum(one.images for one in batches), "image")
        st.caption(_unseen_words(images, batches))
        bar.everything_scored([one.batch_id for one in batches], version, "review_scoring", SCORING)


def _unseen_words(images: str, batches: Sequence[Unseen]) -> str:
    names = ", ".join(session.sentence(one.name) for one in batches[:3])
    rest = f" and {len(batches) - 3} more" if len(batches) > 3 else ""
    return f"The version in use has not scored {images}, so these are not in the queue: {names}{rest}."
