"""Endpoint: a vision-language model behind an OpenAI-compatible chat address, asked with no or a few examples.

vLLM, SGLang, Ollama, ``transformers serve`` and clouds speak this protocol. Nothing is trained: a run of this family
holds the way of asking, and its answers are those of whatever the server serves under the model's name. The key of
the address comes from the environment's ``RADVQA_API_KEY`` alone and is written nowhere.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from torch import Tensor, nn

from radvqa import files, fingerprint
from radvqa.data.dataset import Problems
from radvqa.data.store import ImageStore
from radvqa.endpoint.address import completions_address
from radvqa.endpoint.cache import ReplyCache
from radvqa.endpoint.client import ChatEndpoint
from radvqa.endpoint.exchange import ChatRequest, Message, Reply, user_message
from radvqa.errors import RadvqaError, WeightsError
from radvqa.models.family import Answered, Context, ModelAnswer, StepLoss, VqaModel
from radvqa.models.origin import answers_of
from radvqa.models.picture_files import Format, PictureFile, data_uri
from radvqa.models.prompts import Prompts
from radvqa.models.replies import clean
from radvqa.models.shots import Shot, choose_shots
from radvqa.models.usable import usable
from radvqa.models.vocabulary import AnswerVocabulary
from radvqa.sample import Sample

_PER_PRICE = 1_000_000  # prices are for a million tokens


class EndpointOptions(BaseModel):
    """Options of the family, beside ``family`` in a recipe."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str = Field(description="What comes before /chat/completions, for instance http://127.0.0.1:8000/v1.")
    model: str = Field(min_length=1, description="The model's name, as the server knows it.")
    prompts: Prompts = Field(Prompts.model_validate({}), description="How samples are put into words.")
    system: str = Field("", description="Said before everything else; some models know no such role, so none is usual.")
    shots: int = Field(
        0, ge=0, le=64, description="Training samples shown with their answers before each question; see shots.py."
    )
    shot_pictures: bool = Field(
        False,
        description="Send the examples' pictures too. The run folder then holds them (some 100 kB each at the usual "
        "size), and every request carries them.",
    )
    image_side: int = Field(1024, ge=16, le=8192, description="Longer side of the pictures sent, at most, in pixels.")
    image_format: Format = Field("png", description="png keeps every pixel, jpeg is smaller.")
    max_tokens: int | None = Field(256, ge=1, description="Limit of a reply; null leaves it to the server.")
    temperature: float | None = Field(
        0.0, ge=0, description="Of sampling; 0 takes the likeliest token, null leaves it to the server."
    )
    seed: int | None = Field(0, description="Of sampling, where the server knows it; null sends none.")
    confidence: bool = Field(
        False,
        description="Ask for log-probabilities; the probability of the whole reply is then the answer's confidence. "
        "Servers that cannot tell them overlook the wish, and there is no confidence, or refuse.",
    )
    first_line: bool = Field(False, description="Of each reply keep the first line, for models that go on to explain.")
    concurrency: int = Field(8, ge=1, description="Requests under way at once.")
    timeout: float = Field(300.0, gt=0, description="Seconds for one request.")
    retries: int = Field(5, ge=0, description="How often one request is sent again after a passing failure.")
    price_per_million_prompt_tokens: float | None = Field(None, ge=0, description="In any currency.")
    price_per_million_completion_tokens: float | None = Field(None, ge=0, description="In the same currency.")
    cache: str | None = Field(
        None,
        description="File of the replies; null names one for this address and model in the cache folder. When other "
        "weights are served under the same name, delete it or name another.",
    )

    @field_validator("base_url")
    @classmethod
    def _is_an_address(cls, base_url: str) -> str:
        completions_address(base_url)  # before anything is written: a password in an address must not reach a run
        return base_url

    @model_validator(mode="after")
    def _both_prices(self) -> "EndpointOptions":
        if (self.price_per_million_prompt_tokens is None) != (self.price_per_million_completion_tokens is None):
            raise ValueError("give both prices, or none")
        return self


@dataclass
class EndpointRows:
    """Prepared samples; what is asked of each is written when it is asked."""

    samples: Sequence[Sample]
    image_keys: Sequence[str]
    image_rows: Tensor


class EndpointModel:
    """A ``VqaModel`` that lives elsewhere.

    Args:
        options: the way of asking.
        known: the training answers, which only tell whether a gold answer occurred among them.
        shots: examples shown before each question.
        device: of row numbers.
    """

    def __init__(
        self, options: EndpointOptions, known: AnswerVocabulary, shots: Sequence[Shot], device: torch.device
    ) -> None:
        self.options, self.known, self.shots, self.device = options, known, tuple(shots), device
        self.module = nn.Module()
        self.store = _store(options)
        self.cache = ReplyCache(_cache_file(options))
        self.endpoint = ChatEndpoint(
            options.base_url,
            options.model,
            timeout=options.timeout,
            retries=options.retries,
            concurrency=options.concurrency,
            temperature=options.temperature,
            max_tokens=options.max_tokens,
            seed=options.seed,
            logprobs=options.confidence,
        )
        self._examples = [message for shot in self.shots for message in _example(shot)]
        self._requests = self._cached = 0
        self._replies: dict[tuple[str, str], Reply] = {}  # by picture and prompt, so that each is counted once

    @property
    def parts(self) -> Mapping[str, nn.Module]:
        """There is nothing to freeze or learn."""
        return {}

    def prepare(self, samples: Sequence[Sample], problems: Problems) -> EndpointRows:
        """Encode each distinct picture once, on disk; see ``VqaModel.prepare``."""
        keys = self.store.add(samples, problems)
        known = usable(samples, keys, problems)
        image_keys = [keys[sample.id] for sample in known]
        places = {key: place for place, key in enumerate(dict.fromkeys(image_keys))}
        return EndpointRows(known, image_keys, torch.tensor([places[key] for key in image_keys], device=self.device))

    def loss(self, prepared: EndpointRows, rows: Tensor, *, label_smoothing: float = 0.0) -> StepLoss:
        """Refuse.

        Raises:
            RadvqaError: always.
        """
        raise RadvqaError("The family endpoint trains nothing: the model lives behind an address; only evaluate it.")

    def answer(self, prepared: EndpointRows, rows: Tensor, *, with_loss: bool = True) -> Answered:
        """Ask about some rows, those of one picture side by side, which servers that cache prefixes answer sooner.

        Memory holds the pictures of these rows only. There is no loss.

        Raises:
            EndpointError: when the server fails; the same call goes on from there.
        """
        numbers = rows.tolist()
        order = sorted(range(len(numbers)), key=lambda place: int(prepared.image_rows[numbers[place]]))
        asked = [(prepared.image_keys[numbers[p]], prepared.samples[numbers[p]]) for p in order]
        uris = {key: data_uri(self.store, key, self.options.image_format) for key, _ in asked}
        said = self.endpoint.ask_many([self.request(sample, uris[key]) for key, sample in asked], self.cache)
        self._requests += said.requests
        self._cached += said.cached
        answers: dict[int, ModelAnswer] = {}
        for place, (key, sample), reply in zip(order, asked, said.replies, strict=True):
            prompt = self.options.prompts.of(sample)
            self._replies[key, prompt] = reply
            answers[place] = self._read(reply, prompt)
        return Answered([answers[place] for place in range(len(numbers))], 0.0)

    def request(self, sample: Sample, picture: str) -> ChatRequest:
        """Write what is asked of a sample, whose picture is given as a data URI."""
        system: list[Message] = [{"role": "system", "content": self.options.system}] if self.options.system else []
        return ChatRequest([*system, *self._examples, _asked(self.options.prompts.of(sample), picture)])

    def _read(self, reply: Reply, prompt: str) -> ModelAnswer:
        text = clean(reply.text, prompt=prompt, first_line=self.options.first_line)
        if reply.log_probability is None:
            return ModelAnswer(text, None)
        confidence = round(min(1.0, math.exp(min(0.0, reply.log_probability))), 6)
        return ModelAnswer(text, confidence)

    def answer_is_known(self, answer: str) -> bool:
        """Whether the answer occurred in training (normalised), which the server's model need not have seen."""
        return self.known.knows(answer)

    def spec(self) -> dict[str, Any]:
        """Plain values that ask the same way again; examples are whole, so that no training data is needed."""
        return {
            "options": self.options.model_dump(mode="json"),
            "known": asdict(self.known),
            "shots": [asdict(shot) for shot in self.shots],
        }

    def state(self) -> dict[str, Tensor]:
        """There is nothing to keep."""
        return {}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Accept the empty state.

        Raises:
            WeightsError: for any other.
        """
        if state:
            raise WeightsError(f"A run of the family endpoint has no weights; found {', '.join(sorted(state)[:5])}.")

    def notes(self) -> dict[str, Any]:
        """Counts for the run.

        Returns:
            ``requests`` sent, repeated ones included; ``cached``, distinct requests that the cache answered;
            ``refused`` by the server, ``empty`` (the refused included) and ``answers_cut_at_the_limit``, distinct
            questions of each kind; ``prompt_tokens`` and ``completion_tokens`` of all distinct replies, cached ones
            included, as the server counts; and their ``cost``, whenever it arose, null without prices.
        """
        replies = list(self._replies.values())
        prompt = sum(reply.prompt_tokens for reply in replies)
        completion = sum(reply.completion_tokens for reply in replies)
        return {
            "requests": self._requests,
            "cached": self._cached,
            "refused": sum(1 for reply in replies if reply.refused),
            "empty": sum(1 for reply in replies if not reply.text.strip()),
            "answers_cut_at_the_limit": sum(1 for reply in replies if reply.finish_reason == "length"),
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "cost": self._cost(prompt, completion),
        }

    def _cost(self, prompt: int, completion: int) -> float | None:
        for_prompt = self.options.price_per_million_prompt_tokens
        for_completion = self.options.price_per_million_completion_tokens
        if for_prompt is None or for_completion is None:
            return None
        return round((prompt * for_prompt + completion * for_completion) / _PER_PRICE, 6)


class EndpointFamily:
    """Builds models that live elsewhere."""

    options = EndpointOptions

    def build(self, options: EndpointOptions, context: Context) -> VqaModel:
        """Choose the examples."""
        known, _ = answers_of(context.training)
        return EndpointModel(options, known, _shots(options, context), context.device)

    def rebuild(self, spec: Mapping[str, Any], device: torch.device) -> VqaModel:
        """Build the model that a spec describes; no server is talked to."""
        options = EndpointOptions.model_validate(spec["options"])
        known = AnswerVocabulary.from_plain(spec["known"])
        return EndpointModel(options, known, [Shot(**shot) for shot in spec["shots"]], device)

    def skeleton(self, options: EndpointOptions) -> nn.Module:
        """There is no parameter."""
        return nn.Module()


def _shots(options: EndpointOptions, context: Context) -> list[Shot]:
    """Choose the examples and write them; with pictures, only samples whose picture can be decoded count."""
    if not options.shots:
        return []
    if not options.shot_pictures:
        chosen = choose_shots(context.training, options.shots, context.seed)
        return [Shot(options.prompts.of(sample), sample.answer) for sample in chosen]
    store = _store(options)
    keys = store.add(context.training, context.problems)
    chosen = choose_shots([sample for sample in context.training if sample.id in keys], options.shots, context.seed)
    return [Shot(options.prompts.of(s), s.answer, data_uri(store, keys[s.id], options.image_format)) for s in chosen]


def _store(options: EndpointOptions) -> ImageStore:
    return ImageStore(PictureFile(options.image_side, options.image_format))


def _cache_file(options: EndpointOptions) -> Path:
    """One file for each address and model: what one server says under a name is not what another says."""
    if options.cache is not None:
        return Path(options.cache).expanduser()
    name = re.sub(r"[^\w.-]+", "-", options.model)[-60:].strip(".-")
    which = fingerprint.of_value([completions_address(options.base_url), options.model])[:12]
    return files.cache_folder() / "replies" / f"{name}-{which}.sqlite"


def _example(shot: Shot) -> list[Message]:
    asked = _asked(shot.prompt, shot.picture) if shot.picture else user_message(shot.prompt)
    return [asked, {"role": "assistant", "content": shot.answer}]


def _asked(prompt: str, picture: str) -> Message:
    """Write a question about a picture, the picture first, as the models' own templates mostly have it."""
    seen = {"type": "image_url", "image_url": {"url": picture}}
    return {"role": "user", "content": [seen, {"type": "text", "text": prompt}]}


FAMILY = EndpointFamily()
