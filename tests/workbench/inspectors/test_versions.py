"""Inspectors: another share of the bank brings its own threshold, and earlier results keep their version."""

import pytest

from patchcore.errors import SettingsError
from patchcore.thresholds.operating_point import OperatingPoint
from tests.points import by_hand
from tests.workbench.parts import build_small, remove_good, store_plates
from workbench.inspections.batches import create_batch, list_results, score_batch
from workbench.inspectors.versions import (
    find_inspector,
    get_version,
    good_images,
    list_versions,
    load_model,
    make_current,
    reslice,
    set_operating_point,
    share_numbers,
)
from workbench.storage.database import WorkspaceError


def score_one(workspace, version):
    batch = create_batch(workspace, version.inspector_id, store_plates(workspace, 1, first=50), "b")
    return batch, list(score_batch(workspace, batch, version))


def test_numbers_at_another_share_are_those_of_the_model_there(workspace, version):
    model = load_model(workspace, version).with_coreset(0.1)
    numbers = share_numbers(workspace, version, 0.1)
    assert (numbers.patches, numbers.cover_radius) == (len(model.bank_), pytest.approx(model.cover_radius_))
    assert numbers.point.reject == pytest.approx(model.threshold_)
    assert (
        numbers.point.bank_id == model.bank_id_ and numbers.point.reject != version.operating_point["reject"]
    )
    assert sorted(numbers.good_scores.values()) == pytest.approx(sorted(model.good_scores_.values()))
    assert get_version(workspace, version.id).share == version.share


def test_a_share_above_the_largest_is_refused(workspace, version):
    with pytest.raises(SettingsError, match="rebuild"):
        share_numbers(workspace, version, 0.9)


def test_another_share_is_a_version_of_its_own_and_the_one_before_stays_as_it_was(workspace, version):
    small = reslice(workspace, version, 0.1)
    assert (small.number, small.change) == (2, "share") and small.patches < version.patches
    assert get_version(workspace, version.id).patches == version.patches
    back = reslice(workspace, small, 0.5)
    assert (back.patches, back.good_scores) == (version.patches, version.good_scores)
    assert back.operating_point["reject"] == version.operating_point["reject"]


def test_a_version_with_results_stays_and_gets_a_successor(workspace, version):
    batch, scored = score_one(workspace, version)
    small = reslice(workspace, version, 0.1, note="faster")
    assert (small.number, small.base_id, small.path, small.note) == (2, version.id, version.path, "faster")
    assert find_inspector(workspace, "plate-1").current_id == small.id
    assert get_version(workspace, version.id).patches == version.patches
    assert [r.id for r in list_results(workspace, batch, version.id)] == [scored[0].id]
    assert list_results(workspace, batch, small.id) == []
    (again,) = score_batch(workspace, batch, small)
    assert again.score >= scored[0].score
    assert [i.name for i in good_images(workspace, small)] == [
        i.name for i in good_images(workspace, version)
    ]


def test_the_same_share_changes_nothing(workspace, version):
    score_one(workspace, version)
    assert reslice(workspace, version, version.share).id == version.id


def test_a_threshold_set_by_hand_is_kept_and_does_not_follow_to_another_bank(workspace, version):
    stored = OperatingPoint.from_dict(version.operating_point)
    mine = by_hand(stored.reject * 2, stored.evidence, stored.bank_id, set_by="Ada")
    version = set_operating_point(workspace, version, mine)
    assert get_version(workspace, version.id).operating_point["reject"] == stored.reject * 2
    small = OperatingPoint.from_dict(reslice(workspace, version, 0.1).operating_point)
    assert small.rule.name == "provisional" and not small.stale


def test_a_good_image_is_taken_out_into_a_version_of_its_own(workspace, version):
    batch, _ = score_one(workspace, version)
    worst = max(version.good_scores, key=version.good_scores.get)
    after = remove_good(workspace, version, [worst])
    assert (after.number, after.base_id, find_inspector(workspace, "plate-1").current_id) == (
        2,
        None,
        after.id,
    )
    assert [i.sha256 for i in good_images(workspace, after)] == [
        i.sha256 for i in good_images(workspace, version) if i.sha256 != worst
    ]
    model = load_model(workspace, after)
    expected = load_model(workspace, version).bank_.without_images(
        {[i.sha256 for i in good_images(workspace, version)].index(worst)}
    )
    assert (model.bank_.features == expected.features).all() and after.patches == len(expected)
    evidence = model.evidence_.good
    assert after.good_scores == evidence and worst not in evidence
    assert after.operating_point["reject"] == pytest.approx(max(evidence.values()))
    assert after.operating_point["bank_id"] == model.bank_id_
    assert after.note == "Without good/" + f"{list(version.good_scores).index(worst):03d}.png"
    (again,) = score_batch(workspace, batch, after)
    assert again.score == pytest.approx(model.score(workspace.image_path(again.image.sha256)).score)


def test_removing_is_undone_by_going_back_to_the_version_before(workspace, version):
    after = remove_good(workspace, version, [next(iter(version.good_scores))])
    back = make_current(workspace, "plate-1", version.id)
    assert back.id == find_inspector(workspace, "plate-1").current_id == version.id
    assert back.good_scores == version.good_scores and get_version(workspace, after.id).number == 2
    assert reslice(workspace, after, 0.1).number == 3


def test_too_few_good_images_are_not_left(workspace, version):
    with pytest.raises(SettingsError):
        remove_good(workspace, version, list(version.good_scores)[1:])
    with pytest.raises(SettingsError):
        remove_good(workspace, version, ["0" * 64])
    assert len(list_versions(workspace, "plate-1")) == 1


def test_only_a_version_of_its_own_can_be_put_into_use(workspace, version):
    build_small(workspace, 3, "plate-2")
    with pytest.raises(WorkspaceError, match="belongs to another inspector"):
        make_current(workspace, "plate-2", version.id)


def test_an_absent_version_raises_workspace_error(workspace):
    with pytest.raises(WorkspaceError, match="no version 3"):
        get_version(workspace, 3)
