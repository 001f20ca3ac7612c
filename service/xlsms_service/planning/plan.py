"""The plan of one send: per row the number, the text and its parts, or what keeps it from going."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

from xlsms.errors import Place, UserError, XlsmsError
from xlsms.model import UNSHOWN, CellValue, Priority, Role, Row
from xlsms.phone import PhoneNumber, parse
from xlsms.text import Field, Parts, Template, split, transliterate
from xlsms.text.sender import is_sender
from xlsms.text.template import header_of
from xlsms.text.transliterate import Level
from xlsms.workbook.base import RESULTS, Sheet
from xlsms_service.planning.moment import said, send_time

__all__ = ["Facts", "Plan", "PlanEntry", "Terms", "Totals", "fingerprint", "plan", "plan_text"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the settings say about a send."""

    country: str = "ES"
    language: str = "en"  #: of the names of days and months in formats
    sender: str | None = None  #: for rows that name none
    parts: int = 10  #: a text that needs more is a problem
    transliterate: Level = "off"
    repertoire: str | None = None  #: character set of the narrowest link, which texts beyond it take as UCS-2
    all_rows: bool = False  #: whether a row goes without a mark
    hidden: bool = False  #: whether hidden and filtered rows go
    zone: tzinfo | None = None  #: in which send times are read; None: this computer's own
    priority: Priority = Priority.NORMAL
    validity: timedelta = timedelta(hours=48)  #: a row that could not go for so long does not go any more


def _none_of(_: AbstractSet[str]) -> AbstractSet[str]:
    return frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known outside the sheet."""

    now: datetime
    repeated: Callable[[AbstractSet[str]], AbstractSet[str]] = _none_of  #: of these fingerprints, those just sent
    opted_out: Callable[[AbstractSet[str]], AbstractSet[str]] = _none_of  #: of these numbers, those that said stop


class PlanEntry(NamedTuple):
    """One row of the plan. With a `problem` it cannot go; `held`, it goes only when someone decides so.

    A tuple, for one is made for every row.
    """

    row: Row
    number: PhoneNumber | None = None
    text: str = ""  #: as it would go: fields filled in, spared characters replaced
    parts: Parts | None = None
    sender: str | None = None
    send_at: datetime | None = None  #: in UTC, when it is still to come
    fingerprint: str | None = None
    problem: XlsmsError | None = None
    held: UserError | None = None

    @property
    def goes(self) -> bool:
        """Whether it would go, now or at its send time."""
        return self.problem is None and self.held is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """How many rows of a plan would do what."""

    rows: int
    go: int  #: those that are scheduled included
    scheduled: int
    held: int
    problems: int
    parts: int  #: SMS that would be sent
    hidden: int  #: marked, but left out because the user does not see them


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one send of these rows would do."""

    entries: tuple[PlanEntry, ...]
    hidden: int = 0  #: rows left out because the user does not see them

    @property
    def hash(self) -> str:
        """Of exactly what would go: number, text, sender and time of each row, in order."""
        digest = hashlib.sha256()
        for entry in self.entries:
            if entry.goes and entry.number:
                what = (entry.row.sheet, entry.number.e164, entry.text, entry.sender, entry.send_at)
                digest.update(repr(what).encode())
        return digest.hexdigest()

    @property
    def totals(self) -> Totals:
        """The figures of the preview."""
        going = [entry for entry in self.entries if entry.goes]
        return Totals(
            rows=len(self.entries),
            go=len(going),
            scheduled=sum(entry.send_at is not None for entry in going),
            held=sum(entry.held is not None for entry in self.entries),
            problems=sum(entry.problem is not None for entry in self.entries),
            parts=sum(len(entry.parts.parts) for entry in going if entry.parts),
            hidden=self.hidden,
        )


def fingerprint(number: str, text: str) -> str:
    """What two messages share when they say the same to the same number."""
    return hashlib.sha256(f"{number}\n{text}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def plan(rows: Iterable[Row], terms: Terms, facts: Facts, sheets: Sequence[Sheet] = ()) -> Plan:
    """Plan the rows that are marked (or all, if the terms say so), in their order. Never raises for a row's sake.

    `sheets` give problems their column letters.
    """
    chosen = [row for row in rows if row.marked or terms.all_rows]
    seen = [row for row in chosen if terms.hidden or not row.hidden]
    known = {sheet.name: sheet for sheet in sheets}
    own = {sheet.name: _own_terms(sheet, terms) for sheet in sheets}
    templates: dict[str, tuple[Template, bool]] = {}
    entries = [_entry(row, known.get(row.sheet), own.get(row.sheet, terms), facts, templates) for row in seen]
    return Plan(entries=tuple(_hold(entries, facts)), hidden=len(chosen) - len(seen))


def plan_text(number: str, text: str, terms: Terms, facts: Facts) -> PlanEntry:
    """Plan one text that stands in no sheet; it goes as it is, braces and all."""
    row = Row(sheet="", number=0, phone=number, message=text, marked=True)
    try:
        found, said = parse(number, terms.country), _text(text, terms)
        entry = PlanEntry(row, found, said, _parts(said, terms), _sender(row, terms))
    except XlsmsError as error:
        return PlanEntry(row, problem=error)
    return next(_hold([entry._replace(fingerprint=fingerprint(found.e164, said))], facts))


def _entry(
    row: Row, sheet: Sheet | None, terms: Terms, facts: Facts, templates: dict[str, tuple[Template, bool]]
) -> PlanEntry:
    number = parts = same = sender = send_at = held = None
    text, role = "", Role.PHONE
    try:
        _usable(row, sheet, role)
        number = parse(row.phone, terms.country)
        role = Role.MESSAGE
        _usable(row, sheet, role)
        worded = _text(_filled(row, sheet, terms, templates), terms)
        parts = _parts(worded, terms)
        text, same = worded, fingerprint(number.e164, worded)
        role = Role.SENDER
        _usable(row, sheet, role)
        sender = _sender(row, terms)
        role = Role.SEND_AT
        _usable(row, sheet, role)
        if row.send_at is not None:
            send_at, held = _time(row, sheet, terms, facts)
    except XlsmsError as error:
        error.place = _place(row, sheet, role)
        return PlanEntry(row, number, text, parts, sender, send_at, same, error, held)
    return PlanEntry(row, number, text, parts, sender, send_at, same, None, held)


def _place(row: Row, sheet: Sheet | None, role: Role) -> Place:
    return Place(sheet=row.sheet, row=row.number, column=sheet.columns.get(role) if sheet else None)


def _usable(row: Row, sheet: Sheet | None, role: Role) -> None:
    """Refuse a cell that the reader could not make sense of."""
    if not row.problems:
        return
    header = sheet.headers.get(sheet.columns.get(role, ""), "") if sheet else ""
    if header in row.problems:
        raise UserError(row.problems[header], field=header)


def _own_terms(sheet: Sheet, terms: Terms) -> Terms:
    """What holds for a sheet: the workbook's own settings go before those of the service."""
    own = sheet.settings
    return replace(terms, country=own.country or terms.country, sender=own.sender or terms.sender)


def _source(row: Row, sheet: Sheet | None) -> str:
    """The text of a row, its own or its sheet's, with its fields not yet filled in."""
    source = row.message or ""
    if not source.strip() and sheet is not None:
        source = sheet.settings.message or ""
    if not source.strip():
        raise UserError("text-empty")
    if source.startswith(UNSHOWN):
        raise UserError("text-format-unknown", format=source[1:])
    return source


def _filled(row: Row, sheet: Sheet | None, terms: Terms, templates: dict[str, tuple[Template, bool]]) -> str:
    source = _source(row, sheet)
    known = templates.get(source)
    if known is None:
        template = Template.parse(source)
        known = templates[source] = template, template.formatted
    template, formatted = known
    if row.problems:
        _check_usable(template.fields, row)
    if sheet is not None and not sheet.formats:
        _check_shown(template.bare, row)
    try:
        if formatted:
            text = template.render(_Fields(row), f"{terms.language}-{terms.country}")
        else:
            text = template.render(row.fields)
    except UserError as error:
        if error.code == "field-missing" and sheet is not None:
            _propose(error, row, sheet)
        raise
    if UNSHOWN in text:
        _check_told(template.bare, row)
    return text


def _check_usable(names: Iterable[str], row: Row) -> None:
    """Refuse a field whose cell the reader could not make sense of."""
    for name in names:
        for header, code in row.problems.items():
            if header.strip().casefold() == name.casefold():
                raise UserError(code, field=header)


def _propose(error: UserError, row: Row, sheet: Sheet) -> None:
    """Let the nearest column be one of the user's: nobody means to send a state or an id."""
    ours = {sheet.headers.get(sheet.columns.get(role, "")) for role in (*RESULTS, Role.SEND)}
    try:
        header_of(str(error.facts["field"]), dict.fromkeys(header for header in row.fields if header not in ours))
    except UserError as nearer:
        error.code, error.facts = nearer.code, nearer.facts


def _check_shown(names: Iterable[str], row: Row) -> None:
    """Refuse a field that would say something else than what stands in the file, whose formats are not known."""
    for name in names:
        value = row.values.get(header_of(name, row.fields))
        if isinstance(value, datetime) or (isinstance(value, float) and not value.is_integer()):
            raise UserError("field-look-unknown", field=name, example=_example(name, value))


def _check_told(names: Iterable[str], row: Row) -> None:
    """Refuse a field whose cell has a number format that is not known."""
    for name in names:
        header = header_of(name, row.fields)
        shown = row.fields[header]
        if shown.startswith(UNSHOWN):
            example = _example(name, row.values.get(header))
            raise UserError("field-format-unknown", field=name, format=shown[1:], example=example)


def _example(name: str, value: CellValue) -> str:
    """A field with a format of its own."""
    return f"{{{name}:dd/MM/yyyy}}" if isinstance(value, datetime) else f"{{{name}:0.00}}"


class _Fields(Mapping[str, Field]):
    """What a row gives to a text. Only the cells that the text asks for are decoded."""

    __slots__ = ("_row",)

    def __init__(self, row: Row) -> None:
        self._row = row

    def __getitem__(self, header: str) -> Field:
        return Field(self._row.fields[header], self._row.values.get(header))

    def __contains__(self, header: object) -> bool:
        return header in self._row.fields

    def __iter__(self) -> Iterator[str]:
        return iter(self._row.fields)

    def __len__(self) -> int:
        return len(self._row.fields)


def _text(text: str, terms: Terms) -> str:
    """A text as it would go."""
    if not text.strip():
        raise UserError("text-empty")
    return text if terms.transliterate == "off" else transliterate(text, terms.transliterate).text


def _parts(text: str, terms: Terms) -> Parts:
    return split(text, limit=terms.parts, repertoire=terms.repertoire)


def _sender(row: Row, terms: Terms) -> str | None:
    sender = (row.sender or "").strip() or terms.sender
    if sender is not None and not is_sender(sender):
        raise UserError("sender-unusable", sender=sender)
    return sender


def _time(row: Row, sheet: Sheet | None, terms: Terms, facts: Facts) -> tuple[datetime | None, UserError | None]:
    """The send time of a row that is still to come, or why it does not go by itself."""
    moment = send_time(row.send_at, terms.zone, now=facts.now)
    if moment is None or moment > facts.now:
        return moment, None
    place, time = _place(row, sheet, Role.SEND_AT), said(moment, terms.zone, terms.language)
    return None, UserError("send-time-past", place=place, time=time)


def _hold(entries: Sequence[PlanEntry], facts: Facts) -> Iterator[PlanEntry]:
    """Hold what must not go unasked: to a number that said stop, or what was said to it before."""
    ready = [entry for entry in entries if entry.problem is None and entry.held is None]
    stopped = facts.opted_out({entry.number.e164 for entry in ready if entry.number})
    repeated = facts.repeated({entry.fingerprint for entry in ready if entry.fingerprint})
    first: dict[str, Row] = {}
    for entry in entries:
        if entry.problem is not None or entry.held is not None or entry.number is None or entry.fingerprint is None:
            yield entry
            continue
        number, row = entry.number.e164, entry.row
        earlier = first.setdefault(entry.fingerprint, row)
        if number not in stopped and entry.fingerprint not in repeated and earlier is row:
            yield entry
            continue
        place = Place(sheet=row.sheet, row=row.number) if row.number else None
        if number in stopped:
            held = UserError("opted-out", place=place, number=number)
        elif entry.fingerprint in repeated:
            held = UserError("duplicate-recent", place=place, number=number)
        else:
            held = UserError("duplicate-in-sheet", place=place, number=number, row=earlier.number)
        yield entry._replace(held=held)
