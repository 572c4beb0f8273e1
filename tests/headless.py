"""A real Chromium without a window, driven over its DevTools pipe: keys, clicks, console and network as a person's."""

import base64
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
)
_PATIENCE = 120  # seconds for one answer of the browser


def browser() -> str:
    found = os.environ.get("RADVQA_CHROMIUM") or shutil.which("chromium")
    if not found:
        pytest.fail("This test needs a real browser: install chromium, or set RADVQA_CHROMIUM to its program.")
    return found


class Tab:
    """One page of the browser.

    Attributes:
        console: what the page wrote to the console, violations of its content policy included.
        asked_for: addresses that the page asked for, without those that hold their content themselves.
    """

    def __init__(self, reading: int, writing: int) -> None:
        self._reading, self._writing, self._buffer, self._number, self._session = reading, writing, b"", 0, ""
        self.console: list[str] = []
        self.asked_for: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and wait for its answer; events that come in between are noted."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._writing, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result
            self._note(answer)

    def _next(self) -> dict[str, Any]:
        until = time.monotonic() + _PATIENCE
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._reading], [], [], max(0.0, until - time.monotonic()))
            assert ready, "the browser does not answer"
            self._buffer += os.read(self._reading, 1 << 20)
        message, _, self._buffer = self._buffer.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        return found

    def _note(self, event: dict[str, Any]) -> None:
        method, parameters = event.get("method"), event.get("params", {})
        if method == "Log.entryAdded":
            self.console.append(parameters["entry"]["text"])
        elif method == "Runtime.consoleAPICalled":
            self.console.append(str(parameters["args"]))
        elif method == "Runtime.exceptionThrown":
            self.console.append(str(parameters["exceptionDetails"]))
        elif method == "Network.requestWillBeSent" and not parameters["request"]["url"].startswith("data:"):
            self.asked_for.append(parameters["request"]["url"])

    def open(self, page: Path | str) -> None:
        """Open a file or an address and wait until it has loaded."""
        self.call("Page.navigate", url=page if isinstance(page, str) else page.as_uri())
        while True:
            event = self._next()
            self._note(event)
            if event.get("method") == "Page.loadEventFired":
                return

    def run(self, script: str) -> Any:
        """Evaluate an expression in the page, as its inspector does, and return the value."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, userGesture=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait(self, script: str) -> Any:
        """Evaluate an expression again and again until it is true."""
        until = time.monotonic() + _PATIENCE
        while not (found := self.run(script)):
            assert time.monotonic() < until, f"{script} does not become true; console: {self.console}"
            time.sleep(0.02)
        return found

    def press(self, key: str, *, control: bool = False) -> None:
        """Press and release a key."""
        text = {"text": key} if len(key) == 1 else {"text": "\r"} if key == "Enter" else {}
        held = {"modifiers": 2} if control else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, **text, **held)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, **held)

    def write(self, text: str) -> None:
        """Write into what has the focus, as a keyboard does."""
        self.call("Input.insertText", text=text)

    def click(self, selector: str, times: int = 1) -> None:
        """Click the middle of an element, as a mouse does."""
        box = self.run(
            f"(() => {{ const b = document.querySelector({json.dumps(selector)}).getBoundingClientRect(); "
            f"return [b.x + b.width / 2, b.y + b.height / 2]; }})()"
        )
        for number in range(1, times + 1):
            for kind in ("mousePressed", "mouseReleased"):
                place = {"x": box[0], "y": box[1], "button": "left", "clickCount": number}
                self.call("Input.dispatchMouseEvent", type=kind, **place)

    def view(self, width: int, height: int, *, dark: bool = False, touch: bool = False) -> None:
        """Set the size and the colours of the window."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=touch)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def shot(self, *, whole: bool = False) -> bytes:
        """Take a picture as PNG: of the window, or of the whole page."""
        return base64.b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=whole)["data"])


@contextmanager
def tab(profile: Path) -> Iterator[Tab]:
    """Start a browser with a profile of its own and close it afterwards."""
    from_browser, browser_writes = os.pipe()
    browser_reads, to_browser = os.pipe()
    # the browser reads commands from descriptor 3 and answers on 4
    shell = f'exec "$@" 3<&{browser_reads} 4>&{browser_writes}'
    command = [
        "bash",
        "-c",
        shell,
        "chromium",
        browser(),
        *OPTIONS,
        "--remote-debugging-pipe",
        f"--user-data-dir={profile}",
    ]
    with (profile.parent / "chromium.log").open("wb") as log:
        process = subprocess.Popen(command, pass_fds=(browser_reads, browser_writes), stdout=log, stderr=log)
    os.close(browser_reads)
    os.close(browser_writes)
    try:
        yield Tab(from_browser, to_browser)
    finally:
        os.close(to_browser)  # the browser ends when nobody can command it any more
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        os.close(from_browser)
