"""A fitted scaling law for people: on the terminal, and as a page with its figure and its numbers."""

from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import radvqa
from radvqa import files
from radvqa.report import sentences
from radvqa.report.figures import style
from radvqa.report.figures.scaling import scaling_law
from radvqa.report.grid import Row, Table, print_table, to_html, without_empty
from radvqa.report.numbers import plural
from radvqa.scaling.words import number

_BOOTSTRAP = (
    "Bootstrap: the middle 95 % of refits of resampled residuals, as a second opinion; it is too narrow when points "
    "are few."
)
_PROFILE = (
    "95 % interval: by profile likelihood, all values that the points do not contradict; for independent noise of "
    "equal size."
)
_NONE = "no limit"


def show_scaling(result: Mapping[str, Any]) -> None:
    """Print a fitted law, what it predicts, and what speaks against it."""
    for table in _tables(result):
        print_table(table)
    for warning in result["warnings"]:
        print(f"Warning: {warning}")
    if "out" in result:
        print(f"{result['out']}")


def write_report(result: Mapping[str, Any], folder: Path) -> Path:
    """Write ``scaling.json``, ``scaling.png`` and ``scaling.html`` into a folder; returns the page.

    Args:
        result: what ``radvqa.commands.scaling`` found.
        folder: the folder.
    """
    drawn = style.png(scaling_law(result))
    text = page(result, drawn)
    files.write_json(folder / "scaling.json", result)
    files.write_bytes(folder / "scaling.png", drawn)
    files.write_text(folder / "scaling.html", text)
    return folder / "scaling.html"


def page(result: Mapping[str, Any], drawn: bytes) -> str:
    """Return the page as text.

    Args:
        result: what ``radvqa.commands.scaling`` found.
        drawn: the figure as PNG.
    """
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    text = environment.from_string(_template("scaling.html.j2")).render(
        version=radvqa.__version__,
        research_only=sentences.RESEARCH_ONLY,
        style=Markup(_template("page.css")),  # noqa: S704 - our own file
        law=result["law"],
        about=_about(result),
        headlines=_headlines(result),
        warnings=result["warnings"],
        figure={"uri": style.as_data_uri(drawn), "alt": _alt(result)},
        tables=[Markup(to_html(table)) for table in _tables(result)],  # noqa: S704 - escaped there
        points=Markup(to_html(points_table(result))),  # noqa: S704 - escaped there
    )
    return text.encode("utf-8", "replace").decode("utf-8")  # a file cannot hold half of a surrogate pair


def _template(name: str) -> str:
    return (resources.files("radvqa.report") / "templates" / name).read_text(encoding="utf-8")


def _tables(result: Mapping[str, Any]) -> list[Table]:
    tables = [constants_table(result)]
    if result["targets"]:
        tables.append(targets_table(result))
    if result["predictions"]:
        tables.append(predictions_table(result))
    return tables


def constants_table(result: Mapping[str, Any]) -> Table:
    """Lay out the constants with their intervals."""
    rows = tuple(
        Row((c["name"], number(c["value"]), _interval(c["interval"]), _interval(c["bootstrap"])))
        for c in result["constants"]
    )
    columns = ("Constant", "Value", "95 % interval", "Bootstrap")
    return Table(f"{result['law']}, {_about(result)}", columns, rows, (_PROFILE, _BOOTSTRAP))


def targets_table(result: Mapping[str, Any]) -> Table:
    """Lay out what targets need."""
    means = {variable["name"]: variable["means"] for variable in result["variables"]}
    named = means[result["targets"][0]["variable"]]
    rows = tuple(
        Row((f"{a['target']:g}", number(a["needed"]), _interval(a["interval"]), _far(a), _held(a["held"])))
        for a in result["targets"]
    )
    columns = ("Target loss", f"Needs, in {named}", "95 % interval", "Beyond the points", "At")
    return without_empty(Table("What a loss needs", columns, rows))


def predictions_table(result: Mapping[str, Any]) -> Table:
    """Lay out predicted losses."""
    rows = tuple(
        Row((_held(told["at"]), number(told["loss"]), _interval(told["interval"]), _far(told)))
        for told in result["predictions"]
    )
    notes = ("The interval is that of the law itself; a new measurement scatters about it as well.",)
    return without_empty(Table("Predicted loss", ("At", "Loss", "95 % interval", "Beyond the points"), rows, notes))


def points_table(result: Mapping[str, Any]) -> Table:
    """Lay out the points and what the fit left over."""
    names = [variable["name"] for variable in result["variables"]]
    rows = tuple(
        Row(
            (
                point["name"],
                *(number(point[name], 6) for name in names),
                *(number(point[key]) for key in ("loss", "fitted", "residual")),
                f"{point['weight']:.2f}" if point["weight"] < 1 else "",
            )
        )
        for point in result["points"]
    )
    columns = ("Point", *(v["symbol"] for v in result["variables"]), "Loss", "Fitted", "Residual", "Weight")
    return without_empty(Table("Points", columns, rows))


def _about(result: Mapping[str, Any]) -> str:
    return f"fitted to {plural(len(result['points']), 'point')} of {result['source']['loss']}"


def _interval(ends: Sequence[float | None]) -> str:
    low, high = (_NONE if end is None else number(end) for end in ends)
    return f"[{low}, {high}]"


def _held(held: Mapping[str, float]) -> str:
    return ", ".join(f"{name.upper() if name != 't' else name} = {number(value, 6)}" for name, value in held.items())


def _far(answer: Mapping[str, Any]) -> str:
    return ", ".join(f"{times:,.3g} ×" for times in answer["beyond"].values())


def _headlines(result: Mapping[str, Any]) -> list[dict[str, str]]:
    return [*_constants(result), *_needs(result)]


def _constants(result: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    for constant in result["constants"][1:]:
        floor = constant is result["constants"][-1]
        yield {
            "title": f"{constant['name']}, the floor" if floor else f"{constant['name']}, how fast the loss falls",
            "number": number(constant["value"]),
            "unit": "",
            "sentence": f"95 % interval {_interval(constant['interval'])}.",
        }


def _needs(result: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    means = {variable["name"]: variable["means"] for variable in result["variables"]}
    for answer in result["targets"]:
        far = f"; {_far(answer)} beyond the points" if answer["beyond"] else ""
        yield {
            "title": f"For a loss of {answer['target']:g}",
            "number": number(answer["needed"], 3),
            "unit": means[answer["variable"]],
            "sentence": f"95 % interval {_interval(answer['interval'])}{far}.",
        }


def _alt(result: Mapping[str, Any]) -> str:
    ends = [point["loss"] for point in result["points"]]
    return (
        f"{result['law']} on log axes with {plural(len(ends), 'point')} of a loss between {min(ends):.4g} and "
        f"{max(ends):.4g}, the fitted curve with its band, and the residuals below."
    )
