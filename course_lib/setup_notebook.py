"""One call at the top of every notebook: seeds, threads, determinism, house style."""

from __future__ import annotations

import os
import random
import sys

import numpy as np

_seed = 0


def _integer_from_environment(name: str, default: int, smallest: int) -> int:
    text = os.environ.get(name, str(default))
    if not text.isdigit() or int(text) < smallest:
        raise ValueError(f"{name}={text!r} must be a whole number, {smallest} or larger: set it to one, or unset it")
    return int(text)


def setup() -> int:
    """Make a notebook repeatable and give its figures the house style; returns the seed.

    The seed is ``COURSE_LIB_SEED`` (0 when unset). Python, NumPy and, if the notebook has imported it,
    PyTorch are seeded with it; PyTorch gets ``COURSE_LIB_THREADS`` threads (1 when unset) and its
    deterministic algorithms. Call it once, after the imports.

    Errors: ValueError when either variable is not a whole number.
    """
    global _seed
    _seed = _integer_from_environment("COURSE_LIB_SEED", 0, 0)
    threads = _integer_from_environment("COURSE_LIB_THREADS", 1, 1)
    random.seed(_seed)
    np.random.seed(_seed)
    if torch := sys.modules.get("torch"):
        torch.manual_seed(_seed)
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(True)
    from course_lib import plotting  # here, so that importing course_lib does not import matplotlib

    plotting.use_house_style()
    return _seed


def generator(stream: int = 0) -> np.random.Generator:
    """A fresh NumPy generator for the notebook's seed; different ``stream`` numbers are independent."""
    return np.random.default_rng([_seed, stream])
