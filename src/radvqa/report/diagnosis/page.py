"""The page about a diagnosis: one HTML file with everything in it, without a script."""

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import resources
from typing import Any

import radvqa
from radvqa.prediction import Prediction
from radvqa.report import sentences
from radvqa.report.diagnosis import tables
from radvqa.report.grid import Table, breakable, to_html
from radvqa.report.numbers import count, percent, plural, points, without_folders

_TOP = 8  # groups with pictures


def page(
    found: Mapping[str, Any],
    *,
    name: str,
    asked: Mapping[str, Prediction],
    right: Mapping[str, bool],
    pictures: Mapping[str, bytes],
    overlays: Mapping[str, bytes],
) -> str:
    """Return the page as text.

    Args:
        found: the content of ``diagnosis.json``.
        name: of the run.
        asked: the questions that are shown, by id.
        right: whether each answer is right, by id.
        pictures: WebP by image name.
        overlays: WebP of a question's picture with its map, by id.
    """
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["breakable"] = lambda text: Markup(breakable(text))  # noqa: S704 - escaped there
    cards = _Cards(asked, right, pictures, overlays)
    test = f"{found['dataset']} {found['split']}".strip()
    text = environment.from_string(
        template("diagnosis.html.j2")
    ).render(
        title=f"Where {name} fails",
        test=test,
        description=f"Where {name} fails on {test}, and how sure that is.",
        version=radvqa.__version__,
        research_only=sentences.RESEARCH_ONLY,
        style=Markup(template("page.css")),  # noqa: S704 - our own file
        accuracy=percent(found["accuracy"]),
        width=round(100 * found["accuracy"], 1),
        asked=f"of {plural(found['questions'], 'question')} right",
        lead=tables.lead(found)[1:],
        notes=[without_folders(note) for note in found["notes"]],
        bars=list(_bars(found)),
        groups=[_group(one, number, cards) for number, one in enumerate(tables.new_groups(found)[:_TOP], start=1)],
        table=_html(tables.groups_table(found)),
        further=_html(tables.further_table(found)),
        worse_inside=count(found["groups"]["worse_inside"]),
        left_out=count(found["groups"]["left_out"]),
        alike=_html(tables.alike_table(found)),
        clusters=[_cluster(one, pictures) for one in found["alike"]["clusters"]],
        maps=_maps(found),
        right_off_target={**found["right_off_target"], "cards": cards.of(found["right_off_target"]["ids"])},
        wrong_on_target={**found["wrong_on_target"], "cards": cards.of(found["wrong_on_target"]["ids"])},
        cues=_html(tables.cues_table(found)),
        intervention=_html(tables.intervention_table(found)),
        judged=_html(tables.judged_table(found)),
    )
    return text.encode("utf-8", "replace").decode("utf-8")  # a file cannot hold half of a surrogate pair


def template(name: str) -> str:
    """Read a file of the templates' folder."""
    return (resources.files("radvqa.report") / "templates" / name).read_text(encoding="utf-8")


def webp_address(content: bytes | None) -> str:
    """Return a picture as an address that holds it; empty without one."""
    return "" if content is None else "data:image/webp;base64," + base64.b64encode(content).decode("ascii")


class _Cards:
    """Questions as cards with picture, map and answers."""

    def __init__(
        self,
        asked: Mapping[str, Prediction],
        right: Mapping[str, bool],
        pictures: Mapping[str, bytes],
        overlays: Mapping[str, bytes],
    ) -> None:
        self.asked, self.right, self.pictures, self.overlays = asked, right, pictures, overlays

    def of(self, ids: Iterable[str]) -> list[dict[str, Any]]:
        return [self._card(self.asked[id_]) for id_ in ids if id_ in self.asked]

    def _card(self, p: Prediction) -> dict[str, Any]:
        kind = (p.question_type, p.answer_type.lower(), p.modality, p.organ.replace("_", " "))
        return {
            "id": p.id,
            "picture": webp_address(self.pictures.get(p.image)),
            "overlay": webp_address(self.overlays.get(p.id)),
            "image": p.image or p.id,
            "question": p.question,
            "kind": " · ".join(part for part in kind if part),
            "truth": p.answer,
            "answer": p.prediction,
            "right": self.right[p.id],
            "confidence": p.confidence,
        }


def _html(table: Table | None) -> Any:
    """Render a table; to_html escapes every text that it is given."""
    from markupsafe import Markup

    return None if table is None else Markup(to_html(table))  # noqa: S704


def _bars(found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the drops of the first groups as bars; the widest limit of all fills the width."""
    shown = tables.new_groups(found)[: tables.MOST]
    widest = max((one["interval"][1] for one in shown), default=1.0) or 1.0
    for number, one in enumerate(shown, start=1):
        low, high = max(0.0, one["interval"][0]), one["interval"][1]
        yield {
            "number": number,
            "title": one["title"],
            "said": f"{percent(one['accuracy'])} % instead of {percent(one['rest'])} %",
            "n": plural(one["n"], "question"),
            "drop": points(-one["drop"]),
            "width": round(100 * one["drop"] / widest, 1),
            "low": round(100 * low / widest, 1),
            "span": round(100 * (high - low) / widest, 1),
            "sure": one["sure"],
            "linked": number <= _TOP,
        }


def _group(one: Mapping[str, Any], number: int, cards: _Cards) -> dict[str, Any]:
    return {
        "number": number,
        "title": one["title"],
        "sentence": f"{percent(one['accuracy'])} % of {plural(one['n'], 'question')} about "
        f"{count(one['clusters'])} pictures or cases right, {percent(one['rest'])} % elsewhere: a drop of "
        f"{tables.interval(one['drop'], one['interval'])} points, adjusted p {tables.p_value(one['adjusted'])}."
        f"{'' if one['sure'] else ' Chance could bring this among so many groups.'}",
        "cards": cards.of(one["examples"]),
    }


def _cluster(one: Mapping[str, Any], pictures: Mapping[str, bytes]) -> dict[str, Any]:
    shown: Sequence[str] = [name for name in one["examples"] if name in pictures]
    return {
        "name": one["name"],
        "said": f"{plural(one['pictures'], 'picture')}, {percent(one['accuracy'])} % right",
        "pictures": [{"uri": webp_address(pictures[name]), "name": name} for name in shown],
    }


def _maps(found: Mapping[str, Any]) -> dict[str, Any] | None:
    maps = found["maps"]
    if maps is None:
        return None
    where = [
        f"{percent(maps[key])} % {words}"
        for key, words in (("outside_body", "outside the body"), ("on_text", "on letters and markers"))
        if maps[key] is not None
    ]
    return {"method": maps["method"], "judged": plural(maps["judged"], "question"), "where": "; ".join(where)}
