from datetime import UTC, datetime, timedelta

import pytest

from xlsms_service.protocols.smpp.framing import Framer
from xlsms_service.protocols.smpp.pdu import (
    BindTransceiver,
    DeliverSm,
    DeliverSmResp,
    Pdu,
    SubmitSm,
    decode,
    encode,
)
from xlsms_service.simulators.exchange import Exchange, Settings

START = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)


class Client:
    """An ESME without a socket, at an SMS centre without one, on a clock that only moves when told."""

    def __init__(self, lab):
        self._lab = lab
        self._framer = Framer()
        self._sequence = 0
        self.heard: list[Pdu] = []
        self.closed = False
        self.session = lab.exchange.connect(self, lab.now)

    def write(self, data):
        self.heard += [decode(frame) for frame in self._framer.feed(data)]

    def close(self):
        self.closed = True

    def raw(self, data):
        before = len(self.heard)
        self.session.feed(data, self._lab.now)
        return self.heard[before:]

    def ask(self, kind, **fields):
        self._sequence += 1
        return self.raw(encode(kind(sequence=self._sequence, **fields)))

    def bind(self, kind=BindTransceiver, system_id="xlsms", password="rehearse"):
        return self.ask(kind, system_id=system_id, password=password)

    def submit(self, destination="34600111222", text=b"Hello", **fields):
        fields = {"source_addr": "600", "registered_delivery": 1, "short_message": text} | fields
        return self.ask(SubmitSm, destination_addr=destination, **fields)

    def acknowledge(self, delivery, status=0):
        return self.raw(encode(DeliverSmResp(sequence=delivery.sequence, status=status)))

    @property
    def deliveries(self):
        return [pdu for pdu in self.heard if isinstance(pdu, DeliverSm)]

    def lost(self):
        self.session.lost()
        self._lab.exchange.settle()


class Lab:
    """An SMS centre and the time."""

    def __init__(self, population=None, network=None, *, now=1000.0, **settings):
        self.now = now
        self.events = []
        self.exchange = Exchange(
            population,
            Settings(accounts={"xlsms": "rehearse", "other": "secret"}, **settings),
            network,
            clock=lambda: START + timedelta(seconds=self.now - 1000),
            listener=self.events.append,
        )

    def client(self, *, bound=True, **bind):
        client = Client(self)
        if bound:
            client.bind(**bind)
        return client

    def wait(self, seconds):
        until = self.now + seconds
        while (due := self.exchange.due) is not None and due <= until:
            self.now = max(self.now, due)
            self.exchange.tick(self.now)
        self.now = until


@pytest.fixture(scope="session")
def lab():
    return Lab
