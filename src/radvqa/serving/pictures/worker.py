"""A decoding process: reads files and questions about them from its input, writes pixels or a refusal to its output.

It is started by ``workers``, imports no torch, and has a limit on memory and one on the time of each file. Whatever a
hostile file makes of it, it holds nothing but that file.
"""

import os
import sys
from typing import Any, BinaryIO

import numpy as np

from radvqa.data import image, markers
from radvqa.data.deidentify.text_regions import text_boxes
from radvqa.data.medical import dicom, libraries, nifti
from radvqa.data.medical.address import View
from radvqa.data.medical.reading import Reading
from radvqa.data.medical.window import Window
from radvqa.errors import ImageError
from radvqa.serving.pictures.decoded import travelling
from radvqa.serving.pictures.framing import receive, send

THE_PICTURE = "The picture"
_LONGEST = 1 << 31  # bytes of a file; the service has a lower limit
_BARE = ".dcm"
_TEXT_SIDE = 768  # pixels of the longer side on which text is looked for
_SIGNS = ("L", "R")


def main() -> None:
    """Answer until the input ends."""
    memory = int(sys.argv[1])
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what a library prints is no answer
    _limit(memory)
    libraries.warm()
    serve(sys.stdin.buffer, answers, most_held=memory // 4)


def serve(questions: BinaryIO, answers: BinaryIO, most_held: int) -> None:
    """Answer questions until there are no more.

    Args:
        questions: each with ``want`` (``open``, ``pixels``, ``values`` or ``thumbnail``), ``view``, ``pixels`` (the
            limit), ``seconds``, ``side``, and the file behind it unless ``held`` says that it is the one of before.
        answers: where to.
        most_held: bytes of an unpacked volume that are kept for the next question.
    """
    content = b""
    while (question := receive(questions, _LONGEST)) is not None:
        asked, sent = question
        _limit_time(float(asked["seconds"]))
        try:
            if not asked["held"]:
                content = b""  # whatever happens next, nobody is shown the file of before
                content = nifti.unpacked(sent, most_held)
            header, body = _answer(asked, content)
        except ImageError as error:
            header, body = {"refused": str(error).replace(f"{THE_PICTURE}{_BARE}", THE_PICTURE)}, b""
        except MemoryError:
            header, body = {"refused": f"{THE_PICTURE} needs more memory than there is for one; scale it down."}, b""
        send(answers, header, body)


def _answer(asked: dict[str, Any], content: bytes) -> tuple[dict[str, Any], bytes]:
    bare = content[128:132] != b"DICM" and dicom.recognises(content, _BARE)  # by content: names prove nothing
    reading = image.read(
        content, name=THE_PICTURE + _BARE * bare, view=_view(asked["view"]), max_pixels=int(asked["pixels"])
    )
    if asked["want"] == "thumbnail":
        small = image.shrink(reading.pixels, int(asked["side"]))
        return {"size": list(small.shape)}, image.encode_webp(small)
    header = _facts(reading)
    if asked["want"] == "values" and reading.values is not None:
        values, header["padding"] = travelling(reading.values, reading.padding)
    else:
        values = reading.pixels
    if asked["want"] == "open":
        header["has_text"] = _has_text(reading.pixels)
    header |= {"shape": list(values.shape), "type": values.dtype.name}
    return header, np.ascontiguousarray(values).tobytes()


def _view(asked: dict[str, Any]) -> View:
    try:
        window = Window(*asked["window"]) if asked["window"] else None
    except ValueError as error:
        raise ImageError(str(error)) from None
    return View(asked["frame"], asked["slice"], asked["axis"], window)


def _facts(reading: Reading) -> dict[str, Any]:
    """All that leaves this process besides pixels: what a viewer needs, and nothing about a person."""
    return {
        "kind": reading.kind,
        "window": None if reading.window is None else [reading.window.centre, reading.window.width],
        "inverted": reading.inverted,
        "unit": reading.unit,
        "ct": reading.ct,
        "frames": reading.frames,
        "axes": [list(axis) for axis in reading.axes],
    }


def _has_text(pixels: image.Pixels) -> bool:
    small = image.shrink(pixels, _TEXT_SIDE)
    grey = (small if small.ndim == 2 else small.mean(-1)).astype(np.float32)
    return bool(text_boxes(grey)) or any(marker.letter in _SIGNS for marker in markers.markers(grey))


def _limit(memory: int) -> None:
    """Take as much memory as is allowed, write no file, and leave no picture of the memory behind."""
    try:
        import resource
    except ImportError:
        return  # not on Windows: the service's clock alone limits it there
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _limit_time(seconds: float) -> None:
    """Let the next file take so much processor time; the system ends the process after that."""
    try:
        import resource
    except ImportError:
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime + seconds) + 2, hard))


if __name__ == "__main__":
    main()
