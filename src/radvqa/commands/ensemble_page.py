"""What is written about an ensemble: what it is made of, where its members come from, and what they cost."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radvqa import fingerprint
from radvqa.ensembling import Vote
from radvqa.prediction import Prediction
from radvqa.run import ENSEMBLE, Run

_ADDED = ("wall_seconds", "evaluation_seconds", "samples", "tokens", "flops", "energy_joules", "interruptions")
_LARGEST = ("peak_memory_bytes", "peak_gpu_memory_bytes", "devices")


@dataclass(frozen=True)
class Member:
    """A run that votes.

    Attributes:
        name: its folder's name, longer where two share one.
        run: the run.
        selection: its answers to the selection questions.
        test: its answers on the test split.
    """

    name: str
    run: Run
    selection: Sequence[Prediction]
    test: Sequence[Prediction]

    @property
    def recipe(self) -> dict[str, Any]:
        """Its recipe without the seed."""
        recipe = self.run.recipe
        training = {key: value for key, value in recipe.get("training", {}).items() if key != "seed"}
        return {**recipe, "training": training}

    @property
    def called(self) -> str:
        """Its recipe's name."""
        return str(self.run.recipe.get("name") or self.name)

    @property
    def seed(self) -> Any:
        """Its seed; None when its recipe has none."""
        return self.run.recipe.get("training", {}).get("seed")

    @property
    def answering(self) -> dict[str, Any]:
        """What answering the test split took."""
        answers = self.run.answers()
        found: dict[str, Any] = self.run.facts.get("answering", {}).get(f"{answers.dataset} {answers.split}", {})
        return found

    @property
    def parameters(self) -> dict[str, Any]:
        """``total`` and ``trainable``, with ``by_part`` where it was counted; empty when unknown."""
        facts = self.run.facts
        return (facts.get("cost") or {}).get("parameters") or facts.get("parameters") or {}


def recipe_of(members: Sequence[Member], normaliser: str) -> dict[str, Any]:
    """What an ensemble is made of; the same for two whose members differ in their seeds alone."""
    seeds = list(dict.fromkeys(member.seed for member in members))
    return {
        "name": "+".join(member.called for member in members),
        "title": f"Vote of {' + '.join(member.called for member in members)}",
        "data": members[0].run.recipe["data"],
        "model": {
            "family": ENSEMBLE,
            "normaliser": normaliser,
            "members": [
                {
                    "recipe": member.called,
                    "family": member.recipe["model"]["family"],
                    "digest": fingerprint.of_value(member.recipe),
                }
                for member in members
            ],
        },
        "training": {"seed": seeds[0] if len(seeds) == 1 else ", ".join(map(str, seeds)), "select_by": "accuracy"},
    }


def provenance_of(members: Sequence[Member], vote: Vote) -> dict[str, Any]:
    """Where each member comes from, with the digests of its weights and of the answers that voted."""
    from radvqa import provenance

    told = [member.run.provenance for member in members]
    return {
        **provenance.collect(seed=0, device="", splits={}),
        **{key: " and ".join(_distinct(one.get(key) for one in told)) for key in ("device", "cpu")},
        "seed": [member.seed for member in members],
        "data": _data(members),
        "members": [
            {
                "run": member.name,
                "recipe": member.called,
                "seed": member.seed,
                "weight": weight,
                "temperature": temperature,
                "git_commit": one.get("git_commit"),
                "weights_sha256": _digest(member.run.checkpoints / "best.safetensors"),
                "predictions_sha256": _digest(member.run.folder / member.run.answers().file("predictions", "jsonl")),
            }
            for member, one, weight, temperature in zip(members, told, vote.weights, vote.temperatures, strict=True)
        ],
    }


def cost_of(members: Sequence[Member]) -> dict[str, Any]:
    """What all members cost together, as a training says it in ``run.json``; null where one of them does not say."""
    facts = [member.run.facts for member in members]
    costs = [one.get("cost") or {} for one in facts]
    parameters: dict[str, Any] = {
        key: _total(member.parameters.get(key) for member in members) for key in ("total", "trainable")
    }
    by_part = {
        f"{member.name}: {part}": counted
        for member in members
        for part, counted in (member.parameters.get("by_part") or {}).items()
    }
    added = {key: _total(one.get(key) for one in costs) for key in _ADDED}
    cost = {
        **added,
        "samples_per_second": _rate(added["samples"], added["wall_seconds"]),
        **{key: _most(one.get(key) for one in costs) for key in _LARGEST},
        "parameters": {**parameters, "by_part": by_part},
    }
    asked = members[0].run.answers()
    answering = {
        "seconds_per_question": _total(member.answering.get("seconds_per_question") for member in members),
        "device": " and ".join(_distinct(member.answering.get("device") for member in members)) or None,
    }
    return {
        **{key: _total(one.get(key) for one in facts) for key in ("seconds", "training_seconds")},
        "parameters": parameters,
        "peak_memory_bytes": _most(one.get("peak_memory_bytes") for one in facts),
        **({"cost": cost} if all(costs) else {}),
        "answering": {f"{asked.dataset} {asked.split}": answering},
    }


def _data(members: Sequence[Member]) -> dict[str, Any]:
    """Fingerprints of what the members learned from and chose on; under a member's name where they differ."""
    told = {member.name: member.run.provenance.get("data", {}) for member in members}
    joined = {}
    for name, data in told.items():
        for key, facts in data.items():
            same = all(other.get(key) == facts for other in told.values())
            joined[key if same else f"{name}: {key}"] = facts
    return joined


def _digest(path: Path) -> str | None:
    return fingerprint.of_bytes(path.read_bytes()) if path.is_file() else None


def _distinct(values: Iterable[Any]) -> list[str]:
    return list(dict.fromkeys(str(value) for value in values if value))


def _total(values: Iterable[Any]) -> Any:
    known = list(values)
    return None if None in known else sum(known)


def _most(values: Iterable[Any]) -> Any:
    return max((value for value in values if value is not None), default=None)


def _rate(many: float | None, seconds: float | None) -> float | None:
    return many / seconds if many is not None and seconds else None
