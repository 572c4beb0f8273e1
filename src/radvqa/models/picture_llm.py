"""Any image encoder in front of any causal language model: patches become image tokens, then prompt, then answer.

Source: seed 003 (frozen domain encoder → query transformer → domain language model with LoRA); with a projector
instead of the query transformer it is the plan of LLaVA and, with a frozen encoder, of seed 002's first stage.

What is read before the prompt is a *prefix*: one for each distinct picture, or, where the queries read the question,
one for each distinct picture and question.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from radvqa.data.dataset import Problems
from radvqa.data.store import ImageStore, Preprocessing
from radvqa.errors import WeightsError
from radvqa.models import checkpoint, features, hub, parts
from radvqa.models.decoder import CausalDecoder, Prefix, Read
from radvqa.models.family import Context
from radvqa.models.fusion import Projector, QueryTransformer
from radvqa.models.generator_net import IMAGE_TOKEN, Lesson, Teaching, Written
from radvqa.models.organs import Labelled, OrganReader
from radvqa.models.parts import Assembly
from radvqa.models.picture_llm_options import PictureLlmOptions, modes_of
from radvqa.models.question_queries import QuestionQueries
from radvqa.models.token_vectors import TokenEncoder
from radvqa.sample import Sample

if TYPE_CHECKING:
    from radvqa.models.vision import VisionTower

Fusion = Projector | QueryTransformer | QuestionQueries


@dataclass(frozen=True)
class Asked:
    """Token states of distinct questions.

    Attributes:
        words: half precision, ``(questions, l, t)``.
        real: False on padding, ``(questions, l)``.
    """

    words: Tensor
    real: Tensor

    def some(self, questions: Tensor) -> tuple[Tensor, Tensor]:
        """States and mask of some questions, padded to the longest of them."""
        real = self.real[questions]
        longest = int(real.sum(1).max())
        return self.words[questions, :longest].float(), real[:, :longest]


@dataclass(frozen=True)
class PictureLlmInputs:
    """What the net indexes by row.

    Attributes:
        rows: which distinct picture each row shows, ``(rows,)``.
        prefixes: which distinct prefix each row follows, ``(rows,)``.
        pictures: which distinct picture each prefix shows, ``(prefixes,)``.
        questions: which distinct question each prefix asks, ``(prefixes,)``.
        keys: content keys of the distinct pictures.
        stored: their patches, where the encoder is frozen.
        asked: the distinct questions, where the fusion reads them.
        prompts: tokens of each row's prompt.
    """

    rows: Tensor
    prefixes: Tensor
    pictures: Tensor
    questions: Tensor
    keys: Sequence[str]
    stored: features.Stored | None
    asked: Asked | None
    prompts: Sequence[Sequence[int]]


class PictureLlm:
    """A ``GeneratorNet``: encoder, fusion, language model.

    Args:
        options: shared options.
        module: the parts under one roof.
        tokenizer: of the language model.
    """

    def __init__(self, options: PictureLlmOptions, module: Assembly, tokenizer: Any) -> None:
        self.options, self.modes, self.tokenizer, self.module = options, modes_of(options), tokenizer, module
        self.parts: Mapping[str, nn.Module] = dict(module.named_children())
        self.vision: VisionTower = cast("VisionTower", self.parts["vision"])
        self.fusion: Fusion = cast("Fusion", self.parts["fusion"])
        self.organs = cast("OrganReader | None", self.parts.get("organs"))
        self.reader = cast("TokenEncoder | None", self.parts.get("question_encoder"))
        self.chooser = self.parts.get("chooser")
        self.wrapped: Any = self.parts["language_model"]
        inner = parts.inner(self.wrapped)
        self.end = _end_of(tokenizer, options.language_model)
        self.decoder = CausalDecoder(inner.base_model, inner.get_input_embeddings(), _head_of(inner), [self.end])
        begin = tokenizer.bos_token_id
        self.begins = [] if begin is None else [int(begin)]
        self.store = ImageStore(Preprocessing(options.image_size))

    def learn_organs(self, labelled: Labelled, context: Context) -> None:
        """Learn where organs lie, from the masks and boxes of training pictures."""
        if self.organs is None:
            return
        keys, targets = labelled.targets(self.store.add(labelled.samples, context.problems), self.organs.side)
        stored = features.store(self.vision, self.store, keys, tokens=True)
        device = self.vision.mean.device
        self.organs.learn(
            keys,
            lambda some: stored.tokens(some).to(device, torch.float32),
            targets.to(device),
            self.options.region_folds,
            context.seed,
        )

    def digests(self) -> dict[str, str]:
        """Fingerprints of encoder and language model as published."""
        names = [self.options.vision, self.options.language_model]
        names += [self.reader.name] if self.reader is not None else []
        return {name: hub.digest(name) for name in names}

    def image_keys(self, samples: Sequence[Sample], problems: Problems) -> dict[str, str]:
        """Put the pictures into the store."""
        return self.store.add(samples, problems)

    def encode(self, samples: Sequence[Sample], image_keys: Sequence[str]) -> PictureLlmInputs:
        """Tokenise the prompts; patches of a frozen encoder are computed once for all runs."""
        distinct = list(dict.fromkeys(image_keys))
        place = {key: row for row, key in enumerate(distinct)}
        device = self.vision.mean.device
        rows = torch.tensor([place[key] for key in image_keys], dtype=torch.long, device=device)
        frozen = self.modes["vision"] == "frozen"
        stored = features.store(self.vision, self.store, distinct, tokens=True) if frozen else None
        prompts = [self._tokens(self.options.prompts.of(sample)) for sample in samples]
        if self.reader is None:
            every = torch.arange(len(distinct), device=device)
            return PictureLlmInputs(rows, rows, every, torch.zeros_like(every), distinct, stored, None, prompts)
        texts = [sample.question.strip() or self.options.prompts.of(sample) for sample in samples]
        asking = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        questions = torch.tensor([asking[text] for text in texts], dtype=torch.long, device=device)
        pairs, prefixes = torch.unique(torch.stack([rows, questions]), dim=1, return_inverse=True)
        asked = _asked(self.reader, list(asking), device)
        return PictureLlmInputs(rows, prefixes, pairs[0], pairs[1], distinct, stored, asked, prompts)

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
        shown, index = torch.unique(inputs.prefixes[rows], return_inverse=True)
        scores: Tensor = self.chooser(self._images(inputs, shown).mean(1))
        return scores[index]

    def image_rows(self, inputs: PictureLlmInputs) -> Tensor:
        """Which distinct picture each row shows."""
        return inputs.rows

    def answer_tokens(self, answer: str) -> list[int]:
        """The answer after a space, and the end."""
        return [*self._tokens(f" {answer.strip()}"), self.end]

    def prompts(self, inputs: PictureLlmInputs, rows: Tensor) -> list[str]:
        """What is read after the image tokens."""
        return [self.tokenizer.decode(inputs.prompts[row]) for row in rows.tolist()]

    def lesson(self, inputs: PictureLlmInputs, rows: Tensor, answers: Sequence[Sequence[int]]) -> Lesson:
        """Image tokens, prompt, answer."""
        shown, index = torch.unique(inputs.prefixes[rows], return_inverse=True)
        tokens = self._prefix_tokens(len(shown))
        blank = torch.empty(*tokens.shape, 0, device=tokens.device)
        prefix = Prefix.plain(tokens, blank, torch.ones_like(tokens, dtype=torch.bool))
        return self.decoder.lesson(prefix, index, [inputs.prompts[row] for row in rows.tolist()], answers)

    def logits(self, inputs: PictureLlmInputs, rows: Tensor, lesson: Lesson) -> Tensor:
        """Read each distinct prefix once, then every question that follows it."""
        shown, index = torch.unique(inputs.prefixes[rows], return_inverse=True)
        return self.decoder.logits(self._read(inputs, shown), index, lesson)

    def write(self, inputs: PictureLlmInputs, rows: Tensor, limit: int) -> list[Written]:
        """Read each distinct prefix once, then write."""
        shown, index = torch.unique(inputs.prefixes[rows], return_inverse=True)
        prompts = [inputs.prompts[row] for row in rows.tolist()]
        return self.decoder.write(self._read(inputs, shown), index, prompts, limit)

    def write_merged(self, folder: Path) -> None:
        """Write ``language_model/`` for plain ``transformers``, ``fusion.safetensors``, and a learned encoder."""
        parts.merge(self.wrapped).save_pretrained(folder / "language_model")
        self.tokenizer.save_pretrained(folder / "language_model")
        learned = {name: tensor.detach().cpu().contiguous() for name, tensor in self.fusion.state_dict().items()}
        checkpoint.write_weights(folder / "fusion.safetensors", learned)
        if self.modes["vision"] == "full":
            vision: Any = self.vision.model
            vision.save_pretrained(folder / "vision")

    def _tokens(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def _prefix_tokens(self, prefixes: int) -> Tensor:
        row = torch.tensor([*self.begins, *[IMAGE_TOKEN] * self.fusion.tokens], device=self.vision.mean.device)
        return row.expand(prefixes, -1)

    def _read(self, inputs: PictureLlmInputs, shown: Tensor) -> Read:
        images = self._images(inputs, shown)
        tokens = self._prefix_tokens(len(shown))
        first = self.decoder.embed(tokens[:, : len(self.begins)])
        embeddings = torch.cat([first, images.to(first.dtype)], 1)
        return self.decoder.read(Prefix.plain(tokens, embeddings, torch.ones_like(tokens, dtype=torch.bool)))

    def _images(self, inputs: PictureLlmInputs, shown: Tensor) -> Tensor:
        """Image tokens of some prefixes, ``(m, q, h)``."""
        pictures, index = torch.unique(inputs.pictures[shown], return_inverse=True)
        patches = self._patches(inputs, [inputs.keys[row] for row in pictures.tolist()])
        images: Tensor
        if not isinstance(self.fusion, QuestionQueries):  # a prefix is a picture, in the same order
            images = self.fusion(patches)
        elif inputs.asked is None:
            raise ValueError("queries that read questions need them")
        else:
            images = self.fusion(patches, index, *inputs.asked.some(inputs.questions[shown]))
        return images

    def _patches(self, inputs: PictureLlmInputs, keys: Sequence[str]) -> Tensor:
        device = self.vision.mean.device
        if inputs.stored is not None:
            patches = inputs.stored.tokens(keys).to(device, torch.float32)
        else:
            patches = self.vision.tokens(torch.from_numpy(self.store.batch(keys)).to(device))[0]
        return patches if self.organs is None else torch.cat([patches, self.organs(keys, patches)], 2)


def _asked(reader: TokenEncoder, questions: Sequence[str], device: torch.device) -> Asked:
    """Token states of distinct questions, side by side."""
    encoded = reader.encode(questions)
    longest = max(len(one.vectors) for one in encoded)
    words = torch.zeros(len(encoded), longest, reader.size, dtype=torch.float16)
    real = torch.zeros(len(encoded), longest, dtype=torch.bool)
    for row, one in enumerate(encoded):
        words[row, : len(one.vectors)] = one.vectors.half()
        real[row, : len(one.vectors)] = True
    return Asked(words.to(device), real.to(device))


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
