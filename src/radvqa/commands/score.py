"""``radvqa score``: from a run's predictions, or from any predictions file, to scores."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radvqa import files
from radvqa.commands.own_data import full_name
from radvqa.errors import DataError
from radvqa.prediction import Prediction, from_sample
from radvqa.prediction_files import read
from radvqa.run import Run
from radvqa.scoring import scorer
from radvqa.scoring.multiple_choice import score_consistency
from radvqa.text import NORMALISERS

_COUNT_AS_WRONG = "they count as wrong."


@dataclass(frozen=True)
class Judge:
    """A language model that judges answers.

    Attributes:
        url: base address of an OpenAI-compatible endpoint, for instance ``http://127.0.0.1:8000/v1``.
        model: the model's name at that endpoint.
        template: name of a shipped template, or a file.
    """

    url: str
    model: str
    template: str = "verdict"


def score(
    run_or_predictions: Path,
    *,
    data: str | None = None,
    split: str | None = None,
    columns: Mapping[str, str] | None = None,
    layout: str | None = None,
    gold: str | None = None,
    normaliser: str | None = None,
    rules: Iterable[str] | None = None,
    repeats: Sequence[Path] = (),
    similarity: Sequence[str] = (),
    judge: Judge | None = None,
    device: str = "auto",
) -> dict[str, Any]:
    """Score a run, and write the scores into it; or score a predictions file, and write nothing.

    Args:
        run_or_predictions: a run folder, or a predictions file of any layout in ``docs/prediction_files.md``.
        data: data set that was answered; by default the recipe's own. For a file it says which published results
            to list.
        split: split that was answered; by default the recipe's own test split.
        columns: for a file, our name → the file's column, where they differ.
        layout: for a file, its layout; recognised by default.
        gold: for a file without gold answers, another file, or a data set, that has them.
        normaliser: of answers; by default the one that suits their language.
        rules: published rules to apply; all by default.
        repeats: further files with answers of the same model to the same questions, to measure consistency.
        similarity: neural similarities, for instance ``sbert`` or ``bertscore=MODEL``; these need torch.
        judge: a language model to judge the answers with; replies are cached, so a stopped run goes on.
        device: of the neural similarities: ``auto``, ``cpu`` or ``cuda``.

    Returns:
        The scores, as ``scorer.score`` describes them. What an earlier call found by similarity or judge about the
        same predictions of a run is kept.

    Raises:
        RunError: when the folder is no run, is not finished, or has no predictions on that data set and split.
        DataError: when the path does not exist, or the file cannot be read as predictions.
    """
    path, data = Path(run_or_predictions), full_name(data)
    if not path.exists():
        raise DataError(f"{path} does not exist; name a run folder or a predictions file.")
    run: Run | None = None
    notes: tuple[str, ...] = ()
    earlier: dict[str, Any] = {}
    if path.is_dir():
        run = Run(path)
        run.require_finished()
        answers = run.answers(data, split)
        predictions, baselines = run.predictions(answers), run.baselines(answers)
        dataset, split = answers.dataset, answers.split
        earlier = _earlier(run.folder / answers.file("scores", "json"))
    else:
        found = read(path, columns=columns, layout=layout, gold=_gold(gold, split))
        predictions, notes, baselines, dataset = list(found.predictions), tuple(found.notes), {}, data or ""
    scores = scorer.score(
        predictions, baselines=baselines, dataset=dataset, split=split or "", normaliser=normaliser, rules=rules
    )
    said = tuple(note for note in notes if not note.endswith(_COUNT_AS_WRONG))  # the scores say it too
    scores["notes"] = [*said, *scores["notes"]]
    scores["similarity"] = earlier.get("similarity") or {}
    scores["judge"] = earlier.get("judge")
    if repeats:
        again = (read(other, columns=columns, layout=layout, gold=_gold(gold, split)) for other in repeats)
        scores["consistency"] = score_consistency([predictions, *(found.predictions for found in again)])
    if similarity:
        scores["similarity"] |= _similarity(predictions, similarity, device)
    if judge is not None:
        scores["judge"] = _judged(predictions, judge, scores["normaliser"])
    if run is not None:
        run.write_scores(answers, scores)
    return scores


def _earlier(path: Path) -> dict[str, Any]:
    """Read scores of the same predictions: predicting again deletes them."""
    earlier = files.read_json(path) if path.is_file() else {}
    return earlier if isinstance(earlier, dict) and earlier.get("format") == scorer.FORMAT else {}


def _gold(gold: str | None, split: str | None) -> Sequence[Prediction] | Path | None:
    """Find gold answers: in a file of that name, else in a data set."""
    from radvqa.data import registry

    if gold is None:
        return None
    if not registry.is_own(gold) and Path(gold).is_file():
        return Path(gold)
    if not registry.knows(gold):
        raise DataError(f"{gold} is neither a file nor a data set; --gold takes one of them.")
    return [from_sample(sample, "") for sample in registry.load_split(gold, split or "test")]


def _similarity(predictions: Sequence[Prediction], names: Sequence[str], device: str) -> dict[str, Any]:
    from radvqa import device as devices
    from radvqa.similarity import similarity

    return similarity(predictions, names, device=str(devices.choose(device)))


def _judged(predictions: Sequence[Prediction], judge: Judge, normaliser: str) -> dict[str, Any]:
    from radvqa.endpoint.cache import ReplyCache
    from radvqa.endpoint.client import ChatEndpoint
    from radvqa.judging.judge import judge as judged

    template = Path(judge.template) if Path(judge.template).is_file() else judge.template
    cache = ReplyCache(files.cache_folder() / "replies.sqlite")
    endpoint = ChatEndpoint(judge.url, judge.model)
    return judged(predictions, endpoint, template=template, cache=cache, normaliser=NORMALISERS[normaliser])
