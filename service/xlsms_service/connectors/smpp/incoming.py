"""What a deliver_sm means: a receipt, or a text from a phone."""

from datetime import datetime, timedelta
from typing import cast
from zoneinfo import ZoneInfo

from xlsms.model import Inbound, Receipt
from xlsms_service.connectors.smpp.answer import LONGEST_ID
from xlsms_service.connectors.smpp.settings import SmppSettings
from xlsms_service.protocols.smpp.constants import ESM_MESSAGE_TYPE, ESM_RECEIPTS
from xlsms_service.protocols.smpp.pdu import DeliverSm, decode
from xlsms_service.protocols.smpp.receipt import (
    Report,
    parse_receipt,
    read_date,
    reads_as_receipt,
    report_of,
    uniform_id,
)
from xlsms_service.protocols.smpp.text import UserText, decode_text, read_text
from xlsms_service.protocols.smpp.usual import Said, UsualReceipt

__all__ = ["DeliverReader", "believable"]

_INTERNATIONAL = 1

#: data_coding of texts whose letters and digits are those of ASCII: the default alphabet, and Latin-1 twice (§5.2.19).
_PLAIN = (0, 1, 3)

#: Between what a receipt says of its time and when it comes; a date further off is a wrong clock, or a trick, and one
#: that is still to come is of another zone than the settings say.
_FAR = timedelta(days=7)
_AHEAD = timedelta(minutes=1)

#: Characters of a quoted text that are kept; networks quote twenty.
_QUOTED = 40

#: Characters of a network's word or error code; those of SMPP have seven.
_WORD = 40


#: State, time, error, sender, time of the submit and quoted text.
_Common = tuple[str, datetime | None, str, str, datetime | None, str]


def believable(said: datetime | None, at: datetime) -> datetime | None:
    """What a network says of a time, heard at `at`; None where that cannot be."""
    return said if said is not None and -_FAR <= said - at <= _AHEAD else None


class DeliverReader:
    """Reads deliver_sm; nothing that comes is dropped, and no content makes it raise."""

    def __init__(self, connector: str, settings: SmppSettings) -> None:
        self._connector = connector
        self._default = settings.data_coding_0
        self._id_form = settings.id_form
        self._zone = ZoneInfo(settings.receipt_zone)
        self._unmarked = settings.unmarked_receipts
        self._said: Said | None = None
        self._at: datetime | None = None
        self._common: _Common | None = None

    def read(self, pdu: DeliverSm, at: datetime) -> Receipt | Inbound:
        """The receipt or the text. A receipt that names no message is shown as a text, so that someone sees it."""
        user = read_text(pdu, self._default)
        kind = pdu.esm_class & ESM_MESSAGE_TYPE
        tagged = reads_as_receipt("", pdu.tlvs)
        if kind in ESM_RECEIPTS or tagged or (not kind and self._unmarked and reads_as_receipt(user.text, pdu.tlvs)):
            report = parse_receipt(user.text, pdu.tlvs, self._zone)
            # UCS-2 that says it is something else, or a report that is not packed though texts are
            packed = self._default == "gsm7-packed" and not pdu.data_coding
            if not report.id and (packed or b"\0" in user.raw):
                report = parse_receipt(user.raw.decode("latin-1"), pdu.tlvs, self._zone)
            if report.id:
                return self._receipt(pdu, report, at)
        return self._inbound(pdu, user, at)

    def read_usual(self, usual: UsualReceipt, at: datetime) -> Receipt | Inbound:
        """The same for a receipt of the usual form; what those of a run have in common is read once."""
        said = usual.said
        if said is not self._said or at is not self._at:
            self._said, self._at, self._common = said, at, self._in_common(said, at)
        if self._common is None:
            return self._read_closer(usual, at)
        state, done_at, error, sender, submitted_at, quoted = self._common
        form = self._id_form
        return Receipt(
            self._connector,
            usual.id if form == "auto" else uniform_id(usual.id, form, receipt=True),
            state,
            at,
            done_at,
            _number(said.source_ton, usual.source),
            error,
            sender,
            submitted_at,
            quoted,
        )

    def _is_plain(self, coding: int) -> bool:
        """Whether more than a look at the octets of a text is needed to read it."""
        return coding in _PLAIN and (coding != 0 or self._default != "gsm7-packed")

    def _in_common(self, said: Said, at: datetime) -> _Common | None:
        """What it says besides message and phone; None where that is not all, or not to be read so easily."""
        if said.tlvs or not self._is_plain(said.data_coding):
            return None
        quoted = decode_text(said.quoted, said.data_coding, self._default) if said.quoted else ""
        return (
            said.state.upper(),
            believable(read_date(said.done, self._zone), at),
            said.error,
            _number(said.destination_ton, said.destination),
            read_date(said.submitted, self._zone),
            quoted.strip()[:_QUOTED],
        )

    def _read_closer(self, usual: UsualReceipt, at: datetime) -> Receipt | Inbound:
        said = usual.said
        if not self._is_plain(said.data_coding):
            return self.read(cast(DeliverSm, decode(usual.frame)), at)
        pairs = {"id": usual.id, "stat": said.state, "err": said.error, "donedate": said.done}
        pairs |= {"submitdate": said.submitted, "text": decode_text(said.quoted, said.data_coding, self._default)}
        report = report_of(pairs, said.tlvs, self._zone)
        if not report.id:  # a parameter of nothing but spaces
            return self.read(cast(DeliverSm, decode(usual.frame)), at)
        sender = _number(said.destination_ton, said.destination)
        return self._told(report, _number(said.source_ton, usual.source), sender, at)

    def _receipt(self, pdu: DeliverSm, report: Report, at: datetime) -> Receipt:
        recipient = _number(pdu.source_addr_ton, pdu.source_addr)
        return self._told(report, recipient, _number(pdu.dest_addr_ton, pdu.destination_addr), at)

    def _told(self, report: Report, recipient: str, sender: str, at: datetime) -> Receipt:
        return Receipt(
            self._connector,
            uniform_id(report.id[:LONGEST_ID], self._id_form, receipt=True),
            report.state[:_WORD],
            at,
            done_at=believable(report.done_at, at),
            recipient=recipient,
            error=report.error[:_WORD],
            sender=sender,
            submitted_at=report.submitted_at,
            quoted=report.quoted[:_QUOTED],
        )

    def _inbound(self, pdu: DeliverSm, user: UserText, at: datetime) -> Inbound:
        return Inbound(
            connector=self._connector,
            sender=_number(pdu.source_addr_ton, pdu.source_addr),
            recipient=_number(pdu.dest_addr_ton, pdu.destination_addr),
            text=user.text,
            at=at,
            concat=user.concat,
            raw=user.raw,
        )


def _number(ton: int, address: str) -> str:
    """The address with the + that an international one stands for; any other stays as the network wrote it."""
    return f"+{address}" if ton == _INTERNATIONAL and address.isascii() and address.isdigit() else address
