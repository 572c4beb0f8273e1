"""A language model grades answers: who was asked what, what it said, and how sure one may be of the share."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from radvqa.endpoint.cache import ReplyCache
from radvqa.endpoint.client import ChatEndpoint
from radvqa.endpoint.quoting import LONGEST
from radvqa.judging.hearing import hear
from radvqa.judging.summary import compared, summarise
from radvqa.judging.template import Template, load_template
from radvqa.prediction import Prediction
from radvqa.scoring.items import in_order, items_of, subset_rows
from radvqa.scoring.statistics import RESAMPLES
from radvqa.text import Normaliser


def judge(
    predictions: Sequence[Prediction],
    endpoint: ChatEndpoint,
    *,
    template: str | Path = "verdict",
    cache: ReplyCache | None = None,
    normaliser: Normaliser,
    skip_exact: bool = False,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Any]:
    """Have a language model grade every answer against the gold.

    The judge sees question, gold and answer, each cut at 4,000 characters; not the picture, its name, or whose answer
    it is. Answers that were not given are wrong without being asked about. A reply that holds no verdict is followed
    by one reminder; what still cannot be read is ``unparsed``.

    Args:
        predictions: of one model; their order does not matter.
        endpoint: the judge.
        template: name of a built-in template, or the path of one.
        cache: where replies are kept; with it, judging goes on where it was stopped and asks nothing twice.
        normaliser: of the exact match that the judge is compared with.
        skip_exact: take answers that equal the gold as correct without asking; the comparison with exact match is
            then left out.
        resamples: of the bootstrap.
        seed: of the bootstrap.

    Returns:
        ``model`` and ``sampling``, as asked for; ``template``, ``template_version``, ``template_sha256`` and its
        ``scale``; ``longest``, the characters shown of each text; ``subsets``, by overall, open and closed (see
        below); ``asked``, the answers that the judge was asked about; ``unanswered``, those not given; ``skipped``,
        those that ``skip_exact`` spared; ``reminded``, how many needed the reminder; ``refused``, how many the server
        would not take (they are unparsed); ``tokens`` of ``prompt`` and ``completion`` over all replies used, cached
        ones included, as the server counts; ``requests`` sent this time; ``cached``, distinct requests that the cache
        answered; ``items``, the verdict by id.

        A subset has ``n``; ``clusters``; ``judged``, how many have a verdict, and ``judged_share``; ``unparsed``;
        ``verdicts``, how many of each; ``score``, the mean worth of the verdicts, with ``score_interval``;
        ``correct``, the share of verdicts worth 1, and ``partly``, the share worth something between;
        ``score_counting_unparsed_wrong``, over all ``n``, with ``score_counting_unparsed_wrong_interval``; and
        ``agreement`` with exact match over the answers that were asked about and have a verdict. Fractions in [0, 1];
        null without verdicts. Intervals are those of scores: 95 %, clustered.

    Raises:
        DataError: when there are no predictions, or an id is repeated.
        TemplateError: when the template cannot be used.
        EndpointError: when the judge cannot be asked; what it had replied is kept in the cache.
    """
    predictions = in_order(predictions)
    told = load_template(template)
    items = items_of(predictions, normaliser)
    exact = items.gold == items.prediction
    given = np.array([not p.missing and bool(p.prediction.strip()) for p in predictions])
    asked = given & ~exact if skip_exact else given
    heard = hear([p for p, wanted in zip(predictions, asked, strict=True) if wanted], endpoint, told, cache)
    unasked = np.where(given, _verdict_worth(told, 1), _verdict_worth(told, 0))
    verdicts = {p.id: heard.verdicts.get(p.id, str(known)) for p, known in zip(predictions, unasked, strict=True)}
    said = np.array(list(verdicts.values()))
    worth = np.array([told.scale.get(verdict, np.nan) for verdict in said])
    subsets = {}
    for subset, rows in subset_rows(items).items():
        subsets[subset] = summarise(worth[rows], items.cluster[rows], resamples, seed) | {
            "verdicts": {verdict: int((said[rows] == verdict).sum()) for verdict in told.scale},
            "agreement": None if skip_exact else compared(worth[rows], exact[rows], asked[rows]),
        }
    return {
        "model": endpoint.model,
        "sampling": endpoint.sampling,
        "template": told.name,
        "template_version": told.version,
        "template_sha256": told.sha256,
        "scale": dict(told.scale),
        "longest": LONGEST,
        "subsets": subsets,
        "asked": int(asked.sum()),
        "unanswered": int((~given).sum()),
        "skipped": int((given & ~asked).sum()),
        "reminded": heard.reminded,
        "refused": heard.refused,
        "tokens": heard.tokens,
        "requests": heard.requests,
        "cached": heard.cached,
        "items": verdicts,
    }


def _verdict_worth(template: Template, worth: float) -> str:
    return next(verdict for verdict, value in template.scale.items() if value == worth)
