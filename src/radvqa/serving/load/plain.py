"""The naive way to serve a model, to be timed."""

import base64
import threading
from typing import Any

from fastapi import FastAPI

from radvqa.data import image
from radvqa.starter.model import Starter


def plain_application() -> FastAPI:
    """A service as one writes it first: every question decodes and looks at its picture, one after the other."""
    starter, turn = Starter.load(), threading.Lock()
    app = FastAPI()

    @app.post("/v1/chat/completions")
    def answer(body: dict[str, Any]) -> dict[str, Any]:
        parts = body["messages"][0]["content"]
        pixels = image.decode(base64.b64decode(parts[0]["image_url"]["url"].partition(",")[2]))
        with turn:
            said = starter.answer_about(starter.net.look(pixels), parts[1]["text"])
        message = {"role": "assistant", "content": said.answer}
        return {"choices": [{"message": message}], "radvqa": {"confidence": said.confidence}}

    return app
