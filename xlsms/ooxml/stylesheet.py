"""Cell formats added to a stylesheet: append only, so that no number in use ever changes its meaning."""

import re

from xlsms.errors import UserError
from xlsms.ooxml.outline import Edits, Node, attribute_text, with_attribute

__all__ = ["EMPTY", "Stylesheet", "fonts_in_order"]

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"

#: The stylesheet of a workbook that has none, or an empty one.
EMPTY = (
    f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<styleSheet xmlns="{_MAIN}">'
    '<fonts count="1"><font><sz val="11"/><name val="Calibri"/><family val="2"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    '</fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
).encode()

_FIRST_OWN = 164  # of the number formats that a workbook spells out
_FILLS = ("none", "gray125")  # what the first two are to Excel, whatever the file says

#: The order of a stylesheet's children (ECMA-376 §18.8.39).
_ORDER = (
    "numFmts",
    "fonts",
    "fills",
    "borders",
    "cellStyleXfs",
    "cellXfs",
    "cellStyles",
    "dxfs",
    "tableStyles",
    "colors",
    "extLst",
)

#: The order of a font's children as Excel writes them (§18.8.22).
_FONT_ORDER = (
    *(b"b", b"i", b"strike", b"condense", b"extend", b"outline", b"shadow", b"u", b"vertAlign"),
    *(b"sz", b"color", b"name", b"family", b"charset", b"scheme"),
)
_FONT = re.compile(rb"<font>((?:<[^<>]*/>)*)</font>")
_FONT_CHILD = re.compile(rb"<(\w+)[^<>]*/>")


def fonts_in_order(xml: bytes) -> bytes:
    """A styles part of openpyxl's, which writes the children of a font in an order of its own, with those of Excel."""

    def ordered(font: re.Match[bytes]) -> bytes:
        children = sorted(_FONT_CHILD.finditer(font[1]), key=lambda child: _FONT_ORDER.index(child[1]))
        return b"<font>" + b"".join(child[0] for child in children) + b"</font>"

    return _FONT.sub(ordered, xml)


class Stylesheet:
    """The styles part of a workbook and what is added to it."""

    def __init__(self, xml: bytes) -> None:
        self._edits = Edits(xml)
        if not self._edits.root.children:  # as some programs leave it
            self._edits = Edits(EMPTY)
        self._root = self._edits.root
        self._known: dict[tuple[str, str], int] = {}
        self._counts: dict[str, int] = {}
        self._codes: dict[str, int] = {}
        formats = self._root.child("numFmts")
        self._number_formats = formats.children if formats else []
        self._pending: dict[str, list[str]] = {}  # of lists that the part does not have
        formats = self._root.child("cellXfs")
        self._formats = [child for child in formats.children if child.name == "xf"] if formats else []
        if not self._formats:
            raise UserError("file-damaged", reason="no cell formats")

    @property
    def changed(self) -> bool:
        """Whether anything was added."""
        return bool(self._edits.changed or self._pending)

    @property
    def prefix(self) -> str:
        """The prefix of the part's elements."""
        return self._root.prefix

    @property
    def usual_font(self) -> str:
        """The name of the font that a cell without a format has."""
        fonts = self._root.child("fonts")
        name = fonts.children[0].child("name") if fonts and fonts.children else None
        return name.attributes.get("val", "Calibri") if name else "Calibri"

    def font_of(self, style: int) -> str:
        """The number of the font of a cell format, as text."""
        return self._formats[style].attributes.get("fontId", "0") if style < len(self._formats) else "0"

    def derived(self, style: int, number_format: int | None, *, unlocked: bool = False) -> int:
        """A cell format that looks like `style` but has `number_format`, and text from the left or in the middle.

        With `unlocked` its cells can be changed in a protected sheet. None keeps the number format.
        """
        if not 0 <= style < len(self._formats):
            style = 0
        node = self._formats[style]
        alignment = node.child("alignment")
        horizontal = alignment.attributes.get("horizontal", "general") if alignment else "general"
        fits = horizontal in ("general", "left", "center") or number_format is None
        if number_format is None or node.attributes.get("numFmtId", "0") == str(number_format):
            number_format = node.number("numFmtId")
            if fits and not unlocked:
                return style
        xml = self._edits.xml
        tag = with_attribute(xml[node.start : node.opening], "numFmtId", str(number_format))
        tag = with_attribute(tag, "applyNumberFormat", "1") if number_format else tag
        tag = with_attribute(tag, "applyProtection", "1") if unlocked else tag
        if tag.endswith(b"/>"):
            tag = tag[:-2].rstrip() + b">"
        inside = b"".join(self._kept(child, fits=fits, unlocked=unlocked) for child in node.children)
        if unlocked:
            at = len(self._kept(alignment, fits=fits, unlocked=True)) if alignment else 0
            inside = inside[:at] + f'<{node.prefix}protection locked="0"/>'.encode() + inside[at:]
        return self.add("cellXfs", (tag + inside).decode() + f"</{node.prefix}xf>")

    def _kept(self, child: Node, *, fits: bool, unlocked: bool) -> bytes:
        """A child of a cell format in one derived from it."""
        xml = self._edits.xml
        if child.name == "protection" and unlocked:
            return b""
        if child.name != "alignment" or fits:
            return xml[child.start : child.end]
        line = with_attribute(xml[child.start : child.opening], "horizontal", "left")
        return with_attribute(line, "indent", "0") + xml[child.opening : child.end]

    def number_format(self, code: str) -> int:
        """The id of a number format of the workbook's own, added if need be."""
        there = {node.attributes.get("formatCode"): node.number("numFmtId") for node in self._number_formats}
        if code in there:
            return there[code]
        highest = max(there.values(), default=0)
        number = max(highest, _FIRST_OWN - 1) + 1 + len(self._codes)
        number = self._codes.setdefault(code, number)
        self.add("numFmts", f'<{self.prefix}numFmt numFmtId="{number}" formatCode="{attribute_text(code)}"/>')
        return number

    def coloured(self, background: str, ink: str) -> int:
        """A differential format for a conditional colour; colours are RRGGBB."""
        p = self.prefix
        return self.add(
            "dxfs",
            f'<{p}dxf><{p}font><{p}b/><{p}color rgb="FF{ink}"/></{p}font>'
            f'<{p}fill><{p}patternFill patternType="solid">'
            f'<{p}bgColor rgb="FF{background}"/></{p}patternFill></{p}fill>'
            f"</{p}dxf>",
        )

    def add(self, kind: str, element: str) -> int:
        """The number of an element in one of the lists, appended where the same is not there yet."""
        node = self._root.child(kind)
        if kind not in self._counts:
            there = node.children if node else []
            self._counts[kind] = len(there)
            xml = self._edits.xml
            self._known |= {(kind, xml[child.start : child.end].decode()): at for at, child in enumerate(there)}
            p = self.prefix
            for pattern in _FILLS[len(there) :] if kind == "fills" else ():
                self.add(kind, f'<{p}fill><{p}patternFill patternType="{pattern}"/></{p}fill>')
        known = self._known.get((kind, element))
        if known is not None:
            return known
        number = self._known[kind, element] = self._counts[kind]
        self._counts[kind] += 1
        if node is None:
            self._pending.setdefault(kind, []).append(element)
        else:
            self._edits.append(node, element)
            self._edits.set(node, "count", str(self._counts[kind]))
        return number

    def result(self) -> bytes:
        """The part with everything added."""
        for kind in _ORDER:
            if kind not in self._pending:
                continue
            p, inside = self.prefix, "".join(self._pending.pop(kind))
            element = f'<{p}{kind} count="{self._counts[kind]}">{inside}</{p}{kind}>'
            later = _ORDER[_ORDER.index(kind) + 1 :]
            after = next((child.start for child in self._root.children if child.name in later), self._root.closing)
            self._edits.insert(after, element)
        return self._edits.result()
