"""Asking an operator about a part that it has: query_sm and cancel_sm, and what their answers mean."""

import asyncio
from datetime import datetime
from zoneinfo import ZoneInfo

from xlsms.errors import TransientError
from xlsms.model import Receipt
from xlsms_service.connectors.base import PartAskedAbout
from xlsms_service.connectors.smpp.answer import THROTTLED, TROUBLE
from xlsms_service.connectors.smpp.incoming import believable
from xlsms_service.connectors.smpp.outgoing import SubmitEncoder
from xlsms_service.connectors.smpp.settings import SmppSettings
from xlsms_service.protocols.smpp.constants import Status, status_name, status_text
from xlsms_service.protocols.smpp.pdu import CancelSm, CancelSmResp, Pdu, QuerySm, QuerySmResp
from xlsms_service.protocols.smpp.receipt import STATE_WORDS, answered_id, read_date

__all__ = ["Question", "cancel_of", "cancelled", "query_of", "receipt_from"]

#: The SMSC does not know the message, or will not find it any more.
_UNKNOWN = frozenset({Status.INVALID_MESSAGE_ID, Status.QUERY_FAILED})
_NOT_CANCELLED = frozenset({Status.INVALID_MESSAGE_ID, Status.CANCEL_FAILED})


class Question:
    """A request whose answer someone waits for."""

    def __init__(self) -> None:
        self.answered: asyncio.Future[Pdu] = asyncio.get_running_loop().create_future()

    def answer(self, pdu: Pdu) -> None:
        """Here it is; nothing happens when nobody waits any more."""
        if not self.answered.done():
            self.answered.set_result(pdu)

    def fail(self, error: Exception) -> None:
        """It will not come."""
        if not self.answered.done():
            self.answered.set_exception(error)


def query_of(part: PartAskedAbout, encoder: SubmitEncoder, settings: SmppSettings) -> QuerySm:
    """Asks what became of the part. Raises `FieldError`."""
    ton, npi, sender = encoder.source(part.sender)
    return QuerySm(
        sequence=0,
        message_id=answered_id(part.network_id, settings.id_form),
        source_addr_ton=ton,
        source_addr_npi=npi,
        source_addr=sender,
    )


def cancel_of(part: PartAskedAbout, encoder: SubmitEncoder, settings: SmppSettings) -> CancelSm:
    """Takes the part back. Its id is always named: without one the SMSC would take back all to that number."""
    ton, npi, sender = encoder.source(part.sender)
    dest_ton, dest_npi, destination = encoder.numbering(part.destination)
    return CancelSm(
        sequence=0,
        service_type=settings.service_type,
        message_id=answered_id(part.network_id, settings.id_form),
        source_addr_ton=ton,
        source_addr_npi=npi,
        source_addr=sender,
        dest_addr_ton=dest_ton,
        dest_addr_npi=dest_npi,
        destination_addr=destination,
    )


def receipt_from(answer: Pdu, part: PartAskedAbout, connector: str, at: datetime, zone: ZoneInfo) -> Receipt | None:
    """What a query_sm_resp says, as a receipt would; None when the SMSC does not know the message.

    Raises `TransientError`: `smsc-throttled` and `smsc-in-trouble` when it will not say now, else `smsc-says-nothing`.
    """
    if answer.status in _UNKNOWN:
        return None
    if not isinstance(answer, QuerySmResp) or answer.status:
        raise _says_nothing(answer)
    state = answer.message_state
    return Receipt(
        connector=connector,
        network_id=part.network_id,
        state=STATE_WORDS.get(state, str(state)),
        at=at,
        done_at=believable(read_date(answer.final_date, zone), at),
        recipient=part.destination,
        error=f"{answer.error_code:03d}" if answer.error_code else "",
    )


def cancelled(answer: Pdu) -> bool:
    """Whether a cancel_sm_resp says that the message will not reach the phone any more.

    Raises `TransientError` as `receipt_from` does when it says neither.
    """
    if answer.status in _NOT_CANCELLED:
        return False
    if not isinstance(answer, CancelSmResp) or answer.status:
        raise _says_nothing(answer)
    return True


def _says_nothing(answer: Pdu) -> TransientError:
    status = answer.status or Status.INVALID_COMMAND  # a generic_nack that says all is well does not
    later = "smsc-throttled" if status in THROTTLED else "smsc-in-trouble" if status in TROUBLE else None
    return TransientError(later or "smsc-says-nothing", status=status_name(status), reason=status_text(status))
