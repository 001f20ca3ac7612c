"""One client's connection to the simulated SMS centre: what it may say when, and how it is answered."""

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from xlsms_service.protocols.smpp.constants import LAST_SEQUENCE, RESPONSE, VERSION_34, Status, Tag
from xlsms_service.protocols.smpp.fault import ProtocolError
from xlsms_service.protocols.smpp.framing import Framer, OutOfStepError
from xlsms_service.protocols.smpp.pdu import (
    Bind,
    BindReceiver,
    BindReceiverResp,
    BindTransceiver,
    BindTransceiverResp,
    BindTransmitter,
    BindTransmitterResp,
    CancelSm,
    DeliverSm,
    DeliverSmResp,
    EnquireLink,
    GenericNack,
    Outbind,
    Pdu,
    QuerySm,
    SubmitSm,
    Unbind,
    Unknown,
    decode,
    encode,
    response_to,
)

if TYPE_CHECKING:
    from xlsms_service.simulators.exchange import Exchange

__all__ = ["Mode", "Outlet", "Session"]

_SYSTEM_ID = "xlsms-simulator"  # §5.2.1: 15 characters at most
#: The client could not take a deliver_sm just now; any other refusal is for good.
_TEMPORARY = frozenset({Status.TEMPORARY, Status.QUEUE_FULL, Status.THROTTLED, Status.SYSTEM_ERROR})


class Outlet(Protocol):
    """The way back to the client; neither method blocks."""

    def write(self, data: bytes) -> None:
        """Send these octets."""

    def close(self) -> None:
        """Send what is written, then hang up."""


class Mode(StrEnum):
    """What a session is bound as (§2.2)."""

    OPEN = "open"
    TRANSMITTER = "transmitter"
    RECEIVER = "receiver"
    TRANSCEIVER = "transceiver"
    CLOSED = "closed"


_BINDS: dict[type[Bind], tuple[Mode, Callable[..., Pdu]]] = {
    BindTransmitter: (Mode.TRANSMITTER, BindTransmitterResp),
    BindReceiver: (Mode.RECEIVER, BindReceiverResp),
    BindTransceiver: (Mode.TRANSCEIVER, BindTransceiverResp),
}
_RECEIVING = (Mode.RECEIVER, Mode.TRANSCEIVER)
_SENDING = (Mode.TRANSMITTER, Mode.TRANSCEIVER)

#: Which requests a session may make in which mode (§2.3).
_ALLOWED: dict[type[Pdu], tuple[Mode, ...]] = {
    BindTransmitter: (Mode.OPEN,),
    BindReceiver: (Mode.OPEN,),
    BindTransceiver: (Mode.OPEN,),
    SubmitSm: _SENDING,
    QuerySm: _SENDING,
    CancelSm: _SENDING,
    DeliverSmResp: _RECEIVING,
    Unbind: (*_SENDING, Mode.RECEIVER),
}


class Session:
    """One connection. What it writes is held until `flush`, so that answers travel together."""

    def __init__(self, exchange: "Exchange", outlet: Outlet, now: float) -> None:
        self.mode = Mode.OPEN
        self.system_id = ""
        self.writable = True  #: False while the client does not read fast enough
        self._exchange = exchange
        self._outlet = outlet
        self._framer = Framer()
        self._out: list[bytes] = []
        self._sequence = 0
        self._deliveries: dict[int, DeliverSm] = {}
        self._heard_at = now
        self._enquired = False
        self._since_bind = 0
        self._mute = False
        if exchange.settings.enquire:
            exchange.later(now + exchange.settings.enquire, self._check)

    @property
    def receives(self) -> bool:
        """Whether receipts and replies may be sent here."""
        return self.mode in _RECEIVING

    @property
    def room(self) -> int:
        """How many more deliver_sm may be open here."""
        if not (self.receives and self.writable):
            return 0
        return self._exchange.settings.window - len(self._deliveries)

    @property
    def open_deliveries(self) -> int:
        """How many deliver_sm wait for their answer."""
        return len(self._deliveries)

    # Out

    def outbind(self, system_id: str, password: str) -> None:
        """Ask the client that we called to bind."""
        self.send(Outbind(sequence=self._next_sequence(), system_id=system_id, password=password))
        self._exchange.settle()

    def send(self, pdu: Pdu) -> None:
        """Say this with the next `flush`; nothing when the link is gone or falls silent."""
        if self.mode is Mode.CLOSED or self._mute:
            return
        if not self._out:
            self._exchange.has_to_say(self)
        self._out.append(encode(pdu))

    def deliver(self, pdu: DeliverSm) -> None:
        """Send a receipt or a text; it is kept until it is acknowledged."""
        sequence = self._next_sequence()
        self._deliveries[sequence] = pdu
        self.send(replace(pdu, sequence=sequence))

    def flush(self) -> None:
        """Write all that was said."""
        if self._out:
            self._outlet.write(b"".join(self._out))
            self._out.clear()

    def cut(self) -> None:
        """Hang up, after what was said."""
        if self.mode is Mode.CLOSED:
            return
        self.flush()
        self.lost()
        self._outlet.close()

    def lost(self) -> None:
        """The connection is gone. Idempotent."""
        if self.mode is Mode.CLOSED:
            return
        unacknowledged = list(self._deliveries.values())
        self._deliveries.clear()
        self._exchange.left(self, unacknowledged)  # which asks for the mode that it had
        self.mode = Mode.CLOSED

    def _next_sequence(self) -> int:
        self._sequence = self._sequence % LAST_SEQUENCE + 1
        return self._sequence

    # In

    def feed(self, data: bytes, now: float) -> None:
        """Octets came. Whatever they are, nothing is raised; what cannot be true ends the session."""
        self._heard_at = now
        self._enquired = False
        broken: OutOfStepError | None = None
        try:
            frames = self._framer.feed(data)
        except OutOfStepError as error:
            frames, broken = error.frames, error
        for frame in frames:
            if self.mode is Mode.CLOSED:
                break
            self._on_frame(frame, now)
        if broken is not None and self.mode is not Mode.CLOSED:
            self._complain(GenericNack(sequence=broken.sequence, status=broken.status))
            self.cut()
        self._exchange.settle()

    def _on_frame(self, frame: bytes, now: float) -> None:
        cuts = self._counts_to_the_cut()
        if cuts and self._exchange.network.drop_unanswered:
            self.flush()
            self._mute = True
        try:
            self._on_pdu(decode(frame), now)
        except ProtocolError as error:
            self._complain(GenericNack(sequence=error.sequence, status=error.status))
        if cuts:
            self._exchange.counters.drops += 1
            self._exchange.tell("drop", system_id=self.system_id)
            self.cut()

    def _counts_to_the_cut(self) -> bool:
        if self.mode is Mode.OPEN:
            return False
        self._since_bind += 1
        return self._since_bind == self._exchange.network.drop_after

    def _on_pdu(self, pdu: Pdu, now: float) -> None:
        allowed = _ALLOWED.get(type(pdu))
        if allowed is not None and self.mode not in allowed:
            if not isinstance(pdu, DeliverSmResp):
                status = Status.ALREADY_BOUND if isinstance(pdu, Bind) else Status.WRONG_BIND_STATE
                self._complain(response_to(pdu, status))
            return
        match pdu:
            case SubmitSm():
                self._exchange.submit(self, pdu, now)
            case DeliverSmResp() | GenericNack():
                self._on_answer(pdu, now)
            case Bind():
                self._on_bind(pdu)
            case QuerySm():
                self.send(self._exchange.query(pdu))
            case CancelSm():
                self.send(self._exchange.cancel(pdu, now))
            case EnquireLink():
                self.send(response_to(pdu))
            case Unbind():
                self.send(response_to(pdu))
                self.cut()
            case _:
                self._on_other(pdu)

    def _on_other(self, pdu: Pdu) -> None:
        command = pdu.command_id if isinstance(pdu, Unknown) else pdu.command
        if not command & RESPONSE:
            self._complain(GenericNack(sequence=pdu.sequence, status=Status.INVALID_COMMAND))

    def _complain(self, answer: Pdu) -> None:
        self._exchange.counters.malformed += 1
        self._exchange.tell("malformed", system_id=self.system_id, state=f"0x{answer.status:02X}")
        self.send(answer)

    def _on_bind(self, pdu: Bind) -> None:
        mode, response = _BINDS[type(pdu)]
        status = self._exchange.admit(pdu.system_id, pdu.password)
        if status:
            self._exchange.counters.refused_binds += 1
            self._exchange.tell("refused-bind", system_id=pdu.system_id, state=f"0x{status:02X}")
            self.send(response_to(pdu, status))
            self.cut()
            return
        version = {Tag.SC_INTERFACE_VERSION: bytes((VERSION_34,))}
        self.send(response(sequence=pdu.sequence, system_id=_SYSTEM_ID, tlvs=version))
        self.mode, self.system_id = mode, pdu.system_id
        self._exchange.joined(self)

    def _on_answer(self, pdu: Pdu, now: float) -> None:
        delivery = self._deliveries.pop(pdu.sequence, None)
        if delivery is None:
            return
        self._exchange.roomier(self)
        if isinstance(pdu, DeliverSmResp) and not pdu.status:
            self._exchange.counters.delivered += 1
        elif pdu.status in _TEMPORARY:
            self._exchange.postpone(self, delivery, now)
        else:
            self._exchange.counters.declined += 1

    def ready(self, *, writable: bool) -> None:
        """The client reads again, or no longer."""
        self.writable = writable
        if writable and self.mode is not Mode.CLOSED:
            self._exchange.roomier(self)
            self._exchange.settle()

    def _check(self, now: float) -> None:
        """Ask a silent client whether it is there; leave one that never bound, or does not answer."""
        if self.mode is Mode.CLOSED:
            return
        patience = self._exchange.settings.enquire
        if now - self._heard_at < patience:
            self._exchange.later(self._heard_at + patience, self._check)
        elif self._enquired or self.mode is Mode.OPEN:
            self.cut()
        else:
            self._enquired = True
            self.send(EnquireLink(sequence=self._next_sequence()))
            self._exchange.later(now + patience, self._check)
