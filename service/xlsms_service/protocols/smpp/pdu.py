"""The PDUs of SMPP 3.4 as values, to octets and back, in both directions.

Reading is tolerant where a message's fate hangs on it: C-strings of any length, a missing last NUL, unknown and
vendor optional parameters, a response without its body. Writing is strict: what does not fit is a `FieldError`.
Field names are those of the specification.
"""

from collections.abc import Callable
from dataclasses import dataclass
from struct import Struct
from struct import error as struct_error

from xlsms_service.protocols.smpp.base import Pdu
from xlsms_service.protocols.smpp.bind import (
    Bind,
    BindReceiver,
    BindReceiverResp,
    BindResp,
    BindTransceiver,
    BindTransceiverResp,
    BindTransmitter,
    BindTransmitterResp,
    Outbind,
)
from xlsms_service.protocols.smpp.constants import HEADER, Command, Status
from xlsms_service.protocols.smpp.fault import ProtocolError
from xlsms_service.protocols.smpp.message import (
    CancelSm,
    CancelSmResp,
    DeliverSm,
    DeliverSmResp,
    MessageResp,
    QuerySm,
    QuerySmResp,
    ShortMessage,
    SubmitSm,
    SubmitSmResp,
)

__all__ = [
    "Bind",
    "BindReceiver",
    "BindReceiverResp",
    "BindResp",
    "BindTransceiver",
    "BindTransceiverResp",
    "BindTransmitter",
    "BindTransmitterResp",
    "CancelSm",
    "CancelSmResp",
    "DeliverSm",
    "DeliverSmResp",
    "EnquireLink",
    "EnquireLinkResp",
    "GenericNack",
    "MessageResp",
    "Outbind",
    "Pdu",
    "QuerySm",
    "QuerySmResp",
    "ShortMessage",
    "SubmitSm",
    "SubmitSmResp",
    "Unbind",
    "UnbindResp",
    "Unknown",
    "decode",
    "encode",
    "response_to",
]

_HEAD = Struct(">IIII")


@dataclass(frozen=True, slots=True, kw_only=True)
class EnquireLink(Pdu):
    """Asks whether the other side is still there (§4.11)."""

    command = Command.ENQUIRE_LINK


@dataclass(frozen=True, slots=True, kw_only=True)
class EnquireLinkResp(Pdu):
    """It is."""

    command = Command.ENQUIRE_LINK_RESP


@dataclass(frozen=True, slots=True, kw_only=True)
class Unbind(Pdu):
    """Takes leave (§4.2)."""

    command = Command.UNBIND


@dataclass(frozen=True, slots=True, kw_only=True)
class UnbindResp(Pdu):
    """Leave is taken; the connection may be closed."""

    command = Command.UNBIND_RESP


@dataclass(frozen=True, slots=True, kw_only=True)
class GenericNack(Pdu):
    """What came could not be read, or is not known (§4.3); `sequence` is 0 where it could not be read either."""

    command = Command.GENERIC_NACK


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown(Pdu):
    """A PDU that this module does not read: data_sm, alert_notification, a vendor's own. Kept as it came."""

    command_id: int
    body: bytes = b""

    def _body(self) -> bytes:
        return self.body


_KINDS: dict[int, Callable[[int, int, bytes], Pdu]] = {
    kind.command: kind._read  # noqa: SLF001 - the classes' own codec
    for kind in (
        BindTransmitter, BindTransmitterResp, BindReceiver, BindReceiverResp, BindTransceiver, BindTransceiverResp,
        SubmitSm, SubmitSmResp, DeliverSm, DeliverSmResp, QuerySm, QuerySmResp, CancelSm, CancelSmResp, Outbind,
        EnquireLink, EnquireLinkResp, Unbind, UnbindResp, GenericNack,
    )
}  # fmt: skip


def encode(pdu: Pdu) -> bytes:
    """The PDU as octets. Raises `FieldError` for a value that a field cannot carry."""
    body = pdu._body()  # noqa: SLF001 - the classes' own codec
    command = pdu.command_id if isinstance(pdu, Unknown) else pdu.command
    return _HEAD.pack(HEADER + len(body), command, pdu.status, pdu.sequence) + body


def decode(frame: bytes) -> Pdu:
    """The one PDU that `frame` is. Raises `ProtocolError`, never anything else."""
    if len(frame) < HEADER:
        raise ProtocolError(f"{len(frame)} octets are no PDU")
    length, command, status, sequence = _HEAD.unpack_from(frame)
    if length != len(frame):
        raise ProtocolError(f"command_length {length} of {len(frame)} octets", sequence=sequence)
    body = frame[HEADER:]
    read = _KINDS.get(command)
    if read is None:
        return Unknown(sequence=sequence, status=status, command_id=command, body=body)
    try:
        return read(sequence, status, body)
    except (IndexError, struct_error):
        raise ProtocolError(f"command 0x{command:08X} is cut short", sequence=sequence) from None
    except ProtocolError as error:
        error.sequence = sequence
        raise


_RESPONSES: dict[int, type[Pdu]] = {
    Command.BIND_TRANSMITTER: BindTransmitterResp,
    Command.BIND_RECEIVER: BindReceiverResp,
    Command.BIND_TRANSCEIVER: BindTransceiverResp,
    Command.SUBMIT_SM: SubmitSmResp,
    Command.DELIVER_SM: DeliverSmResp,
    Command.QUERY_SM: QuerySmResp,
    Command.CANCEL_SM: CancelSmResp,
    Command.ENQUIRE_LINK: EnquireLinkResp,
    Command.UNBIND: UnbindResp,
}


def response_to(request: Pdu, status: int = Status.OK) -> Pdu:
    """The bare answer to a request; a generic_nack where the request has no answer of its own."""
    command = request.command_id if isinstance(request, Unknown) else request.command
    kind = _RESPONSES.get(command, GenericNack)
    return kind(sequence=request.sequence, status=status)
