"""What a guard allows."""

from collections.abc import Mapping
from dataclasses import dataclass, field

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""What a page of ours may load: its own files, and nothing from anywhere else."""


@dataclass(frozen=True)
class Rules:
    """The rules of one server.

    Attributes:
        names: by which it may be called besides the loopback's; against pages elsewhere that point their own name here.
        token: that askers show; empty asks for none.
        cookie: name of the cookie that stands for the token in a browser.
        sign_in: whether there is a page at ``/login`` that takes the token.
        token_in_address: whether ``?token=…`` signs a browser in.
        unknown: sentence for those who show no token.
        open: paths that need no token: pictures and styles that say nothing.
        body: bytes of a JSON body.
        bodies: other limits, by how a path begins.
        streams: paths whose bodies are not JSON, and are read and limited by whoever is behind their door.
        seconds: for a body to arrive.
        per_minute: requests of one address; 0 for any number.
        free: how paths begin that do not count.
        policy: content policy of pages.
    """

    names: tuple[str, ...] = ()
    token: str = ""
    cookie: str = "radvqa"
    sign_in: bool = False
    token_in_address: bool = False
    unknown: str = "Show the token: send the header 'Authorization: Bearer …', or open /login in a browser."
    open: tuple[str, ...] = ()
    body: int = 1_000_000
    bodies: Mapping[str, int] = field(default_factory=dict)
    streams: tuple[str, ...] = ()
    seconds: float = 60.0
    per_minute: int = 0
    free: tuple[str, ...] = ()
    policy: str = POLICY

    def limit(self, path: str) -> int:
        """Bytes of a body that is sent to a path."""
        return next((most for begin, most in self.bodies.items() if path.startswith(begin)), self.body)
