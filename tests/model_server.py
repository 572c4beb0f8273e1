"""A real model server of another project, ``transformers serve``, on loopback and without a hub."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx


@contextmanager
def serving_model(root: Path, model: str, log: Path) -> Iterator[str]:
    """Serve the model in the folder ``model`` of ``root``, which is its name; yields the base address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert (root / model).is_dir(), f"{model} is not in {root}"
    program = Path(sys.executable).parent / "transformers"
    where = ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu", "--dtype", "float32"]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error"}
    with log.open("w") as output:
        process = subprocess.Popen(
            [program, "serve", model, *where], cwd=root, env=environment, stdout=output, stderr=output
        )
    try:
        deadline = time.monotonic() + 180
        while not _is_ready(port):
            assert process.poll() is None, f"the server ended:\n{log.read_text()}"
            assert time.monotonic() < deadline, f"the server is not ready:\n{log.read_text()}"
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False).is_success
    except httpx.TransportError:
        return False
