"""``radvqa bench explain``: maps of one answer; passes shared by all methods against a pass for each."""

import time
from pathlib import Path
from statistics import median
from typing import Any

from radvqa import files
from radvqa.errors import RadvqaError
from radvqa.run import Run

QUESTION = "Which organ is shown?"


def bench_explain(run: Path, *, repeats: int = 5, threads: int = 2) -> dict[str, Any]:
    """Time the cheap methods on phantom pictures, with the model loaded and the answer known.

    Ours lets all methods of one kind share what they need: one pass without gradients for raw attention and rollout,
    or one with gradients for all. The naive way opens the model anew for each method.

    Args:
        run: a finished run of a family that can be looked into.
        repeats: pictures; the median counts, and one that is not counted comes first.
        threads: of torch.

    Returns:
        Median seconds of each method alone (``alone``), of all attention methods and of all cheap methods together,
        ours and naive, and the ratios.

    Raises:
        RadvqaError: when the family can only be asked.
    """
    import tempfile

    import torch

    from radvqa.commands.bench_ask import phantoms
    from radvqa.explaining.inside.opening import can_open, opened
    from radvqa.explaining.methods import METHODS, Wishes
    from radvqa.explaining.session import Session
    from radvqa.models.checkpoint import load_model
    from radvqa.sample import Sample

    loaded = Run(Path(run))
    loaded.require_model()
    family = str(files.read_json(loaded.checkpoints / "model.json")["family"])
    if not can_open(family):
        raise RadvqaError(f"{run}: models of the family {family} can only be asked; there is nothing to time.")
    torch.set_num_threads(threads)
    model = load_model(loaded.checkpoints, torch.device("cpu"))
    cheap = [name for name, one in METHODS.items() if one.cheap]
    alone: dict[str, list[float]] = {name: [] for name in cheap}
    together: dict[str, list[float]] = {"attention": [], "all": []}
    with tempfile.TemporaryDirectory(prefix="radvqa-bench-") as scratch:
        from radvqa.data import image

        for number, path in enumerate(phantoms(Path(scratch), repeats + 1)):
            sample = Sample(str(number), "", "", path.name, path, QUESTION, "", "OPEN")
            looked, picture = opened(model, family, sample), image.decode(path)
            applies = []
            for name in cheap:
                started = time.perf_counter()
                try:
                    METHODS[name].run(Session(looked, picture), Wishes())
                except RadvqaError:
                    continue
                applies.append(name)
                if number:
                    alone[name].append(time.perf_counter() - started)
            for which, names in (
                ("attention", [name for name in applies if METHODS[name].kind == "attention"]),
                ("all", applies),
            ):
                session = Session(looked, picture)
                # those that differentiate come first: what their pass captured serves the others
                names.sort(key=lambda name: name in ("raw", "raw-question", "rollout"))
                started = time.perf_counter()
                for name in names:
                    METHODS[name].run(session, Wishes())
                if number and names:
                    together[which].append(time.perf_counter() - started)
    found: dict[str, Any] = {"run": str(run), "family": family, "repeats": repeats, "threads": threads}
    found["alone"] = {name: round(median(seconds), 4) for name, seconds in alone.items() if seconds}
    for which, seconds in together.items():
        names = [name for name in found["alone"] if which == "all" or METHODS[name].kind == "attention"]
        if seconds:
            ours, naive = median(seconds), sum(found["alone"][name] for name in names)
            found[which] = {"ours": round(ours, 4), "naive": round(naive, 4), "ratio": round(naive / ours, 2)}
    return found
