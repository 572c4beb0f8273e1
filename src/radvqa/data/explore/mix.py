"""Several data sets as one mix to train on: shares of categories, modalities and body regions, and tokens."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from radvqa.data.explore.regions import region_of

IMAGE_TOKENS = 1024
"""Tokens of one picture unless told otherwise: 448 × 448 pixels in patches of 14 × 14, as PaliGemma at 448 has them."""

KINDS: Mapping[str, tuple[str, Callable[[str], str]]] = {
    "categories": ("question_types", lambda label: label),
    "modalities": ("modalities", lambda label: label),
    "regions": ("organs", region_of),
}
"""What shares are counted of: the label of a split's numbers, and what it is grouped by."""


def mix(data_sets: Sequence[Mapping[str, Any]], image_tokens: int = IMAGE_TOKENS) -> dict[str, Any]:
    """Put data sets side by side.

    Args:
        data_sets: ``name`` and the numbers of all splits together (``all``) of each.
        image_tokens: tokens that a model makes of one picture.

    Returns:
        ``totals`` in the order of the data sets: rows, images, words, estimated tokens of text and, as every row shows
        its picture, of pictures, and the share of all tokens; for each kind a list of ``label`` and ``rows``, one
        number for each data set, the largest label first. Labels that differ in case, spaces or underscores are one;
        rows without a label are under the empty one, which comes last.
    """
    totals = []
    for data_set in data_sets:
        counts = data_set["all"]
        totals.append(
            {
                "name": data_set["name"],
                "rows": counts["rows"],
                "images": counts["images"],
                "words": sum(counts["words"].values()),
                "text_tokens": counts["text_tokens"],
                "image_tokens": image_tokens * counts["rows"],
            }
        )
    every = sum(total["text_tokens"] + total["image_tokens"] for total in totals)
    for total in totals:
        total["share"] = (total["text_tokens"] + total["image_tokens"]) / every if every else None
    return {
        "tokens_per_image": image_tokens,
        "totals": totals,
        **{kind: _shares(data_sets, key, grouped) for kind, (key, grouped) in KINDS.items()},
    }


def _shares(data_sets: Sequence[Mapping[str, Any]], key: str, grouped: Callable[[str], str]) -> list[dict[str, Any]]:
    names: dict[str, str] = {}
    rows: dict[str, Counter[int]] = {}
    for place, data_set in enumerate(data_sets):
        for label, number in data_set["all"][key].items():
            group = grouped(label)
            one = " ".join(group.replace("_", " ").casefold().split())
            names.setdefault(one, group)
            rows.setdefault(one, Counter())[place] += number
    order = sorted(rows, key=lambda one: (not one, -rows[one].total(), one))
    return [{"label": names[one], "rows": [rows[one][i] for i in range(len(data_sets))]} for one in order]
