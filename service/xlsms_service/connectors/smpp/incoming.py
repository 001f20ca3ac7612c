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
from xlsms_service.protocols.smpp.usual import UsualReceipt

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
        """The same for a receipt of the usual form, but for the octets whose alphabet takes more than a look."""
        coding = usual.data_coding
        if coding not in _PLAIN or (not coding and self._default == "gsm7-packed"):
            return self.read(cast(DeliverSm, decode(usual.frame)), at)
        quoted = decode_text(usual.quoted, coding, self._default) if usual.quoted else ""
        recipient = _number(usual.source_ton, usual.source)
        sender = _number(usual.destination_ton, usual.destination)
        if not usual.tlvs:  # nothing can say otherwise than the text
            form, zone = self._id_form, self._zone
            return Receipt(
                self._connector,
                usual.id if form == "auto" else uniform_id(usual.id, form, receipt=True),
                usual.state.upper(),
                at,
                believable(read_date(usual.done, zone), at),
                recipient,
                usual.error,
                sender,
                read_date(usual.submitted, zone),
                quoted.strip()[:_QUOTED],
            )
        said = {"id": usual.id, "stat": usual.state, "err": usual.error, "donedate": usual.done}
        said |= {"submitdate": usual.submitted, "text": quoted}
        report = report_of(said, usual.tlvs, self._zone)
        if not report.id:  # a parameter of nothing but spaces
            return self.read(cast(DeliverSm, decode(usual.frame)), at)
        return self._told(report, recipient, sender, at)

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
