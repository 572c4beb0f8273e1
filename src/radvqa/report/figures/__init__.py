"""Figures from run folders: each function returns a matplotlib figure that still reads at the width of a phone."""

from radvqa.report.figures.bars import by_question_type, by_subset
from radvqa.report.figures.curves import training_curves
from radvqa.report.figures.panel import answer_panel
from radvqa.report.figures.style import save_png, to_data_uri
from radvqa.report.figures.tail import long_tail

__all__ = [
    "answer_panel",
    "by_question_type",
    "by_subset",
    "long_tail",
    "save_png",
    "to_data_uri",
    "training_curves",
]
