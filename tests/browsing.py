"""Debian's Chromium driven by Playwright; a page that complains in its console fails its test."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from playwright.sync_api import Browser, Page, sync_playwright

import headless


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start a browser."""
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=headless.browser(), args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def page(
    browser: Browser,
    address: str,
    *,
    size: tuple[int, int] = (1280, 900),
    scheme: Literal["light", "dark"] = "light",
    allowed: tuple[str, ...] = (),
) -> Iterator[Page]:
    """Open an address in a window of its own.

    Raises:
        AssertionError: when the page wrote errors or warnings that are not allowed, or a script of it failed.
    """
    options: dict[str, Any] = {"viewport": {"width": size[0], "height": size[1]}, "color_scheme": scheme}
    context = browser.new_context(**options, accept_downloads=True)
    opened = context.new_page()
    said: list[str] = []
    opened.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    opened.on("pageerror", lambda error: said.append(str(error)))
    try:
        opened.goto(address)
        yield opened
        assert not [text for text in said if not any(part in text for part in allowed)]
    finally:
        context.close()
