"""Kept good images are stored with the version, and taken over by later versions."""

from tests.workbench.parts import remove_good
from workbench.evaluation.kept_images import keep, kept_images, suggest_again
from workbench.inspectors.versions import get_version


def test_kept_images_add_up_until_they_are_forgotten(workspace, version):
    first, second = sorted(version.good_scores)[:2]
    keep(workspace, version, [first])
    keep(workspace, version, [second, first])  # by somebody who has not seen yet that one is kept
    assert kept_images(get_version(workspace, version.id)) == {first, second}
    suggest_again(workspace, get_version(workspace, version.id))
    assert kept_images(get_version(workspace, version.id)) == set()


def test_a_version_without_some_images_still_knows_which_were_kept(workspace, version):
    kept, gone = sorted(version.good_scores)[:2]
    after = remove_good(workspace, keep(workspace, version, [kept]), [gone])
    assert kept_images(after) == {kept}
