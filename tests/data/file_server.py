"""A real HTTP server on loopback that serves files and fails as a test says."""

import hashlib
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one request.

    Attributes:
        cut: send only so many bytes of what was announced, and close.
        hang: send only so many bytes, and nothing more until the server closes.
        status: answer with this instead.
        headers: beside the usual ones.
        before: called before the answer.
    """

    cut: int | None = None
    hang: int | None = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    before: Callable[[], object] | None = None


@dataclass
class Served:
    """A file.

    Attributes:
        content: its bytes.
        ranges: whether the server knows Range.
        tagged: whether it sends an ETag.
        measured: whether it says how long the file is.
        faults: of the first requests, in order; None goes well.
    """

    content: bytes
    ranges: bool = True
    tagged: bool = True
    measured: bool = True
    faults: Sequence[Fault | None] = ()

    @property
    def tag(self) -> str:
        return f'"{hashlib.sha256(self.content).hexdigest()[:16]}"'


class Site:
    """What a test sees of the server.

    Attributes:
        address: scheme and host.
        files: by path.
        asked: path and Range header of every request, in order.
    """

    def __init__(self, files: Mapping[str, Served]) -> None:
        self.files = dict(files)
        self.asked: list[tuple[str, str | None]] = []
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = False
        self.port = self._server.server_address[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def note(self, path: str, range_: str | None) -> int:
        with self._lock:
            self.asked.append((path, range_))
            return sum(1 for one, _ in self.asked if one == path)

    def ranges(self, path: str) -> list[str | None]:
        return [range_ for one, range_ in self.asked if one == path]

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@contextmanager
def serving(files: Mapping[str, Served]) -> Iterator[Site]:
    site = Site(files)
    try:
        yield site
    finally:
        site.close()


def _handler(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.close_connection = True
            path = self.path.partition("?")[0]
            number = site.note(path, self.headers.get("Range"))
            served = site.files.get(path)
            if served is None:
                self._empty(404, {})
                return
            fault = (served.faults[number - 1] if number <= len(served.faults) else None) or Fault()
            if fault.before:
                fault.before()
            if fault.status:
                self._empty(fault.status, fault.headers)
                return
            first = self._first(served)
            if first >= len(served.content) > 0:
                self._empty(416, {"Content-Range": f"bytes */{len(served.content)}"})
                return
            body = served.content[first:]
            self.send_response(206 if first else 200)
            if first:
                last = len(served.content) - 1
                self.send_header("Content-Range", f"bytes {first}-{last}/{len(served.content)}")
            if served.tagged:
                self.send_header("ETag", served.tag)
            if served.measured:
                self.send_header("Content-Length", str(len(body)))
            for name, value in fault.headers.items():
                self.send_header(name, value)
            self.send_header("Connection", "close")
            self.end_headers()
            stop = fault.cut if fault.cut is not None else fault.hang
            try:
                self.wfile.write(body if stop is None else body[:stop])
                self.wfile.flush()
            except OSError:  # the other side is gone
                return
            if fault.hang is not None:
                site.closing.wait(60)

        def _first(self, served: Served) -> int:
            asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            changed = "If-Range" in self.headers and self.headers["If-Range"] != served.tag
            return int(asked[1]) if asked and served.ranges and not changed else 0

        def _empty(self, status: int, headers: Mapping[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.send_header("Connection", "close")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Keep quiet."""

    return Handler
