"""One request of the add-in, as its launcher hands it over: a verb on the command line, the rest in the environment.

Every value is percent-encoded UTF-8 (RFC 3986 §2.1), so that no name of a workbook or sheet can mean anything to
whatever starts the process. What is not there, or cannot be read, is empty: the request then asks Excel itself.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

from xlsms.addin.verb import Verb
from xlsms.errors import UserError

__all__ = ["Host", "Invocation", "Rows", "invocation", "merged"]

Rows = tuple[tuple[int, int], ...]
_SPAN = re.compile(r"([1-9][0-9]{0,6}):([1-9][0-9]{0,6})")
_CELL = re.compile(r"[A-Z]{1,3}[1-9][0-9]{0,6}")
_OFFICE = re.compile(r"pipe,name=[A-Za-z0-9]+|socket,host=127\.0\.0\.1,port=[0-9]{1,5}")
_LONGEST_WINDOW = 20  #: digits of a 64-bit handle


class Host(StrEnum):
    """The spreadsheet program that asks."""

    EXCEL = "excel"
    CALC = "calc"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """What a user wants, and where he was when he wanted it."""

    verb: Verb
    host: Host = Host.EXCEL
    language: Literal["en", "es"] = "en"  #: of the spreadsheet program's own menus
    window: int | None = None  #: handle of Excel's window (Windows only): which of several Excels asks
    book: str | None = None  #: full name of the active workbook: a path, a URL (OneDrive, Calc), or a bare name if new
    name: str | None = None  #: its name, as in the list of open workbooks
    sheet: str | None = None
    selected: str = ""  #: kind of what is selected: `Range`, or a chart, a shape …
    rows: Rows = ()  #: first and last of each selected block of rows, from 1; none where they are too many
    cell: str | None = None  #: the active cell, like C5
    office: str | None = None  #: Calc only: the UNO address (pipe or local socket) of the office that asks
    news: Path | None = None  #: the file where the tick of this workbook looks for news


def invocation(arguments: Sequence[str], environment: Mapping[str, str]) -> Invocation:
    """What the launcher has handed over.

    Raises `UserError` `addin-verb` when the command line is not one known verb.
    """
    if len(arguments) != 1 or arguments[0] not in set(Verb):
        raise UserError("addin-verb", given=" ".join(arguments), known=", ".join(Verb))

    def given(name: str) -> str | None:
        return unquote(environment.get(f"XLSMS_{name}", "")) or None

    cell, window, news, office = given("CELL"), given("HWND"), given("NEWS"), given("OFFICE")
    return Invocation(
        verb=Verb(arguments[0]),
        host=Host.CALC if given("HOST") == Host.CALC else Host.EXCEL,
        language="es" if given("LANGUAGE") == "es" else "en",
        window=_handle(window),
        book=given("BOOK"),
        name=given("NAME"),
        sheet=given("SHEET"),
        selected=given("SELECTED") or "",
        rows=_rows(given("SELECTION") or ""),
        cell=cell if cell and _CELL.fullmatch(cell) else None,
        office=office if office and _OFFICE.fullmatch(office) else None,
        news=Path(news) if news and news.endswith(".news") else None,
    )


def _handle(text: str | None) -> int | None:
    """A window handle; Excel gives it as a signed 32-bit number."""
    if text is None or not text.removeprefix("-").isdecimal() or len(text) > _LONGEST_WINDOW:
        return None
    return int(text) & 0xFFFFFFFF or None


def _rows(text: str) -> Rows:
    """`5:9,12:12` as spans, in order, those that meet made one; nothing when any of it is not a span."""
    spans = [(int(first), int(last)) for first, last in _SPAN.findall(text)]
    return merged(spans) if text and len(spans) == text.count(",") + 1 else ()


def merged(spans: Iterable[tuple[int, int]]) -> Rows:
    """Blocks of rows in order, those that meet made one."""
    found: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return tuple(found)
