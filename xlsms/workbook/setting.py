"""What the sheet `SMS Settings` says: text, country and sender for the sheets, and what their columns are for."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

from xlsms import phone
from xlsms.errors import Place, UserError, XlsmsError
from xlsms.model import Role
from xlsms.ooxml.book import Book, SheetPart
from xlsms.ooxml.scan import rows, survey
from xlsms.ooxml.value import Decoder
from xlsms.text import Template
from xlsms.text.sender import is_sender
from xlsms.workbook.base import RESULTS, Language, SheetSettings
from xlsms.workbook.formats import shown
from xlsms.workbook.roles import HEADER_ROWS, folded, header

__all__ = ["COLUMNS", "SETTINGS", "Line", "Settings", "parse_settings", "read_settings", "setting_names"]

SETTINGS = "SMS Settings"
_ROLES = (Role.PHONE, Role.MESSAGE, Role.SEND, Role.SEND_AT, Role.SENDER, *RESULTS)

#: The headers of the table, in the order of its columns.
COLUMNS: Mapping[Language, tuple[str, str, str, str]] = {
    "en": ("Setting", "Value", "Sheet", "What it means"),
    "es": ("Ajuste", "Valor", "Hoja", "Qué significa"),
}
#: No key of these is the value of a role, which would be equal to it.
_PLAIN: Mapping[str, Mapping[Language, str]] = {
    "text": {"en": "Message", "es": "Mensaje"},
    "country": {"en": "Country", "es": "País"},
    "origin": {"en": "Sender", "es": "Remitente"},
}
_COLUMN: Mapping[Language, str] = {"en": "Column for {}", "es": "Columna para {}"}

Key = Literal["text", "country", "origin"] | Role


def setting_names(language: Language) -> dict[Key, str]:
    """What each setting is called, in the order in which the sheet lists them."""
    plain: dict[Key, str] = {key: words[language] for key, words in _PLAIN.items()}  # type: ignore[misc]  # its three
    return plain | {role: _COLUMN[language].format(header(role, language)) for role in _ROLES}


@cache
def _known() -> dict[str, Key]:
    languages: tuple[Language, ...] = ("en", "es")
    return {folded(text): key for language in languages for key, text in setting_names(language).items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """One line of the table that says something."""

    key: Key
    value: str
    sheet: str | None  #: None: all of them
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that is set in one workbook."""

    entries: Sequence[_Entry] = ()

    def of(self, sheet: str) -> SheetSettings:
        """What is set for a sheet."""
        found = self._for(sheet)
        plain = {key: entry.value for key, entry in found.items() if not isinstance(key, Role)}
        return SheetSettings(message=plain.get("text"), country=plain.get("country"), sender=plain.get("origin"))

    def roles(self, sheet: str) -> dict[str, Role]:
        """What columns of a sheet are for, by their folded headers."""
        return {folded(entry.value): key for key, entry in self._for(sheet).items() if isinstance(key, Role)}

    def check(self, headers: Mapping[str, AbstractSet[str]]) -> None:
        """Make sure that every column named is there; `headers` are the folded texts near the top of each sheet.

        Raises:
            UserError: `setting-column-unknown`.
        """
        for entry in self.entries:
            sheets = headers if entry.sheet is None else {entry.sheet}
            if isinstance(entry.key, Role) and not any(folded(entry.value) in headers.get(name, ()) for name in sheets):
                raise UserError("setting-column-unknown", place=entry.place, header=entry.value)

    def _for(self, sheet: str) -> dict[Key, _Entry]:
        """The entries of a sheet; its own go before those for all."""
        common = {entry.key: entry for entry in self.entries if entry.sheet is None}
        return common | {entry.key: entry for entry in self.entries if entry.sheet == sheet}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row of the sheet: what the user sees in its cells, by column; or the code of why a cell shows nothing."""

    number: int
    texts: Mapping[str, str]
    problems: Mapping[str, str] = field(default_factory=dict)


def read_settings(book: Book) -> Settings:
    """The settings in a workbook; none where it has no such sheet. A line without a value says nothing.

    Raises:
        UserError: see `parse_settings`.
    """
    for part in book.sheets:
        if part.name.strip().casefold() == SETTINGS.casefold():
            return parse_settings(_lines(book, part), part.name, [sheet.name for sheet in book.sheets])
    return Settings()


def parse_settings(lines: Iterable[Line], name: str, sheets: Iterable[str]) -> Settings:
    """The settings in the sheet `name` of a workbook with `sheets`.

    Raises:
        UserError: `settings-unreadable` without the headers of the table; `setting-…` for a line that cannot be; and
            what is wrong with a text, country or sender. The place is the cell.
    """
    entries = tuple(_entries(lines, _Reader(name, sheets)))
    _refuse_twice(entries)
    return Settings(entries=entries)


def _lines(book: Book, part: SheetPart) -> Iterator[Line]:
    found = survey(book, part)
    decoder = Decoder(book, found.prefix)
    for row in rows(book, part, found):
        texts, problems = {}, {}
        for cell in row.cells:
            value, problem = decoder.value(cell)
            letters = cell[0].decode()
            texts[letters] = shown(value, decoder.code(cell), "en")
            if problem is not None:
                problems[letters] = problem
        yield Line(number=row.number, texts=texts, problems=problems)


def _entries(lines: Iterable[Line], reader: "_Reader") -> Iterator[_Entry]:
    columns: dict[int, str] = {}
    any_row = False
    for line in lines:
        any_row = True
        if not columns and line.number > HEADER_ROWS:
            break
        if columns:
            entry = reader.entry(line, columns)
            if entry is not None:
                yield entry
        else:
            columns = reader.columns(line)
    if any_row and not columns:
        raise UserError("settings-unreadable", place=Place(sheet=reader.name), columns=", ".join(COLUMNS["en"][:2]))


class _Reader:
    """Reads the lines of the table."""

    def __init__(self, name: str, sheets: Iterable[str]) -> None:
        self.name = name
        self._sheets = {sheet.strip().casefold(): sheet for sheet in sheets}

    def columns(self, line: Line) -> dict[int, str]:
        """Where the columns of the table stand, if this is its header; by their place in `COLUMNS`."""
        texts = {folded(self._text(line, letters)): letters for letters in line.texts}
        found: dict[int, str] = {}
        for words in COLUMNS.values():
            found |= {at: texts[folded(word)] for at, word in enumerate(words) if folded(word) in texts}
        return found if {0, 1} <= found.keys() else {}

    def entry(self, line: Line, columns: Mapping[int, str]) -> _Entry | None:
        """What one line says; None where nothing is set."""
        name, value = self._text(line, columns[0]), self._text(line, columns[1])
        if not value.strip():
            return None
        key = _known().get(folded(name))
        if key is None:
            raise UserError("setting-unknown", place=self._place(line, columns[0]), setting=name)
        sheet = self._text(line, columns[2]).strip() if 2 in columns else ""  # noqa: PLR2004 - the sheet
        if sheet and sheet.casefold() not in self._sheets:
            raise UserError("setting-sheet-unknown", place=self._place(line, columns[2]), sheet=sheet)
        kept = value if key == "text" else value.strip()
        place = self._place(line, columns[1])
        try:
            _check(key, kept)
        except XlsmsError as error:
            error.place = place
            raise
        return _Entry(key=key, value=kept, sheet=self._sheets[sheet.casefold()] if sheet else None, place=place)

    def _text(self, line: Line, letters: str) -> str:
        """What the user sees in a cell."""
        if letters in line.problems:
            raise UserError(line.problems[letters], place=self._place(line, letters))
        return line.texts.get(letters, "")

    def _place(self, line: Line, letters: str) -> Place:
        return Place(sheet=self.name, row=line.number, column=letters)


def _check(key: Key, value: str) -> None:
    if key == "text":
        Template.parse(value)
    elif key == "country" and not phone.is_country(value):
        raise UserError("number-country-unknown", country=value)
    elif key == "origin" and not is_sender(value):
        raise UserError("sender-unusable", sender=value)


def _refuse_twice(entries: Iterable[_Entry]) -> None:
    """One setting twice, or one column for two things."""
    seen: dict[tuple[str | None, str], _Entry] = {}
    for entry in entries:
        keys = [f"key {entry.key}"] + ([f"header {folded(entry.value)}"] if isinstance(entry.key, Role) else [])
        for key in keys:
            earlier = seen.setdefault((entry.sheet, key), entry)
            if earlier is not entry:
                cell = f"{earlier.place.column}{earlier.place.row}"
                raise UserError("setting-twice", place=entry.place, value=entry.value, other=cell)
