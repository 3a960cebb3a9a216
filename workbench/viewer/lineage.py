"""The origin of a value: the page, which the browser must follow, or the browser, which hears its own echo.

A page usually returns a viewer's value, at once (by a callback) or one run later. Neither may disturb the user's next
drag. Only a value that no viewer has reported is the page's own change.
"""

import secrets
from dataclasses import dataclass, field


@dataclass
class Lineage:
    """The values that have passed between a page and the viewers of one link, as texts."""

    page_value: str | None = None
    report: str | None = None
    earlier_report: str | None = None
    page_changes: int = 0
    name: str = field(default_factory=lambda: secrets.token_hex(4))

    def tell(self, text: str) -> None:
        """Note a value that a viewer has just reported to the page."""
        self.earlier_report, self.report = self.report, text

    def give(self, text: str) -> bool:
        """Note a value from the page; return whether it is the page's own change."""
        is_change = self.page_value is not None and text not in (
            self.page_value,
            self.report,
            self.earlier_report,
        )
        if is_change:
            self.page_changes += 1
            self.report = self.earlier_report = (
                None  # from here on, returning an earlier reported value is a change as well
            )
        elif text in (self.report, self.earlier_report):
            self.earlier_report = None  # an echo comes late once, not for ever
        self.page_value = text
        return is_change

    @property
    def revision(self) -> str:
        """Return a text that changes whenever the browser must follow the page."""
        return f"{self.name}:{self.page_changes}"


def lineage_of(link: str) -> Lineage:
    """Return the lineage of a link in this session."""
    import streamlit as st

    found: Lineage = st.session_state.setdefault(f"{link}:lineage", Lineage())
    return found
