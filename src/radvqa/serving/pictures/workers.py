"""Decoding processes: a few, warm, each with one file at a time; one that dies is replaced and takes no other along."""

import asyncio
import os
import subprocess
import sys
import threading
import weakref
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray
from pydantic import ValidationError

from radvqa.errors import ImageError
from radvqa.serving.pictures.decoded import Decoded
from radvqa.serving.pictures.framing import FramingError, receive, send
from radvqa.serving.pictures.picture import View
from radvqa.serving.settings import Limits

PROCESSES = 2
"""How many files are decoded at a time."""

_MODULE = "radvqa.serving.pictures.worker"
_KNOWN = ("PATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "SYSTEMROOT")  # of the surroundings; no secrets
_STARTING = 30.0  # seconds that a process may take to start, besides those for the file


@dataclass(frozen=True)
class Question:
    """What is wanted of a file.

    Attributes:
        want: all that is known and its first picture; a picture as it is shown; its greys; or a small WebP.
        digest: names the file.
        content: of it.
        view: which picture.
        side: of a small one, in pixels.
    """

    want: Literal["open", "pixels", "values", "thumbnail"]
    digest: str
    content: bytes
    view: View = field(default_factory=View)
    side: int = 0


class Workers:
    """The processes; started when they are first needed.

    Args:
        limits: of each file.
        number: of processes.
    """

    def __init__(self, limits: Limits, number: int = PROCESSES) -> None:
        self._limits = limits
        self._threads = ThreadPoolExecutor(number, thread_name_prefix="decoding")
        self._idle = [_Worker(limits) for _ in range(number)]
        self._all = tuple(self._idle)
        self._lock = threading.Lock()
        self._end = weakref.finalize(self, _end_all, self._all)

    @property
    def processes(self) -> list[int]:
        """Numbers of the processes that run."""
        return [worker.process.pid for worker in self._all if worker.process is not None]

    def warm(self) -> None:
        """Start the processes, without waiting for them."""
        for worker in self._all:
            worker.start()

    def ask(self, question: Question) -> "Future[tuple[Decoded, NDArray[Any]]]":
        """Decode a file; may be called from any thread.

        Returns:
            of what is known and the pixels or greys; raises ``ImageError`` when the file is refused, or when its
            process needed more memory or time than it may.
        """
        return self._threads.submit(self._decoded, question)

    async def thumbnail(self, question: Question) -> bytes:
        """Return a small picture as WebP.

        Raises:
            ImageError: as ``ask`` does.
        """
        _, body = await asyncio.get_running_loop().run_in_executor(self._threads, self._answered, question)
        return body

    def close(self) -> None:
        """Finish what is being decoded, then end the processes."""
        self._threads.shutdown()
        self._end()

    def _decoded(self, question: Question) -> tuple[Decoded, NDArray[Any]]:
        header, body = self._answered(question)
        try:
            decoded = Decoded.model_validate(header)
            return decoded, decoded.values(body)
        except (ValidationError, ValueError):
            raise ImageError("The picture is broken: what was decoded of it makes no sense.") from None

    def _answered(self, question: Question) -> tuple[dict[str, Any], bytes]:
        with self._lock:  # there are as many threads as workers; one that holds the file need not be sent it
            self._idle.sort(key=lambda worker: (worker.holds == question.digest, not worker.holds))
            worker = self._idle.pop()
        try:
            header, body = worker.ask(question)
        finally:
            with self._lock:
                self._idle.append(worker)
        if "refused" in header:
            raise ImageError(str(header["refused"])[:1000])
        return header, body


class _Worker:
    """One process and the file that it holds."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.process: subprocess.Popen[bytes] | None = None
        self.holds = ""
        self._answers = False

    def start(self) -> "subprocess.Popen[bytes]":
        if self.process is not None and self.process.poll() is None:
            return self.process
        self.end()
        surroundings = {name: os.environ[name] for name in _KNOWN if name in os.environ}
        surroundings |= {
            "PYTHONPATH": os.pathsep.join(str(Path(place).resolve()) for place in sys.path if place),
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", _MODULE, str(self._limits.decode_bytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # tracebacks may quote the file
            env=surroundings,
            start_new_session=True,  # Ctrl+C ends the service, which ends its processes
        )
        return self.process

    def ask(self, question: Question) -> tuple[dict[str, Any], bytes]:
        process = self.start()
        seconds = self._limits.decode_seconds
        late = threading.Event()

        def kill() -> None:
            late.set()
            process.kill()

        clock = threading.Timer(seconds + (0.0 if self._answers else _STARTING), kill)
        clock.daemon = True
        clock.start()
        if process.stdin is None or process.stdout is None:
            raise AssertionError("the process was started with pipes")
        held = self.holds == question.digest
        asked = {
            "want": question.want,
            "view": question.view.model_dump(),
            "pixels": self._limits.pixels,
            "seconds": seconds,
            "side": question.side,
            "held": held,
        }
        try:
            send(process.stdin, asked, b"" if held else question.content)  # type: ignore[arg-type]
            answer = receive(process.stdout, 16 * self._limits.pixels + (1 << 20))  # type: ignore[arg-type]
            if answer is None:
                raise FramingError("the process has ended")  # noqa: TRY301 - told as what it is below
        except FramingError:
            self.end()
            what = f"longer than {seconds:g} s" if late.is_set() else "more memory or time than there is for one"
            raise ImageError(f"The picture took {what}; it is broken, or scale it down.") from None
        finally:
            clock.cancel()
        self._answers = True
        self.holds = "" if "refused" in answer[0] else question.digest
        return answer

    def end(self) -> None:
        process, self.process, self.holds, self._answers = self.process, None, "", False
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # what was still to be written finds no reader
                    continue


def _end_all(workers: tuple[_Worker, ...]) -> None:
    for worker in workers:
        worker.end()
