"""What travels over the API, for validation and for its description. Unknown keys are refused, sizes are bounded."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from xlsms.model import Role
from xlsms.states import State

__all__ = [
    "Address",
    "Campaign",
    "CampaignRequest",
    "Change",
    "Changes",
    "ChangesRequest",
    "Conversation",
    "ConversationRequest",
    "Costs",
    "CostsRequest",
    "Count",
    "Edit",
    "Error",
    "Health",
    "Hello",
    "Inbox",
    "Message",
    "PageRequest",
    "Plan",
    "PlanRequest",
    "Problem",
    "Replies",
    "RepliesRequest",
    "SeenRequest",
    "Selection",
    "States",
    "StatesRequest",
    "Stopped",
    "TextRequest",
    "Workbook",
    "WorkbookRequest",
    "Written",
    "WrittenRequest",
]

_CELL = 32_767  # characters that a cell holds
_ROWS = 200_000  # rows of one plan

Line = Annotated[str, StringConstraints(max_length=1_000)]
Text = Annotated[str, StringConstraints(max_length=_CELL)]
Id = Annotated[str, StringConstraints(max_length=64)]
Ids = Annotated[list[Id], Field(max_length=_ROWS)]
Number = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Whole = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Key = Annotated[int, Field(ge=0, lt=2**63)]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class At(_Asked):
    """A time in a cell: as the clock on the wall shows it, or with an offset."""

    at: Line

    @field_validator("at")
    @classmethod
    def _is_time(cls, value: str) -> str:
        datetime.fromisoformat(value)
        return value


Cell = Annotated[bool, Field(strict=True)] | Whole | Annotated[float, Field(allow_inf_nan=False)] | Text | At | None


class Row(_Asked):
    """A row as it was read. Of one that is not ordered, only what tells who it is need be said."""

    sheet: Line
    number: Annotated[int, Field(ge=1, le=2**31)]
    phone: Cell = None
    message: Text | None = None
    marked: bool = False
    send_at: Cell = None
    sender: Line | None = None
    id: Text | None = None
    status: Text = ""
    detail: Text = ""
    hidden: bool = False
    fields: dict[Text, Text] = {}
    values: dict[Text, Cell] = {}
    problems: dict[Text, Line] = {}


class SheetSettings(_Asked):
    """What the workbook itself sets for a sheet."""

    message: Text | None = None
    country: Line | None = None
    sender: Line | None = None


class Sheet(_Asked):
    """A sheet: the letters of its columns by role, its headers by letters."""

    name: Line
    header_row: Annotated[int, Field(ge=1, le=2**31)] = 1
    columns: dict[Role, Line] = {}
    headers: dict[Line, Text] = {}
    settings: SheetSettings = SheetSettings()


class WorkbookRequest(_Asked):
    """An open workbook."""

    guid: Annotated[str, StringConstraints(min_length=8, max_length=64, pattern=r"^[0-9A-Za-z{}-]+$")]
    path: Annotated[str, StringConstraints(min_length=1, max_length=4_096, pattern=r"^[^\x00]+$")] | None = None
    name: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    host: Literal["excel", "calc"]
    language: Literal["en", "es"] = "en"


class PlanRequest(_Asked):
    """The rows that are ordered (`marked`), and every other row that carries an id."""

    workbook: Key
    language: Literal["en", "es"] = "en"
    hidden: bool = False
    sheets: Annotated[list[Sheet], Field(max_length=1_000)]
    rows: Annotated[list[Row], Field(max_length=_ROWS)]


class CampaignRequest(_Asked):
    """The approval of a plan: its id and its hash."""

    plan: Id
    hash: Id


class WrittenRequest(_Asked):
    """Which ids of a campaign stand in the sheet, which do not, and beside which the mark still stands."""

    written: Ids = []
    refused: Ids = []
    standing: Ids = []


class SeenRequest(_Asked):
    """Ids that stand in the sheet."""

    ids: Ids


class RepliesRequest(_Asked):
    """Replies with an id above `after`."""

    after: Key = 0


class ChangesRequest(_Asked):
    """What has changed after a cursor; waits up to `wait` seconds for something to change."""

    workbook: Key | None = None
    since: Key = 0
    wait: Annotated[float, Field(ge=0, le=60, allow_inf_nan=False)] = 0.0


class StatesRequest(_Asked):
    """Ids of rows."""

    ids: Annotated[list[Id], Field(max_length=5_000)]


class Selection(_Asked):
    """What a button is for: a workbook, rows by their ids, or (both left out) everything."""

    workbook: Key | None = None
    ids: Ids | None = None


class TextRequest(_Asked):
    """One text to one number. The same key again is the same message."""

    number: Number
    text: Annotated[str, StringConstraints(min_length=1, max_length=_CELL)]
    key: Annotated[str, StringConstraints(min_length=8, max_length=64)]


class CostsRequest(_Asked):
    """Numbers and texts, as anybody may write them; nothing is sent."""

    texts: Annotated[list[tuple[Line, Text]], Field(max_length=5_000)]


class ConversationRequest(_Asked):
    """A number, as anybody may write it."""

    number: Number


class PageRequest(_Asked):
    """The page that is to be opened in a browser."""

    page: Literal["preview", "conversation"]
    plan: Id | None = None
    number: Number | None = None
    row_id: Id | None = None


# Answers.


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


class PlannedRow(BaseModel):
    """What would become of a row."""

    sheet: str
    row: int
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
