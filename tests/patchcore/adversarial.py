"""Feature sets on which a search by expanded squares goes wrong."""

import numpy as np

KINDS = ("random", "duplicates", "all_equal", "near_ties", "large_norms", "huge", "tiny", "grid", "one_dim")


def features(kind, count, dims=24, seed=0):
    generator = np.random.default_rng(seed)
    plain = generator.standard_normal((count, dims)).astype(np.float32)
    few = generator.standard_normal((max(2, count // 8), dims)).astype(np.float32)
    repeated = few[generator.integers(len(few), size=count)]
    return {
        "random": plain,
        "duplicates": repeated,
        "all_equal": np.ones_like(plain) * np.float32(0.1),
        "near_ties": (repeated + np.float32(1e-6) * plain).astype(np.float32),
        "large_norms": plain * np.float32(1e-2) + np.float32(1000),
        "huge": plain * np.float32(1e19),  # their squares do not fit a float32
        "tiny": plain * np.float32(1e-23),  # nor do these
        "grid": generator.integers(0, 3, plain.shape).astype(np.float32),  # ties everywhere, all exact
        "one_dim": np.concatenate([plain[:, :1], np.zeros_like(plain[:, 1:])], axis=1),
    }[kind]
