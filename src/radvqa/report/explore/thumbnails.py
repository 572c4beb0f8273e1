"""Pictures of samples as addresses that hold the picture itself."""

import base64


def as_address(webp: bytes) -> str:
    """Return WebP bytes as a data address."""
    return "data:image/webp;base64," + base64.b64encode(webp).decode("ascii")
