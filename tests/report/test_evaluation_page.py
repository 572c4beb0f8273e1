"""The page that explains scoring is made from the facts that score."""

from pathlib import Path

from radvqa.commands.metrics import metrics
from radvqa.report.evaluation import evaluation_page
from radvqa.scoring.metric import METRICS
from radvqa.scoring.rule import RULES

PAGE = Path(__file__).parents[2] / "docs" / "evaluation.md"


def test_the_page_in_the_documentation_is_the_one_that_is_generated(tmp_path: Path) -> None:
    metrics(markdown=tmp_path / "page.md")
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == PAGE.read_text(encoding="utf-8") == evaluation_page()


def test_every_rule_has_two_sentences_and_a_source() -> None:
    assert {"seed000", "lmms_eval", "evalscope", "medevalkit", "llava_med", "medvint"} <= set(RULES)
    for rule in RULES.values():
        assert rule.meaning.count(". ") + rule.meaning.endswith(".") >= 2, rule.title
        assert rule.source


def test_every_metric_says_what_it_counts_and_where_it_comes_from() -> None:
    for name, metric in METRICS.items():
        assert metric.title, name
        assert metric.source, name
        assert metric.meaning.endswith("."), name
