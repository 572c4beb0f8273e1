"""What a diagnosis found as tables, from the content of ``diagnosis.json``."""

from collections.abc import Mapping, Sequence
from typing import Any

from radvqa.report.grid import Row, Table
from radvqa.report.numbers import UNDEFINED, count, percent, plural, points

Found = Mapping[str, Any]

MOST = 15
"""Groups in a short table."""

_TINY = 1e-4


def groups_table(found: Found, most: int = MOST) -> Table | None:
    """Show the surest failing groups that hold wrong answers which no group before them holds; None without any."""
    shown = new_groups(found)[:most]
    if not shown:
        return None
    groups = found["groups"]
    notes = [
        "Drop: accuracy of the other questions of which the same is known minus that of the group, in points, with its "
        "95 % interval for this group alone.",
        f"Adjusted p: corrected for all {count(groups['tested'])} groups that were tested (Benjamini and Hochberg); of "
        "the groups below 0.05 about one in twenty may be chance.",
        "New wrong: wrong answers of the group that are in no group above it.",
    ]
    further = len(groups["failing"]) - len(shown)
    if further > 0:
        notes.append(
            f"{plural(further, 'further group')} with a drop: their wrong answers are in those above, or chance."
        )
    return _groups("Groups of questions that fail, the surest first", shown, notes)


def further_table(found: Found, shown: int = MOST) -> Table | None:
    """Show the failing groups that ``groups_table`` leaves out; None without any."""
    above = {one["title"] for one in new_groups(found)[:shown]}
    rest = [one for one in found["groups"]["failing"] if one["title"] not in above]
    notes = ["Another name for questions that are above already, or a drop that chance could bring among so many."]
    return _groups("Further groups with a drop", rest, notes) if rest else None


def new_groups(found: Found) -> list[Found]:
    """The sure groups that add wrong answers, in their order; where none is sure, the first few of all."""
    failing: Sequence[Found] = found["groups"]["failing"]
    sure = [one for one in failing if one["sure"] and one["new_wrong"]]
    return list(sure or failing[:5])


def _groups(title: str, shown: Sequence[Found], notes: Sequence[str]) -> Table:
    columns = (
        "Group",
        "Questions",
        "Pictures",
        "Accuracy",
        "Others",
        "Drop",
        "Adjusted p",
        "Sure",
        "Wrong",
        "New wrong",
    )
    rows = tuple(
        Row(
            (
                one["title"],
                count(one["n"]),
                count(one["clusters"]),
                percent(one["accuracy"]),
                percent(one["rest"]),
                interval(one["drop"], one["interval"]),
                p_value(one["adjusted"]),
                "yes" if one["sure"] else "no",
                count(one["wrong"]),
                count(one["new_wrong"]),
            )
        )
        for one in shown
    )
    return Table(title, columns, rows, tuple(notes))


def interval(value: float, limits: Sequence[float] | None) -> str:
    """Write a difference in points with its limits."""
    return points(value) if limits is None else f"{points(value)} [{points(limits[0])}, {points(limits[1])}]"


def p_value(p: float | None) -> str:
    """Write a p-value with two digits that count."""
    if p is None:
        return UNDEFINED
    return f"< {_TINY:.4f}" if p < _TINY else f"{p:.4f}" if p < 0.01 else f"{p:.2f}"


def alike_table(found: Found) -> Table | None:
    """Show the clusters of pictures that look alike; None without any."""
    clusters = found["alike"]["clusters"]
    if not clusters:
        return None
    rows = tuple(
        Row((one["name"], count(one["pictures"]), count(one["questions"]), percent(one["accuracy"])))
        for one in sorted(clusters, key=lambda one: (one["accuracy"] is None, one["accuracy"]))
    )
    note = f"By {found['alike']['source']}; whether a cluster does worse than the others is tested above."
    return Table("Pictures that look alike", ("Cluster", "Pictures", "Questions", "Accuracy"), rows, (note,))


def cues_table(found: Found, most: int = 8) -> Table | None:
    """Show how answers go with markers, text and margins; None where no picture was measured."""
    shortcuts = found["shortcuts"]
    tested = shortcuts["associations"]
    cues = {one["cue"]: one for one in shortcuts["cues"]}
    if not any(one["pictures"] for one in shortcuts["cues"]):
        return None
    rows = []
    for one in tested[:most]:
        what = (
            "Accuracy" if one["outcome"] == "accuracy" else f"Says “{one['outcome'].removeprefix('any answer with ')}”"
        )
        rows.append(
            Row(
                (
                    cues[one["cue"]]["title"],
                    what.replace("““", "“").replace("””", "”"),
                    count(one["with_cue"]),
                    count(one["n"] - one["with_cue"]),
                    interval(one["difference"], one["interval"]),
                    p_value(one["adjusted"]),
                )
            )
        )
    known = [f"{one['title']} {count(one['with_cue'])}" for one in cues.values()]
    notes = [
        f"Found by rules of thumb in {plural(shortcuts['cues'][0]['pictures'], 'picture')}: {', '.join(known)}.",
        "Compared within questions of the same organ, modality and type. Accuracy: with the cue minus without. Says: "
        "how much oftener the answer is given than it is true, with the cue minus without.",
    ]
    left = len(tested) - len(rows)
    if left > 0:
        notes.append(f"{plural(left, 'further pair')} of cue and answer tested; p is corrected for all of them.")
    if not tested:
        notes.append("No cue is in enough pictures, and missing in enough of the same kind, to be tested.")
    columns = ("Cue", "What goes with it", "With", "Without", "Difference", "Adjusted p")
    words = frozenset({"What goes with it"})
    return Table("Do answers go with markers, text and margins?", columns, tuple(rows), tuple(notes), words)


def intervention_table(found: Found) -> Table | None:
    """Show what covering markers and cutting margins did; None where it was not asked for."""
    changes = found["shortcuts"]["intervention"]
    if changes is None:
        return None
    rows = []
    for one in changes:
        drop = UNDEFINED if one["drop"] is None else interval(one["drop"], one["drop_interval"])
        rows.append(
            Row(
                (
                    one["title"],
                    count(one["n"]),
                    percent(one["accuracy_before"]),
                    percent(one["accuracy"]),
                    drop,
                    percent(one["changed"]),
                    p_value(one["p"]),
                )
            )
        )
    columns = ("Change", "Questions", "Before", "After", "Drop", "Answers changed", "p")
    notes = (
        "Only questions about pictures that have a marker, or a margin. Interval and p: cluster bootstrap, question by "
        "question; p by Holm's method for the two.",
        "Cutting margins also shows what is left larger: a drop there says that answers depend on how a picture is "
        "framed.",
    )
    return Table("Asked again without markers and margins", columns, tuple(rows), notes)


def judged_table(found: Found) -> Table | None:
    """Show what experts said; None where nobody judged."""
    judged = found["judged"]
    if not judged:
        return None
    drawn = judged["of_wrong"]
    total = sum(drawn.values())
    rows = tuple(
        Row((verdict, count(many), f"{drawn.get(verdict, 0)} of {total}" if total else UNDEFINED))
        for verdict, many in judged["verdicts"].items()
    )
    columns = ("Verdict", "Questions", "Of wrong answers drawn at random")
    return Table("What experts said", columns, rows, tuple(judged_sentences(found)))


def judged_sentences(found: Found) -> list[str]:
    """Say what the judgements come to."""
    judged = found["judged"]
    if not judged:
        return []
    by = ", ".join(f"{name} ({count(many)})" for name, many in judged["reviewers"].items())
    said = [f"{plural(judged['judged'], 'question')} judged by {by}."]
    if judged["corrected"] is not None:
        said.append(
            f"Accuracy {percent(judged['accuracy'])} % becomes {percent(judged['corrected'])} %: "
            f"{plural(judged['excluded'], 'question')} with a wrong stored answer left out, "
            f"{plural(judged['counted_right'], 'acceptable answer')} counted as right; questions that nobody judged "
            f"stay as they are."
        )
    for one in judged["agreement"]:
        kappa = "not defined" if one["kappa"] is None else f"{one['kappa']:.2f}"
        said.append(
            f"{one['reviewers'][0]} and {one['reviewers'][1]} gave the same verdict on {percent(one['same'])} % of "
            f"{plural(one['pairs'], 'question')} (Cohen's kappa {kappa})."
        )
    if judged["outdated"]:
        said.append(f"{plural(judged['outdated'], 'judgement')} of answers that the run no longer gives left out.")
    return said


def lead(found: Found) -> list[str]:
    """Say the main thing in a few sentences."""
    groups = found["groups"]
    shown = [one for one in new_groups(found) if one["sure"]]
    said = [
        f"{percent(found['accuracy'])} % of {plural(found['questions'], 'question')} right, "
        f"{count(found['wrong'])} wrong.",
        f"Of {plural(groups['tested'], 'group')} tested, the model surely does worse in {count(groups['sure'])} that "
        f"say something of their own.",
    ]
    if shown:
        first = shown[0]
        covered = sum(one["new_wrong"] for one in shown)
        said.append(
            f"Surest: {first['title']}, {percent(first['accuracy'])} % against {percent(first['rest'])} % elsewhere. "
            f"{plural(len(shown), 'group')} hold {count(covered)} of the wrong answers."
        )
    else:
        said.append("No group is worse beyond what chance brings among so many; the list shows where to look first.")
    if found["maps"] is not None:
        off, on = found["right_off_target"], found["wrong_on_target"]
        said.append(
            f"Of {plural(found['maps']['judged'], 'question')} with a map and a labelled target: "
            f"{plural(off['number'], 'answer')} right although the map lies off target, {count(on['number'])} wrong "
            f"although it lies on target (maps by {found['maps']['method']})."
        )
    return said


def short_tables(found: Found) -> list[Table]:
    """The tables for a terminal, and for a report about the run."""
    made = (
        groups_table(found),
        cues_table(found, most=5),
        intervention_table(found),
        judged_table(found),
    )
    return [table for table in made if table is not None]
