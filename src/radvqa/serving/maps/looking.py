"""What a model was moved by, as plain values for the page; everything is computed by ``radvqa.explaining``."""

import base64
from dataclasses import asdict
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from radvqa.errors import RadvqaError
from radvqa.explaining import passes
from radvqa.explaining.asking import Asked as BlackBox
from radvqa.explaining.attention.raw import chosen, on_picture
from radvqa.explaining.black_box.covering import moved
from radvqa.explaining.evidence.baselines import in_the_centre
from radvqa.explaining.evidence.localisation import Localised, Place, localised
from radvqa.explaining.explain import found_by, proven
from radvqa.explaining.heat import Heat, averaged, is_flat
from radvqa.explaining.methods import METHODS, Wishes, method
from radvqa.explaining.said import END
from radvqa.explaining.session import Session
from radvqa.serving.answerers.answerer import Asked
from radvqa.serving.maps.sessions import Sessions
from radvqa.serving.maps.wanted import MapWanted, PatchWanted
from radvqa.serving.pictures.pictures import digest_of

SIDE = 256  # of a map that is sent, at most


class Progress(Protocol):
    """Is told before each pass; what it raises stops the work."""

    def __call__(self, text: str, done: int, total: int, *, pause: bool = False) -> None:
        """Tell what is done, and how many passes of how many.

        Args:
            text: what is done.
            done: passes made.
            total: passes expected; 0 where nobody knows.
            pause: whether others may use the model before the next pass.
        """
        ...


def map_of(
    sessions: Sessions, asked: Asked, wanted: MapWanted, place: Place | None, progress: Progress
) -> dict[str, Any]:
    """Make a map of an answer.

    Args:
        sessions: of the model.
        asked: picture and question.
        wanted: method, and what else.
        place: what the question is about, where it is known, ``(rows, columns)``.
        progress: hears of passes.

    Raises:
        RadvqaError: when the method does not apply, or there is no such token, layer or head.
    """
    way = method(wanted.method)
    if not way.layered and (wanted.layer is not None or wanted.head is not None):
        raise RadvqaError(f"{way.title} has no layer or head to choose; leave them out, or take raw attention.")
    session = sessions.session(asked, wanted.token)
    if isinstance(session, BlackBox) and wanted.token:
        raise RadvqaError(f"The answer {session.said.text!r} is one piece here: leave the token out.")
    wishes = Wishes(layer=wanted.layer, head=wanted.head)
    with passes.listening(lambda done, total: progress(way.title, done, total, pause=not way.cheap)):
        found = sessions.found(wanted.method, session, wishes)
    proof = None
    if wanted.proof:
        text = "Measuring deletion and insertion"
        with passes.listening(lambda done, total: progress(text, done, total, pause=True)):
            proof = proven(session, found.heat, None)
    asked_words = session.opened.asked if isinstance(session, Session) else ()
    words = list(zip(asked_words, found.words.tolist(), strict=True)) if found.words is not None else None
    return {
        "method": wanted.method,
        "title": way.title,
        "says": way.says,
        "token": wanted.token,
        "layer": wanted.layer,
        "head": wanted.head,
        "answer": session.said.text,
        "probability": session.said.probability,
        "map": drawn(found.heat),
        "flat": is_flat(found.heat),
        "words": [{"text": text, "weight": weight} for text, weight in words] if words is not None else None,
        "tokens": [{"text": text, "end": text == END} for text in session.said.spelled],
        **attention_of(session, wishes if way.layered else Wishes()),
        "proof": _proof(proof),
        "place": _place(found.heat, place, asked.pixels),
    }


def attention_of(session: Session | BlackBox, wishes: Wishes) -> dict[str, Any]:
    """Layers, how much each head looks at the picture, and each token's attention on each patch; None without any."""
    if isinstance(session, BlackBox) or (mixing := session.opened.mixing()) is None or not session.looks.told:
        return {"layers": None, "heads": None, "patches": None}
    looks, (rows, columns) = session.looks, mixing.carriers.grid
    told = chosen(looks.told, looks.names, wishes.layer, wishes.head).cpu().numpy()
    frame = session.framing
    return {
        "layers": [{"name": name, "heads": len(layer)} for name, layer in zip(looks.names, looks.told, strict=True)],
        "heads": on_picture(looks).round(5).tolist(),
        "patches": {
            "rows": rows,
            "columns": columns,
            "frame": [frame.left, frame.top, frame.right, frame.bottom],
            "tokens": len(told),
            "data": _base64(told.astype("<f4")),
        },
    }


def words_of(sessions: Sessions, asked: Asked, progress: Progress) -> dict[str, Any]:
    """How much less probable the answer is without each word of the question."""
    with passes.listening(lambda done, total: progress("Leaving words out of the question", done, total)):
        words, drops = sessions.words(asked)
    return {"words": [{"text": word, "weight": weight} for word, weight in zip(words, drops.tolist(), strict=True)]}


def patch_of(sessions: Sessions, asked: Asked, wanted: PatchWanted, progress: Progress) -> dict[str, Any]:
    """How probable each word of the answer is with a part of the picture, and without it."""
    session = sessions.session(asked, None)
    with passes.listening(lambda done, total: progress("Covering the patch", done, total)):
        before, after = moved(session, wanted.box)
    return {
        "box": wanted.box,
        "tokens": [
            {"text": text, "end": text == END, "before": one, "after": other}
            for text, one, other in zip(session.said.spelled, before.tolist(), after.tolist(), strict=True)
        ],
    }


def methods_of(sessions: Sessions | None, *, opens: bool) -> dict[str, Any]:
    """What methods say, and which of them apply to a model.

    Args:
        sessions: of the model; None where it is not loaded, so that only its family tells.
        opens: whether models of its family can be looked into.
    """
    looked = _looked(sessions) if sessions is not None and opens else {}
    refused: dict[str, str] = looked.get("refused", {})
    closed = "This model can only be asked; occlusion and RISE work for all."
    return {
        "methods": [
            {
                "name": name,
                "title": one.title,
                "kind": one.kind,
                "says": one.says,
                "cheap": one.cheap,
                "layered": one.layered,
                "applies": (opens or one.kind == "black box") and name not in refused,
                "why": refused.get(name, "" if opens or one.kind == "black box" else closed),
            }
            for name, one in METHODS.items()
        ],
        "layers": looked.get("layers"),
    }


def _looked(sessions: Sessions) -> dict[str, Any]:
    """Look once at a grey picture: which methods of one pass apply, and how many layers there are."""
    blank = np.full((64, 64), 128, np.uint8)
    try:
        session = Session(sessions.opened(Asked(blank, digest_of(blank), "What is shown?")), blank)
    except RadvqaError:
        return {}  # it says nothing to this; methods say themselves whether they apply
    refused = {}
    for name in ("raw-question", "rollout", "grad-cam"):
        try:
            found_by(name, session, Wishes())
        except RadvqaError as error:
            refused[name] = str(error)
    if "grad-cam" in refused:
        refused["layer-cam"] = refused["grad-cam"]
    if "rollout" in refused:
        refused |= dict.fromkeys(("raw", "raw-question", "flow", "relevancy"), refused["rollout"])
    return {"refused": refused, "layers": attention_of(session, Wishes())["layers"]}


def drawn(heat: Heat) -> dict[str, Any]:
    """A map as bytes from 0 to 255, row by row; 255 stands for ``high``, and 0 for 0."""
    rows, columns = heat.shape
    shrink = max(1.0, max(rows, columns) / SIDE)
    small = averaged(np.maximum(heat, 0), max(1, round(rows / shrink)), max(1, round(columns / shrink)))
    high = float(small.max())
    scaled = small / high if high > 0 else np.zeros_like(small)
    return {
        "rows": small.shape[0],
        "columns": small.shape[1],
        "high": high,
        "data": _base64((255 * scaled).round().astype(np.uint8)),
    }


def _base64(values: NDArray[Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode("ascii")


def _proof(proof: Any) -> dict[str, Any] | None:
    if proof is None:
        return None
    kept = ("deletion", "insertion", "random_deletion", "random_insertion")
    return {
        **{name: round(getattr(proof, name), 5) for name in kept},
        "deletion_holds": proof.deletion < proof.random_deletion,
        "insertion_holds": proof.insertion > proof.random_insertion,
    }


def _place(heat: Heat, place: Place | None, pixels: NDArray[np.uint8]) -> dict[str, Any] | None:
    if place is None:
        return None
    found, centre = localised(heat, place), localised(in_the_centre(pixels, ""), place)
    if found is None or centre is None:
        return None
    return {**_rounded(found), "centre": _rounded(centre), "holds": found.energy > centre.energy}


def _rounded(found: Localised) -> dict[str, float]:
    return {name: round(value, 5) for name, value in asdict(found).items()}
