"""Every random state of a process: Python's, numpy's, torch's, and the GPU's."""

import json
import random
from typing import Any

import numpy as np
import torch

from radvqa.training.state import State


class Randomness:
    """The random states that dropout and everything else draw from."""

    def state(self) -> State:
        """All of them."""
        kind, keys, place, has_gauss, gauss = np.random.get_state(legacy=True)  # the tuple, not the dictionary
        tensors = {"torch": torch.get_rng_state(), "numpy": torch.from_numpy(np.asarray(keys).copy())}
        if torch.cuda.is_available():
            tensors["cuda"] = torch.cuda.get_rng_state()
        plain: dict[str, Any] = {
            "python": json.loads(json.dumps(random.getstate())),
            "numpy": [str(kind), int(place), int(has_gauss), float(gauss)],
        }
        return State(tensors, plain)

    def load(self, state: State) -> None:
        """Put them back."""
        torch.set_rng_state(state.tensors["torch"])
        if "cuda" in state.tensors and torch.cuda.is_available():
            torch.cuda.set_rng_state(state.tensors["cuda"])
        version, internal, gauss = state.plain["python"]
        random.setstate((version, tuple(internal), gauss))
        kind, place, has_gauss, cached = state.plain["numpy"]
        np.random.set_state((kind, state.tensors["numpy"].numpy(), place, has_gauss, cached))
