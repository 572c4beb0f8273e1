"""Names of uploaded files: for people to recognise, never to open anything by."""

import unicodedata
from urllib.parse import unquote

LONGEST = 120
NAMELESS = "picture"


def plain_name(header: str) -> str:
    """Return a percent-encoded file name without folders and without signs that are not seen.

    Args:
        header: as it was sent; anything.
    """
    decoded = unquote(header[: 12 * LONGEST], errors="replace")
    last = decoded.replace("\\", "/").rstrip("/").rpartition("/")[2]
    seen = "".join(sign for sign in last if unicodedata.category(sign)[0] != "C")  # control, format, surrogate
    return " ".join(seen.split())[:LONGEST].strip(" .") or NAMELESS
