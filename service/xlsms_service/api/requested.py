"""What the API is asked, for validation and for its description. Unknown keys are refused, sizes are bounded."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator
from pydantic_core import PydanticCustomError

from xlsms.model import Role

__all__ = [
    "NO_NUL",
    "CampaignRequest",
    "ChangesRequest",
    "ConversationRequest",
    "CostsRequest",
    "Id",
    "Key",
    "PageRequest",
    "PlanRequest",
    "RepliesRequest",
    "SeenRequest",
    "Selection",
    "StatesRequest",
    "TextRequest",
    "WorkbookRequest",
    "WrittenRequest",
]

_CELL = 32_767  # characters that a cell holds
_ROWS = 200_000  # rows of one plan

#: No text that a cell or a phone holds has a NUL in it.
NO_NUL = r"^[^\x00]*$"

Line = Annotated[str, StringConstraints(max_length=1_000, pattern=NO_NUL)]
Text = Annotated[str, StringConstraints(max_length=_CELL, pattern=NO_NUL)]
Id = Annotated[str, StringConstraints(max_length=64, pattern=NO_NUL)]
Ids = Annotated[list[Id], Field(max_length=_ROWS)]
Number = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=NO_NUL)]
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
    path: Annotated[str, StringConstraints(min_length=1, max_length=4_096, pattern=NO_NUL)] | None = None
    name: Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=NO_NUL)]
    host: Literal["excel", "calc"]
    language: Literal["en", "es"] = "en"

    @field_validator("path")
    @classmethod
    def _is_whole(cls, value: str | None) -> str | None:
        if value is not None and not Path(value).is_absolute():
            raise PydanticCustomError("path_not_absolute", "a path from the root")
        return value


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
    text: Annotated[str, StringConstraints(min_length=1, max_length=_CELL, pattern=NO_NUL)]
    key: Annotated[str, StringConstraints(min_length=8, max_length=64, pattern=NO_NUL)]


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
    language: Literal["en", "es"] | None = None


# Answers.
