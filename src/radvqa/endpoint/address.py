"""Where requests go, and the key that opens the door."""

import httpx

from radvqa.endpoint.error import EndpointError

KEY_VARIABLE = "RADVQA_API_KEY"

_LAST_PORT = 65535


def completions_address(base_url: str) -> str:
    """Complete and check an address.

    Raises:
        EndpointError: when it is no address of a server; a password in it is not repeated.
    """
    stem = base_url.strip().rstrip("/").removesuffix("/chat/completions")
    try:
        url = httpx.URL(stem)
    except httpx.InvalidURL:
        url = httpx.URL("")
    known = url.scheme in ("http", "https") and url.host and (url.port or 0) <= _LAST_PORT
    if not known or url.query or url.fragment or url.userinfo:
        told = url.copy_with(username=None, password=None, query=None, fragment=None) if url.host else base_url
        raise EndpointError(
            f"{str(told)!r} cannot be the address of a chat endpoint; give one such as http://127.0.0.1:8000/v1, "
            f"without a user, a question mark or a hash."
        )
    return f"{stem}/chat/completions"


def usable_key(key: str) -> str:
    """Check a key; the empty key is none.

    Raises:
        EndpointError: when no header can carry it.
    """
    key = key.strip()
    if not (key.isascii() and key.isprintable()):
        raise EndpointError(
            f"The key holds characters that no HTTP header can carry; copy it into {KEY_VARIABLE} once more."
        )
    return key
