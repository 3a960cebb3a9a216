"""Filters, pages, counts and samples of the history equal a search through all rows by hand."""

from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import select

from patchcore.thresholds.verdict_counts import error_of
from workbench.inspections.history_query import (
    Counts,
    Filter,
    count,
    inspectors,
    is_defect,
    kept_since,
    operators,
    place_of,
    read_page,
    read_pieces,
    sample,
)
from workbench.storage.tables import BatchImage, Inspection
from workbench.storage.timestamps import now

MONDAY = now().replace(hour=6, minute=0, second=0, microsecond=0) - timedelta(days=30)


def fill(workspace, number, seed=0):
    """Rows of the history, as many parts would leave behind, some at the same moment."""
    rng = np.random.default_rng(seed)
    verdicts = ["accept", "accept", "review", "reject", None]
    with workspace.database.write() as session:
        for part in range(number):
            verdict = verdicts[rng.integers(5)]
            session.add(
                Inspection(
                    created=MONDAY + timedelta(minutes=int(part // 3)),
                    source=("page", "watch")[rng.integers(2)],
                    operator=("Ann", "Mo")[rng.integers(2)],
                    sha256=f"{part:064x}",
                    name=f"Line_3/Part {4700 + part}%.png",
                    inspector_name="Plate",
                    version_number=3,
                    point_number=2,
                    score=None if verdict is None else float(rng.integers(1, 9)),
                    accept=4.0,
                    reject=6.0,
                    verdict=verdict,
                    regions=[{"box": [1, 2, 3, 4], "area": 6, "score": 2.5}],
                    decision=(None, None, "fine", "defect")[rng.integers(4)],
                )
            )


def everything(workspace):
    with workspace.database.read() as session:
        rows = session.scalars(select(Inspection)).all()
    return sorted(rows, key=place_of, reverse=True)


@dataclass
class Case:
    wanted: Filter
    holds: object


CASES = [
    Case(Filter(), lambda row: True),
    Case(Filter(verdicts=("reject",)), lambda row: row.verdict == "reject"),
    Case(Filter(verdicts=("review", "none")), lambda row: row.verdict in ("review", None)),
    Case(Filter(verdicts=("none",)), lambda row: row.verdict is None),
    Case(Filter(decision="fine"), lambda row: row.decision == "fine"),
    Case(Filter(decision="none"), lambda row: row.decision is None),
    Case(Filter(text=" pART 4711"), lambda row: "Part 4711" in row.name),
    Case(Filter(text="_3/"), lambda row: True),
    Case(Filter(text="e_"), lambda row: "e_" in row.name),
    Case(Filter(text="%%"), lambda row: False),
    Case(
        Filter(since=MONDAY + timedelta(minutes=5)), lambda row: row.created >= MONDAY + timedelta(minutes=5)
    ),
    Case(
        Filter(until=MONDAY + timedelta(minutes=5)), lambda row: row.created < MONDAY + timedelta(minutes=5)
    ),
    Case(Filter(lowest=3, highest=5), lambda row: row.score is not None and 3 <= row.score <= 5),
    Case(Filter(source="watch", operator="Mo"), lambda row: (row.source, row.operator) == ("watch", "Mo")),
    Case(Filter(inspector_id="other"), lambda row: False),
    Case(
        Filter(disagreements=True),
        lambda row: (row.verdict, row.decision) in (("reject", "fine"), ("accept", "defect")),
    ),
]


def test_every_filter_equals_a_search_through_all_rows(workspace):
    fill(workspace, 60)
    rows = everything(workspace)
    for case in CASES:
        expected = [row for row in rows if case.holds(row)]
        page = read_page(workspace, case.wanted, size=100)
        assert [row.id for row in page.rows] == [row.id for row in expected], case.wanted
        verdicts = [row.verdict for row in expected]
        numbers = {name: verdicts.count(name) for name in ("accept", "review", "reject")}
        assert count(workspace, case.wanted) == Counts(**numbers, none=verdicts.count(None))
        pieces = [row.id for piece in read_pieces(workspace, case.wanted, size=7) for row in piece]
        assert pieces == [row.id for row in expected]


def test_pages_go_back_and_forth_without_a_gap_also_where_moments_are_equal(workspace):
    fill(workspace, 23)
    ids = [row.id for row in everything(workspace)]
    page = read_page(workspace, Filter(), size=5)
    seen, pages = list(page.rows), [page]
    while page.older:
        page = read_page(workspace, Filter(), after=place_of(page.rows[-1]), size=5)
        seen += page.rows
        pages.append(page)
    assert [row.id for row in seen] == ids and [page.newer for page in pages] == [False, *[True] * 4]
    back = read_page(workspace, Filter(), before=place_of(pages[2].rows[0]), size=5)
    assert [row.id for row in back.rows] == [row.id for row in pages[1].rows] and back.newer
    first = read_page(workspace, Filter(), before=place_of(pages[1].rows[0]), size=5)
    assert [row.id for row in first.rows] == ids[:5] and not first.newer


def test_rows_that_arrive_meanwhile_shift_no_page(workspace):
    fill(workspace, 9)
    first = read_page(workspace, Filter(), size=4)
    expected = read_page(workspace, Filter(), after=place_of(first.rows[-1]), size=4)
    with workspace.database.write() as session:
        session.add(Inspection(source="page", sha256="f" * 64, name="new", inspector_name="Plate"))
    again = read_page(workspace, Filter(), after=place_of(first.rows[-1]), size=4)
    assert [row.id for row in again.rows] == [row.id for row in expected.rows]


def test_a_sample_is_spread_over_all_in_the_order_of_time(workspace):
    fill(workspace, 60)
    scored = [row for row in everything(workspace) if row.score is not None]
    whole = sample(workspace, Filter(), len(scored))
    assert [row.id for row in whole.rows] == [row.id for row in reversed(scored)] and whole.step == 1
    part = sample(workspace, Filter(), len(scored), most=10)
    assert part.step == 8 and {row.id % 8 for row in part.rows} == {0}
    assert [row.created for row in part.rows] == sorted(row.created for row in part.rows)


def test_choices_of_the_filters_are_listed(worked):
    assert list(inspectors(worked).values()) == ["Plate"]
    fill(worked, 10)
    assert {"Ann", "Mo"} < set(operators(worked)) and len(operators(worked)) == 3
    assert kept_since(worked) == MONDAY
    with pytest.raises(TypeError):
        replace(Filter(), colour="red")


def test_an_empty_history_gives_empty_answers(workspace):
    assert (operators(workspace), inspectors(workspace), kept_since(workspace)) == ([], {}, None)
    assert read_page(workspace, Filter()).rows == [] and count(workspace, Filter()).total == 0
    assert list(read_pieces(workspace, Filter())) == [] and sample(workspace, Filter(), 0).rows == []


def test_labels_disagree_as_decisions_do_and_a_decision_comes_before_the_label(worked):
    with worked.database.write() as session:
        for number in range(
            12
        ):  # each verdict beside each decision, of images labelled scratch, scratch, and not
            session.add(
                Inspection(
                    source="page",
                    sha256=f"{number:064x}",
                    name=f"{number}.png",
                    inspector_name="Plate",
                    batch_image_id=1 + number % 3,
                    verdict=("accept", "reject")[number % 2],
                    decision=(None, "fine", "defect")[number // 4],
                )
            )
        session.get_one(BatchImage, 3).truth = "good"
    truths = is_defect(worked, rows := everything(worked))
    expected = [row.id for row in rows if error_of(truths.get(row.id), row.verdict)]
    found = read_page(worked, Filter(disagreements=True), size=100).rows
    assert [row.id for row in found] == expected
    assert {row.decision for row in found} == {None, "fine", "defect"} and len(found) < len(rows)
