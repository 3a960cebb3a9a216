import re
from pathlib import Path

import pytest

from lab.speed import rows
from patchcore.backbones import DEFAULT
from patchcore.errors import SettingsError
from patchcore.settings import Settings
from workbench.inspectors.estimate import (
    PROGRAM_MEGABYTES,
    SCORE_SECONDS,
    START_SECONDS,
    Amount,
    NetworkCost,
    bank,
    estimate_build,
    network_cost,
    pace,
)
from workbench.jobs.requests import JobState
from workbench.storage.tables import Job

COST = NetworkCost(seconds=0.1, rows=28, columns=28, dims=192)
NETWORK = START_SECONDS + 100 * (0.8 * 0.1 + 0.05 / 2)
CSV = Path(__file__).parents[3] / "docs/performance.csv"
BUILD = re.compile(r"build, (\w+), ([\d,]+) images of (\d+) px, (\d+)%: ([\d,]+) of ([\d,]+) patches")


def estimate(images=100, inspected=1.0, **settings):
    return estimate_build(COST, images, Settings(**settings), reading_seconds=0.05, inspected=inspected)


def test_an_estimate_follows_its_stated_rule():
    found = estimate(coreset=0.10)
    assert found.learned.parts == ("patches", 7840)  # a tenth of 100 x 28 x 28
    assert found.learned.megabytes == pytest.approx(7840 * 192 * 4 / 1e6)
    greedy, calibration = 4.2e-8 * 7840**0.6 + 9e-7, 2.1e-8 * 7840**0.6 + 1.1e-6
    assert found.seconds == pytest.approx(NETWORK + 2 * 0.13 + 78400 * (greedy + calibration))
    assert found.image_seconds == pytest.approx(0.104 + 784 * (5e-6 + 6e-10 * 7840))


def recorded():
    """Builds of the benchmark on two cores: what was built, and the row of its times."""
    for row in rows.read(CSV):
        if found := BUILD.match(row.work):
            network, (images, side, share, kept, patches) = (
                found[1],
                [int(text.replace(",", "")) for text in found.groups()[1:]],
            )
            alone = float(re.search(r"([\d.]+) s", row.limit)[1]) / images
            yield network, images, side, share / 100, kept, patches, alone, row


def test_estimates_of_recorded_builds_are_right_within_a_third():
    builds = list(recorded())
    assert len(builds) >= 15
    for network, images, side, share, kept, patches, alone, row in builds:
        grid = round((patches / images) ** 0.5)
        cost = NetworkCost(alone, grid, grid, 168 if network == DEFAULT else 1024)
        found = estimate_build(
            cost,
            images,
            Settings(backbone=network, image_size=side, coreset=share),
            reading_seconds=0.003,
        )
        taken = row.features + row.coreset + row.calibration
        assert found.seconds - START_SECONDS == pytest.approx(taken, rel=1 / 3), row.work
        assert found.peak_megabytes == pytest.approx(row.gibibytes * 2**30 / 1e6, rel=0.1), row.work
        assert found.learned.parts == ("patches", kept)


def test_one_score_of_the_recorded_builds_is_estimated_within_a_half():
    for _, images, _, share, _, patches, alone, row in recorded():
        learned = bank(Amount(images, patches // images, patches // images, 168), Settings(coreset=share))
        found = alone + SCORE_SECONDS + learned.score_seconds
        assert found == pytest.approx(row.score, rel=0.5), row.work


def test_finished_builds_tell_how_fast_the_machine_is(workspace):
    assert pace(workspace) == 1.0

    def finish(kept, share, seconds, **more):
        stages = [{"name": "coreset", "total": kept, "seconds": seconds}]
        arguments = {"settings": {"coreset": share}}
        job = Job(kind="build", title="", state=JobState.DONE, attempts=1, stages=stages, arguments=arguments)
        for name, value in more.items():
            setattr(job, name, value)
        with workspace.database.write() as session:
            session.add(job)

    by_rule = 0.13 + 78400 * (9e-7 + 4.2e-8 * 7840**0.6)
    finish(7840, 0.1, 2 * by_rule)
    assert pace(workspace) == pytest.approx(2, rel=1e-3)
    finish(7840, 0.1, 50.0, attempts=2)  # went on from what an earlier process had done
    finish(7840, 0.1, 50.0, state=JobState.FAILED)
    finish(78, 0.1, 0.4)  # too short
    assert pace(workspace) == pytest.approx(2, rel=1e-3)
    for _ in range(5):
        finish(78_400, 0.1, 3.0)  # by the rule 29 s
    assert pace(workspace) == 0.25  # a wild record bends no estimate out of all proportion
    slow = estimate_build(COST, 100, Settings(), pace=2.0).seconds
    once = estimate_build(COST, 100, Settings(), pace=1.0).seconds
    assert slow - once == pytest.approx(bank(Amount(100, 784, 784, 192), Settings()).seconds)


def test_large_photographs_take_memory_and_the_time_of_three_of_their_copies():
    small, large = (
        estimate_build(COST, 100, Settings(), reading_seconds=0.05, megapixels=megapixels)
        for megapixels in (0.0, 8.0)
    )
    assert large.seconds - small.seconds == pytest.approx(3 * 0.13 * 8)
    assert large.peak_megabytes - small.peak_megabytes == pytest.approx(63 * 8)
    two = estimate_build(COST, 2, Settings(), reading_seconds=0.05, megapixels=8.0)
    assert two.seconds - estimate_build(COST, 2, Settings(), reading_seconds=0.05).seconds == pytest.approx(
        2 * 0.13 * 8
    )


def test_uninspected_pixels_cost_no_patches():
    assert estimate(coreset=0.10, inspected=0.5).learned.parts == ("patches", 3920)
    assert estimate(method="spade", inspected=0.5).learned.parts == ("patches", 39200)


def test_padim_takes_the_same_memory_for_any_number_of_images():
    few, many = estimate(4, method="padim"), estimate(100, method="padim")
    assert few.learned.parts == many.learned.parts == ("positions", 784)
    assert few.learned.megabytes == many.learned.megabytes
    assert many.learned.megabytes == pytest.approx(784 * (100 * 101 / 2 + 100) * 8 / 1e6)
    assert many.peak_megabytes - PROGRAM_MEGABYTES >= 2 * 784 * 100**2 * 8 / 1e6
    assert estimate(method="padim", dims_used=None).learned.megabytes > many.learned.megabytes


def test_padim_refuses_covariances_beyond_a_gigabyte_before_the_build():
    wide = NetworkCost(seconds=0.1, rows=28, columns=28, dims=1024)
    with pytest.raises(
        SettingsError,
        match=r"6\.6 GB \(1,024 dimensions at 784 positions\); 1 GB is the most\. Use at most 399 dimensions",
    ):
        estimate_build(wide, 100, Settings(method="padim", dims_used=None))


def test_spade_keeps_every_patch_and_compares_with_the_nearest_images():
    found = estimate(method="spade", nearest_images=20)
    assert found.learned.parts == ("patches", 78400)
    assert found.learned.megabytes == pytest.approx(78400 * (192 * 4 + 8) / 1e6)
    comparing = 2 * 784 * 20 * 784 * 192 / 1.1e11
    assert found.image_seconds == pytest.approx(0.104 + comparing)
    assert found.seconds == pytest.approx(NETWORK + 100 * comparing)
    assert estimate(method="spade", nearest_images=500).image_seconds == pytest.approx(0.104 + 5 * comparing)


def test_the_network_is_measured():
    cost = network_cost(DEFAULT, 64)
    assert (cost.rows, cost.columns) == (8, 8) and cost.seconds > 0
