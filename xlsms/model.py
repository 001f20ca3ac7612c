"""The nouns that every room shares: rows of a sheet, messages on their way, and what comes back from a network.

All are frozen values; all times are aware UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, NewType

__all__ = [
    "UNSHOWN",
    "Alphabet",
    "CellValue",
    "Concat",
    "Inbound",
    "MessageId",
    "Outcome",
    "Outgoing",
    "PartKey",
    "Priority",
    "Receipt",
    "Result",
    "Role",
    "Row",
    "RowId",
]

CellValue = str | int | float | bool | datetime | None  #: what a cell holds, as read or to be written
Alphabet = Literal["gsm7", "ucs2"]
#: Begins what stands for the text of a cell whose number format is not known: that format. It is no character.
UNSHOWN = "\uffff"
RowId = NewType("RowId", str)  #: the text in the `SMS ID` cell, see `xlsms.workbook.identity`
MessageId = NewType("MessageId", int)  #: the ledger's number of a message; grows, never reused

_NO_FACTS: Mapping[str, object] = MappingProxyType({})
_NO_CELLS: Mapping[str, Any] = {}  # never written to; a proxy could not be pickled


class Role(StrEnum):
    """What a column is for. The values are stable: settings and docs use them."""

    PHONE = "phone"
    MESSAGE = "message"
    SEND = "send"  #: the mark
    SEND_AT = "send at"
    SENDER = "sender"
    STATUS = "status"
    DETAIL = "detail"
    STATUS_TIME = "status time"
    REPLY = "reply"
    REPLY_TIME = "reply time"
    PARTS = "parts"
    COST = "cost"
    ID = "message id"


class Row(NamedTuple):
    """One data row of a taking-part sheet; `number` says where it stood when it was read, never where it is.

    A tuple: there is one for each.
    """

    sheet: str
    number: int  #: 1-based, as Excel counts
    phone: CellValue
    message: str | None = None  #: the text of the message cell, fields not yet filled in
    marked: bool = False
    send_at: CellValue = None
    sender: str | None = None
    id: RowId | None = None  #: as found; may be malformed, unknown or a copy
    status: str = ""  #: what the status cell shows
    detail: str = ""  #: what the detail cell shows
    hidden: bool = False  #: hidden by hand, by grouping or by a filter
    fields: Mapping[str, str] = _NO_CELLS  #: header -> the text that the user sees, or `UNSHOWN` and the number format
    values: Mapping[str, CellValue] = _NO_CELLS  #: header -> the value itself, for formats
    problems: Mapping[str, str] = _NO_CELLS  #: header -> error code, for cells that cannot be used
    lay: object = None  #: equal where it lies unchanged; None: not known


class Priority(IntEnum):
    """Who goes first on a link: the next lower one waits until none of the higher waits."""

    URGENT = 0  #: a text by itself, an answer
    NORMAL = 1
    BULK = 2


class PartKey(NamedTuple):
    """One part of one message: what a connector is given to call it by."""

    message: MessageId
    part: int  #: 1-based


@dataclass(frozen=True, slots=True)
class Concat:
    """Place of a part in a long message (3GPP TS 23.040 §9.2.3.24.1 and .8)."""

    reference: int
    total: int
    part: int  #: 1-based
    wide: bool = False  #: 16-bit reference


class Outgoing(NamedTuple):
    """One part to be submitted: a connector needs nothing else to know. A tuple: there is one for each."""

    key: PartKey
    destination: str  #: E.164 with +, or a short code
    text: str  #: of this part only
    alphabet: Alphabet
    sender: str | None = None  #: None: the connector's own
    concat: Concat | None = None
    send_at: datetime | None = None  #: the network is to wait until then; None: to deliver it at once
    validity: timedelta | None = None  #: how long it is worth delivering from now on; None: as long as anyone tries
    receipt: bool = True  #: ask the network for a delivery report


class Result(StrEnum):
    """How a submit ended. Only *returned* may be submitted again: the part certainly did not leave."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    RETURNED = "returned"
    UNCERTAIN = "uncertain"


class Outcome(NamedTuple):
    """What became of one submitted part; exactly one follows each submit.

    A tuple, because a link makes 100,000 of them a second.
    """

    key: PartKey
    result: Result
    at: datetime
    network_id: str | None = None  #: the network's name for it, when accepted
    code: str | None = None  #: a code of `xlsms.wording`, unless accepted
    facts: Mapping[str, object] = _NO_FACTS
    retry_after: timedelta | None = None  #: with *returned*: not before this long


class Receipt(NamedTuple):
    """A delivery report as the network sent it, ids not yet reconciled."""

    connector: str
    network_id: str
    state: str  #: the network's word in upper case: DELIVRD, UNDELIV, EXPIRED, …
    at: datetime  #: when it reached us
    done_at: datetime | None = None  #: when the network says it happened
    recipient: str = ""  #: the phone that the message went to, as the network writes it
    error: str = ""  #: the network's error code, as it came
    sender: str = ""  #: who the message came from, as the network writes it; some networks name the phone here
    submitted_at: datetime | None = None  #: when the network says it took the message
    quoted: str = ""  #: how the message begins, as the network remembers it


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """A text (or one part of one) from a phone."""

    connector: str
    sender: str  #: as the network writes it
    recipient: str  #: our number or short code
    text: str
    at: datetime
    concat: Concat | None = None
    raw: bytes = b""  #: the PDU's user data, kept when the text may be misread
