"""What the probes found, as a table and as sentences for a report's first lines."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from radvqa.probing.probe import BLIND
from radvqa.report.grid import Row, Table
from radvqa.report.numbers import UNDEFINED, count, percent, plural, points, with_interval

_MILD = 0.25  # share of answers that a mild change may change
_FOLLOWED = 0.05  # share of answers that follow a written answer, beyond those that gave it anyway
_READ = 0.5  # share of answers that change when the question is negated


def probe_table(result: Mapping[str, Any]) -> Table:
    """Lay out probes: a row for the questions as they are, then one for each probe.

    Args:
        result: the content of ``probes.json``.
    """
    original = result["original"]
    accuracy = with_interval(original["accuracy"], original["interval"])
    rows = [Row(("As it is", count(result["questions"]), accuracy, UNDEFINED, UNDEFINED, UNDEFINED), "run")]
    rows += [_row(probe) for probe in result["probes"]]
    where = f"{result['dataset']} {result['split']}".strip()
    title = f"Does it look at the image? {where}, in percent"
    columns = ("Probe", "Questions", "Before", "After", "Drop, points", "Answers changed")
    return Table(title, columns, tuple(rows), tuple(_notes(result)))


def probe_warnings(result: Mapping[str, Any]) -> list[str]:
    """Say what a reader must know before believing the accuracy; empty when the probes found nothing.

    Args:
        result: the content of ``probes.json``.
    """
    by_name = {probe["name"]: probe for probe in result["probes"] if probe["n"]}
    return [sentence for warn in _WARNINGS for sentence in warn(result, by_name)]


def _row(probe: Mapping[str, Any]) -> Row:
    numbers = (percent(probe[key]) for key in ("accuracy_before", "accuracy"))
    return Row((probe["title"], count(probe["n"]), *numbers, _drop(probe), percent(probe["changed"])))


def _drop(probe: Mapping[str, Any]) -> str:
    if probe["drop"] is None:
        return UNDEFINED
    if probe["drop_interval"] is None:
        return points(probe["drop"])
    low, high = probe["drop_interval"]
    return f"{points(probe['drop'])} [{points(low)}, {points(high)}]"


def _notes(result: Mapping[str, Any]) -> Iterator[str]:
    yield from result.get("warnings", [])
    if result.get("limit"):
        yield f"A quick look: only {plural(result['images'], 'image')} of the split were asked about."
    yield (
        "Before and after are the accuracy on the same questions, those that the probe can change; a drop is before "
        "minus after, with its 95 % interval from the paired cluster bootstrap in brackets."
    )
    for probe in result["probes"]:
        if probe.get("followed") is not None:
            yield (
                f"{probe['title']}: {percent(probe['followed'])} % of the answers are the written one; "
                f"{percent(probe['followed_before'])} % were before it was written."
            )
        if probe["name"] == "negated" and probe["n"]:
            yield "Negated questions are judged by the opposite answer: who ignores the negation drops far."
    if any(probe["group"] == "wrong picture" and probe["n"] for probe in result["probes"]):
        yield "The right answer for a wrong picture may be the same by chance, so a small drop alone is no proof."
    left_out = [probe["title"].lower() for probe in result["probes"] if not probe["n"]]
    if left_out:
        yield f"No question here can be changed by: {', '.join(left_out)}."
    twins = result.get("twins")
    if twins:
        both = with_interval(twins["both_right"], twins.get("both_right_interval"))
        yield f"Twin pictures that differ in one finding: both right in {both} % of {plural(twins['pairs'], 'pair')}."


Found = Mapping[str, Mapping[str, Any]]


def _looks(result: Mapping[str, Any], found: Found) -> Iterator[str]:
    if result["looks_at_image"] is False:
        blind = [probe for name, probe in found.items() if name in BLIND and probe["drop_interval"]]
        parts = "; ".join(
            f"{probe['title'].lower()}: {percent(probe['accuracy'])} % instead of "
            f"{percent(probe['accuracy_before'])} % (drop {_drop(probe)} points)"
            for probe in blind
            if probe["drop_interval"][0] <= 0
        )
        yield f"This model is not shown to look at the image. Without the right picture it does no worse: {parts}."


def _same_organ(result: Mapping[str, Any], found: Found) -> Iterator[str]:
    probe = found.get("swapped_same_organ")
    if result["looks_at_image"] and probe and probe["drop_interval"] and probe["drop_interval"][0] <= 0:
        yield (
            f"A wrong picture of the same organ is not shown to do worse than the right one (drop {_drop(probe)} "
            f"points): what this model reads from pictures may be no more than the kind of picture."
        )


def _twins(result: Mapping[str, Any], found: Found) -> Iterator[str]:
    twins = result["twins"]
    interval = twins and twins["both_right_interval"]
    if twins and interval and interval[0] <= twins["chance"]:
        yield (
            f"Twin pictures that differ in one finding are both right in {percent(twins['both_right'])} % of "
            f"{plural(twins['pairs'], 'pair')}, and guessing from the answers would get {percent(twins['chance'])} %: "
            f"this model is not shown to see single findings."
        )


def _injection(result: Mapping[str, Any], found: Found) -> Iterator[str]:
    probe = found.get("injected_text")
    more = probe and probe["followed_more_interval"]
    if probe and more and more[0] > 0 and probe["followed"] - probe["followed_before"] >= _FOLLOWED:
        yield (
            f"A wrong answer written into the picture is followed: it is given in {percent(probe['followed'])} % of "
            f"the answers, and was in {percent(probe['followed_before'])} % before."
        )


def _negation(result: Mapping[str, Any], found: Found) -> Iterator[str]:
    probe = found.get("negated")
    if probe and probe["changed"] < _READ:
        yield (
            f"Negating a question changes only {percent(probe['changed'])} % of the yes/no answers, where all should "
            f"flip: this model does not read the negation."
        )


def _fragile(result: Mapping[str, Any], found: Found) -> Iterator[str]:
    mild: Sequence[Mapping[str, Any]] = [p for p in found.values() if p["group"] == "mild change"]
    shaken = [p for p in mild if p["changed"] > _MILD]
    if shaken:
        parts = ", ".join(f"{p['title'].lower()} {percent(p['changed'])} %" for p in shaken)
        yield f"Mild changes of the picture change more than a quarter of the answers: {parts}."


_WARNINGS = (_looks, _same_organ, _twins, _injection, _negation, _fragile)
