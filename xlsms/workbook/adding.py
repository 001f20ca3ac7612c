"""Sheets of our own put behind those of a workbook."""

from collections.abc import Sequence

from xlsms.ooxml.book import Book
from xlsms.ooxml.graft import Graft
from xlsms.ooxml.stylesheet import Stylesheet
from xlsms.ooxml.transplant import recalculated, transplant
from xlsms.workbook.base import Language
from xlsms.workbook.own_sheets import OWN, REPORT, Counted
from xlsms.workbook.record import CALCULATION, put_constant

__all__ = ["add_sheets", "lacking_sheets"]


def lacking_sheets(book: Book, graft: Graft) -> list[str]:
    """The sheets of our own that are not there yet."""
    there = {node.attributes.get("name", "").casefold() for node in graft.edits(book.main).root.all("sheet")}
    return [name for name in OWN if name.casefold() not in there]


def add_sheets(
    book: Book,
    graft: Graft,
    styles: Stylesheet,
    wanted: Sequence[str],
    counted: Sequence[Counted],
    language: Language,
) -> list[str]:
    """Put sheets of our own behind the others; a report has the workbook calculated, which is noted."""
    names = {table.name.lower() for part in book.sheets for table in book.tables(part)}
    names |= {node.attributes.get("name", "").lower() for node in graft.edits(book.main).root.all("definedName")}
    # openpyxl takes a tenth of a second to import: only those who need it pay.
    from xlsms.workbook.drawing import build  # noqa: PLC0415

    content = build(wanted, counted, language, tables=sorted(names), font=styles.usual_font)
    added = transplant(book, graft, styles, content)
    if REPORT in added:
        edits = graft.edits(book.main)
        had = edits.root.child("calcPr")
        if recalculated(edits):
            put_constant(edits, CALCULATION, had.attributes.get("fullCalcOnLoad", "none") if had else "new")
    return added
