"""What an answer to a submit_sm means for the part: accepted, refused, or to be tried again."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from xlsms.model import Outcome, PartKey, Result
from xlsms_service.protocols.smpp.constants import Status, status_name, status_text
from xlsms_service.protocols.smpp.pdu import Pdu, SubmitSmResp
from xlsms_service.protocols.smpp.receipt import IdForm, uniform_id

__all__ = ["LONGEST_ID", "THROTTLED", "TROUBLE", "accepted", "outcome_of"]

#: The SMSC asks for less speed.
THROTTLED = frozenset({Status.THROTTLED, Status.QUEUE_FULL})

#: Characters of a message id that are kept, in answers as in receipts; SMPP ends ids at 64.
LONGEST_ID = 255

_THROTTLE_WAIT = timedelta(seconds=1)  # the link's pace does the rest
_TROUBLE_WAIT = timedelta(seconds=30)
#: The SMSC did not take the part and says that it may later.
TROUBLE = frozenset({Status.SYSTEM_ERROR, Status.TEMPORARY, Status.WRONG_BIND_STATE})

_INVALID_DESTINATION = frozenset({0x0B, 0x50, 0x51})
_INVALID_SENDER = frozenset({0x0A, 0x48, 0x49})
_INVALID_LENGTH = 0x01
_INVALID_SCHEDULE, _INVALID_VALIDITY = 0x61, 0x62
_CODES = {
    **dict.fromkeys(_INVALID_DESTINATION, "smsc-refused-number"),
    **dict.fromkeys(_INVALID_SENDER, "smsc-refused-sender"),
    _INVALID_LENGTH: "smsc-refused-length",
    _INVALID_SCHEDULE: "smsc-refused-schedule",
    _INVALID_VALIDITY: "smsc-refused-validity",
}


def accepted(submits: Sequence[tuple[PartKey, str]], at: datetime, id_form: IdForm) -> list[Outcome]:
    """The outcomes of parts that the SMSC took under these message ids."""
    taken = Result.ACCEPTED
    if id_form == "auto":
        return [Outcome(key, taken, at, message_id[:LONGEST_ID] or None) for key, message_id in submits]
    return [
        Outcome(key, taken, at, uniform_id(message_id[:LONGEST_ID], id_form, receipt=False) or None)
        for key, message_id in submits
    ]


def outcome_of(key: PartKey, answer: Pdu, at: datetime, id_form: IdForm) -> Outcome:
    """The outcome that a submit_sm_resp, or a generic_nack in its place, stands for."""
    if isinstance(answer, SubmitSmResp) and not answer.status:
        return accepted([(key, answer.message_id)], at, id_form)[0]
    status = answer.status or Status.SYSTEM_ERROR  # a generic_nack that says all is well does not
    facts = {"status": status_name(status), "reason": status_text(status)}
    if status in THROTTLED:
        return Outcome(
            key=key, result=Result.RETURNED, at=at, code="smsc-throttled", facts=facts, retry_after=_THROTTLE_WAIT
        )
    if status in TROUBLE:
        return Outcome(
            key=key, result=Result.RETURNED, at=at, code="smsc-in-trouble", facts=facts, retry_after=_TROUBLE_WAIT
        )
    return Outcome(key=key, result=Result.REFUSED, at=at, code=_CODES.get(status, "smsc-refused"), facts=facts)
