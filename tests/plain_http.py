"""One HTTP request as it is written, without a client that mends or refuses it first."""

import http.client
import json
from typing import Any

_PATIENCE = 60  # seconds


def ask(port: int, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Send a request to this machine.

    Args:
        port: where to.
        method: of the request.
        path: with its query.
        body: bytes as they are, anything else as JSON.
        headers: with ``_`` for ``-``; they may replace the usual ones.

    Returns:
        status, headers in lower case, and content.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
    kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
    content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"Content-Type": kind, **{name.replace("_", "-"): value for name, value in headers.items()}}
    try:
        connection.request(method, path, content, sent)
        reply = connection.getresponse()
        return reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read()
    finally:
        connection.close()
