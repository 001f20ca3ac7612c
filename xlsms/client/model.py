"""What the service is told and what it answers: frozen values. Times are aware UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

from xlsms.errors import Place
from xlsms.model import Alphabet, MessageId, RowId
from xlsms.states import State
from xlsms.workbook.base import RowEdit

__all__ = [
    "Campaign",
    "Changes",
    "Conversation",
    "Cost",
    "Health",
    "Host",
    "InboxText",
    "LinkState",
    "LiveBook",
    "Order",
    "OrderKind",
    "Plan",
    "PlannedRow",
    "Reach",
    "Reply",
    "RowState",
    "Said",
    "SentText",
    "Totals",
    "Trouble",
    "Written",
]


class Host(StrEnum):
    """The program that a workbook is open in."""

    EXCEL = "excel"
    CALC = "calc"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkState:
    """A connector and its link as last known."""

    connector: str
    state: str  #: down, connecting, up …
    code: str | None = None  #: why it is not up


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How the service is."""

    version: str
    stopped: datetime | None  #: since when nothing goes out; None while it does
    links: tuple[LinkState, ...]
    cursor: int  #: of the newest change


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveBook:
    """An open workbook that the service knows."""

    id: int  #: the service's number for it
    guid: str
    path: Path | None  #: None: never saved
    cursor: int  #: changes before it were made before the workbook was registered
    beat: float  #: seconds after which it must be registered again, or it counts as closed
    zone: tzinfo | None = None  #: the clock of its times, by the settings; None: this computer's


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What keeps a row from going, in the words of the workbook's language."""

    code: str
    message: str
    remedy: str  #: empty where nothing can be done
    place: Place | None = None
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def line(self) -> str:
        """All of it in one line."""
        at = f"{self.place}: " if self.place and str(self.place) else ""
        return f"{at}{self.message}{'; ' + self.remedy if self.remedy else ''} [{self.code}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRow:
    """What would become of one row."""

    sheet: str
    row: int  #: 1-based, as it was read
    goes: bool  #: now, or at `send_at`
    number: str | None = None  #: E.164
    repairs: tuple[str, ...] = ()  #: what was mended about the number, in words
    text: str = ""  #: exactly as it would go
    alphabet: Alphabet | None = None
    parts: tuple[str, ...] = ()  #: the text of each SMS
    culprits: tuple[tuple[int, str], ...] = ()  #: index and character of each that makes it UCS-2
    sender: str | None = None
    send_at: datetime | None = None
    cost: Decimal | None = None  #: None: not known
    use: tuple[str, ...] = ()  #: connectors, the preferred one first
    problem: Trouble | None = None  #: it cannot go
    held: Trouble | None = None  #: it goes only when someone decides so
    earlier: State | None = None  #: it has gone already, though the sheet does not show it: it gets this state again
    again: State | None = None  #: the same has left to the same number before, as far as this, and goes once more


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How many messages an order reached."""

    count: int  #: that it held, let go on or took back
    under_way: int = 0  #: that are on a link: they follow if they come back unsent
    asked_back: int = 0  #: that a network has, and is asked to forget


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The figures of a plan."""

    rows: int
    go: int  #: those that are scheduled included
    scheduled: int
    held: int
    problems: int
    parts: int  #: SMS
    hidden: int  #: ordered, but left out because the user does not see them
    earlier: int = 0  #: have gone already
    again: int = 0  #: go once more: the same was sent before
    cost: Decimal | None = None  #: of those whose price is known; None when none is
    unpriced: int = 0  #: rows that go whose price is not known


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a send would do. Its hash covers exactly what would go; only that is sent."""

    id: str
    workbook: int
    hash: str
    totals: Totals
    rows: tuple[PlannedRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """An approved plan: the cells to write into the open workbook before any of it goes.

    Each edit that gives a row an id stands for one message; the others say why a row does not go.
    """

    id: str
    plan: str
    edits: tuple[RowEdit, ...]
    troubles: tuple[Trouble, ...] = ()  #: one a row that cannot go


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What became of a campaign once its ids stand in the sheet."""

    accepted: int  #: free to go, now or at their time
    held: int
    withdrawn: int  #: whose id is not in the sheet


class OrderKind(StrEnum):
    """What somebody asked of the open workbook from a page in the browser."""

    SEND = "send"  #: the plan was approved: send it
    SHOW = "show"  #: go to that cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Something that somebody asked of the open workbook from a page in the browser; given out once."""

    kind: OrderKind
    plan: str | None = None
    hash: str | None = None
    sheet: str | None = None
    row: int | None = None  #: 1-based, as it was read
    column: str | None = None
    row_id: RowId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RowState:
    """What became of the message of one row."""

    row_id: RowId
    message: MessageId
    workbook: int | None
    sheet: str | None
    state: State
    label: str  #: as the sheet shows it
    detail: str  #: why, with the code; empty when there is nothing to say
    code: str | None
    at: datetime
    reply: str | None = None  #: all replies, oldest first, one a line
    reply_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What has changed since a cursor."""

    cursor: int  #: to ask with the next time
    more: bool  #: there is more already: ask again at once
    states: tuple[RowState, ...]
    edits: tuple[RowEdit, ...]  #: the same as cells, rows named by their ids: ready for `Workbook.apply`
    orders: tuple[Order, ...] = ()
    unconfirmed: tuple[RowId, ...] = ()  #: ids that were given out and never confirmed: tell which stand in the sheet


@dataclass(frozen=True, slots=True, kw_only=True)
class SentText:
    """A text that was accepted."""

    message: MessageId
    number: str
    text: str
    parts: int
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a text would cost."""

    cost: Decimal | None  #: None: no price is known
    problem: str | None = None  #: why it could not go, in the language of the service


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One text of a conversation."""

    mine: bool  #: from us; else from the phone
    text: str
    at: datetime
    state: State | None = None  #: of ours
    label: str = ""
    detail: str = ""
    workbook: str | None = None  #: name of the workbook it belongs to
    sheet: str | None = None
    row_id: RowId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """What was said with one number, oldest first."""

    number: str
    texts: tuple[Said, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A text that answers a row of an open workbook, and that its file does not list yet."""

    id: int
    number: str
    text: str
    at: datetime
    sheet: str
    row_id: RowId


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxText:
    """A text that came in, put together from its parts."""

    id: int
    number: str
    text: str
    at: datetime
    workbook: str | None = None  #: name of the workbook whose row it answers
    sheet: str | None = None
    row_id: RowId | None = None
