"""``radvqa data explore``: what data sets hold, in numbers, and a page of figures about them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from radvqa.data import image
from radvqa.data.dataset import Problems
from radvqa.data.explore.mix import IMAGE_TOKENS
from radvqa.data.explore.survey import survey
from radvqa.errors import DataError, ImageError
from radvqa.sample import Sample

_SIDE = 448  # pixels; enough for a card, and the page stays light


def explore(
    names: Sequence[str],
    *,
    html: Path | None = None,
    near: bool = False,
    image_tokens: int = IMAGE_TOKENS,
    skip_bad: bool = False,
) -> dict[str, Any]:
    """Explore data sets, several side by side.

    Args:
        names: data sets as ``name`` or ``name:version``, or YAML files of one's own.
        html: write a page with tables, figures and sample pictures, one self-contained file.
        near: look for near-duplicate pictures too, which decodes every picture once.
        image_tokens: tokens that a model makes of one picture, for the estimate of all tokens.
        skip_bad: leave bad rows out, and report them, instead of stopping at the first.

    Returns:
        ``data_sets``: of each its facts, the numbers of every split and of all together, and the samples shown;
        ``mix``: categories, modalities, body regions and tokens side by side; ``near``: near-duplicates, None unless
        they were looked for; ``left_out``: a sentence for each bad row.

    Raises:
        DataError: for an unknown name, none at all, absent data, and bad rows unless ``skip_bad``.
    """
    if image_tokens < 0:
        raise DataError(f"A picture cannot have {image_tokens} tokens; give 0 to count the text alone.")
    problems = Problems(skip=skip_bad)
    counted, shown = survey(names, problems, near=near, image_tokens=image_tokens)
    found = {**counted, "left_out": problems.found}
    if html is not None:
        from radvqa.report.explore.page import write_page

        write_page(found, _pictures(shown), Path(html))
    return found


def _pictures(shown: Mapping[str, Sample]) -> dict[str, bytes]:
    """Return each sample's picture as WebP; one that cannot be decoded has none, as ``data check`` reports it."""
    pictures = {}
    for id_, sample in shown.items():
        try:
            pictures[id_] = image.encode_webp(image.shrink(image.decode(sample.image_path), _SIDE))
        except ImageError:
            continue
    return pictures
