"""How many requests, tokens and hours a generation would take, before anything is asked."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from radvqa.curating.material import LONGEST, Material
from radvqa.curating.template import TEXTS, Template

CHARACTERS_PER_TOKEN = 4.0
"""Of English text, roughly, with the vocabularies of today's language models."""

_TOKENS_PER_PAIR = 45  # measured on 8,114 pairs that Llama 3.1 8B wrote, JSON around them included
_TOKENS_PER_TEXT = {"brief": 45, "rewrite": 60}
_TOKENS_OF_TEXT = 160


@dataclass(frozen=True)
class Estimate:
    """What would be asked.

    Attributes:
        requests: one for each picture and template.
        pairs: at most so many would come back.
        prompt_tokens: to be read.
        completion_tokens: to be written, if every reply is as long as asked for.
        hours: at the given speed; None without one.
        cost: at the given prices; None without them.
    """

    requests: int
    pairs: int
    prompt_tokens: int
    completion_tokens: int
    hours: float | None
    cost: float | None

    def as_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


def estimate(
    materials: Sequence[Material],
    templates: Sequence[Template],
    *,
    tokens_per_second: float | None = None,
    price_in: float | None = None,
    price_out: float | None = None,
) -> Estimate:
    """Plan a generation.

    Args:
        materials: pictures with their texts.
        templates: what is to be written of each.
        tokens_per_second: that the server writes over all its requests together.
        price_in: of a million tokens read.
        price_out: of a million tokens written.
    """
    useful = [material for material in materials if "empty" not in material.notes]
    texts = {
        "caption": sum(min(len(m.caption), LONGEST) for m in useful),
        "facts": sum(sum(len(name) + len(text) + 4 for name, text in m.facts) for m in useful),
        "context": sum(min(len(m.context), LONGEST) for m in useful),
    }
    read = 0.0
    written = pairs = 0
    for template in templates:
        read += len(template.text) * len(useful)
        read += sum(size for name, size in texts.items() if f"{{{name}}}" in template.text)
        pairs += template.pairs * len(useful)
        written += _written(template) * len(useful)
    prompt = round(read / CHARACTERS_PER_TOKEN)
    cost = None
    if price_in is not None or price_out is not None:
        cost = ((price_in or 0.0) * prompt + (price_out or 0.0) * written) / 1e6
    hours = None if tokens_per_second is None else written / tokens_per_second / 3600
    return Estimate(len(useful) * len(templates), pairs, prompt, written, hours, cost)


def _written(template: Template) -> int:
    if template.kind in TEXTS:
        return _TOKENS_PER_TEXT.get(template.name, _TOKENS_OF_TEXT)
    return template.pairs * _TOKENS_PER_PAIR
