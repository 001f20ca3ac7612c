"""What an SMPP session tells whoever drives it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from xlsms_service.protocols.smpp.pdu import BindResp, Pdu

__all__ = ["Answered", "BindAnswered", "Closed", "End", "Event", "Requested", "TimedOut"]


class Answered(NamedTuple):
    """The request that was sent with `token` got its answer; a refusal is an answer too."""

    token: object
    pdu: Pdu  #: the response, or a generic_nack in its place


class TimedOut(NamedTuple):
    """The request that was sent with `token` got no answer in time; one that comes later is ignored."""

    token: object


class Requested(NamedTuple):
    """The other side asks; answer with `Session.respond`."""

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


Event = Answered | TimedOut | Requested | BindAnswered | Closed
