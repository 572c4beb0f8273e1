"""What askers are told about a picture; nothing of a file's header beyond what is needed to show it."""

from dataclasses import asdict
from typing import Any

from radvqa.data.medical.window import PRESETS
from radvqa.serving.pictures.picture import Picture

OPEN = (
    "What modality is used to take this image?",
    "Which organ system is shown in this image?",
    "What is abnormal in this image?",
)
CLOSED = ("Is this a CT?", "Is this a study of the chest?", "Is there anything abnormal in this image?")
"""Questions that fit any picture, for a start."""


def facts(picture: Picture, keeps: str) -> dict[str, Any]:
    """Describe a picture.

    Args:
        picture: to be described.
        keeps: how long it is kept, in a sentence.
    """
    own = (picture.truth.question,) if picture.truth is not None else ()
    return {
        "id": picture.id,
        "name": picture.name,
        "kind": picture.kind,
        "width": picture.width,
        "height": picture.height,
        "frames": picture.frames,
        "axes": dict(picture.axes),
        "unit": picture.unit,
        "window": picture.window,
        "presets": _presets() if picture.ct else [],
        "has_text": picture.has_text,
        "truth": asdict(picture.truth) if picture.truth is not None else None,
        "questions": list(dict.fromkeys((*own, *OPEN, *CLOSED))),
        "keeps": keeps,
    }


def _presets() -> list[dict[str, Any]]:
    """Windows for CT; those with equal numbers are named together."""
    named: dict[tuple[float, float], list[str]] = {}
    for name, window in PRESETS.items():
        named.setdefault((window.centre, window.width), []).append(name.replace("_", " "))
    return [{"name": ", ".join(names).capitalize(), "window": window} for window, names in named.items()]
