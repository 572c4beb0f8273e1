"""New UIDs and patient numbers: the same for the same input under one key, and nothing to be guessed without it."""

import hashlib
import hmac
import re
import secrets

from radvqa.errors import DataError

_LEAST_KEY = 16  # characters; numbers of patients are few enough to be tried out under a short key
_STEM, _SEAL = 10, 6  # bytes of a new UID that are derived from the old one, and that show that it is one of ours
_SUBJECT = re.compile(r"SUBJECT-([0-9A-F]{16})([0-9A-F]{8})")


def new_key() -> str:
    """Return a secret of 256 random bits as text."""
    return secrets.token_hex(32)


class Pseudonyms:
    """What old UIDs and patient numbers become under one key.

    What was made under the same key is recognised and stays, so that a second run changes nothing.

    Args:
        key: the secret.

    Raises:
        DataError: when the key is so short that it could be found by trying.
    """

    def __init__(self, key: str) -> None:
        if len(key) < _LEAST_KEY:
            raise DataError(f"The key has {len(key)} characters; take at least {_LEAST_KEY}, or none to have one made.")
        self._key = key.encode(errors="surrogateescape")

    def uid(self, old: str) -> str:
        """Return the UID that takes the place of another one: ``2.25.`` and a UUID as a number, as in PS3.5 B.2."""
        if self._is_ours(old):
            return old
        stem = bytearray(self._digest("uid", old.encode(errors="replace"))[:_STEM])
        # the version "custom" and the variant of RFC 9562
        stem[6] = 0x80 | stem[6] & 0x0F
        stem[8] = 0x80 | stem[8] & 0x3F
        return f"2.25.{int.from_bytes(self._sealed(bytes(stem)), 'big')}"

    def uid_of_content(self, content: bytes) -> str:
        """Return a UID for a file that has none."""
        return self.uid(hashlib.sha256(content).hexdigest())

    def subject(self, old: str) -> str:
        """Return the text that takes the place of a patient's number."""
        known = _SUBJECT.fullmatch(old)
        if known and known[2] == self._digest("subject seal", known[1].encode())[:4].hex().upper():
            return old
        stem = self._digest("subject", old.encode(errors="replace"))[:8].hex().upper()
        return f"SUBJECT-{stem}{self._digest('subject seal', stem.encode())[:4].hex().upper()}"

    def _is_ours(self, uid: str) -> bool:
        number = uid.removeprefix("2.25.")
        if number == uid or not (number.isascii() and number.isdigit() and len(number) <= 39):
            return False
        try:
            content = int(number).to_bytes(_STEM + _SEAL, "big")
        except OverflowError:
            return False
        return str(int(number)) == number and content == self._sealed(content[:_STEM])

    def _sealed(self, stem: bytes) -> bytes:
        return stem + self._digest("uid seal", stem)[:_SEAL]

    def _digest(self, purpose: str, content: bytes) -> bytes:
        return hmac.new(self._key, purpose.encode() + b"\0" + content, hashlib.sha256).digest()
