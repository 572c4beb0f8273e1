"""Pictures from other addresses: fetched where that is safe, and from nowhere else."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from radvqa.serving.pictures.remote import RemoteError, fetch, is_public

CONTENT = b"\x89PNG and so on"


class Site(BaseHTTPRequestHandler):
    """Answers by path."""

    hosts: ClassVar[list[str]] = []
    waits = threading.Event()

    def do_GET(self) -> None:
        self.hosts.append(self.headers["Host"])
        kind, _, rest = self.path[1:].partition("/")
        if kind == "to":
            self.send_response(302)
            self.send_header("Location", rest)
            self.end_headers()
        elif kind == "slow":
            self.waits.wait(60)
        elif kind == "large":
            self.send_response(200)
            self.end_headers()
            for _ in range(200):
                self.wfile.write(b"x" * 1000)
        elif kind == "packed":
            self.send_response(200)
            self.send_header("Content-Encoding", "gzip")
            self.end_headers()
            self.wfile.write(CONTENT)
        else:
            self.send_response(200 if kind == "picture" else 404)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(CONTENT)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def site() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        Site.waits.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with site() as found:
        yield found


async def here(_host: str, _port: int) -> list[str]:
    return ["127.0.0.1"]


def fetched(url: str, *, most: int = 10_000, seconds: float = 20.0) -> bytes:
    """Fetch as the service does, from a machine that stands in for a public one."""
    return asyncio.run(fetch(url, most=most, seconds=seconds, resolve=here, allowed=lambda address, port: True))


def test_a_picture_is_fetched_under_its_own_name(port: int) -> None:
    assert fetched(f"http://pictures.example:{port}/picture") == CONTENT
    assert Site.hosts[-1] == f"pictures.example:{port}"
    assert fetched(f"http://a.example:{port}/to//picture") == CONTENT
    assert fetched(f"http://a.example:{port}/packed") == CONTENT  # nothing is unpacked


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("absent", "HTTP 404"),
        ("large", "larger than 10,000 bytes"),
        ("to/ftp://a.example/picture", "must begin with"),
        ("to//to//to//to//picture", "more than 3 times"),
    ],
)
def test_what_is_no_picture_is_told(port: int, path: str, why: str) -> None:
    with pytest.raises(RemoteError, match=why):
        fetched(f"http://a.example:{port}/{path}")


def test_a_slow_address_is_given_up(port: int) -> None:
    with pytest.raises(RemoteError, match=r"within 0\.3 s"):
        fetched(f"http://a.example:{port}/slow", seconds=0.3)


PRIVATE = [
    "127.0.0.1",
    "127.8.9.1",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "192.0.2.1",
    "198.18.0.1",
    "::",
    "::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2001:0:1::1",
    "2001:db8::1",
    "nonsense",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_only_public_addresses_are_talked_to(address: str) -> None:
    assert not is_public(address)

    async def resolve(_host: str, _port: int) -> list[str]:
        return ["93.184.216.34", address]  # one of two is enough to refuse

    with pytest.raises(RemoteError, match="not on the public internet"):
        asyncio.run(fetch("http://a.example/picture", most=100, resolve=resolve))


def test_public_addresses_are_known() -> None:
    assert all(map(is_public, ("93.184.216.34", "8.8.8.8", "2606:2800:220:1::1")))


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{}/picture",
        "http://localhost:{}/picture",
        "http://[::ffff:127.0.0.1]:{}/picture",
        "http://2130706433:{}/picture",
        "http://0x7f.1:{}/picture",
        "http://127.1:{}/picture",
    ],
)
def test_this_machine_is_not_asked_however_it_is_written(port: int, url: str) -> None:
    before = len(Site.hosts)
    with pytest.raises(RemoteError):
        asyncio.run(fetch(url.format(port), most=100))
    assert len(Site.hosts) == before


@pytest.mark.parametrize(
    "url", ["ftp://a.example/x", "http://", "http://user:pw@a.example/", "http://a:99999/", "http:///x"]
)
def test_addresses_that_are_none_are_refused(url: str) -> None:
    with pytest.raises(RemoteError):
        asyncio.run(fetch(url, most=100, resolve=here))


def test_other_ports_are_not_knocked_at() -> None:
    async def public(_host: str, _port: int) -> list[str]:
        return ["93.184.216.34"]

    with pytest.raises(RemoteError, match="not on the public internet"):
        asyncio.run(fetch("http://a.example:22/x", most=100, resolve=public))


def test_a_name_that_means_another_machine_a_moment_later_is_not_asked_again(port: int) -> None:
    asked: list[str] = []

    async def rebinding(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    def first_only(address: str, _port: int) -> bool:
        return address == "127.0.0.1"

    url = f"http://rebinding.example:{port}/picture"
    assert asyncio.run(fetch(url, most=100, resolve=rebinding, allowed=first_only)) == CONTENT
    assert asked == ["rebinding.example"]


def test_a_redirect_into_the_own_network_is_not_followed(port: int) -> None:
    async def by_name(host: str, _port: int) -> list[str]:
        return ["127.0.0.1"] if host == "public.example" else [host]

    def only_this(address: str, at: int) -> bool:
        return address == "127.0.0.1" and at == port

    url = f"http://public.example:{port}/to/http://169.254.169.254/latest/meta-data"
    with pytest.raises(RemoteError, match="not on the public internet"):
        asyncio.run(fetch(url, most=100, resolve=by_name, allowed=only_this))
