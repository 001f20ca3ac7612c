"""The door for an operator whose SMSC calls us, and asks with an outbind to be bound to (SMPP 3.4 §4.1.7)."""

import asyncio
from collections import deque
from typing import cast

from xlsms_service.connectors.smpp.settings import SmppSettings
from xlsms_service.protocols.smpp.fault import ProtocolError
from xlsms_service.protocols.smpp.framing import Framer
from xlsms_service.protocols.smpp.pdu import Outbind, decode

__all__ = ["Door"]

_LONGEST_OUTBIND = 1024  # octets; more is no outbind


class Door:
    """Listens while at least one line waits for a call.

    Our bind tells the caller our password. So only `host` is let in, and only with the outbind that was agreed.
    """

    def __init__(self, settings: SmppSettings) -> None:
        self.settings = settings
        self._waiting: deque[asyncio.Future[asyncio.Transport]] = deque()
        self._server: asyncio.Server | None = None
        self._hosts: frozenset[str] = frozenset()

    @property
    def port(self) -> int:
        """Where it listens; 0 while it does not."""
        return self._server.sockets[0].getsockname()[1] if self._server is not None else 0

    async def call(self) -> asyncio.Transport:
        """Wait for the SMSC to call; OSError when nobody can, as we cannot listen or know no address of `host`."""
        loop = asyncio.get_running_loop()
        await self._open(loop)
        call: asyncio.Future[asyncio.Transport] = loop.create_future()
        self._waiting.append(call)
        try:
            return await call
        except asyncio.CancelledError:
            if call.done() and not call.cancelled():
                call.result().abort()
            raise
        finally:
            if call in self._waiting:
                self._waiting.remove(call)

    def close(self) -> None:
        """Listen no longer."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _open(self, loop: asyncio.AbstractEventLoop) -> None:
        found = await loop.getaddrinfo(self.settings.host, None)
        self._hosts = frozenset(str(address[4][0]) for address in found)
        if self._server is None:
            address, _, port = self.settings.outbind.rpartition(":")
            self._server = await loop.create_server(lambda: _Caller(self), address, int(port))

    def knows(self, transport: asyncio.Transport) -> bool:
        """Whether the caller stands at `host`, and somebody waits for it."""
        return bool(self._waiting) and transport.get_extra_info("peername")[0] in self._hosts

    def admit(self, transport: asyncio.Transport, frame: bytes) -> bool:
        """Hand a caller over who said the right outbind."""
        try:
            pdu = decode(frame)
        except ProtocolError:
            return False
        settings = self.settings
        agreed = (settings.outbind_system_id, settings.outbind_password.reveal())
        if not isinstance(pdu, Outbind) or (pdu.system_id, pdu.password) != agreed:
            return False
        while self._waiting:
            call = self._waiting.popleft()
            if not call.done():  # its line may be closing
                call.set_result(transport)
                return True
        return False


class _Caller(asyncio.Protocol):
    """A connection that has not said yet who it is."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._framer = Framer(_LONGEST_OUTBIND)
        self._transport: asyncio.Transport | None = None
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if not self._door.knows(self._transport):
            self._transport.abort()
            return
        loop = asyncio.get_running_loop()
        self._patience = loop.call_later(self._door.settings.connect_timeout, self._transport.abort)

    def data_received(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        try:
            frames = self._framer.feed(data)
        except ProtocolError:
            self._transport.abort()
            return
        if not frames:
            return
        if self._patience is not None:
            self._patience.cancel()
        # An SMSC says nothing after its outbind before it was bound to.
        if len(frames) > 1 or self._framer.pending or not self._door.admit(self._transport, frames[0]):
            self._transport.abort()
        else:
            self._transport.pause_reading()  # until its line has taken it over

    def connection_lost(self, _error: Exception | None) -> None:
        if self._patience is not None:
            self._patience.cancel()
