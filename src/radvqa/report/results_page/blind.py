"""What the pictures are worth: accuracy on the right ones minus accuracy without, from the probes of each run."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from radvqa.errors import RadvqaError, RunError, nearest
from radvqa.probing.probe import PROBES
from radvqa.report.grid import Row, Table, without_empty
from radvqa.report.numbers import UNDEFINED, percent, points
from radvqa.report.results_page.again import RUNS
from radvqa.report.results_page.numbers import Interval, gap, met, reached
from radvqa.report.results_page.part import Part, commands, still_missing, table
from radvqa.report.results_page.plan import Blind, Reaching
from radvqa.report.results_page.shelf import Missing, Shelf, System


@dataclass(frozen=True)
class _Probed:
    """What one run lost.

    Attributes:
        name: of the run.
        before: accuracy with the right pictures, as a fraction.
        after: without.
        drop: before minus after.
        interval: its 95 % interval.
        limited: asked about a part of the pictures only.
    """

    name: str
    before: float
    after: float
    drop: float
    interval: Interval | None
    limited: bool


def blind(section: Blind, shelf: Shelf) -> Part:
    """Make the section.

    Raises:
        RadvqaError: for a probe that is not known.
        RunError: when a run was not probed, unless the page is a draft.
    """
    if section.probe not in PROBES:
        raise RadvqaError(
            f"{section.title}: there is no probe {section.probe!r}; {nearest(section.probe, list(PROBES))}"
        )
    systems = shelf.take_all(section.rows)
    probed = {system.label: list(_probed(section, system)) for system in systems}
    missing = [lacking for system in systems for lacking in (*system.missing, *_unprobed(section, system, probed))]
    for lacking in missing:
        if not shelf.partial:
            raise RunError(
                f"{lacking.name} ({lacking.label}) is {lacking.state}; it is made by: {lacking.command}. A page "
                f"without it is written with --partial."
            )
    rows = [
        row
        for wanted, system in zip(section.rows, systems, strict=True)
        for row in _rows(wanted, system, probed[system.label])
    ]
    title = f"{PROBES[section.probe].title}, in percent"
    columns = ("Run", "Real", "Without", "Gap, points", "Reach")
    notes = (
        f"{PROBES[section.probe].changes} The same questions both times; in brackets the 95 % interval of the paired "
        f"difference, drawn by picture or case.",
        *(
            f"{found.name}: a quick look at a part of the pictures only."
            for founds in probed.values()
            for found in founds
            if found.limited
        ),
        *(said for system in systems for said in system.notes()),
    )
    done = [_command(section, name) for system in systems for name, run in system.runs.items() if run.probes]
    blocks = [
        *table(without_empty(Table(title, columns, tuple(rows), notes))),
        *still_missing(missing),
        *commands(systems, done),
    ]
    reached_lines = [
        line
        for wanted, system in zip(section.rows, systems, strict=True)
        for line in _answer(section, wanted, system, probed[system.label])
    ]
    facts: dict[str, Any] = {label: [{"run": f.name, "gap": f.drop} for f in found] for label, found in probed.items()}
    return Part(blocks, reached=reached_lines, facts=facts)


def _probed(section: Blind, system: System) -> Iterator[_Probed]:
    for run in system.runs.values():
        result = run.probes
        found = next((p for p in (result or {}).get("probes", []) if p["name"] == section.probe and p["n"]), None)
        if result is None or found is None or found["drop"] is None:
            continue
        limits = found["drop_interval"]
        interval = None if limits is None else (float(limits[0]), float(limits[1]))
        shares = found["accuracy_before"], found["accuracy"], found["drop"]
        yield _Probed(run.name, *shares, interval, bool(result.get("limit")))


def _unprobed(section: Blind, system: System, probed: dict[str, list[_Probed]]) -> Iterator[Missing]:
    known = {found.name for found in probed[system.label]}
    for name, run in system.runs.items():
        if run.name not in known:
            yield Missing(system.label, name, "not yet probed", _command(section, name))


def _command(section: Blind, name: str) -> str:
    return f"radvqa probe {RUNS}/{name} --only {section.probe}"


def _rows(wanted: Reaching, system: System, found: list[_Probed]) -> Iterator[Row]:
    reach = UNDEFINED if wanted.reach is None else f"{wanted.reach:g}"
    if not found:
        yield Row((system.label, system.state or "not yet probed", "", "", reach), "run")
        return
    mean = fmean(one.drop for one in found)
    told = reach if wanted.reach is None else f"{reach}: {met(100 * mean, wanted.reach)}"
    if len(found) == 1:
        yield Row((system.label, percent(found[0].before), percent(found[0].after), _written(found[0]), told), "run")
        return
    before, after = fmean(one.before for one in found), fmean(one.after for one in found)
    heading = f"{system.label}, mean of {len(found)}"
    yield Row((heading, percent(before), percent(after), points(mean), told), "mean")
    for one in found:
        yield Row((one.name, percent(one.before), percent(one.after), _written(one), ""), "seed")


def _written(found: _Probed) -> str:
    if found.interval is None:
        return points(found.drop)
    return f"{points(found.drop)} [{points(found.interval[0])}, {points(found.interval[1])}]"


def _answer(section: Blind, wanted: Reaching, system: System, found: list[_Probed]) -> Iterator[str]:
    if wanted.reach is None:
        return
    if not found:
        state = system.state or "not yet probed"
        yield f"{section.title}, {system.label}: {state}; {wanted.reach:g} points are to be reached."
        return
    mean = 100 * fmean(one.drop for one in found)
    side = "met, by" if reached(mean, wanted.reach) else "missed, by"
    yield (
        f"{section.title}, {system.label}: {points(mean / 100)} points. The {wanted.reach:g} to be reached are {side} "
        f"{gap(mean, wanted.reach).lstrip('+−')} points."
    )
