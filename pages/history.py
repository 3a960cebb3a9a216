"""History: every verdict, found by name or time, with the thresholds of its time, and scores over time."""

import streamlit as st

from workbench.inspections import history_query
from workbench.widgets.history import detail, filters, keeping, table, trend
from workbench.widgets.shared import page_guard, sample, session, theme, wording

page_guard.by_app()

here = session.workspace()
inspector = session.inspector_in_use()
since = history_query.kept_since(here)
if since is None:
    theme.page_title("History", "Every verdict, found again in three months, with what it rested on.")
    if inspector is None:
        sample.nothing_yet("History")
    else:
        table.nothing_yet(inspector)
    st.stop()

opened = detail.opened()
if opened is not None:
    detail.show(opened)
    st.stop()

theme.page_title("History", f"Every verdict since {wording.moment(since)}, newest first.")
wanted = filters.choose(inspector)
counts = history_query.count(here, wanted)
trend.show(wanted, counts)
table.show(wanted, counts)
keeping.show()
