"""Delivery's part without a ledger, as small as can be: what a connector carries by itself."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from xlsms.model import Outgoing
from xlsms_service.connectors.base import Link
from xlsms_service.connectors.smpp import SmppConnector, SmppSettings

__all__ = ["link_seconds"]


class _Feeder:
    """Fills the room, counts answers and receipts, acknowledges at once."""

    def __init__(self, connector: SmppConnector, parts: Sequence[Outgoing], receipts: int) -> None:
        self.connector = connector
        self.parts = parts
        self.next = 0
        self.answers, self.receipts = len(parts), receipts
        self.up = asyncio.Event()
        self.done = asyncio.Event()

    def link_changed(self, status) -> None:
        if status.link is Link.UP:
            self.up.set()

    def room_changed(self, connector: str) -> None:
        if self.up.is_set():
            self.fill()

    def fill(self) -> None:
        end = min(self.next + self.connector.room(), len(self.parts))
        if end > self.next:
            self.connector.submit(self.parts[self.next : end])
            self.next = end

    def outcomes(self, connector: str, outcomes) -> None:
        self.answers -= len(outcomes)
        self._look()

    def received(self, connector: str, items) -> None:
        self.receipts -= len(items)
        self.connector.acknowledge([item.token for item in items])
        self._look()

    def _look(self) -> None:
        if not self.answers and self.receipts <= 0:
            self.done.set()


def link_seconds(settings: SmppSettings, parts: Sequence[Outgoing], *, receipts: bool) -> float:
    """Seconds until all parts are answered over one connector; with `receipts`, until each has had its receipt too."""

    async def main() -> float:
        connector = SmppConnector("alone", settings, clock=lambda: datetime.now(UTC))
        feeder = _Feeder(connector, parts, len(parts) if receipts else 0)
        await connector.open(feeder)
        await feeder.up.wait()
        began = time.perf_counter()
        feeder.fill()
        await feeder.done.wait()
        took = time.perf_counter() - began
        await connector.close()
        return took

    return asyncio.run(main())
