"""The terminal's page about questions that were asked about one picture."""

from collections.abc import Mapping, Sequence
from typing import Any

_WORTH_SAYING = 0.005  # less is rounded to 0 %


def show_answers(answers: Sequence[Mapping[str, Any]]) -> None:
    """Print each answer with its confidence and what else it could be, or why there is none."""
    for asked in answers:
        if len(answers) > 1:
            print(asked["question"])
        print(line(asked))
        likely = [c for c in asked["candidates"][1:] if c["probability"] >= _WORTH_SAYING]
        others = ", ".join(f"{c['answer']} {100 * c['probability']:.0f} %" for c in likely)
        if others and not asked["abstained"]:
            print(f"else: {others}")
    print(answers[0]["notice"])


def line(asked: Mapping[str, Any]) -> str:
    """Write one answer as a line; a guess that the model does not stand by is withheld."""
    model = "the starter model" if asked["model"] == "starter" else asked["model"]
    if asked["abstained"]:
        return f"No answer ({model}): {asked['abstained']}"
    sure = "" if asked["confidence"] is None else f"{100 * asked['confidence']:.0f} %, "
    return f"{asked['answer']}  ({sure}{model})"
