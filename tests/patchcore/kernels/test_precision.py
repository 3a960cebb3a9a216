"""Single precision in full where a GPU works, and the process's own flags as they were afterwards."""

import threading

import pytest
import torch

from patchcore.backbones import Backbone, spec
from patchcore.features import embed
from patchcore.kernels.precision import full_precision

CUDA, CPU = torch.device("cuda"), torch.device("cpu")
FULL = ("ieee", "ieee", True, False)


def flags():
    cudnn = torch.backends.cudnn
    matmul = torch.backends.cuda.matmul.fp32_precision
    return matmul, cudnn.conv.fp32_precision, cudnn.deterministic, cudnn.benchmark


@pytest.fixture(autouse=True, params=["as torch is", "set the old way", "set the new way"])
def before(request):
    """Flags as a caller may have left them."""
    matmul, conv = torch.backends.cuda.matmul, torch.backends.cudnn.conv
    found, benchmark = (matmul.fp32_precision, conv.fp32_precision), torch.backends.cudnn.benchmark
    if request.param == "set the old way":
        matmul.allow_tf32, torch.backends.cudnn.benchmark = True, True
    elif request.param == "set the new way":
        matmul.fp32_precision, conv.fp32_precision = "tf32", "ieee"
    yield flags()
    matmul.allow_tf32 = False
    matmul.fp32_precision, conv.fp32_precision = found
    torch.backends.cudnn.benchmark = benchmark


class Watched(torch.nn.Module):
    """A network that notes the flags it runs under."""

    def forward(self, x):
        self.seen = flags()
        return {"layer2": x, "layer3": x}


@pytest.mark.parametrize("device", [CUDA, CPU])
def test_a_network_runs_in_full_precision_on_a_gpu_and_the_flags_come_back(device, before):
    network = Watched()
    backbone = Backbone(spec("resnet18"), network, ("layer2", "layer3"), device, "")
    embed(backbone, torch.rand(1, 3, 16, 16))
    assert network.seen == (FULL if device == CUDA else before)
    assert flags() == before


def test_the_flags_come_back_after_a_fault(before):
    with pytest.raises(RuntimeError, match="out of memory"), full_precision(CUDA):
        raise RuntimeError("out of memory")
    assert flags() == before


def test_the_first_thread_to_leave_does_not_reset_the_flags_of_another(before):
    inside, leave = threading.Event(), threading.Event()

    def other():
        with full_precision(CUDA):
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=other)
    with full_precision(CUDA):
        thread.start()
        assert inside.wait(10)
    assert flags() == FULL
    leave.set()
    thread.join()
    assert flags() == before


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_products_and_convolutions_on_a_gpu_equal_the_processors():
    torch.manual_seed(0)
    images, kernels = torch.randn(2, 64, 32, 32), torch.randn(64, 64, 3, 3)
    a, b = torch.randn(300, 500), torch.randn(500, 200)
    with full_precision(CUDA):
        maps = torch.nn.functional.conv2d(images.cuda(), kernels.cuda()).cpu()
        product = (a.cuda() @ b.cuda()).cpu()
    for found, exact in (
        (maps, torch.nn.functional.conv2d(images.double(), kernels.double())),
        (product, a.double() @ b.double()),
    ):
        assert (found - exact).norm() < 1e-6 * exact.norm()  # TF32: 3e-4
