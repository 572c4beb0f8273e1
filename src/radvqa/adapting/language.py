"""A causal language model that is made shorter, and reads on in another field.

Letters: ``b`` blocks, ``l`` tokens of a block.
"""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from radvqa import console
from radvqa.adapting.learner import Learner
from radvqa.adapting.spec import LanguageSpec
from radvqa.errors import RecipeError
from radvqa.models import hub

_BLOCKS_PER_PASS = 8


@dataclass(frozen=True)
class AdaptedLanguage:
    """A language model that was adapted.

    Attributes:
        model: of ``transformers``.
        perplexity: on the held-out blocks: ``whole`` (the published model, where layers were taken away), ``before``
            and ``after`` learning.
        history: step and mean training loss since the row before.
        tokens: that were learned from, repetitions counted.
        seconds: of learning alone.
    """

    model: Any
    perplexity: dict[str, float]
    history: list[dict[str, float]]
    tokens: int
    seconds: float


def load(checkpoint: str, layers: int | None) -> Any:
    """Load a causal language model, or its first layers with the embedding, final norm and head that it has.

    Raises:
        WeightsError: when it is not found, or no causal language model.
        RecipeError: when it has fewer layers.
    """
    from transformers import AutoModelForCausalLM

    settings = hub.config(checkpoint, (), family="adapt language")
    whole = int(settings.num_hidden_layers)
    if layers is not None and layers > whole:
        raise RecipeError(f"layers={layers}, but {checkpoint} has {whole}.")
    changes: dict[str, Any] = {}
    if layers is not None and layers < whole:
        changes["num_hidden_layers"] = layers
        if getattr(settings, "layer_types", None):
            changes["layer_types"] = list(settings.layer_types)[:layers]
    return hub.load(AutoModelForCausalLM, checkpoint, (), family="adapt language", changes=changes)


def adapt(spec: LanguageSpec, learned: Tensor, measured: Tensor, device: torch.device) -> AdaptedLanguage:
    """Train a language model on blocks of text: every token is predicted from those before it in its block.

    Args:
        spec: says how.
        learned: blocks to learn from, ``(b, l)``.
        measured: blocks that are held out, ``(b, l)``.
        device: where to compute.

    Raises:
        WeightsError, RecipeError: as ``load``.
        RunError: when the loss is no number.
    """
    learning = spec.training
    model = load(spec.checkpoint, spec.layers).to(device)
    model.get_input_embeddings().requires_grad_(spec.learn_embeddings)
    learning_weights = [parameter for parameter in model.parameters() if parameter.requires_grad]
    learner = Learner({"model": (learning_weights, learning.learning_rate)}, learning, learning.steps)
    figures = {}
    if spec.layers is not None:
        figures["whole"] = perplexity(load(spec.checkpoint, None).to(device), measured, learner)
    figures["before"] = perplexity(model, measured, learner)
    before = time.perf_counter()
    history = list(_learn(model, learner, learned, spec)) if learning.steps else []
    seconds = time.perf_counter() - before
    figures["after"] = perplexity(model, measured, learner) if learning.steps else figures["before"]
    tokens = learning.steps * learning.batch_size * learned.shape[1]
    return AdaptedLanguage(model.to("cpu"), figures, history, tokens, seconds)


def perplexity(model: Any, blocks: Tensor, learner: Learner) -> float:
    """Return exp of the mean cross-entropy of a token given those before it in its block, in nats."""
    model.eval()
    device = next(model.parameters()).device
    total = 0.0
    with torch.inference_mode(), learner.computing(device):
        for part in torch.split(blocks, _BLOCKS_PER_PASS):
            total += model(input_ids=part.to(device), labels=part.to(device)).loss.item() * len(part)
    return math.exp(total / len(blocks))


def _learn(model: Any, learner: Learner, learned: Tensor, spec: LanguageSpec) -> Iterator[dict[str, float]]:
    steps = spec.training.steps
    rows_after = max(1, steps // 50)
    batches = _batches(len(learned), spec.training.batch_size, spec.training.seed)
    device = next(model.parameters()).device
    model.train()
    losses: list[float] = []
    with torch.random.fork_rng(devices=[]), console.progress("reading radiology texts", steps) as advance:
        torch.manual_seed(spec.training.seed)  # of dropout, where a checkpoint has some
        for step in range(1, steps + 1):
            part = learned[next(batches)].to(device)
            with learner.computing(device):
                loss = model(input_ids=part, labels=part).loss
            losses.append(learner.step(loss))
            advance(1)
            if step % rows_after == 0 or step == steps:
                yield {"step": step, "loss": sum(losses) / len(losses)}
                losses = []


def _batches(blocks: int, size: int, seed: int) -> Iterator[Tensor]:
    """Yield rows of full batches for ever, every block once before any comes again."""
    generator = torch.Generator().manual_seed(seed)
    waiting = torch.empty(0, dtype=torch.long)
    while True:
        while len(waiting) < size:
            waiting = torch.cat([waiting, torch.randperm(blocks, generator=generator)])
        yield waiting[:size]
        waiting = waiting[size:]
