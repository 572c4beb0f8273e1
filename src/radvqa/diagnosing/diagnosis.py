"""Everything that a diagnosis says, as plain values, with the questions for an expert."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from radvqa.diagnosing.groups import FEWEST_QUESTIONS, cut
from radvqa.diagnosing.judgements import summary
from radvqa.diagnosing.material import Material
from radvqa.diagnosing.ranking import LEVEL, Failing, Ranking, ranked
from radvqa.diagnosing.reasons import RULES, Reasoned, reasoned
from radvqa.diagnosing.sheet import MOST, Row, examples, sheet
from radvqa.diagnosing.sheet_file import Judged
from radvqa.diagnosing.shortcuts import CUES, associations

FORMAT = 1

_LISTED = 100  # groups that are kept
_EXAMPLES = 4  # of a group
_SHOWN = 12  # answers of each list that do not go with their maps
_ALIKE = 4  # pictures that show a cluster
_DIGITS = 6


@dataclass(frozen=True)
class Diagnosis:
    """What was found.

    Attributes:
        result: plain values; see ``diagnosed``.
        sheet: the questions that an expert is asked to judge.
    """

    result: dict[str, Any]
    sheet: list[Row]


def diagnosed(
    material: Material,
    *,
    dataset: str = "",
    split: str = "",
    pairs: bool = True,
    fewest: int = FEWEST_QUESTIONS,
    most: int = MOST,
    looks: str = "",
    judged: Sequence[Judged] = (),
    intervention: Sequence[Mapping[str, Any]] | None = None,
    notes: Sequence[str] = (),
) -> Diagnosis:
    """Say where a model fails.

    Args:
        material: its answers and what is known beside them.
        dataset: ``name:version``.
        split: of it.
        pairs: cut the test along two dimensions together too.
        fewest: questions of a group.
        most: questions on the sheet.
        looks: what said which pictures look alike.
        judged: what experts said already.
        intervention: what covering markers and margins did, as ``intervened`` returns it; None without.
        notes: what was not at hand.

    Returns:
        ``result`` with ``format``, ``dataset``, ``split``, ``normaliser``, ``questions``, ``images``, ``clusters``,
        ``accuracy``, ``wrong``, ``options``; ``groups`` (``tested``, ``sure``, ``level``, ``left_out``,
        ``worse_inside`` and ``failing``, each with what ``Failing`` holds and the ids of ``examples``); ``alike``, the
        clusters of pictures; ``maps``, None without maps; ``right_off_target`` and ``wrong_on_target``, each with its
        ``rule``, ``number`` and ``ids``; ``shortcuts``; ``judged`` as ``summary`` has it; ``notes``. Fractions in
        [0, 1].
    """
    ranking = ranked(material, cut(material, pairs=pairs, fewest=fewest))
    found = reasoned(material)
    result = {
        "format": FORMAT,
        "dataset": dataset,
        "split": split,
        "normaliser": material.normaliser,
        "questions": len(material),
        "images": len({p.image for p in material.predictions if p.image}),
        "clusters": len(np.unique(material.cluster)),
        "accuracy": float(material.right.mean()),
        "wrong": int((material.right == 0).sum()),
        "options": {"pairs": pairs, "fewest": fewest},
        "groups": _groups(material, ranking),
        "alike": {"source": looks, "clusters": list(_alike(material))},
        "maps": _maps(material, found),
        "right_off_target": _list(material, "right_off_target", found.right_off_target),
        "wrong_on_target": _list(material, "wrong_on_target", found.wrong_on_target),
        "shortcuts": {
            "cues": list(_cues(material)),
            "associations": [asdict(one) for one in associations(material)],
            "intervention": None if intervention is None else [dict(one) for one in intervention],
        },
        "judged": summary(material, judged),
        "notes": list(notes),
    }
    return Diagnosis(_plain(result), sheet(material, ranking.failing, found, most))


def shown_questions(result: Mapping[str, Any]) -> list[str]:
    """Ids of the questions that a page about a diagnosis shows."""
    listed = [one["examples"] for one in result["groups"]["failing"]]
    listed += [result[name]["ids"] for name in RULES]
    return list(dict.fromkeys(id_ for ids in listed for id_ in ids))


def _groups(material: Material, ranking: Ranking) -> dict[str, Any]:
    return {
        "tested": ranking.tested,
        "sure": sum(one.sure for one in ranking.failing),
        "level": LEVEL,
        "left_out": ranking.left_out,
        "worse_inside": ranking.worse_inside,
        "failing": [_group(material, one) for one in ranking.failing[:_LISTED]],
    }


def _group(material: Material, one: Failing) -> dict[str, Any]:
    kept = ("n", "clusters", "accuracy", "rest", "drop", "interval", "p", "adjusted", "sure", "wrong", "new_wrong")
    shown = examples(material, one.group.rows, _EXAMPLES)
    return {
        "title": one.group.title,
        "parts": dict(one.group.parts),
        **{name: getattr(one, name) for name in kept},
        "examples": [material.predictions[row].id for row in shown],
    }


def _alike(material: Material) -> Iterator[dict[str, Any]]:
    """Yield the clusters of pictures with a few of each."""
    for name in sorted(set(material.look.values()), key=lambda name: int(name.partition(":")[0].split()[1])):
        images = [image for image, label in material.look.items() if label == name]
        asked = np.array([material.look.get(p.image) == name for p in material.predictions])
        step = max(1, len(images) // _ALIKE)
        yield {
            "name": name,
            "pictures": len(images),
            "questions": int(asked.sum()),
            "accuracy": float(material.right[asked].mean()) if asked.any() else None,
            "examples": images[::step][:_ALIKE],
        }


def _maps(material: Material, found: Reasoned) -> dict[str, Any] | None:
    if not material.maps:
        return None
    means = {}
    for name in ("hit", "energy", "area", "outside_body", "on_text"):
        values = [value for one in material.maps.values() if (value := getattr(one, name)) is not None]
        means[name] = float(np.mean(values)) if values else None
    return {"method": material.method, "number": len(material.maps), "judged": found.judged, **means}


def _list(material: Material, name: str, rows: Sequence[int]) -> dict[str, Any]:
    shown = [material.predictions[row].id for row in rows[:_SHOWN]]
    return {"rule": RULES[name], "number": len(rows), "ids": shown}


def _cues(material: Material) -> Iterator[dict[str, Any]]:
    """Yield how many pictures have each cue."""
    shown = {p.image for p in material.predictions} & material.quality.keys()
    for cue, (title, has) in CUES.items():
        yield {
            "cue": cue,
            "title": title,
            "pictures": len(shown),
            "with_cue": sum(has(material.quality[image]) for image in shown),
        }


def _plain(found: Any) -> Any:
    """Round fractions, but not p-values to nothing, and turn tuples into lists, as JSON has them."""
    if isinstance(found, dict):
        return {
            key: float(f"{part:.6g}") if key in ("p", "adjusted") and part is not None else _plain(part)
            for key, part in found.items()
        }
    if isinstance(found, list | tuple):
        return [_plain(part) for part in found]
    return round(found, _DIGITS) if isinstance(found, float) else found
