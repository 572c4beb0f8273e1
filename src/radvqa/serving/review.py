"""Doors of the review queue, where whoever started the service named one."""

from typing import Any

from fastapi import APIRouter

from radvqa.errors import RadvqaError
from radvqa.reviewing import doors as reviewing
from radvqa.reviewing.queue import ReviewQueue
from radvqa.serving.service import Service

BASE = "api/review"
HOW = (
    "No review queue was named. `radvqa curate review PAIRS.jsonl` makes one beside a table of pairs; start "
    "`radvqa serve --queue PAIRS.review.sqlite` to judge them here."
)


def router(service: Service) -> APIRouter:
    """Doors under ``/api/review``; without a queue there is one, which says how to make one.

    Raises:
        RadvqaError: when the queue that was named is absent or damaged.
    """
    doors = APIRouter(prefix=f"/{BASE}", tags=["reviewing"])
    path = service.settings.queue
    if path is not None and not path.is_file():
        raise RadvqaError(f"There is no review queue {path}; `radvqa curate review PAIRS.jsonl` makes one.")
    queue = ReviewQueue(path) if path is not None else None

    @doors.get("")
    def told() -> dict[str, Any]:
        """Say whether there is a queue, and how far it is."""
        if queue is None:
            return {"progress": None, "how": HOW}
        return {"progress": queue.progress(), "how": ""}

    if queue is not None:
        doors.include_router(reviewing.router(queue, BASE))
    return doors
