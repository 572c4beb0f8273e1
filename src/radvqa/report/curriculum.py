"""The stages of a run: what each learned from, what it learned, how long it took, and which look was kept."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from radvqa.report.grid import Row, Table, without_empty
from radvqa.report.numbers import UNDEFINED, count, plural, without_folders
from radvqa.report.scored import Scored
from radvqa.report.selection import LOSS, chosen_by, value_words, where_words

_LENGTHS = ("epochs", "steps", "tokens")
_MODES = {"lora": " by LoRA", "full": ""}


@dataclass(frozen=True)
class Stage:
    """A stage of a finished run; a run without stages is one.

    Attributes:
        run: that it belongs to.
        number: from 1 on.
        begins: steps of the run before it.
        plan: what the recipe says of it.
        facts: what ``run.json`` says it came to.
    """

    run: Scored
    number: int
    begins: int
    plan: dict[str, Any]
    facts: dict[str, Any]

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.facts["name"])

    @property
    def ends(self) -> int:
        """Steps of the run at its end."""
        return self.begins + int(self.facts["steps"])

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """Its looks at the selection split."""
        return [row for row in self.run.history if row.get("stage") == self.name]

    @cached_property
    def log(self) -> list[dict[str, Any]]:
        """Its rows of the step log, those of its steps alone."""
        return [row for row in self.run.log if row.get("stage") == self.name and "loss" in row]

    @property
    def metric(self) -> str:
        """What chose its weights."""
        return str(self.facts["selected"]["metric"])

    @property
    def by_loss(self) -> bool:
        """Whether the loss chose."""
        return self.metric == LOSS

    @property
    def where(self) -> dict[str, Any]:
        """By which questions was chosen; empty for all."""
        found: dict[str, Any] = self.plan.get("select_where") or {}
        return found

    @property
    def value(self) -> float | None:
        """The kept look's value of the metric."""
        found: float | None = self.facts["selected"].get("value")
        return found

    @property
    def kept(self) -> dict[str, Any] | None:
        """The look that was kept."""
        return next((row for row in self.rows if row["epoch"] == self.facts.get("best_look")), None)

    @property
    def chosen_on_own_data(self) -> bool:
        """Whether it was chosen on the selection split of the recipe's own data, whole."""
        select = self.plan.get("select") or {}
        return not any(select.get(key) for key in ("name", "where", "cap", "task", "prompt"))

    @property
    def sources(self) -> list[dict[str, Any]]:
        """What it learned from, as the recipe says."""
        given = self.plan.get("data")
        if isinstance(given, list) and given:
            return [dict(source) for source in given]
        own = self.run.recipe.get("data", {})
        return [{"name": own.get("name"), "split": own.get("train"), "cap": own.get("cap")}]

    @property
    def length(self) -> str:
        """How long it was to be: ``4 epochs``, ``1,500 steps``."""
        return length_words(self.plan)


def stages_of(run: Scored) -> tuple[Stage, ...]:
    """Return the stages of a run; none for runs of older versions, predictions files and models that learned nothing.

    A recipe without stages is one stage.
    """
    plans = run.stages or [run.recipe.get("training", {})]
    found, begins = [], 0
    for number, (plan, facts) in enumerate(zip(plans, run.facts.get("stages") or [], strict=False), start=1):
        found.append(Stage(run, number, begins, plan, facts))
        begins = found[-1].ends
    return tuple(found)


def by_epoch(run: Scored) -> bool:
    """Tell whether the looks of a run are its epochs; so it is in all runs of older versions."""
    training = run.recipe.get("training", {})
    return not run.stages and training.get("epochs") is not None and training.get("evaluate_every") is None


def length_words(plan: dict[str, Any]) -> str:
    """Write how long a training or stage was to be: ``4 epochs``; nothing where that is not said."""
    given = next((key for key in _LENGTHS if plan.get(key) is not None), None)
    return "" if given is None else plural(int(plan[given]), given.removesuffix("s"))


def stages_table(run: Scored, *, named: bool = False) -> Table | None:
    """Show the stages of a curriculum, a row each; None for a run whose recipe has none.

    Args:
        run: the run.
        named: whether the title says whose stages they are.
    """
    stages = stages_of(run) if run.stages else ()
    if not stages:
        return None
    early = any(stage.facts.get("stopped_early") for stage in stages)
    columns = ("Stage", "Learned from", "Learned", "Steps", "Looks", "Kept look", "Chosen by", "Value", "Ended")
    rows = tuple(
        Row(
            (
                f"{stage.number} {stage.name}",
                learned_from(stage),
                learned(stage),
                count(int(stage.facts["steps"])),
                count(stage.facts.get("looks")),
                count(stage.facts.get("best_look")),
                chosen_by(stage.metric, stage.where),
                value_words(stage.metric, stage.value),
                ended(stage) if early else "",
            ),
        )
        for stage in stages
    )
    words = frozenset({"Learned from", "Learned", "Chosen by", "Ended"})
    title = f"Stages of {run.name}" if named else "Stages"
    return without_empty(Table(title, columns, rows, tuple(_notes(stages)), words))


def learned_from(stage: Stage) -> str:
    """Write a stage's data: ``slake:en train, 4,919 samples``, or a mix's shares from its beginning to its end."""
    begin, end = (stage.facts.get("shares", {}).get(key, {}) for key in ("begin", "end"))
    return "; ".join(
        _source(stage, source, begin, end) if len(stage.sources) > 1 else _source(stage, source, {}, {})
        for source in stage.sources
    )


def _source(stage: Stage, source: dict[str, Any], begin: dict[str, float], end: dict[str, float]) -> str:
    label = called(source)
    known = stage.run.provenance.get("data", {}).get(f"{stage.name}: {label} {source.get('split')}", {})
    said = [] if known.get("questions") is None else [plural(known["questions"], "sample")]
    if source.get("where") and label == source.get("name"):  # a label says itself what is meant
        said.append(where_words(source["where"]))
    if label in begin and label in end:
        moves = f"{100 * begin[label]:.0f} → " if round(begin[label], 4) != round(end[label], 4) else ""
        said.insert(0, f"{moves}{100 * end[label]:.0f} %")
    return ", ".join([str(without_folders(label)), *said])


def called(source: dict[str, Any]) -> str:
    """Name a source as log and annealing do."""
    return str(source.get("label") or source.get("name"))


def learned(stage: Stage) -> str:
    """Write which parts of the model learned in a stage, and which were frozen."""
    modes = {**_modes(stage.run.recipe.get("model", {})), **_modes(stage.plan)}
    trained: dict[str, int] = stage.facts.get("trained") or {}
    if not trained:
        return ", ".join(f"{part} {mode}" for part, mode in modes.items())
    said = ", ".join(f"{part}{_MODES.get(modes.get(part, ''), '')} {count(number)}" for part, number in trained.items())
    frozen = [part for part in stage.run.parts if part not in trained]
    return said + (f"; frozen: {', '.join(frozen)}" if frozen else "")


def rates(row: dict[str, Any]) -> dict[str, float]:
    """Return the learning rates of a row of the step log, by part of the model."""
    return {key.removeprefix("learning_rate/"): row[key] for key in row if key.startswith("learning_rate/")}


def shares(row: dict[str, Any]) -> dict[str, float]:
    """Return the shares of the sources of a row of the step log."""
    return {key.removeprefix("share/"): row[key] for key in row if key.startswith("share/")}


def _modes(section: dict[str, Any]) -> dict[str, str]:
    given = section.get("train")
    return {str(part): str(mode) for part, mode in given.items()} if isinstance(given, dict) else {}


def ended(stage: Stage) -> str:
    """Write how a stage ended."""
    if stage.facts.get("stopped_early"):
        return f"early, of {count(stage.facts.get('of'))} steps"
    return "as planned"


def _notes(stages: Sequence[Stage]) -> Iterator[str]:
    yield "Value: on the stage's selection split, not on the test. Learned: parts of the model, and their parameters."
    if any(stage.plan.get("anneal") for stage in stages):
        for stage in stages:
            anneal = stage.plan.get("anneal") or {}
            if anneal:
                yield f"{stage.name}: {_annealed(anneal)}"
    for stage in stages:
        if stage.number > 1 and (said := _carried(stage.plan.get("carry") or {})):
            yield f"{stage.name}: {said}"


def _annealed(anneal: dict[str, Any]) -> str:
    rate = anneal.get("learning_rate", 1)
    what = [
        *(["its mix moves to what stands behind the arrow"] if anneal.get("to") else []),
        *([f"its learning rate moves to {rate:g} of what it was"] if rate != 1 else []),
    ]
    return f"over the last {100 * float(anneal['over']):.0f} % of its steps {' and '.join(what) or 'nothing moves'}."


def _carried(carry: dict[str, Any]) -> str:
    """Say what a stage took over from the one before, where that is not simply its best weights."""
    said = []
    if carry.get("weights", "best") != "best":
        said.append("began with the last weights of the stage before, not with its best")
    if carry.get("parts") is not None:
        said.append(f"took over {', '.join(carry['parts']) or UNDEFINED} only, the rest began anew")
    if carry.get("optimizer"):
        said.append("went on with the optimiser's moments")
    return "; ".join(said) + "." if said else ""
