"""Build: from a folder of good parts to an inspector, in steps that each close to one line."""

from workbench.widgets import build_result, build_steps, entry, session, theme

entry.by_app()

theme.page_title("Build", "An inspector learns from photographs of good parts alone.")

job_id = session.chosen_number("job")
if job_id:
    build_result.show(job_id)
else:
    build_steps.show()
