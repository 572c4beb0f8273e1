"""Sections that show rather than compare: curves, a scaling law, examples, other runs, free text."""

from collections.abc import Iterator
from dataclasses import replace

from radvqa import files
from radvqa.errors import RadvqaError, RunError
from radvqa.report.comparison import compare_runs
from radvqa.report.figures import style
from radvqa.report.figures.curves import training_curves
from radvqa.report.figures.overlay import overlay
from radvqa.report.figures.right_wrong import right_wrong
from radvqa.report.figures.scaling import scaling_law
from radvqa.report.grid import markdown_text
from radvqa.report.numbers import plural, without_folders
from radvqa.report.results import section as compared
from radvqa.report.results_page.draw import draw
from radvqa.report.results_page.part import LEVEL, Part, bullets, commands, led, still_missing, table
from radvqa.report.results_page.plan import Curves, Examples, Existing, Scaling, Tried
from radvqa.report.results_page.shelf import Shelf, System
from radvqa.report.scaling import constants_table, predictions_table, targets_table
from radvqa.report.scored import Scored
from radvqa.scaling.words import number


def curves(section: Curves, shelf: Shelf) -> Part:
    """Draw the validation accuracy of runs over their training."""
    systems = shelf.take_all(section.rows)
    runs = [run for system in systems for run in _labelled(system)]
    missing = still_missing([missing for system in systems for missing in system.missing])
    figure = overlay(runs) if len(runs) > 1 else training_curves(runs[0]) if runs else None
    if figure is None:
        return Part(["No run here has a history to draw yet.", *missing])
    name = f"{section.name or section.kind}.png"
    alt = f"Validation accuracy over the training of {', '.join(system.label for system in systems if system.runs)}."
    blocks = [f"![{markdown_text(alt)}]({{figures}}/{name})", "A mark is the look whose weights were kept.", *missing]
    return Part([*blocks, *commands(systems)], figures={name: style.png(figure)})


def _labelled(system: System) -> Iterator[Scored]:
    """Yield the runs of a system, named in a figure as the page names them."""
    alone = len(system.runs) == 1
    for run in system.runs.values():
        recipe = {**run.recipe, "name": system.label} if run.recipe else run.recipe
        yield replace(run, name=system.label if alone else run.name, recipe=recipe)


def scaling(section: Scaling, shelf: Shelf) -> Part:
    """Show a fitted scaling law and what it says of targets.

    Raises:
        RunError: when the file is missing, unless the page is a draft.
        RadvqaError: when it is no fitted law.
    """
    path = shelf.folder / section.file
    if not path.is_file():
        made = f"`{section.command}`" if section.command else "`radvqa scaling RUN… --out FOLDER`"
        if not shelf.partial:
            raise RunError(f"There is no {path}; {made} makes it. A page without it is written with --partial.")
        return Part([f"Not yet fitted: {made} makes `{section.file}`."])
    result = files.read_json(path)
    if not isinstance(result, dict) or not {"law", "variables", "points", "constants", "curves"} <= result.keys():
        raise RadvqaError(f"{path} is no fitted law; `radvqa scaling --out` writes one.")
    name = f"{section.name or section.kind}.png"
    needed = [
        f"A loss of {answer['target']:g} needs {number(answer['needed'], 3)} of {answer['variable'].upper()}"
        + (
            f", {', '.join(f'{times:,.3g} ×' for times in answer['beyond'].values())} beyond the points."
            if answer["beyond"]
            else "."
        )
        for answer in result["targets"]
    ]
    tables = [constants_table(result)]
    tables += [targets_table(result)] if result["targets"] else []
    tables += [predictions_table(result)] if result["predictions"] else []
    alt = f"{result['law']}: {plural(len(result['points']), 'point')} with the fitted curve and its band."
    blocks = [
        *bullets(needed),
        f"![{markdown_text(alt)}]({{figures}}/{name})",
        *(block for shown in tables for block in table(shown)),
        *bullets([f"Warning: {without_folders(warning)}" for warning in result["warnings"]]),
        *commands([], [section.command] if section.command else []),
    ]
    found = [led(section.title, needed[0])] if needed else []
    return Part(blocks, found=found, figures={name: style.png(scaling_law(result))})


def examples(section: Examples, shelf: Shelf) -> Part:
    """Show right and wrong answers with pictures, drawn at random.

    Raises:
        RadvqaError: when nothing says whose pictures these are.
        RunError: when the run keeps no pictures.
    """
    system = shelf.take(section.run)
    run = system.first
    if run is None:
        return Part(still_missing(system.missing))
    whose = section.attribution or shelf.whose(run.answers.dataset)
    if not whose:
        raise RadvqaError(
            f"{section.title}: nothing says whose pictures those of {run.answers.dataset} are; give an `attribution`."
        )
    drawn = draw(run, right=section.right, wrong=section.wrong, seed=section.seed)
    name = f"{section.name or section.kind}.png"
    alt = f"Questions of {run.answers.dataset} with picture, gold answer, answer and confidence of {run.name}."
    said = (
        f"Drawn by `random.Random({section.seed})` from the sorted ids of the {drawn.of_right} right and the "
        f"{drawn.of_wrong} wrong answers of {markdown_text(run.name)}, none put in or left out by hand. "
        f"{markdown_text(whose)}"
    )
    ids = [one.asked.id for one in (*drawn.right, *drawn.wrong)]
    return Part(
        [f"![{markdown_text(alt)}]({{figures}}/{name})", said, *still_missing(system.missing), *commands([system])],
        figures={name: style.png(right_wrong(drawn))},
        facts={"ids": ids},
    )


def existing(section: Existing, shelf: Shelf) -> Part:
    """Show runs as `radvqa compare` does."""
    systems = shelf.take_all(section.rows)
    names = list(dict.fromkeys(name for system in systems for name in system.runs))
    missing = still_missing([missing for system in systems for missing in system.missing])
    comparisons = compare_runs([shelf.folder / name for name in names]) if names else []
    blocks = [block for comparison in comparisons for block in compared(comparison, LEVEL)]
    return Part([*blocks, *missing, *commands(systems)])


def tried(section: Tried, shelf: Shelf) -> Part:
    """Show a text."""
    return Part([section.text.strip()])
