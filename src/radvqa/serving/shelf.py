"""The models that the service offers: loaded when first asked, once, and kept."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from radvqa.asking import STARTER
from radvqa.errors import RadvqaError, nearest
from radvqa.run import Run
from radvqa.serving.answerers.answerer import Answerer, Asked, Reply, Speaks
from radvqa.serving.batching import Batcher
from radvqa.serving.events import BROKEN
from radvqa.serving.settings import Limits

_LOADING = ThreadPoolExecutor(1, thread_name_prefix="loading")  # one after the other: imports are no work for two
State = Literal["waiting", "loading", "ready", "failed"]


@dataclass
class Loaded:
    """A model that answers.

    Attributes:
        answerer: the model.
        batcher: asks it.
    """

    answerer: Answerer
    batcher: Batcher

    @property
    def can_be_heard(self) -> bool:
        """Whether the model writes, and says what it has written so far."""
        return self.answerer.writes and isinstance(self.answerer, Speaks)

    async def heard(self, asked: Asked, say: Callable[[str], None]) -> Reply:
        """Answer one question; ``say`` is called in the model's thread with the answer so far.

        What ``say`` raises stops the writing.

        Raises:
            BusyError: when too many wait.
            TypeError: when the model cannot be heard.
        """
        speaker = self.answerer
        if not isinstance(speaker, Speaks):
            raise TypeError("this model cannot be heard")
        return await self.batcher.alone(lambda: speaker.speak(asked, say))


class Offer:
    """A model by its name, loaded or not.

    Args:
        name: by which askers know it.
        family: of the model.
        load: loads it; takes seconds to minutes.
        limits: of its batches.
    """

    def __init__(self, name: str, family: str, load: Callable[[], Answerer], limits: Limits) -> None:
        self.name, self.family = name, family
        self._load, self._limits = load, limits
        self._loading: asyncio.Task[Loaded] | None = None
        self.problem = ""

    @property
    def state(self) -> State:
        """How far it is."""
        if self._loading is None:
            return "waiting"
        if not self._loading.done():
            return "loading"
        return "failed" if self._loading.cancelled() or self._loading.exception() else "ready"

    async def loaded(self) -> Loaded:
        """Return the model, loading it when it is not; who asks meanwhile waits for the same loading.

        Raises:
            RadvqaError: what loading raised; the next asker tries again.
        """
        if self.state in ("waiting", "failed"):
            self._loading = asyncio.create_task(self._opened())
        if self._loading is None:
            raise AssertionError("a model that is asked for is being loaded")
        return await asyncio.shield(self._loading)

    async def _opened(self) -> Loaded:
        try:
            answerer = await asyncio.get_running_loop().run_in_executor(_LOADING, self._load)
        except Exception as error:
            self.problem = str(error) if isinstance(error, RadvqaError) else BROKEN
            raise
        self.problem = ""
        return Loaded(answerer, Batcher(answerer.answer, most=self._limits.batch, waiting=self._limits.waiting))

    async def close(self) -> None:
        """Answer what waits, then let the model go."""
        if self._loading is not None and self.state == "ready":
            await (await self._loading).batcher.close()


class Shelf:
    """All models.

    Args:
        models: ``starter`` or run folders, the first is asked when none is named.
        device: of runs.
        limits: of batches.

    Raises:
        RadvqaError: when a run is none or unfinished, or two have one name.
    """

    def __init__(self, models: tuple[str, ...], device: str, limits: Limits) -> None:
        self.offers: dict[str, Offer] = {}
        for model in models:
            offer = _starter(limits) if model == STARTER else _run(Path(model), device, limits)
            if offer.name in self.offers:
                raise RadvqaError(f"Two models are called {offer.name}; rename one of the folders.")
            self.offers[offer.name] = offer

    @property
    def first(self) -> str:
        """The model that is asked when none is named."""
        return next(iter(self.offers))

    def offer(self, name: str) -> Offer:
        """Return a model.

        Raises:
            RadvqaError: when none has this name.
        """
        if name not in self.offers:
            raise RadvqaError(f"There is no model {name!r}; {nearest(name, list(self.offers))}")
        return self.offers[name]

    async def close(self) -> None:
        """Answer what waits, then let all models go."""
        for offer in self.offers.values():
            await offer.close()


def _starter(limits: Limits) -> Offer:
    def load() -> Answerer:
        from radvqa.serving.answerers.starter import StarterAnswerer

        return StarterAnswerer()

    return Offer(STARTER, STARTER, load, limits)


def _run(folder: Path, device: str, limits: Limits) -> Offer:
    run = Run(folder)
    run.require_model()

    def load() -> Answerer:
        from radvqa.serving.answerers.trained import TrainedAnswerer

        return TrainedAnswerer(run, device)

    return Offer(run.name, str(run.recipe["model"]["family"]), load, limits)
