"""Sheets built elsewhere put into a package, with their tables and charts, under names and numbers that are free."""

import io
import posixpath
import re
from collections.abc import Iterator

from xlsms.errors import UserError
from xlsms.ooxml.book import Book, SheetPart
from xlsms.ooxml.cells import cell_xml
from xlsms.ooxml.graft import Graft
from xlsms.ooxml.name import BEFORE_NAMES
from xlsms.ooxml.outline import Edits, Node, attribute_text, outline
from xlsms.ooxml.package import Package
from xlsms.ooxml.stylesheet import Stylesheet, fonts_in_order

__all__ = ["may_take_sheets", "recalculated", "transplant"]

_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_STRICT = b"http://purl.oclc.org/ooxml/spreadsheetml/main"
_NAME = re.compile(rb"<(/?)([A-Za-z])")
_FOLDERS = {"table": "tables/table{}.xml", "drawing": "drawings/drawing{}.xml", "chart": "charts/chart{}.xml"}
_BEFORE_CALC = BEFORE_NAMES | {"definedNames"}


def may_take_sheets(book: Book) -> bool:
    """Whether sheets can be added: not to a strict package, and not where the user has locked the structure."""
    xml = book.package.read(book.main)
    lock = outline(xml).child("workbookProtection")
    return _STRICT not in xml and (lock is None or lock.attributes.get("lockStructure") not in ("1", "true"))


def recalculated(edits: Edits) -> bool:
    """Have the workbook calculated anew when it is opened; whether that was not so already."""
    calc = edits.root.child("calcPr")
    if calc is None:
        at = max(node.end for node in edits.root.children if node.name in _BEFORE_CALC)
        edits.insert(at, f'<{edits.root.prefix}calcPr fullCalcOnLoad="1"/>')
    elif calc.attributes.get("fullCalcOnLoad") in ("1", "true"):
        return False
    else:
        edits.set(calc, "fullCalcOnLoad", "1")
    return True


def transplant(book: Book, graft: Graft, styles: Stylesheet, source: bytes) -> list[str]:
    """Add all sheets of the workbook `source`, ours and transitional, behind those that are there; returns the names.

    Texts become inline strings; of its formats those in use are appended to `styles`. Names of tables must be free.
    """
    edits = graft.edits(book.main)
    root = edits.root
    sheets = root.child("sheets")
    if sheets is None:
        raise UserError("file-damaged", reason="no sheets")
    taken = max((node.number("sheetId") for node in sheets.children), default=0)
    tables = sum(len(book.tables(sheet)) for sheet in book.sheets)
    highest = max((_table_id(graft, book, sheet) for sheet in book.sheets), default=0)
    folder = book.main.key.rpartition("/")[0].lstrip("/")
    names = []
    with Package(io.BytesIO(source)) as package:
        other = Book(package)
        work = _Transplant(other, graft, _Formats(other, styles), folder, max(highest, tables))
        for number, sheet in enumerate(other.sheets, taken + 1):
            identity = work.sheet(sheet, book.main.key)
            edits.append(
                sheets,
                f'<{root.prefix}sheet xmlns:r="{_RELATIONS}" name="{attribute_text(sheet.name)}" '
                f'sheetId="{number}" r:id="{identity}"/>',
            )
            names.append(sheet.name)
    return names


def _table_id(graft: Graft, book: Book, sheet: SheetPart) -> int:
    """The highest number of a table on a sheet."""
    roots = (outline(graft.content(table.member)) for table in book.tables(sheet) if table.member)
    return max((root.number("id") for root in roots), default=0)


class _Transplant:
    """The parts of one workbook on their way into another."""

    def __init__(self, other: Book, graft: Graft, formats: "_Formats", folder: str, table: int) -> None:
        self._other, self._graft, self._formats, self._folder = other, graft, formats, folder
        self._table = table

    def sheet(self, sheet: SheetPart, main: str) -> str:
        """Add one sheet with all that hangs on it; returns the id of its relation."""
        edits = Edits(self._other.package.read(sheet.member))
        for view in edits.root.all("sheetView"):
            if "tabSelected" in view.attributes:
                edits.set(view, "tabSelected", "0")  # two selected tabs are a group: typing goes into both
        for node in (*edits.root.all("col"), *edits.root.all("row"), *edits.root.all("cfRule")):
            self._renumber(edits, node)
        for node in edits.root.all("c"):
            self._cell(edits, node)
        name = self._graft.fresh(f"{self._folder}/worksheets/sheet{{}}.xml")
        identity = self._graft.add(name, edits.result(), "worksheet", main)
        self._hang(sheet.member.key, name)
        return identity

    def _renumber(self, edits: Edits, node: Node) -> None:
        for attribute, mapped in (("style", self._formats.cell), ("s", self._formats.cell)):
            if attribute in node.attributes:
                edits.set(node, attribute, str(mapped(int(node.attributes[attribute]))))
        if "dxfId" in node.attributes:
            edits.set(node, "dxfId", str(self._formats.condition(int(node.attributes["dxfId"]))))

    def _cell(self, edits: Edits, node: Node) -> None:
        style = self._formats.cell(int(node.attributes.get("s", "0")))
        if node.attributes.get("t") == "s":
            value = node.child("v")
            text = self._other.strings[int(value.text)] if value else ""
            edits.replace(node.start, node.end, cell_xml("", node.attributes["r"], style, text).decode())
        else:
            edits.set(node, "s", str(style))

    def _hang(self, key: str, name: str) -> None:
        """Add the parts that a part names, in their order, and its relations, whose ids stay as they are."""
        targets = []
        for kind, target in self._targets(key):
            member = self._other.package.part(target)
            if member is None or kind not in _FOLDERS:
                raise UserError("sheet-not-writable", reason=f"a part of the kind {kind}")
            content = self._other.package.read(member)
            if kind == "table":
                self._table += 1
                edits = Edits(content)
                edits.set(edits.root, "id", str(self._table))
                content = edits.result()
            new = self._graft.fresh(f"{self._folder}/{_FOLDERS[kind]}")
            self._graft.add(new, content, kind)
            self._hang(target, new)
            targets.append((kind, "/" + new))
        if targets:
            self._graft.add_relations(f"{posixpath.dirname(name)}/_rels/{posixpath.basename(name)}.rels", targets)

    def _targets(self, key: str) -> Iterator[tuple[str, str]]:
        """Kind and part of each relation; the ids are `rId1`, `rId2` … in our own workbooks."""
        folder, _, name = key.rpartition("/")
        member = self._other.package.part(f"{folder}/_rels/{name}.rels")
        if member is None:
            return
        for number, node in enumerate(outline(self._other.package.read(member)).children, 1):
            if node.attributes["Id"] != f"rId{number}":
                raise UserError("sheet-not-writable", reason="relations out of order")
            target = posixpath.normpath(posixpath.join(folder, node.attributes["Target"])).lower()
            yield node.attributes["Type"].rpartition("/")[2], target


class _Formats:
    """The cell formats of one workbook as those of another."""

    def __init__(self, other: Book, styles: Stylesheet) -> None:
        member = other.related("styles")
        if member is None:
            raise UserError("file-damaged", reason="no styles")
        self._xml = fonts_in_order(other.package.read(member))
        self._root = outline(self._xml)
        self._styles = styles
        self._codes = {node.attributes["numFmtId"]: node.attributes["formatCode"] for node in self._root.all("numFmt")}

    def cell(self, number: int) -> int:
        """The number of a cell format over there."""
        if number == 0:
            return 0
        node = self._list("cellXfs")[number]
        given = dict(node.attributes)
        for kind, name in (("fonts", "fontId"), ("fills", "fillId"), ("borders", "borderId")):
            given[name] = str(self._styles.add(kind, self._element(self._list(kind)[int(given.get(name, "0"))])))
        code = self._codes.get(given.get("numFmtId", "0"))
        if code is not None:
            given["numFmtId"] = str(self._styles.number_format(code))
        given |= {"xfId": "0", "applyFont": "1", "applyFill": "1", "applyBorder": "1", "applyNumberFormat": "1"}
        named = "".join(f' {name}="{attribute_text(value)}"' for name, value in given.items())
        inside = "".join(self._element(child) for child in node.children)
        p = self._styles.prefix
        return self._styles.add("cellXfs", f"<{p}xf{named}>{inside}</{p}xf>")

    def condition(self, number: int) -> int:
        """The number of a differential format over there."""
        return self._styles.add("dxfs", self._element(self._list("dxfs")[number]))

    def _list(self, kind: str) -> list[Node]:
        node = self._root.child(kind)
        return node.children if node else []

    def _element(self, node: Node) -> str:
        """An element with the prefix that the other stylesheet uses."""
        xml = self._xml[node.start : node.end]
        return _NAME.sub(rb"<\g<1>" + self._styles.prefix.encode() + rb"\g<2>", xml).decode()
