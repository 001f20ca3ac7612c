"""What first set-up added to a workbook, noted in the workbook: hidden names, which follow what they name.

A name moves with its column through inserted rows, moved columns and renamed sheets, in Excel and in LibreOffice, and
turns into `#REF!` when the column is deleted. So what was added can be told from what the user made, whatever it is
called by now.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from xlsms.model import Role
from xlsms.ooxml.batch import Cell
from xlsms.ooxml.book import Book
from xlsms.ooxml.cells import column_letters, reference
from xlsms.ooxml.name import Name, add_name, names
from xlsms.ooxml.outline import Edits, Node, outline

__all__ = [
    "CALCULATION",
    "CHOICE",
    "COLOURS",
    "OWN_SHEET",
    "PROPERTIES",
    "Added",
    "Note",
    "is_note",
    "name_of",
    "notes",
    "put_constant",
    "put_note",
    "put_notes",
    "role_key",
]

_PREFIX, _LIVE_PREFIX = "_xlsms.", "_xlsms_"
OWN_SHEET = "sheet"  #: the sheet itself
CHOICE = "choice"  #: a drop-down list for the mark
COLOURS = "colours"  #: conditional formats of the states
PROPERTIES = "properties"  #: the part that holds the workbook's id
CALCULATION = "calculation"  #: that the workbook is to be calculated when it is opened


Added = tuple[str, str, Cell]  #: a sheet, what was added to it, and the cell that this is found by


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One thing that was added. `sheet` and `cell` are where it is now; no cell where it was deleted."""

    key: str
    node: Node
    sheet: int | None  #: its place among the tabs of the workbook, from 0
    cell: Cell | None
    text: str = ""  #: of a constant


def role_key(role: Role) -> str:
    """What a column for a role is noted as."""
    return role.value.replace(" ", "_")


def name_of(key: str) -> str:
    """The name that notes something in an open workbook, where LibreOffice takes no dot in a new one."""
    return _LIVE_PREFIX + key


def is_note(name: str) -> bool:
    """Whether a name is a note of ours."""
    return name.startswith((_PREFIX, _LIVE_PREFIX))


def put_note(edits: Edits, key: str, index: int, sheet: str, cell: Cell) -> None:
    """Note in the workbook part that the column of `cell`, or the whole sheet, was added."""
    quoted = sheet.replace("'", "''")
    formula = f"'{quoted}'!${column_letters(cell[1])}${cell[0]}"
    add_name(edits, Name(name=_PREFIX + key, formula=formula, sheet=index))


def put_notes(edits: Edits, added: Iterable[Added]) -> None:
    """Note what was added to sheets that are there already."""
    tabs = [node.attributes.get("name", "") for node in edits.root.all("sheet")]
    for sheet, key, cell in added:
        put_note(edits, key, tabs.index(sheet), sheet, cell)


def put_constant(edits: Edits, key: str, text: str) -> None:
    """Note something about the whole workbook."""
    add_name(edits, Name(name=_PREFIX + key, formula=f'"{text}"'))


def notes(book: Book, root: Node | None = None) -> Iterator[Note]:
    """What is noted, in the workbook part of `book` or in that of which `root` is the outline."""
    for node, name in names(root or outline(book.package.read(book.main))):
        if is_note(name.name):
            key = name.name.removeprefix(_PREFIX).removeprefix(_LIVE_PREFIX)
            yield Note(key=key, node=node, sheet=name.sheet, cell=_cell(name.formula), text=name.formula.strip('"'))


def _cell(formula: str) -> Cell | None:
    try:
        return reference(formula.rpartition("!")[2])
    except ValueError:
        return None
