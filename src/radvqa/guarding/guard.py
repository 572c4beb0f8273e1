"""The guard: stands before a whole application, lets good requests through, and says what browsers may do."""

import asyncio
import logging
import traceback
from urllib.parse import parse_qs

from radvqa.guarding import login
from radvqa.guarding.asgi import (
    Answer,
    App,
    Headers,
    Message,
    Receive,
    Request,
    Scope,
    Send,
    TooLong,
    TooSlow,
    Watched,
    again,
    body_of,
)
from radvqa.guarding.keys import SECONDS, Keys
from radvqa.guarding.manners import READING, refusal, too_long
from radvqa.guarding.pace import Pace
from radvqa.guarding.rules import Rules

_LOG = logging.getLogger("radvqa.guarding")
_TRIES = 10  # wrong tokens of one address, then one more as the minutes pass
_TRIES_SECONDS = 600.0
_TOO_LONG = 413
_DRAINED, _DRAINING = 16_000_000, 2.0  # bytes and seconds that a refused body may still send
_SLOW = 0.5  # seconds that a wrong token takes
_BROKEN = "Something broke inside the service; its log says where. Try again, or ask whoever runs it."


class Guard:
    """Middleware.

    It logs where an application broke, never what it said: messages may quote a name or a question.

    Args:
        app: behind it.
        rules: what is allowed.
    """

    def __init__(self, app: App, rules: Rules) -> None:
        self._app, self._rules = app, rules
        self._keys = Keys(rules.token)
        self._pace = Pace(rules.per_minute, 60)
        self._wrong = Pace(_TRIES, _TRIES_SECONDS)
        self._headers = _security(rules.policy)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let the application do it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        request = Request.of(scope)
        receive = body = Watched(receive)
        cookie: Headers = ()
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                if message["status"] == _TOO_LONG:
                    await body.drain(_DRAINED, _DRAINING)
                _set(message, (*self._headers, *cookie))
            await send(message)

        try:
            answer = refusal(request, self._rules) or self._too_often(request) or await self._door(request, receive)
            if answer is None:
                answer, cookie = await self._admitted(request)
            if answer is None and request.method not in READING and request.path not in self._rules.streams:
                most = self._rules.limit(request.path)
                content = await body_of(receive, most, self._rules.seconds)
                if content is None:
                    return
                receive = again(content, receive)
            if answer is None:
                await self._app(scope, receive, sending)
            else:
                await answer.to(sending)
        except TooLong:
            await too_long(self._rules.limit(request.path)).to(sending)
        except TooSlow:
            await Answer.refusing(408, "The request did not arrive in time.", ("connection", "close")).to(sending)
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            _LOG.error("%s at %s:%s in %s", type(error).__name__, place.filename, place.lineno, place.name)
            if not started:
                await Answer.refusing(500, _BROKEN).to(sending)

    def _too_often(self, request: Request) -> Answer | None:
        if not self._rules.per_minute or request.path.startswith(self._rules.free or ("//",)):
            return None
        wait = self._pace.wait(request.client)
        if wait:
            return Answer.refusing(429, f"Too many requests; ask again in {wait} s.", ("retry-after", str(wait)))
        self._pace.count(request.client)
        return None

    async def _door(self, request: Request, receive: Receive) -> Answer | None:
        """The guard's own pages."""
        if not self._rules.sign_in or request.path not in ("/login", login.STYLE_PATH):
            return None
        if request.path == login.STYLE_PATH:
            return login.style()
        if not self._keys.asked:
            return _to("./")
        if request.method == "GET":
            return _to("./") if self._keys.holds(request.cookie(self._rules.cookie)) else login.page()
        if request.method != "POST":
            return Answer.refusing(405, "The page takes GET and POST.", ("allow", "GET, POST"))
        wait = self._wrong.wait(request.client)
        if wait:
            return login.page(429, f"Too many wrong tokens; try again in {wait} s.", ("retry-after", str(wait)))
        if self._keys.fits(login.token_in(await body_of(receive, login.LONGEST, self._rules.seconds) or b"")):
            return _to("./", ("set-cookie", self._cookie(request)))
        await self._slow_down(request)
        return login.page(401, "This is not the token.")

    async def _admitted(self, request: Request) -> tuple[Answer | None, Headers]:
        """Whether who asks has shown the token; a browser that shows it in an address gets a cookie."""
        if not self._keys.asked or request.path in self._rules.open:
            return None, ()
        if self._keys.holds(request.cookie(self._rules.cookie)):
            return None, ()
        shown, in_address = _bearer(request), ""
        if self._rules.token_in_address and not shown:
            shown = in_address = parse_qs(request.query).get("token", [""])[0]
        if not shown:
            return self._unknown(request), ()
        wait = self._wrong.wait(request.client)
        if wait:
            return Answer.refusing(
                429, f"Too many wrong tokens; try again in {wait} s.", ("retry-after", str(wait))
            ), ()
        if self._keys.fits(shown):
            return None, (("set-cookie", self._cookie(request)),) if in_address else ()
        await self._slow_down(request)
        return self._unknown(request), ()

    def _unknown(self, request: Request) -> Answer:
        if self._rules.sign_in and request.method == "GET" and request.path == "/":
            return _to("login")
        return Answer.refusing(401, self._rules.unknown, ("www-authenticate", "Bearer"))

    async def _slow_down(self, request: Request) -> None:
        self._wrong.count(request.client)
        await asyncio.sleep(_SLOW)

    def _cookie(self, request: Request) -> str:
        secure = "; Secure" if request.scheme == "https" else ""
        value = f"{self._rules.cookie}={self._keys.cookie()}"
        return f"{value}; Path=/; Max-Age={SECONDS}; HttpOnly; SameSite=strict{secure}"


def _bearer(request: Request) -> str:
    kind, _, token = request.header("authorization").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def _to(place: str, *headers: tuple[str, str]) -> Answer:
    return Answer(303, b"", "text/plain", (("location", place), ("cache-control", "no-store"), *headers))


def _security(policy: str) -> Headers:
    return (
        ("content-security-policy", policy),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
        ("x-frame-options", "DENY"),
    )


def _set(message: Message, headers: Headers) -> None:
    """Put headers into an answer, in place of those that it has; further cookies are added."""
    names = {name.encode("latin-1") for name, _ in headers if name != "set-cookie"}
    kept = [(name, value) for name, value in message.get("headers", ()) if name.lower() not in names]
    message["headers"] = [*kept, *((name.encode("latin-1"), value.encode("latin-1")) for name, value in headers)]
