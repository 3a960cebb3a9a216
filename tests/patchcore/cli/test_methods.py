"""PaDiM and SPADE on the command line: build, score, evaluate, set a threshold, report."""

import json

import pytest

from patchcore.detector import Detector
from tests.patchcore.cli.test_commands import patchcore, product

__all__ = ["product"]  # a fixture

OWN = {"padim": ("--dims-used", 12), "spade": ("--nearest-images", 3)}
FIGURE = {"padim": ("dims_used", 12), "spade": ("nearest_images", 3)}


@pytest.fixture(scope="module", params=OWN)
def built(request, product):
    path = product / f"{request.param}.patchcore"
    done = patchcore(
        *("build", product / "train/good", "-o", path, "--method", request.param),
        *("--image-size", 64, *OWN[request.param], "--json"),
    )
    return request.param, done, path


def test_build_tells_the_size_first_and_the_methods_own_settings(built):
    method, done, path = built
    summary, (name, value) = json.loads(done.stdout), FIGURE[method]
    assert summary["method"] == method and summary[name] == value
    assert summary["good_images"] == 5 and summary["threshold"] > 0 and summary["megabytes"] > 0
    assert not summary.keys() & {"bank_rows", "bank_share", "cover_radius"}
    words = {"padim": "The inverse covariances take", "spade": "The file will take about"}
    assert done.stderr.index(words[method]) < done.stderr.index("left out broken.png")
    info = json.loads(patchcore("info", path, "--json").stdout)
    assert info["bank_id"] == summary["bank_id"] and "gives the stored scores" in info["self_test"]


def test_scores_verdicts_and_measures_equal_the_models(built, product):
    _, _, path = built
    image = product / "test/spot/0.png"
    (row,) = json.loads(patchcore("score", path, image, "--json").stdout)
    model = Detector.load(path)
    assert row["score"] == model.score(image).score and row["verdict"] == "reject"
    found = json.loads(patchcore("evaluate", path, product, "--json").stdout)
    assert found["image"]["auroc"] == 1.0 and found["verdicts"]["escapes"] == 0


def test_a_threshold_is_set_and_stored(built, product):
    _, _, path = built
    done = patchcore(
        *("threshold", path, "--rule", "from_good:budget=0.5", "--pixel", "from_good:budget=0.5"),
        *("--good", product / "train/good", "--save", "--json"),
    )
    point = Detector.load(path).operating_point_
    assert point.reject == json.loads(done.stdout)["reject"] and point.pixel > 0


def test_the_report_has_the_method(built, product, tmp_path):
    method, _, path = built
    patchcore("report", path, product, "-o", tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert {"padim": "PaDiM", "spade": "SPADE"}[method] in page and "Cover radius" not in page


def test_a_sweep_over_bank_sizes_is_refused_by_name(built, product):
    method, _, path = built
    done = patchcore("evaluate", path, product, "--sweep", expect=1)
    assert {"padim": "PaDiM", "spade": "SPADE"}[method] + " keeps no coreset" in done.stderr


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            ("--method", "padim", "--coreset", "0.1"),
            "The coreset share is a setting of PatchCore; PaDiM has none",
        ),
        (("--method", "padim", "--nearest-images", "3"), "a setting of SPADE; PaDiM has none"),
        (("--method", "spade", "--reweight"), "Re-weighting is a setting of PatchCore; SPADE has none"),
        (("--dims-used", "all"), "a setting of PaDiM; PatchCore has none"),
        (("--method", "padim", "--dims-used", "most"), "a whole number or all; it is 'most'"),
        (("--method", "gmm"), "The method must be one of patchcore, padim, spade; it is 'gmm'"),
    ],
)
def test_options_that_a_method_lacks_are_refused(product, tmp_path, options, sentence):
    done = patchcore("build", product / "train/good", "-o", tmp_path / "x", *options, expect=1)
    assert sentence in done.stderr and not (tmp_path / "x.patchcore").exists()
