"""The PDUs about messages: submit_sm, deliver_sm, query_sm and their answers."""

from dataclasses import dataclass, field
from struct import Struct
from typing import Self

from xlsms_service.protocols.smpp.base import Pdu, read_cstring, write_cstring, write_octets
from xlsms_service.protocols.smpp.constants import Command, Status
from xlsms_service.protocols.smpp.fault import FieldError, ProtocolError
from xlsms_service.protocols.smpp.tlv import Tlvs, read_tlvs, write_tlvs

__all__ = [
    "CancelSm",
    "CancelSmResp",
    "DeliverSm",
    "DeliverSmResp",
    "MessageForm",
    "MessageResp",
    "QuerySm",
    "QuerySmResp",
    "ShortMessage",
    "SubmitSm",
    "SubmitSmResp",
    "write_address",
]

_MIDDLE = Struct(">BBB")  # esm_class, protocol_id, priority_flag
_LAST = Struct(">BBBBB")  # registered_delivery, replace_if_present_flag, data_coding, sm_default_msg_id, sm_length
_ADDRESS = 21  # octets with the NUL
_OCTET = 0xFF
_LONGEST_SHORT_MESSAGE = 254  #: §4.4.1; longer text goes into message_payload


class MessageForm:
    """A submit_sm or deliver_sm with all but destination and text filled in: written once, used for a campaign.

    `source` is as `write_address` gives it.
    """

    __slots__ = ("_after", "_before")

    def __init__(  # noqa: PLR0913 - the fields of the PDU
        self,
        *,
        source: bytes,
        service_type: str = "",
        esm_class: int = 0,
        protocol_id: int = 0,
        priority_flag: int = 0,
        schedule_delivery_time: str = "",
        validity_period: str = "",
        registered_delivery: int = 0,
        replace_if_present_flag: int = 0,
        data_coding: int = 0,
        sm_default_msg_id: int = 0,
    ) -> None:
        self._before = write_cstring("service_type", service_type, 6) + source
        self._after = (
            write_octets(esm_class=esm_class, protocol_id=protocol_id, priority_flag=priority_flag)
            + write_cstring("schedule_delivery_time", schedule_delivery_time, 17)
            + write_cstring("validity_period", validity_period, 17)
            + write_octets(
                registered_delivery=registered_delivery,
                replace_if_present_flag=replace_if_present_flag,
                data_coding=data_coding,
                sm_default_msg_id=sm_default_msg_id,
            )
        )

    def body(self, destination: bytes, short_message: bytes, parameters: bytes = b"") -> bytes:
        """The body of the PDU for one destination as `write_address` gives it, optional parameters behind it."""
        length = len(short_message)
        if length > _LONGEST_SHORT_MESSAGE:
            raise FieldError("short_message", f"{length} octets, at most {_LONGEST_SHORT_MESSAGE}")
        return b"%b%b%b%c%b%b" % (self._before, destination, self._after, length, short_message, parameters)


def write_address(name: str, ton: int, npi: int, address: str) -> bytes:
    """Type of number, numbering plan and address, as they follow each other in every PDU."""
    if not (0 <= ton <= _OCTET and 0 <= npi <= _OCTET):
        raise FieldError(name, f"type {ton} or plan {npi} is no octet")
    return b"%c%c%b" % (ton, npi, write_cstring(name, address, _ADDRESS))


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortMessage(Pdu):
    """What submit_sm and deliver_sm share: every field of one stands in the other (§4.4.1, §4.6.1)."""

    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""
    esm_class: int = 0
    protocol_id: int = 0
    priority_flag: int = 0
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    replace_if_present_flag: int = 0
    data_coding: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""
    tlvs: Tlvs = field(default_factory=dict)

    def _body(self) -> bytes:
        form = MessageForm(
            source=write_address("source_addr", self.source_addr_ton, self.source_addr_npi, self.source_addr),
            service_type=self.service_type,
            esm_class=self.esm_class,
            protocol_id=self.protocol_id,
            priority_flag=self.priority_flag,
            schedule_delivery_time=self.schedule_delivery_time,
            validity_period=self.validity_period,
            registered_delivery=self.registered_delivery,
            replace_if_present_flag=self.replace_if_present_flag,
            data_coding=self.data_coding,
            sm_default_msg_id=self.sm_default_msg_id,
        )
        destination = write_address("destination_addr", self.dest_addr_ton, self.dest_addr_npi, self.destination_addr)
        return form.body(destination, self.short_message, write_tlvs(self.tlvs))

    @classmethod
    def _read(cls, sequence: int, status: int, body: bytes) -> Self:
        service_type, at = read_cstring(body, 0)
        source_addr, after_source = read_cstring(body, at + 2)
        destination_addr, middle = read_cstring(body, after_source + 2)
        esm_class, protocol_id, priority_flag = _MIDDLE.unpack_from(body, middle)
        schedule_delivery_time, validity_at = read_cstring(body, middle + _MIDDLE.size)
        validity_period, last = read_cstring(body, validity_at)
        registered, replace_flag, data_coding, default_id, length = _LAST.unpack_from(body, last)
        text_at = last + _LAST.size
        end = text_at + length
        if end > len(body):
            raise ProtocolError(f"sm_length {length} is more than there is", status=Status.INVALID_MESSAGE_LENGTH)
        return cls(
            sequence=sequence,
            status=status,
            service_type=service_type,
            source_addr_ton=body[at],
            source_addr_npi=body[at + 1],
            source_addr=source_addr,
            dest_addr_ton=body[after_source],
            dest_addr_npi=body[after_source + 1],
            destination_addr=destination_addr,
            esm_class=esm_class,
            protocol_id=protocol_id,
            priority_flag=priority_flag,
            schedule_delivery_time=schedule_delivery_time,
            validity_period=validity_period,
            registered_delivery=registered,
            replace_if_present_flag=replace_flag,
            data_coding=data_coding,
            sm_default_msg_id=default_id,
            short_message=body[text_at:end],
            tlvs=read_tlvs(body, end),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitSm(ShortMessage):
    """One part on its way to a phone."""

    command = Command.SUBMIT_SM


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverSm(ShortMessage):
    """A text from a phone, or a delivery receipt: `esm_class` says which."""

    command = Command.DELIVER_SM


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageResp(Pdu):
    """What submit_sm_resp and deliver_sm_resp share (§4.4.2, §4.6.2); in the latter `message_id` is empty."""

    message_id: str = ""
    tlvs: Tlvs = field(default_factory=dict)

    def _body(self) -> bytes:
        if self.status and not self.message_id and not self.tlvs:
            return b""
        return write_cstring("message_id", self.message_id, 65) + write_tlvs(self.tlvs)

    @classmethod
    def _read(cls, sequence: int, status: int, body: bytes) -> Self:
        message_id, at = read_cstring(body, 0)
        # The status and the id decide a message's fate: rubbish behind them must not hide it.
        return cls(sequence=sequence, status=status, message_id=message_id, tlvs=read_tlvs(body, at, strict=False))


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitSmResp(MessageResp):
    """The network took the part under `message_id`, or `status` says why not."""

    command = Command.SUBMIT_SM_RESP


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverSmResp(MessageResp):
    """The text or receipt is in safe hands, or `status` says why not."""

    command = Command.DELIVER_SM_RESP


@dataclass(frozen=True, slots=True, kw_only=True)
class QuerySm(Pdu):
    """Asks what became of a message (§4.8.1)."""

    command = Command.QUERY_SM
    message_id: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""

    def _body(self) -> bytes:
        return b"".join(
            (
                write_cstring("message_id", self.message_id, 65),
                write_address("source_addr", self.source_addr_ton, self.source_addr_npi, self.source_addr),
            )
        )

    @classmethod
    def _read(cls, sequence: int, status: int, body: bytes) -> Self:
        message_id, at = read_cstring(body, 0)
        source_addr, _ = read_cstring(body, at + 2)
        return cls(
            sequence=sequence,
            status=status,
            message_id=message_id,
            source_addr_ton=body[at],
            source_addr_npi=body[at + 1],
            source_addr=source_addr,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class QuerySmResp(Pdu):
    """What became of a message (§4.8.2); a refusal carries no body."""

    command = Command.QUERY_SM_RESP
    message_id: str = ""
    final_date: str = ""
    message_state: int = 0
    error_code: int = 0

    def _body(self) -> bytes:
        if self.status and not self.message_id:
            return b""
        return b"".join(
            (
                write_cstring("message_id", self.message_id, 65),
                write_cstring("final_date", self.final_date, 17),
                write_octets(message_state=self.message_state, error_code=self.error_code),
            )
        )

    @classmethod
    def _read(cls, sequence: int, status: int, body: bytes) -> Self:
        if status and len(body) == 0:
            return cls(sequence=sequence, status=status)
        message_id, at = read_cstring(body, 0)
        final_date, at = read_cstring(body, at)
        return cls(
            sequence=sequence,
            status=status,
            message_id=message_id,
            final_date=final_date,
            message_state=body[at],
            error_code=body[at + 1],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelSm(Pdu):
    """Takes back a message that the phone does not have yet (§4.9.1); addresses as in its submit_sm."""

    command = Command.CANCEL_SM
    service_type: str = ""
    message_id: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""

    def _body(self) -> bytes:
        return b"".join(
            (
                write_cstring("service_type", self.service_type, 6),
                write_cstring("message_id", self.message_id, 65),
                write_address("source_addr", self.source_addr_ton, self.source_addr_npi, self.source_addr),
                write_address("destination_addr", self.dest_addr_ton, self.dest_addr_npi, self.destination_addr),
            )
        )

    @classmethod
    def _read(cls, sequence: int, status: int, body: bytes) -> Self:
        service_type, at = read_cstring(body, 0)
        message_id, source = read_cstring(body, at)
        source_addr, destination = read_cstring(body, source + 2)
        destination_addr, _ = read_cstring(body, destination + 2)
        return cls(
            sequence=sequence,
            status=status,
            service_type=service_type,
            message_id=message_id,
            source_addr_ton=body[source],
            source_addr_npi=body[source + 1],
            source_addr=source_addr,
            dest_addr_ton=body[destination],
            dest_addr_npi=body[destination + 1],
            destination_addr=destination_addr,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelSmResp(Pdu):
    """The message is taken back, or `status` says why not (§4.9.2)."""

    command = Command.CANCEL_SM_RESP
