"""Seeing patch by patch: an encoder's patches become image tokens, by a projector or by queries that look at them.

A *prefix* is what the language model reads before a prompt: one for each distinct picture, or, where the queries read
the question, one for each distinct picture and question.

Letters: ``m`` prefixes, ``n`` patches, ``d`` their size, ``q`` image tokens, ``h`` size of the language model, ``l``
tokens of a question, ``t`` their size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from radvqa.data.dataset import Problems
from radvqa.data.store import ImageStore, Preprocessing
from radvqa.models import checkpoint, features
from radvqa.models.family import Context
from radvqa.models.fusion import Projector, QueryTransformer
from radvqa.models.organs import Labelled, OrganReader
from radvqa.models.picture_llm_options import PictureLlmOptions, modes_of
from radvqa.models.question_queries import QuestionQueries
from radvqa.models.token_vectors import TokenEncoder
from radvqa.models.vision import VisionTower
from radvqa.sample import Sample

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
class PatchInputs:
    """Pictures and questions of some samples.

    Attributes:
        rows: which distinct picture each row shows, ``(rows,)``.
        prefixes: which distinct prefix each row follows, ``(rows,)``.
        pictures: which distinct picture each prefix shows, ``(prefixes,)``.
        questions: which distinct question each prefix asks, ``(prefixes,)``.
        keys: content keys of the distinct pictures.
        stored: their patches, where the encoder is frozen.
        asked: the distinct questions, where the fusion reads them.
    """

    rows: Tensor
    prefixes: Tensor
    pictures: Tensor
    questions: Tensor
    keys: Sequence[str]
    stored: features.Stored | None
    asked: Asked | None


class PatchSight:
    """A ``Sight``: encoder and fusion.

    Args:
        options: of the family.
        vision: the encoder.
        fusion: patches → image tokens.
        organs: reads where organs lie, beside the patches; None without.
        reader: of questions, where the fusion reads them.
    """

    def __init__(
        self,
        options: PictureLlmOptions,
        vision: VisionTower,
        fusion: Fusion,
        organs: OrganReader | None,
        reader: TokenEncoder | None,
    ) -> None:
        self.options, self.vision, self.fusion, self.organs, self.reader = options, vision, fusion, organs, reader
        self.learns = modes_of(options)["vision"] == "full"
        self.tokens = fusion.tokens
        self.store = ImageStore(Preprocessing(options.image_size))

    @property
    def device(self) -> torch.device:
        """Where the parts are."""
        return self.vision.mean.device

    @property
    def published(self) -> list[str]:
        """Names of the checkpoints that it is made of."""
        return [self.options.vision, *([self.reader.name] if self.reader is not None else [])]

    def learn_organs(self, labelled: Labelled, context: Context) -> None:
        """Learn where organs lie, from the masks and boxes of training pictures."""
        if self.organs is None:
            return
        keys, targets = labelled.targets(self.store.add(labelled.samples, context.problems), self.organs.side)
        stored = features.store(self.vision, self.store, keys, tokens=True)
        self.organs.learn(
            keys,
            lambda some: stored.tokens(some).to(self.device, torch.float32),
            targets.to(self.device),
            self.options.region_folds,
            context.seed,
        )

    def image_keys(self, samples: Sequence[Sample], problems: Problems) -> dict[str, str]:
        """Put the pictures into the store."""
        return self.store.add(samples, problems)

    def encode(self, samples: Sequence[Sample], image_keys: Sequence[str], texts: Sequence[str]) -> PatchInputs:
        """Index pictures and questions; patches of a frozen encoder are computed once for all runs."""
        distinct = list(dict.fromkeys(image_keys))
        place = {key: row for row, key in enumerate(distinct)}
        rows = torch.tensor([place[key] for key in image_keys], dtype=torch.long, device=self.device)
        stored = None if self.learns else features.store(self.vision, self.store, distinct, tokens=True)
        if self.reader is None:
            every = torch.arange(len(distinct), device=self.device)
            return PatchInputs(rows, rows, every, torch.zeros_like(every), distinct, stored, None)
        asking = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        questions = torch.tensor([asking[text] for text in texts], dtype=torch.long, device=self.device)
        pairs, prefixes = torch.unique(torch.stack([rows, questions]), dim=1, return_inverse=True)
        asked = _asked(self.reader, list(asking), self.device)
        return PatchInputs(rows, prefixes, pairs[0], pairs[1], distinct, stored, asked)

    def image_rows(self, seen: PatchInputs) -> Tensor:
        """Which distinct picture each row shows."""
        return seen.rows

    def prefixes(self, seen: PatchInputs, rows: Tensor) -> tuple[Tensor, Tensor]:
        """The distinct prefixes of some rows, and which one each row follows."""
        shown, index = torch.unique(seen.prefixes[rows], return_inverse=True)
        return shown, index

    def images(self, seen: PatchInputs, prefixes: Tensor) -> Tensor:
        """Image tokens of some prefixes, ``(m, q, h)``."""
        pictures, index = torch.unique(seen.pictures[prefixes], return_inverse=True)
        patches = self._patches(seen, [seen.keys[row] for row in pictures.tolist()])
        images: Tensor
        if not isinstance(self.fusion, QuestionQueries):  # a prefix is a picture, in the same order
            images = self.fusion(patches)
        elif seen.asked is None:
            raise ValueError("queries that read questions need them")
        else:
            images = self.fusion(patches, index, *seen.asked.some(seen.questions[prefixes]))
        return images

    def write_merged(self, folder: Path) -> None:
        """Write ``fusion.safetensors``, and a learned encoder."""
        learned = {name: tensor.detach().cpu().contiguous() for name, tensor in self.fusion.state_dict().items()}
        checkpoint.write_weights(folder / "fusion.safetensors", learned)
        if self.learns:
            vision: Any = self.vision.model
            vision.save_pretrained(folder / "vision")

    def _patches(self, seen: PatchInputs, keys: Sequence[str]) -> Tensor:
        if seen.stored is not None:
            patches = seen.stored.tokens(keys).to(self.device, torch.float32)
        else:
            patches = self.vision.tokens(torch.from_numpy(self.store.batch(keys)).to(self.device))[0]
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
