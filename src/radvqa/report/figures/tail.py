"""The long tail: are answers that are rare in training given as rightly as frequent ones?"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from radvqa.report.figures.style import BASELINES, INK, MUTED, RUNS, blank, look
from radvqa.report.numbers import plural
from radvqa.report.scored import Scored

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MINIMUM = 5
_HEAD = 0.2  # of the classes
_WINDOW, _LEAST = 0.1, 10  # of the moving average: a share of the classes, and at least so many


def long_tail(run: Scored, minimum: int = MINIMUM) -> "Figure | None":
    """Draw how often each answer occurs in training, most frequent first, and how often it is answered rightly.

    Bars: training frequency, on a log scale. Dots: accuracy of single answers with at least ``minimum`` scored
    questions, as that of fewer is all or nothing. Line: accuracy of neighbouring answers together, every question
    counted once. Source of the figure: seed 000, there with frequencies of the test split and without a minimum.

    Returns:
        The figure, or None when the scores list no classes.
    """
    classes = ranked(run)
    if not classes:
        return None
    places = range(1, len(classes) + 1)
    with look():
        figure = blank(4.3)
        counts = figure.subplots()
        counts.bar(places, [entry["frequency"] for entry in classes], width=1.0, color=BASELINES[1], label="frequency")
        counts.set_ylim(0.7, 3 * max(1, *(entry["frequency"] for entry in classes)))
        counts.set_yscale("log")  # after the limits, as none can be found when every answer is new
        counts.set_xlim(0.5, len(classes) + 0.5)
        counts.set_ylabel("Times in training" if of_training(run) else "Times in the scored split", color=MUTED)
        counts.set_xlabel(f"The {plural(len(classes), 'gold answer')}, most frequent first")
        counts.yaxis.set_major_formatter("{x:,.0f}")
        counts.grid(visible=False)
        counts.spines["right"].set_visible(True)
        accuracy = counts.twinx()
        shown = [(place, e) for place, e in zip(places, classes, strict=True) if e["n"] >= minimum]
        accuracy.scatter(
            [place for place, _ in shown],
            [100 * e["correct"] / e["n"] for _, e in shown],
            s=22,
            color=RUNS[0],
            alpha=0.7,
            linewidths=0,
            label=f"accuracy of one answer (at least {plural(minimum, 'question')})",
        )
        window = width_of_window(len(classes))
        accuracy.plot(
            places,
            [100 * value for value in moving_accuracy(classes, window)],
            color=RUNS[1],
            label=f"accuracy of {window} neighbouring answers",
        )
        accuracy.set_ylim(-4, 104)
        accuracy.set_ylabel("Accuracy, %")
        accuracy.grid(visible=False, axis="x")
        accuracy.spines["right"].set_visible(True)
        head = head_size(len(classes))
        accuracy.axvline(head + 0.5, color=INK, linestyle="--", linewidth=1)
        # above the panel, where no dot can lie below it
        at = (head + 0.5) / len(classes)
        for text, side, gap in (("head ", "right", -2), (" tail", "left", 2)):
            accuracy.annotate(
                text.strip(),
                (at, 1.0),
                xytext=(gap, 2),
                xycoords="axes fraction",
                textcoords="offset points",
                ha=side,
                va="bottom",
                fontsize=9,
            )
        figure.suptitle("Rare and frequent answers", x=0.01, ha="left", fontsize=11, weight="bold")
        handles = [*counts.get_legend_handles_labels()[0], *accuracy.get_legend_handles_labels()[0]]
        handles[0].set_label("times in training" if of_training(run) else "times in the scored split")
        figure.legend(handles=handles, loc="outside lower left", ncols=1, labelspacing=0.3)
    return figure


def tail_caption(run: Scored, minimum: int = MINIMUM) -> str:
    """Say what ``long_tail`` shows: whose frequencies, which minimum, and how much of the split the dots stand for."""
    classes = ranked(run)
    shown = [entry for entry in classes if entry["n"] >= minimum]
    where = "in training" if of_training(run) else "in the scored split, as the training frequencies are not known"
    return (
        f"Bars: how often each gold answer occurs {where}. Dots: the {len(shown)} of {plural(len(classes), 'answer')} "
        f"with at least {plural(minimum, 'scored question')}, which hold {sum(e['n'] for e in shown):,} of "
        f"{plural(sum(e['n'] for e in classes), 'question')}. Line: moving average over "
        f"{width_of_window(len(classes))} answers, weighted by questions. Head: the {head_size(len(classes))} most "
        "frequent answers."
    )


def of_training(run: Scored) -> bool:
    """Tell whether the training frequency of every answer is known."""
    return all(entry.get("training_count") is not None for entry in run.scores.get("classes") or ())


def ranked(run: Scored) -> list[dict[str, Any]]:
    """Return the classes with their ``frequency`` in training, else in the scored split, most frequent first."""
    key = "training_count" if of_training(run) else "n"
    classes = [{**entry, "frequency": entry[key]} for entry in run.scores.get("classes") or () if entry["n"]]
    return sorted(classes, key=lambda entry: (-entry["frequency"], -entry["n"], entry["answer"]))


def head_size(classes: int) -> int:
    """Return how many classes are the head: a fifth, at least one."""
    return max(1, round(_HEAD * classes))


def width_of_window(classes: int) -> int:
    """Return the width of the moving average: a tenth of the classes, at least ten, at most all."""
    return min(classes, max(round(_WINDOW * classes), _LEAST))


def moving_accuracy(classes: Sequence[dict[str, Any]], window: int) -> list[float]:
    """Return the accuracy of the ``window`` classes around each; at the ends of those that there are."""
    found = []
    for middle in range(len(classes)):
        first = middle - window // 2
        near = classes[max(0, first) : first + window]
        found.append(sum(entry["correct"] for entry in near) / sum(entry["n"] for entry in near))
    return found
