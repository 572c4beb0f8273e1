"""What goes over the wire, as OpenAI's chat API has it; fields that no answer depends on are overlooked."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

_STREAM_NOTE = "Send server-sent events: token by token where the model writes, else the answer in one piece."


class _Asked(BaseModel):
    """Clients send fields that nobody here knows; those do not matter, or `ChatRequest.unsupported` names them."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class ImageUrl(_Asked):
    """A picture."""

    url: str = Field(description="A data URI, `data:image/png;base64,…`; the content decides what it is.")


class Part(_Asked):
    """A piece of a message."""

    type: str = Field(max_length=50, description="`text` or `image_url`.")
    text: str | None = None
    image_url: ImageUrl | str | None = None


class Message(_Asked):
    """A turn of the conversation."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | Annotated[list[Part], Field(max_length=200)] | None = None


class StreamOptions(_Asked):
    """How to stream."""

    include_usage: bool | None = Field(None, description="Send the usage as a chunk of its own before the end.")


class ResponseFormat(_Asked):
    """How the answer is to be written."""

    type: str = Field(max_length=50, description="`text`; anything else is refused.")


class Wishes(_Asked):
    """What only this service knows."""

    guess: bool = Field(False, description="Give the best guess where the model would abstain.")


class ChatRequest(_Asked):
    """A question about the last picture of a conversation.

    `temperature`, `top_p`, penalties, `seed`, `user` and the like are taken and change nothing: the likeliest answer is
    given, and the same question always gets the same answer. What would change the answer is refused.
    """

    model: str = Field(max_length=300, description="A name of `GET /v1/models`; `NAME:guess` never abstains.")
    messages: list[Message] = Field(min_length=1, max_length=200)
    stream: bool | None = Field(None, description=_STREAM_NOTE)
    stream_options: StreamOptions | None = None
    max_tokens: int | None = Field(None, ge=1, description="Cuts answers of models that write.")
    max_completion_tokens: int | None = Field(None, ge=1, description="The same.")
    stop: str | Annotated[list[str], Field(max_length=16)] | None = Field(
        None, description="The answer ends before the first of these texts."
    )
    logprobs: bool | None = Field(None, description="Tell how likely each token was; null where a model cannot say.")
    top_logprobs: int | None = Field(None, ge=0, le=20, description="So many likely tokens in its place, at most five.")
    n: int | None = Field(None, ge=0, description="One, or it is refused.")
    response_format: ResponseFormat | None = None
    tools: list[Any] | None = Field(None, description="Refused.")
    functions: list[Any] | None = Field(None, description="Refused.")
    logit_bias: dict[str, Any] | None = Field(None, description="Refused unless empty.")
    modalities: list[str] | None = Field(None, description="`text`, or it is refused.")
    radvqa: Wishes = Wishes()

    @property
    def limit(self) -> int | None:
        """How many tokens the answer may have."""
        return self.max_completion_tokens or self.max_tokens

    @property
    def stops(self) -> tuple[str, ...]:
        """Texts before which the answer ends."""
        given = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return tuple(text for text in given if text)

    @property
    def with_usage(self) -> bool:
        """Whether a stream tells the usage."""
        return bool(self.stream_options and self.stream_options.include_usage)

    def unsupported(self) -> tuple[str, str] | None:
        """A field that would change the answer and cannot be had, and why; None when there is none."""
        refused = {
            "n": ((self.n or 1) > 1, "one answer is given to a question; leave n at 1"),
            "tools": (bool(self.tools), "these models call no tools"),
            "functions": (bool(self.functions), "these models call no functions"),
            "response_format": (
                self.response_format is not None and self.response_format.type != "text",
                "these models answer in plain text; leave the format out",
            ),
            "logit_bias": (bool(self.logit_bias), "tokens cannot be weighted"),
            "modalities": (bool(set(self.modalities or []) - {"text"}), "answers are text"),
            "top_logprobs": (self.top_logprobs is not None and not self.logprobs, "needs logprobs: true"),
        }
        return next(((name, why) for name, (is_so, why) in refused.items() if is_so), None)


class TopLogprob(BaseModel):
    """A token that could stand in a token's place."""

    token: str
    logprob: float
    bytes: list[int] | None = None


class TokenLogprob(TopLogprob):
    """A token of the answer."""

    top_logprobs: list[TopLogprob] = []


class Logprobs(BaseModel):
    """How likely the tokens were."""

    content: list[TokenLogprob]
    refusal: None = None


class AnswerMessage(BaseModel):
    """The answer."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None


class Choice(BaseModel):
    """The one answer."""

    index: Literal[0] = 0
    message: AnswerMessage
    finish_reason: Literal["stop", "length"]
    logprobs: Logprobs | None = None


class Usage(BaseModel):
    """Tokens, where the model tells them; else 0."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0


class Candidate(BaseModel):
    """An answer that the model thought of."""

    answer: str
    probability: float


class Told(BaseModel):
    """What this service tells besides."""

    abstained: str | None = Field(description="Why there is no answer; None when there is one.")
    confidence: float | None = Field(description="Of the answer, or of the guess that is not given.")
    candidates: list[Candidate] = Field(description="Best first.")
    notice: str


class Completion(BaseModel):
    """A response."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: Usage
    system_fingerprint: str | None = None
    radvqa: Told


class Delta(BaseModel):
    """What is new."""

    role: Literal["assistant"] | None = None
    content: str | None = None


class ChunkChoice(BaseModel):
    """The next piece of the one answer."""

    index: Literal[0] = 0
    delta: Delta
    finish_reason: Literal["stop", "length"] | None = None
    logprobs: Logprobs | None = None


class Chunk(BaseModel):
    """One event of a stream."""

    id: str
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: Usage | None = None
    radvqa: Told | None = None


class ModelCard(BaseModel):
    """A model that can be asked."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str


class ModelCards(BaseModel):
    """All models."""

    object: Literal["list"] = "list"
    data: list[ModelCard]
