"""Inspect."""
from workbench.widgets import theme
theme.page_title("Inspect")
