"""Many requests to a chat model behind an OpenAI-compatible address, several at once, each reply kept as it comes."""

import asyncio
import hashlib
import json
import os
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any, TypeVar

import httpx

from radvqa.endpoint import wire
from radvqa.endpoint.address import KEY_VARIABLE, completions_address, usable_key
from radvqa.endpoint.cache import ReplyCache
from radvqa.endpoint.error import EndpointError
from radvqa.endpoint.exchange import Asked, ChatRequest, Reply
from radvqa.endpoint.problem import Problem
from radvqa.endpoint.retry import LONGEST_WISH, wait_before

_REFUSALS = 10  # so many without a single reply mean that the server refuses everything

Result = TypeVar("Result")
OnReply = Callable[[int, Reply], None]


class ChatEndpoint:
    """A chat model behind an OpenAI-compatible address.

    Only this address is talked to: proxies that the environment names are not used, redirects are not followed. The
    key goes into the request's header and nowhere else.

    Args:
        base_url: what comes before ``/chat/completions``, for instance ``http://127.0.0.1:8000/v1``.
        model: the model's name, as the server knows it.
        api_key: by default the environment's ``RADVQA_API_KEY``; servers of one's own mostly need none.
        timeout: seconds for one request from sending it to the whole reply.
        retries: how often one request is sent again after a timeout, a broken connection, HTTP 429 or HTTP 5xx.
        concurrency: requests under way at once.
        temperature: of sampling; 0 takes the likeliest token, None leaves it to the server.
        max_tokens: limit of one reply; None leaves it to the server.
        seed: of sampling, where the server knows it; None leaves it to the server.
        logprobs: ask how probable each reply was; servers that cannot say may refuse to be asked.

    Raises:
        EndpointError: when the address, the key or a number cannot be used.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        api_key: str | None = None,
        timeout: float = 120.0,
        retries: int = 5,
        concurrency: int = 8,
        temperature: float | None = 0.0,
        max_tokens: int | None = 512,
        seed: int | None = 0,
        logprobs: bool = False,
    ) -> None:
        if not timeout > 0 or retries < 0 or concurrency < 1:
            raise EndpointError(
                f"An endpoint needs a timeout above 0, retries of at least 0 and a concurrency of at least 1; found "
                f"timeout={timeout:g}, retries={retries}, concurrency={concurrency}."
            )
        self.url = completions_address(base_url)
        self.model, self.timeout, self.retries, self.concurrency = model, timeout, retries, concurrency
        chosen = {"temperature": temperature, "max_tokens": max_tokens, "seed": seed, "logprobs": logprobs or None}
        self.sampling: dict[str, float] = {name: value for name, value in chosen.items() if value is not None}
        self._key = usable_key(os.environ.get(KEY_VARIABLE, "") if api_key is None else api_key)
        self._form = 0  # which way to ask for JSON the server is known to accept; see wire.forms
        self._answers = False  # whether the model is known to answer anything

    def key(self, request: ChatRequest) -> str:
        """SHA-256 of all that decides the reply: model, messages, sampling parameters and schema."""
        content = [self.model, list(request.messages), self.sampling, request.schema]
        return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    def ask_many(
        self, requests: Sequence[ChatRequest], cache: ReplyCache | None = None, on_reply: OnReply | None = None
    ) -> Asked:
        """Ask all requests; equal ones are asked once, and those that the cache knows not at all.

        A request that the server refuses (HTTP 400, 413 or 422), as content filters do, gets an empty reply that says
        so and is not cached, as long as the server answers others.

        Args:
            requests: in any order.
            cache: where replies are looked up, and stored as soon as they arrive; None asks everything.
            on_reply: called with the place of a request and its reply, as soon as that is known.

        Raises:
            EndpointError: when the server cannot be reached, fails for good or refuses everything. What had been
                answered is in the cache, so the same call goes on from there.
        """
        places: dict[str, list[int]] = {}
        for place, request in enumerate(requests):
            places.setdefault(self.key(request), []).append(place)
        replies: dict[str, Reply] = {}

        def take(key: str, reply: Reply) -> None:
            replies[key] = reply
            if on_reply:
                for place in places[key]:
                    on_reply(place, reply)

        for key, reply in (cache.find(places) if cache else {}).items():
            take(key, reply)
        cached = len(replies)
        waiting = {key: requests[at[0]] for key, at in places.items() if key not in replies}
        self._answers = self._answers or bool(replies)
        call = _Call(self)
        if waiting:
            _run(call.ask(waiting, cache, take))
        if call.problem:
            answered = sum(1 for key in waiting if key in replies and not replies[key].refused)
            raise EndpointError(self._sentence(call.problem, len(waiting), answered, cache))
        return Asked(
            [replies[key] for key in map(self.key, requests)],
            call.sent,
            cached,
            sum(reply.prompt_tokens for reply in replies.values()),
            sum(reply.completion_tokens for reply in replies.values()),
        )

    def _sentence(self, problem: Problem, asked: int, answered: int, cache: ReplyCache | None) -> str:
        """Say which address, what happened, and what to do."""
        kept = f"; {answered} of {asked} replies came before and are kept in {cache.path}" if cache and answered else ""
        after = ", then run the same again to go on from there." if kept else "."
        return self._without_key(f"{self.url} {problem.what}{kept}; {problem.advice}{after}")

    def _without_key(self, text: str) -> str:
        return text.replace(self._key, "[key]") if self._key else text  # servers may repeat what they refuse

    def body(self, request: ChatRequest, form: Mapping[str, Any] | None) -> dict[str, Any]:
        """Write a request as the chat API has it; ``form`` says how the reply is to be written."""
        written = {"model": self.model, "messages": list(request.messages), **self.sampling, "stream": False}
        return written | ({"response_format": form} if form else {})

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            headers={"Authorization": f"Bearer {self._key}"} if self._key else {},
            timeout=None,  # noqa: S113 - wire.post has its own
            limits=httpx.Limits(max_connections=self.concurrency),
            trust_env=False,
        )


class _Call:
    """One call of ``ask_many`` while it runs."""

    def __init__(self, endpoint: ChatEndpoint) -> None:
        self.endpoint = endpoint
        self.sent = 0
        self.problem: Problem | None = None
        self._refusals: list[Problem] = []
        self._over = asyncio.Event()

    async def ask(
        self, waiting: Mapping[str, ChatRequest], cache: ReplyCache | None, take: Callable[[str, Reply], None]
    ) -> None:
        """Ask everything; ends early with ``problem`` set, after the requests under way have ended."""
        rest = iter(waiting.items())
        with cache.writing() if cache else nullcontext(None) as store:
            async with self.endpoint._client() as client:
                workers = min(self.endpoint.concurrency, len(waiting))
                await asyncio.gather(*(self._work(client, rest, store, take) for _ in range(workers)))
        if self._refusals and not self.endpoint._answers:
            self.problem = self.problem or self._refusals[0]

    async def _work(
        self,
        client: httpx.AsyncClient,
        rest: Iterator[tuple[str, ChatRequest]],
        store: Callable[[str, Reply], None] | None,
        take: Callable[[str, Reply], None],
    ) -> None:
        for key, request in rest:
            reply = await self._ask(client, request)
            if reply is not None:
                if store and not reply.refused:
                    store(key, reply)
                take(key, reply)
            if self.problem:
                return

    async def _ask(self, client: httpx.AsyncClient, request: ChatRequest) -> Reply | None:
        """Ask one request until it is answered, refused or given up (None)."""
        forms = wire.forms(request.schema)
        form = min(self.endpoint._form, len(forms) - 1)
        failed = 0
        while True:
            self.sent += 1
            outcome = await wire.post(
                client, self.endpoint.url, self.endpoint.body(request, forms[form]), self.endpoint.timeout
            )
            if isinstance(outcome, Reply):
                self.endpoint._answers = True
                if request.schema is not None:
                    self.endpoint._form = max(self.endpoint._form, form)
                return outcome
            if outcome.refused:
                if form + 1 < len(forms):
                    form += 1
                    continue
                return self._refuse(outcome)
            failed += 1
            if not outcome.passing or failed > self.endpoint.retries or (outcome.wish or 0) > LONGEST_WISH:
                self._stop(outcome, failed)
                return None
            if await self._over_within(wait_before(failed, outcome.wish)):
                return None

    def _refuse(self, problem: Problem) -> Reply | None:
        self._refusals.append(problem)
        if not self.endpoint._answers and len(self._refusals) >= _REFUSALS:
            self._stop(problem, 1)
            return None
        return Reply("", refused=self.endpoint._without_key(problem.what))

    def _stop(self, problem: Problem, failed: int) -> None:
        """Begin nothing new; the first problem is the one that is told."""
        if self.problem is None:
            wish = f", and wants {problem.wish:g} s of rest" if (problem.wish or 0) > LONGEST_WISH else ""
            times = f", {failed} times in a row" if failed > 1 else ""
            self.problem = Problem(f"{problem.what}{wish}{times}", problem.advice)
        self._over.set()

    async def _over_within(self, seconds: float) -> bool:
        """Wait, or learn sooner that another request has ended the call."""
        try:
            await asyncio.wait_for(self._over.wait(), seconds)
        except TimeoutError:
            return False
        return True


def _run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run to the end, also where an event loop runs already, as in notebooks."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()
