"""The delivery receipt as nearly all networks send it, taken from its octets in two matches, or in none.

A busy link brings one for every text. To decode each field of the PDU and then its text takes several times as long
and tells nothing else: what is not of this form is decoded as any other PDU. And those of a campaign come in runs that
differ in nothing but the message and the phone.
"""

import re
from typing import NamedTuple

from xlsms_service.protocols.smpp.constants import HEADER
from xlsms_service.protocols.smpp.fault import ProtocolError
from xlsms_service.protocols.smpp.tlv import Tlvs, read_tlvs

__all__ = ["Said", "UsualReader", "UsualReceipt"]

#: Everything before the text (SMPP 3.4 §4.6.1); esm_class says receipt, and nothing besides.
_BEFORE = re.compile(
    rb"[^\0]*\0"  # service_type
    rb"(.).([^\0]*)\0"  # ton, npi and address of the source
    rb"(.).([^\0]*)\0"  # and of the destination
    rb"\x04..[^\0]*\0[^\0]*\0"  # esm_class, protocol_id, priority_flag, two times
    rb"..(.).(.)",  # registered_delivery, replace_if_present_flag, data_coding, sm_default_msg_id, sm_length
    re.DOTALL,
)
#: Appendix B to the letter, of characters that are the same octets in GSM 03.38, ASCII and Latin-1 but for `text`.
_TEXT = re.compile(
    rb"id:([0-9A-Za-z-]+) sub:[0-9A-Za-z-]+ dlvrd:[0-9A-Za-z-]+ submit date:(\d+) done date:(\d+)"
    rb" stat:([0-9A-Za-z]+) err:([0-9A-Za-z-]+)(?: [Tt]ext:(.*))?",
    re.DOTALL,
)
_NO_TLVS: Tlvs = {}


class Said(NamedTuple):
    """What a receipt says besides which message it is about, and which phone."""

    source_ton: int
    destination_ton: int
    destination: str
    data_coding: int
    submitted: str
    done: str
    state: str
    error: str
    quoted: bytes  #: how the message begins, in the alphabet of `data_coding`
    tlvs: Tlvs


class UsualReceipt(NamedTuple):
    """The other side reports on a message, in the usual form; answer with `Session.acknowledge`."""

    sequence: int
    source: str
    id: str  #: as the text says it; a parameter may say otherwise
    said: Said  #: one object for all receipts of a run that say the same
    frame: bytes  #: the whole PDU


class UsualReader:
    """Reads receipts one after the other, and remembers of the last what stood around its phone and its id."""

    def __init__(self) -> None:
        self._said: Said | None = None
        self._front = self._middle = self._back = b""
        self._rest = 0  # octets from the end of the phone to the end of the PDU

    def read(self, frame: bytes, sequence: int) -> UsualReceipt | None:
        """The receipt that a deliver_sm is; None when it is not one of the usual form, or nothing that can be read."""
        front, middle, back = self._front, self._middle, self._back
        start, end = HEADER + len(front), len(frame) - self._rest  # of the phone
        if (
            self._said is not None
            and start <= end
            and frame.startswith(middle, end)
            and frame.startswith(front, HEADER)
            and frame.endswith(back)
        ):
            source, name = frame[start:end], frame[end + len(middle) : len(frame) - len(back)]
            if name.isalnum() and b"\0" not in source:
                return UsualReceipt(sequence, source.decode("latin-1"), name.decode("ascii"), self._said, frame)
        return self._read(frame, sequence)

    def _read(self, frame: bytes, sequence: int) -> UsualReceipt | None:
        before = _BEFORE.match(frame, HEADER)
        if before is None:
            return None
        source_ton, source, destination_ton, destination, data_coding, length = before.groups()
        at = before.end()
        end = at + length[0]
        text = _TEXT.fullmatch(frame, at, end) if end <= len(frame) else None
        if text is None:
            return None
        tlvs = _NO_TLVS
        if end < len(frame):
            try:
                tlvs = read_tlvs(frame, end)
            except ProtocolError:
                return None
        name, submitted, done, state, error, quoted = text.groups()
        said = self._said = Said(
            source_ton[0],
            destination_ton[0],
            destination.decode("latin-1"),
            data_coding[0],
            submitted.decode("ascii"),
            done.decode("ascii"),
            state.decode("ascii"),
            error.decode("ascii"),
            quoted or b"",
            tlvs,
        )
        phone, called = before.span(2), text.span(1)
        self._front, self._middle = frame[HEADER : phone[0]], frame[phone[1] : called[0]]
        self._back, self._rest = frame[called[1] :], len(frame) - phone[1]
        return UsualReceipt(sequence, source.decode("latin-1"), name.decode("ascii"), said, frame)
