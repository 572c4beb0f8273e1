"""``radvqa adapt``: train a published part on radiology before any question is asked; a checkpoint comes out."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radvqa import console
from radvqa.data.dataset import Problems

if TYPE_CHECKING:
    from radvqa.adapting.spec import LanguageSpec, VisionSpec
    from radvqa.sample import Sample


def adapt_language(spec: Path, overrides: Sequence[str] = (), *, out: Path, skip_bad: bool = False) -> dict[str, Any]:
    """Train a causal language model on radiology texts, with all its layers or the first ones.

    A finished folder is left as it is; an adaptation that was interrupted left none, and starts over. One seed makes
    the same weights, byte for byte, on one kind of processor with the same number of threads.

    Args:
        spec: a YAML file, or the name of one that ships with the project.
        overrides: ``key=value``, for instance ``layers=12`` or ``steps=0``.
        out: the folder to make, a checkpoint in the hub's layout.
        skip_bad: leave unusable rows and pictures out instead of stopping at the first.

    Returns:
        what ``adaptation.json`` holds, and the folder.

    Raises:
        RadvqaError: for a specification, data or weights that cannot be used, and a folder that holds something else.
    """
    from radvqa.adapting import folder
    from radvqa.adapting.spec import LanguageSpec, load_spec

    page = load_spec(LanguageSpec, Path(spec), overrides)
    with folder.held(Path(out), page.model_dump(mode="json")) as made:
        facts = made if made is not None else _language(page, Path(out), Problems(skip=skip_bad))
    return {"folder": str(out), **facts}


def adapt_vision(spec: Path, overrides: Sequence[str] = (), *, out: Path, skip_bad: bool = False) -> dict[str, Any]:
    """Train the last blocks of a vision transformer on radiology classes and captions; the heads are thrown away.

    Arguments, result and errors are those of ``adapt_language``.
    """
    from radvqa.adapting import folder
    from radvqa.adapting.spec import VisionSpec, load_spec

    page = load_spec(VisionSpec, Path(spec), overrides)
    with folder.held(Path(out), page.model_dump(mode="json")) as made:
        facts = made if made is not None else _vision(page, Path(out), Problems(skip=skip_bad))
    return {"folder": str(out), **facts}


def _language(spec: "LanguageSpec", out: Path, problems: Problems) -> dict[str, Any]:
    started = time.perf_counter()
    from radvqa import device
    from radvqa.adapting import folder, language, texts
    from radvqa.adapting.card import card
    from radvqa.adapting.gather import gather
    from radvqa.models import hub

    samples, read = {}, {}
    for number, source in enumerate(spec.texts, start=1):
        name = f"{number}. {source.data} {source.split}, {source.text}"
        samples[name] = gather(source, problems)
        read[name] = texts.documents(source, samples[name])
    learned, measured = texts.hold_out(
        [document for held in read.values() for document in held], spec.held_out, spec.training.seed
    )
    tokenizer = hub.tokenizer(spec.checkpoint)
    to_learn, to_measure = (texts.blocks(tokenizer, held, spec.block_tokens) for held in (learned, measured))
    console.say(f"{to_learn.numel():,} tokens to learn from, {to_measure.numel():,} to measure on")
    _compute_with(spec.training.threads)
    made = language.adapt(spec, to_learn, to_measure, device.choose(spec.training.device))
    facts = {
        **_origin("language", spec, samples, problems),
        "data": texts.sizes(read),
        "tokens": {"learn": to_learn.numel(), "measure": to_measure.numel(), "learned": made.tokens},
        "perplexity": made.perplexity,
        "history": made.history,
        "cost": _cost(started, made.seconds),
    }
    figures = {name: f"{value:,.1f}" for name, value in made.perplexity.items()}
    measured_on = f"Perplexity on {to_measure.numel():,} held-out tokens"
    folder.write(
        out, made.model, spec.checkpoint, facts, card(facts, {f"{measured_on}, {k}": v for k, v in figures.items()})
    )
    return facts


def _vision(spec: "VisionSpec", out: Path, problems: Problems) -> dict[str, Any]:
    started = time.perf_counter()
    from radvqa import device
    from radvqa.adapting import folder, pool, vision
    from radvqa.adapting.card import card
    from radvqa.adapting.gather import gather
    from radvqa.models import hub

    samples = {"learn": gather(spec.learn, problems), "select": gather(spec.select, problems)}
    learned, chosen = (pool.of_data_set(getattr(spec, side), samples[side]) for side in ("learn", "select"))
    for source in spec.classes:
        more, held_out = pool.of_folder(source, spec.training.seed)
        learned, chosen = learned + more, chosen + held_out
    names = pool.names_of(learned, spec.least)
    tower, store = vision.load(spec)
    to_learn, to_choose = (pool.pool(pictures, names, store, problems) for pictures in (learned, chosen))
    _compute_with(spec.training.threads)
    made = vision.adapt(spec, tower, store, to_learn, to_choose, device.choose(spec.training.device))
    facts = {
        **_origin("vision", spec, samples, problems),
        "data": {
            side: {"pictures": len(held.keys), "captions": sum(map(bool, held.captions)), "digest": held.digest}
            for side, held in (("learn", to_learn), ("select", to_choose))
        },
        "classes": names,
        "text_encoder": hub.digest(spec.text),
        "before": made.before,
        "after": made.after,
        "patch_cosine": made.patch_cosine,
        "epoch": made.epoch,
        "history": made.history,
        "cost": {
            **_cost(started, made.seconds["learning"]),
            **{f"{k}_seconds": round(v, 1) for k, v in made.seconds.items()},
        },
    }
    figures = {name: f"{value:.3f} before, {made.after[name]:.3f} after" for name, value in made.before.items()}
    figures["Mean cosine of patch features before and after"] = f"{made.patch_cosine:.4f}"
    folder.write(out, made.tower.model, spec.checkpoint, facts, card(facts, figures))
    return facts


def _origin(
    kind: str, spec: "LanguageSpec | VisionSpec", samples: "Mapping[str, Sequence[Sample]]", problems: Problems
) -> dict[str, Any]:
    from radvqa import provenance
    from radvqa.models import hub

    return {
        "kind": kind,
        "spec": spec.model_dump(mode="json"),
        "checkpoint": hub.digest(spec.checkpoint),
        "provenance": provenance.collect(seed=spec.training.seed, device=spec.training.device, splits=samples),
        "left_out": problems.found,
    }


def _cost(started: float, learning: float) -> dict[str, float]:
    from radvqa import device

    return {
        "seconds": round(time.perf_counter() - started, 1),
        "learning_seconds": round(learning, 1),
        "peak_memory_bytes": device.peak_memory_bytes(),
    }


def _compute_with(threads: int | None) -> None:
    import torch

    from radvqa import device

    device.keep_freed_memory()
    if threads is not None:
        torch.set_num_threads(threads)
