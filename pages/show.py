"""Show: a demonstration, full screen, for people who were not in the room."""

from workbench.widgets.shared import page_guard
from workbench.widgets.show import stage

page_guard.by_app()

stage.page()
