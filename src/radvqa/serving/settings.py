"""What whoever starts the service decides."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Limits:
    """How much one asker, and all of them, may take.

    Attributes:
        picture_bytes: of an uploaded file.
        pixels: of a decoded picture, or of one slice.
        pictures: kept in memory at a time.
        kept_bytes: of all kept pictures.
        decode_seconds: for one file.
        decode_bytes: memory of a decoding process.
        waiting: questions that may wait for a model; more are told to come again.
        batch: questions answered in one pass.
        slow: explanations and other slow work at a time.
        per_minute: requests of one address; 0 for no limit.
        question: letters.
    """

    picture_bytes: int = 64_000_000
    pixels: int = 40_000_000
    pictures: int = 64
    kept_bytes: int = 1_000_000_000
    decode_seconds: float = 20.0
    decode_bytes: int = 2_000_000_000
    waiting: int = 128
    batch: int = 32
    slow: int = 2
    per_minute: int = 0
    question: int = 2000


@dataclass(frozen=True)
class Settings:
    """How the service runs.

    Attributes:
        runs: folder whose run folders are listed.
        models: offered to askers, ``starter`` or run folders; the first is asked when none is named.
        records: the SQLite file of judgements.
        queue: a review queue, as ``radvqa curate review`` makes it; None for none.
        device: ``auto``, ``cpu`` or ``cuda``.
        hosts: names under which the service may be reached besides the loopback's.
        token: that askers must show; empty asks for none.
        remote_pictures: whether pictures may be fetched from public addresses.
        keep: folder where uploads are kept too; None keeps them in memory alone.
        limits: of what askers may take.
    """

    runs: Path = Path("runs")
    models: tuple[str, ...] = ("starter",)
    records: Path = Path("judgements.sqlite")
    queue: Path | None = None
    device: str = "auto"
    hosts: tuple[str, ...] = ()
    token: str = ""
    remote_pictures: bool = False
    keep: Path | None = None
    limits: Limits = field(default_factory=Limits)
