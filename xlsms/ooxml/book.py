"""What a workbook package holds: sheets, tables, styles and strings, found by their relations, never by their names."""

import posixpath
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import unquote

from xlsms.errors import UserError
from xlsms.ooxml.canonical import canonical_strings
from xlsms.ooxml.cells import Area, unescape
from xlsms.ooxml.markup import Element, elements
from xlsms.ooxml.package import Member, Package
from xlsms.ooxml.style import Styles
from xlsms.ooxml.text import OddTableError, Strings, find_strings, some_strings
from xlsms.ooxml.textfile import FiledStrings

__all__ = ["CUSTOM_PROPERTIES", "Book", "SheetPart", "Table"]

SHEET_LIMIT = 0xFFFFFFFF - 1  #: inflated bytes of a sheet
_XML = 16 << 20  # of the small parts that are read as trees
_STRINGS = 1 << 30
_HELD = 8 << 20  # bytes of the shared strings up to which they are kept in memory
_MOST_TEXTS = 1 << 20  # to look up one by one; for more the table is kept

_WORKBOOKS = ("spreadsheetml.sheet.main+xml", "ms-excel.sheet.macroenabled.main+xml")
_TEMPLATES = (
    "spreadsheetml.template.main+xml",
    "ms-excel.template.macroenabled.main+xml",
    "ms-excel.addin.macroenabled.main+xml",
)
CUSTOM_PROPERTIES = ("custom-properties", "customProperties")  #: as transitional and strict packages say it
_BINARY = "ms-excel.sheet.binary.macroenabled.main"


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetPart:
    """One worksheet of a workbook."""

    name: str
    member: Member
    hidden: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """An Excel table: its area with header and totals rows."""

    area: Area
    header: bool
    totals: bool
    columns: tuple[str, ...]  #: header texts
    formulas: tuple[str | None, ...] = ()  #: of the columns that are calculated, the same in each row
    name: str = ""  #: as formulas call it
    member: Member | None = None  #: the part that describes it
    external: bool = False  #: filled from a query or an XML map, which name its columns

    @property
    def first(self) -> int:
        """Its first data row."""
        return self.area.top + self.header

    @property
    def last(self) -> int:
        """Its last data row."""
        return self.area.bottom - self.totals


@dataclass(frozen=True, slots=True)
class _Relation:
    kind: str  #: the last word of the relation's type: the same in transitional and strict packages
    target: str


class Book:
    """An open workbook package."""

    def __init__(self, package: Package) -> None:
        self.package = package
        self._texts: dict[int, str] = {}
        self._refuse_other_documents()
        found = [relation.target for relation in self._relations("/").values() if relation.kind == "officeDocument"]
        if len(found) != 1:
            raise UserError("not-a-workbook")
        self._part = found[0]
        self._refuse_other_types()
        self._related = self._relations(self._part)
        tags = self._elements(self._member(self._part), {"sheet", "workbookPr", "fileSharing", "sheets", "calcPr"})
        self.date1904 = any(
            tag.name == "workbookPr" and tag.attributes.get("date1904") in ("1", "true") for tag in tags
        )
        self.read_only_recommended = any(
            tag.name == "fileSharing" and tag.attributes.get("readOnlyRecommended") in ("1", "true") for tag in tags
        )
        self._calculates = any(
            tag.name == "calcPr" and tag.attributes.get("fullCalcOnLoad") in ("1", "true") for tag in tags
        )
        self.sheets = tuple(self._sheets(tags))

    @cached_property
    def signed(self) -> bool:
        """Whether a digital signature covers the package: any edit would break it."""
        kinds = {relation.kind for relation in self._relations("/").values()}
        return "origin" in kinds or any(member.key.startswith("/_xmlsignatures/") for member in self.package.members)

    @property
    def calculated(self) -> bool:
        """Whether it has formulas, with values that Excel shows as they are until it is told to calculate them anew."""
        return not self._calculates and self._first("calcChain") is not None

    @cached_property
    def uncalculated(self) -> bool:
        """Whether the workbook asks to be calculated when it is opened, and shows no sign that it ever was.

        Programs that cannot calculate write it so, with 0 as the value of every formula.
        """
        return self._calculates and self._first("calcChain") is None

    @cached_property
    def styles(self) -> Styles:
        """Number formats and cell formats."""
        member = self._first("styles")
        return Styles.read(self.package.chunks(member)) if member else Styles()

    @cached_property
    def strings(self) -> Strings | FiledStrings:
        """The shared strings; many of them are not held."""
        member = self._first("sharedStrings")
        if member is None:
            return Strings(())
        try:
            if member.size <= _HELD:
                return Strings(self.package.chunks(member, _STRINGS))
            with suppress(OddTableError):
                return FiledStrings(self.package.chunks(member, _STRINGS))
            return FiledStrings(canonical_strings(self.package.chunks(member, _STRINGS)))
        except OddTableError as error:  # a string that no cell could hold
            raise UserError("file-too-large", part=member.key) from error

    def text(self, number: int) -> str:
        """A shared string; all are loaded for one that was not asked for before."""
        known = self._texts.get(number)
        return self.strings[number] if known is None else known

    def want_texts(self, numbers: AbstractSet[int]) -> None:
        """Look up the shared strings with these numbers, now; the table is read as far as they go, and not kept."""
        new = numbers - self._texts.keys()
        member = self._first("sharedStrings")
        if not new or member is None or "strings" in self.__dict__:
            return
        few = len(self._texts) + len(new) <= _MOST_TEXTS
        found = some_strings(self.package.chunks(member, _STRINGS), new) if few else None
        if found is None:
            self.load_texts()
        else:
            self._texts.update(found)

    def find_texts(self, texts: AbstractSet[str]) -> dict[int, str]:
        """The shared strings that are among `texts`, as they are or in upper case without blanks around them."""
        member = self._first("sharedStrings")
        if member is None:
            return {}
        found = find_strings(self.package.chunks(member, _STRINGS), texts)
        if found is None:
            read = ((number, self.strings[number]) for number in range(len(self.strings)))
            return {number: text for number, text in read if text in texts or text.strip().upper() in texts}
        return found

    @cached_property
    def means(self) -> tuple[object, ...]:
        """What a cell's bytes mean hangs on: the strings, the formats and where days are counted from, by checksum."""
        members = (self._first("sharedStrings"), self._first("styles"))
        return self.date1904, *((member.crc, member.size) if member else None for member in members)

    def load_texts(self) -> None:
        """Load all shared strings: rows that outlive the open file will ask for any of them."""
        len(self.strings)

    @cached_property
    def custom_properties(self) -> dict[str, str]:
        """The text properties in docProps/custom.xml."""
        for relation in self._relations("/").values():
            if relation.kind in CUSTOM_PROPERTIES and (member := self.package.part(relation.target)):
                return dict(_properties(self._elements(member, {"property", "lpwstr"})))
        return {}

    @property
    def main(self) -> Member:
        """The workbook part."""
        return self._member(self._part)

    def related(self, kind: str) -> Member | None:
        """The first part that the workbook part names as of this kind."""
        return self._first(kind)

    def target(self, part: str, kind: tuple[str, ...]) -> Member | None:
        """The part that `part` (`/` for the package) names as of one of these kinds."""
        for relation in self._relations(part).values():
            if relation.kind in kind and (member := self.package.part(relation.target)):
                return member
        return None

    def targets(self, part: str) -> Iterator[Member]:
        """The parts that `part` (`/` for the package) names."""
        for relation in self._relations(part).values():
            if (member := self.package.part(relation.target)) is not None:
                yield member

    def tables(self, sheet: SheetPart) -> tuple[Table, ...]:
        """The tables of a sheet."""
        found = []
        for relation in self._relations(sheet.member.key).values():
            member = self.package.part(relation.target) if relation.kind == "table" else None
            if member is None:
                continue
            tags = self._elements(member, {"table", "tableColumn", "calculatedColumnFormula"})
            table = next((tag for tag in tags if tag.name == "table"), None)
            area = Area.of(table.attributes.get("ref", "")) if table else None
            if table is None or area is None:
                raise UserError("file-damaged", reason="a table without an area")
            found.append(
                Table(
                    area=area,
                    header=table.attributes.get("headerRowCount", "1") != "0",
                    totals=table.attributes.get("totalsRowCount", "0") != "0",
                    columns=tuple(
                        unescape(tag.attributes.get("name", "")) for tag in tags if tag.name == "tableColumn"
                    ),
                    formulas=tuple(_formulas(tags)),
                    name=table.attributes.get("displayName", ""),
                    member=member,
                    external=table.attributes.get("tableType", "worksheet") != "worksheet",
                ),
            )
        return tuple(found)

    def _sheets(self, tags: list[Element]) -> Iterator[SheetPart]:
        seen = set()
        for tag in tags:
            # a tab without a relation has no content: some programs leave such tabs behind
            if tag.name != "sheet" or tag.parent != "sheets":
                continue
            relation = self._related.get(tag.attributes.get("r:id", ""))
            if relation is None or relation.kind not in ("worksheet", "xlWorksheet"):
                continue
            member = self.package.part(relation.target)
            if member is None:
                raise UserError("file-damaged", reason="a sheet without its part")
            if member.name in seen:  # what is written into one would stand in the other, and be read from both
                raise UserError("file-damaged", reason="two sheets with one part")
            seen.add(member.name)
            hidden = tag.attributes.get("state", "visible") != "visible"
            yield SheetPart(name=tag.attributes.get("name", ""), member=member, hidden=hidden)

    def _first(self, kind: str) -> Member | None:
        return next(
            (
                member
                for relation in self._related.values()
                if relation.kind == kind and (member := self.package.part(relation.target))
            ),
            None,
        )

    def _relations(self, part: str) -> dict[str, _Relation]:
        folder, _, name = part.rpartition("/")
        member = self.package.part(f"{folder}/_rels/{name}.rels")
        if member is None:
            return {}
        found = {}
        for tag in self._elements(member, {"Relationship"}):
            if tag.attributes.get("TargetMode") == "External":
                continue
            target = tag.attributes.get("Target", "")
            absolute = target if target.startswith("/") else posixpath.join(folder or "/", target.replace("\\", "/"))
            resolved = posixpath.normpath(absolute).replace("//", "/").lower()
            if self.package.part(resolved) is None:
                resolved = unquote(resolved)
            kind = tag.attributes.get("Type", "").rsplit("/", 1)[-1]
            found[tag.attributes.get("Id", "")] = _Relation(kind, resolved)
        return found

    def _member(self, part: str) -> Member:
        member = self.package.part(part)
        if member is None:
            raise UserError("file-damaged", reason=f"no part {part}")
        return member

    def _elements(self, member: Member, wanted: set[str]) -> list[Element]:
        return elements(self.package.chunks(member, _XML), frozenset(wanted))

    def _refuse_other_documents(self) -> None:
        """A zip that is no OOXML package: LibreOffice's own format, or anything else."""
        kind = self.package.part("/mimetype")
        if kind is not None and kind.size < 1024 and b"opendocument.spreadsheet" in self.package.read(kind):  # noqa: PLR2004 - a line
            raise UserError("format-not-supported", format=".ods")
        if self.package.part("/[content_types].xml") is None:
            raise UserError("not-a-workbook")

    def _refuse_other_types(self) -> None:
        """Templates, add-ins, binary workbooks and documents of other programs, told by the type of the main part."""
        tags = self._elements(self._member("/[content_types].xml"), {"Default", "Override"})
        extension = self._part.rpartition(".")[2]
        kind = ""
        for tag in tags:
            if tag.name == "Default" and tag.attributes.get("Extension", "").lower() == extension:
                kind = kind or tag.attributes.get("ContentType", "")
            if tag.name == "Override" and tag.attributes.get("PartName", "").lower() == self._part:
                kind = tag.attributes.get("ContentType", "")
                break
        kind = kind.lower()
        if any(word in kind for word in _TEMPLATES):
            raise UserError("file-is-template")
        if _BINARY in kind:
            raise UserError("format-not-supported", format=".xlsb")
        if not any(word in kind for word in _WORKBOOKS):
            raise UserError("not-a-workbook")


def _formulas(tags: list[Element]) -> Iterator[str | None]:
    """The formula of each column of a table, None where it has none or an array."""
    for tag, following in zip(tags, [*tags[1:], None], strict=True):
        if tag.name == "tableColumn":
            calculated = following is not None and following.name == "calculatedColumnFormula"
            array = following is not None and following.attributes.get("array", "0") not in ("0", "false")
            yield following.text if following is not None and calculated and not array else None


def _properties(tags: list[Element]) -> Iterator[tuple[str, str]]:
    name = ""
    for tag in tags:
        if tag.name == "property":
            name = tag.attributes.get("name", "")
        elif tag.parent == "property":
            yield name, tag.text
