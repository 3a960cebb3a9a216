"""Run with the authors' checkout in front: their sampler and their scoring. Started by `lab.speed.peers`."""

import json
import sys
import time
from importlib.machinery import ModuleSpec
from types import ModuleType

import numpy as np
import torch

for absent in ("timm", "pretrainedmodels", "tqdm"):  # imported there; the measured code needs none of them
    sys.modules[absent] = ModuleType(absent)
    sys.modules[absent].__spec__ = ModuleSpec(absent, None)
sys.modules["tqdm"].tqdm = lambda steps, **_: steps

import patchcore.common  # noqa: E402
import patchcore.sampler  # noqa: E402
from torchvision import models  # noqa: E402

import patchcore.patchcore  # noqa: E402

CPU = torch.device("cpu")
LAYERS = ["layer2", "layer3"]


class Scorer:
    """Their model with given weights and a given bank."""

    def __init__(self, weights: str, bank: str, threads: int) -> None:
        network = models.wide_resnet50_2(weights=None)
        network.load_state_dict(torch.load(weights, weights_only=True))
        network.name, network.seed = "wide_resnet50_2", None
        network.eval()  # load() runs a picture through it, which in training mode moves its statistics
        self.model = patchcore.patchcore.PatchCore(CPU)
        self.model.load(
            backbone=network,
            layers_to_extract_from=LAYERS,
            device=CPU,
            input_shape=(3, 224, 224),
            pretrain_embed_dimension=1024,
            target_embed_dimension=1024,
            nn_method=patchcore.common.FaissNN(False, threads),
        )
        self.model.anomaly_scorer.fit(detection_features=[np.load(bank)])

    def score(self, image: str) -> float:
        """Score one prepared image; theirs is the square."""
        scores, _ = self.model.predict(torch.from_numpy(np.load(image)))
        return float(scores[0])


def pick(request: dict) -> dict:
    """Run their approximate greedy sampler on projected points."""
    points = torch.from_numpy(np.load(request["points"])[: request["rows"]])
    sampler = patchcore.sampler.ApproximateGreedyCoresetSampler(request["picks"] / len(points) + 1e-9, CPU)
    began = time.perf_counter()
    picks = len(sampler._compute_greedy_coreset_indices(points))
    return {"seconds": time.perf_counter() - began, "picks": picks}


def main() -> None:
    scorer = None
    for line in sys.stdin:
        request = json.loads(line)
        torch.set_num_threads(request["threads"])
        if request["do"] == "pick":
            answer = pick(request)
        else:
            if scorer is None:
                scorer = Scorer(request["weights"], request["bank"], request["threads"])
            began = time.perf_counter()
            score = scorer.score(request["image"])
            answer = {"seconds": time.perf_counter() - began, "score": score}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
