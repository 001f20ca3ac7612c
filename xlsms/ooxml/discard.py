"""Sheets taken out of a package, with the parts that only they use and all that names them."""

from collections.abc import Collection, Sequence

from xlsms.errors import UserError
from xlsms.ooxml.book import Book, SheetPart
from xlsms.ooxml.cells import natural
from xlsms.ooxml.graft import Graft
from xlsms.ooxml.name import names
from xlsms.ooxml.outline import Edits, Node
from xlsms.ooxml.package import Member

__all__ = ["clear_calculated", "discard_sheets", "unlist"]

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#: Folders of the parts that a sheet may have to itself: tables, charts, comments, pictures and page settings.
_OWN = ("worksheets", "tables", "drawings", "charts", "media", "printersettings", "threadedcomments", "comments")


def discard_sheets(book: Book, graft: Graft, sheets: Sequence[SheetPart]) -> set[Member]:
    """Take away the parts of some sheets and what nothing else names; the workbook part stays as it is.

    Raises:
        UserError: `removal-locked` where the structure is protected, `removal-more` for a part of an unknown kind.
    """
    if not sheets:
        return set()
    lock = graft.edits(book.main).root.child("workbookProtection")
    if lock is not None and lock.attributes.get("lockStructure") in ("1", "true"):
        raise UserError("removal-locked", sheets=", ".join(sheet.name for sheet in sheets))
    doomed = {sheet.member for sheet in sheets}
    gone = _reached(book, set()) - _reached(book, doomed)
    for member in gone:
        folder, _, name = member.key.rpartition("/")
        if not (folder.endswith(_OWN) or name.startswith("comments")):
            raise UserError("removal-more", part=member.key.lstrip("/"))
        graft.drop(member)
    for sheet in sheets:
        graft.unrelate(book.main.key, sheet.member)
    return gone


def _reached(book: Book, without: Collection[Member]) -> set[Member]:
    """The parts that relations lead to."""
    found: set[Member] = set()
    waiting = ["/"]
    while waiting:
        for member in book.targets(waiting.pop()):
            if member not in found and member not in without:
                found.add(member)
                waiting.append(member.key)
    return found


def unlist(edits: Edits, sheets: Collection[str], gone: Collection[Node]) -> None:
    """Take sheets out of the list of the workbook part, and names: those in `gone`, and those of the sheets."""
    root = edits.root
    tabs = list(root.all("sheet"))
    left = [node for node in tabs if node.attributes.get("name") not in sheets]
    for node in tabs:
        if node not in left:
            edits.drop(node)
    moved = {index: left.index(node) for index, node in enumerate(tabs) if node in left}
    there = list(names(root))
    dropped = [node for node, name in there if node in gone or (name.sheet is not None and name.sheet not in moved)]
    defined = root.child("definedNames")
    if defined is not None and len(dropped) == len(there):
        edits.drop(defined)
    else:
        for node, name in there:
            if node in dropped:
                edits.drop(node)
            elif name.sheet is not None and moved[name.sheet] != name.sheet:
                edits.set(node, "localSheetId", str(moved[name.sheet]))
    for view in root.all("workbookView"):
        for which in ("activeTab", "firstSheet"):
            tab = natural(view.attributes.get(which, ""))
            if tab is not None and moved.get(tab) != tab:
                edits.set(view, which, str(moved.get(tab, 0)))


def clear_calculated(book: Book, graft: Graft, sheets: Collection[str], row: int | None = None) -> None:
    """Take the cells of some sheets, or of one row of them, out of the calculation chain.

    Excel repairs the file over a cell that is listed there and has no formula.
    """
    chain = book.related("calcChain")
    if chain is None or not sheets:
        return
    ids = {
        node.attributes.get("sheetId", "")
        for node in graft.edits(book.main).root.all("sheet")
        if node.attributes.get("name") in sheets
    }
    edits = graft.edits(chain)
    current = shown = ""
    kept = 0
    for node in edits.root.children:
        current = node.attributes.get("i", current)  # left out where it is that of the cell before
        if current in ids and (row is None or node.attributes.get("r", "").lstrip(_LETTERS) == str(row)):
            edits.drop(node)
            continue
        kept += 1
        if current != shown and "i" not in node.attributes:
            edits.set(node, "i", current)
        shown = current
    if not kept:
        graft.drop(chain)
        graft.unrelate(book.main.key, chain)
