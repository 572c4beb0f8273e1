"""``radvqa bench serve``: many clients at the service, each checking its own answers; against one look a question."""

import asyncio
import base64
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radvqa import console
from radvqa.commands.bench_ask import phantoms
from radvqa.errors import RadvqaError

if TYPE_CHECKING:
    from radvqa.serving.load.clients import Expected, Load


def bench_serve(load: "Load", *, naive_seconds: float = 15.0) -> dict[str, Any]:
    """Start ``radvqa serve`` with the starter model, let clients ask, and check every answer.

    Clients ask through ``/v1/chat/completions`` with the picture in every request, as evaluation kits do. What each
    must hear is computed before by the model itself. Beside it a plain service that decodes and looks at the picture
    for every question, one after the other, is asked in the same way.

    Args:
        load: of the service.
        naive_seconds: how long the plain service is asked; 0 leaves it out.

    Returns:
        ``questions_per_s``, ``p50_s``, ``p99_s``, ``failed``, ``mixed_up``, memory of the service's processes in bytes
        after warming up and at the end with its largest deviation in between, the size and time of the first view of
        the page, and the same figures of the plain service with the ratio.

    Raises:
        RadvqaError: when the service does not start.
    """
    from radvqa.serving.load.clients import Load, asked

    with tempfile.TemporaryDirectory(prefix="radvqa-bench-") as place:
        console.say("drawing pictures, and asking the model itself")
        pictures = phantoms(Path(place), load.pictures)
        uris = [f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}" for path in pictures]
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:  # its memory goes with it
            expected = pool.submit(_expected, pictures).result()
        with _service(Path(place)) as (process, address):
            view = _first_view(address)
            console.say(f"{load.clients} clients ask the service at {address}")
            ours = asyncio.run(asked(address, uris, expected, load, process.pid))
        found: dict[str, Any] = {
            "clients": load.clients,
            "pictures": load.pictures,
            "questions_per_picture": load.per_picture,
            "cores": os.cpu_count(),
            **ours,
            **view,
        }
        if naive_seconds:
            console.say("the same of a plain service")
            short = Load(load.clients, naive_seconds, None, load.pictures, load.per_picture)
            with _plain_service() as (process, address):
                naive = asyncio.run(asked(address, uris, expected, short, process.pid))
            found |= {f"naive_{key}": naive[key] for key in ("questions_per_s", "p99_s", "failed", "mixed_up")}
            found["ratio"] = round(ours["questions_per_s"] / max(1e-9, naive["questions_per_s"]), 1)
        return found


def _expected(pictures: Sequence[Path]) -> "list[list[Expected]]":
    from radvqa.serving.load.clients import QUESTIONS, Expected
    from radvqa.starter.model import Starter

    starter = Starter.load()
    said = [[starter.answer(picture, question) for question in QUESTIONS] for picture in pictures]
    return [[Expected(one.answer, one.confidence) for one in row] for row in said]


@contextmanager
def _service(scratch: Path) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    command = [sys.executable, "-m", "radvqa", "serve", "--port", "0", "--runs", str(scratch / "runs")]
    command += ["--judgements", str(scratch / "judgements.sqlite")]
    with _started(command) as found:
        yield found


@contextmanager
def _plain_service() -> Iterator[tuple["subprocess.Popen[str]", str]]:
    with _started(
        [sys.executable, "-c", "from radvqa.commands.bench_serve import plain_service; plain_service()"]
    ) as it:
        yield it


@contextmanager
def _started(command: list[str]) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Start a server that prints its address first; it is ended by its process id."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline() if process.stdout else ""
        address = next((word for word in line.split() if word.startswith("http://")), "")
        if not address:
            raise RadvqaError("The service did not start; run `radvqa serve` to see why.")
        yield process, address.rstrip("/")
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()


def _first_view(address: str) -> dict[str, Any]:
    """How many bytes the page's first view is, and how soon a browser shows it; None where there is no browser."""
    nothing = {"first_view_bytes": None, "first_view_s": None}
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        return nothing
    import shutil

    program = os.environ.get("RADVQA_CHROMIUM") or shutil.which("chromium")
    if not program:
        return nothing
    try:
        with sync_playwright() as player:
            browser = player.chromium.launch(executable_path=program, args=["--no-sandbox"])
            page = browser.new_page()
            sizes: list[int] = []
            page.goto(address)  # the browser's own start is over then
            fresh = browser.new_context().new_page()
            fresh.on("requestfinished", lambda request: sizes.append(_bytes(request)))
            began = time.perf_counter()
            fresh.goto(address)
            fresh.wait_for_selector("main textarea")
            seconds = time.perf_counter() - began
            fresh.wait_for_load_state("networkidle")
            browser.close()
    except Error as error:
        console.say(f"the page's first view is not measured: {error.message.splitlines()[0]}")
        return nothing
    return {"first_view_bytes": sum(sizes), "first_view_s": round(seconds, 3)}


def _bytes(request: Any) -> int:
    sizes = request.sizes()
    return int(sizes["responseBodySize"] + sizes["responseHeadersSize"])


def plain_service() -> None:
    """Serve the naive way at a free port, until ended."""
    from contextlib import closing

    import uvicorn

    from radvqa.commands.listening import listen
    from radvqa.serving.load.plain import plain_application

    with closing(listen("127.0.0.1", 0)) as listening:
        print(f"http://127.0.0.1:{listening.getsockname()[1]}/", flush=True)
        uvicorn.Server(uvicorn.Config(plain_application(), log_level="warning", access_log=False)).run(
            sockets=[listening]
        )
