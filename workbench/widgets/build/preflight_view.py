"""The check of the good images: counts, sizes, warnings, files left out with their reasons, and thumbnails."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from patchcore.disk.work_notes import STOPPED
from workbench.people.roles import Role
from workbench.uploads.image_set import LeftOut
from workbench.uploads.preflight import CheckedImage, Preflight, try_stopped_again
from workbench.widgets.shared import access, session, theme, wording
from workbench.widgets.shared.pictures import picture_tag

THUMBNAILS = 48


def show(found: Preflight) -> None:
    """Draw the check of a set of images, before anything is computed."""
    st.html(_numbers_html(found))
    for warning in found.warnings:
        st.warning(session.sentence(warning))
    for remark in found.remarks:
        st.info(session.sentence(remark))
    left_out = [*found.broken, *found.left_out]
    if left_out:
        with st.expander(
            f"{wording.counted(len(left_out), 'file')} left out, each with its reason", expanded=True
        ):
            st.html(_left_out_html(left_out))
            _try_again(found)
    if found.duplicates:
        copies = sum(len(names) - 1 for names in found.duplicates)
        with st.expander(f"{wording.counted(copies, 'exact copy', 'exact copies')}, counted once"):
            st.html("<br>".join(escape(" = ".join(names)) for names in found.duplicates[:100]))
    if found.usable:
        st.html(thumbnails_html(found.usable))


def _try_again(found: Preflight) -> None:
    """Offer to have files read again on which the program was stopped."""
    if any(file.reason.startswith(STOPPED) for file in found.broken):
        with st.container(horizontal=True, vertical_alignment="center"):
            access.button(
                "Allow another try",
                Role.OPERATE,
                key="try_stopped_again",
                on_click=try_stopped_again,
                args=(session.workspace(),),
            )
            st.caption(
                "After a fix: with more memory, or a newer version of the program. Then bring the files in "
                "once more.",
                width="stretch",
            )


def summary(found: Preflight) -> str:
    """Return one line: 412 images, 512 × 512 px, 8 bits; 4 left out."""
    left_out = len(found.broken) + len(found.left_out)
    words = [wording.counted(len(found.distinct), "image"), _sizes(found)]
    if left_out:
        words.append(f"{left_out} left out")
    return ", ".join(words)


def thumbnails_html(images: Sequence[CheckedImage]) -> str:
    """Return the first images as small pictures, names escaped."""
    tags = [picture_tag(theme.data_uri(image.thumbnail_jpeg), image.name) for image in images[:THUMBNAILS]]
    more = len(images) - THUMBNAILS
    rest = f'<p class="pc-mute">and {wording.counted(more, "more image")}</p>' if more > 0 else ""
    return f'<div class="pc-thumbs">{"".join(tags)}</div>{rest}'


def _numbers_html(found: Preflight) -> str:
    usable = "Files that can be read; exact copies count once."
    return theme.numbers_html(
        [
            ("Usable images", wording.count(len(found.distinct)), usable),
            ("Size", escape(_sizes(found)), "Width and height; the most frequent one."),
            ("Bits", ", ".join(str(bits) for bits in found.bit_depths) or "–", "Bits a sample, as stored."),
            ("Colour", escape(", ".join(found.colours)) or "–", ""),
            ("Format", escape(", ".join(found.formats)) or "–", ""),
            (
                "Left out",
                wording.count(len(found.broken) + len(found.left_out)),
                "Listed below with reasons.",
            ),
        ]
    )


def _sizes(found: Preflight) -> str:
    if not found.sizes:
        return "–"
    (width, height), _ = found.sizes[0]
    others = len(found.sizes) - 1
    more = f" and {others} more" if others else ""
    return f"{width} × {height} px{more}"


def _left_out_html(files: Sequence[LeftOut]) -> str:
    rows = [(escape(file.name), escape(file.reason)) for file in files[:200]]
    more = f"<p>and {len(files) - 200:,} more</p>" if len(files) > 200 else ""
    return theme.table_html(rows, look="") + more
