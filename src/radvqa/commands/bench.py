"""``radvqa bench``: ours against the naive way, side by side in one process, and the ratio."""

import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from radvqa import console, files
from radvqa.errors import RadvqaError

DEFAULT_RECIPE = Path("slake_cnn_lstm")


def bench_cnn_lstm(
    recipe: Path = DEFAULT_RECIPE,
    overrides: Sequence[str] = (),
    *,
    naive_steps: int = 6,
) -> dict[str, Any]:
    """Time a frozen CNN-LSTM from decoding to the test score with cold caches, and the naive loop beside it.

    The naive loop is what seed 000 does: every sample of every epoch is decoded, resized and passed through the
    backbone, and every question is encoded at its padded length. It is timed on ``naive_steps`` training batches
    and as many evaluation batches, and scaled to the same epochs; the result says so.

    Args:
        recipe: a recipe of the family ``cnn_lstm`` with a frozen backbone.
        overrides: ``key=value`` of the recipe.
        naive_steps: batches that the naive loop is timed on.

    Returns:
        Seconds of both, ``speedup_ratio``, peak memory in bytes, and the test accuracy of ours.

    Raises:
        RadvqaError: when the recipe trains its backbone.
    """
    from radvqa import device
    from radvqa.commands.predict import predict
    from radvqa.commands.score import score
    from radvqa.commands.train import train
    from radvqa.models import zoo
    from radvqa.recipe import load_recipe

    parsed = load_recipe(recipe, overrides)
    options = zoo.validate(parsed.model)[1]
    if parsed.model.family != "cnn_lstm" or not getattr(options, "frozen", False):
        raise RadvqaError("The benchmark needs a recipe of the family cnn_lstm with model.frozen=true.")
    scratch = Path(tempfile.mkdtemp(prefix="radvqa-bench-"))
    try:
        with files.cold_cache(scratch / "cache"):
            started = time.perf_counter()
            run = train(recipe, overrides, out=scratch / "run")
            predict(run.folder)
            scores = score(run.folder)
            ours = time.perf_counter() - started
            peak = device.peak_memory_bytes()
            console.say(f"ours: {ours:.1f} s; now the naive loop, on {naive_steps} batches")
            naive = _naive_seconds(recipe, overrides, naive_steps)
        facts = run.facts
        overall = scores["subsets"]["overall"]
        return {
            "recipe": run.recipe["name"],
            "backbone": run.recipe["model"]["backbone"],
            "epochs": facts["epochs"],
            "ours_seconds": round(ours, 1),
            "ours_preparation_seconds": facts["preparation_seconds"],
            "ours_training_seconds": facts["training_seconds"],
            "ours_peak_memory_bytes": peak,
            "naive_seconds": round(naive["seconds"], 1),
            "naive_timed_batches": naive_steps,
            "naive_is_scaled": True,
            "naive_train_seconds_per_batch": round(naive["train_batch"], 3),
            "naive_evaluation_seconds_per_batch": round(naive["evaluation_batch"], 3),
            "speedup_ratio": round(naive["seconds"] / ours, 1),
            "test": {"overall": {key: overall[key] for key in ("accuracy", "accuracy_interval")}},
        }
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _naive_seconds(recipe_path: Path, overrides: Sequence[str], steps: int) -> dict[str, float]:
    """Time the naive loop on some batches and scale it to the whole run."""
    import math

    import torch
    from torch.nn import functional

    from radvqa.data import registry
    from radvqa.models import zoo
    from radvqa.models.families.cnn_lstm import CnnLstmNet, CnnLstmOptions
    from radvqa.models.vision import VisionSpec, VisionTower
    from radvqa.models.vocabulary import AnswerVocabulary, WordVocabulary
    from radvqa.recipe import load_recipe
    from radvqa.text import normaliser_for

    recipe = load_recipe(recipe_path, overrides)
    options = zoo.validate(recipe.model)[1]
    if not isinstance(options, CnnLstmOptions):
        raise RadvqaError("The benchmark needs a recipe of the family cnn_lstm.")
    splits = {split: registry.load_split(recipe.data.place, split) for split in (recipe.data.train, recipe.data.select)}
    training, selecting = splits.values()
    test = registry.load_split(recipe.data.place, recipe.data.test)
    normaliser = normaliser_for(sample.language for sample in training)
    words = WordVocabulary.count([s.question for s in training], normaliser, options.question_length)
    answers = AnswerVocabulary.count([s.answer for s in training], normaliser)
    vision = VisionTower(VisionSpec(options.backbone, options.pretrained, options.pooling, options.backbone_config))
    vision.requires_grad_(False)
    net = CnnLstmNet(options, vision, len(words), len(answers))
    optimizer = torch.optim.Adam([p for p in net.parameters() if p.requires_grad], recipe.training.learning_rate)
    batch, side = recipe.training.batch_size, options.image_size

    def logits(samples: Sequence[Any]) -> torch.Tensor:
        pixels = torch.stack([_decode_naively(sample.image_path, side) for sample in samples])
        with torch.no_grad():
            vectors = vision.tokens(pixels)[1]
        ids = words.encode([sample.question for sample in samples])
        states: torch.Tensor = net.question.lstm(net.question.embedding(ids))[0]
        scored: torch.Tensor = net.classifier(torch.cat([net.image(vectors), states.amax(1)], 1))
        return scored

    order = torch.randperm(len(training), generator=torch.Generator().manual_seed(0)).tolist()
    started = time.perf_counter()
    for step in range(steps):
        samples = [training[row] for row in order[step * batch : (step + 1) * batch]]
        loss = functional.cross_entropy(logits(samples), answers.encode([sample.answer for sample in samples]))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    train_batch = (time.perf_counter() - started) / steps
    started = time.perf_counter()
    with torch.no_grad():
        for step in range(steps):
            logits(selecting[step * batch : (step + 1) * batch])
    evaluation_batch = (time.perf_counter() - started) / steps

    def batches(samples: Sequence[Any]) -> int:
        return math.ceil(len(samples) / batch)

    per_epoch = train_batch * batches(training) + evaluation_batch * batches(selecting)
    seconds = per_epoch * (recipe.training.epochs or 1) + evaluation_batch * batches(test)
    return {"seconds": seconds, "train_batch": train_batch, "evaluation_batch": evaluation_batch}


def _decode_naively(path: Path, side: int) -> Any:
    import numpy as np
    import torch
    from PIL import Image

    with Image.open(path) as picture:
        small = picture.convert("RGB").resize((side, side), Image.Resampling.BILINEAR)
    return torch.from_numpy(np.array(small))
