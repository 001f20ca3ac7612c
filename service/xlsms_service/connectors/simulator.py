"""The simulator connector: a simulated network inside this process, reached over real SMPP on loopback."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Annotated

from xlsms.model import Outgoing
from xlsms_service.connectors.base import Capabilities, Events, Reading
from xlsms_service.connectors.setting import PlaceOf, Setting, read_settings
from xlsms_service.connectors.smpp import SmppConnector, SmppSettings

__all__ = ["Rehearsal", "SimulatorConnector", "SimulatorSettings", "settings_from"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorSettings:
    """A simulated network: nothing leaves this computer."""

    phones: Annotated[Path | None, Setting("file that says how phones behave; without it a mixed crowd")] = None
    seed: Annotated[int, Setting("another number, another crowd", 0, 2**31)] = 0
    haste: Annotated[int, Setting("how many times quicker than real ones the phones are", 1, 1000)] = 1
    window: Annotated[int, Setting("parts that may be under way without an answer", 1, 1000)] = 50


def settings_from(options: Mapping[str, object], place_of: PlaceOf = lambda _key: None) -> SimulatorSettings:
    """The settings in a `[[connector]]` table of this type; UserError names a key that is wrong."""
    return read_settings(SimulatorSettings, options, place_of)


#: Starts a simulated SMPP network: its phones' file, its seed and its haste in, its port on this computer out.
Rehearsal = Callable[[Path | None, int, int], AbstractAsyncContextManager[int]]


class SimulatorConnector:
    """An SMPP connector that brings its own network along."""

    capabilities = Capabilities(receipts=True, inbound=True)

    def __init__(
        self,
        name: str,
        settings: SimulatorSettings,
        rehearsal: Rehearsal,
        *,
        clock: Callable[[], datetime],
        rng: Random | None = None,
    ) -> None:
        self.name = name
        self._settings = settings
        self._rehearsal = rehearsal
        self._clock = clock
        self._rng = rng
        self._network = AsyncExitStack()
        self._link: SmppConnector | None = None

    async def open(self, events: Events) -> None:
        """Start the network, then keep a link to it."""
        if self._link is not None:
            return
        ours = self._settings
        port = await self._network.enter_async_context(self._rehearsal(ours.phones, ours.seed, ours.haste))
        settings = SmppSettings(host="127.0.0.1", port=port, window=ours.window)
        self._link = SmppConnector(self.name, settings, clock=self._clock, rng=self._rng)
        await self._link.open(events)

    def room(self) -> int:
        """The free window of the link."""
        return self._link.room() if self._link else 0

    def reading(self) -> Reading:
        """Of the link."""
        return self._link.reading() if self._link else Reading(window=0, used=0)

    def submit(self, batch: Sequence[Outgoing]) -> None:
        """Over the link; the engine opens a connector before it submits anything."""
        if self._link is None:
            raise RuntimeError("the connector is not open")
        self._link.submit(batch)

    def acknowledge(self, tokens: Sequence[object]) -> None:
        """Over the link."""
        if self._link is not None:
            self._link.acknowledge(tokens)

    async def close(self, drain: timedelta = timedelta(seconds=5)) -> None:
        """Close the link, then the network."""
        if self._link is not None:
            await self._link.close(drain)
        await self._network.aclose()
