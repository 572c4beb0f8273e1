"""A run of three stages as the training engine leaves it: loss, then accuracy with an early end, then a mix."""

from pathlib import Path
from typing import Any

import yaml

from radvqa import files
from radvqa.run import Run
from report_runs import make_run

PARTS = {
    "vision": {"total": 800, "trainable": 800},
    "fusion": {"total": 100, "trainable": 100},
    "language_model": {"total": 2000, "trainable": 60},
}
COST = {
    "wall_seconds": 95.0,
    "evaluation_seconds": 12.0,
    "samples": 1920,
    "samples_per_second": 1920 / 95,
    "tokens": None,
    "tokens_per_second": None,
    "data_waiting_share": 0.0125,
    "peak_memory_bytes": 3 << 30,
    "peak_gpu_memory_bytes": None,
    "parameters": {"total": 2900, "trainable": 960, "by_part": PARTS},
    "flops": 4_200_000_000_000,
    "flops_per_sample": 2_187_500_000.0,
    "flops_how": "estimated: some",
    "devices": 1,
    "peak_flops_per_second": 1e12,
    "peak_flops_how": "measured: some",
    "utilisation": 0.0442,
    "energy_joules": 36_000.0,
    "energy_how": "RAPL: one package",
    "interruptions": 2,
}
LEARNING = {"optimizer": "adamw", "learning_rate": 0.001, "schedule": "cosine", "select_by": "accuracy"}
LEARNING |= {"select_where": {}, "epochs": None, "steps": None, "tokens": None, "evaluate_every": None}
FIRST, SECOND, THIRD = 20, 30, 10  # steps; the second stage was to have 60
SIZE = 32  # samples a step


def stage(name: str, **says: Any) -> dict[str, Any]:
    """A stage of a resolved recipe."""
    usual = {"data": [], "temperature": 1.0, "train": None, "anneal": None, "select": None}
    return {**LEARNING, "name": name, **usual, "carry": {"weights": "best", "parts": None, "optimizer": False}, **says}


def source(name: str, **says: Any) -> dict[str, Any]:
    """A source of a mix in a resolved recipe."""
    return {"name": name, "label": name, "split": "train", "where": {}, "repeat": 1, "weight": None, **says}


def stages() -> list[dict[str, Any]]:
    """The stages as the recipe says."""
    captions = source("medpix2:captions", where={"modality": ["CT", "MRI"]})
    mix = [source("path_vqa:json", label="path", weight=3), source("slake:en", label="slake", weight=1)]
    return [
        stage(
            "captions",
            data=[captions],
            train={"vision": "frozen", "fusion": "full", "language_model": "frozen"},
            epochs=2,
            select_by="loss",
            select={"name": "medpix2:captions", "split": "dev"},
        ),
        stage("general", train={"vision": "full", "fusion": "full", "language_model": "lora"}, steps=60, patience=2),
        stage(
            "radiology",
            data=mix,
            train={"vision": "full", "fusion": "full", "language_model": "lora"},
            steps=THIRD,
            learning_rate=0.0002,
            select_by="token_f1",
            select_where={"answer_type": "OPEN"},
            anneal={"over": 0.5, "to": {"slake": 1}, "learning_rate": 0.1},
        ),
    ]


def history() -> list[dict[str, Any]]:
    """Looks: two, three of which the first was the best, and two."""
    losses = {10: 2.0, 20: 1.5, 30: 1.2, 40: 1.3, 50: 1.4, 55: 1.0, 60: 0.9}
    chosen = {10: 2.0, 20: 1.5, 30: 0.6, 40: 0.5, 50: 0.55, 55: 0.4, 60: 0.7}
    rows: list[dict[str, Any]] = []
    for name, steps, best in (("captions", (10, 20), 20), ("general", (30, 40, 50), 30), ("radiology", (55, 60), 60)):
        for number, step in enumerate(steps, start=1):
            row: dict[str, Any] = {"stage": name, "step": step, "epoch": number, "samples": step * SIZE, "tokens": None}
            row |= {"learning_rate": 0.001, "train_loss": losses[step] + 0.1, "train_accuracy": 0.5}
            measured = {} if name == "captions" else {"val_accuracy": 0.3 + step / 200, "val_token_f1": 0.6}
            rows.append({**row, "val_loss": losses[step], **measured, "selected": chosen[step], "best": step == best})
    return rows


def log() -> list[dict[str, Any]]:
    """A row every second step, and those of the looks, which have no rates of parts."""
    rows: list[dict[str, Any]] = []
    for step in range(2, FIRST + SECOND + THIRD + 1, 2):
        row: dict[str, Any] = {"step": step, "loss": 1.0, "samples": step * SIZE}
        if step <= FIRST:
            rows.append({**row, "stage": "captions", "learning_rate/fusion": 0.001})
        elif step <= FIRST + SECOND:
            rates = {"learning_rate/vision": 1e-5, "learning_rate/fusion": 1e-3, "learning_rate/language_model": 1e-3}
            rows.append({**row, "stage": "general", **rates})
        else:
            rates = dict.fromkeys(
                ("learning_rate/vision", "learning_rate/fusion", "learning_rate/language_model"), 2e-4
            )
            moved = max(0.0, (step - 56) / 4)
            shares = {"share/path": 0.75 * (1 - moved), "share/slake": 1 - 0.75 * (1 - moved)}
            rows.append({**row, "stage": "radiology", **rates, **shares})
        if step % 10 == 0:
            rows.append({"step": step, "stage": rows[-1]["stage"], "learning_rate": 0.001, "val_loss": 1.0})
    return rows


def came_to() -> list[dict[str, Any]]:
    """What ``run.json`` says of the stages."""
    one = {"medpix2:captions": 1.0}
    own = {"slake:en": 1.0}
    told = [
        ("captions", FIRST, FIRST, 2, 2, 20, "loss", 1.5, one, one),
        ("general", SECOND, 60, 3, 1, 30, "accuracy", 0.6, own, own),
        ("radiology", THIRD, THIRD, 2, 2, 60, "token_f1", 0.7, {"path": 0.75, "slake": 0.25}, {"path": 0, "slake": 1}),
    ]
    return [
        {
            "name": name,
            "steps": steps,
            "of": of,
            "stopped_early": steps < of,
            "trained": {"fusion": 4_000}
            if name == "captions"
            else {"vision": 9_000, "fusion": 4_000, "language_model": 500},
            "looks": looks,
            "best_look": look,
            "best_step": step,
            "selected": {"metric": metric, "value": value},
            "shares": {"begin": begin, "end": end},
        }
        for name, steps, of, looks, look, step, metric, value, begin, end in told
    ]


def make_curriculum(folder: Path, **options: Any) -> Run:
    """Make a finished run of three stages.

    Args:
        folder: where.
        options: as for ``make_run``.
    """
    run = make_run(folder, **{"images": 8, "resamples": 20, "thumbnails": False, **options})
    plan = run.recipe
    plan["training"] = {**LEARNING, "batch_size": SIZE, "seed": plan["training"]["seed"]}
    plan["stages"] = stages()
    files.write_text(folder / "recipe.yaml", yaml.safe_dump(plan, sort_keys=False))
    run.write_history(history())
    files.write_jsonl(folder / "log" / "steps.jsonl", log())
    counted = {"captions: medpix2:captions train": 1653, "captions: select": 100, "general: slake:en train": 4919}
    counted |= {"radiology: path train": 9926, "radiology: slake train": 4919}
    data = {name: {"questions": many, "images": 9, "digest": f"{many:032d}"} for name, many in counted.items()}
    files.write_json(folder / "provenance.json", {**run.provenance, "data": data})
    selected = {"metric": "token_f1", "value": 0.7}
    told = {"epochs": 2, "best_epoch": 2, "selected": selected, "stages": came_to(), "cost": COST, "left_out": []}
    files.write_json(folder / "run.json", {**run.facts, **told})
    return run


def change(run: Run, **facts: Any) -> Run:
    """Change facts of a run."""
    files.write_json(run.folder / "run.json", {**run.facts, **facts})
    return run
