"""What the numbers say, in sentences that pages and cards share."""

from radvqa.report.budget import hardware
from radvqa.report.comparison import Comparison
from radvqa.report.numbers import count, duration, mean_sd, percent, plural, points
from radvqa.report.paired import Paired
from radvqa.report.scored import Group, Scored

RESEARCH_ONLY = (
    "For research and teaching only. This is not a medical device: its answers must not be used to diagnose, "
    "to treat, or to decide anything about a patient."
)

_LOOKUP = "a lookup table that gives the most frequent training answer to the question and never sees a picture"


def headline(group: Group, comparison: Comparison) -> str:
    """Say in one or two sentences how good a run is and whether it beats the question lookup."""
    return f"{accuracy(group)} {verdict(group, comparison)}"


def accuracy(group: Group) -> str:
    """Say how many questions were answered correctly."""
    first = group.runs[0]
    asked = (
        f"{plural(first.scores['questions'], 'question')} about "
        f"{plural(first.scores['clusters'], str(first.scores.get('clustered_by') or 'cluster'))}"
    )
    spread = group.mean_sd("overall", "accuracy")
    if spread is not None:
        return f"{group.label} answers {mean_sd(*spread)} % of {asked} correctly (mean ± sd over {group.size})."
    overall = first.scores["subsets"]["overall"]
    interval = overall.get("accuracy_interval")
    limits = f" (95 % interval {percent(interval[0])} to {percent(interval[1])})" if interval else ""
    return f"{group.label} answers {percent(overall['accuracy'])} % of {asked} correctly{limits}."


def verdict(group: Group, comparison: Comparison) -> str:
    """Say whether a run, or how many of a group's runs, beat the question lookup."""
    pairs = [comparison.against_lookup[run.name] for run in group.runs if run.name in comparison.against_lookup]
    if not pairs:
        return "It was not compared with a question lookup, so the number does not show that it looks at the picture."
    if len(pairs) == 1:
        return _one_verdict(pairs[0])
    better = sum(pair.sure and pair.difference > 0 for pair in pairs)
    low, high = min(p.difference for p in pairs), max(p.difference for p in pairs)
    many = "All" if better == len(pairs) else "None" if better == 0 else f"{better} of {len(pairs)}"
    return f"{many} of these runs clearly beat {_LOOKUP} ({points(low)} to {points(high)} points)."


def short_verdict(group: Group, comparison: Comparison) -> str:
    """Say how a group stands to the question lookup where the page explains the lookup once for all."""
    pairs = [comparison.against_lookup[run.name] for run in group.runs if run.name in comparison.against_lookup]
    if not pairs:
        return "Not compared with a question lookup."
    low, high = min(p.difference for p in pairs), max(p.difference for p in pairs)
    by = pairs[0].written if len(pairs) == 1 else f"{points(low)} to {points(high)}"
    if all(pair.sure and pair.difference > 0 for pair in pairs):
        return f"Beats the question lookup ({by} points)."
    if all(pair.sure and pair.difference < 0 for pair in pairs):
        return f"Worse than the question lookup ({by} points)."
    return f"Not clearly different from the question lookup ({by} points)."


def asked(comparison: Comparison) -> str:
    """Say what all models of a comparison were asked."""
    scores = comparison.scores
    unit = str(scores.get("clustered_by") or "cluster")
    return f"{plural(scores['questions'], 'question')} about {plural(scores['clusters'], unit)}"


def _one_verdict(pair: Paired) -> str:
    if not pair.sure:
        return f"That is not clearly different from {_LOOKUP} ({pair.written} points)."
    if pair.difference > 0:
        return f"It beats {_LOOKUP}, by {pair.written} points."
    return f"It is worse than {_LOOKUP} ({pair.written} points)."


def made(run: Scored) -> str:
    """Say how a run was trained: on what, for how long, with how many parameters, and what chose the checkpoint."""
    if not run.recipe:
        return "A predictions file, scored as it is; how its answers were made is not known."
    data, training, facts = run.recipe.get("data", {}), run.recipe.get("training", {}), run.facts
    model = run.recipe.get("model", {})
    named = " with ".join(str(model[key]) for key in ("family", "backbone") if model.get(key))
    parts = [f"Trained on {data.get('name', 'unnamed data')}, {data.get('train', 'train')} split"]
    if training.get("epochs") is not None:
        parts.append(f"for {plural(training['epochs'], 'epoch')}")
    if facts.get("seconds") is not None:
        parts.append(f"in {duration(facts['seconds'])}")
    sentences = [" ".join(parts) + f" on {hardware(run)}."]
    if named:
        sentences.insert(0, f"Model: {named}.")
    parameters = facts.get("parameters", {})
    if parameters.get("total"):
        sentences.append(
            f"{count(parameters.get('trainable'))} of {count(parameters['total'])} parameters were trained."
        )
    if facts.get("best_epoch") is not None and run.select_by:
        sentences.append(
            f"Epoch {facts['best_epoch']} was kept, chosen by {run.select_by.replace('_', ' ')} on the "
            f"{data.get('select', 'selection')} split."
        )
    return " ".join(sentences)
