"""Attention flow: how much can flow from what is told to each patch, through all layers at once.

Source: Abnar and Zuidema, Quantifying attention flow in transformers, ACL 2020: attention, half of it the residual, are
capacities of pipes between layers, and what flows at most from the answer to an input is that input's share. A maximum
flow is solved for each patch and word, so this is for small models.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from radvqa.errors import RadvqaError
from radvqa.explaining import passes
from radvqa.explaining.attention.step import Carriers, Step, fused

MOST_PIPES = 400_000
_UNIT = 1_000_000  # capacities are whole numbers; shares below a millionth do not flow


def attention_flow(
    steps: Sequence[Step], carriers: Carriers, told: Tensor, wanted: Tensor, *, fusion: str = "mean"
) -> Tensor:
    """Flow from what is told to some carriers, ``(wanted,)``; the image encoder's own layers are left out.

    Args:
        steps: from the bottom to the top.
        carriers: the axis.
        told: carriers that tell what is explained.
        wanted: carriers whose share is asked for.
        fusion: of the heads.

    Raises:
        RadvqaError: when the model is too large.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_flow

    steps = [step for step in steps if step.stack != "vision"]
    pipes = sum(len(step.looking) * (len(step.looked_at) + 1) for step in steps) + carriers.count
    if pipes > MOST_PIPES:
        raise RadvqaError(
            f"Attention flow would solve {len(wanted)} flows through {pipes:,} pipes; up to {MOST_PIPES:,} are "
            f"allowed. Use rollout, which is close to it and quick."
        )
    below = np.arange(carriers.count)  # the node that stands for each carrier now
    nodes = carriers.count
    starts, ends, sizes = [], [], []
    for step in steps:
        weights = fused(step.weights.detach().float(), fusion).numpy()
        looking, looked_at = step.looking.numpy(), step.looked_at.numpy()
        made = np.arange(nodes, nodes + len(looking))
        nodes += len(looking)
        share = 0.5 if step.residual else 1.0
        rows, columns = np.nonzero(weights > 1 / _UNIT)
        starts.append(made[rows])
        ends.append(below[looked_at][columns])
        sizes.append(share * weights[rows, columns])
        if step.residual:
            starts.append(made)
            ends.append(below[looking])
            sizes.append(np.full(len(looking), 0.5))
        below = below.copy()
        below[looking] = made
    source, sink = nodes, nodes + 1
    top = below[told.numpy()]
    starts.append(np.full(len(top), source))
    ends.append(top)
    sizes.append(np.full(len(top), 1 / len(top)))
    start, end = np.concatenate(starts), np.concatenate(ends)
    size = np.concatenate(sizes)
    found = []
    passes.expected(len(wanted))
    for carrier in wanted.tolist():
        passes.made(1)
        joined = (
            (np.append(size, 1.0) * _UNIT).astype(np.int32),
            (np.append(start, carrier), np.append(end, sink)),
        )
        graph = csr_array(joined, shape=(nodes + 2, nodes + 2))
        graph.sum_duplicates()
        found.append(maximum_flow(graph, source, sink).flow_value / _UNIT)
    return torch.tensor(found)
