"""``radvqa ensemble``: finished runs vote; the weights are chosen on their selection split, never on the test."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from radvqa import ensembling, files
from radvqa.commands.ensemble_page import Member, cost_of, provenance_of, recipe_of
from radvqa.errors import RunError
from radvqa.prediction import Prediction
from radvqa.run import Run, differing
from radvqa.text import normaliser_for

_SAME = ("name", "select", "select_fraction", "test")


def ensemble(runs: Sequence[Path], out: Path, *, device: str = "auto", skip_bad: bool = False) -> dict[str, Any]:
    """Join finished runs in a new run folder, whose answers are a weighted vote of theirs.

    A member that has not answered the selection or the test split yet does so first.

    Args:
        runs: two or more run folders of the same data, selection and test split.
        out: the new run folder.
        device: where members answer that have to: ``auto``, ``cpu`` or ``cuda``.
        skip_bad: for members that have to answer: leave unusable rows and pictures out.

    Returns:
        ``run``; ``normaliser``; ``members``, each with ``name``, ``weight``, ``temperature`` and its ``accuracy`` alone
        on the selection questions; ``selected`` (``metric``, ``value``, ``questions``) of the vote; ``equal_weights``,
        the accuracy that these have there; ``tried``, how many votes were compared.

    Raises:
        RunError: for fewer than two runs, one that is given twice or is unfinished, runs that cannot vote together,
            and a folder that exists.
        DataError: when the members did not answer the same questions.
    """
    opened, out = _opened(runs), Path(out)
    _require_same_data(opened)
    if out.exists():
        raise RunError(f"{out} exists already; name a new folder.")
    held_out = _held_out(next(iter(opened.values())))
    members = [_member(name, run, held_out, device, skip_bad) for name, run in opened.items()]
    normaliser = normaliser_for(p.language for member in members for p in (*member.selection, *member.test))
    known = ensembling.ballots([member.selection for member in members], normaliser)
    asked = ensembling.ballots([member.test for member in members], normaliser)
    chosen = ensembling.choose(known)
    found = _found(members, chosen, normaliser, len(known.questions))
    with files.atomic_folder(out) as new:
        run = Run.create(new, recipe_of(members, normaliser), provenance_of(members, chosen.vote))
        if held_out is None:  # about a part of the training split no other run has answers to lay beside these
            _write(run, members, run.recipe["data"]["select"], ensembling.answer(known, chosen.vote))
        _write(run, members, None, ensembling.answer(asked, chosen.vote))
        run.finish({**cost_of(members), "selected": found["selected"], "ensemble": found})
    _write_card(out)
    return {"run": str(out), **found}


def _opened(runs: Sequence[Path]) -> dict[str, Run]:
    if len(runs) < 2:
        raise RunError("An ensemble needs at least two runs.")
    whole = [Path(run).resolve() for run in runs]
    names = [path.name for path in whole]
    opened: dict[str, Run] = {}
    for path in whole:
        name = path.name if names.count(path.name) == 1 else f"{path.parent.name}/{path.name}"
        if name in opened:
            raise RunError(f"The run {name} is given twice.")
        opened[name] = Run(path)
        opened[name].require_finished()
    return opened


def _require_same_data(runs: Mapping[str, Run]) -> None:
    """Refuse members that were chosen or tested on different questions, and seeds of different data."""
    (first, one), *others = runs.items()
    for name, other in others:
        mine, theirs = one.recipe["data"], other.recipe["data"]
        for key in (*_SAME, *(("train",) if mine.get("select_fraction") else ())):
            if mine.get(key) != theirs.get(key):
                raise RunError(
                    f"{first} and {name} cannot vote together: data.{key} is {mine.get(key)!r} in the one and "
                    f"{theirs.get(key)!r} in the other."
                )
        seeds = all(key.startswith("training.seed ") for key in differing(one.recipe, other.recipe))
        if seeds and one.provenance.get("data") != other.provenance.get("data"):
            raise RunError(
                f"{first} and {name} are seeds of one recipe, but learned from different data; train one of them again."
            )


def _held_out(run: Run) -> set[str] | None:
    """Ids of the selection questions where they are a part of the training split; None where they are a split."""
    from radvqa.commands.own_data import asked
    from radvqa.commands.prepare import selection_samples
    from radvqa.data import registry
    from radvqa.recipe import DataSection

    data = DataSection.model_validate(run.recipe["data"])
    if not data.select_fraction:
        return None
    training = registry.load_split(asked(run, data, None, data.train).place, data.train)
    return {sample.id for sample in selection_samples(data, training, [])[1]}


def _member(name: str, run: Run, held_out: set[str] | None, device: str, skip_bad: bool) -> Member:
    selection = _answers(run, run.recipe["data"]["select"], device, skip_bad)
    kept = [p for p in selection if held_out is None or p.id in held_out]
    return Member(name, run, kept, _answers(run, None, device, skip_bad))


def _answers(run: Run, split: str | None, device: str, skip_bad: bool) -> list[Prediction]:
    answers = run.answers(split=split)
    if not (run.folder / answers.file("predictions", "jsonl")).is_file():
        from radvqa.commands.predict import predict

        predict(run.folder, split=split, device=device, skip_bad=skip_bad)
    return run.predictions(answers)


def _write(run: Run, members: Sequence[Member], split: str | None, voted: Sequence[Prediction]) -> None:
    """Write answers, with the baselines and the small pictures that the first member keeps beside its own."""
    first = members[0].run
    answers, theirs = run.answers(split=split), first.answers(split=split)
    baselines = {
        name: [replace(p, prediction=answered[p.id]) for p in voted]
        for name, answered in first.baselines(theirs).items()
    }
    for source, target in (
        (first.thumbnails(theirs), run.thumbnails(answers)),
        *([(first.examples, run.examples)] if split is None else []),
    ):
        if source.is_dir() and not target.exists():
            with files.atomic_folder(target) as new:
                shutil.copytree(source, new, dirs_exist_ok=True)
    run.write_answers(answers, _known_to_any(voted, members), baselines)


def _known_to_any(voted: Sequence[Prediction], members: Sequence[Member]) -> list[Prediction]:
    """Note whether any member knows the gold answer from its training; None where none of them says."""
    seen: dict[str, bool] = {}
    for member in members:
        for p in (*member.selection, *member.test):
            if p.answer_seen is not None:
                seen[p.id] = seen.get(p.id, False) or p.answer_seen
    return [replace(p, answer_seen=seen.get(p.id)) for p in voted]


def _found(members: Sequence[Member], chosen: ensembling.Chosen, normaliser: str, questions: int) -> dict[str, Any]:
    told = zip(members, chosen.vote.weights, chosen.vote.temperatures, chosen.alone, strict=True)
    return {
        "normaliser": normaliser,
        "members": [
            {"name": member.name, "weight": weight, "temperature": temperature, "accuracy": alone}
            for member, weight, temperature, alone in told
        ],
        "selected": {"metric": "accuracy", "value": chosen.accuracy, "questions": questions},
        "equal_weights": chosen.equal,
        "tried": chosen.tried,
    }


def _write_card(folder: Path) -> None:
    from radvqa.report.card import write_card

    write_card(folder)
