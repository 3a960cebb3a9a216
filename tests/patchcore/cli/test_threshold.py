"""The command `threshold` as a shell sees it."""

import getpass
import json

import numpy as np
import pytest
from PIL import Image

from patchcore import PatchCore
from patchcore.evaluation.evidence import map_peaks
from patchcore.evaluation.label_table import read_labelled
from patchcore.thresholds.decision import decide
from patchcore.thresholds.from_good import from_good
from patchcore.thresholds.from_labelled import outcome
from patchcore.thresholds.operating_point import Choice, Evidence
from patchcore.thresholds.rules import BY_HAND, RULES
from tests.patchcore.cli.test_commands import patchcore
from tests.patchcore.conftest import stripes


@pytest.fixture(scope="module")
def product(tmp_path_factory):
    folder = tmp_path_factory.mktemp("product")
    for part in ("train/good", "test/good", "test/spot"):
        (folder / part).mkdir(parents=True)
    for seed in range(20):
        Image.fromarray(stripes(seed)).save(folder / f"train/good/{seed:02d}.png")
    for seed in range(4):
        Image.fromarray(stripes(50 + seed)).save(folder / f"test/good/{seed}.png")
        image = stripes(60 + seed)
        image[8:20, 8:20] += np.uint8(20 * seed)
        Image.fromarray(image).save(folder / f"test/spot/{seed}.png")
    lines = [
        f"{p.relative_to(folder).as_posix()};{p.parent.name}" for p in sorted(folder.glob("test/*/*.png"))
    ]
    (folder / "labels.csv").write_text(
        "\n".join(["file;label", *lines, "test/absent.png;good"]), encoding="utf-8"
    )
    return folder


@pytest.fixture
def inspector(product, tmp_path):
    built = product / "built.patchcore"
    if not built.exists():
        patchcore("build", product / "train/good", "-o", built, "--image-size", 64, "--coreset", 0.5)
    target = tmp_path / "x.patchcore"
    target.write_bytes(built.read_bytes())
    return target


@pytest.fixture
def labelled(inspector, product):
    """Good and defect scores of the test images."""
    model = PatchCore.load(inspector)
    images = read_labelled(product)[0]
    return [[model.score(i.path).score for i in images if i.is_defect == kind] for kind in (False, True)]


def test_rule_from_good_images_prints_its_verdicts_on_the_labelled_set(inspector, product, labelled):
    before = inspector.read_bytes()
    done = patchcore("threshold", inspector, "-p", "budget=0.1", "--labelled", product, "--json")
    plain = json.loads(done.stdout)
    alone = list(PatchCore.load(inspector).evidence_.good.values())
    expected, found = from_good(alone, 0.1), outcome(*labelled, from_good(alone, 0.1).value)
    assert plain["reject"] == plain["accept"] == expected.value
    assert plain["statement"] == expected.statement
    assert plain["false_reject_interval"] == list(expected.interval)
    assert plain["outcome"]["false_rejects"] == found.false_rejects
    assert plain["outcome"]["escapes"] == found.escapes
    assert plain["outcome"]["escape_interval"] == list(found.escape_rate.interval)
    assert not plain["set_from_these"] and not plain["saved"]
    assert inspector.read_bytes() == before


def test_a_labelled_rule_is_given_both_and_says_so(inspector, product, labelled):
    plain = json.loads(
        patchcore("threshold", inspector, "--rule", "f1_max", "--labelled", product, "--json").stdout
    )
    alone = list(PatchCore.load(inspector).evidence_.good.values())
    assert plain["reject"] == RULES["f1_max"].apply([*alone, *labelled[0]], labelled[1]).value
    assert (plain["good_images"], plain["defects"], plain["set_from_these"]) == (24, 4, True)
    shown = patchcore("threshold", inspector, "--rule", "f1_max", "--labelled", product).stdout
    assert "On the labelled set it was set from: false rejects" in shown
    assert "Not stored" in shown


def test_saved_threshold_is_in_force(inspector, product):
    done = patchcore(
        *("threshold", inspector, "--rule", "from_good:budget=0.1", "--review", "from_good:budget=0.3"),
        *(
            "--pixel",
            "from_good:budget=0.1",
            "--good",
            product / "train/good",
            "--min-area",
            4,
            "--judge",
            "both",
        ),
        *("--note", "as agreed", "--by", "Ada", "--save"),
    )
    assert "Stored in" in done.stdout and "review between" in done.stdout
    assert "regions above" in done.stdout and "at least 4 px" in done.stdout
    model = PatchCore.load(inspector)
    point = model.operating_point_
    peaks = map_peaks(model, sorted((product / "train/good").iterdir()), 4)
    expected = decide(
        Choice("from_good", {"budget": 0.1}),
        Evidence(model.evidence_.good, map_peaks=peaks),
        model.bank_id_,
        set_by="Ada",
        accept_rule=Choice("from_good", {"budget": 0.3}),
        pixel_rule=Choice("from_good", {"budget": 0.1}),
    )
    assert (point.reject, point.accept, point.pixel) == (expected.reject, expected.accept, expected.pixel)
    assert (point.note, point.set_by, point.min_area, point.judge_by) == ("as agreed", "Ada", 4, "both")
    assert point.evidence == expected.evidence
    model.operating_point_.check_bank(model.bank_id_)


def test_by_hand_and_the_login_name(inspector, monkeypatch):
    monkeypatch.setattr(getpass, "getuser", lambda: "grace")
    patchcore("threshold", inspector, "--rule", "by_hand", "-p", "value=0.25", "--save")
    point = PatchCore.load(inspector).operating_point_
    assert (point.reject, point.set_by, point.rule.name) == (0.25, "grace", BY_HAND)

    def nobody():
        raise KeyError("no such user")

    monkeypatch.setattr(getpass, "getuser", nobody)
    patchcore("threshold", inspector, "--rule", "by_hand", "-p", "value=0.5", "--save")
    assert PatchCore.load(inspector).operating_point_.set_by == "command line"


def test_every_rule_side_by_side(inspector, product, labelled):
    rows = json.loads(
        patchcore("threshold", inspector, "--all", "-p", "budget=0.1", "--labelled", product, "--json").stdout
    )
    assert [row["rule"] for row in rows] == [name for name in RULES if name != BY_HAND]
    alone = list(PatchCore.load(inspector).evidence_.good.values())
    for row in rows:
        rule = RULES[row["rule"]]
        good = (
            alone
            if "defect" not in rule.needs and row["rule"] not in ("no_false_rejects",)
            else [*alone, *labelled[0]]
        )
        assert row["parameters"].get("budget", 0.1) == 0.1
        if row["threshold"] is None:
            assert row["statement"]
            continue
        assert row["threshold"] == rule(good, labelled[1], row["parameters"]).value
        assert row["outcome"]["escapes"] == outcome(*labelled, row["threshold"]).escapes
    shown = patchcore("threshold", inspector, "--all").stdout
    assert "false rejects" in shown and "no_escapes" in shown


def test_table_of_labels_with_a_faulty_line_prints_a_remark(inspector, product):
    done = patchcore(
        "threshold", inspector, "-p", "budget=0.1", "--labelled", product / "labels.csv", "--json"
    )
    plain = json.loads(done.stdout)
    assert (plain["outcome"]["n_good"], plain["outcome"]["n_defect"]) == (4, 4)
    assert plain["problems"] == ["labels.csv, line 10: test/absent.png does not exist; it was left out."]
    assert "test/absent.png does not exist" in done.stderr


@pytest.mark.parametrize("kind", ["good", "spot"])
def test_set_of_one_kind_is_counted(inspector, product, tmp_path, kind):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / kind).symlink_to(product / "test" / kind)
    done = patchcore("threshold", inspector, "-p", "budget=0.1", "--labelled", tmp_path / "set", "--json")
    found = json.loads(done.stdout)["outcome"]
    assert (found["n_good"], found["n_defect"]) == ((4, 0) if kind == "good" else (0, 4))
    assert ("no label means a good part" in done.stderr) == (kind == "spot")
    assert f"Taken as {'good' if kind == 'good' else 'defects'}: {kind} (4)." in done.stderr
    assert (found["escape_interval"] is None) == (kind == "good")


def test_identical_scores_throughout_still_give_a_threshold_that_accepts_them():
    same = {f"{k}": 0.5 for k in range(30)}
    days = {name: "odd" if int(name) % 2 else "even" for name in same}
    for name, rule in RULES.items():
        if name not in (BY_HAND, "extrapolated"):
            found = decide(Choice(name, {"budget": 0.1} if "budget" in rule.parameters else {}),
                           Evidence(same, {"d": 0.5}, unseen=same, sessions=days), "b", set_by="Ada")  # fmt: skip
            assert np.isfinite(found.reject)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "at least 179 more good images are needed"),
        (("--rule", "f1_max"), "defect"),
        (("--rule", "best"), "no rule 'best'"),
        (("-p", "budget"), "name=number"),
        (("-p", "ceiling=0.1"), "no parameter ceiling"),
        (("--all", "-p", "colour=1"), "No rule has the parameter colour"),
        (("--all", "--save"), "choose one with --rule"),
        (("-p", "budget=0.1", "--pixel", "provisional"), "--good"),
        (
            ("-p", "budget=0.1", "--pixel", "provisional", "--good", "{product}/test"),
            "none of these images was given",
        ),
        (("-p", "budget=0.1", "--pixel", "youden", "--good", "{product}/train"), "good images alone"),
        (("-p", "budget=0.1", "--judge", "area"), "needs a pixel threshold"),
        (("--labelled", "/nowhere.csv"), "no file or folder"),
        (("--min-area", "0"), "--min-area"),
    ],
)
def test_mendable_errors_end_with_exit_code_1(inspector, product, arguments, sentence):
    before = inspector.read_bytes()
    done = patchcore("threshold", inspector, *(a.format(product=product) for a in arguments), expect=1)
    assert sentence in " ".join(done.stderr.split())
    assert done.stdout == "" and inspector.read_bytes() == before


def test_inspector_of_two_images_states_the_missing_number_of_images(product, tmp_path):
    (tmp_path / "two").mkdir()
    for name in ("00.png", "01.png"):
        (tmp_path / "two" / name).write_bytes((product / "train/good" / name).read_bytes())
    patchcore("build", tmp_path / "two", "-o", tmp_path / "two.patchcore", "--image-size", 32)
    done = patchcore("threshold", tmp_path / "two.patchcore", expect=1)
    assert "at least 197 more good images are needed" in " ".join(done.stderr.split())


def test_the_check_of_the_whole_picture_is_switched_and_stays_so(inspector, tmp_path):
    Image.fromarray(np.zeros((32, 32, 3), np.uint8)).save(tmp_path / "black.png")

    def scored():
        found = patchcore("score", inspector, tmp_path / "black.png", "--json")
        return json.loads(found.stdout)[0], found.stderr

    high = ("--rule", "by_hand", "-p", "value=1000")
    patchcore("threshold", inspector, *high, "--save")
    row, told = scored()
    assert row["verdict"] == "review" and row["picture_check"] and row["doubts"][0]["kind"] == "brightness"
    assert "black.png: Darker than any good image: mean grey 0, good images " in told
    off = json.loads(patchcore("threshold", inspector, "--no-picture-check", "--save", "--json").stdout)
    assert off == {"picture_check": False, "path": str(inspector), "saved": True}
    row, _ = scored()
    assert row["verdict"] == "accept" and row["reject"] == 1000 and row["doubts"]
    assert "off, learned from 20 good images" in patchcore("info", inspector).stdout
    kept = json.loads(patchcore("threshold", inspector, *high, "--json").stdout)
    assert kept["picture_check"] is False
    shown = patchcore("threshold", inspector, "--picture-check").stdout
    assert shown.startswith("A picture unlike all good ones goes to review.") and "Not stored" in shown
