"""A rule is declared once: whatever offers, applies or reports it needs nothing else."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from patchcore import PatchCore
from patchcore.thresholds.declaration import Parameter, percentage
from patchcore.thresholds.from_good import BUDGET
from patchcore.thresholds.rules import RULES, pixel_choices, reject_choices, review_choices
from tests.patchcore.cli.test_commands import built, patchcore, product  # noqa: F401 - fixtures
from tests.patchcore.thresholds.toy import sigmas  # noqa: F401 - a fixture


def test_a_rule_of_one_file_and_one_line_is_applied_by_the_command_line_and_stands_in_the_report(
    sigmas,  # noqa: F811
    built,  # noqa: F811
    product,  # noqa: F811
    tmp_path,
):
    file = tmp_path / "striped.patchcore"
    file.write_bytes(built[1].read_bytes())
    plain = json.loads(
        patchcore("threshold", file, "--rule", "sigmas", "-p", "count=2", "--save", "--json").stdout
    )
    model = PatchCore.load(file)
    scores = np.array(list(model.evidence_.good.values()))
    assert plain["reject"] == model.threshold_ == pytest.approx(scores.mean() + 2 * scores.std())
    assert plain["statement"] == "Lies 2 sigma above the mean."
    assert "sigmas" in {
        row["rule"] for row in json.loads(patchcore("threshold", file, "--all", "--json").stdout)
    }
    page = tmp_path / "report.html"
    patchcore("report", file, product, "-o", page)
    assert "Reject 2 standard deviations above the mean" in page.read_text(encoding="utf-8")


def test_a_rule_is_offered_only_where_it_has_a_name(sigmas):  # noqa: F811
    assert reject_choices()["sigmas"] == "Mean and spread of the good scores"
    assert "sigmas" not in review_choices() and "sigmas" not in pixel_choices()


def test_the_list_follows_the_ranks_of_its_rules(sigmas, monkeypatch):  # noqa: F811
    assert list(reject_choices())[:3] == ["from_good", "provisional", "sigmas"]
    monkeypatch.setitem(RULES, "sigmas", replace(sigmas, rank=9))
    assert list(reject_choices())[-1] == "sigmas"


@pytest.mark.parametrize(
    ("parameter", "value", "number"),
    [
        (BUDGET.parameters["budget"], 0.005, 200),
        (percentage(0.01, "Share, %", "Of these."), 0.034, 3.4),
        (Parameter(1.0, "Ratio", "Of costs.", digits=1), 2.5, 2.5),
    ],
)
def test_a_field_shows_a_value_and_gives_it_back(parameter, value, number):
    assert parameter.to_field(value) == number
    assert math.isclose(parameter.from_field(number), value)


def test_a_field_shows_no_number_outside_its_bounds():
    share = percentage(0.01, "Share, %", "Of these.", most=50.0)
    assert (share.to_field(0.9), share.to_field(1e-9)) == (50.0, 0.01)
