"""The report of a sweep: which setting is best, how sure that is, and what it cost; one HTML file and a table."""

from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import radvqa
from radvqa import files
from radvqa.report import sentences
from radvqa.report.figures import style, sweep_axes
from radvqa.report.figures import sweep as drawing
from radvqa.report.grid import Row, Table, breakable, print_table, to_html, without_empty
from radvqa.report.numbers import UNDEFINED, count, duration, mean_sd, percent, plural, without_folders
from radvqa.sweeping.plan import Plan, finished

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Found = Mapping[str, Any]  # what sweep.json holds
Drawn = tuple["Figure | None", str, str]  # figure, what it shows, what to know when reading it

_SUBSETS = (("overall", "all"), ("open", "open"), ("closed", "closed"))


def write_report(plan: Plan, found: Found, path: Path) -> None:
    """Write the page.

    Args:
        plan: the sweep.
        found: what ``sweeping.summary`` found about it, and under ``pages`` the full comparisons to link to.
        path: the HTML file.
    """
    files.write_text(path, page(found, courses(plan)))


def courses(plan: Plan) -> list[drawing.Course]:
    """Read how the runs that are finished went."""
    found = []
    for member in plan.grid.combinations:
        run = finished(plan.run_folder(member))
        if run is not None and run.history:
            marked = [row for row in run.history if row.get("best")]
            found.append(drawing.Course(plan.called(member.setting), run.history, marked[-1] if marked else None))
    return found


def show_sweep(found: Found, stream: IO[str] | None = None) -> None:
    """Print the settings for people, and what to know about them."""
    for table in (settings_table(found), test_table(found)):
        if table is not None:
            print_table(table, stream)
    for note in found["notes"]:
        print(note, file=stream)


def settings_table(found: Found) -> Table:
    """Lay the settings side by side: the metric that chooses, subsets, and what each cost."""
    metric = drawing.metric_title(found["metric"])
    if found["metric_questions"]:
        metric = f"{metric} ({found['metric_questions']})"
    rows = [_setting_row(found, setting) for setting in found["settings"]]
    columns = (
        "Setting",
        "Seeds",
        f"{metric}, all" if _is_accuracy(found) else metric,
        *(f"Accuracy, {said}" for subset, said in _SUBSETS if not (_is_accuracy(found) and subset == "overall")),
        "Token-F1",
        "Trained parameters",
        "Training time",
    )
    in_unit = "as it is" if found["smaller_is_better"] else "in percent"
    notes = [
        f"mean ± sd over seeds, {in_unit}, on the {found['select']} split of {found['dataset']}"
        + (", the part of it that was held out." if found["held_out"] else "."),
        "Seeds: how many of the setting's runs are finished. Training time: of one run, preparation included.",
    ]
    return without_empty(Table("Settings on the selection split", columns, tuple(rows), tuple(notes)))


def _is_accuracy(found: Found) -> bool:
    """Whether the metric that chooses is the accuracy over all questions, so that one column shows both."""
    return bool(found["metric"] == "accuracy" and not found["metric_questions"])


def _setting_row(found: Found, setting: Found) -> Row:
    subsets = setting["selection_subsets"] or {}
    wanted = len(setting["runs"])
    seeds = str(wanted) if setting["finished"] == wanted else f"{setting['finished']} of {wanted}"
    seconds, trainable = setting["seconds"], setting["trainable"]
    return Row(
        (
            setting["name"] + (" (chosen)" if setting["chosen"] else ""),
            seeds,
            _spread(setting["selection"], loss=found["smaller_is_better"]),
            *(
                _spread(subsets.get(subset, {}).get("accuracy"))
                for subset, _ in _SUBSETS
                if not (_is_accuracy(found) and subset == "overall")
            ),
            _spread(subsets.get("overall", {}).get("token_f1")),
            count(trainable),
            UNDEFINED if seconds is None else duration(seconds["mean"]),
        ),
        "mean" if setting["chosen"] else "row",
    )


def _spread(summary: Found | None, *, loss: bool = False) -> str:
    if summary is None:
        return UNDEFINED
    mean, sd = summary["mean"], summary["sd"]
    if loss:
        return f"{mean:.4f}" if sd is None else f"{mean:.4f} ± {sd:.4f}"
    return percent(mean) if sd is None else mean_sd(mean, sd)


def _single(found: Found, value: float | None) -> str:
    return UNDEFINED if value is None else _spread({"mean": value, "sd": None}, loss=found["smaller_is_better"])


def test_table(found: Found) -> Table | None:
    """Lay the settings that answered the test split side by side; None when none did."""
    known = [setting for setting in found["settings"] if setting["test_subsets"]]
    if not known:
        return None
    metrics = [m for m in ("accuracy", "top5", "macro_f1", "token_f1") if _has(known, m)]
    columns = [(subset, metric) for metric in metrics for subset, _ in _SUBSETS if _has(known, metric, subset)]
    said = dict(_SUBSETS)
    rows = tuple(
        Row(
            (
                setting["name"] + (" (chosen)" if setting["chosen"] else ""),
                str(len(setting["runs"])),
                *(_spread(setting["test_subsets"].get(subset, {}).get(metric)) for subset, metric in columns),
            ),
            "mean" if setting["chosen"] else "row",
        )
        for setting in known
    )
    titles = (f"{drawing.metric_title(metric)}, {said[subset]}" for subset, metric in columns)
    note = f"mean ± sd over seeds, in percent, on the {found['test_split']} split of {found['dataset']}."
    return Table("The test split", ("Setting", "Seeds", *titles), rows, (note,))


def _has(settings: Iterable[Found], metric: str, subset: str = "overall") -> bool:
    return any(metric in setting["test_subsets"].get(subset, {}) for setting in settings)


def runs_table(found: Found) -> Table:
    """List every run."""
    rows = tuple(
        Row(
            (
                run["name"],
                run["state"],
                _single(found, run["selected"]),
                UNDEFINED if run["best_epoch"] is None else f"{run['best_epoch']} of {run['epochs']}",
                count(run["trainable"]),
                duration(run["seconds"]),
                "yes" if run["tested"] else "no",
            )
        )
        for run in found["runs"]
    )
    columns = (
        "Run",
        "State",
        drawing.metric_title(found["metric"]),
        "Kept epoch",
        "Trained parameters",
        "Training time",
        "Test split answered",
    )
    return without_empty(Table("Every run", columns, rows))


def how_chosen(found: Found) -> str:
    """Say how the setting was chosen, and what became of the test split."""
    seeds = max(len(setting["runs"]) for setting in found["settings"])
    mean = "its value" if seeds == 1 else f"the mean over {seeds} seeds"
    best = "smallest" if found["smaller_is_better"] else "largest"
    said = (
        f"Runs were compared on the {found['select']} split by {drawing.metric_title(found['metric']).lower()}, each "
        f"with the weights that it kept; the setting with the {best} value is chosen, by {mean}."
    )
    if found["chosen"] is None:
        return f"{said} Nothing is chosen yet."
    if found["test"] == "chosen":
        return f"{said} Only then did its runs answer the {found['test_split']} split, once."
    if found["test"] == "all":
        return f"{said} All settings answered the {found['test_split']} split, which had no part in the choice."
    return f"{said} The {found['test_split']} split was not asked."


def page(found: Found, went: list[drawing.Course]) -> str:
    """Return the page as text."""
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["breakable"] = lambda text: Markup(breakable(text))  # noqa: S704 - escaped there
    text = environment.from_string(_template("sweep.html.j2")).render(
        title=f"Sweep of {found['name']}",
        eyebrow=f"{found['title']} · {found['dataset']}",
        description=how_chosen(found),
        version=radvqa.__version__,
        research_only=sentences.RESEARCH_ONLY,
        style=Markup(_template("page.css")),  # noqa: S704 - our own file
        axes=[(axis["key"], ", ".join(axis["values"])) for axis in found["axes"]],
        fixed=found["fixed"],
        cards=list(_cards(found)),
        how=how_chosen(found),
        warnings=[without_folders(note) for note in found["notes"]],
        pages=found.get("pages", {}),
        parts=[part for part in _parts(found, went) if part["tables"] or part["figures"]],
        found=found,
    )
    return text.encode("utf-8", "replace").decode("utf-8")  # a file cannot hold half of a surrogate pair


def _template(name: str) -> str:
    return (resources.files("radvqa.report") / "templates" / name).read_text(encoding="utf-8")


def _cards(found: Found) -> Iterator[dict[str, str]]:
    """The numbers at the top: the chosen setting, its test result, and what everything cost."""
    metric = drawing.metric_title(found["metric"])
    chosen = next((setting for setting in found["settings"] if setting["chosen"]), None)
    if chosen is not None:
        summary = chosen["selection"]
        yield {
            "head": "Chosen setting",
            "number": chosen["name"],
            "small": "",
            "said": f"{metric} {_spread(summary, loss=found['smaller_is_better'])}"
            f"{'' if found['smaller_is_better'] else ' %'} on the {found['select']} split, "
            f"{plural(summary['n'], 'seed')}. It was picked as the best here, so this number flatters it a little.",
        }
        accuracy = (chosen["test_subsets"] or {}).get("overall", {}).get("accuracy")
        if accuracy is not None:
            sd = "" if accuracy["sd"] is None else f"± {percent(accuracy['sd'])}"
            yield {
                "head": f"Its accuracy on the {found['test_split']} split",
                "number": f"{percent(accuracy['mean'])} %",
                "small": sd,
                "said": f"Mean{' ± sd' if sd else ''} over {plural(accuracy['n'], 'seed')}; open "
                f"{_subset(chosen, 'open')}, closed {_subset(chosen, 'closed')}. This is the number to report.",
            }
    done = [run for run in found["runs"] if run["state"] == "finished"]
    seconds = sum(run["seconds"] or 0.0 for run in done)
    yield {
        "head": "Runs finished",
        "number": f"{len(done)}",
        "small": f"of {len(found['runs'])}",
        "said": f"{plural(len(found['settings']), 'setting')}; {duration(seconds)} of training in all runs together.",
    }


def _subset(setting: Found, subset: str) -> str:
    summary = setting["test_subsets"].get(subset, {}).get("accuracy")
    return UNDEFINED if summary is None else f"{_spread(summary)} %"


def _parts(found: Found, went: list[drawing.Course]) -> Iterator[dict[str, Any]]:
    shown = len(drawing.tones(found))
    some = "" if shown == len(found["settings"]) else f" The best {shown} settings are coloured."
    yield _part(
        "settings",
        "Settings",
        "Every setting is the mean over its seeds; the small points are single seeds. A difference that is smaller "
        "than the spread over seeds shows nothing.",
        [settings_table(found)],
        [
            (
                drawing.setting_points(found),
                "Each setting's mean and standard deviation over seeds",
                "Diamond: the chosen setting; lines: mean ± sd over seeds; small points: single seeds.",
            ),
            (
                drawing.subset_lines(found),
                "Exact match and token-F1 of each setting over all, open and closed questions",
                f"On the {found['select']} split; mean ± sd over seeds.{some}",
            ),
        ],
    )
    yield _part(
        "axes",
        "What each axis does",
        "An axis at a time, averaged over all the others: what it does by itself. Where axes work together, the map "
        "shows it.",
        [],
        [
            (
                sweep_axes.effects(found),
                "Main effect of each axis",
                "Line: mean over all settings with that value; points: those settings, each a mean over its seeds.",
            ),
            (
                sweep_axes.pairs(found),
                "Mean of each pair of values",
                "Framed: the chosen setting. – is a setting without a finished run.",
            ),
        ],
    )
    yield _part(
        "training",
        "How training went, and what it cost",
        "Curves on the split that chooses, a line for each run. Times compare only where every run had as much of the "
        "same machine.",
        [],
        [
            (
                drawing.validation_curves(found, went),
                "Selection metric and loss by epoch, a line for each run",
                f"Marks: the weights that were kept. Runs of one setting share a colour.{some}",
            ),
            (
                sweep_axes.costs(found),
                "Selection metric against trained parameters and training time",
                f"Lines: ± sd over seeds.{some}",
            ),
        ],
    )
    tested = test_table(found)
    yield _part(
        "test",
        "The test split",
        "Asked after choosing; it had no part in the choice." if tested is not None else "",
        [tested] if tested is not None else [],
        [
            (
                drawing.subset_lines(found, "test_subsets"),
                "Exact match and token-F1 on the test split",
                f"On the {found['test_split']} split; mean ± sd over seeds.",
            )
        ],
    )
    yield _part("runs", "Every run", "Folders of these names lie beside this page.", [runs_table(found)], [])


def _part(key: str, title: str, intro: str, tables: Iterable[Table], drawn: Iterable[Drawn]) -> dict[str, Any]:
    """Render a part; to_html escapes every text that it is given, so nothing is escaped twice."""
    from markupsafe import Markup

    return {
        "key": key,
        "title": title,
        "intro": intro,
        "tables": [Markup(to_html(table)) for table in tables],  # noqa: S704
        "figures": [
            {"uri": style.to_data_uri(figure), "alt": alt, "caption": caption}
            for figure, alt, caption in drawn
            if figure is not None
        ],
    }
