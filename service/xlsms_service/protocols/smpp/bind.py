"""The PDUs that open a session: the three binds, their answers, and outbind."""

from dataclasses import dataclass, field
from typing import Self

from xlsms_service.protocols.smpp.base import Pdu, read_cstring, write_cstring, write_octets
from xlsms_service.protocols.smpp.constants import VERSION_34, Command
from xlsms_service.protocols.smpp.tlv import Tlvs, read_tlvs, write_tlvs

__all__ = [
    "Bind",
    "BindReceiver",
    "BindReceiverResp",
    "BindResp",
    "BindTransceiver",
    "BindTransceiverResp",
    "BindTransmitter",
    "BindTransmitterResp",
    "Outbind",
]

# §4.1.1 allows 8 characters of password and 12 of system_type, yet operators hand out longer ones; they refuse
# at bind what they do not like, so only the absurd is stopped here.
_CREDENTIAL = 65


@dataclass(frozen=True, slots=True, kw_only=True)
class Bind(Pdu):
    """What the three binds share (§4.1)."""

    system_id: str = ""
    password: str = field(default="", repr=False)
    system_type: str = ""
    interface_version: int = VERSION_34
    addr_ton: int = 0
    addr_npi: int = 0
    address_range: str = ""

    def _body(self) -> bytes:
        return b"".join(
            (
                write_cstring("system_id", self.system_id, _CREDENTIAL),
                write_cstring("password", self.password, _CREDENTIAL),
                write_cstring("system_type", self.system_type, _CREDENTIAL),
                write_octets(interface_version=self.interface_version, addr_ton=self.addr_ton, addr_npi=self.addr_npi),
                write_cstring("address_range", self.address_range, 41),
            )
        )

    @classmethod
    def _read(cls, sequence: int, status: int, body: bytes) -> Self:
        system_id, at = read_cstring(body, 0)
        password, at = read_cstring(body, at)
        system_type, at = read_cstring(body, at)
        version, ton, npi = body[at], body[at + 1], body[at + 2]
        address_range, _ = read_cstring(body, at + 3)
        return cls(
            sequence=sequence,
            status=status,
            system_id=system_id,
            password=password,
            system_type=system_type,
            interface_version=version,
            addr_ton=ton,
            addr_npi=npi,
            address_range=address_range,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BindTransmitter(Bind):
    """Asks to submit only."""

    command = Command.BIND_TRANSMITTER


@dataclass(frozen=True, slots=True, kw_only=True)
class BindReceiver(Bind):
    """Asks to receive only."""

    command = Command.BIND_RECEIVER


@dataclass(frozen=True, slots=True, kw_only=True)
class BindTransceiver(Bind):
    """Asks to submit and to receive."""

    command = Command.BIND_TRANSCEIVER


@dataclass(frozen=True, slots=True, kw_only=True)
class BindResp(Pdu):
    """What the answers to the three binds share (§4.1.2); a refusal carries no body."""

    system_id: str = ""
    tlvs: Tlvs = field(default_factory=dict)

    def _body(self) -> bytes:
        if self.status and not self.system_id and not self.tlvs:
            return b""
        return write_cstring("system_id", self.system_id, _CREDENTIAL) + write_tlvs(self.tlvs)

    @classmethod
    def _read(cls, sequence: int, status: int, body: bytes) -> Self:
        system_id, at = read_cstring(body, 0)
        return cls(sequence=sequence, status=status, system_id=system_id, tlvs=read_tlvs(body, at, strict=False))


@dataclass(frozen=True, slots=True, kw_only=True)
class BindTransmitterResp(BindResp):
    """Answers a bind_transmitter."""

    command = Command.BIND_TRANSMITTER_RESP


@dataclass(frozen=True, slots=True, kw_only=True)
class BindReceiverResp(BindResp):
    """Answers a bind_receiver."""

    command = Command.BIND_RECEIVER_RESP


@dataclass(frozen=True, slots=True, kw_only=True)
class BindTransceiverResp(BindResp):
    """Answers a bind_transceiver."""

    command = Command.BIND_TRANSCEIVER_RESP


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbind(Pdu):
    """An SMSC that called asks to be bound to (§4.1.7); it has no answer but the bind."""

    command = Command.OUTBIND
    system_id: str = ""
    password: str = field(default="", repr=False)

    def _body(self) -> bytes:
        return write_cstring("system_id", self.system_id, _CREDENTIAL) + write_cstring(
            "password", self.password, _CREDENTIAL
        )

    @classmethod
    def _read(cls, sequence: int, status: int, body: bytes) -> Self:
        system_id, at = read_cstring(body, 0)
        password, _ = read_cstring(body, at)
        return cls(sequence=sequence, status=status, system_id=system_id, password=password)
