"""A connector whose every answer the test decides."""

import asyncio
from datetime import UTC, datetime

from xlsms.model import Outcome, Result
from xlsms_service.connectors.base import Capabilities, Link, LinkStatus

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)

#: Why a part came to its end, when nothing else is said.
CODES = {Result.RETURNED: "link-down", Result.UNCERTAIN: "answer-lost", Result.REFUSED: "smsc-refused-number"}


class Hand:
    """A connector whose answers are given by hand."""

    capabilities = Capabilities(receipts=True, inbound=True)

    def __init__(self, name="hand", window=10):
        self.name = name
        self.window = window
        self.open_parts = {}
        self.submitted = []
        self.acknowledged = []
        self.arrived = asyncio.Event()

    async def open(self, events):
        self.events = events
        self.up()

    def up(self):
        events = self.events
        events.link_changed(LinkStatus(connector=self.name, link=Link.UP))
        events.room_changed(self.name)

    def room(self):
        return self.window - len(self.open_parts)

    def submit(self, batch):
        assert len(batch) <= self.room() or not self.open_parts
        for part in batch:
            assert part.key not in self.open_parts
            self.open_parts[part.key] = part
        self.submitted += batch
        self.arrived.set()

    def acknowledge(self, tokens):
        self.acknowledged += tokens

    async def close(self, drain=None):
        self.answer(Result.UNCERTAIN, *self.open_parts)

    async def parts(self, count):
        """Wait until this many parts were submitted in all."""
        while len(self.submitted) < count:
            self.arrived.clear()
            await self.arrived.wait()
        return self.submitted

    def answer(self, result, *keys, code=None, retry_after=None, at=NOW):
        outcomes = [
            Outcome(
                key=key,
                result=result,
                at=at,
                network_id=f"N{key.message}.{key.part}" if result is Result.ACCEPTED else None,
                code=code or CODES.get(result),
                retry_after=retry_after,
            )
            for key in keys
        ]
        for key in keys:
            del self.open_parts[key]
        if outcomes:
            self.events.outcomes(self.name, outcomes)
            self.events.room_changed(self.name)
