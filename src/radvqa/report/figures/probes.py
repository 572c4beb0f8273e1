"""Does the model look at the picture? Accuracy before and after each probe."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from radvqa.report.figures.marks import whisker
from radvqa.report.figures.style import BASELINES, INK, RUNS, blank, look, plain
from radvqa.report.scored import Scored

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LETTERS = 34
_ROW = 0.46  # inches


def probe_bars(run: Scored, probes: Mapping[str, Any]) -> "Figure | None":
    """Draw, for each probe, accuracy on the same questions before and after the change.

    Args:
        run: the run that was probed.
        probes: the result of probing: under ``probes`` a list with ``title``, ``n``, ``accuracy_before``,
            ``accuracy``, ``drop_interval`` and ``changed`` of each; values are fractions. The whisker on the second
            bar is the interval of the drop, laid off from the accuracy before.

    Returns:
        The figure, or None when there are no probes with an accuracy.
    """
    known = [p for p in probes.get("probes") or () if None not in (p.get("accuracy"), p.get("accuracy_before"))]
    if not known:
        return None
    with look():
        figure = blank(_ROW * len(known) + 1.45)
        axes = figure.subplots()
        for row, probe in enumerate(known):
            before, after = 100 * probe["accuracy_before"], 100 * probe["accuracy"]
            first, second = ("same questions unchanged", "changed as named") if row == 0 else ("", "")
            axes.barh(row - 0.2, before, height=0.34, color=BASELINES[1], label=first)
            axes.barh(row + 0.2, after, height=0.34, color=RUNS[0], label=second)
            drop = probe.get("drop_interval")
            limits = None if drop is None else (probe["accuracy_before"] - drop[1], probe["accuracy_before"] - drop[0])
            end = max(after, whisker(axes, row + 0.2, limits) or 0.0)
            axes.text(before + 2, row - 0.2, f"{before:.1f}", va="center", fontsize=8.5)
            axes.text(end + 2, row + 0.2, f"{after:.1f}", va="center", fontsize=8.5)
        axes.set_yticks(range(len(known)), [_label(probe) for probe in known], fontsize=9)
        axes.set_ylim(len(known) - 0.5, -0.5)
        axes.grid(visible=False, axis="y")
        axes.set_xlim(0, 118)
        axes.set_xticks(range(0, 101, 20))
        axes.set_xlabel("Accuracy, %")
        figure.suptitle(plain(f"Probes of {run.name}", 60), x=0.01, ha="left", fontsize=11, weight="bold", color=INK)
        figure.legend(loc="outside lower left", ncols=2)
    return figure


def _label(probe: Mapping[str, Any]) -> str:
    name = plain(probe.get("title") or probe["name"], _LETTERS)
    changed = probe.get("changed")
    said = "" if changed is None else f", {100 * changed:.0f} % answered differently"
    return f"{name}\nn = {probe['n']:,}{said}"
