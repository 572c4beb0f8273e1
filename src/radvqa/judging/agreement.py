"""How far a judge agrees with exact match, so that nobody takes one for the other."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def agreement(judged: NDArray[np.bool_], exact: NDArray[np.bool_]) -> dict[str, Any]:
    """Compare a judge with exact match on the same answers.

    Args:
        judged: whether the judge gives full credit, ``(n,)``.
        exact: whether the answer equals the gold after normalisation, ``(n,)``.

    Returns:
        ``n``; ``agreement``, the share of answers on which both say the same; ``kappa``, the same beyond what the two
        shares alone would bring, null where that is not defined (both say the same of everything);
        ``judge_only`` and ``exact_only``, how many answers only one of them takes as right.

    Source: J. Cohen, A Coefficient of Agreement for Nominal Scales, 1960.
    """
    n = len(judged)
    same = float(np.mean(judged == exact)) if n else None
    kappa = None
    if same is not None:
        chance = float(judged.mean() * exact.mean() + (1 - judged.mean()) * (1 - exact.mean()))
        kappa = (same - chance) / (1 - chance) if chance < 1 else None
    return {
        "n": n,
        "agreement": same,
        "kappa": kappa,
        "judge_only": int((judged & ~exact).sum()),
        "exact_only": int((exact & ~judged).sum()),
    }
