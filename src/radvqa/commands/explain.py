"""``radvqa explain``: where a model looked, for one picture or a whole test set, and whether that is to be believed."""

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from radvqa import files
from radvqa.asking import LAST, STARTER, last_run, sample_of
from radvqa.data import image
from radvqa.errors import DataError, RadvqaError, nearest
from radvqa.run import Run
from radvqa.sample import Sample, cluster_of

if TYPE_CHECKING:
    from radvqa.explaining.asking import Ask
    from radvqa.explaining.explain import Asking, Explanation
    from radvqa.explaining.methods import Wishes
    from radvqa.explaining.table import Plan


@dataclass(frozen=True)
class Wanted:
    """How one answer is explained.

    Attributes:
        out: folder of pictures, arrays and summary.
        methods: names; those that apply and are cheap where empty.
        token: of the answer; the whole answer and each token when None.
        wishes: layer, head, rollout, seed; the methods' own when None.
        proof: measure deletion and insertion.
        device: ``auto``, ``cpu`` or ``cuda``.
    """

    out: Path
    methods: tuple[str, ...] = ()
    token: int | None = None
    wishes: "Wishes | None" = None
    proof: bool = True
    device: str = "auto"


def explain(run: str | os.PathLike[str], picture: Path, question: str, wanted: Wanted) -> dict[str, Any]:
    """Explain the answer to a question about a picture.

    Args:
        run: a finished run folder, ``last``, or ``starter``.
        picture: an image file; of DICOM and NIfTI one frame or slice may be addressed.
        question: in the language of the model.
        wanted: how.

    Returns:
        What ``explained.json`` holds, and ``folder``.

    Raises:
        RadvqaError: when the picture cannot be decoded, the question is empty, there is no such model, or a method
            does not apply.
    """
    if not question.strip():
        raise RadvqaError("The question is empty; ask for instance 'Which organ is shown?'.")
    sample = sample_of(picture, question, "explain")
    return _explain(run, sample, None, wanted)


def explain_sample(
    run: str | os.PathLike[str], name: str, wanted: Wanted, *, data: str | None = None, split: str | None = None
) -> dict[str, Any]:
    """Explain the answer to a question of a data set, whose labelled regions tell what it is about.

    Args:
        run: a finished run folder.
        name: id of the sample.
        wanted: how.
        data: data set; by default the run's own.
        split: by default the run's test split.

    Raises:
        RadvqaError: when there is no such sample; else as ``explain``.
    """
    from radvqa.data import registry
    from radvqa.data.dataset import Problems

    _, place, part = _questions(Run(Path(run)), data, split)
    samples = registry.load_split(place, part, Problems())
    known = {sample.id: sample for sample in samples}
    if name not in known:
        raise DataError(f"{place} {part} has no sample {name!r}; {nearest(name, list(known))}")
    return _explain(run, known[name], place, wanted)


def _explain(run: str | os.PathLike[str], sample: Sample, place: str | None, wanted: Wanted) -> dict[str, Any]:
    from radvqa.explaining.evidence.target import target
    from radvqa.explaining.explain import Asking
    from radvqa.explaining.methods import Wishes, method

    for name in wanted.methods:
        method(name)
    pixels = image.decode(sample.image_path)
    truth = None
    if place is not None:
        from radvqa.data import registry

        regions = registry.regions(place, sample.image)
        truth = target(sample.question, sample.answer, regions, *pixels.shape[:2])
    asking = Asking(pixels, wanted.methods, wanted.token, wanted.wishes or Wishes(), wanted.proof, truth)
    started = time.perf_counter()
    name, found = _explanation(run, sample, asking, wanted.device)
    seconds = round(time.perf_counter() - started, 3)
    return _write(wanted.out, name, sample, asking, found, seconds)


def _explanation(
    run: str | os.PathLike[str], sample: Sample, asking: "Asking", device: str
) -> "tuple[str, Explanation]":
    from radvqa.explaining.asking import Asked
    from radvqa.explaining.explain import explain as explained
    from radvqa.explaining.explain import explain_black_box

    if run == STARTER:
        return STARTER, explain_black_box(Asked(_asking_starter(sample.question), asking.picture), asking)
    from radvqa import device as devices
    from radvqa.models.checkpoint import load_model

    opened = last_run(Path("runs")) if run == LAST else Run(Path(run))
    opened.require_model()
    model = load_model(opened.checkpoints, devices.choose(device))
    return opened.name, explained(model, _family(opened), sample, asking)


def _asking_starter(question: str) -> "Ask":
    from radvqa.explaining.asking import Reply
    from radvqa.starter.model import Starter

    starter = Starter.load()

    def ask(pictures: "Sequence[image.Pixels]") -> "Sequence[Reply]":
        said = [starter.answer(picture, question) for picture in pictures]
        return [Reply(one.answer, one.confidence, dict(one.candidates)) for one in said]

    return ask


def _family(run: Run) -> str:
    return str(files.read_json(run.checkpoints / "model.json")["family"])


def _questions(run: Run, data: str | None, split: str | None) -> tuple[Any, str, str]:
    from radvqa.commands.own_data import asked
    from radvqa.recipe import parse_recipe

    found = asked(run, parse_recipe(run.recipe, str(run.folder / "recipe.yaml")).data, data, split)
    return found.answers, found.place, found.answers.split


def _write(
    out: Path, model: str, sample: Sample, asking: "Asking", found: "Explanation", seconds: float
) -> dict[str, Any]:
    """Write pictures and arrays, and the summary last."""
    from radvqa.explaining.attention.raw import on_picture
    from radvqa.explaining.methods import METHODS
    from radvqa.report.figures.saliency import Titles, heads_figure, map_figure, patch_figure
    from radvqa.report.figures.style import save_png

    said = found.said
    for name, one in found.maps.items():
        chosen = METHODS[name]
        titles = Titles(sample.question, said.text, chosen.title, chosen.says)
        weights = list(zip(found.asked, map(float, one.words), strict=True)) if one.words is not None else []
        each = [(said.spelled[place], heat) for place, heat in zip(one.tokens, one.token_heats, strict=True)]
        figure = map_figure(asking.picture, one.heat, titles, words=weights, tokens=each if len(each) > 1 else ())
        save_png(figure, out / f"{name}.png", true_colours=True)
        arrays: dict[str, Any] = {"map": one.heat, "tokens": np.array(one.tokens, np.int64)}
        if one.token_heats:
            arrays["token_maps"] = np.stack(one.token_heats)
        if one.words is not None:
            arrays["words"] = one.words
        files.write_arrays(out / f"{name}.npz", **arrays)
    if found.looks is not None and found.looks.told:
        heads = on_picture(found.looks)
        titles = Titles(sample.question, said.text, "How much each head looks at the picture")
        save_png(heads_figure(heads, titles), out / "heads.png", true_colours=True)
        box, tokens = _brightest(found, asking)
        titles = Titles(
            sample.question,
            said.text,
            "From the brightest patch to the answer",
            "How much of each token's attention lies on the patch that the whole answer looks at most.",
        )
        save_png(patch_figure(asking.picture, box, tokens, titles), out / "patch.png", true_colours=True)
    summary = _summary(model, sample, asking, found, seconds)
    files.write_json(out / "explained.json", summary)
    return {**summary, "folder": str(out)}


def _brightest(
    found: "Explanation", asking: "Asking"
) -> tuple[tuple[float, float, float, float], list[tuple[str, float]]]:
    """The patch that the answer looks at most, in pixels, and each token's attention on it."""
    from radvqa.explaining.attention.raw import chosen

    if found.looks is None:
        raise TypeError("there is no attention")
    weights = chosen(found.looks.told, found.looks.names, asking.wishes.layer, asking.wishes.head)
    patch = int(weights.mean(0).argmax())
    rows, columns = found.grid
    tall, wide = asking.picture.shape[0] / rows, asking.picture.shape[1] / columns
    box = ((patch % columns) * wide, (patch // columns) * tall, wide, tall)
    told = weights[:, patch].tolist()
    spelled = found.said.spelled if len(told) == len(found.said.spelled) else (found.said.text,) * len(told)
    return box, list(zip(spelled, told, strict=True))


def _summary(model: str, sample: Sample, asking: "Asking", found: "Explanation", seconds: float) -> dict[str, Any]:
    words = found.words
    return {
        "model": model,
        "image": sample.image,
        "question": sample.question,
        "answer": found.said.text,
        "tokens": list(found.said.spelled),
        "probability": found.said.probability,
        "asked": list(found.asked),
        "words": [{"word": word, "drop": round(float(drop), 6)} for word, drop in zip(words[0], words[1], strict=True)]
        if words is not None
        else [],
        "methods": {
            name: {
                "words": [round(float(weight), 8) for weight in one.words] if one.words is not None else None,
                "proof": _plain(asdict(one.proof)) if one.proof is not None else None,
            }
            for name, one in found.maps.items()
        },
        "refused": found.refused,
        "seconds": seconds,
        "notice": "A map says what moved the model, not what is in the picture. For research only, not for diagnosis.",
    }


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _plain(value) if isinstance(value, Mapping) else value for key, value in values.items()}


def explain_split(
    run: Path,
    *,
    data: str | None = None,
    split: str | None = None,
    plan: "Plan",
    device: str = "auto",
    limit: int | None = None,
) -> dict[str, Any]:
    """Measure all methods on a whole split; what was measured before is not measured again.

    Writes ``explained{suffix}/`` into the run folder: a table and the maps of each method, and ``summary.json``.

    Args:
        run: a finished run folder.
        data: data set; by default the run's own.
        split: by default the run's test split.
        plan: methods and how much is measured.
        device: ``auto``, ``cpu`` or ``cuda``.
        limit: so many questions only, the first ones.

    Raises:
        RadvqaError: when the run or its family cannot be looked into, or the folder holds other measurements.
    """
    from radvqa import device as devices
    from radvqa import fingerprint
    from radvqa.data import registry
    from radvqa.data.dataset import Problems
    from radvqa.explaining.inside.opening import can_open
    from radvqa.explaining.methods import method
    from radvqa.explaining.summary import summarise
    from radvqa.explaining.table import Explained, keep, measure
    from radvqa.models.checkpoint import load_model

    for name in plan.methods:
        method(name)
    opened = Run(Path(run))
    opened.require_model()
    family = _family(opened)
    if not can_open(family):
        raise RadvqaError(
            f"{opened.folder}: models of the family {family} can only be asked, and occlusion or RISE on a whole test "
            f"set would ask hundreds of times a question; explain single pictures: radvqa explain RUN IMAGE QUESTION."
        )
    answers, place, part = _questions(opened, data, split)
    samples = registry.load_split(place, part, Problems())[:limit]
    regions = {sample.image: registry.regions(place, sample.image) for sample in samples}
    with Run.held(opened.folder):
        model = load_model(opened.checkpoints, devices.choose(device))
        about = {
            "weights": fingerprint.of_bytes((opened.checkpoints / "best.safetensors").read_bytes()),
            "questions": len(samples),
            "plan": asdict(plan),
        }
        folder = opened.folder / f"explained{answers.suffix}"
        explained = Explained(folder, json.loads(json.dumps(about)))
        started = time.perf_counter()
        measure(model, family, samples, regions, plan, explained)
        seconds = time.perf_counter() - started
        summary = summarise(explained.rows, {sample.id: cluster_of(sample.image, sample.case) for sample in samples})
        methods = keep(explained)
        files.write_json(folder / "summary.json", summary)
    return {
        "run": str(run),
        "data": answers.dataset,
        "split": answers.split,
        "methods": methods,
        "limit": limit,
        "plan": {"methods": plan.methods, "faithful": plan.faithful, "sane": plan.sane, "seed": plan.seed},
        "seconds": round(seconds, 1),
        "summary": summary,
        "folder": str(folder),
    }
