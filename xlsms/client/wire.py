"""Rows, sheets, cells and errors as they travel between the client and the service, in JSON."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from xlsms.errors import PermanentError, Place, TransientError, UncertainError, UserError, XlsmsError
from xlsms.model import CellValue, Role, Row, RowId
from xlsms.workbook.base import Placed, RowEdit, Sheet, SheetSettings

__all__ = [
    "KINDS",
    "Json",
    "cell",
    "edit",
    "error",
    "place",
    "placed",
    "read_cell",
    "read_edit",
    "read_error",
    "read_place",
    "read_row",
    "read_sheet",
    "row",
    "sheet",
]

Json = dict[str, Any]

#: What an error asks of its reader, by the word that travels.
KINDS: Mapping[str, type[XlsmsError]] = {
    "user": UserError,
    "transient": TransientError,
    "permanent": PermanentError,
    "uncertain": UncertainError,
}


def cell(value: CellValue) -> object:
    """A cell's value: JSON has no times, so one travels as `{"at": …}`."""
    return {"at": value.isoformat()} if isinstance(value, datetime) else value


def read_cell(value: object) -> CellValue:
    """A cell's value as it travelled.

    Raises:
        ValueError: it is none.
    """
    if isinstance(value, Mapping):
        return datetime.fromisoformat(str(value.get("at")))
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise ValueError("not a cell's value")


def row(it: Row, *, reply: str | None = None) -> Json:
    """A row; of one that is not marked only what tells who it is, and the cell under the header `reply`."""
    said: Json = {"sheet": it.sheet, "number": it.number, "phone": cell(it.phone), "marked": it.marked}
    for name, value in (("message", it.message), ("id", it.id), ("status", it.status), ("detail", it.detail)):
        if value:
            said[name] = value
    if it.marked:
        if it.send_at is not None:
            said["send_at"] = cell(it.send_at)
        if it.sender:
            said["sender"] = it.sender
        said |= {"hidden": it.hidden, "fields": dict(it.fields), "problems": dict(it.problems)}
        said["values"] = {header: cell(value) for header, value in it.values.items()}
    elif reply is not None and reply in it.values:
        said["values"] = {reply: cell(it.values[reply])}
    return said


def read_row(said: Json) -> Row:
    """A row as it travelled."""
    identity = said.get("id")
    return Row(
        sheet=said["sheet"],
        number=said["number"],
        phone=read_cell(said.get("phone")),
        message=said.get("message"),
        marked=said.get("marked", False),
        send_at=read_cell(said.get("send_at")),
        sender=said.get("sender"),
        id=RowId(identity) if identity else None,
        status=said.get("status", ""),
        detail=said.get("detail", ""),
        hidden=said.get("hidden", False),
        fields=said.get("fields", {}),
        values={header: read_cell(value) for header, value in said.get("values", {}).items()},
        problems=said.get("problems", {}),
    )


def sheet(it: Sheet) -> Json:
    """What is known of a sheet's columns and settings."""
    return {
        "name": it.name,
        "header_row": it.header_row,
        "columns": {str(role): letters for role, letters in it.columns.items()},
        "headers": dict(it.headers),
        "settings": {
            "message": it.settings.message,
            "country": it.settings.country,
            "sender": it.settings.sender,
        },
    }


def read_sheet(said: Json) -> Sheet:
    """A sheet as it travelled."""
    return Sheet(
        name=said["name"],
        header_row=said.get("header_row", 1),
        columns={Role(role): letters for role, letters in said.get("columns", {}).items()},
        headers=said.get("headers", {}),
        settings=SheetSettings(**(said.get("settings") or {})),
    )


def placed(it: Placed) -> Json:
    """Where a row stood, and what stood there."""
    said: Json = {"sheet": it.sheet, "number": it.number, "phone": cell(it.phone), "message": it.message}
    return said | {"marked": it.marked, "id": it.id}


def edit(it: RowEdit) -> Json:
    """What is to be written into a row."""
    values = {str(role): cell(value) for role, value in it.values.items()}
    return {"id": it.id, "placed": placed(it.placed) if it.placed else None, "values": values}


def read_edit(said: Json) -> RowEdit:
    """An edit as it travelled."""
    stood = said.get("placed")
    return RowEdit(
        id=RowId(said["id"]) if said.get("id") else None,
        placed=Placed(**(stood | {"phone": read_cell(stood["phone"])})) if stood else None,
        values={Role(role): read_cell(value) for role, value in said["values"].items()},
    )


def place(it: Place | None) -> Json | None:
    """Where something is wrong."""
    if it is None:
        return None
    return {name: getattr(it, name) for name in Place.__slots__ if getattr(it, name) is not None}


def read_place(said: Json | None) -> Place | None:
    """A place as it travelled."""
    return Place(**{name: said.get(name) for name in Place.__slots__}) if said else None


def error(it: XlsmsError, language: str) -> Json:
    """An error in the words of a language, with what is needed to say it in another."""
    kind = next((word for word, each in KINDS.items() if isinstance(it, each)), "user")
    return {
        "code": it.code,
        "kind": kind,
        "message": it.message(language),
        "remedy": it.advice(language),
        "place": place(it.place),
        "facts": {name: str(fact) for name, fact in it.facts.items()},
    }


def read_error(said: Json) -> XlsmsError:
    """The error that travelled, to be raised here."""
    kind = KINDS.get(str(said.get("kind")), UserError)
    facts = {name: fact for name, fact in (said.get("facts") or {}).items() if name != "place"}
    return kind(str(said.get("code")), place=read_place(said.get("place")), **facts)
