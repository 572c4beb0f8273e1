"""Pairs for tests."""

from typing import Any

from radvqa.curating.pair import Kind, Pair


def pair(question: str = "Which organ is shown?", answer: str = "Liver", kind: Kind = "open", **more: Any) -> Pair:
    """Make a pair whose id says what it asks."""
    values: dict[str, Any] = {"id": f"{question}/{answer}/{more.get('image', '')}/{more.get('caption', '')}", **more}
    return Pair(question=question, answer=answer, kind=kind, **values)
