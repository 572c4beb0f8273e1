"""What every request must be like, whoever asks: its name for us, its lengths, its kind, and where it comes from."""

from urllib.parse import urlsplit

from radvqa.guarding.asgi import Answer, Request
from radvqa.guarding.rules import LOOPBACK, Rules

LONGEST_PATH = 2_000
LONGEST_QUERY = 4_000
LONGEST_HEADERS = 16_000
"""Bytes."""

READING = ("GET", "HEAD", "OPTIONS")
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")  # what pages elsewhere can send


def refusal(request: Request, rules: Rules) -> Answer | None:
    """Return why a request is not answered; None where nothing speaks against it."""
    return _name(request, rules) or _lengths(request, rules) or _origin(request) or _kind(request, rules)


def _name(request: Request, rules: Rules) -> Answer | None:
    hosts = request.all("host")
    host = hosts[0].lower() if len(hosts) == 1 else ""
    known = {*LOOPBACK, *(name.lower() for name in rules.names)}
    if host in known or (host.rpartition(":")[0] in known and host.rpartition(":")[2].isdigit()):
        return None
    return Answer.refusing(421, f"This server is not called {host[:200]!r}.")


def _lengths(request: Request, rules: Rules) -> Answer | None:
    if len(request.path) > LONGEST_PATH or len(request.query) > LONGEST_QUERY:
        return Answer.refusing(414, "The address is too long.")
    if request.header_bytes > LONGEST_HEADERS:
        return Answer.refusing(431, f"The headers are longer than {LONGEST_HEADERS:,} bytes, the limit.")
    said = request.header("content-length")
    if said and not (said.isascii() and said.isdigit()):
        return Answer.refusing(400, "The length of the body is no number.")
    most = rules.limit(request.path)
    if said and int(said[:20]) > most and request.path not in rules.streams:
        return too_long(most)
    return None


def _origin(request: Request) -> Answer | None:
    """Pages of other sites may link here; they may not ask for anything else, and not write."""
    site = request.header("sec-fetch-site") or "none"
    linked = request.method in READING and request.header("sec-fetch-mode") == "navigate"
    origin = request.header("origin")
    foreign = bool(origin) and urlsplit(origin).netloc.lower() != request.header("host").lower()
    if (site not in ("none", "same-origin") and not linked) or (foreign and request.method not in READING):
        return Answer.refusing(403, "Pages of other sites may not use this server.")
    return None


def _kind(request: Request, rules: Rules) -> Answer | None:
    if request.method in (*READING, "DELETE"):
        return None
    kind = request.header("content-type").split(";")[0].strip().lower()
    if request.path == "/login" and rules.sign_in:
        return None
    if request.path in rules.streams:
        if not kind or kind in _FORMS:
            return Answer.refusing(415, "Send the file as it is, with Content-Type: application/octet-stream.")
        return None
    return None if kind == "application/json" else Answer.refusing(415, "Send JSON.")


def too_long(most: int) -> Answer:
    """Refuse a body."""
    return Answer.refusing(413, f"Send at most {most:,} bytes.", ("connection", "close"))
