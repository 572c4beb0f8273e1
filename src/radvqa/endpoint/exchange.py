"""What goes to a chat model and what comes back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypedDict


class Message(TypedDict):
    """One turn of a conversation, as the OpenAI chat API has it.

    ``content`` is text, or a list of parts: ``{"type": "text", "text": …}`` and
    ``{"type": "image_url", "image_url": {"url": "data:image/png;base64,…"}}``.
    """

    role: Literal["system", "user", "assistant"]
    content: str | list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What a model is asked.

    Attributes:
        messages: the conversation so far.
        schema: JSON schema of the reply; None for free text. A server that cannot hold to it is asked without, so
            the reply must still be checked.
    """

    messages: Sequence[Message]
    schema: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model replied.

    Attributes:
        text: the reply; empty when the model said nothing.
        finish_reason: why it ended, as the server says: ``stop``, ``length`` (cut at the limit of tokens) …
        prompt_tokens: as the server counts; 0 when it does not say.
        completion_tokens: the same for the reply.
        refused: why the server refuses this one request; empty when it does not.
        log_probability: of all its tokens together (natural logarithm); None when the server does not say.
    """

    text: str
    finish_reason: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    refused: str = ""
    log_probability: float | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """The outcome of asking many requests.

    Attributes:
        replies: one for each request, in order.
        requests: HTTP requests that were sent, repeated ones included.
        cached: distinct requests that the cache answered.
        prompt_tokens: over the distinct replies, from the cache or not: what they cost, whenever that was.
        completion_tokens: the same for the replies.
    """

    replies: Sequence[Reply]
    requests: int
    cached: int
    prompt_tokens: int
    completion_tokens: int


def user_message(text: str) -> Message:
    """Make a message of the user."""
    return {"role": "user", "content": text}
