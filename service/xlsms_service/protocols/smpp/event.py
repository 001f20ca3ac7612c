"""What an SMPP session tells whoever drives it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from xlsms_service.protocols.smpp.pdu import BindResp, Pdu
from xlsms_service.protocols.smpp.usual import UsualReceipt

__all__ = [
    "Answered",
    "AnsweredLate",
    "BindAnswered",
    "Closed",
    "End",
    "Event",
    "Reported",
    "Requested",
    "Taken",
    "TimedOut",
]


class Taken(NamedTuple):
    """The SMSC took submits: those accepted one after the other in one read, each with its token and message id.

    Almost all that comes is this, so one event stands for many and no PDU is made of them.
    """

    submits: list[tuple[object, str]]


class Reported(NamedTuple):
    """The other side reports on messages: receipts of the usual form, one after the other in one read."""

    receipts: list[UsualReceipt]


class Answered(NamedTuple):
    """The request that was sent with `token` got its answer, unless it is `Taken`; a refusal is an answer too."""

    token: object
    pdu: Pdu  #: the response, or a generic_nack in its place


class TimedOut(NamedTuple):
    """The request that was sent with `token` got no answer in time; `AnsweredLate` may follow."""

    token: object


class AnsweredLate(NamedTuple):
    """The answer to a request that had been told as `TimedOut`."""

    token: object
    pdu: Pdu


class Requested(NamedTuple):
    """The other side asks, unless it is `Reported`; answer with `Session.respond`."""

    pdu: Pdu


@dataclass(frozen=True, slots=True, kw_only=True)
class BindAnswered:
    """Our bind got its answer: the session is bound if `status` is 0."""

    status: int
    response: BindResp | None  #: None when the answer was a generic_nack


class End(StrEnum):
    """Why a session is over."""

    LEFT = "left"  #: we took leave and it was granted
    DISMISSED = "dismissed"  #: the other side took leave
    BIND_UNANSWERED = "bind-unanswered"
    SILENT = "silent"  #: an enquire_link or unbind was not answered
    GARBLED = "garbled"  #: a command_length that cannot be true


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """The session is over: write what `data_to_send` still holds, then close the connection."""

    end: End
    detail: str = ""


Event = Taken | Answered | TimedOut | AnsweredLate | Requested | Reported | BindAnswered | Closed
