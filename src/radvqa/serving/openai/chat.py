"""``/v1/chat/completions``: a question about a picture, as OpenAI's clients ask it."""

import json
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header

from radvqa.asking import NOTICE
from radvqa.serving.answerers.answerer import Asked, Token
from radvqa.serving.events import EVENTS, EventStream, Tell, told
from radvqa.serving.openai import speaking, wire
from radvqa.serving.openai.conversation import asked_of
from radvqa.serving.openai.errors import REFUSALS, ApiError, body
from radvqa.serving.openai.models import offer_of
from radvqa.serving.openai.seen import Seen
from radvqa.serving.openai.speaking import Cut, Deltas, Said, Spelling
from radvqa.serving.service import Service
from radvqa.serving.shelf import Loaded


@dataclass(frozen=True)
class _Question:
    """All that is known before a model is asked."""

    id: str
    created: int
    model: str
    offer: str
    loaded: Loaded
    asked: Asked
    request: wire.ChatRequest
    guess: bool
    cut: Cut

    @property
    def must_be_heard(self) -> bool:
        """Whether the model must tell every token, which costs it the company of other questions."""
        answerer, limit = self.loaded.answerer, self.cut.limit
        own = speaking.own_limit(answerer)
        cuts = limit is not None and (own is None or limit < own)
        return self.loaded.can_be_heard and bool(self.request.logprobs or self.request.stream or cuts)


def router(service: Service) -> APIRouter:
    """The door for chats."""
    doors = APIRouter(prefix="/v1", tags=["OpenAI"], responses=REFUSALS)
    seen, spelling = Seen(service), Spelling()

    @doors.post("/chat/completions", response_model=wire.Completion, responses=EVENTS)
    async def complete(
        request: wire.ChatRequest,
        x_radvqa_guess: Annotated[bool, Header(description="Give the best guess where a model would abstain.")] = False,
    ) -> Any:
        """Ask a model the last question of a conversation about its last picture."""
        refused = request.unsupported()
        if refused:
            raise ApiError(f"{refused[0]}: {refused[1]}.", param=refused[0], code="unsupported_parameter")
        offer, guess = offer_of(service, request.model)
        text, address = asked_of(request.messages, service.settings.limits.question)
        asked = await seen.asked(address, text)
        question = _Question(
            f"chatcmpl-{secrets.token_hex(12)}",
            int(time.time()),
            request.model,
            offer.name,
            await offer.loaded(),
            asked,
            request,
            guess or x_radvqa_guess or request.radvqa.guess,
            Cut(request.stops, request.limit),
        )
        if not request.stream:
            return _completion(question, await _answered(question))
        if question.must_be_heard:
            question.loaded.batcher.require_room()
            return _sent(_written(question, spelling))
        return _sent(_whole(question, await _answered(question)))

    return doors


async def _answered(question: _Question) -> Said:
    """Ask and wait."""
    if not question.must_be_heard:
        reply = await question.loaded.batcher.ask(question.asked)
        return speaking.said(reply, question.cut, guess=question.guess)
    texts: list[str] = []
    reply = await question.loaded.heard(question.asked, texts.append)
    return speaking.said(reply, question.cut, texts, guess=question.guess)


def _completion(question: _Question, answer: Said) -> wire.Completion:
    return wire.Completion(
        id=question.id,
        created=question.created,
        model=question.model,
        choices=[
            wire.Choice(
                message=wire.AnswerMessage(content=answer.text),
                finish_reason=answer.finish,
                logprobs=_logprobs(question.request, answer),
            )
        ],
        usage=_usage(answer),
        radvqa=_told(answer),
    )


def _sent(chunks: AsyncIterator[str]) -> EventStream:
    return EventStream(chunks, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})


async def _written(question: _Question, spelling: Spelling) -> AsyncIterator[str]:
    """Send an answer while it is written; who stops listening stops the writing."""
    deltas = Deltas(question.cut)
    texts: list[str] = []

    async def work(tell: Tell) -> None:
        def say(text: str) -> None:
            texts.append(text)
            tell.check()
            if spelling.sure(question.offer, question.loaded.answerer):
                tell("text", text=text)

        reply = await question.loaded.heard(question.asked, say)
        tell("answer", answer=speaking.said(reply, question.cut, texts, guess=question.guess))

    yield _chunk(question, wire.Delta(role="assistant", content=""))
    async with aclosing(told(work)) as events:
        async for event, values in events:
            if event == "text" and (new := deltas.more(values["text"])):
                yield _chunk(question, wire.Delta(content=new))
            elif event == "answer":
                answer: Said = values["answer"]
                for line in _ending(question, answer, deltas.rest(answer.text)):
                    yield line
            elif event == "failed":
                yield _line(json.dumps(body(values["error"], 500)))


async def _whole(question: _Question, answer: Said) -> AsyncIterator[str]:
    """Send an answer that is there."""
    yield _chunk(question, wire.Delta(role="assistant", content=""))
    for line in _ending(question, answer, answer.text):
        yield line


def _ending(question: _Question, answer: Said, rest: str) -> list[str]:
    """The last chunks: what is left of the answer, why it ends, its usage, and the end."""
    asked = question.request
    last = _chunk(question, wire.Delta(), answer.finish, _logprobs(asked, answer), told_of=answer)
    lines = [_chunk(question, wire.Delta(content=rest))] if rest else []
    counted = [_line(_head(question, choices=[], usage=_usage(answer)).model_dump_json(exclude={"radvqa"}))]
    return [*lines, last, *(counted if asked.with_usage else []), _line("[DONE]")]


def _chunk(
    question: _Question,
    delta: wire.Delta,
    finish: Literal["stop", "length"] | None = None,
    logprobs: wire.Logprobs | None = None,
    told_of: Said | None = None,
) -> str:
    choice = wire.ChunkChoice(delta=delta, finish_reason=finish, logprobs=logprobs)
    chunk = _head(question, choices=[choice], radvqa=_told(told_of) if told_of else None)
    absent = {"choices": {0: {"delta": {name for name, value in delta if value is None}}}}
    left_out = {name for name in ("radvqa", "usage") if getattr(chunk, name) is None}
    if question.request.with_usage:
        left_out.discard("usage")  # null in every chunk but the last, as OpenAI does
    return _line(chunk.model_dump_json(exclude={**absent, **dict.fromkeys(left_out, True)}))


def _head(question: _Question, **rest: Any) -> wire.Chunk:
    return wire.Chunk(id=question.id, created=question.created, model=question.model, **rest)


def _line(data: str) -> str:
    return f"data: {data}\n\n"


def _told(answer: Said) -> wire.Told:
    reply = answer.reply
    candidates = [wire.Candidate(answer=text, probability=p) for text, p in reply.candidates]
    return wire.Told(abstained=reply.abstained, confidence=reply.confidence, candidates=candidates, notice=NOTICE)


def _usage(answer: Said) -> wire.Usage:
    return wire.Usage(completion_tokens=len(answer.tokens), total_tokens=len(answer.tokens))


def _logprobs(asked: wire.ChatRequest, answer: Said) -> wire.Logprobs | None:
    """How likely each token was, when that was asked and the model tells it."""
    if not asked.logprobs or not answer.tokens:
        return None
    return wire.Logprobs(content=[_token(token, asked.top_logprobs or 0) for token in answer.tokens])


def _token(token: Token, others: int) -> wire.TokenLogprob:
    return wire.TokenLogprob(
        token=token.text,
        logprob=token.log_probability,
        bytes=_bytes(token.text),
        top_logprobs=[
            wire.TopLogprob(token=text, logprob=value, bytes=_bytes(text)) for text, value in token.others[:others]
        ],
    )


def _bytes(text: str) -> list[int]:
    return list(text.encode("utf-8", "replace"))
