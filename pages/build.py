"""Build: from a folder of good parts to an inspector, in steps that each close to one line."""

from workbench.widgets.build import result, steps
from workbench.widgets.shared import page_guard, session, theme

page_guard.by_app()

theme.page_title("Build", "An inspector learns from photographs of good parts alone.")

job_id = session.chosen_number("job")
if job_id:
    result.show(job_id)
else:
    steps.show()
