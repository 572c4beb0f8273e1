"""What the numbers say, in sentences that pages and cards share."""

from typing import Any

from radvqa.report.budget import hardware
from radvqa.report.comparison import Comparison
from radvqa.report.costs import cost_of, gpu_memory, main_memory, parameters, quantity, rate
from radvqa.report.curriculum import by_epoch, called, length_words, stages_of
from radvqa.report.numbers import count, duration, mean_sd, percent, plural, points, size, without_folders
from radvqa.report.paired import Paired
from radvqa.report.scored import Group, Scored
from radvqa.report.selection import chosen_by, value_words

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
    model = run.recipe.get("model", {})
    named = " with ".join(str(model[key]) for key in ("family", "backbone") if model.get(key))
    sentences = [f"Model: {named}."] if named else []
    sentences.append(f"{_trained(run)} on {hardware(run)}.")
    counted = parameters(run)
    if counted.get("total"):
        sentences.append(f"{count(counted.get('trainable'))} of {count(counted['total'])} parameters were trained.")
    return " ".join([*sentences, *kept(run), *cost(run)])


def _trained(run: Scored) -> str:
    data, training = run.recipe.get("data", {}), run.recipe.get("training", {})
    took = [] if run.facts.get("seconds") is None else [f"in {duration(run.facts['seconds'])}"]
    if run.members:
        return " ".join([f"A vote of {' and '.join(run.members)}, which were trained on {data.get('name')}", *took])
    if run.stages:
        stages = "; ".join(_stage(stage, number) for number, stage in enumerate(run.stages, start=1))
        return " ".join([f"Trained in {plural(len(run.stages), 'stage')} ({stages})", *took])
    length = length_words(training)
    parts = [f"Trained on {data.get('name', 'unnamed data')}, {data.get('train', 'train')} split"]
    return " ".join([*parts, *([f"for {length}"] if length else []), *took])


def _stage(stage: dict[str, Any], number: int) -> str:
    mix = " + ".join(str(without_folders(called(source))) for source in stage.get("data") or [])
    return ", ".join(part for part in (f"{number} {stage.get('name')}", mix, length_words(stage)) if part)


def kept(run: Scored) -> list[str]:
    """Say which look's weights the run has and what chose it; nothing where that is not known."""
    stages = stages_of(run)
    if run.stages and stages:
        last = stages[-1]
        return [
            f"Its weights are those of look {last.facts.get('best_look')} of {last.facts.get('looks')} of the stage "
            f"{last.name}, chosen by {chosen_by(last.metric, last.where)} ({value_words(last.metric, last.value)})."
        ]
    best, metric = run.facts.get("best_epoch"), run.select_by
    if best is None or metric is None:
        return []
    where = run.recipe.get("training", {}).get("select_where")
    look = "Epoch" if by_epoch(run) else "Look"
    split = run.recipe.get("data", {}).get("select", "selection")
    return [f"{look} {best} was kept, chosen by {chosen_by(metric, where)} on the {split} split."]


def cost(run: Scored) -> list[str]:
    """Say what the training took of the machine; nothing for runs that did not measure it, or learned nothing."""
    found = cost_of(run)
    if not found.get("samples"):
        return []
    speed = f"{rate(found.get('samples_per_second'))} samples/s"
    if found.get("tokens_per_second") is not None:
        speed += f" and {rate(found['tokens_per_second'])} tokens/s"
    waiting = found.get("data_waiting_share")
    waited = "" if waiting is None else f", {percent(waiting)} % of the time waiting for data"
    sentences = [
        f"Its steps took {duration(found.get('wall_seconds'))}, at {speed}{waited}; looking at the selection split "
        f"took {duration(found.get('evaluation_seconds'))}."
    ]
    memory = gpu_memory(run) or main_memory(run)
    if memory is not None:
        sentences.append(f"It took at most {size(memory)} of {'GPU ' if gpu_memory(run) else ''}memory.")
    if found.get("flops"):
        used = found.get("utilisation")
        share = "" if used is None else f", {percent(used)} % of what the device could have done in that time"
        sentences.append(f"Its steps were about {quantity(found['flops'], 'FLOP')}{share}.")
    if found.get("energy_joules") is not None:
        sentences.append(f"The device took {quantity(found['energy_joules'], 'J')} of energy.")
    if found.get("interruptions"):
        sentences.append(f"It was interrupted and went on {plural(found['interruptions'], 'time')}.")
    return sentences
