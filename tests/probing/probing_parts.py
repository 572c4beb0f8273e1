"""A made-up split on disk, and models whose answers are known."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from radvqa.data import image
from radvqa.data.dataset import Problems
from radvqa.data.image import Pixels
from radvqa.models.family import Answered, ModelAnswer, StepLoss
from radvqa.probing.pictures import PictureFolder
from radvqa.probing.probe import PROBES, Context, ProbedSample
from radvqa.sample import Sample
from radvqa.text import seed000


def sample(folder: Path, name: str, pixels: Any, **facts: Any) -> Sample:
    """A sample of a picture that is written as PNG; ``facts`` are fields of the sample."""
    path = folder / f"{name}.png"
    Image.fromarray(np.asarray(pixels, np.uint8)).save(path)
    values: dict[str, Any] = {
        "id": name,
        "dataset": "made:up",
        "split": "test",
        "image": path.name,
        "image_path": path,
        "question": "Is it bright?",
        "answer": "Yes",
        "answer_type": "CLOSED",
        "organ": "Lung",
        "modality": "CT",
    }
    return Sample(**{**values, **facts})


def applied(name: str, samples: Sequence[Sample], folder: Path) -> list[ProbedSample]:
    """Apply a probe to a split, its pictures written into a folder."""
    return PROBES[name].apply(samples, Context(samples, seed000, PictureFolder(folder / name)))


def pixels_of(probed: ProbedSample) -> Pixels:
    """The picture that a changed sample shows."""
    return image.decode(probed.sample.image_path)


@dataclass
class Rows:
    """A ``Prepared``."""

    samples: Sequence[Sample]
    image_rows: Tensor


class Known:
    """A ``VqaModel`` that answers by a rule."""

    def __init__(self, rule: Callable[[Sample], str]) -> None:
        self.rule, self.module = rule, nn.Module()
        self.asked: list[list[Sample]] = []

    @property
    def parts(self) -> Mapping[str, nn.Module]:
        return {}

    def prepare(self, samples: Sequence[Sample], problems: Problems) -> Rows:
        self.asked.append(list(samples))
        return Rows(samples, torch.zeros(len(samples), dtype=torch.long))

    def answer(self, prepared: Rows, rows: Tensor, *, with_loss: bool = True) -> Answered:
        return Answered([ModelAnswer(self.rule(prepared.samples[row]), 1.0) for row in rows.tolist()], 0.0)

    def answer_is_known(self, answer: str) -> bool:
        return True

    def loss(self, prepared: Rows, rows: Tensor, *, label_smoothing: float = 0.0) -> StepLoss:
        raise NotImplementedError

    def spec(self) -> dict[str, Any]:
        raise NotImplementedError

    def state(self) -> dict[str, Tensor]:
        raise NotImplementedError

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        raise NotImplementedError


def by_brightness(asked: Sample) -> str:
    """Answer yes when the picture's mean is above 100."""
    return "yes" if image.decode(asked.image_path).mean() > 100 else "no"
