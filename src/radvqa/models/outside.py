"""Which families are made of checkpoints that other software runs whole, and what it must be told."""

from dataclasses import dataclass
from typing import Literal

Server = Literal["vllm", "transformers"]

QUESTION_AND_PICTURE = (
    "{% for message in messages %}{% if message['role'] == 'user' and loop.last %}"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] %}{% if part['type'] == 'text' %}{{ part['text'] }}{% endif %}{% endfor %}"
    "{% endif %}{% endif %}{% endfor %}"
)
"""A chat template for a model that knows no conversation: the last message's words; processors add the picture."""


@dataclass(frozen=True)
class Outside:
    """How other software runs a family.

    Attributes:
        loaded_by: class of ``transformers``.
        servers: whose documentation names the architecture; empty where no chat server knows it.
        template: chat template to write where the checkpoint brings none; empty for none.
        needs: libraries besides ``transformers``.
    """

    loaded_by: str
    servers: tuple[Server, ...] = ()
    template: str = ""
    needs: str = ""


KNOWN = {
    "qwen2_vl": Outside("AutoModelForImageTextToText", ("vllm", "transformers"), needs="torchvision"),
    "paligemma": Outside("AutoModelForImageTextToText", ("vllm", "transformers"), QUESTION_AND_PICTURE),
    "blip": Outside("BlipForQuestionAnswering"),
    "vilt": Outside("ViltForQuestionAnswering"),
}
"""By family; no other software runs the rest, whose parts are joined by this package."""
