"""A listener that writes down what a connector tells, and a small SMSC that does what a test says."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from xlsms.model import Outcome, Outgoing, PartKey
from xlsms_service.config.secret import Secret
from xlsms_service.connectors.backoff import Backoff
from xlsms_service.connectors.base import Acknowledgeable, Link, LinkStatus
from xlsms_service.connectors.smpp import SmppConnector, SmppSettings
from xlsms_service.protocols.smpp import pdu as pdus
from xlsms_service.protocols.smpp.framing import Framer

PATIENCE = 60  # seconds until a test that waits for what never comes fails


class Listener:
    """`Events` that remembers everything and lets a test wait for it."""

    def __init__(self) -> None:
        self.statuses: list[LinkStatus] = []
        self.results: list[Outcome] = []
        self.late: list[Outcome] = []
        self.items: list[Acknowledgeable] = []
        self.rooms = 0
        self._news = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    def link_changed(self, status: LinkStatus) -> None:
        self.statuses.append(status)
        self._tell()

    def room_changed(self, connector: str) -> None:
        self.rooms += 1
        self._tell()

    def outcomes(self, connector: str, outcomes) -> None:
        self.results.extend(outcomes)
        self._tell()

    def outcomes_late(self, connector: str, outcomes) -> None:
        self.late.extend(outcomes)
        self._tell()

    def received(self, connector: str, items) -> None:
        self.items.extend(items)
        self._tell()

    def _tell(self) -> None:
        task = asyncio.get_running_loop().create_task(self._notify())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _notify(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def until(self, fact: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE), self._news:
            await self._news.wait_for(fact)

    @property
    def link(self) -> Link | None:
        return self.statuses[-1].link if self.statuses else None

    async def up(self) -> None:
        await self.until(lambda: self.link is Link.UP)


class Peer(asyncio.Protocol):
    """One connection of the small SMSC; what it cannot answer from `TinySmsc.answer` it leaves."""

    def __init__(self, smsc: "TinySmsc") -> None:
        self.smsc = smsc
        self.framer = Framer()
        self.transport: asyncio.Transport | None = None
        self.read: list[pdus.Pdu] = []
        self.silent = False

    def connection_made(self, transport) -> None:
        self.transport = transport
        self.smsc.peers.append(self)

    def data_received(self, data: bytes) -> None:
        for frame in self.framer.feed(data):
            pdu = pdus.decode(frame)
            self.read.append(pdu)
            self.smsc.read.append(pdu)
            if not self.silent:
                self.smsc.answer(self, pdu)
        self.smsc.turn()

    def connection_lost(self, exc: Exception | None) -> None:
        self.smsc.turn()

    def send(self, *pdu: pdus.Pdu) -> None:
        self.transport.write(b"".join(map(pdus.encode, pdu)))


class TinySmsc:
    """Answers binds, enquire_link, unbind and submits; `on_submit` may do otherwise for the latter."""

    def __init__(self) -> None:
        self.peers: list[Peer] = []
        self.read: list[pdus.Pdu] = []
        self.bind_status = 0
        self.on_submit: Callable[[Peer, pdus.SubmitSm], pdus.Pdu | None] = lambda peer, pdu: pdus.SubmitSmResp(
            sequence=pdu.sequence, message_id=f"id{len(self.submits)}"
        )
        self.port = 0
        self._turn = asyncio.Event()

    @property
    def submits(self) -> list[pdus.SubmitSm]:
        return [pdu for pdu in self.read if isinstance(pdu, pdus.SubmitSm)]

    @property
    def peer(self) -> Peer:
        return self.peers[-1]

    def answer(self, peer: Peer, pdu: pdus.Pdu) -> None:
        if isinstance(pdu, pdus.Bind):
            peer.send(pdus.response_to(pdu, self.bind_status))
        elif isinstance(pdu, pdus.SubmitSm):
            answer = self.on_submit(peer, pdu)
            if answer is not None:
                peer.send(answer)
        elif isinstance(pdu, pdus.EnquireLink | pdus.Unbind):
            peer.send(pdus.response_to(pdu))

    def turn(self) -> None:
        self._turn.set()

    async def until(self, fact: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not fact():
                self._turn.clear()
                await self._turn.wait()

    def has(self, kind: type[pdus.Pdu], count: int = 1) -> Callable[[], bool]:
        return lambda: sum(isinstance(pdu, kind) for pdu in self.read) >= count


@asynccontextmanager
async def tiny_smsc(context: ssl.SSLContext | None = None, port: int = 0) -> AsyncIterator[TinySmsc]:
    smsc = TinySmsc()
    server = await asyncio.get_running_loop().create_server(lambda: Peer(smsc), "127.0.0.1", port, ssl=context)
    smsc.port = server.sockets[0].getsockname()[1]
    try:
        yield smsc
    finally:
        server.close()
        for peer in smsc.peers:
            peer.transport.abort()
        await server.wait_closed()


def settings(port: int, **more: object) -> SmppSettings:
    values = {"host": "127.0.0.1", "port": port, "system_id": "clinic", "password": Secret("pw"), **more}
    return SmppSettings(**values)


def quick() -> Backoff:
    return Backoff(first=0.001, limit=0.01)


@asynccontextmanager
async def connected(
    port: int, *, wait_up: bool = True, **more: object
) -> AsyncIterator[tuple[SmppConnector, Listener]]:
    listener = Listener()
    connector = SmppConnector("operator", settings(port, **more), retry=quick(), refused_retry=quick())
    await connector.open(listener)
    try:
        if wait_up:
            await listener.up()
        yield connector, listener
    finally:
        await connector.close(timedelta(seconds=1))


def part(number: int = 1, text: str = "Hola", **more: object) -> Outgoing:
    values = {"destination": "+34600111222", "alphabet": "gsm7", **more}
    return Outgoing(key=PartKey(number, 1), text=text, **values)


@pytest.fixture
def kit():
    """The pieces above, for tests that cannot import a conftest."""

    class Kit:
        pass

    kit = Kit()
    kit.smsc, kit.connected, kit.part, kit.settings, kit.quick = tiny_smsc, connected, part, settings, quick
    kit.Listener, kit.patience = Listener, PATIENCE
    return kit
