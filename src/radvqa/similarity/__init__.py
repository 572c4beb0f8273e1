"""Similarity of answer and gold by neural encoders, with the floor that unrelated answers reach beside it."""

from radvqa.similarity.measure import similarity

__all__ = ["similarity"]
