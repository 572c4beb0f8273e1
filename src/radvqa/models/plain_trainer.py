"""Training as one who knows ``transformers`` writes it: a data set, a collator, a module, and ``Trainer``.

Made to be timed beside the project's own engine, and compared with it. Every question has a picture of its own, decoded
and resized when it is asked for and passed through the vision tower in every step; questions and answers are padded to
the longest of a batch, with masks. The modules are those of the model that is compared with, so losses and trained
weights must be equal where no unit is dropped at random.

It is kinder than most scripts: the head of a language model does not score the positions of image tokens, and a frozen
tower keeps no gradients.

Letters: ``b`` questions, ``s`` side of a picture in pixels, ``n`` image tokens, ``l`` tokens of prompt and answer,
``v`` vocabulary.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from radvqa.data import image
from radvqa.errors import RadvqaError
from radvqa.models import parts
from radvqa.models.generator_net import IGNORED
from radvqa.models.padding import pad
from radvqa.sample import Sample

_FILLER = 0  # any token; masked everywhere


class Plain(Protocol):
    """What differs between families.

    Attributes:
        module: batch → ``{"loss": …}``; what it learns is what the compared model learns.
    """

    module: "PlainModule"

    def read(self, sample: Sample) -> dict[str, Any]:
        """Decode and resize the picture, and tokenise prompt and answer, now."""
        ...

    def collate(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Tensor]:
        """Lay rows side by side, padded to the longest."""
        ...


class PlainModule(nn.Module):
    """A model whose forward returns the loss, as ``Trainer`` wants it.

    Args:
        model: holds every parameter.
        label_smoothing: share of probability spread over the vocabulary.
    """

    def __init__(self, model: nn.Module, label_smoothing: float) -> None:
        super().__init__()
        self.model, self.label_smoothing = model, label_smoothing
        self.losses: list[Tensor] = []

    def told(self, logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Mean over questions of the mean cross-entropy of their answers' tokens.

        Args:
            logits: ``(b, l, v)``.
            labels: the token that must follow each position, ``IGNORED`` where nothing is learned; ``(b, l)``.
        """
        tokens = F.cross_entropy(
            logits.float().flatten(0, 1),
            labels.flatten(),
            ignore_index=IGNORED,
            reduction="none",
            label_smoothing=self.label_smoothing,
        ).view_as(labels)
        loss = (tokens.sum(1) / (labels != IGNORED).sum(1)).mean()
        self.losses.append(loss.detach())
        return {"loss": loss}


class PictureLlmModule(PlainModule):
    """An image encoder, a fusion and a causal language model: picture tokens before the text, one pass a question."""

    def __init__(self, net: Any, label_smoothing: float) -> None:
        super().__init__(net.module, label_smoothing)
        self._begins, self._looks = list(net.begins), net.sight.learns

    def forward(self, pixels: Tensor, input_ids: Tensor, attention_mask: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Loss of a batch: 8-bit ``(b, s, s, 3)``, and ``(b, l)`` each."""
        language_model: Any = self.model.get_submodule("language_model")
        embed = language_model.get_input_embeddings()
        images = self.model.get_submodule("fusion")(self._patches(pixels))
        begin = torch.tensor(self._begins, dtype=torch.long, device=pixels.device).expand(len(pixels), -1)
        embeddings = torch.cat([embed(begin), images, embed(input_ids)], 1)
        before = torch.ones(len(pixels), embeddings.shape[1] - input_ids.shape[1], dtype=torch.long)
        mask = torch.cat([before.to(attention_mask.device), attention_mask], 1)
        width = input_ids.shape[1]
        # the last image token and all of the text: the first label is told by what stands before it
        kept = width + 1
        logits = language_model(
            inputs_embeds=embeddings, attention_mask=mask, use_cache=False, logits_to_keep=kept
        ).logits
        return self.told(logits[:, :-1], labels)

    def _patches(self, pixels: Tensor) -> Tensor:
        vision: Any = self.model.get_submodule("vision")
        if self._looks:
            patches: Tensor = vision.tokens(pixels)[0]
            return patches
        with torch.no_grad():
            patches = vision.tokens(pixels)[0]
        return patches.half().float()  # rounded as the kept features of the compared model are


class PlainPictureLlm:
    """The plain way of ``linear_llm`` and ``qformer_llm``.

    Args:
        model: as its family built it.
        label_smoothing: of the loss.
    """

    def __init__(self, model: Any, label_smoothing: float = 0.0) -> None:
        self.net = model.net
        self.module: PlainModule = PictureLlmModule(self.net, label_smoothing)

    def read(self, sample: Sample) -> dict[str, Any]:
        """Decode, resize, tokenise."""
        net = self.net
        prompt = net.tokenizer(net.prompt_of(sample), add_special_tokens=False)["input_ids"]
        answer = net.tokenizer(f" {sample.answer.strip()}", add_special_tokens=False)["input_ids"]
        pixels = net.sight.store.preprocessing.apply(image.decode(sample.image_path))
        return {"pixels": _colour(pixels), "prompt": prompt, "answer": [*answer, net.end]}

    def collate(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Tensor]:
        """Prompt and answer behind each other, padded at the end; only the answer is learned."""
        texts = [[*row["prompt"], *row["answer"]] for row in rows]
        taught = [[*[IGNORED] * len(row["prompt"]), *row["answer"]] for row in rows]
        input_ids, real = pad(texts, _FILLER)
        return {
            "pixels": torch.from_numpy(np.stack([row["pixels"] for row in rows])),
            "input_ids": input_ids,
            "attention_mask": real.long(),
            "labels": pad(taught, IGNORED)[0],
        }


class BlipModule(PlainModule):
    """BLIP's three towers, one question a row."""

    def __init__(self, net: Any, label_smoothing: float) -> None:
        super().__init__(net.module, label_smoothing)

    def forward(
        self,
        pixels: Tensor,
        input_ids: Tensor,
        attention_mask: Tensor,
        decoder_ids: Tensor,
        decoder_mask: Tensor,
        labels: Tensor,
    ) -> dict[str, Tensor]:
        """Loss of a batch: ``(b, 3, s, s)``, questions ``(b, l)`` twice, answers ``(b, l)`` three times."""
        blip = parts.inner(self.model.get_submodule("model"))
        seen = blip.vision_model(pixel_values=pixels).last_hidden_state
        states = blip.text_encoder(
            input_ids=input_ids,
            attention_mask=attention_mask,
            encoder_hidden_states=seen,
            encoder_attention_mask=torch.ones(seen.shape[:2], dtype=torch.long, device=seen.device),
        ).last_hidden_state
        logits = blip.text_decoder(
            input_ids=decoder_ids,
            attention_mask=decoder_mask,
            encoder_hidden_states=states,
            encoder_attention_mask=attention_mask,
            use_cache=False,
        ).logits
        return self.told(logits, labels)


class PlainBlip:
    """The plain way of ``blip``; pictures go through the checkpoint's own image processor.

    Args:
        model: as its family built it.
        label_smoothing: of the loss.
    """

    def __init__(self, model: Any, label_smoothing: float = 0.0) -> None:
        self.net = model.net
        self.module: PlainModule = BlipModule(self.net, label_smoothing)

    def read(self, sample: Sample) -> dict[str, Any]:
        """Decode, resize, normalise, tokenise."""
        net = self.net
        pixels = net.processing.processor(
            images=_colour(image.decode(sample.image_path)), input_data_format="channels_last", return_tensors="pt"
        )["pixel_values"][0]
        question = net.tokenizer(net.options.prompts.of(sample))["input_ids"]
        answer = net.tokenizer(sample.answer.strip(), add_special_tokens=False)["input_ids"]
        return {"pixels": pixels, "question": question, "answer": [*answer, net.reader.end]}

    def collate(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Tensor]:
        """Questions and answers, each padded at its end."""
        begin, filler = self.net.reader.begin, self.net.reader.filler
        questions, asked = pad([row["question"] for row in rows], filler)
        read, real = pad([[begin, *row["answer"][:-1]] for row in rows], filler)
        return {
            "pixels": torch.stack([row["pixels"] for row in rows]),
            "input_ids": questions,
            "attention_mask": asked.long(),
            "decoder_ids": read,
            "decoder_mask": real.long(),
            "labels": pad([row["answer"] for row in rows], IGNORED)[0],
        }


WAYS: Mapping[str, Callable[[Any, float], Plain]] = {
    "blip": PlainBlip,
    "linear_llm": PlainPictureLlm,
    "qformer_llm": PlainPictureLlm,
}
"""Family → its plain way: a model and the label smoothing."""


def check(family: str) -> None:
    """Refuse a family that no plain way is written for.

    Raises:
        RadvqaError: names those there are.
    """
    if family not in WAYS:
        raise RadvqaError(f"There is no plain Trainer to compare {family} with; use {', '.join(WAYS)}.")


def plain(family: str, model: Any, label_smoothing: float = 0.0) -> Plain:
    """Return the plain way of a family's model.

    Raises:
        RadvqaError: for a family that none is written for.
    """
    check(family)
    return WAYS[family](model, label_smoothing)


@dataclass(frozen=True)
class Trained:
    """What a run of ``Trainer`` gave.

    Attributes:
        losses: of every step.
        seconds: wall time from the first sample that is read to the end; what ``Trainer`` sets up does not count.
        waiting_seconds: of them, spent on making batches.
    """

    losses: list[float]
    seconds: float
    waiting_seconds: float


def train(
    way: Plain,
    samples: Sequence[Sample],
    batches: Sequence[Sequence[int]],
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    *,
    device: torch.device,
    half: bool,
    clip_norm: float | None,
    folder: Path,
) -> Trained:
    """Train with ``transformers.Trainer`` and its default settings, but for what the compared run has otherwise too.

    It saves nothing, evaluates nothing and tells no tracker.

    Args:
        way: of a family.
        samples: to learn from.
        batches: rows of every step, in order.
        optimizer: of the module's parameters.
        schedule: of the learning rate, stepped once a step.
        device: ``cpu`` or ``cuda``; the module must live there.
        half: compute in bf16 where that is safe.
        clip_norm: largest gradient norm; None does not clip.
        folder: where ``Trainer`` may put what it likes.
    """
    from transformers import PrinterCallback, Trainer, TrainingArguments

    questions = _Questions(way, samples)
    arguments = TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=1,
        max_grad_norm=clip_norm or 0.0,
        use_cpu=device.type == "cpu",
        bf16=half,
        dataloader_pin_memory=device.type == "cuda",
        save_strategy="no",
        eval_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )

    class Ordered(Trainer):  # type: ignore[misc] # Trainer is Any: transformers tells no types
        """With the batches of the compared run, in its order."""

        def get_train_dataloader(self) -> Any:
            loader = DataLoader(
                questions,
                batch_sampler=batches,  # type: ignore[arg-type] # a list of lists is one
                collate_fn=questions.collate,
                pin_memory=self.args.dataloader_pin_memory,
            )
            return self.accelerator.prepare(loader)

    trainer = Ordered(model=way.module, args=arguments, train_dataset=questions, optimizers=(optimizer, schedule))
    trainer.remove_callback(PrinterCallback)  # prints to stdout
    way.module.losses.clear()
    trainer.train()
    losses = [loss.item() for loss in way.module.losses]  # waits for the device
    return Trained(losses, time.perf_counter() - questions.begun, questions.seconds)


class _Questions(Dataset[dict[str, Any]]):
    """Samples by row; keeps when the first was read, and counts the seconds that making batches takes."""

    def __init__(self, way: Plain, samples: Sequence[Sample]) -> None:
        self._way, self._samples = way, samples
        self.begun = self.seconds = 0.0

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, row: int) -> dict[str, Any]:
        started = time.perf_counter()
        self.begun = self.begun or started
        values = self._way.read(self._samples[row])
        self.seconds += time.perf_counter() - started
        return values

    def collate(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Tensor]:
        started = time.perf_counter()
        batch = self._way.collate(rows)
        self.seconds += time.perf_counter() - started
        return batch


def _colour(pixels: image.Pixels) -> image.Pixels:
    return np.stack([pixels] * 3, -1) if pixels.ndim == 2 else pixels


def without_dropout(module: nn.Module) -> None:
    """Let no unit be dropped at random, so that two ways of training can be compared.

    Besides layers that drop, attention and blocks of ``transformers`` hold the probability as a plain number.
    """
    for child in module.modules():
        if isinstance(child, nn.modules.dropout._DropoutNd):
            child.p = 0.0
        for name, value in vars(child).items():
            if "dropout" in name and isinstance(value, float):
                setattr(child, name, 0.0)
