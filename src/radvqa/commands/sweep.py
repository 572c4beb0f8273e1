"""``radvqa sweep``: a grid of runs, an honest choice among them, and one report."""

import contextlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from radvqa import console, files
from radvqa.errors import RadvqaError, RecipeError, RunError, nearest
from radvqa.recipe import Recipe, find_recipe, load_recipe
from radvqa.recipe.overrides import full_key
from radvqa.sweeping.fan_out import Cluster, Job, cluster
from radvqa.sweeping.grid import Combination, parse_grid
from radvqa.sweeping.plan import Plan, finished
from radvqa.sweeping.summary import choice_of, summarise

TESTS = ("chosen", "all", "none")

_MOST_COMPARED = 24  # runs on one page


def sweep(
    recipe: Path,
    arguments: Sequence[str],
    *,
    out: Path | None = None,
    address: str | None = None,
    at_once: int | None = None,
    cpus_per_run: int | None = None,
    gpus_per_run: float | None = None,
    test: str = "chosen",
    retries: int = 2,
    skip_bad: bool = False,
) -> dict[str, Any]:
    """Train every combination of values, choose on the selection split, then answer the test split, and report.

    The same call goes on where it was interrupted: finished runs are kept as they are.

    Args:
        recipe: a YAML file, or the name of a recipe that ships with the project.
        arguments: ``key=a,b,c`` for an axis of the grid, ``key=value`` for what every run gets.
        out: folder of the sweep; ``sweeps/NAME`` by default.
        address: of a Ray cluster that is up; by default one is started on this machine for the time of the call.
        at_once: runs at the same time, at most; by default as many as have room.
        cpus_per_run: cores of each run; by default all, shared evenly.
        gpus_per_run: GPUs of each run, for instance 0.5; by default one, where there is one.
        test: whose answers on the test split are wanted: those of the ``chosen`` setting, of ``all``, or ``none``.
        retries: how often a run begins again after its process or machine died.
        skip_bad: leave unusable rows and pictures out, and report them, instead of stopping at the first.

    Returns:
        What ``sweep.json`` holds: settings with mean and sd over seeds, runs, the choice, and notes. A run that failed
        has the state ``failed``; the others were done all the same.

    Raises:
        RadvqaError: for a grid or recipe that cannot be used, before anything is started; when Ray is not installed
            or cannot be reached; and when the folder is in use or holds another sweep.
    """
    if test not in TESTS:
        raise RadvqaError(f"--test {test}: {nearest(test, list(TESTS))}")
    plan, recipes = _planned(Path(recipe), arguments, out)
    with files.locked(plan.folder / ".lock", what=f"The sweep folder {plan.folder}", wait=False):
        known = _begin(plan, recipes, find_recipe(Path(recipe)))
        with contextlib.ExitStack() as stack:
            crew = _Crew(stack, plan, address, at_once, cpus_per_run, gpus_per_run, retries)
            crew.use_gpus = any(one.training.device != "cpu" for one in recipes.values())
            failures = crew.do(learn, "trained", [m for m in plan.grid.combinations if not plan.learned(m)], skip_bad)
            asked = _to_test(plan, test)
            failures |= crew.do(answer, "tested", [m for m in asked if not plan.tested(m)], skip_bad)
        found = summarise(plan, mode=test, failures=failures)
        _report(plan, found, known)
    return found | {"folder": str(plan.folder), "report": str(plan.folder / "report.html")}


def require_all(found: dict[str, Any]) -> None:
    """Refuse a sweep with failed runs, after everything else was done and said.

    Raises:
        RunError: names the runs, and says why they failed.
    """
    failed = [run for run in found["runs"] if run["state"] == "failed"]
    if failed:
        reasons: dict[str, list[str]] = {}
        for run in failed:
            reasons.setdefault(run["failure"], []).append(run["name"])
        said = " ".join(f"{', '.join(names)}: {reason}" for reason, names in reasons.items())
        raise RunError(f"{len(failed)} of {len(found['runs'])} runs failed; the same command tries them again. {said}")


def learn(*, recipe: str, overrides: Sequence[str], folder: str, select: str | None, skip_bad: bool) -> None:
    """Do one run on a worker: train, then answer and score the selection split; what is done already is kept."""
    from radvqa.commands.predict import predict
    from radvqa.commands.score import score
    from radvqa.commands.train import train

    place = Path(folder)
    with _alone(place):
        if finished(place) is None:
            train(Path(recipe), overrides, out=place, skip_bad=skip_bad)
        if select is not None:
            predict(place, split=select, skip_bad=skip_bad)
            score(place, split=select)


def answer(*, recipe: str, overrides: Sequence[str], folder: str, select: str | None, skip_bad: bool) -> None:
    """Let one run answer the test split, on a worker, and score it."""
    from radvqa.commands.predict import predict
    from radvqa.commands.score import score

    place = Path(folder)
    with _alone(place):
        predict(place, skip_bad=skip_bad)
        score(place)


def _alone(folder: Path) -> contextlib.AbstractContextManager[None]:
    """Wait for a worker that was left over when its driver was killed."""
    return files.locked(folder / ".sweep.lock", what=f"The run folder {folder}", wait=True)


class _Crew:
    """Workers, called together when there is something to do."""

    def __init__(
        self,
        stack: contextlib.ExitStack,
        plan: Plan,
        address: str | None,
        at_once: int | None,
        cpus: int | None,
        gpus: float | None,
        retries: int,
    ) -> None:
        self._stack, self._plan, self._address, self._retries = stack, plan, address, retries
        self._at_once, self._cpus, self._gpus = at_once, cpus, gpus
        self._cluster: Cluster | None = None
        self.use_gpus = True

    def do(
        self, work: Callable[..., None], done: str, members: Sequence[Combination], skip_bad: bool
    ) -> dict[str, str]:
        """Call a function for several runs; returns run → why it failed."""
        if not members:
            return {}
        plan, started = self._plan, time.monotonic()
        share = self._connected().share(
            len(members),
            at_once=self._at_once,
            cpus=self._cpus,
            gpus=self._gpus,
            retries=self._retries,
            use_gpus=self.use_gpus,
        )
        per_run = f"{share.cpus} cores" + (f" and {share.gpus:g} GPUs" if share.gpus else "")
        console.say(f"sweep: {len(members)} runs to be {done}, {per_run} each")
        failures = {}
        jobs = [Job(m.name, self._arguments(m, skip_bad), plan.log(m).resolve()) for m in members]
        for number, outcome in enumerate(self._connected().run(work, jobs, share), start=1):
            said = done if outcome.failure is None else f"failed: {outcome.failure}"
            console.say(f"sweep: {number} of {len(jobs)}, {time.monotonic() - started:.0f} s: {outcome.name} {said}")
            if outcome.failure is not None:
                failures[outcome.name] = outcome.failure
        return failures

    def _connected(self) -> Cluster:
        if self._cluster is None:
            self._cluster = self._stack.enter_context(cluster(self._address, retries=self._retries))
            if self._address is not None:
                self._cluster.require_shared(self._plan.folder.resolve())
        return self._cluster

    def _arguments(self, member: Combination, skip_bad: bool) -> dict[str, Any]:
        plan = self._plan
        return {
            "recipe": str(plan.folder / "recipe.yaml"),
            "overrides": list(_overrides(plan.name, member)),
            "folder": str(plan.run_folder(member)),
            "select": None if plan.held_out else plan.select,
            "skip_bad": skip_bad,
        }


def _planned(path: Path, arguments: Sequence[str], out: Path | None) -> tuple[Plan, dict[str, Recipe]]:
    """Read the grid and validate each of its recipes; nothing is written."""
    from radvqa.commands.own_data import named
    from radvqa.commands.prepare import checked

    values = _page(path)
    grid = parse_grid(arguments, lambda key: full_key(values, key))
    name = load_recipe(path, grid.fixed).name
    recipes = {member.name: load_recipe(path, _overrides(name, member)) for member in grid.combinations}
    for one in recipes.values():
        checked(one)
    _require_different(recipes)
    _require_same_questions(recipes)
    first = next(iter(recipes.values()))
    learning = first.learning(first.stages[-1]) if first.stages else first.training
    chosen_by = [f"{key}: {value}" for key, value in learning.select_where.items()]
    plan = Plan(
        folder=out or Path("sweeps") / name,
        name=name,
        title=first.title,
        dataset=named(first.data)["name"],
        select=first.data.select,
        held_out=bool(first.data.select_fraction),
        test=first.data.test,
        metric=learning.select_by,
        questions=", ".join(chosen_by),
        grid=grid,
    )
    return plan, recipes


def _page(path: Path) -> dict[str, Any]:
    """The recipe's plain values, to know which sections its keys belong to."""
    try:
        values = yaml.safe_load(files.read_text(find_recipe(path)))
    except yaml.YAMLError:
        values = None
    # what is no page of keys is refused by load_recipe, which says what is wrong with it
    return values if isinstance(values, dict) else load_recipe(path).resolved()


def _overrides(name: str, member: Combination) -> tuple[str, ...]:
    """What a run is trained with; its setting is a part of its recipe's name, so that every report can tell."""
    return (*member.overrides, f"name={name}-{member.setting}") if member.setting else member.overrides


def _require_different(recipes: dict[str, Recipe]) -> None:
    known: dict[str, str] = {}
    for name, recipe in recipes.items():
        content = recipe.model_copy(update={"name": ""}).model_dump_json()
        if content in known:
            raise RecipeError(f"{known[content]} and {name} would be the same run; give each axis different values.")
        known[content] = name


def _require_same_questions(recipes: dict[str, Recipe]) -> None:
    """Refuse axes that would choose among numbers of different tests."""

    def asked(recipe: Recipe) -> dict[str, Any]:
        data = recipe.data
        learning = recipe.learning(recipe.stages[-1]) if recipe.stages else recipe.training
        return {
            "data.name": data.place,
            "data.select": data.select,
            "data.select_fraction": data.select_fraction,
            "data.test": data.test,
            "select_by": learning.select_by,
            "select_where": learning.select_where,
            "stages.select": recipe.stages[-1].select if recipe.stages else None,
        }

    first, *others = (asked(recipe) for recipe in recipes.values())
    for other in others:
        for key, value in other.items():
            if value != first[key]:
                raise RecipeError(
                    f"{key} cannot be an axis: its runs would be compared on different questions or by different "
                    f"metrics. Make one sweep for each, and lay them side by side with `radvqa compare`."
                )


def _begin(plan: Plan, recipes: dict[str, Recipe], source: Path) -> dict[str, Any]:
    """Write what every run is made from; refuse a folder that was made from something else.

    Returns:
        what an earlier call found.
    """
    place = plan.folder / "sweep.json"
    earlier: dict[str, Any] = {}
    known: dict[str, Any] = {}
    if place.is_file():
        earlier = files.read_json(place)
        axes = [axis["key"] for axis in earlier["axes"]]
        mine = [axis.key for axis in plan.grid.axes]
        if axes != mine:
            raise RunError(
                f"{plan.folder} holds a sweep over {' and '.join(axes)}, this one is over {' and '.join(mine)}; choose "
                f"another --out."
            )
        known = files.read_json(plan.folder / "recipes.json")
    elif any(not entry.name.startswith(".") for entry in plan.folder.iterdir()):
        raise RunError(f"{plan.folder} exists and is not the folder of a sweep; choose another --out.")
    new = {name: recipe.resolved() for name, recipe in recipes.items()}
    for name, values in new.items():
        begun = (plan.folder / name / "run.json").is_file()
        if begun and name in known and (differ := _differing(known[name], values)):
            raise RunError(
                f"{plan.folder / name} was begun with another recipe ({', '.join(differ)} differ); choose another "
                f"--out, or delete that folder."
            )
    # runs read this copy, so that a recipe that is edited meanwhile does not change half of them
    if source.resolve() != (plan.folder / "recipe.yaml").resolve():
        files.write_text(plan.folder / "recipe.yaml", files.read_text(source))
    files.write_json(plan.folder / "recipes.json", known | new)
    if not earlier:
        files.write_json(place, summarise(plan, mode="none", failures={}))
    return earlier


def _differing(one: Any, other: Any, place: str = "") -> list[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        keys = dict.fromkeys((*one, *other))
        return [key for k in keys for key in _differing(one.get(k), other.get(k), f"{place}.{k}" if place else k)]
    return [] if one == other else [place]


def _to_test(plan: Plan, test: str) -> list[Combination]:
    """The runs that are to answer the test split."""
    if test == "none":
        return []
    if test == "all":
        return [member for member in plan.grid.combinations if plan.learned(member)]
    choice = choice_of(plan)
    return [] if choice is None else plan.settings[choice.best]


def _report(plan: Plan, found: dict[str, Any], known: dict[str, Any]) -> None:
    """Write what was found, the page about it, and the full comparisons that the page links to.

    Pages that show just that already are left as they are.
    """
    found["pages"] = known.get("pages")
    if found == known and (plan.folder / "report.html").is_file():
        return
    from radvqa.commands.compare import compare
    from radvqa.report.sweep import write_report

    learned = [member for member in _best_first(plan, found) if plan.learned(member)][:_MOST_COMPARED]
    tested = [m for setting in found["settings"] if setting["test_subsets"] for m in _members(plan, setting)]
    pages = {}
    if learned and not plan.held_out:
        pages["selection"] = plan.folder / "selection.html"
        compare([plan.run_folder(m) for m in learned], split=plan.select, html=pages["selection"])
    if tested:
        pages["test"] = plan.folder / "test.html"
        compare([plan.run_folder(m) for m in tested[:_MOST_COMPARED]], html=pages["test"])
    found["pages"] = {key: page.name for key, page in pages.items()}
    files.write_json(plan.folder / "sweep.json", found)
    write_report(plan, found, plan.folder / "report.html")


def _members(plan: Plan, setting: dict[str, Any]) -> list[Combination]:
    return [member for member in plan.grid.combinations if member.name in setting["runs"]]


def _best_first(plan: Plan, found: dict[str, Any]) -> list[Combination]:
    """Runs in the grid's order; where there are too many for a page, those of the best settings."""
    members = plan.grid.combinations
    if len(members) <= _MOST_COMPARED:
        return members
    sign = 1 if plan.smaller_is_better else -1
    known = [setting for setting in found["settings"] if setting["selection"]]
    ranked = sorted(known, key=lambda setting: sign * setting["selection"]["mean"])
    return [member for setting in ranked for member in _members(plan, setting)]
