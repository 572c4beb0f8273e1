"""What the service holds while it runs; every door of it gets this."""

from dataclasses import dataclass

from radvqa.serving.pictures.pictures import Pictures
from radvqa.serving.settings import Settings
from radvqa.serving.shelf import Shelf


@dataclass(frozen=True)
class Service:
    """The parts.

    Attributes:
        settings: of whoever started it.
        shelf: models.
        pictures: that were handed in.
    """

    settings: Settings
    shelf: Shelf
    pictures: Pictures

    @classmethod
    def open(cls, settings: Settings) -> "Service":
        """Open everything.

        Raises:
            RadvqaError: when a model cannot be offered.
        """
        limits = settings.limits
        return cls(settings, Shelf(settings.models, settings.device, limits), Pictures(limits, settings.keep))

    async def close(self) -> None:
        """Finish what is running, then close everything."""
        await self.shelf.close()
        await self.pictures.close()
