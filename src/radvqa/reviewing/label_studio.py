"""Review in Label Studio: tasks and a labelling configuration to import there, and the export taken back.

Format: Label Studio's JSON (tasks with ``data`` and ``annotations``), https://labelstud.io/guide/export.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from radvqa.curating.pair import Pair
from radvqa.errors import DataError
from radvqa.reviewing.decision import REASONS, VERDICTS, Decision

CONFIGURATION = """<View>
  <Image name="picture" value="$image" zoom="true" zoomControl="true"/>
  <Header value="$question"/>
  <Text name="caption" value="$caption"/>
  <Choices name="verdict" toName="picture" choice="single" required="true" showInline="true">
{verdicts}
  </Choices>
  <Choices name="reasons" toName="picture" choice="multiple" showInline="true">
{reasons}
  </Choices>
  <TextArea name="question" toName="picture" value="$question" maxSubmissions="1" editable="true"/>
  <TextArea name="answer" toName="picture" value="$answer" maxSubmissions="1" editable="true"/>
</View>
""".format(
    verdicts="\n".join(f'    <Choice value="{verdict}"/>' for verdict in VERDICTS),
    reasons="\n".join(f'    <Choice value="{name}" hint="{title}"/>' for name, title in REASONS.items()),
)
"""What Label Studio shows of a task."""


def tasks(pairs: Sequence[Pair], prefix: str = "/data/local-files/?d=") -> list[dict[str, Any]]:
    """Write pairs as tasks.

    Args:
        pairs: to be reviewed.
        prefix: put before a picture's file, as Label Studio's local storage wants it.
    """
    return [
        {
            "data": {
                "pair": pair.id,
                "image": prefix + pair.image_path,
                "question": pair.question,
                "answer": pair.answer,
                "caption": pair.caption,
                "options": list(pair.options),
                "flags": list(pair.flags),
            }
        }
        for pair in pairs
    ]


def decisions(export: Any, where: str) -> list[Decision]:
    """Read the decisions of an export.

    Args:
        export: parsed JSON.
        where: file, for messages.

    Raises:
        DataError: when it is no export of such tasks.
    """
    if not isinstance(export, list):
        raise DataError(f"{where} must be a list of tasks; export it from Label Studio as JSON.")
    found = []
    for number, task in enumerate(export, start=1):
        place = f"{where}, task {number}"
        data = task.get("data") if isinstance(task, dict) else None
        if not isinstance(data, dict) or not isinstance(data.get("pair"), str):
            raise DataError(f"{place} does not name its pair; import the tasks that `radvqa curate export` writes.")
        found += list(_of_task(task, data, place))
    return found


def _of_task(task: dict[str, Any], data: dict[str, Any], place: str) -> Iterator[Decision]:
    for annotation in task.get("annotations") or []:
        if not isinstance(annotation, dict) or annotation.get("was_cancelled"):
            continue
        said = {str(r.get("from_name")): r.get("value") or {} for r in annotation.get("result") or []}
        verdict = _first(said.get("verdict", {}).get("choices"))
        if verdict not in VERDICTS:
            raise DataError(f"{place} has an annotation without one of the verdicts {', '.join(VERDICTS)}.")
        texts = {name: _first(said.get(name, {}).get("text")) for name in ("question", "answer")}
        changed = {name: text if text and text != data.get(name) else None for name, text in texts.items()}
        reasons = tuple(str(r) for r in said.get("reasons", {}).get("choices") or () if r in REASONS)
        yield Decision(
            data["pair"],
            f"labelstudio-{_reviewer(annotation.get('completed_by'))}",
            verdict,
            changed["question"],
            changed["answer"],
            reasons,
            token=f"labelstudio-{annotation.get('unique_id') or annotation.get('id')}-{data['pair']}",
        )


def _first(value: Any) -> str:
    """The one text of a list, or the text itself."""
    return str(value[0]) if isinstance(value, list) and value else value if isinstance(value, str) else ""


def _reviewer(who: Any) -> str:
    return str(who.get("email") or who.get("id")) if isinstance(who, dict) else str(who)
