"""A trained run behind the service; pictures and what is computed of them stay in memory."""

import atexit
import math
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from radvqa import device as devices
from radvqa import files
from radvqa.answering import answer_prepared
from radvqa.asking import sample_of
from radvqa.data import image
from radvqa.data.dataset import Problems
from radvqa.models import heard
from radvqa.models.checkpoint import load_model
from radvqa.models.generator import Generator
from radvqa.prediction import Prediction
from radvqa.run import Run
from radvqa.sample import Sample
from radvqa.serving.answerers.answerer import Asked, Reply, Token

_MEMORY = Path("/dev/shm")  # noqa: S108 - memory that looks like a folder, on Linux
_PICTURES = 200  # before the room is emptied


class MemoryRoom:
    """A folder in memory where pictures lie while a model looks at them, and what it computes of them is kept.

    Where the system has no such folder it is one for temporary files; it is emptied after so many pictures, and gone
    when the process ends.
    """

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._names: set[str] = set()
        atexit.register(self.clear)

    def cache(self) -> Path:
        """Where computed features lie."""
        return self._place() / "cache"

    def file(self, asked: Asked) -> Path:
        """Lay a picture down; equal ones once."""
        path = self._place() / f"{asked.digest}.png"
        if asked.digest not in self._names:
            files.write_bytes(path, image.encode_png(asked.pixels))
            self._names.add(asked.digest)
        return path

    def make_room(self) -> None:
        """Empty the room when it is full; nobody may be looking."""
        if len(self._names) >= _PICTURES:
            self.clear()

    def clear(self) -> None:
        """Forget everything."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._folder, self._names = None, set()

    def _place(self) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="radvqa-", dir=_MEMORY if _MEMORY.is_dir() else None))
        return self._folder


class TrainedAnswerer:
    """Answers with a trained run.

    Args:
        run: finished.
        device: ``auto``, ``cpu`` or ``cuda``.

    Raises:
        RadvqaError: when the run has no model, or its weights do not fit or are not here.
    """

    def __init__(self, run: Run, device: str = "auto") -> None:
        run.require_model()
        self.run = run
        self.family = str(files.read_json(run.checkpoints / "model.json")["family"])
        self.model = load_model(run.checkpoints, devices.choose(device))
        self.room = MemoryRoom()

    @property
    def writes(self) -> bool:
        """Whether answers come word by word."""
        return isinstance(self.model, Generator)

    def answer(self, asked: Sequence[Asked]) -> list[Reply]:
        """Answer in one pass; a picture is looked at once."""
        self.room.make_room()
        samples = [self.sample(one, f"ask/{number}") for number, one in enumerate(asked)]
        with files.cache_in(self.room.cache()):
            predictions, _ = answer_prepared(self.model, self.model.prepare(samples, Problems()), with_loss=False)
        return [_reply(one) for one in predictions]

    def sample(self, asked: Asked, name: str = "ask/0") -> Sample:
        """A question as models take it; its picture lies in memory until the room is emptied."""
        return sample_of(self.room.file(asked), asked.question, name)

    def speak(self, asked: Asked, say: Callable[[str], None]) -> Reply:
        """Answer one question, say what is written so far, and tell how likely each token is."""
        tokens: list[heard.Heard] = []
        tokenizer = self.model.net.tokenizer if isinstance(self.model, Generator) else None

        def hear(token: heard.Heard) -> None:
            tokens.append(token)
            if tokenizer is not None:
                say(str(tokenizer.decode([one.token for one in tokens], skip_special_tokens=True)).strip())

        with heard.listening(hear):
            reply = self.answer([asked])[0]
        if tokenizer is None or not tokens:
            return reply
        spelled = [
            Token(
                tokenizer.decode([one.token]),
                one.log_probability,
                tuple((tokenizer.decode([other]), value) for other, value in one.others),
            )
            for one in tokens
        ]
        return replace(reply, tokens=tuple(spelled))


def _reply(said: Prediction) -> Reply:
    """A model that chooses gives its answer as one token; of one that writes they are heard while it speaks."""
    tokens: tuple[Token, ...] = ()
    if said.candidates and said.confidence is not None:
        others = tuple((answer, math.log(max(p, 1e-9))) for answer, p in said.candidates)
        tokens = (Token(said.prediction, math.log(max(said.confidence, 1e-9)), others),)
    return Reply(said.prediction, said.confidence, None, tuple(said.candidates), tokens)
