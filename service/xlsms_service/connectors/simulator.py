"""The simulator connector: a simulated network inside this process, reached over real SMPP on loopback."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Annotated

from xlsms.model import Outgoing
from xlsms_service.connectors.base import Capabilities, Events
from xlsms_service.connectors.setting import PlaceOf, Setting, read_settings
from xlsms_service.connectors.smpp import SmppConnector, SmppSettings
from xlsms_service.simulators.phones import Pace, Population
from xlsms_service.simulators.script import read_script
from xlsms_service.simulators.smsc import Smsc

__all__ = ["SimulatorConnector", "SimulatorSettings", "settings_from"]


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


class SimulatorConnector:
    """An SMPP connector that brings its own network along."""

    capabilities = Capabilities(receipts=True, inbound=True)

    def __init__(
        self, name: str, settings: SimulatorSettings, *, clock: Callable[[], datetime], rng: Random | None = None
    ) -> None:
        self.name = name
        self._clock = clock
        self._rng = rng
        self._window = settings.window
        pace = _hurried(Pace(), settings.haste)
        if settings.phones is None:
            self._population = Population(pace=pace, seed=settings.seed)
        else:
            self._population = read_script(settings.phones, pace=pace, seed=settings.seed)
        self._network = AsyncExitStack()
        self._link: SmppConnector | None = None

    async def open(self, events: Events) -> None:
        """Start the network, then keep a link to it."""
        if self._link is not None:
            return
        server = await self._network.enter_async_context(Smsc(self._population).serve())
        settings = SmppSettings(host="127.0.0.1", port=server.port, window=self._window)
        self._link = SmppConnector(self.name, settings, clock=self._clock, rng=self._rng)
        await self._link.open(events)

    def room(self) -> int:
        """The free window of the link."""
        return self._link.room() if self._link else 0

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


def _hurried(pace: Pace, times: int) -> Pace:
    return Pace(
        receipt=pace.receipt / times, slow=pace.slow / times, expiry=pace.expiry / times, reply=pace.reply / times
    )
