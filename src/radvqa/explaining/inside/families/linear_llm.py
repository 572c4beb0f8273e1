"""A projector in front of a language model, opened."""

from radvqa.explaining.inside.picture_llm import OpenedPictureLlm

OPEN = OpenedPictureLlm
