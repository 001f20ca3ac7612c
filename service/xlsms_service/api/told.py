"""What the API tells, for its description."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel

from xlsms.model import Role
from xlsms.states import State

__all__ = [
    "Address",
    "Answer",
    "Campaign",
    "Change",
    "Changes",
    "Conversation",
    "Cost",
    "Costs",
    "Count",
    "Edit",
    "Error",
    "Health",
    "Hello",
    "Inbox",
    "Link",
    "Message",
    "Order",
    "Place",
    "Placed",
    "Plan",
    "PlannedRow",
    "Problem",
    "Received",
    "Replies",
    "Said",
    "States",
    "Stopped",
    "Totals",
    "Workbook",
    "Written",
]


class Place(BaseModel):
    """Where something is wrong."""

    file: str | None = None
    sheet: str | None = None
    row: int | None = None
    column: str | None = None
    line: int | None = None


class Error(BaseModel):
    """What keeps a row from going."""

    code: str
    kind: str
    message: str
    remedy: str
    place: Place | None = None
    facts: dict[str, str] = {}


class Problem(BaseModel):
    """An error (RFC 9457), with the stable code that the sheet and the pages show too."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    kind: Literal["user", "transient", "permanent", "uncertain"]
    message: str
    remedy: str
    place: Place | None = None
    facts: dict[str, str] = {}


class Hello(BaseModel):
    """Who is there."""

    service: Literal["xlsms"]
    proof: str


class Link(BaseModel):
    """A connector and its link as last known."""

    connector: str
    state: str
    code: str | None


class Health(BaseModel):
    """How the service is."""

    version: str
    stopped: datetime | None
    links: list[Link]
    cursor: int


class Stopped(BaseModel):
    """Whether anything goes out."""

    stopped: datetime | None
    was_stopped: bool


class Workbook(BaseModel):
    """An open workbook that is known."""

    id: int
    guid: str
    path: str | None
    cursor: int
    beat: float
    zone: str | None


class PlannedRow(BaseModel):
    """What would become of a row."""

    sheet: str
    row: int
    row_id: str | None
    goes: bool
    number: str | None
    repairs: list[str]
    text: str
    alphabet: str | None
    parts: list[str]
    culprits: list[tuple[int, str]]
    sender: str | None
    send_at: datetime | None
    cost: str | None
    use: list[str]
    problem: Error | None
    held: Error | None
    earlier: State | None
    again: State | None


class Totals(BaseModel):
    """The figures of a plan."""

    rows: int
    go: int
    scheduled: int
    held: int
    problems: int
    parts: int
    hidden: int
    earlier: int
    again: int
    cost: str | None
    unpriced: int


class Plan(BaseModel):
    """What a send would do."""

    id: str
    workbook: int
    hash: str
    totals: Totals
    rows: list[PlannedRow]


class Placed(BaseModel):
    """Where a row stood, and what stood there."""

    sheet: str
    number: int
    phone: Any
    message: str | None
    marked: bool
    id: str | None


class Edit(BaseModel):
    """Cells to write into one row, by role; null empties one."""

    id: str | None
    placed: Placed | None
    values: dict[Role, Any]


class Campaign(BaseModel):
    """An approved plan: what is to be written before any of it goes."""

    id: str
    plan: str
    edits: list[Edit]
    troubles: list[Error]


class Written(BaseModel):
    """What became of the rows of a campaign."""

    accepted: int
    held: int
    withdrawn: int


class Change(BaseModel):
    """How the message of a row stands, in words, and as cells."""

    message: int
    row_id: str | None
    workbook: int | None
    sheet: str | None
    state: State
    label: str
    detail: str
    code: str | None
    at: datetime
    reply: str | None
    reply_at: datetime | None
    cells: dict[Role, Any]


class Order(BaseModel):
    """Something that was asked of the open workbook on a page."""

    kind: Literal["send", "show"]
    plan: str | None = None
    hash: str | None = None
    sheet: str | None = None
    row: int | None = None
    column: str | None = None
    row_id: str | None = None


class Changes(BaseModel):
    """What has changed since a cursor."""

    cursor: int
    more: bool
    states: list[Change]
    orders: list[Order]
    unconfirmed: list[str]


class States(BaseModel):
    """How the messages of some rows stand."""

    states: list[Change]


class Cost(BaseModel):
    """What a text would cost; None where no price is known, or why it could not go."""

    cost: str | None
    problem: str | None


class Costs(BaseModel):
    """What some texts would cost, in the order in which they were asked for."""

    costs: list[Cost]


class Count(BaseModel):
    """How many messages a button changed."""

    count: int  # held, let go on, or taken back
    under_way: int = 0  # on a link: they follow if they come back unsent
    asked_back: int = 0  # accepted by a network, which is asked to forget them


class Message(BaseModel):
    """A text that was accepted."""

    message: int
    number: str
    text: str
    parts: int
    state: State


class Said(BaseModel):
    """One text of a conversation."""

    mine: bool
    text: str
    at: datetime
    state: State | None
    label: str
    detail: str
    workbook: str | None
    sheet: str | None
    row_id: str | None


class Conversation(BaseModel):
    """What was said with one number, oldest first."""

    number: str
    texts: list[Said]


class Received(BaseModel):
    """A text that came in."""

    id: int
    number: str
    text: str
    at: datetime
    workbook: str | None
    sheet: str | None
    row_id: str | None


class Inbox(BaseModel):
    """The newest texts that came in, newest first."""

    texts: list[Received]


class Answer(BaseModel):
    """A text that answers a row."""

    id: int
    number: str
    text: str
    at: datetime
    sheet: str
    row_id: str


class Replies(BaseModel):
    """Texts that a workbook's sheet of replies lacks, oldest first."""

    texts: list[Answer]
    more: bool  #: ask again after the id of the last


class Address(BaseModel):
    """Where a page opens, once."""

    address: str
