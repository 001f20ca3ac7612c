"""The preview of a small plan in a dialog: what it says, as data, and what the user chose in it.

The spreadsheet programs draw it each in their own way; see `Voice.look`.
"""

from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum

from xlsms.addin.commands.word import word
from xlsms.client import Plan, PlannedRow
from xlsms.states import LABELS
from xlsms.text.visible import visible
from xlsms.workbook.base import Language

__all__ = ["SMALL", "Box", "Choice", "Line", "Way", "box", "shorten"]

#: Rows up to which a plan is shown in a dialog; more are easier to read in a page.
SMALL = 20


class Way(StrEnum):
    """Where it goes on from a preview."""

    SEND = "send"  #: exactly what was shown
    CELL = "cell"  #: back to the sheet, with the cell of a line selected
    PAGE = "page"  #: the same in a browser
    CLOSE = "close"  #: nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A row of the sheet."""

    sheet: str
    row: int
    column: str | None  #: letter of the cell that a remark is about
    cells: tuple[str, ...]  #: one for each of `Box.columns`
    remark: str = ""  #: why it does not go, or what else is to be known, with the remedy
    wrong: bool = False  #: it cannot go, or is held


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """Everything that the dialog says."""

    title: str
    head: str
    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    ways: dict[Way, str]  #: the buttons, in their order; without `SEND` when nothing can go


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the user did."""

    way: Way
    line: Line | None = None  #: with `CELL`


def box(plan: Plan, language: Language, facts: list[str], barred: str | None = None, zone: tzinfo | None = None) -> Box:
    """The dialog for a plan; `facts` are the lines that stand above its rows, `barred` is why it cannot be sent now.

    Times are those of `zone`, or of this computer.
    """
    several = len({row.sheet for row in plan.rows}) > 1
    go = plan.totals.go if barred is None else 0
    ways = {Way.SEND: word("look-send", language, go=go)} if go else {}
    ways |= {way: word(f"look-{way}", language) for way in (Way.CELL, Way.PAGE, Way.CLOSE)}
    head = word("look-go", language, go=go, parts=plan.totals.parts) if go else word("look-none", language)
    if barred is not None:
        facts = [" ".join(barred.split("\n\n")), *facts]
    return Box(
        title=word("look-title", language),
        head="\n".join([head, *facts]),
        columns=tuple(word(f"look-{name}", language) for name in ("row", "number", "text", "sms", "remark")),
        lines=tuple(_line(row, language, zone, several=several) for row in plan.rows),
        ways=ways,
    )


def _line(row: PlannedRow, language: Language, zone: tzinfo | None, *, several: bool) -> Line:
    trouble = row.problem or row.held
    if trouble is not None:
        remark = f"{trouble.message}{'; ' + trouble.remedy if trouble.remedy else ''} [{trouble.code}]"
    elif row.earlier is not None:
        remark = word("look-earlier", language, state=LABELS[language][row.earlier])
    else:
        notes = []
        if row.again is not None:
            notes.append(word("look-again", language, state=LABELS[language][row.again]))
        if row.send_at is not None:
            at = row.send_at.astimezone(zone)
            notes.append(word("look-at", language, date=f"{at:%Y-%m-%d}", time=f"{at:%H:%M}"))
        remark = "; ".join([*notes, *row.repairs])
    place = f"{row.sheet} · {row.row}" if several else str(row.row)
    parts = str(len(row.parts)) if row.parts else ""
    return Line(
        sheet=row.sheet,
        row=row.row,
        column=trouble.place.column if trouble is not None and trouble.place is not None else None,
        cells=tuple(visible(cell) for cell in (place, row.number or "", row.text, parts, remark)),
        remark=visible(remark),
        wrong=trouble is not None,
    )


def shorten(text: str, characters: int) -> str:
    """A text in one line of no more than so many characters."""
    line = text.replace("\r", "").replace("\n", " ⏎ ")
    return line if len(line) <= characters else f"{line[: characters - 1]}…"
