"""How often answers occur: the most frequent ones, all of them on two scales, and how much the frequent ones cover."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from radvqa.report.figures.style import INK, MUTED, RUNS, blank, look, plain
from radvqa.report.figures.tail import head_size
from radvqa.report.numbers import plural

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TYPES = {"CLOSED": RUNS[0], "OPEN": RUNS[1]}
"""Answer types and their colours."""

_SHOWN = 12  # answers in one panel of bars
_LETTERS = 26

Spread = Sequence[Sequence[int]]


def ranks(spread: Spread) -> list[int]:
    """Return how often each answer occurs, most frequent first."""
    return [times for times, number in spread for _ in range(number)]


def answer_frequency(counts: Mapping[str, Any]) -> "Figure | None":
    """Draw how often each distinct answer occurs, on a linear and on a log scale.

    Args:
        counts: the numbers of a split.

    Returns:
        The figure, or None when there is no answer.
    """
    spread = counts["answers"]["spread"]
    if not spread:
        return None
    with look():
        figure = blank(4.2)
        panels = figure.subplots(2, 1, sharex=True)
        for axes, scale in zip(panels, ("linear", "log"), strict=True):
            edges, heights = _steps(spread)
            floor = 0 if scale == "linear" else 0.7
            # with an edge, as one frequent answer among thousands is narrower than a pixel
            axes.stairs(heights, edges, fill=True, facecolor=RUNS[0], edgecolor=RUNS[0], linewidth=1, baseline=floor)
            axes.set_title(f"{scale.capitalize()} scale")
            axes.grid(visible=False, axis="x")
            axes.yaxis.set_major_formatter("{x:,.0f}")
        panels[0].set_ylim(0, 1.08 * spread[0][0])
        panels[1].set_yscale("log")
        panels[1].set_ylim(0.7, 2 * spread[0][0])
        panels[1].yaxis.set_major_formatter("{x:,.0f}")
        panels[1].set_xlim(0.5, counts["answers"]["normalised"] + 0.5)
        panels[1].set_xlabel(f"The {plural(counts['answers']['normalised'], 'distinct answer')}, most frequent first")
        figure.supylabel("Times", fontsize=10)
        _mark_percentiles(panels[1], counts["answers"])
    return figure


def _steps(spread: Spread) -> tuple[list[float], list[int]]:
    """Return the edges and heights of one step for all answers of equal frequency."""
    edges, heights = [0.5], []
    for times, number in spread:
        edges.append(edges[-1] + number)
        heights.append(times)
    return edges, heights


def _mark_percentiles(axes: "Axes", answers: Mapping[str, Any]) -> None:
    """Write a few percentiles where rare answers leave room."""
    found = answers["percentiles"]
    lines = (f"{p} % of answers: at most {f'{found[p]:,.1f}'.removesuffix('.0')} times" for p in ("50", "90", "99"))
    said = "\n".join(lines)
    axes.text(
        0.98,
        0.94,
        said,
        transform=axes.transAxes,
        ha="right",
        va="top",
        fontsize=9,
        linespacing=1.35,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5, "alpha": 0.85},
    )


def top_answers(counts: Mapping[str, Any]) -> "Figure | None":
    """Draw the most frequent answers of closed and of open questions, a panel each.

    Returns:
        The figure, or None when there is no answer.
    """
    kinds = [kind for kind in TYPES if counts["answer_types"][kind]["rows"]]
    if not kinds:
        return None
    tops = {kind: counts["answer_types"][kind]["top"][:_SHOWN] for kind in kinds}
    with look():
        figure = blank(0.24 * sum(map(len, tops.values())) + 0.62 * len(kinds) + 0.3)
        panels = figure.subplots(len(kinds), 1, squeeze=False, height_ratios=[len(top) + 0.6 for top in tops.values()])
        for axes, kind in zip(panels[:, 0], kinds, strict=True):
            of_type = counts["answer_types"][kind]
            _bars(axes, tops[kind], TYPES[kind])
            axes.set_title(
                f"{kind.capitalize()}: {plural(of_type['rows'], 'row')}, {plural(of_type['unique'], 'answer')}"
            )
        panels[-1, 0].set_xlabel("Times")
    return figure


def _bars(axes: "Axes", top: Sequence[Sequence[Any]], colour: str) -> None:
    most = max(number for _, number in top)
    for row, (_, number) in enumerate(top):
        axes.barh(row, number, height=0.7, color=colour)
        axes.text(number + most / 80, row, f"{number:,}", va="center", ha="left", fontsize=9)
    axes.set_yticks(range(len(top)), [plain(answer, _LETTERS) or "(nothing left)" for answer, _ in top])
    axes.set_ylim(len(top) - 0.4, -0.6)
    axes.set_xlim(0, 1.14 * most)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.locator_params(axis="x", nbins=5)


def coverage(counts: Mapping[str, Any]) -> "Figure | None":
    """Draw the share of rows that the most frequent answers cover: the long tail.

    Returns:
        The figure, or None when there are fewer than two answers.
    """
    spread = counts["answers"]["spread"]
    answers, rows = counts["answers"]["normalised"], counts["rows"]
    if answers < 2:
        return None
    places, shares, seen = [0], [0.0], 0
    for times, number in spread:
        seen += times * number
        places.append(places[-1] + number)
        shares.append(100 * seen / rows)
    head = head_size(answers)
    at_head = 100 * covered(spread, head) / rows
    once = counts["answers"]["once"]
    with look():
        figure = blank(3.1)
        axes = figure.subplots()
        axes.fill_between(places, shares, color=RUNS[0], alpha=0.13, linewidth=0)
        axes.plot(places, shares, color=RUNS[0])
        if once:
            axes.axvspan(answers - once, answers, color=RUNS[1], alpha=0.16, linewidth=0)
            axes.annotate(
                f"{once:,} occur once",
                (answers - once / 2, 0),
                xytext=(0, 5),
                textcoords="offset points",
                ha="center" if once > answers / 3 else "right",
                va="bottom",
                fontsize=9,
                color="#8f430f",
            )
        axes.axvline(head, color=INK, linestyle="--", linewidth=1)
        axes.plot([head], [at_head], "o", color=RUNS[0], markersize=6)
        axes.annotate(
            f"the {head:,} most frequent answers ({100 * head / answers:.0f} %)\ncover {at_head:.1f} % of the rows",
            (head, at_head),
            xytext=(9, -8),
            textcoords="offset points",
            va="top",
            fontsize=9,
        )
        axes.set_xlim(0, answers)
        axes.set_ylim(0, 102)
        axes.set_xlabel(f"So many of the {plural(answers, 'distinct answer')}, most frequent first")
        axes.set_ylabel("Rows covered, %", color=MUTED)
        axes.set_title("The long tail")
    return figure


def covered(spread: Spread, head: int) -> int:
    """Return the rows that the ``head`` most frequent answers have."""
    rows = 0
    for times, number in spread:
        taken = min(number, head)
        rows += times * taken
        head -= taken
    return rows
