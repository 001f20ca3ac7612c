"""What stands around the rows of a sheet, changed as the sheet streams by: columns, filter, validation, colours."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from xlsms.errors import UserError
from xlsms.ooxml.block import NotPlainError, blocks
from xlsms.ooxml.cells import Area, column_letters
from xlsms.ooxml.encoding import UTF8, encoding_of
from xlsms.ooxml.outline import Edits, Node, attribute_text, outline, with_attribute
from xlsms.ooxml.scan import root_tag

__all__ = ["Choice", "Colour", "Frame", "NewColumn", "area_text", "around", "cut_columns", "lead", "prefix_of"]

#: The order of a worksheet's children after its rows (ECMA-376 §18.3.1.99).
_TAIL = (
    "sheetCalcPr",
    "sheetProtection",
    "protectedRanges",
    "scenarios",
    "autoFilter",
    "sortState",
    "dataConsolidate",
    "customSheetViews",
    "mergeCells",
    "phoneticPr",
    "conditionalFormatting",
    "dataValidations",
)


def around(chunks: Iterable[bytes]) -> Node:
    """The elements that follow the rows of a sheet, as children of its root.

    Raises:
        UserError: `sheet-not-writable`.
    """
    head = b""
    try:
        for kind, data in blocks(chunks):
            if kind == "head":
                head = data
            elif kind == "tail":
                return outline(lead(_in_utf8(head)) + data)
    except NotPlainError as error:
        raise UserError("sheet-not-writable") from error
    raise UserError("sheet-not-writable")


def _in_utf8(head: bytes) -> bytes:
    """`head`, if it begins a sheet in UTF-8: what is added around the rows of others would be in the wrong encoding."""
    if encoding_of(head) != UTF8:
        raise UserError("sheet-not-writable")
    return head


def lead(head: bytes) -> bytes:
    """What makes the rest of a sheet after its rows well-formed."""
    return root_tag(head) + (b"" if head.endswith(b"/>") else b"<" + prefix_of(head) + b"sheetData>")


def area_text(area: Area) -> str:
    """`A1:B9`."""
    return f"{column_letters(area.left)}{area.top}:{column_letters(area.right)}{area.bottom}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewColumn:
    """How a column looks; width in characters."""

    column: int
    width: float
    style: int | None = None
    hidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A drop-down list in an area: the one value `value`, with a hint; other values stay allowed."""

    area: Area
    value: str
    title: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Colour:
    """Conditional formats of an area: formulas with the number of a differential format each."""

    area: Area
    rules: Sequence[tuple[str, int]]


@dataclass(slots=True, kw_only=True)
class Frame:
    """What is to be changed around the rows of one sheet."""

    columns: list[NewColumn] = field(default_factory=list)
    filter: Area | None = None  #: what the sheet's filter is to cover
    choices: list[Choice] = field(default_factory=list)
    colours: list[Colour] = field(default_factory=list)

    def chunks(self, source: Iterable[bytes]) -> Iterator[bytes]:
        """The sheet's XML with the changes made."""
        try:
            for kind, data in blocks(source):
                if kind == "head":
                    prefix = prefix_of(data)
                    head = self._head(_in_utf8(data), prefix)
                    yield head
                else:
                    yield self._tail(data, head, prefix) if kind == "tail" else data
        except NotPlainError as error:
            raise UserError("sheet-not-writable") from error

    def _head(self, head: bytes, prefix: bytes) -> bytes:
        if not self.columns:
            return head
        rest = (b"" if head.endswith(b"/>") else b"</" + prefix + b"sheetData>") + b"</" + prefix + b"worksheet>"
        edits = Edits(head + rest)
        cols = edits.root.child("cols")
        p = prefix.decode()
        wanted = {new.column: new for new in self.columns}
        if cols is None:
            data = edits.root.child("sheetData")
            start = data.start if data else len(head)
            edits.insert(start, f"<{p}cols>" + "".join(_col(p, wanted[at]) for at in sorted(wanted)) + f"</{p}cols>")
        else:
            kept = [piece for col in cols.children for piece in cut_columns(edits, col, wanted)]
            new = [(at, _col(p, wanted[at])) for at in wanted]
            xml = "".join(text for _, text in sorted(kept + new, key=lambda piece: piece[0]))
            edits.replace(cols.opening, cols.closing, xml)
        return edits.result()[: -len(rest)]

    def _tail(self, tail: bytes, head: bytes, prefix: bytes) -> bytes:
        before = lead(head)
        edits = Edits(before + tail)
        p = prefix.decode()
        root = edits.root
        found = root.child("autoFilter")
        if self.filter and found:
            edits.set(found, "ref", area_text(self.filter))
        priority = max((rule.number("priority") for rule in root.all("cfRule")), default=0)
        colours = []
        for colour in self.colours:
            rules = []
            for formula, style in colour.rules:
                priority += 1
                text = attribute_text(formula).replace("&quot;", '"')
                rules.append(
                    f'<{p}cfRule type="expression" dxfId="{style}" priority="{priority}">'
                    f"<{p}formula>{text}</{p}formula></{p}cfRule>"
                )
            ref = area_text(colour.area)
            colours.append(f'<{p}conditionalFormatting sqref="{ref}">{"".join(rules)}</{p}conditionalFormatting>')
        if colours:
            edits.insert(_after(root, "conditionalFormatting"), "".join(colours))
        self._validate(edits, root, p)
        return edits.result()[len(before) :]

    def _validate(self, edits: Edits, root: Node, p: str) -> None:
        choices = "".join(_choice(p, choice) for choice in self.choices)
        there = root.child("dataValidations")
        if there is not None and choices:
            edits.append(there, choices)
            edits.set(there, "count", str(len(there.children) + len(self.choices)))
        elif choices:
            count = len(self.choices)
            xml = f'<{p}dataValidations count="{count}">{choices}</{p}dataValidations>'
            edits.insert(_after(root, "dataValidations"), xml)


def prefix_of(head: bytes) -> bytes:
    """The prefix of a sheet's elements, with its colon, as the start tag that ends `head` has it."""
    return head[head.rfind(b"<") + 1 :].split(b"sheetData")[0]


def _col(p: str, new: NewColumn) -> str:
    style = f' style="{new.style}"' if new.style else ""
    hidden = ' hidden="1"' if new.hidden else ""
    return f'<{p}col min="{new.column}" max="{new.column}" width="{new.width:g}"{style}{hidden} customWidth="1"/>'


def cut_columns(edits: Edits, col: Node, wanted: Iterable[int]) -> Iterator[tuple[int, str]]:
    """A column definition, cut where new ones take its place; each piece with its first column."""
    first, last = col.number("min", 1), col.number("max", 1)
    cuts = [at for at in sorted(wanted) if first <= at <= last]
    xml = edits.xml[col.start : col.end].decode()
    if not cuts:
        yield first, xml
        return
    tag = edits.xml[col.start : col.opening]
    for cut in (*cuts, last + 1):
        if first < cut:
            yield first, _ranged(tag, first, cut - 1) + ("" if tag.endswith(b"/>") else f"</{col.prefix}col>")
        first = cut + 1


def _ranged(tag: bytes, first: int, last: int) -> str:
    return with_attribute(with_attribute(tag, "min", str(first)), "max", str(last)).decode()


def _after(root: Node, name: str) -> int:
    """Where an element belongs behind all that may stand before it."""
    before = _TAIL[: _TAIL.index(name) + 1]
    known = [child for child in root.children if child.name in (*before, "sheetData")]
    return max(child.end for child in known)


def _choice(p: str, choice: Choice) -> str:
    title, hint = attribute_text(choice.title), attribute_text(choice.hint)
    return (
        f'<{p}dataValidation type="list" allowBlank="1" showInputMessage="1" promptTitle="{title}" prompt="{hint}" '
        f'sqref="{area_text(choice.area)}"><{p}formula1>"{choice.value}"</{p}formula1></{p}dataValidation>'
    )
