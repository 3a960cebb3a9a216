"""Models in memory: loaded once, at each share once, and only so many kept."""

from tests.workbench.parts import remove_good
from workbench.inspectors.loaded_models import LoadedModels
from workbench.inspectors.versions import load_model


def test_models_are_loaded_once(workspace, version):
    assert load_model(workspace, version) is load_model(workspace, version)


def test_the_least_recently_used_models_are_evicted(workspace, version):
    models, path = LoadedModels(), workspace.root / version.path
    half = models.at_share(path, None, 0.5)
    models.at_share(path, None, 0.1)
    assert models.at_share(path, None, 0.5) is half
    models.at_share(path, None, 0.2)
    models.at_share(path, None, 0.3)
    assert models.at_share(path, None, 0.5) is not half


def test_versions_with_banks_of_their_own_are_told_apart(workspace, version):
    after = remove_good(workspace, version, [next(iter(version.good_scores))])
    assert len(load_model(workspace, after).image_records_) == 5
    assert len(load_model(workspace, version).image_records_) == 6
