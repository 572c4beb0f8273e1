"""What a sweep found: every number is read from the run folders."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from radvqa.run import Run
from radvqa.sweeping.choosing import Choice, choose, spread
from radvqa.sweeping.grid import Combination
from radvqa.sweeping.plan import Plan, finished

FORMAT = 1
_NAMED = 4  # settings in one sentence
SUBSETS = ("overall", "open", "closed")
METRICS = ("accuracy", "exact_match", "top5", "macro_f1", "token_f1")


def choice_of(plan: Plan) -> Choice | None:
    """Choose the setting; None as long as a run of any setting is missing, as its value could change the choice."""
    values = {}
    for setting, members in plan.settings.items():
        known = [_selected(run) for run in (finished(plan.run_folder(member)) for member in members) if run is not None]
        if len(known) < len(members) or any(value is None for value in known):
            return None
        values[setting] = [value for value in known if value is not None]
    return choose(values, smaller_is_better=plan.smaller_is_better)


def summarise(plan: Plan, *, mode: str, failures: Mapping[str, str]) -> dict[str, Any]:
    """Lay out what is known.

    Args:
        plan: the sweep.
        mode: whose test answers are wanted: ``none``, ``chosen`` or ``all``.
        failures: run → why it failed in this call.

    Returns:
        Plain values, for ``sweep.json`` and for the report; no path in them leaves the sweep's folder.
    """
    choice = choice_of(plan)
    settings = [_setting(plan, name, members, choice, mode) for name, members in plan.settings.items()]
    runs = [_run(plan, member, failures) for member in plan.grid.combinations]
    return {
        "format": FORMAT,
        "name": plan.name,
        "title": plan.title,
        "dataset": plan.dataset,
        "select": plan.select,
        "held_out": plan.held_out,
        "test_split": plan.test,
        "test": mode,
        "metric": plan.metric,
        "metric_questions": plan.questions,
        "smaller_is_better": plan.smaller_is_better,
        "axes": [{"key": axis.key, "values": list(axis.values)} for axis in plan.grid.axes],
        "fixed": list(plan.grid.fixed),
        "chosen": None if choice is None else plan.called(choice.best),
        "settings": settings,
        "runs": runs,
        "notes": list(_notes(plan, choice, mode, runs, settings)),
    }


def _selected(run: Run) -> float | None:
    """The metric of the kept state on the selection split, as training measured it."""
    value = run.facts.get("selected", {}).get("value")
    return None if value is None else float(value)


def _setting(plan: Plan, name: str, members: Sequence[Combination], choice: Choice | None, mode: str) -> dict[str, Any]:
    runs = [run for member in members if (run := finished(plan.run_folder(member))) is not None]
    tested = [member for member in members if plan.tested(member)]
    chosen = choice is not None and choice.best == name
    shown = len(tested) == len(members) and (mode == "all" or (mode == "chosen" and chosen))
    facts = [run.facts for run in runs]
    return {
        "name": plan.called(name),
        "values": {key: value for key, value in members[0].values.items() if name and key in _setting_keys(plan)},
        "runs": [member.name for member in members],
        "finished": len(runs),
        "chosen": chosen,
        "selection": spread([_selected(run) for run in runs]),
        "selection_subsets": None if plan.held_out else _subsets(runs, plan.select),
        "tested": len(tested),
        "test_subsets": _subsets(runs, None) if shown else None,
        "seconds": spread([fact.get("seconds") for fact in facts]),
        "trainable": _same([fact.get("parameters", {}).get("trainable") for fact in facts]),
        "parameters": _same([fact.get("parameters", {}).get("total") for fact in facts]),
    }


def _setting_keys(plan: Plan) -> set[str]:
    from radvqa.sweeping.grid import SEED

    return {axis.key for axis in plan.grid.axes if axis.key != SEED}


def _subsets(runs: Sequence[Run], split: str | None) -> dict[str, dict[str, Any]] | None:
    """Mean and sd over the runs, subset by subset; metrics that are undefined for any run are left out."""
    scores = []
    for run in runs:
        answers = run.answers(None, split)
        if not (run.folder / answers.file("scores", "json")).is_file():
            return None
        scores.append(run.scores(answers)["subsets"])
    if not scores:
        return None
    found: dict[str, dict[str, Any]] = {}
    for subset in SUBSETS:
        for metric in METRICS:
            summary = spread([score.get(subset, {}).get(metric) for score in scores])
            if summary is not None:
                found.setdefault(subset, {})[metric] = summary
    return found


def _run(plan: Plan, member: Combination, failures: Mapping[str, str]) -> dict[str, Any]:
    run = finished(plan.run_folder(member))
    facts = {} if run is None else run.facts
    failure = failures.get(member.name)
    return {
        "name": member.name,
        "setting": plan.called(member.setting),
        "values": member.values,
        "seed": None if run is None else run.recipe.get("training", {}).get("seed"),
        "state": "failed" if failure else "finished" if plan.learned(member) else "unfinished",
        "failure": failure,
        "selected": None if run is None else _selected(run),
        "best_epoch": facts.get("best_epoch"),
        "epochs": facts.get("epochs"),
        "seconds": facts.get("seconds"),
        "trainable": facts.get("parameters", {}).get("trainable"),
        "tested": plan.tested(member),
    }


def _same(values: Sequence[Any]) -> Any:
    """The value that all share; the largest where they differ."""
    known = [value for value in values if value is not None]
    return max(known, default=None)


def _notes(
    plan: Plan,
    choice: Choice | None,
    mode: str,
    runs: Sequence[Mapping[str, Any]],
    settings: Sequence[Mapping[str, Any]],
) -> Iterator[str]:
    """Say what a reader must know before believing the ranking."""
    for run in runs:
        if run["failure"]:
            yield f"{run['name']} failed: {run['failure']}"
    missing = [run["name"] for run in runs if run["state"] != "finished"]
    if missing:
        yield (
            f"Nothing is chosen, because {len(missing)} of {len(runs)} runs are missing; the same command does them, "
            f"or leave their value out."
        )
    elif choice is None:
        yield "Nothing is chosen, because training measured no value to choose by."
    else:
        yield from _about(plan, choice)
    seeds = {setting["finished"] for setting in settings}
    if seeds == {1}:
        yield "Every setting has one seed, so nothing here says how much another seed would change."
    tested = [setting["name"] for setting in settings if setting["tested"]]
    if mode == "all":
        yield (
            "The test split was answered for every setting, as asked with --test all, to set published panels beside "
            "each other; a setting that is picked by its test number gets a number that is too good."
        )
    elif len(tested) > 1:
        named = f" ({', '.join(tested)})" if len(tested) <= _NAMED else ""
        yield (
            f"The test split was answered for {len(tested)} settings by now{named}; what this call asked for is shown."
        )


def _about(plan: Plan, choice: Choice) -> Iterator[str]:
    best = plan.called(choice.best)
    if choice.tied:
        tied = ", ".join(plan.called(name) for name in choice.tied)
        yield f"{best} is as good as {tied} on the {plan.select} split; the first in the grid's order was taken."
    elif choice.runner_up is not None and choice.within_the_spread:
        scale, unit = (1.0, "") if plan.smaller_is_better else (100.0, " points")
        lead, sd = f"{scale * choice.lead:.2g}{unit}", f"{scale * (choice.sd or 0.0):.2g}"
        yield (
            f"The lead of {best} over {plan.called(choice.runner_up)}, {lead}, is no larger than the spread over seeds "
            f"(sd {sd}); other seeds may choose otherwise."
        )
