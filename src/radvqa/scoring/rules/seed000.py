"""Seed 000's rule: equality of what is left of Latin letters and digits."""

from radvqa.scoring.rule import Rule
from radvqa.scoring.rules._words import equality
from radvqa.text import seed000

RULE = Rule(
    title="seed 000",
    meaning="Gold and reply must be equal after lower-casing, with every character but Latin letters, digits and "
    "spaces deleted. No synonym, number word or article is forgiven, and words run together where a mark stood between "
    "them (“X-Ray” is “xray”, not “x ray”).",
    source="seed 000: hongjiaherng/woa7015-medvqa, function normalize_text",
    judge=lambda _: equality(seed000, seed000),
)
