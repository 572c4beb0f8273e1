"""A small generative net that is healthy, and one sick variant for every real bug that the doctor must find.

Letters: ``b`` questions, ``l`` positions, ``d`` feature size, ``k`` learned tokens.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from radvqa.data.dataset import Problems
from radvqa.data.store import ImageStore, Preprocessing
from radvqa.models.family import Context
from radvqa.models.generative_options import AnsweringOptions, GenerativeOptions
from radvqa.models.generator import Generator
from radvqa.models.generator_net import IGNORED, IMAGE_TOKEN, Lesson, Written
from radvqa.models.origin import Origin
from radvqa.models.padding import pad
from radvqa.models.parts import Assembly
from radvqa.sample import Sample

SIDE, SIZE = 16, 32
PICTURE_TOKENS = 2
PAD, START, END, CLS = range(4)
SPECIAL = ("<pad>", "<start>", "<end>", "<cls>")


class Words:
    """A tokeniser that knows the words of some samples."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        words = (word for s in samples for text in (s.question, s.answer) for word in text.split())
        self.words = [*SPECIAL, *dict.fromkeys(words)]
        self.index = {word: place for place, word in enumerate(self.words)}

    def encode(self, text: str) -> list[int]:
        return [self.index[word] for word in text.split()]

    def decode(self, tokens: list[int], skip_special_tokens: bool = False) -> str:
        return " ".join(self.words[t] for t in tokens if t >= len(SPECIAL) or not skip_special_tokens)


class Tower(nn.Module):
    """Two tokens a picture: ``(m, s, s, 3)`` bytes → ``(m, 2, d)``."""

    def __init__(self, *, norm: bool = False) -> None:
        super().__init__()
        self.norm: nn.Module = nn.BatchNorm1d(SIDE * SIDE * 3 // 4) if norm else nn.Identity()
        self.out = nn.Linear(SIDE * SIDE * 3 // 4, PICTURE_TOKENS * SIZE)

    def forward(self, pixels: Tensor) -> Tensor:
        small = nn.functional.avg_pool2d(pixels.permute(0, 3, 1, 2).float() / 255, 2)
        told: Tensor = self.out(self.norm(small.flatten(1))).view(-1, PICTURE_TOKENS, SIZE)
        return told


class Decoder(nn.Module):
    """One causal attention layer over words."""

    def __init__(self, words: int) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(words, SIZE), nn.Embedding(64, SIZE)
        self.read = nn.LayerNorm(SIZE)
        self.mixed = nn.Linear(SIZE, 3 * SIZE)
        self.inner = nn.Sequential(nn.LayerNorm(SIZE), nn.Linear(SIZE, 2 * SIZE), nn.GELU(), nn.Linear(2 * SIZE, SIZE))
        self.head = nn.Linear(SIZE, words)

    def forward(self, tokens: Tensor, real: Tensor, pictures: Tensor) -> Tensor:
        """Logits of every position, ``(b, l, words)``; the pictures' tokens are ``(b, 2, d)``."""
        shown = tokens == IMAGE_TOKEN
        states = self.words(tokens.clamp(min=0))
        which = (shown.long().cumsum(1) - 1).clamp(min=0)
        states = torch.where(shown[..., None], pictures.gather(1, which[..., None].expand(-1, -1, SIZE)), states)
        states = states + self.places((real.long().cumsum(1) - 1).clamp(min=0))
        query, key, value = self.mixed(self.read(states)).chunk(3, -1)
        length = tokens.shape[1]
        seen = torch.ones(length, length, dtype=torch.bool).tril() & real[:, None]
        seen = seen | torch.eye(length, dtype=torch.bool)  # padding sees itself, so that nothing is divided by zero
        scores = (query @ key.transpose(1, 2) / SIZE**0.5).masked_fill(~seen, -1e9)
        states = states + scores.softmax(-1) @ value
        logits: Tensor = self.head(states + self.inner(states))
        return logits


@dataclass(frozen=True)
class Inputs:
    """Pictures and prompts of all rows."""

    pixels: NDArray[np.uint8]
    rows: Tensor
    prompts: list[list[int]]


class Healthy:
    """A ``GeneratorNet``: picture, question and the start token are read, then the answer is written."""

    norm = False

    def __init__(self, samples: Sequence[Sample]) -> None:
        self.tokenizer = Words(samples)
        self.store = ImageStore(Preprocessing(SIDE))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.tower, self.decoder = Tower(norm=self.norm), Decoder(len(self.tokenizer.words))
        self.module: nn.Module = Assembly(vision=self.tower, decoder=self.decoder)

    @property
    def parts(self) -> Mapping[str, nn.Module]:
        return {"vision": self.tower, "decoder": self.decoder}

    def digests(self) -> dict[str, str]:
        return {}

    def image_keys(self, samples: Sequence[Sample], problems: Problems) -> dict[str, str]:
        return self.store.add(samples, problems)

    def encode(self, samples: Sequence[Sample], image_keys: Sequence[str]) -> Inputs:
        distinct = list(dict.fromkeys(image_keys))
        rows = torch.tensor([distinct.index(key) for key in image_keys])
        prompts = [self.prompt(self.tokenizer.encode(sample.question)) for sample in samples]
        return Inputs(self.store.batch(distinct), rows, prompts)

    def prompt(self, question: list[int]) -> list[int]:
        return [IMAGE_TOKEN] * PICTURE_TOKENS + question + [START]

    def image_rows(self, inputs: Inputs) -> Tensor:
        return inputs.rows

    def answer_tokens(self, answer: str) -> list[int]:
        return [*self.tokenizer.encode(answer), END]

    def prompts(self, inputs: Inputs, rows: Tensor) -> list[str]:
        read = [[token for token in inputs.prompts[row] if token >= 0] for row in rows.tolist()]
        return [self.tokenizer.decode(tokens, skip_special_tokens=True) for tokens in read]

    def lesson(self, inputs: Inputs, rows: Tensor, answers: Sequence[Sequence[int]]) -> Lesson:
        asked, asked_real = pad([inputs.prompts[row] for row in rows.tolist()], PAD, left=True)
        given, given_real = pad([answer[:-1] for answer in answers], PAD)
        targets, _ = pad(answers, IGNORED)
        silent = torch.full((len(rows), asked.shape[1] - 1), IGNORED)
        return Lesson(
            torch.cat([asked, given], 1), torch.cat([silent, targets], 1), torch.cat([asked_real, given_real], 1)
        )

    def pictures(self, inputs: Inputs, rows: Tensor) -> Tensor:
        return self.tower(torch.from_numpy(inputs.pixels))[inputs.rows[rows]]  # type: ignore[no-any-return]

    def logits(self, inputs: Inputs, rows: Tensor, lesson: Lesson) -> Tensor:
        logits: Tensor = self.decoder(lesson.inputs, lesson.real, self.pictures(inputs, rows))
        return logits[lesson.targets != IGNORED]

    def write(self, inputs: Inputs, rows: Tensor, limit: int) -> list[Written]:
        return self.go_on(inputs, rows, limit, [inputs.prompts[row] for row in rows.tolist()])

    def go_on(self, inputs: Inputs, rows: Tensor, limit: int, prompts: Sequence[Sequence[int]]) -> list[Written]:
        tokens, real = pad(prompts, PAD, left=True)
        pictures, begun = self.pictures(inputs, rows), tokens.shape[1]
        total, done = torch.zeros(len(rows)), torch.zeros(len(rows), dtype=torch.bool)
        for _ in range(limit + 1):
            best = self.decoder(tokens, self.seen(real), pictures)[:, -1].log_softmax(-1).max(-1)
            total += torch.where(done, 0.0, best.values)
            tokens = torch.cat([tokens, torch.where(done, END, best.indices)[:, None]], 1)
            real = torch.cat([real, torch.ones(len(rows), 1, dtype=torch.bool)], 1)
            done |= best.indices == END
        written = []
        for row, probability, before in zip(
            tokens[:, begun:].tolist(), total.tolist(), tokens[:, begun - 1].tolist(), strict=True
        ):
            cut = row.index(END) if END in row else limit
            written.append(Written(self.kept(row[:cut], before), probability, before, END in row))
        return [self.finished(one, prompt) for one, prompt in zip(written, prompts, strict=True)]

    def seen(self, real: Tensor) -> Tensor:
        return real

    def kept(self, tokens: list[int], before: int) -> tuple[int, ...]:
        return tuple(tokens)

    def finished(self, written: Written, prompt: Sequence[int]) -> Written:
        return written

    def write_merged(self, folder: Path) -> None:
        raise NotImplementedError("this net is only for tests")


def changed(lesson: Lesson, targets: Tensor) -> Lesson:
    return Lesson(lesson.inputs, targets, lesson.real)


class PadsLearned(Healthy):
    """A8.1: the labels keep the pad token, so the loss is dominated by padding."""

    def lesson(self, inputs: Inputs, rows: Tensor, answers: Sequence[Sequence[int]]) -> Lesson:
        lesson = super().lesson(inputs, rows, answers)
        padding = ~lesson.real & (lesson.real.cumsum(1) > 0)  # after the answer
        return changed(lesson, lesson.targets.masked_fill(padding, PAD))


class OtherStart(Healthy):
    """A8.2: the decoder begins with one token in training and with another in generation."""

    def write(self, inputs: Inputs, rows: Tensor, limit: int) -> list[Written]:
        return self.go_on(inputs, rows, limit, [[*inputs.prompts[row][:-1], CLS] for row in rows.tolist()])


class PaddingSeen(Healthy):
    """A8.3: generation takes the question's padding for words, so answers depend on the batch."""

    def seen(self, real: Tensor) -> Tensor:
        return torch.ones_like(real)


class PaddingSeenInTraining(Healthy):
    """The padding mask is forgotten in training."""

    def logits(self, inputs: Inputs, rows: Tensor, lesson: Lesson) -> Tensor:
        seen = Lesson(lesson.inputs, lesson.targets, torch.ones_like(lesson.real))
        return super().logits(inputs, rows, seen)


class DriftingNorm(Healthy):
    """A8.4: a frozen tower in training mode, so that the statistics of its batch norm follow the batches."""

    norm = True

    def __init__(self, samples: Sequence[Sample]) -> None:
        super().__init__(samples)
        self.tower.requires_grad_(False)
        self.module = nn.ModuleDict({"vision": self.tower, "decoder": self.decoder})


class StillNorm(DriftingNorm):
    """The same tower, kept in evaluation mode: healthy."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        super().__init__(samples)
        self.module = Assembly(vision=self.tower, decoder=self.decoder)


class PromptKept(Healthy):
    """B6: what is written begins with the prompt."""

    def finished(self, written: Written, prompt: Sequence[int]) -> Written:
        read = tuple(token for token in prompt if token >= 0)
        return Written(read + written.tokens, written.log_probability, written.begins_after, written.ended)


class Blind(Healthy):
    """B6: the pixel values are not passed on."""

    def pictures(self, inputs: Inputs, rows: Tensor) -> Tensor:
        return super().pictures(inputs, rows) * 0


class BlindInWriting(Healthy):
    """B6: the pixel values are passed on in training, but not in generation."""

    def go_on(self, inputs: Inputs, rows: Tensor, limit: int, prompts: Sequence[Sequence[int]]) -> list[Written]:
        blank = Inputs(np.zeros_like(inputs.pixels), inputs.rows, inputs.prompts)
        return super().go_on(blank, rows, limit, prompts)


class LabelsOfTheAnswerAlone(Healthy):
    """B6: the labels are the answer tokenised alone, of another length than the inputs."""

    def lesson(self, inputs: Inputs, rows: Tensor, answers: Sequence[Sequence[int]]) -> Lesson:
        return changed(super().lesson(inputs, rows, answers), pad(answers, IGNORED)[0])


class LabelsWithoutShift(Healthy):
    """Each position must say the token that it reads itself."""

    def lesson(self, inputs: Inputs, rows: Tensor, answers: Sequence[Sequence[int]]) -> Lesson:
        lesson = super().lesson(inputs, rows, answers)
        return changed(lesson, lesson.inputs.masked_fill(lesson.targets == IGNORED, IGNORED))


class AnswersMisspelt(Healthy):
    """The answer is tokenised by something else than what decodes it."""

    def answer_tokens(self, answer: str) -> list[int]:
        return [*(len(self.tokenizer.words) - token for token in self.tokenizer.encode(answer)), END]


class Endless(Healthy):
    """The end token is never learned."""

    def answer_tokens(self, answer: str) -> list[int]:
        return self.tokenizer.encode(answer)


class PromptLearned(Healthy):
    """The question carries loss too."""

    def lesson(self, inputs: Inputs, rows: Tensor, answers: Sequence[Sequence[int]]) -> Lesson:
        lesson = super().lesson(inputs, rows, answers)
        after = torch.cat([lesson.inputs[:, 1:], lesson.inputs[:, :1]], 1)
        asked = lesson.real & (after >= 0) & (lesson.inputs != IMAGE_TOKEN) & (lesson.targets == IGNORED)
        asked &= torch.arange(asked.shape[1]) < asked.shape[1] - max(map(len, answers))
        return changed(lesson, torch.where(asked, after, lesson.targets))


class ImageTokensLearned(Healthy):
    """Image tokens carry loss."""

    def lesson(self, inputs: Inputs, rows: Tensor, answers: Sequence[Sequence[int]]) -> Lesson:
        lesson = super().lesson(inputs, rows, answers)
        return changed(lesson, lesson.targets.masked_fill(lesson.inputs == IMAGE_TOKEN, PAD))


class Truncated(Healthy):
    """Long inputs are cut from the left, where the image tokens are."""

    def prompt(self, question: list[int]) -> list[int]:
        return super().prompt(question)[-10:]


class TruncatedAlike(Healthy):
    """Every input loses an image token; only the net knows how many there should be."""

    def prompt(self, question: list[int]) -> list[int]:
        return super().prompt(question)[1:]

    def expected_image_tokens(self, inputs: Inputs, rows: Tensor) -> list[int]:
        return [PICTURE_TOKENS] * len(rows)


class DeadTower(Healthy):
    """A tower that should learn, but is detached."""

    def pictures(self, inputs: Inputs, rows: Tensor) -> Tensor:
        return super().pictures(inputs, rows).detach()


class UnusedLayer(Healthy):
    """A layer counts as trained, but nothing uses it."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        super().__init__(samples)
        self.tower.spare = nn.Linear(2, 2)


class MovingFrozen(Healthy):
    """A frozen tower that something writes into."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        super().__init__(samples)
        self.tower.requires_grad_(False)

    def logits(self, inputs: Inputs, rows: Tensor, lesson: Lesson) -> Tensor:
        if self.decoder.training:
            self.tower.out.bias.data += 1e-3
        return super().logits(inputs, rows, lesson)


class Speechless(Healthy):
    """Everything is frozen except what cannot tell the questions apart."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        super().__init__(samples)
        self.decoder.requires_grad_(False)
        self.tower.requires_grad_(False)
        self.decoder.head.bias.requires_grad_(True)


class NothingTrained(Healthy):
    """A model for zero-shot use."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        super().__init__(samples)
        self.module.requires_grad_(False)


class OtherOrder(Healthy):
    """Generation reads the question in another order than training."""

    def write(self, inputs: Inputs, rows: Tensor, limit: int) -> list[Written]:
        prompts = [inputs.prompts[row] for row in rows.tolist()]
        return self.go_on(inputs, rows, limit, [[*p[:2], *p[-2:1:-1], p[-1]] for p in prompts])


def model(net: Callable[[Sequence[Sample]], Any], samples: Sequence[Sample], *, tokens: int = 6) -> Generator[Any]:
    """Wrap a net as families do."""
    options = GenerativeOptions(answering=AnsweringOptions(tokens=tokens))
    return Generator(net(samples), options, Origin.of_training(Context(training=samples)))
