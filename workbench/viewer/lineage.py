"""The origin of a value: the page, which the browser must follow, or the browser, which hears its own echo.

A page usually returns a viewer's value, at once (by a callback) or one run later. Neither may disturb the user's next
drag. Only a value that no viewer has reported is the page's own change.
"""

import secrets
from dataclasses import dataclass, field


@dataclass
class Lineage:
    """The values that have passed between a page and the viewers of one link, as texts."""

    given: str | None = None
    told: str | None = None
    told_before: str | None = None
    wishes: int = 0
    name: str = field(default_factory=lambda: secrets.token_hex(4))

    def tell(self, text: str) -> None:
        """Note a value that a viewer has just reported to the page."""
        self.told_before, self.told = self.told, text

    def give(self, text: str) -> bool:
        """Note a value from the page; return whether it is the page's own change."""
        wish = self.given is not None and text not in (self.given, self.told, self.told_before)
        if wish:
            self.wishes += 1
            self.told = self.told_before = (
                None  # from here on, returning an earlier reported value is a change as well
            )
        elif text in (self.told, self.told_before):
            self.told_before = None  # an echo comes late once, not for ever
        self.given = text
        return wish

    @property
    def revision(self) -> str:
        """Return a text that changes whenever the browser must follow the page."""
        return f"{self.name}:{self.wishes}"


def lineage_of(link: str) -> Lineage:
    """Return the lineage of a link in this session."""
    import streamlit as st

    found: Lineage = st.session_state.setdefault(f"{link}:lineage", Lineage())
    return found
