"""The command as it is typed: finds sets, measures what is lacking, and goes on where it was stopped."""

from lab.accuracy import rows
from lab.accuracy.__main__ import find_sets, main
from patchcore import PatchCore
from patchcore.evaluation.measures import evaluate
from patchcore.evaluation.mvtec_layout import read_layout
from patchcore.images.reading import list_images


def test_sets_are_found_at_any_depth_and_named_by_their_path(sets):
    assert find_sets(sets) == {"plates/stripes": sets / "plates" / "stripes"}
    assert list(find_sets(sets / "plates" / "stripes")) == ["stripes"]


def test_figures_are_those_of_the_products_own_build_and_evaluation(sets, tmp_path, capsys):
    options = ["--root", str(sets), "--image-size", "64", "--out", str(tmp_path / "rows.csv")]
    options += ["--features", str(tmp_path / "features")]
    assert main([*options, "--seeds", "1"]) == 0
    assert main([*options, "--seeds", "2"]) == 0
    printed = capsys.readouterr().out
    assert printed.count("seed 0: image AUROC") == 1  # not measured again
    first, second = rows.read(tmp_path / "rows.csv")
    assert (first.seed, second.seed) == (0, 1)
    folder = sets / "plates" / "stripes"
    model = PatchCore(image_size=64).fit(list_images(folder / "train" / "good"))
    expected = evaluate(model, read_layout(folder))
    assert first.image_auroc == round(expected.image.auroc, 4)
    assert first.aupro == round(expected.pixel.aupro, 4)
    assert first.escapes == expected.counts.escapes
    assert first.megabytes == round(model.bank_.nbytes / 1e6, 4)
    assert first.milliseconds > 0
    assert "| plates/stripes | 4 + 4 |" in printed


def test_a_folder_without_sets_is_reported(tmp_path, capsys):
    assert main(["--root", str(tmp_path)]) == 1
    assert "no set" in capsys.readouterr().err
