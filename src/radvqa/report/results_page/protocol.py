"""The official division against a random one: what it is worth that questions about one picture are on both sides."""

from dataclasses import dataclass
from typing import Any

from radvqa.errors import RadvqaError, nearest
from radvqa.report.grid import Row, Table, without_empty
from radvqa.report.numbers import UNDEFINED, count, plural, points
from radvqa.report.results_page.budgets import costs_table, protocol_table
from radvqa.report.results_page.headline import apart_table
from radvqa.report.results_page.numbers import Interval, by_question, exact_match, subset
from radvqa.report.results_page.part import Part, bullets, commands, led, still_missing, table
from radvqa.report.results_page.plan import Protocol
from radvqa.report.results_page.shelf import Shelf, System
from radvqa.report.scored import Group
from radvqa.scoring.published import PublishedRow, rows_for


@dataclass(frozen=True)
class Leak:
    """Random minus official, as fractions.

    Attributes:
        difference: of the exact match.
        interval: 95 %, both tests drawn independently of each other; None where it is unknown.
    """

    difference: float
    interval: Interval | None

    @property
    def sure(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.interval is not None and (self.interval[0] > 0 or self.interval[1] < 0)

    @property
    def written(self) -> str:
        """The difference and its interval in points."""
        if self.interval is None:
            return points(self.difference)
        return f"{points(self.difference)} [{points(self.interval[0])}, {points(self.interval[1])}]"


def protocol(section: Protocol, shelf: Shelf) -> Part:
    """Make the section.

    Raises:
        RadvqaError: for a published row that is not known.
    """
    systems = shelf.take_all((section.official, section.random))
    official, random = (system.group for system in systems)
    leak = None if official is None or random is None else leak_of(official, random)
    said = [] if leak is None else [_sentence(leak)]
    blocks = [
        *bullets(said),
        *table(_scores(systems)),
        *still_missing([missing for system in systems for missing in system.missing]),
        *table(_published(section)),
        *table(costs_table(systems)),
        *table(protocol_table(systems)),
        *commands(systems),
    ]
    facts: dict[str, Any] = {} if leak is None else {"difference": leak.difference, "interval": leak.interval}
    short = said[0] if said else f"{next((system.state for system in systems if system.state), 'no value')}."
    return Part(blocks, found=[led(section.title, short)], facts=facts)


def leak_of(official: Group, random: Group) -> Leak | None:
    """Compare two tests of different questions; there is nothing to pair, so each is drawn on its own."""
    from radvqa.scoring.statistics import limits, resampled

    values = [exact_match(group) for group in (official, random)]
    if values[0] is None or values[1] is None:
        return None
    drawn = []
    for number, group in enumerate((official, random)):
        side = by_question(group)
        drawn.append(None if side is None else resampled({"": side[0]}, side[1], seed=number)[""])
    first, second = drawn
    interval = None if first is None or second is None else limits(second - first)
    return Leak(values[1].mean - values[0].mean, interval)


def _sentence(leak: Leak) -> str:
    judged = "" if leak.sure else ", not distinguishable from nothing"
    return f"the random division is worth {leak.written} points against the official one{judged}."


def _scores(systems: list[System]) -> Table:
    rows = []
    for kind, system in zip(("official", "random"), systems, strict=True):
        group = system.group
        value = None if group is None else exact_match(group)
        if group is None or value is None:
            rows.append(Row((system.label, kind, "", system.state or UNDEFINED, "", "", ""), "run"))
            continue
        scores = group.runs[0].scores
        unit = str(scores.get("clustered_by") or "cluster")
        asked = f"{count(scores['questions'])} on {plural(scores['clusters'], unit)}"
        cells = (system.seeds, value.written, subset(group, "open"), subset(group, "closed"), asked)
        rows.append(Row((system.label, kind, *cells), "run"))
    columns = ("System", "Division", "Seeds", "Exact match", "Open", "Closed", "Questions")
    notes = (
        "The two tests ask different questions, so that nothing is paired: the interval of the difference draws both "
        "independently. The models differ as well, because they learned from different questions.",
        *(said for system in systems for said in system.notes()),
    )
    return without_empty(
        Table("Exact match, in percent", columns, tuple(rows), notes, frozenset({"Division", "Seeds"}))
    )


def _published(section: Protocol) -> Table | None:
    known = rows_for("vqa_rad", "test")
    methods = list(dict.fromkeys(row.method for row in known))
    for named in section.published:
        if named not in methods:
            raise RadvqaError(f"{section.title}: no published row is called {named!r}; {nearest(named, methods)}")
    rows: list[PublishedRow] = [row for row in known if row.method in section.published and not row.comparable]
    rows = [row for row in rows if row.subset in ("overall", "open", "closed")]
    return apart_table(rows, "Published on a random division; ranks nothing")
