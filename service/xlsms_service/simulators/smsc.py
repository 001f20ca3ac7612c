"""A simulated SMS centre that listens on TCP: SMPP 3.4 for clients, virtual phones behind it.

async with Smsc(Population.of("answers")).serve() as server:
    ...                                                     # connect to 127.0.0.1, server.port
    await server.until(lambda: len(server.smsc.taken) == 3)
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

from xlsms_service.simulators.exchange import Exchange

if TYPE_CHECKING:
    from xlsms_service.simulators.session import Session

__all__ = ["Server", "Smsc"]

_TLS_GOODBYE = 2.0  # seconds; asyncio would wait 30 for a client that does not say goodbye


class Smsc(Exchange):
    """An SMS centre to rehearse with. One of them may serve again after it has stopped, and knows what it knew."""

    @asynccontextmanager
    async def serve(
        self, host: str = "127.0.0.1", port: int = 0, *, tls: ssl.SSLContext | None = None
    ) -> AsyncIterator["Server"]:
        """Listen until the block ends; port 0 takes a free one. Raises OSError for the port or the journal."""
        self.record.open()
        try:
            server = Server(self)
            await server.open(host, port, tls)
            try:
                yield server
            finally:
                await server.close()
        finally:
            self.record.close()


class Server:
    """A listening SMS centre."""

    def __init__(self, smsc: Smsc) -> None:
        self.smsc = smsc
        self.port = 0
        self.connections: set[_Connection] = set()
        self._loop = asyncio.get_running_loop()
        self._listener: asyncio.Server | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._changed = asyncio.Event()
        self._closing = False

    async def open(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        """Start listening. Raises OSError."""
        goodbye = None if tls is None else _TLS_GOODBYE
        self._listener = await self._loop.create_server(
            lambda: _Connection(self), host, port, ssl=tls, ssl_shutdown_timeout=goodbye
        )
        self.port = self._listener.sockets[0].getsockname()[1]
        self.advance()

    async def close(self) -> None:
        """Hang up on everyone and stop listening."""
        self._closing = True
        if self._alarm is not None:
            self._alarm.cancel()
        if self._listener is not None:
            self._listener.close()
        for connection in list(self.connections):
            connection.hang_up()
        if self._listener is not None:
            await self._listener.wait_closed()

    def drop(self) -> None:
        """Cut every link now; clients may come back at once."""
        self.smsc.drop()

    def text(self, phone: str, text: str, *, to: str | None = None, system_id: str | None = None) -> None:
        """A phone writes of its own accord."""
        self.smsc.text(phone, text, to=to, system_id=system_id)
        self.advance()

    async def call(self, host: str, port: int, *, system_id: str, password: str) -> None:
        """Call a client and ask it with an outbind to bind. Raises OSError."""
        _, connection = await self._loop.create_connection(lambda: _Connection(self), host, port)
        connection.outbind(system_id, password)

    async def until(self, happened: Callable[[], bool], *, within: float = 30.0) -> None:
        """Wait until `happened()`, asked after each thing that happens. Raises TimeoutError after `within` seconds."""
        async with asyncio.timeout(within):
            while not happened():
                self._changed.clear()
                await self._changed.wait()

    def now(self) -> float:
        """Seconds of the clock that all timers run on."""
        return self._loop.time()

    def advance(self) -> None:
        """Something has happened: wake those who wait for it, and set the alarm for what comes next."""
        self._changed.set()
        due = self.smsc.due
        if self._closing or due is None:
            return
        if self._alarm is not None:
            if self._alarm.when() <= due:
                return
            self._alarm.cancel()
        self._alarm = self._loop.call_at(due, self._tick)

    def _tick(self) -> None:
        self._alarm = None
        self.smsc.tick(self.now())
        self.advance()


class _Connection(asyncio.Protocol):
    """Carries octets between a socket and its session."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._session: Session | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # asyncio sets TCP_NODELAY itself.
        self._transport = cast(asyncio.Transport, transport)
        self._server.connections.add(self)
        self._session = self._server.smsc.connect(self._transport, self._server.now())
        self._server.advance()

    def data_received(self, data: bytes) -> None:
        if self._session is not None:
            self._session.feed(data, self._server.now())
            self._server.advance()

    def outbind(self, system_id: str, password: str) -> None:
        """Ask the client that was called to bind."""
        if self._session is not None:
            self._session.outbind(system_id, password)

    def hang_up(self) -> None:
        """Close; at once if the client does not read what it was sent."""
        if self._session is not None and self._transport is not None:
            stuck = not self._session.writable
            self._session.cut()
            if stuck:
                self._transport.abort()

    def connection_lost(self, _error: Exception | None) -> None:
        self._server.connections.discard(self)
        if self._session is not None:
            self._session.lost()
            self._server.smsc.settle()
            self._server.advance()

    def pause_writing(self) -> None:
        # A client that does not read gets nothing more, and what it still says waits in its own socket.
        if self._session is not None and self._transport is not None:
            self._session.ready(writable=False)
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        if self._session is not None and self._transport is not None:
            self._session.ready(writable=True)
            if not self._transport.is_closing():
                self._transport.resume_reading()
