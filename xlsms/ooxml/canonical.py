"""Any legal worksheet or table of shared strings in the one plain form that the bulk readers know, made by expat.

Prefixes, quotes, attribute order, missing references, comments, CDATA sections and encodings all vanish here. Only
what a reader needs is kept: rows with number and visibility, cells with type, style, value, text, and whether a
formula stands in them, column styles, merges and the filter; of a string its text, without looks and phonetic hints.
"""

from collections.abc import Iterable, Iterator
from functools import cache

from xlsms.errors import UserError
from xlsms.ooxml.cells import MOST_COLUMNS, MOST_ROWS, column_letters, natural, reference
from xlsms.ooxml.markup import NAMESPACES, local, new_parser, parse_some

__all__ = ["canonical_sheet", "canonical_strings"]

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_SPACES = frozenset(space.decode() for space in NAMESPACES)
_ROOT = f'<worksheet xmlns="{_MAIN}">'


def escaped(text: str) -> str:
    """For text and attributes alike."""
    return (
        text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace('"', "&quot;")
        .replace("\r", "&#13;")
    )


class _Writer:
    def __init__(self) -> None:
        self.out: list[str] = []
        self._path: list[str] = []
        self._row = self._column = 0
        self._attributes: dict[str, str] = {}
        self._value: list[str] = []
        self._text: list[str] = []
        self._formula: str | None = None
        self._has_value = False
        self._opened = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        space, _, tag = name.rpartition(" ")
        tag = tag if space in _SPACES else ""
        parent = self._path[-1] if self._path else ""
        self._path.append(tag)
        if not parent and len(self._path) == 1 and tag != "worksheet":
            raise UserError("file-damaged", reason="not a worksheet")
        if tag == "sheetData" and parent == "worksheet":
            self._open()
        elif tag == "row" and parent == "sheetData":
            self._start_row(attributes)
        elif tag == "c" and parent == "row":
            self._start_cell(attributes)
        elif tag == "v" and parent == "c":
            self._has_value = True
        elif tag == "f" and parent == "c":
            kept = {key: attributes[key] for key in ("t", "ref") if key in attributes}
            self._formula = "".join(f' {key}="{escaped(value)}"' for key, value in kept.items())
        elif (
            (tag == "col" and parent == "cols") or tag == "mergeCell" or (tag == "autoFilter" and parent == "worksheet")
        ):
            self._fact(tag, parent, attributes)

    def _open(self) -> None:
        if self._opened:
            raise UserError("file-damaged", reason="rows twice")
        self._opened = True
        self.out.append("<sheetData>")

    def _fact(self, tag: str, parent: str, attributes: dict[str, str]) -> None:
        inside = "".join(f' {key}="{escaped(value)}"' for key, value in attributes.items() if " " not in key)
        element = f"<{tag}{inside}/>"
        self.out.append(element if parent == "worksheet" else f"<{parent}>{element}</{parent}>")

    def _start_row(self, attributes: dict[str, str]) -> None:
        number = natural(attributes.get("r", ""))
        self._row = self._row + 1 if number is None else number
        if not 0 < self._row <= MOST_ROWS:
            raise UserError("file-damaged", reason="a row outside the sheet")
        self._column = 0
        hidden = ' hidden="1"' if attributes.get("hidden") in ("1", "true") else ""
        self.out.append(f'<row r="{self._row}"{hidden}>')

    def _start_cell(self, attributes: dict[str, str]) -> None:
        self._attributes, self._value, self._text = attributes, [], []
        self._formula, self._has_value = None, False
        try:
            row, self._column = reference(attributes["r"])
            if row != self._row:  # some programs put the cell into the row that it names, others leave it here
                raise UserError("file-damaged", reason=f"{attributes['r']} in row {self._row}")
        except KeyError:
            self._column += 1
        except ValueError as error:
            raise UserError("file-damaged", reason="a cell outside the sheet") from error
        if self._column > MOST_COLUMNS:
            raise UserError("file-damaged", reason="a cell outside the sheet")

    def text(self, data: str) -> None:
        path = self._path
        if path[-1] == "v" and path[-2] == "c":
            self._value.append(data)
        elif path[-1] == "t" and "is" in path and "rPh" not in path:
            self._text.append(data)

    def end(self, _: str) -> None:
        tag = self._path.pop()
        parent = self._path[-1] if self._path else ""
        if tag == "c" and parent == "row":
            self._end_cell()
        elif tag == "row" and parent == "sheetData":
            self.out.append("</row>")
        elif tag == "sheetData" and parent == "worksheet":
            self.out.append("</sheetData>")
        elif tag == "worksheet" and not self._path:
            if not self._opened:
                self.out.append("<sheetData></sheetData>")
            self.out.append("</worksheet>")

    def _end_cell(self) -> None:
        kept = "".join(f' {key}="{escaped(self._attributes[key])}"' for key in ("s", "t") if key in self._attributes)
        inside = f"<f{self._formula}/>" if self._formula is not None else ""
        if self._has_value:
            inside += f"<v>{escaped(''.join(self._value))}</v>"
        if self._attributes.get("t") == "inlineStr":
            inside += f"<is><t>{escaped(''.join(self._text))}</t></is>"
        ref = f"{column_letters(self._column)}{self._row}"
        self.out.append(f'<c r="{ref}"{kept}>{inside}</c>' if inside else f'<c r="{ref}"{kept}/>')


def canonical_sheet(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The plain form of a sheet, piece by piece.

    Raises:
        UserError: `file-damaged` for XML that is not well-formed, `file-suspicious` for a document type.
    """
    writer = _Writer()
    parser = new_parser()
    parser.StartElementHandler = writer.start
    parser.EndElementHandler = writer.end
    parser.CharacterDataHandler = writer.text
    yield _ROOT.encode()
    for _ in parse_some(parser, chunks):
        if writer.out:
            yield "".join(writer.out).encode()
            writer.out.clear()


def canonical_strings(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The plain form of a table of shared strings, piece by piece: `<si><t>…</t></si>`, one text each.

    Raises:
        UserError: `file-damaged` for XML that is not well-formed, `file-suspicious` for a document type.
    """
    out: list[str] = ["<sst>"]
    quiet = 0
    inside = False
    tags = cache(local)

    def start(name: str, _: dict[str, str]) -> None:
        nonlocal quiet, inside
        tag = tags(name)
        if tag == "si":
            out.append("<si><t>")
        quiet += tag == "rPh"
        inside = tag == "t"

    def end(name: str) -> None:
        nonlocal quiet, inside
        tag = tags(name)
        if tag == "si":
            out.append("</t></si>")
        quiet -= tag == "rPh"
        inside = False

    def text(data: str) -> None:
        if inside and not quiet:
            # `_xHHHH_` stays as it is: only what XML itself needs is escaped
            out.append(data.replace("&", "&amp;").replace("<", "&lt;").replace("\r", "&#13;"))

    parser = new_parser()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    for _ in parse_some(parser, chunks):
        yield "".join(out).encode()
        out.clear()
