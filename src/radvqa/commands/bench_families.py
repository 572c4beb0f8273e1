"""``radvqa bench FAMILY``: training and answering against the naive loop, and proof that both compute the same."""

import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from radvqa import answering, console, device, files
from radvqa.data import registry
from radvqa.data.dataset import Problems
from radvqa.data.store import ImageStore
from radvqa.errors import DataError, RadvqaError, nearest
from radvqa.models import random_checkpoints, zoo
from radvqa.models.family import Context
from radvqa.models.naive import Naive, naive
from radvqa.models.random_checkpoints import SIZES
from radvqa.recipe import ModelSection, load_recipe
from radvqa.sample import Sample

Way = Literal["ours", "naive"]

CONFIDENCE_TOLERANCE = 1e-4
GRADIENT_TOLERANCE = 1e-3
_SEED = 0
_DATA = "phantom:mini"


@dataclass(frozen=True)
class Work:
    """What both ways do; sent to the processes whose memory is measured.

    Attributes:
        section: of the model.
        samples: one batch.
        device: where it is computed.
    """

    section: ModelSection
    samples: Sequence[Sample]
    device: str


class _Ours:
    """The model as ``radvqa train`` and ``radvqa predict`` use it, with cold caches whenever something is prepared."""

    def __init__(self, model: Any, samples: Sequence[Sample], scratch: Path) -> None:
        self._model, self._samples, self._scratch, self._times = model, samples, scratch, count()
        self._prepared: Any = None
        self._cache = scratch

    def prepare(self) -> None:
        """Decode, resize, tokenise, and compute what is frozen, all from nothing."""
        self._cache = self._scratch / f"cache-{next(self._times)}"
        with files.cold_cache(self._cache):
            net = self._model.net
            net.store = ImageStore(net.store.preprocessing)
            self._prepared = self._model.prepare(self._samples, Problems())

    def loss(self) -> Tensor:
        """Loss of the batch."""
        rows = torch.arange(len(self._samples), device=self._prepared.image_rows.device)
        with files.cold_cache(self._cache):
            loss: Tensor = self._model.loss(self._prepared, rows).loss
        return loss

    def answers(self) -> list[tuple[str, float]]:
        """Texts and confidences, from nothing."""
        self.prepare()
        with files.cold_cache(self._cache):
            found, _ = answering.answer_prepared(self._model, self._prepared, with_loss=False)
        return [(one.prediction, one.confidence or 0.0) for one in found]


def bench_family(
    family: str,
    *,
    size: str = "small",
    images: int = 2,
    questions_per_image: int = 11,
    epochs: int = 10,
    repeats: int = 3,
    device_name: str = "auto",
    recipe: Path | None = None,
    overrides: Sequence[str] = (),
) -> dict[str, Any]:
    """Time one batch of training and the answers to it, both ways, in one process.

    Both ways use one set of weights. Gradients are compared without dropout and answers as they are written, before
    anything is timed. Ours begins with cold caches: before the first of ``epochs`` training passes, and whenever it
    answers. Every time is the median of ``repeats`` after one pass to warm up.

    Args:
        family: name of a family.
        size: of the random weights; ``base`` is the published architecture.
        images: pictures of the batch.
        questions_per_image: about each picture.
        epochs: passes over which the cold start of training is spread.
        repeats: timed passes.
        device_name: ``auto``, ``cpu`` or ``cuda``.
        recipe: takes the model from a recipe, with its real weights, instead of random ones.
        overrides: of the recipe.

    Returns:
        ``train_ratio``, ``predict_ratio``, ``outputs_equal``, and all figures behind them.

    Raises:
        RadvqaError: for a family that has no random weights, or a recipe of another family.
        DataError: when there are fewer pictures than asked for.
    """
    device.keep_freed_memory()
    samples = grouped(registry.load_split(_DATA, "train"), images, questions_per_image)
    chosen = device.choose(device_name)
    with tempfile.TemporaryDirectory(prefix="radvqa-bench-") as place:
        scratch = Path(place)
        section = section_of(family, size, scratch / "weights", samples, recipe, overrides)
        work = Work(section, samples, str(chosen))
        with files.cold_cache(scratch / "cache"):
            model = _build(work)
            ways = _Ours(model, samples, scratch), naive(family, model)
            equal = _compared(model, *ways, samples)
            console.say("compared; now timing")
            times = _times(model, *ways, samples, repeats)
            parameters = zoo.count_parameters(model)
            del model
            console.say("timed; now measuring memory, each way in a process of its own")
            memory = {way: _memory(work, scratch, way) for way in ("ours", "naive")}
    return {
        "family": family,
        "weights": f"random, {size}" if recipe is None else f"recipe {recipe}",
        "size": size if recipe is None else "recipe",
        "parameters": parameters["total"],
        "trained_parameters": parameters["trainable"],
        "device": _device_name(chosen),
        "threads": torch.get_num_threads(),
        "images": images,
        "questions_per_image": questions_per_image,
        "batch": len(samples),
        "epochs": epochs,
        "repeats": repeats,
        "naive": ways[1].how,
        **_figures(times, len(samples), epochs),
        **equal,
        "ours_peak_memory_bytes": memory["ours"],
        "naive_peak_memory_bytes": memory["naive"],
        "memory_ratio": round(memory["naive"] / memory["ours"], 2),
    }


def grouped(samples: Sequence[Sample], images: int, questions_per_image: int) -> list[Sample]:
    """Ask so many different questions about each of some pictures, in random order.

    The questions may be asked of other pictures in the data set; to time models, their answers need not be right.

    Raises:
        DataError: when there are fewer pictures, or fewer different questions.
    """
    pictures = list({sample.image: sample for sample in samples}.values())
    asked = list({sample.question: sample for sample in samples}.values())
    if images > len(pictures) or questions_per_image > len(asked):
        raise DataError(
            f"{_DATA} has {len(pictures)} pictures and {len(asked)} different questions; ask for at most as many."
        )
    dice = random.Random(_SEED)
    batch = [
        replace(one, id=f"{number}-{place}", image=picture.image, image_path=picture.image_path)
        for number, picture in enumerate(pictures[:images])
        for place, one in enumerate(dice.sample(asked, questions_per_image))
    ]
    dice.shuffle(batch)
    return batch


def section_of(
    family: str, size: str, folder: Path, samples: Sequence[Sample], recipe: Path | None, overrides: Sequence[str]
) -> ModelSection:
    """Return the model that is timed: a recipe's, or one of random weights that are written now.

    Raises:
        RadvqaError: for a recipe of another family, and for a family or size without random weights.
    """
    if recipe is not None:
        section = load_recipe(recipe, overrides).model
        if section.family != family:
            raise RadvqaError(
                f"{recipe} is a recipe of the family {section.family}; use radvqa bench {section.family}."
            )
        return section
    if family not in random_checkpoints.MAKERS:
        raise RadvqaError(
            f"There are no random weights for {family}; name a recipe whose weights are here (--recipe), or use "
            f"{', '.join(random_checkpoints.MAKERS)}."
        )
    known = {name: name for name in SIZES}
    if size not in known:
        raise RadvqaError(f"There is no size {size!r}; {nearest(size, list(SIZES))}")
    texts = [text for sample in samples for text in (sample.question, sample.answer)]
    return ModelSection.model_validate(random_checkpoints.write(family, known[size], folder, texts))


def _build(work: Work) -> Any:
    return zoo.build(work.section, Context(training=work.samples, seed=_SEED, device=torch.device(work.device)))


def _compared(model: Any, ours: _Ours, other: Naive, samples: Sequence[Sample]) -> dict[str, Any]:
    """Gradients and answers of both ways; this also warms both up."""
    model.module.eval()
    ours.prepare()
    loss, gradients = _gradients(model.module, ours.loss)
    naive_loss, naive_gradients = _gradients(model.module, lambda: other.loss(samples))
    largest = max(map(_norm, naive_gradients.values()))
    difference = max(
        _norm(gradients[name] - gradient) / max(_norm(gradient), 1e-3 * largest, 1e-30)
        for name, gradient in naive_gradients.items()
    )
    answers = ours.answers()
    expected = [other.answer(sample) for sample in samples]
    unlike = sum(text != one.text for (text, _), one in zip(answers, expected, strict=True))
    confidence = max(abs(sure - (one.confidence or 0.0)) for (_, sure), one in zip(answers, expected, strict=True))
    return {
        "outputs_equal": unlike == 0 and confidence <= CONFIDENCE_TOLERANCE and difference <= GRADIENT_TOLERANCE,
        "answers_compared": len(samples),
        "answers_unequal": unlike,
        "distinct_answers": len({text for text, _ in answers}),
        "largest_confidence": round(max(sure for _, sure in answers), 6),
        "confidence_difference": confidence,
        "confidence_tolerance": CONFIDENCE_TOLERANCE,
        "loss": loss,
        "loss_difference": abs(loss - naive_loss),
        "gradient_difference": difference,
        "gradient_tolerance": GRADIENT_TOLERANCE,
    }


def _norm(tensor: Tensor) -> float:
    return float(tensor.norm())


def _gradients(module: torch.nn.Module, loss: Callable[[], Tensor]) -> tuple[float, dict[str, Tensor]]:
    module.zero_grad(set_to_none=True)
    value = loss()
    value.backward()  # type: ignore[no-untyped-call]
    learned = {name: parameter for name, parameter in module.named_parameters() if parameter.requires_grad}
    found = {name: torch.zeros_like(p) if p.grad is None else p.grad.detach().clone() for name, p in learned.items()}
    module.zero_grad(set_to_none=True)
    return value.item(), found


def _times(model: Any, ours: _Ours, other: Naive, samples: Sequence[Sample], repeats: int) -> dict[str, list[float]]:
    """Seconds of ``repeats`` passes of all that is timed; answering first, because training moves batch norms."""
    model.module.eval()
    work: dict[str, Callable[[], object]] = {
        "prepare": ours.prepare,
        "ours_answer": ours.answers,
        "naive_answer": lambda: [other.answer(sample) for sample in samples],
        "ours_step": _step(model.module, ours.loss),
        "naive_step": _step(model.module, lambda: other.loss(samples)),
    }
    return {name: [_seconds(one) for _ in range(repeats)] for name, one in work.items()}


def _step(module: torch.nn.Module, loss: Callable[[], Tensor]) -> Callable[[], None]:
    """A training step, dropout included, that leaves the weights as they are."""
    learned = [parameter for parameter in module.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=0.0, weight_decay=0.0)

    def step() -> None:
        module.train()
        optimizer.zero_grad(set_to_none=True)
        loss().backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return step


def _seconds(work: Callable[[], object]) -> float:
    _wait()
    started = time.perf_counter()
    work()
    _wait()
    return time.perf_counter() - started


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def _figures(times: dict[str, list[float]], batch: int, epochs: int) -> dict[str, Any]:
    """Rates and ratios from seconds."""
    seconds = {name: statistics.median(found) for name, found in times.items()}
    cold = seconds["prepare"] + seconds["ours_step"]
    train = seconds["prepare"] / epochs + seconds["ours_step"]
    return {
        "train_ratio": round(seconds["naive_step"] / train, 2),
        "train_ratio_first_epoch": round(seconds["naive_step"] / cold, 2),
        "train_ratio_later_epochs": round(seconds["naive_step"] / seconds["ours_step"], 2),
        "predict_ratio": round(seconds["naive_answer"] / seconds["ours_answer"], 2),
        "ours_train_samples_per_second": round(batch / train, 2),
        "naive_train_samples_per_second": round(batch / seconds["naive_step"], 2),
        "ours_questions_per_second": round(batch / seconds["ours_answer"], 2),
        "naive_questions_per_second": round(batch / seconds["naive_answer"], 2),
        "seconds": {name: round(value, 4) for name, value in seconds.items()},
        "seconds_range": {name: [round(min(found), 4), round(max(found), 4)] for name, found in times.items()},
    }


def _memory(work: Work, scratch: Path, way: Way) -> int:
    """Largest memory of one way: of the GPU, or of a fresh process that does nothing else."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_in_child, work, scratch / way, way).result()


def _in_child(work: Work, scratch: Path, way: Way) -> int:
    device.keep_freed_memory()
    with files.cold_cache(scratch / "cache"):
        model = _build(work)
        if way == "ours":
            ours = _Ours(model, work.samples, scratch)
            ours.prepare()
            _step(model.module, ours.loss)()
            ours.answers()
        else:
            other = naive(work.section.family, model)
            _step(model.module, lambda: other.loss(work.samples))()
            model.module.eval()
            other.answer(work.samples[0])
    if work.device.startswith("cuda"):
        return int(torch.cuda.max_memory_allocated())
    return peak_bytes()


def peak_bytes() -> int:
    """Most memory in use; Linux's ``ru_maxrss`` would count the process that started this one."""
    status = Path("/proc/self/status")
    if not status.is_file():
        return device.peak_memory_bytes()
    return next(int(line.split()[1]) * 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM"))


def _device_name(chosen: torch.device) -> str:
    return torch.cuda.get_device_name(chosen) if chosen.type == "cuda" else f"CPU, {torch.get_num_threads()} threads"
