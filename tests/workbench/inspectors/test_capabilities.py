"""The method of a stored version, and what it can do, told from its settings alone."""

import pytest

from patchcore.errors import SettingsError
from patchcore.methods import EXPLAIN, LACKING, METHODS, SHARE
from workbench.inspectors.capabilities import method_label, method_of, refusal, require_capability
from workbench.storage.tables import InspectorVersion


def of(**settings):
    return InspectorVersion(settings=settings)


def test_a_version_from_before_there_were_methods_is_of_patchcore():
    assert method_of(of()) == "patchcore" and method_label(of()) == "PatchCore"
    assert not any(refusal(of(), capability) for capability in LACKING)


@pytest.mark.parametrize("name", METHODS)
def test_a_capability_is_refused_exactly_where_the_method_lacks_it(name):
    version = of(method=name)
    for capability in LACKING:
        if capability in METHODS[name].capabilities:
            require_capability(version, capability)
            continue
        with pytest.raises(SettingsError) as refused:
            require_capability(version, capability)
        assert str(refused.value) == refusal(version, capability)
        assert str(refused.value).startswith(METHODS[name].label)


def test_spade_explains_and_padim_does_not():
    assert not refusal(of(method="spade"), EXPLAIN)
    assert refusal(of(method="padim"), EXPLAIN).startswith("PaDiM does not compare a patch with single good")
    assert refusal(of(method="spade"), SHARE).startswith("SPADE keeps no coreset")
