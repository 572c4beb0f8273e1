"""What a conversation asks about a picture: the case, the question and its choices, or to describe it."""

from string import ascii_uppercase

from radvqa.sample import Sample

DESCRIBE = "Describe the image."
"""Asked where a data set has captions and no questions."""


def prompt(sample: Sample) -> str:
    """Write the user's turn; the answer of a multiple-choice question is the text of the choice."""
    letters = list(ascii_uppercase[: len(sample.options)])
    labels = letters if len(letters) == len(sample.options) else [str(n + 1) for n in range(len(sample.options))]
    options = "\n".join(f"{label}. {option}" for label, option in zip(labels, sample.options, strict=True))
    parts = (sample.context, sample.question or DESCRIBE, options)
    return "\n".join(part for part in parts if part)
