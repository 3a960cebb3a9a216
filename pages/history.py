"""History: every verdict that was given, found again by name or time, with what it rested on and how scores move."""

import streamlit as st

from workbench import history_query
from workbench.widgets import (
    entry,
    history_detail,
    history_filters,
    history_keeping,
    history_table,
    history_trend,
    sample,
    session,
    theme,
    wording,
)

entry.by_app()

here = session.workspace()
inspector = session.inspector_in_use()
since = history_query.kept_since(here)
if since is None:
    theme.page_title("History", "Every verdict, found again in three months, with what it rested on.")
    if inspector is None:
        sample.nothing_yet("History")
    else:
        history_table.nothing_yet(inspector)
    st.stop()

opened = history_detail.opened()
if opened is not None:
    history_detail.show(opened)
    st.stop()

theme.page_title("History", f"Every verdict since {wording.moment(since)}, newest first.")
wanted = history_filters.choose(inspector)
counts = history_query.count(here, wanted)
history_trend.show(wanted, counts)
history_table.show(wanted, counts)
history_keeping.show()
