"""BLEU and ROUGE: overlap of words and runs of words, equal to what sacrebleu and rouge-score compute."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from radvqa.scoring.items import Items, per_pair
from radvqa.scoring.metric import Metric, Undefined
from radvqa.scoring.ngrams import ORDERS, bleu_counts, rouge_values
from radvqa.scoring.statistics import FloatArray, IntArray, Mean, Statistic, Totals


@dataclass(frozen=True, eq=False)
class Bleu:
    """Corpus BLEU up to n-grams of one order, from counts that are added up over items.

    Source: K. Papineni et al., ACL 2002, section 2.3; an order without a match is smoothed as in mteval-v13a (B. Chen,
    C. Cherry, WMT 2014, method 3), as sacrebleu does by default.

    Attributes:
        counts: of every item, as ``bleu_counts`` returns them, ``(n, 2 · ORDERS + 2)``.
        order: length of the longest n-grams.
    """

    counts: FloatArray
    order: int

    def totals(self, cluster: IntArray, clusters: int) -> Totals:
        """Return matches by order, n-grams by order, words of answers and golds, and the golds' longest n-grams."""
        matches, grams, words = np.split(self.counts.T, [ORDERS, 2 * ORDERS])
        longest = np.maximum(0.0, words[1] - (self.order - 1))
        rows = [*matches[: self.order], *grams[: self.order], *words, longest]
        return np.stack([np.bincount(cluster, row, clusters) for row in rows])

    def combine(self, totals: FloatArray) -> FloatArray:
        """Compute BLEU; NaN where no answer or no gold has an n-gram of the longest order."""
        matches, grams, (given, expected, longest) = np.split(totals, [self.order, 2 * self.order])
        with np.errstate(divide="ignore", invalid="ignore"):
            smoothed = np.where(matches == 0, 0.5 ** np.cumsum(matches == 0, axis=0), matches)
            brevity = np.minimum(0.0, 1 - expected / given)
            bleu = np.exp(brevity + np.log(smoothed / grams).mean(axis=0))
        bleu[~matches.any(axis=0)] = 0.0
        return np.where((grams[-1] > 0) & (longest > 0), bleu, np.nan)


def bleu(order: int, items: Items) -> Statistic | Undefined:
    """Corpus BLEU with n-grams up to one order, sacrebleu's 13a words, lower-cased."""
    counts = per_pair(items, bleu_counts, raw=True)
    given, expected = counts[:, -2:].max(axis=0, initial=0.0)
    words = "a word" if order == 1 else f"{order} words"
    if expected < order:
        return Undefined(f"no gold answer has {words}, so there is nothing for BLEU-{order} to count")
    if given < order:
        return Undefined(f"no prediction has {words}, so there is nothing for BLEU-{order} to count")
    return Bleu(counts, order)


_LACKS = ("a Latin letter or digit", "two words of Latin letters or digits", "a Latin letter or digit")


def rouge(column: int, items: Items) -> Statistic | Undefined:
    """Mean F-measure over the items whose gold has what is counted; ROUGE-1, ROUGE-2 or ROUGE-L by column."""
    values = per_pair(items, rouge_values, raw=True)[:, column]
    return Undefined(f"no gold answer has {_LACKS[column]}") if np.isnan(values).all() else Mean(values)


_BLEU = {
    f"bleu{order}": Metric(
        f"BLEU-{order}",
        f"Share of the answers' words{f' and runs of up to {order} words' if order > 1 else ''} that the gold has, "
        "over the whole set, with a penalty when the answers are shorter. Chinese text without spaces is one word.",
        "K. Papineni et al., ACL 2002; equals sacrebleu's corpus_bleu(lowercase=True), 13a words, exp smoothing",
        partial(bleu, order),
    )
    for order in range(1, ORDERS + 1)
}

_ROUGE = {
    name: Metric(
        title,
        f"Mean overlap of {what} of answer and gold: the harmonic mean of precision and recall. Questions whose gold "
        f"has not {lacks} are left out.",
        "C.-Y. Lin, ROUGE, ACL workshop 2004; equals rouge-score's F-measure without stemming",
        partial(rouge, column),
    )
    for column, (name, title, what, lacks) in enumerate(
        [
            ("rouge1", "ROUGE-1", "the words", "a word of Latin letters or digits"),
            ("rouge2", "ROUGE-2", "the pairs of neighbouring words", "two words of Latin letters or digits"),
            ("rougeL", "ROUGE-L", "the longest common subsequence of words", "a word of Latin letters or digits"),
        ]
    )
}

METRICS: dict[str, Metric] = {**_BLEU, **_ROUGE}
