"""Widgets of several pages: session, access, theme, wording, pictures."""
