"""A bell: whoever waits for news is woken when something has become durable."""

import asyncio
from contextlib import suppress

__all__ = ["News"]


class News:
    """Everyone who waits is woken by one ring, and nobody who comes later."""

    def __init__(self) -> None:
        self._bell = asyncio.Event()
        self.closing = False

    def ring(self) -> None:
        """Something may have changed."""
        self._bell.set()
        self._bell = asyncio.Event()

    def close(self) -> None:
        """The service ends: nobody is to wait any longer."""
        self.closing = True
        self.ring()

    async def wait(self, seconds: float) -> None:
        """Until the next ring, or so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._bell.wait()
