"""Figures from run folders: each function returns a matplotlib figure that still reads at the width of a phone.

A figure that has nothing to show is None, so that a page leaves it out.
"""

from radvqa.report.figures.bars import by_question_type, by_subset
from radvqa.report.figures.calibration import reliability, risk_coverage
from radvqa.report.figures.cost import accuracy_against_cost
from radvqa.report.figures.curves import training_curves
from radvqa.report.figures.grouped import metric_bars
from radvqa.report.figures.heat import confusion
from radvqa.report.figures.lines import em_f1_lines
from radvqa.report.figures.overlay import overlay
from radvqa.report.figures.panel import answer_panel, panel_of
from radvqa.report.figures.probes import probe_bars
from radvqa.report.figures.spread import rule_spread
from radvqa.report.figures.style import save_png, to_data_uri
from radvqa.report.figures.tail import long_tail, tail_caption
from radvqa.report.figures.worst import slices

__all__ = [
    "accuracy_against_cost",
    "answer_panel",
    "by_question_type",
    "by_subset",
    "confusion",
    "em_f1_lines",
    "long_tail",
    "metric_bars",
    "overlay",
    "panel_of",
    "probe_bars",
    "reliability",
    "risk_coverage",
    "rule_spread",
    "save_png",
    "slices",
    "tail_caption",
    "to_data_uri",
    "training_curves",
]
