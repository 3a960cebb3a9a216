"""A link changes nothing: addresses come from anywhere."""

import json

import pytest

from workbench.storage import clock
from workbench.upkeep.backups.portable_rows import dump_rows, tables_in_order

NUMBERS = ("0", "1", "-1", "999999", "1e9", "x", "")


NINES = "9" * 49

# Scores, maps and explanations are computed once when they are first looked at; good images in a batch of theirs.
COMPUTED = {"results", "scorings"}


def contents(workspace):
    """Return every row of every table that holds what people did."""
    tables = [table for table in tables_in_order() if table.name not in COMPUTED]
    with workspace.database.snapshot() as connection:
        found = {table.name: list(map(json.loads, dump_rows(connection, table))) for table in tables}
    good = {batch["id"] for batch in found["batches"] if batch["kind"] == "good"}
    found["batches"] = [batch for batch in found["batches"] if batch["id"] not in good]
    found["batch_images"] = [image for image in found["batch_images"] if image["batch_id"] not in good]
    # The daily round of the job queue may write the mark of the clock at any moment.
    found["preferences"] = [row for row in found["preferences"] if row["name"] != clock.MARK]
    return found


@pytest.mark.parametrize("number", NUMBERS)
def test_a_link_does_not_build_the_sample(empty, open_app, number):
    before = contents(empty)
    app = open_app("home", sample_job=number)
    app.run()
    assert contents(empty) == before
    assert any(button.label == "Open the sample product" for button in app.button)


@pytest.mark.parametrize(
    ("page", "address"),
    [
        ("home", {"sample_job": "1", "inspector": "sample-washer"}),
        ("inspect", {"sample_job": "0", "batch": "1", "image": "1", "review": "none"}),
        ("inspect", dict.fromkeys(("threshold", "review", "batch", "image", "inspector"), NINES)),
        ("tune", {"sample_job": "0", "trial": "by_hand:1", "look": "3"}),
        ("evaluate", {"sample_job": "0", "view": "Good images", "set": "1", "share": "0.01"}),
        ("review", {"sample_job": "0", "queued": NINES}),
        ("evaluate", dict.fromkeys(("size", "set", "shown", "other", "view"), NINES)),
        ("tune", dict.fromkeys(("look", "good", "batch", "trial", "threshold"), NINES)),
        ("show", {"sample_job": "0", "batch": "1", "scene": "replay", "part": "1", "costs": "1;2;3;4;EUR"}),
        ("show", dict.fromkeys(("batch", "scene", "part", "costs", "threshold", "back"), NINES)),
        ("history", {"inspection": NINES}),
        ("library", {"look": "certificate", "version": NINES, "with": NINES}),
        ("build", {"job": "1"}),
        ("build", {"job": NINES, "sample_job": NINES}),
    ],
)
def test_a_link_to_any_page_changes_nothing(full, open_app, page, address):
    open_app(page)  # what the page itself brings about when it is opened without an address
    before = contents(full)
    open_app(page, **address)
    assert contents(full) == before
