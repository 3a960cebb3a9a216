"""Who moved a value last: the page, which the browser must follow, or the browser itself, hearing its own echo.

A page usually gives back what a viewer has told it, at once (by a callback) or one run later. Neither may disturb
what the user does meanwhile. Only a value that the viewers have not told themselves is the page's own wish.
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
        """Note what a viewer has just told the page."""
        self.told_before, self.told = self.told, text

    def give(self, text: str) -> bool:
        """Note what the page gives; return whether it is the page's own wish."""
        wish = self.given is not None and text not in (self.given, self.told, self.told_before)
        if wish:
            self.wishes += 1
            self.told = self.told_before = (
                None  # from here on, giving back what was told before is a wish as well
            )
        elif text in (self.told, self.told_before):
            self.told_before = None  # an echo comes late once, not for ever
        self.given = text
        return wish

    @property
    def revision(self) -> str:
        """Return what changes whenever the browser must follow the page."""
        return f"{self.name}:{self.wishes}"


def lineage_of(link: str) -> Lineage:
    """Return the lineage of a link in this session."""
    import streamlit as st

    found: Lineage = st.session_state.setdefault(f"{link}:lineage", Lineage())
    return found
