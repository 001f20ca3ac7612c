"""How the simulated SMS centre reads what clients submit, and writes receipts and the texts of phones."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from xlsms.model import Concat
from xlsms.text.split import split
from xlsms.text.udh import udh
from xlsms_service.protocols.smpp import text
from xlsms_service.protocols.smpp.constants import ESM_UDHI, Tag
from xlsms_service.protocols.smpp.pdu import DeliverSm, SubmitSm
from xlsms_service.protocols.smpp.receipt import STATE_WORDS
from xlsms_service.simulators.record import TakenPart

__all__ = ["MESSAGE_STATES", "Message", "final_date", "read_text", "write_receipt", "write_reply"]

#: The message_state of each word (§5.2.28).
MESSAGE_STATES = {word: state for state, word in STATE_WORDS.items()}

_RECEIPT = 0x04
_QUOTED = 20
_ALPHANUMERIC = 5
_GSM_NETWORK = 3  # network_type of network_error_code (§5.3.2.31)
_INTERNATIONAL = (1, 1)
_SHORT_CODE = (3, 0)
_SHORTEST_INTERNATIONAL = 8


@dataclass(slots=True)
class Message:
    """One part that was taken, and what has become of it."""

    part: TakenPart
    submit: SubmitSm
    receipt_id: str
    stat: str = "ENROUTE"
    error: str = "000"
    done: datetime | None = None

    @property
    def can_be_answered(self) -> bool:
        """Whether a phone could write back: not to a sender made of letters."""
        return self.submit.source_addr_ton != _ALPHANUMERIC


def final_date(done: datetime | None) -> str:
    """The absolute time format (§7.1.1), in UTC; empty while there is none."""
    return "" if done is None else text.absolute_time(done)


def write_receipt(message: Message, *, in_text: bool, in_tlvs: bool) -> DeliverSm:
    """The delivery receipt in the common text form (SMPP 3.4 appendix B), in optional parameters, or both."""
    part, submit = message.part, message.submit
    done = message.done or part.at
    quoted = part.text[:_QUOTED]
    words = (
        f"id:{message.receipt_id} sub:001 dlvrd:{'001' if message.stat == 'DELIVRD' else '000'}"
        f" submit date:{part.at.astimezone(UTC):%y%m%d%H%M} done date:{done.astimezone(UTC):%y%m%d%H%M}"
        f" stat:{message.stat} err:{message.error} text:{quoted}"
    )
    parameters: dict[int, bytes] = {
        Tag.RECEIPTED_MESSAGE_ID: message.receipt_id.encode("ascii") + b"\0",
        Tag.MESSAGE_STATE: bytes((MESSAGE_STATES[message.stat],)),
        Tag.NETWORK_ERROR_CODE: bytes((_GSM_NETWORK,)) + int(message.error).to_bytes(2, "big"),
    }
    return DeliverSm(
        sequence=0,
        source_addr_ton=submit.dest_addr_ton,
        source_addr_npi=submit.dest_addr_npi,
        source_addr=submit.destination_addr,
        dest_addr_ton=submit.source_addr_ton,
        dest_addr_npi=submit.source_addr_npi,
        destination_addr=submit.source_addr,
        esm_class=_RECEIPT,
        short_message=words.encode("ascii", "replace") if in_text else b"",
        tlvs=parameters if in_tlvs else {},
    )


def read_text(submit: SubmitSm) -> tuple[str, Concat | None]:
    """The text of one part and its place in a long message; data_coding 0 is GSM 03.38, an octet a septet."""
    read = text.read_text(submit, "gsm7")
    return read.text, read.concat


def write_reply(phone: str, to: str, words: str, reference: int) -> Iterator[DeliverSm]:
    """The parts of a text that a phone writes; `reference` tells its long texts apart."""
    parts = split(words, limit=None)
    phone_ton, phone_npi = _numbering(phone)
    to_ton, to_npi = _numbering(to)
    for number, part in enumerate(parts.parts, 1):
        data_coding, octets = text.encode_text(part, parts.alphabet, "gsm7")
        header = udh(Concat(reference & 0xFF, len(parts), number)) if len(parts) > 1 else b""
        yield DeliverSm(
            sequence=0,
            source_addr_ton=phone_ton,
            source_addr_npi=phone_npi,
            source_addr=phone.removeprefix("+"),
            dest_addr_ton=to_ton,
            dest_addr_npi=to_npi,
            destination_addr=to.removeprefix("+"),
            esm_class=ESM_UDHI if header else 0,
            data_coding=data_coding,
            short_message=header + octets,
        )


def _numbering(number: str) -> tuple[int, int]:
    return _INTERNATIONAL if len(number.removeprefix("+")) >= _SHORTEST_INTERNATIONAL else _SHORT_CODE
