"""Two answerers of the same questions: the difference in accuracy, and how sure it is."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isnan
from typing import TYPE_CHECKING, Any

from radvqa.prediction import Prediction
from radvqa.report.grid import Row, Table, without_empty
from radvqa.report.numbers import UNDEFINED, plural, points
from radvqa.report.scored import Group

if TYPE_CHECKING:
    from radvqa.scoring.paired import PairedTest

LEVEL = 0.05


@dataclass(frozen=True)
class Paired:
    """A paired difference in accuracy.

    Attributes:
        name: whose answers.
        against: whose answers they are compared with.
        test: the difference of ``name`` to ``against`` with its tests.
        single: whether both are one run each; a mean over seeds is neither right nor wrong, so McNemar has no say.
        holm_p: the bootstrap p-value adjusted for making several comparisons; None when there is only one.
    """

    name: str
    against: str
    test: "PairedTest"
    single: bool = True
    holm_p: float | None = None

    @property
    def difference(self) -> float:
        """Accuracy of ``name`` minus accuracy of ``against``, as a fraction."""
        return self.test.difference

    @property
    def interval(self) -> tuple[float, float] | None:
        """Its 95 % cluster-bootstrap interval; None where there is one cluster only."""
        return self.test.interval

    @property
    def mcnemar_p(self) -> float | None:
        """The exact McNemar p-value; None for means over seeds."""
        return self.test.mcnemar_p if self.single and not isnan(self.test.mcnemar_p) else None

    @property
    def detectable(self) -> float | None:
        """The smallest difference that this test set shows with 80 % power; None where that is unknown."""
        return None if isnan(self.test.detectable) else self.test.detectable

    @property
    def sure(self) -> bool:
        """Whether the difference holds: the interval leaves out zero, and so does Holm's adjustment, if any."""
        apart = self.interval is not None and (self.interval[0] > 0 or self.interval[1] < 0)
        return apart and (self.holm_p is None or self.holm_p < LEVEL)

    @property
    def written(self) -> str:
        """The difference and its interval in points: ``+2.6 [+0.4, +4.9]``."""
        if self.interval is None:
            return points(self.difference)
        return f"{points(self.difference)} [{points(self.interval[0])}, {points(self.interval[1])}]"

    @property
    def sentence(self) -> str:
        """The difference in words."""
        if self.sure:
            judged = f"{self.name} is {'better' if self.difference > 0 else 'worse'} than {self.against}"
        else:
            judged = f"Neither of {self.name} and {self.against} is shown to be better"
        small = self.detectable
        seen = "" if small is None else f"; a true difference below {100 * small:.1f} points would often go unseen"
        return (
            f"{judged}: {self.written} points over {plural(self.test.questions, 'question')} "
            f"in {plural(self.test.clusters, 'cluster')}{seen}."
        )

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "name": self.name,
            "against": self.against,
            "difference": self.difference,
            "interval": None if self.interval is None else list(self.interval),
            "mcnemar_p": self.mcnemar_p,
            "bootstrap_p": self.test.bootstrap_p,
            "holm_p": self.holm_p,
            "only_first": self.test.only_first,
            "only_second": self.test.only_second,
            "questions": self.test.questions,
            "clusters": self.test.clusters,
            "detectable": self.detectable,
        }


def compare_rights(
    name: str,
    rights: Sequence[Mapping[str, bool]],
    against: str,
    others: Sequence[Mapping[str, bool]],
    asked: Iterable[Prediction],
) -> Paired | None:
    """Compare two answerers question by question; each may be several runs, whose rights are averaged.

    Args:
        name: whose ``rights`` these are.
        rights: sample id → whether right, one mapping for each run.
        against: whose ``others`` these are.
        others: the same of the other.
        asked: the questions.

    Returns:
        The difference, or None when one of them left out a question.
    """
    import numpy as np

    from radvqa.scoring.items import items_of
    from radvqa.scoring.paired import paired_test

    ordered = sorted(asked, key=lambda prediction: prediction.id)
    if not all(p.id in right for p in ordered for right in (*rights, *others)):
        return None
    cluster = items_of(ordered, str).cluster
    first, second = (
        np.array([[right[p.id] for p in ordered] for right in side], dtype=np.float64) for side in (rights, others)
    )
    test = paired_test(first.mean(axis=0), second.mean(axis=0), cluster)
    return Paired(name, against, test, len(rights) == len(others) == 1)


def compare_groups(members: Sequence[Group]) -> tuple[list[Paired], list[str]]:
    """Compare every later group with the first.

    Returns:
        The differences, with Holm's adjustment where there are several, and a sentence for each group that answered
        other questions.
    """
    from radvqa.scoring.paired import holm

    first, pairs, notes = members[0], [], []
    for group in members[1:]:
        one, other = _asked(group), _asked(first)
        pair = None
        if one is not None and one == other:
            asked = first.runs[0].predictions.values()
            sides = ([run.right for run in side.runs] for side in (group, first))
            pair = compare_rights(group.label, next(sides), first.label, next(sides), asked)
        if pair is None:
            notes.append(f"{group.label} and {first.label} did not answer the same questions, so no paired difference.")
        else:
            pairs.append(pair)
    known = [i for i, pair in enumerate(pairs) if pair.test.bootstrap_p is not None]
    if len(known) > 1:
        adjusted = holm([p for i in known if (p := pairs[i].test.bootstrap_p) is not None])
        for i, p in zip(known, adjusted, strict=True):
            pairs[i] = replace(pairs[i], holm_p=p)
    return pairs, notes


def _asked(group: Group) -> dict[str, tuple[str, str]] | None:
    """Return the questions of a group with their gold answers; None when its runs were asked different ones."""
    sheets = [{p.id: (p.question, p.answer) for p in run.predictions.values()} for run in group.runs]
    return sheets[0] if all(sheet == sheets[0] for sheet in sheets) else None


def paired_table(pairs: Sequence[Paired]) -> Table | None:
    """Show paired differences in accuracy with their tests; None when there are none."""
    if not pairs:
        return None
    rows = tuple(
        Row(
            (
                f"{p.name} − {p.against}",
                p.written,
                p_value(p.mcnemar_p),
                p_value(p.test.bootstrap_p),
                p_value(p.holm_p),
                _wins(p, p.test.only_first),
                _wins(p, p.test.only_second),
                UNDEFINED if p.detectable is None else f"{100 * p.detectable:.1f}",
            )
        )
        for p in pairs
    )
    columns = (
        "Compared",
        "Points",
        "McNemar p",
        "Bootstrap p",
        "Holm p",
        "Only the first right",
        "Only the second right",
        "Smallest detectable difference",
    )
    first = pairs[0].test
    notes = [
        *(p.sentence for p in pairs),
        f"Both answered the same {plural(first.questions, 'question')}; in brackets the 95 % cluster-bootstrap "
        "interval of the difference. Bootstrap p draws whole pictures or cases; McNemar's exact test takes questions "
        "as independent.",
        "Smallest detectable difference: what a test at 5 % finds with 80 % power on these questions, in points.",
    ]
    if any(p.holm_p is not None for p in pairs):
        notes.append(f"Holm p: the bootstrap p adjusted for making {len(pairs)} comparisons; read this one.")
    if any(not p.single for p in pairs):
        notes.append(
            "Runs that differ in the seed alone are averaged question by question, so that a question can be won in "
            "part and McNemar's test has no say. How much another seed would change is not in these intervals."
        )
    return without_empty(Table("Paired difference in accuracy", columns, rows, tuple(notes)))


def p_value(p: float | None) -> str:
    """Write a p-value: two digits, and never 0."""
    if p is None:
        return UNDEFINED
    return "< 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.0995 else f"{p:.2f}"


def _wins(pair: Paired, questions: float) -> str:
    return f"{questions:.0f}" if pair.single else f"{questions:.1f}"
