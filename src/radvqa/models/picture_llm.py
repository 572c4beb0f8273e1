"""A sight in front of any causal language model: image tokens, then prompt, then answer.

Source: seed 003 (frozen domain encoder → query transformer → domain language model with LoRA); with a projector
instead of the query transformer it is the plan of LLaVA and, with a frozen encoder, of seed 002's first stage.

Letters: ``b`` questions, ``m`` prefixes, ``q`` image tokens, ``h`` size of the language model, ``c`` training answers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from radvqa.data.dataset import Problems
from radvqa.data.store import ImageStore
from radvqa.errors import WeightsError
from radvqa.models import hub, parts
from radvqa.models.decoder import CausalDecoder, Prefix, Read
from radvqa.models.generator_net import IMAGE_TOKEN, Lesson, Teaching, Written
from radvqa.models.parts import Assembly
from radvqa.models.prompts import Prompts
from radvqa.sample import Sample


class Sight(Protocol):
    """Sees pictures, as questions ask, and tells a language model in image tokens.

    Attributes:
        store: holds the pictures.
    """

    store: ImageStore

    @property
    def tokens(self) -> int:
        """Image tokens of a prefix, ``q``."""
        ...

    @property
    def device(self) -> torch.device:
        """Where the parts are."""
        ...

    @property
    def published(self) -> Sequence[str]:
        """Names of the checkpoints that it is made of."""
        ...

    def image_keys(self, samples: Sequence[Sample], problems: Problems) -> dict[str, str]:
        """Return the picture's content key by sample id; unreadable pictures are reported and left out."""
        ...

    def encode(self, samples: Sequence[Sample], image_keys: Sequence[str], texts: Sequence[str]) -> Any:
        """Turn samples into whatever the other methods index; ``texts`` are the questions, or what stands for them."""
        ...

    def image_rows(self, seen: Any) -> Tensor:
        """Which distinct picture each row shows, ``(rows,)``."""
        ...

    def prefixes(self, seen: Any, rows: Tensor) -> tuple[Tensor, Tensor]:
        """The distinct prefixes of some rows, ``(m,)``, and which one each row follows, ``(b,)``."""
        ...

    def images(self, seen: Any, prefixes: Tensor) -> Tensor:
        """Image tokens of some prefixes, ``(m, q, h)``."""
        ...

    def write_merged(self, folder: Path) -> None:
        """Write what was learned of it."""
        ...


@dataclass(frozen=True)
class PictureLlmInputs:
    """What the net indexes by row.

    Attributes:
        seen: of the sight.
        prompts: tokens of each row's prompt.
    """

    seen: Any
    prompts: Sequence[Sequence[int]]


class PictureLlm:
    """A ``GeneratorNet``: sight and language model.

    Args:
        sight: sees.
        module: all parts under one roof; ``language_model`` is one, and ``chooser`` may be.
        tokenizer: of the language model.
        language_model: its name.
        prompts: how samples are put to it.
    """

    def __init__(self, sight: Any, module: Assembly, tokenizer: Any, language_model: str, prompts: Prompts) -> None:
        self.sight: Sight = sight
        self.module, self.tokenizer = module, tokenizer
        self._name, self._prompts = language_model, prompts
        self.parts: Mapping[str, nn.Module] = dict(module.named_children())
        self.chooser = self.parts.get("chooser")
        self.wrapped: Any = self.parts["language_model"]
        inner = parts.inner(self.wrapped)
        self.end = _end_of(tokenizer, language_model)
        self.decoder = CausalDecoder(inner.base_model, inner.get_input_embeddings(), _head_of(inner), [self.end])
        begin = tokenizer.bos_token_id
        self.begins = [] if begin is None else [int(begin)]

    @property
    def store(self) -> ImageStore:
        """Holds the pictures."""
        return self.sight.store

    @store.setter
    def store(self, store: ImageStore) -> None:
        self.sight.store = store

    def digests(self) -> dict[str, str]:
        """Fingerprints of the checkpoints as published."""
        return {name: hub.digest(name) for name in (*self.sight.published, self._name)}

    def image_keys(self, samples: Sequence[Sample], problems: Problems) -> dict[str, str]:
        """Put the pictures into the store."""
        return self.sight.image_keys(samples, problems)

    def prompt_of(self, sample: Sample) -> str:
        """What is read after the image tokens."""
        return self._prompts.of(sample)

    def encode(self, samples: Sequence[Sample], image_keys: Sequence[str]) -> PictureLlmInputs:
        """Tokenise the prompts, and let the sight do its part."""
        prompts = [self.prompt_of(sample) for sample in samples]
        texts = [sample.question.strip() or prompt for sample, prompt in zip(samples, prompts, strict=True)]
        seen = self.sight.encode(samples, image_keys, texts)
        return PictureLlmInputs(seen, [self._tokens(prompt) for prompt in prompts])

    @property
    def teaching(self) -> Teaching:
        """Writing, unless the chooser learns."""
        if self.chooser is None or not _learns(self.chooser):
            return "writing"
        return "both" if _learns(self.wrapped) else "choosing"

    def choices(self, inputs: PictureLlmInputs, rows: Tensor) -> Tensor:
        """Score every training answer from the mean image token, ``(b, c)``."""
        if self.chooser is None:
            raise ValueError("there is no chooser")
        shown, index = self.sight.prefixes(inputs.seen, rows)
        scores: Tensor = self.chooser(self.sight.images(inputs.seen, shown).mean(1))
        return scores[index]

    def image_rows(self, inputs: PictureLlmInputs) -> Tensor:
        """Which distinct picture each row shows."""
        return self.sight.image_rows(inputs.seen)

    def answer_tokens(self, answer: str) -> list[int]:
        """The answer after a space, and the end."""
        return [*self._tokens(f" {answer.strip()}"), self.end]

    def prompts(self, inputs: PictureLlmInputs, rows: Tensor) -> list[str]:
        """What is read after the image tokens."""
        return [self.tokenizer.decode(inputs.prompts[row]) for row in rows.tolist()]

    def lesson(self, inputs: PictureLlmInputs, rows: Tensor, answers: Sequence[Sequence[int]]) -> Lesson:
        """Image tokens, prompt, answer."""
        shown, index = self.sight.prefixes(inputs.seen, rows)
        tokens = self._prefix_tokens(len(shown))
        blank = torch.empty(*tokens.shape, 0, device=tokens.device)
        prefix = Prefix.plain(tokens, blank, torch.ones_like(tokens, dtype=torch.bool))
        return self.decoder.lesson(prefix, index, [inputs.prompts[row] for row in rows.tolist()], answers)

    def logits(self, inputs: PictureLlmInputs, rows: Tensor, lesson: Lesson) -> Tensor:
        """Read each distinct prefix once, then every question that follows it."""
        shown, index = self.sight.prefixes(inputs.seen, rows)
        return self.decoder.logits(self._read(inputs, shown), index, lesson)

    def write(self, inputs: PictureLlmInputs, rows: Tensor, limit: int) -> list[Written]:
        """Read each distinct prefix once, then write."""
        shown, index = self.sight.prefixes(inputs.seen, rows)
        prompts = [inputs.prompts[row] for row in rows.tolist()]
        return self.decoder.write(self._read(inputs, shown), index, prompts, limit)

    def write_merged(self, folder: Path) -> None:
        """Write ``language_model/`` for plain ``transformers``, and what the sight has learned."""
        parts.merge(self.wrapped).save_pretrained(folder / "language_model")
        self.tokenizer.save_pretrained(folder / "language_model")
        self.sight.write_merged(folder)

    def _tokens(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def _prefix_tokens(self, prefixes: int) -> Tensor:
        row = torch.tensor([*self.begins, *[IMAGE_TOKEN] * self.sight.tokens], device=self.sight.device)
        return row.expand(prefixes, -1)

    def _read(self, inputs: PictureLlmInputs, shown: Tensor) -> Read:
        return self.read(self.sight.images(inputs.seen, shown))

    def read(self, images: Tensor) -> Read:
        """Read prefixes of image tokens, ``(m, q, h)``."""
        tokens = self._prefix_tokens(len(images))
        first = self.decoder.embed(tokens[:, : len(self.begins)])
        embeddings = torch.cat([first, images.to(first.dtype)], 1)
        return self.decoder.read(Prefix.plain(tokens, embeddings, torch.ones_like(tokens, dtype=torch.bool)))


def _learns(module: nn.Module) -> bool:
    return any(parameter.requires_grad for parameter in module.parameters())


def _end_of(tokenizer: Any, name: str) -> int:
    if tokenizer.eos_token_id is None:
        raise WeightsError(
            f"{name}: its tokeniser names no token that ends a text (eos_token), so no answer would ever end; set it "
            f"in tokenizer_config.json."
        )
    return int(tokenizer.eos_token_id)


def _head_of(language_model: Any) -> Any:
    """States → logits, as the whole model computes them."""
    head = language_model.get_output_embeddings()
    cap = getattr(language_model.config, "final_logit_softcapping", None)
    if cap is None:
        return head
    return lambda states: torch.tanh(head(states) / cap) * cap
