"""Answering by writing: what every generative family shares.

A net says what its decoder reads and what must follow (a ``Lesson``), scores what follows, and writes answers. The
loss, the answers, the doctor's checks and the checkpoints are made here from these alone, so that what is checked is
what is trained.

Letters: ``b`` questions, ``l`` decoder positions, ``k`` learned tokens of a batch, ``v`` tokens of the vocabulary.
"""

import math
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Generic

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from radvqa.data.dataset import Problems
from radvqa.models import parts, precision
from radvqa.models.family import Answered, ModelAnswer, StepLoss
from radvqa.models.generative_options import GenerativeOptions
from radvqa.models.generator_net import IGNORED, Chooses, GeneratorNet, Inputs, Lesson, Remembers, Teaching, Written
from radvqa.models.origin import Origin
from radvqa.models.usable import usable
from radvqa.sample import Sample

_COUNTED_AT_ONCE = 256
_CANDIDATES = 5


@dataclass
class GeneratorRows(Generic[Inputs]):
    """Prepared samples.

    Attributes:
        samples: the usable ones.
        inputs: of the net.
        answers: tokens of each gold answer.
        image_rows: which distinct picture each row shows.
        classes: place of each gold answer among the training answers; ``IGNORED`` where training has it not.
        longer: how many gold answers are longer than what may be written.
    """

    samples: Sequence[Sample]
    inputs: Inputs
    answers: list[list[int]]
    image_rows: Tensor
    classes: Tensor
    longer: int = 0


class Generator(Generic[Inputs]):
    """A ``VqaModel`` around a net that writes.

    Every question weighs the same: the loss is the mean over questions of the mean over the tokens of the answer, so
    a question's loss depends neither on its neighbours in the batch nor on their padding.

    Args:
        net: reads and writes.
        options: of the family.
        origin: training answers, seed and device.
    """

    def __init__(
        self,
        net: GeneratorNet[Inputs],
        options: GenerativeOptions,
        origin: Origin,
    ) -> None:
        self.net, self.options, self.origin = net, options, origin
        self.answering = options.answering
        self.known, self.closed = origin.known, origin.closed
        self.cut = 0
        net.module.to(origin.device)
        self._digests = net.digests()  # of what was loaded, whatever happens to the files afterwards

    @property
    def module(self) -> nn.Module:
        """Everything with parameters."""
        return self.net.module

    @property
    def parts(self) -> Mapping[str, nn.Module]:
        """The parts that can be frozen or learned, by name."""
        return self.net.parts

    def prepare(self, samples: Sequence[Sample], problems: Problems) -> GeneratorRows[Inputs]:
        """Turn samples into rows; see ``VqaModel.prepare``."""
        keys = self.net.image_keys(samples, problems)
        known = usable(samples, keys, problems)
        inputs = self.net.encode(known, [keys[sample.id] for sample in known])
        answers = [self.net.answer_tokens(sample.answer) for sample in known]
        longer = sum(len(tokens) > self.answering.tokens + 1 for tokens in answers)
        image_rows = self.net.image_rows(inputs)
        classes = self.known.encode([sample.answer for sample in known]).to(image_rows.device)
        classes[classes == len(self.known) - 1] = IGNORED
        return GeneratorRows(known, inputs, answers, image_rows, classes, longer)

    def tokens(self, prepared: GeneratorRows[Inputs]) -> Tensor:
        """How many tokens the decoder reads for each row (image, prompt and answer), ``(rows,)``."""
        rows = torch.arange(len(prepared.samples), device=prepared.image_rows.device)
        return torch.cat([self.lesson(prepared, part).real.sum(1) for part in torch.split(rows, _COUNTED_AT_ONCE)])

    def lesson(self, prepared: GeneratorRows[Inputs], rows: Tensor) -> Lesson:
        """What some rows teach."""
        return self.net.lesson(prepared.inputs, rows, [prepared.answers[row] for row in rows.tolist()])

    def loss(self, prepared: GeneratorRows[Inputs], rows: Tensor, *, label_smoothing: float = 0.0) -> StepLoss:
        """Mean over questions of the mean cross-entropy of their answers' tokens, of their choice, or of both."""
        teaching = self._teaching
        if teaching == "writing":
            losses, right = self._losses(prepared.inputs, rows, self.lesson(prepared, rows), label_smoothing)
            return StepLoss(losses.mean(), 1, right.sum())
        chosen, right = self._choice_losses(prepared, rows, label_smoothing)
        if teaching == "choosing":
            return StepLoss(chosen.mean(), 1, right.sum())
        losses, right = self._losses(prepared.inputs, rows, self.lesson(prepared, rows), label_smoothing)
        return StepLoss(losses.mean() + chosen.mean(), 1, right.sum())

    @property
    def _teaching(self) -> Teaching:
        return self.net.teaching if isinstance(self.net, Chooses) else "writing"

    def _choice_losses(
        self, prepared: GeneratorRows[Inputs], rows: Tensor, label_smoothing: float = 0.0
    ) -> tuple[Tensor, Tensor]:
        """Loss of each question's choice, 0 where training has no such answer, ``(b,)``, and whether it is right."""
        scores, classes = self._choices(prepared, rows), prepared.classes[rows]
        losses = F.cross_entropy(
            scores, classes, reduction="none", label_smoothing=label_smoothing, ignore_index=IGNORED
        )
        return losses, scores.detach().argmax(1) == classes

    def _choices(self, prepared: GeneratorRows[Inputs], rows: Tensor) -> Tensor:
        if not isinstance(self.net, Chooses):
            raise TypeError("this net cannot choose")
        with self._precision():
            return self.net.choices(prepared.inputs, rows).float()

    def _losses(
        self, inputs: Inputs, rows: Tensor, lesson: Lesson, label_smoothing: float = 0.0
    ) -> tuple[Tensor, Tensor]:
        """Loss of each question, ``(b,)``, and whether the likeliest tokens are its whole answer, ``(b,)``."""
        question, targets, logits = self._scored(inputs, rows, lesson)
        tokens = F.cross_entropy(logits, targets, reduction="none", label_smoothing=label_smoothing)
        counts = torch.bincount(question, minlength=len(rows)).clamp(min=1)
        losses = torch.zeros(len(rows), device=tokens.device).index_add(0, question, tokens) / counts
        wrong = torch.zeros(len(rows), device=tokens.device).index_add(
            0, question, (logits.detach().argmax(1) != targets).float()
        )
        return losses, wrong == 0

    def _scored(self, inputs: Inputs, rows: Tensor, lesson: Lesson) -> tuple[Tensor, Tensor, Tensor]:
        """Which question each learned token belongs to ``(k,)``, the tokens ``(k,)``, and their logits ``(k, v)``."""
        learned = lesson.targets != IGNORED
        with self._precision():
            logits = self.net.logits(inputs, rows, lesson)
        return learned.nonzero()[:, 0], lesson.targets[learned], logits.float()

    def answer(self, prepared: GeneratorRows[Inputs], rows: Tensor, *, with_loss: bool = True) -> Answered:
        """Answer some rows; questions are taken in order of picture and length, so that little is padded."""
        was_training = self.module.training
        self.module.eval()
        order = self._order(prepared, rows)
        answers: dict[int, ModelAnswer] = {}
        loss = 0.0
        remembering = self.net.remembering() if isinstance(self.net, Remembers) else nullcontext()
        with torch.no_grad(), remembering:
            for part in torch.split(order, self.answering.batch):
                if self._teaching == "choosing":
                    found = self._chosen(prepared, rows[part])
                else:
                    found = self._answer(prepared, rows[part])
                answers.update(zip(part.tolist(), found, strict=True))
                if with_loss:
                    loss += self._loss_sum(prepared, rows[part])
        self.module.train(was_training)
        return Answered([answers[place] for place in range(len(rows))], loss)

    def _loss_sum(self, prepared: GeneratorRows[Inputs], rows: Tensor) -> float:
        if self._teaching == "choosing":
            return self._choice_losses(prepared, rows)[0].sum().item()
        return self._losses(prepared.inputs, rows, self.lesson(prepared, rows))[0].sum().item()

    def _chosen(self, prepared: GeneratorRows[Inputs], rows: Tensor) -> list[ModelAnswer]:
        """The likeliest training answers; the last class stands for every other answer, and is never given."""
        scores = self._choices(prepared, rows)[:, :-1]
        best = scores.softmax(1).topk(min(_CANDIDATES, scores.shape[1]))
        answers = []
        for classes, values in zip(best.indices.tolist(), best.values.tolist(), strict=True):
            pairs = tuple((self.known.spell(c), round(p, 6)) for c, p in zip(classes, values, strict=True))
            answers.append(ModelAnswer(pairs[0][0], pairs[0][1], pairs))
        return answers

    def _order(self, prepared: GeneratorRows[Inputs], rows: Tensor) -> Tensor:
        """Places of the rows, the questions about one picture side by side, shorter ones first."""
        pictures = prepared.image_rows[rows].tolist()
        samples = [prepared.samples[row] for row in rows.tolist()]
        order = sorted(range(len(rows)), key=lambda place: (pictures[place], len(samples[place].question), place))
        return torch.tensor(order, dtype=torch.long, device=rows.device)

    def _answer(self, prepared: GeneratorRows[Inputs], rows: Tensor) -> list[ModelAnswer]:
        candidates = [self._candidates(prepared.samples[row]) for row in rows.tolist()]
        answers: dict[int, ModelAnswer] = {}
        for place, texts in enumerate(candidates):
            if texts:
                answers[place] = self._choose(prepared, rows[place], texts)
        written = [place for place, texts in enumerate(candidates) if not texts]
        if written:
            with self._precision():
                found = self.net.write(prepared.inputs, rows[written], self.answering.tokens)
            self.cut += sum(not one.ended for one in found)
            for place, one in zip(written, found, strict=True):
                answers[place] = self._read(one)
        return [answers[place] for place in range(len(rows))]

    def _candidates(self, sample: Sample) -> Sequence[str]:
        if self.answering.by == "rank":
            return self.known.spellings
        if self.answering.by == "rank_closed" and sample.answer_type == "CLOSED":
            return self.closed
        return ()

    def score(self, prepared: GeneratorRows[Inputs], row: Tensor, candidates: Sequence[str]) -> Tensor:
        """Log-probability of each candidate as the whole answer to one question, ``(candidates,)``.

        All of them are scored side by side; the picture and what only it decides are computed once.
        """
        tokens = [self.net.answer_tokens(candidate) for candidate in candidates]
        found = []
        for start in range(0, len(tokens), 4 * self.answering.batch):
            some = tokens[start : start + 4 * self.answering.batch]
            rows = row.expand(len(some))
            lesson = self.net.lesson(prepared.inputs, rows, some)
            question, targets, logits = self._scored(prepared.inputs, rows, lesson)
            chosen = logits.log_softmax(1).gather(1, targets[:, None])[:, 0]
            found.append(torch.zeros(len(some), device=chosen.device).index_add(0, question, chosen))
        return torch.cat(found)

    def _choose(self, prepared: GeneratorRows[Inputs], row: Tensor, candidates: Sequence[str]) -> ModelAnswer:
        probabilities = self.score(prepared, row, candidates).softmax(0)
        best = probabilities.topk(min(_CANDIDATES, len(candidates)))
        pairs = tuple(
            (candidates[place], round(p, 6))
            for place, p in zip(best.indices.tolist(), best.values.tolist(), strict=True)
        )
        return ModelAnswer(pairs[0][0], pairs[0][1], pairs)

    def _read(self, written: Written) -> ModelAnswer:
        decoded = self.net.tokenizer.decode(list(written.tokens), skip_special_tokens=True).strip()
        answer = self._spellings.get(written.tokens, decoded)
        confidence = round(min(1.0, math.exp(written.log_probability)), 6)
        return ModelAnswer(answer, confidence)  # no other candidates are known

    @cached_property
    def _spellings(self) -> dict[tuple[int, ...], str]:
        """Training answers by their tokens: some tokenisers cannot give them back (``X-Ray`` → ``x - ray``)."""
        spellings = {tuple(self.net.answer_tokens(answer)[:-1]): answer for answer in reversed(self.known.spellings)}
        return {tokens: answer.strip() for tokens, answer in spellings.items()}

    def _precision(self) -> torch.autocast:
        return precision.autocast(self.options.precision, self._device)

    @property
    def computed_in(self) -> torch.dtype:
        """Number format of matrix products."""
        return precision.computed_in(self.options.precision, self._device)

    @property
    def _device(self) -> str:
        return next((p.device.type for p in self.module.parameters()), "cpu")

    def answer_is_known(self, answer: str) -> bool:
        """Whether the answer occurred in training (normalised)."""
        return self.known.knows(answer)

    def spec(self) -> dict[str, Any]:
        """Plain values that build the same model again."""
        return {
            "options": self.options.model_dump(mode="json"),
            "digests": self._digests,
            **self.origin.plain(),
        }

    def state(self) -> dict[str, Tensor]:
        """What was learned."""
        return parts.trained_state(self.module)

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Put back what ``state`` gave."""
        parts.load_trained_state(self.module, state)

    def notes(self) -> dict[str, Any]:
        """Counts of what answering met, for the run."""
        return {"answers_cut_at_the_limit": self.cut}

    def write_adapter(self, folder: Path) -> bool:
        """Write what ``peft`` holds in its own format; False when the model has no adapter."""
        adapted = [module for module in self.module.modules() if parts.is_adapted(module)]
        for module in adapted[:1]:
            parts.write_adapter(module, folder)
        return bool(adapted)

    def write_merged(self, folder: Path) -> None:
        """Merge what was learned into the weights and write them in the hub's layout; the model is spent."""
        self.net.write_merged(folder)
