"""``radvqa starter build``: a finished run and its packed backbone become the one file of the starter model."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import radvqa
from radvqa import console
from radvqa.commands.starter import PACKED
from radvqa.errors import RunError, WeightsError
from radvqa.run import Run
from radvqa.sample import Sample
from radvqa.starter import file, packing
from radvqa.starter.model import FILE, Starter
from radvqa.starter.net import Net, NetFacts, Seen
from radvqa.starter.packing import Array

if TYPE_CHECKING:
    from radvqa.models.vocabulary import AnswerVocabulary

LARGEST = 15_000_000
"""Bytes that the file may have."""

_WANTED = {"family": "coattention", "members": 1, "text_encoder": None, "pooling": "cls+mean"}
_STATISTICS = ("_mean", "_spread")


def build(run: Path, backbone: Path, *, out: Path | None = None, target: float = 0.9) -> dict[str, Any]:
    """Pack a run's head beside its backbone, and fit the gate and the confidence with what the packed model computes.

    The gate learns from the training pictures; temperature and threshold are chosen on the validation questions. The
    test split is not read: its accuracy is taken from the run's scores.

    Args:
        run: a finished and scored run of the recipe ``starter_slake``.
        backbone: the folder that ``radvqa starter backbone`` made, on which the run was trained.
        out: the file; by default the one that comes with the package.
        target: share of right answers among those that are given, for which the threshold is chosen.

    Returns:
        ``file``, ``bytes`` and ``about``, as they stand in the file.

    Raises:
        RunError: when the run is unfinished or not scored, or is no model of this kind.
        WeightsError: when the backbone is not the one that the run was trained on, or the file would be too large.
    """
    from radvqa import files
    from radvqa.data import registry
    from radvqa.models.checkpoint import read_weights
    from radvqa.models.vocabulary import AnswerVocabulary
    from radvqa.starter import confidence, gate, question_gate

    opened = Run(Path(run))
    opened.require_finished()
    test = opened.scores(opened.answers())
    spec = files.read_json(opened.checkpoints / "model.json")
    vision, facts = file.read(Path(backbone) / PACKED)
    _require_this_kind(opened, spec, facts)
    _require_same_backbone(opened, spec, Path(backbone), vision)

    state = {name: tensor.numpy() for name, tensor in read_weights(opened.checkpoints / "best.safetensors").items()}
    tensors = file.under("vision", vision) | file.under("head", _head(state))
    answers = AnswerVocabulary.from_plain(spec["answers"])
    net_facts = NetFacts.from_plain(
        {
            "vision": facts["vision"],
            "heads": spec["options"]["heads"],
            "hops": spec["options"]["hops"],
            **spec["words"],
            "answers": answers.spellings,
        }
    )
    net = Net(tensors, net_facts)
    data = opened.recipe["data"]
    learned = registry.load_split(data["name"], data["train"])
    held_out = registry.load_split(data["name"], data["select"])
    seen = _seen(net, held_out)
    logits = np.stack([net.logits(sample.question, seen[sample.image]) for sample in held_out])
    gold = _gold(held_out, answers)
    pictures = gate.fit(_pooled(_seen(net, learned)), _pooled(seen))
    questions = question_gate.fit([sample.question for sample in learned], net_facts.words, net_facts.normaliser)
    about = {
        **_origin(opened, spec, facts),
        "validation": {
            "questions": len(held_out),
            "accuracy": round(float((logits.argmax(1) == gold).mean()), 6),
            "accuracy_before_packing": opened.facts["selected"]["value"],
        },
        "test": {"questions": test["subsets"]["overall"]["n"], **_accuracy(test["subsets"]["overall"])},
    }
    starter = Starter(net, pictures, questions, confidence.fit(logits, gold, target), about)
    path = Path(out) if out else FILE
    files.write_bytes(path, _content(starter, tensors))
    return {"file": str(path), "bytes": path.stat().st_size, "about": about}


def _require_this_kind(run: Run, spec: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
    found = {"family": spec["family"], **spec.get("options", {})}
    wanted = {**_WANTED, "image_size": facts["vision"]["side"]}
    odd = [f"{key} is {found.get(key)!r}, not {value!r}" for key, value in wanted.items() if found.get(key) != value]
    if not odd and not spec["labels"]:
        odd = ["it learned no regions"]
    if odd:
        raise RunError(f"{run.folder} cannot become a starter model: {'; '.join(odd)}. Train the recipe starter_slake.")


def _require_same_backbone(run: Run, spec: Mapping[str, Any], folder: Path, packed: file.Tensors) -> None:
    """Refuse unless the run was trained on this folder's weights, and these are what the packed ones come to."""
    from safetensors.numpy import load_file

    from radvqa.models.vision import VisionSpec, VisionTower

    published = load_file(folder / "model.safetensors")
    for name, tensor in published.items():
        if not np.array_equal(packing.unpack(name, packed).reshape(-1), tensor.reshape(-1)):
            raise WeightsError(
                f"{folder}: {name} in {PACKED} is not what it is in model.safetensors; make the folder again with "
                f"`radvqa starter backbone`."
            )
    if VisionTower(VisionSpec(str(folder), pooling="cls+mean")).digest() != spec["digests"]["vision"]:
        raise WeightsError(
            f"{run.folder} was not trained on the backbone in {folder}; name the folder that its recipe's "
            f"model.backbone ({spec['options']['backbone']}) stands for, or train on this one."
        )


def _head(state: Mapping[str, Any]) -> file.Tensors:
    """Pack what was learned: matrices in 8 bits, statistics in 32, the rest in 16; no class stands for the unknown."""
    packed: file.Tensors = {}
    for name, tensor in state.items():
        kept = tensor[:-1] if name.startswith("members.0.classifier.4.") else tensor
        bits: packing.Bits = 8 if kept.ndim == 2 else 32 if name.endswith(_STATISTICS) else 16
        packed |= packing.pack(name, kept, bits)
    return packed


def _seen(net: Net, samples: Sequence[Sample]) -> dict[str, Seen]:
    """Look at every distinct picture once."""
    from radvqa.data import image

    pictures = {sample.image: sample.image_path for sample in samples}
    seen = {}
    with console.progress("looking at pictures", len(pictures)) as advance:
        for name, path in pictures.items():
            seen[name] = net.look(image.decode(path))
            advance(1)
    return seen


def _pooled(seen: Mapping[str, Seen]) -> Array:
    return np.stack([one.pooled for one in seen.values()])


def _gold(samples: Sequence[Sample], answers: "AnswerVocabulary") -> Any:
    """The class of each gold answer; -1 where training did not know it."""
    classes = answers.encode([sample.answer for sample in samples]).numpy()
    return np.where(classes < len(answers.answers), classes, -1)


def _origin(run: Run, spec: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Say where the model comes from."""
    from radvqa.data import registry

    data = run.recipe["data"]
    data_set = registry.select(data["name"]).data_set.facts
    return {
        "made_with": f"radvqa {radvqa.__version__}",
        "use": "For research only, not for diagnosis.",
        "data": {
            "name": data["name"],
            "title": data_set.title,
            "licence": data_set.licence,
            "attribution": data_set.citation,
            "address": data_set.address,
            "changes": "A model was trained on the training split; no picture or question of the data is contained.",
            "digests": run.provenance["data"],
        },
        "backbone": {
            "of": facts["of"],
            "of_sha256": facts["of_sha256"],
            "packed": spec["digests"]["vision"],
            "licence": "Apache 2.0",
            "attribution": "M. Oquab et al.: DINOv2: Learning Robust Visual Features without Supervision, TMLR 2024.",
        },
        "labels": list(spec["labels"]),
        "seed": run.recipe["training"]["seed"],
        "recipe": run.recipe,
        "git_commit": run.provenance["git_commit"],
    }


def _accuracy(scores: Mapping[str, Any]) -> dict[str, Any]:
    return {key: scores[key] for key in ("accuracy", "accuracy_interval")}


def _content(starter: Starter, tensors: file.Tensors) -> bytes:
    """Put the file together.

    Raises:
        WeightsError: when it would be too large.
    """
    kept = {
        **tensors,
        **starter.pictures.tensors(),
        **starter.questions.tensors(),
        **starter.confidence.tensors(),
    }
    content = file.content(kept, {"net": asdict(starter.net.facts), "about": starter.about})
    if len(content) > LARGEST:
        raise WeightsError(
            f"The starter model would have {len(content):,} bytes; {LARGEST:,} are allowed. Train with a smaller "
            f"model.hidden_size or fewer model.heads."
        )
    return content
