"""Every formula of a package that refers to something: in cells, names, charts, conditions, tables, pivot sources."""

import re
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass

from xlsms.errors import UserError
from xlsms.ooxml.book import SHEET_LIMIT, Book
from xlsms.ooxml.cells import Area, column_letters, natural, reference
from xlsms.ooxml.formula import Targets
from xlsms.ooxml.markup import local, new_parser, parse_some
from xlsms.ooxml.package import Member

__all__ = ["Mention", "mentions"]

_TEXTS = frozenset(
    {"f", "formula", "formula1", "formula2", "definedName", "calculatedColumnFormula", "totalsRowFormula"}
)
_LIKELY = re.compile(
    rb"[<:](?:f|formula[12]?|definedName|calculatedColumnFormula|totalsRowFormula|worksheetSource|hyperlink)[\s>]"
)
_OVERLAP = 32  # bytes of a piece that the next one is searched with
_BUILT_IN = "_xlnm."  # print areas and filters: they may cover anything


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """One formula and where it stands: a cell of a sheet, or words for anything else."""

    formula: str
    where: str
    sheet: str | None = None
    row: int | None = None
    column: str | None = None
    bridges: bool = False  #: every area it refers to begins left of the columns looked for and ends right of them


def mentions(
    book: Book, targets: Targets, *, without: Container[Member], skip: Callable[[str], bool] = lambda _: False
) -> Iterator[Mention]:
    """The formulas that refer to `targets`, but for those in the parts `without` and those that `skip` knows."""
    homes = {part.member: part.name for part in book.sheets}
    for sheet in book.sheets:
        homes |= {table.member: sheet.name for table in book.tables(sheet) if table.member}
    for member in book.package.members:
        kept = member not in without and member.key.startswith("/") and member.key.endswith(".xml")
        if not kept or member.key.endswith(("/sharedstrings.xml", "/styles.xml")) or not _likely(book, member):
            continue
        finder = _Finder(targets, homes.get(member), member.key.lstrip("/"), skip)
        for _ in parse_some(finder.parser, book.package.chunks(member, SHEET_LIMIT)):
            yield from finder.found
            finder.found.clear()


def _likely(book: Book, member: Member) -> bool:
    """Whether a part may hold a formula; most sheets hold none and need no parser."""
    end = b""
    for chunk in book.package.chunks(member, SHEET_LIMIT):
        if _LIKELY.search(end + chunk):
            return True
        end = chunk[-_OVERLAP:]
    return False


class _Finder:
    """Reads one part."""

    def __init__(self, targets: Targets, home: str | None, part: str, skip: Callable[[str], bool]) -> None:
        self._targets, self._home, self._part, self._skip = targets, home, part, skip
        self._row = self._column = 0
        self._text: list[str] | None = None
        self._attributes: dict[str, str] = {}
        self.found: list[Mention] = []
        self.parser = new_parser()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._take

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        tag = local(name)
        if tag == "row":
            self._row, self._column = natural(attributes.get("r", "")) or self._row + 1, 0
        elif tag == "c" and "r" in attributes:
            try:
                self._row, self._column = reference(attributes["r"])
            except ValueError as error:
                raise UserError("file-damaged", reason=str(error)) from error
        elif tag == "c":
            self._column += 1
        elif tag in _TEXTS:
            self._text, self._attributes = [], attributes
        elif tag == "hyperlink" and "location" in attributes:
            self._look(attributes["location"], f"{self._home}!{attributes.get('ref', '')}")
        elif tag == "worksheetSource":
            sheet, area = attributes.get("sheet", ""), attributes.get("ref", "")
            source = f"'{sheet.replace(chr(39), chr(39) * 2)}'!{area}" if area else attributes.get("name", "")
            self._look(source, self._part, named=True)

    def _take(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def _end(self, name: str) -> None:
        tag = local(name)
        if tag == "sheetData":
            self._row = self._column = 0
        if self._text is None or tag not in _TEXTS:
            return
        text, self._text = "".join(self._text), None
        called = self._attributes.get("name", "")
        if tag == "definedName" and not called.startswith(_BUILT_IN):
            self._look(text, called)
        elif tag != "definedName" and not self._skip(text):
            self._look(text, self._part)

    def _look(self, formula: str, where: str, *, named: bool = False) -> None:
        """Note a formula that refers to the targets; `named` says that it needs the columns in its area by name."""
        shared = Area.of(self._attributes.get("ref", "")) if self._row else None
        widen = (shared.bottom - shared.top, shared.right - shared.left) if shared else (0, 0)
        if not self._targets.hit(formula, self._home, widen=widen):
            return
        bridges = not named and not self._targets.hit(formula, self._home, widen=widen, bridging=False)
        if self._row and self._home:
            letters = column_letters(self._column)
            self.found.append(
                Mention(
                    formula=formula,
                    where=f"{self._home}!{letters}{self._row}",
                    sheet=self._home,
                    row=self._row,
                    column=letters,
                    bridges=bridges,
                )
            )
        else:
            self.found.append(Mention(formula=formula, where=where, bridges=bridges))
