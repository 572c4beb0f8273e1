"""The model card: one page of Markdown in the run folder that says what this model is, and what it is not."""

from pathlib import Path
from typing import Any

from radvqa import files
from radvqa.errors import RunError
from radvqa.report import sentences
from radvqa.report.budget import budget_table
from radvqa.report.comparison import Comparison, compare_runs
from radvqa.report.costs import cost_table, parameters, parameters_table
from radvqa.report.curriculum import stages_table
from radvqa.report.grid import Table, markdown_text, to_markdown
from radvqa.report.numbers import UNDEFINED, count, plural, without_folders
from radvqa.report.scored import Scored
from radvqa.report.slices import types_table
from radvqa.report.tables import scores_table
from radvqa.run import Run


def write_card(folder: Path, *, data: str | None = None, split: str | None = None) -> None:
    """Write ``README.md`` into a run folder.

    Args:
        folder: the run folder.
        data: data set whose scores are shown; by default the run's own.
        split: split whose scores are shown; by default the run's own test split.

    Raises:
        RunError: when the run was not trained to its end.
    """
    files.write_text(Path(folder) / "README.md", model_card(folder, data=data, split=split))


def model_card(folder: Path, *, data: str | None = None, split: str | None = None) -> str:
    """Return the model card as Markdown; without scores it says that there are none."""
    run = Run(folder)
    run.require_finished()
    try:
        comparison = compare_runs([folder], data=data, split=split)[0]
    except RunError:
        if (run.folder / run.answers(data, split).file("scores", "json")).is_file():
            raise
        comparison = None
    known = comparison.runs[0] if comparison else _unscored(run)
    name = known.name.replace("`", "")
    parts = [
        f"# {markdown_text(known.title)}",
        f"A model that answers questions about medical pictures, trained with radvqa as the run `{name}`.",
        f"**Research only, not for diagnosis.** {sentences.RESEARCH_ONLY}",
        "## What it is",
        markdown_text(sentences.made(known)),
        _facts(known),
        "## Data",
        _data(known),
        *_stages(known),
        "## Scores",
        *_scores(comparison),
        "## Limits",
        _limits(known, comparison),
        *(to_markdown(table, 2).rstrip() for table in _costs(known) if table is not None),
    ]
    return "\n\n".join(parts) + "\n"


def _costs(known: Scored) -> tuple[Table | None, ...]:
    return budget_table([known]), cost_table([known]), parameters_table([known])


def _stages(known: Scored) -> list[str]:
    table = stages_table(known)
    return [] if table is None else [to_markdown(table, 2).rstrip()]


def _unscored(run: Run) -> Scored:
    return Scored.from_run(run, run.answers(), {})


def _bullets(values: dict[str, Any]) -> str:
    return "\n".join(
        f"- {name}: {markdown_text(str(without_folders(value)))}"
        for name, value in values.items()
        if value not in (None, "", UNDEFINED)
    )


def _facts(run: Scored) -> str:
    model, provenance = run.recipe.get("model", {}), run.provenance
    counted = parameters(run)
    return _bullets(
        {
            "family": model.get("family"),
            "backbone": model.get("backbone"),
            "checkpoint": model.get("checkpoint"),
            "image encoder": model.get("vision"),
            "text encoder": model.get("text"),
            "language model": model.get("language_model") or model.get("model"),
            "learned": _modes(model.get("train")),
            "parameters": count(counted.get("total")),
            "of these trained": count(counted.get("trainable")),
            "seed": run.seed,
            "weights": _flat(provenance.get("weights")),
            "made with": _versions(provenance),
            "git commit": provenance.get("git_commit"),
        }
    )


def _versions(provenance: dict[str, Any]) -> str:
    named = ("radvqa", "python", "torch", "transformers")
    return ", ".join(f"{name} {provenance[name]}" for name in named if provenance.get(name))


def _modes(train: Any) -> str:
    return ", ".join(f"{part} {mode}" for part, mode in train.items()) if isinstance(train, dict) else ""


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_flat(item)}" for key, item in value.items())
    return "" if value is None else str(value)


def _data(run: Scored) -> str:
    data, known = run.recipe.get("data", {}), run.provenance.get("data", {})
    return _bullets(
        {
            "data set": data.get("name"),
            "trained on": ", ".join(_learned_from(run)) if run.stages else data.get("train"),
            "checkpoint chosen on": data.get("select"),
            "tested on": data.get("test"),
            "fingerprint": known.get("fingerprint"),
            **{
                f"samples, {markdown_text(name)}": _digest(facts)
                for name, facts in known.items()
                if isinstance(facts, dict)
            },
            **{
                f"left out of {entry['source']} ({entry['stage']})": f"{plural(entry['samples'], 'sample')} about "
                f"{plural(entry['pictures'], 'picture')} that {entry['of']} holds too"
                for entry in run.facts.get("left_apart") or []
            },
        }
    )


def _digest(facts: dict[str, Any]) -> str:
    counted = [plural(facts[key], key.removesuffix("s")) for key in ("questions", "images") if facts.get(key)]
    return ", ".join([*counted, *([f"digest {facts['digest'][:16]}"] if facts.get("digest") else [])])


def _learned_from(run: Scored) -> list[str]:
    """Name the data sets that some stage learned from, each once."""
    own = [{"name": run.recipe.get("data", {}).get("name")}]
    return list(dict.fromkeys(str(source["name"]) for stage in run.stages for source in stage.get("data") or own))


def _scores(comparison: Comparison | None) -> list[str]:
    if comparison is None:
        return ["This run has not been scored; `radvqa score RUN` does it. Do not rely on a model without scores."]
    parts = [markdown_text(sentences.headline(comparison.groups[0], comparison))]
    parts.append(to_markdown(scores_table(comparison.runs)).rstrip())
    types = types_table(comparison.runs)
    return parts if types is None else [*parts, to_markdown(types).rstrip()]


def _limits(run: Scored, comparison: Comparison | None) -> str:
    data = " and ".join(_learned_from(run) or [run.recipe.get("data", {}).get("name", "one data set")])
    limits = [
        f"It was trained on {data} alone; other hospitals, devices, body parts and wordings are untested.",
        "It always answers; it cannot say that a picture does not show what is asked, or that the question is wrong.",
        "Its confidence is not a probability that has been checked on patients.",
        *([] if run.members else ["It is one training run; another seed gives another model."]),
    ]
    if comparison is not None:
        unseen = run.scores.get("unseen_answers")
        if unseen and unseen["overall"]:
            limits.append(
                f"{count(unseen['overall'])} of {count(run.scores['questions'])} test questions have an answer "
                "that never occurs in its training data."
            )
    return "\n".join(f"- {markdown_text(limit)}" for limit in limits)
