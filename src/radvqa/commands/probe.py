"""``radvqa probe``: does a run look at the picture and read the question?"""

import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radvqa import files
from radvqa.data.dataset import Problems
from radvqa.report.probes import probe_warnings
from radvqa.run import Answers, Run

if TYPE_CHECKING:
    from radvqa.probing.prober import Probed


def probe(
    run: Path,
    *,
    data: str | None = None,
    split: str | None = None,
    device: str = "auto",
    only: Sequence[str] | None = None,
    limit: int | None = None,
    skip_bad: bool = False,
) -> dict[str, Any]:
    """Ask a trained run the same questions with changed pictures and changed questions.

    Writes ``probes.json`` and the answers of every probe, ``probes/NAME.jsonl``, into the run folder; for another
    data set or split than the recipe's test split both names end in ``-DATASET-SPLIT``.

    Args:
        run: a finished run folder.
        data: data set as ``name`` or ``name:version``, or a YAML file; by default the recipe's own.
        split: by default the recipe's test split.
        device: ``auto``, ``cpu`` or ``cuda``.
        only: names of the probes to ask; all by default.
        limit: ask about this many images only, for a quick look.
        skip_bad: leave unusable rows and pictures out, and report them, instead of stopping at the first.

    Returns:
        What was written: the result of ``probe_model``, with ``warnings``, sentences for a report's first lines, and
        ``left_out``, what could not be used.

    Raises:
        RadvqaError: when the run is unfinished or damaged, the data cannot be used, or a probe is unknown.
    """
    opened = Run(Path(run))
    opened.require_model()
    with Run.held(opened.folder):
        return _probe(opened, data, split, device, only, limit, Problems(skip=skip_bad))


def _probe(
    run: Run,
    data: str | None,
    split: str | None,
    device: str,
    only: Sequence[str] | None,
    limit: int | None,
    problems: Problems,
) -> dict[str, Any]:
    from radvqa import device as devices
    from radvqa.commands.own_data import asked
    from radvqa.data import registry
    from radvqa.models.checkpoint import load_model
    from radvqa.probing.prober import probe_model
    from radvqa.recipe import parse_recipe

    questions = asked(run, parse_recipe(run.recipe, str(run.folder / "recipe.yaml")).data, data, split)
    answers = questions.answers
    samples = registry.load_split(questions.place, answers.split, problems)
    devices.keep_freed_memory()
    model = load_model(run.checkpoints, devices.choose(device))
    probed = probe_model(model, samples, only=only, limit=limit, problems=problems)
    # the same picture is reported by every probe that shows it
    result = {**probed.result, "left_out": list(dict.fromkeys(problems.found))}
    result["warnings"] = probe_warnings(result)
    _write(run, answers, probed, result)
    return result


def _write(run: Run, answers: Answers, probed: "Probed", result: dict[str, Any]) -> None:
    """Replace an older result; what ``probes.json`` does not name is not there."""
    summary, folder = run.folder / answers.file("probes", "json"), run.folder / f"probes{answers.suffix}"
    summary.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    for name, predictions in probed.answers.items():
        files.write_jsonl(folder / f"{name}.jsonl", (asdict(prediction) for prediction in predictions))
    files.write_json(summary, result)
