"""The state of a watched folder in words, with a sign and a colour."""

from collections.abc import Sequence
from datetime import datetime
from html import escape
from pathlib import Path

from patchcore.images.file_names import display_name
from patchcore.labels.layout import few
from workbench.jobs.requests import JobState
from workbench.watching.outputs.registry import summaries
from workbench.watching.standing import WatchState
from workbench.watching.verdict import VerdictRecord
from workbench.widgets.shared import wording
from workbench.widgets.shared.verdicts import VERDICTS


def watched_name(state: WatchState) -> str:
    """Return the folder's own name, without its path."""
    return display_name(Path(state.folder).name or state.folder)


def sign(state: WatchState) -> str:
    """Return a word with its sign, as HTML."""
    if state.job_state == JobState.FAILED:
        return '<span class="pc-reject">✕ Stopped</span>'
    if state.trouble:
        return '<span class="pc-review">! Waiting</span>'
    if state.job_state != JobState.RUNNING:
        return '<span class="pc-accent">○ Starting</span>'
    return '<span class="pc-accent">● Watching</span>'


def state_html(state: WatchState) -> str:
    """Return the state of a watch as lines of HTML."""
    lines = [
        f"{sign(state)} <b>{escape(display_name(state.folder))}</b>",
        f"since {wording.moment(state.since)}, by {escape(state.made_by)}; {_what_is_done(state)}",
        f"{wording.counted(state.today, 'image')} today{_last(state.last)}",
    ]
    if state.last is not None and state.last.remarks:
        lines.append(escape(f"{display_name(state.last.file)}: {' '.join(state.last.remarks)}"))
    if state.last is not None and state.last.doubts:
        doubts = " ".join(doubt["sentence"] for doubt in state.last.doubts)
        lines.append(f"{escape(display_name(state.last.file))}, whole picture: {escape(doubts)}")
    lines += _set_aside(state.set_aside)
    if state.trouble:
        colour = "reject" if state.job_state == JobState.FAILED else "review"
        lines.append(f'<span class="pc-{colour}">{escape(state.trouble)}</span>')
    return '<div class="pc-watch pc-num">' + "".join(f"<div>{line}</div>" for line in lines) + "</div>"


def _set_aside(files: Sequence[VerdictRecord]) -> list[str]:
    """Return a line on the latest file that was set aside, with its reason, and one with the names of others."""
    names = [display_name(one.file) for one in files]
    words = [f"! Set aside: {names[0]}: {files[0].error}"] if files else []
    if names[1:]:
        words.append(f"Also set aside, with their reasons in History: {few(names[1:])}")
    return [f'<span class="pc-review">{escape(one)}</span>' for one in words]


def _what_is_done(state: WatchState) -> str:
    done = [escape(words) for words in summaries(state.options.outputs)]
    if state.options.subfolders:
        done.append("with the folders below")
    return ", ".join(done) or "images stay where they are"


def _last(record: VerdictRecord | None) -> str:
    if record is None:
        return ""
    moment = wording.moment(datetime.fromisoformat(record.time))
    name = escape(display_name(record.file))
    if record.score is None:
        return f'; last {name}, <span class="pc-review">! not scored</span>, {moment}'
    verdict = "not judged" if record.verdict is None else VERDICTS[record.verdict]
    return f"; last {name}, {verdict} at {wording.score(record.score)}, {moment}"
