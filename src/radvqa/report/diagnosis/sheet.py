"""The review sheet as a page: one HTML file that an expert opens, fills in and saves as CSV."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import radvqa
from radvqa.diagnosing.sheet import VERDICTS, Row
from radvqa.report import sentences
from radvqa.report.diagnosis.page import template, webp_address


def sheet_page(
    rows: Sequence[Row],
    *,
    title: str,
    pictures: Mapping[str, bytes],
    overlays: Mapping[str, bytes],
    columns: Sequence[str],
) -> str:
    """Return the page as text.

    Args:
        rows: the questions to judge.
        title: what they are of.
        pictures: WebP by image name; each is in the page once.
        overlays: WebP of a question's picture with its map, by id.
        columns: of the CSV that the page saves.
    """
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    script = template("sheet.js")
    asked = [
        {
            "id": row.id,
            "image": row.image,
            "question": row.question,
            "gold": row.gold,
            "prediction": row.prediction,
            "confidence": "" if row.confidence is None else f"{row.confidence:.4f}",
            "why": row.why,
        }
        for row in rows
    ]
    shown = {row.image: webp_address(pictures[row.image]) for row in rows if row.image in pictures}
    maps = {row.id: webp_address(overlays[row.id]) for row in rows if row.id in overlays}
    data = {"title": title, "key": _key(rows), "columns": list(columns), "rows": asked}
    text = environment.from_string(template("sheet.html.j2")).render(
        title=title,
        number=len(rows),
        version=radvqa.__version__,
        research_only=sentences.RESEARCH_ONLY,
        style=Markup(template("page.css")),  # noqa: S704 - our own file
        verdicts=[{"name": name, "said": said} for name, said in VERDICTS.items()],
        data=_json(data),
        pictures=_json({"pictures": shown, "maps": maps}),
        script=Markup(script),  # noqa: S704 - our own file
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii"),
    )
    return text.encode("utf-8", "replace").decode("utf-8")  # a file cannot hold half of a surrogate pair


def _key(rows: Sequence[Row]) -> str:
    """Tell this sheet from others in the browser's memory: the same questions with the same answers have one key."""
    told = json.dumps([(row.id, row.gold, row.prediction) for row in rows])
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _json(value: Any) -> Any:
    """Write JSON that cannot end the element that it stands in."""
    from markupsafe import Markup

    return Markup(json.dumps(value, ensure_ascii=True).replace("<", "\\u003c"))  # noqa: S704
