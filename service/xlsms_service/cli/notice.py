"""What someone should know about a workbook before and after a send, though it keeps no row from going."""

import re
from collections.abc import Iterable, Iterator

from xlsms.model import Role, Row
from xlsms.states import read_label
from xlsms.wording import codes
from xlsms.workbook.base import Sheet, Snapshot
from xlsms.workbook.roles import headers, is_no_mark
from xlsms_service.cli.words import tr

__all__ = ["nothing_marked", "warnings"]

_CODE = re.compile(r"\[([a-z0-9-]+)\]\Z")
_MOST = 3  #: how many of a kind are named


def nothing_marked(sheets: Iterable[Sheet]) -> str:
    """Why no row goes: none is marked, or there is no column for marks."""
    if any(Role.SEND in sheet.columns for sheet in sheets):
        return tr("No row is marked. Put an x in the send column of the rows that are to go out.")
    names = ", ".join(headers(Role.SEND))
    return tr(
        "There is no send column. Add one and put an x in the rows that are to go out. Its header: {names}", names=names
    )


def warnings(snapshot: Snapshot) -> Iterator[str]:
    """One line for each thing and sheet: marks that say nothing to us, and texts that a send would write over."""
    rows: dict[str, list[Row]] = {sheet.name: [] for sheet in snapshot.sheets}
    for row in snapshot.rows:
        rows[row.sheet].append(row)
    for sheet in snapshot.sheets:
        yield from _unclear_marks(sheet, rows[sheet.name])
        yield from _foreign_results(sheet, rows[sheet.name])


def _unclear_marks(sheet: Sheet, rows: Iterable[Row]) -> Iterator[str]:
    header = sheet.headers.get(sheet.columns.get(Role.SEND, ""), "")
    if not header:
        return
    unclear = [
        (row, text) for row in rows if not row.marked and not is_no_mark(text := row.fields.get(header, "").strip())
    ]
    if unclear:
        texts = dict.fromkeys(text for _, text in unclear)
        yield tr(
            "{sheet}: no marks under {header}, so the rows stay: {texts} (rows {rows}). A mark is x, yes or 1.",
            sheet=sheet.name,
            header=header,
            texts=_first(texts),
            rows=_first(str(row.number) for row, _ in unclear),
        )


def _foreign_results(sheet: Sheet, rows: Iterable[Row]) -> Iterator[str]:
    if Role.ID not in sheet.columns:  # then nothing goes at all
        return
    reply = sheet.headers.get(sheet.columns.get(Role.REPLY, ""), "")
    found: dict[Role, None] = {}
    numbers = []
    for row in rows:
        if row.id is not None:
            continue
        foreign = [
            role
            for role, stands in (
                (Role.STATUS, bool(row.status) and read_label(row.status) is None),
                (Role.DETAIL, bool(row.detail) and not _ours(row.detail)),
                (Role.REPLY, bool(reply) and bool(row.fields.get(reply, "").strip())),
            )
            if stands
        ]
        if foreign:
            found |= dict.fromkeys(foreign)
            numbers.append(str(row.number))
    if numbers:
        yield tr(
            "{sheet}: xlsms writes into {columns}, and text that is not its own stands there (rows {rows}). "
            "Give your columns other headers, or it is lost when the rows go.",
            sheet=sheet.name,
            columns=", ".join(sheet.headers[sheet.columns[role]] for role in found),
            rows=_first(numbers),
        )


def _ours(detail: str) -> bool:
    found = _CODE.search(detail.strip())
    return found is not None and found[1] in codes()


def _first(texts: Iterable[str]) -> str:
    named = list(texts)
    return ", ".join(named[:_MOST]) + (", …" if len(named) > _MOST else "")
