"""Removing good images: known defects that would lose their rejection are named before anything is stored."""

from dataclasses import replace

from tests.workbench.parts import store_plates
from workbench.inspections.batches import create_batch, score_batch
from workbench.inspectors.recalibration import ShareNumbers
from workbench.inspectors.versions import list_versions, without_good
from workbench.tuning.removal_preview import lost_rejections, lost_words


def test_defects_that_would_lose_their_rejection_come_first_and_nothing_is_stored(workspace, version):
    images = [
        *store_plates(workspace, 2, first=40, scratched=True, truth="scratch"),
        *store_plates(workspace, 1, first=50, truth="good"),
    ]
    list(score_batch(workspace, create_batch(workspace, "plate-1", images, "Set"), version))
    removal = without_good(workspace, version, [next(iter(version.good_scores))])
    assert lost_rejections(workspace, removal) == [] and lost_words([]) == ""
    steps = []
    scores = sorted(
        removal.model.score(workspace.image_path(image.sha256)).score
        for image in images
        if image.truth == "scratch"
    )
    loose = replace(removal.numbers.point, accept=scores[0], reject=scores[1], picture_check=False)
    lax = replace(removal, numbers=ShareNumbers.of(removal.model, loose))
    lost = lost_rejections(workspace, lax, lambda *step: steps.append(step))
    assert [(one.before, one.after, one.is_escape) for one in lost] == [
        ("reject", "accept", True),
        ("reject", "review", False),
    ]
    assert lost_words(lost) == (
        "1 known defect would be accepted and 1 known defect would go to review instead of being rejected."
    )
    assert [step[1:] for step in steps] == [(1, 2), (2, 2)]
    assert len(list_versions(workspace, "plate-1")) == 1
