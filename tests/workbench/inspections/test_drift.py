"""Drift is looked for among the accepted parts under the thresholds in force, in whole windows."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
from sqlalchemy import insert

from patchcore.statistics.drift import REFERENCE, WINDOW, compare, control_chart
from patchcore.thresholds.operating_point import OperatingPoint
from workbench.inspections.drift import find_drift
from workbench.inspections.history import in_force
from workbench.inspectors.point_history import store_point
from workbench.storage.tables import Inspection
from workbench.storage.timestamps import now

BEGAN = now() - timedelta(days=9)


def inspect(workspace, version, scores, *, first=0, verdict="accept"):
    with workspace.database.read() as session:
        force = in_force(session, version.id)
    rows = [
        {
            "created": BEGAN + timedelta(minutes=first + place),
            "source": "watch",
            "operator": "",
            "decided_by": "",
            "sha256": f"{first + place:064x}",
            "name": "part",
            "inspector_name": "Plate",
            "version_id": version.id,
            "point_id": force.point_id,
            "verdict": verdict,
            "score": float(score),
        }
        for place, score in enumerate(scores)
    ]
    with workspace.database.write() as session:
        session.execute(insert(Inspection), rows)


def test_drift_waits_for_parts_then_is_steady_then_alarms_with_its_begin(workspace, version):
    rng = np.random.default_rng(0)
    normal = rng.lognormal(1, 0.2, REFERENCE + WINDOW)
    inspect(workspace, version, normal[:-1])
    drift = find_drift(workspace, version.id)
    assert drift.state == "waiting" and "from 300 accepted parts of production on; under" in drift.sentence
    assert "there are 299 so far" in drift.sentence
    inspect(workspace, version, normal[-1:], first=299)
    inspect(
        workspace, version, rng.lognormal(3, 0.2, 40), first=300, verdict="reject"
    )  # rejects do not count
    drift = find_drift(workspace, version.id)
    assert drift.state == "steady" and drift.latest == compare(normal[:REFERENCE], normal[REFERENCE:])
    assert drift.sentence.startswith(
        "Steady: the latest 100 accepted parts score like the first 200 (median "
    )
    risen = rng.lognormal(1.15, 0.2, 2 * WINDOW + 30)
    inspect(workspace, version, risen, first=400)
    drift = find_drift(workspace, version.id)
    assert drift.state == "drift" and drift.since == BEGAN + timedelta(minutes=400)
    assert drift.latest == compare(normal[:REFERENCE], risen[WINDOW : 2 * WINDOW])
    assert "Drift: accepted parts score higher than at first." in drift.sentence
    assert f"in {100 * drift.latest.above:.0f} of 100 pairs" in drift.sentence
    later = np.concatenate([normal[REFERENCE:], risen[: 2 * WINDOW]])
    np.testing.assert_array_equal(drift.chart.average, control_chart(normal[:REFERENCE], later).average)
    assert len(drift.moments) == len(drift.chart.average) == 300


def test_a_clean_lens_ends_drift_and_new_thresholds_restart_the_reference(workspace, version):
    rng = np.random.default_rng(1)
    scores = [rng.normal(5, 1, REFERENCE), rng.normal(7, 1, WINDOW), rng.normal(5, 1, WINDOW)]
    inspect(workspace, version, np.concatenate(scores))
    drift = find_drift(workspace, version.id)
    assert drift.state == "steady" and drift.since is None
    point = OperatingPoint.from_dict(version.operating_point)
    store_point(workspace, version, replace(point, accept=9.0, reject=9.0), "")
    assert find_drift(workspace, version.id).accepted == 0


def test_only_the_last_windows_are_read(workspace, version, monkeypatch):
    monkeypatch.setattr("workbench.inspections.drift.LOOKED_BACK", 2)
    rng = np.random.default_rng(2)
    inspect(workspace, version, np.concatenate([rng.normal(5, 1, 200), rng.normal(7, 1, 550)]))
    drift = find_drift(workspace, version.id)
    assert len(drift.moments) == 200 and drift.moments[0] == drift.since == BEGAN + timedelta(minutes=500)
