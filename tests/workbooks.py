"""Workbooks for tests, made part by part, so that a test can make any part odd."""

import io
import zipfile
from pathlib import Path

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
WORKBOOK_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"


def relations(*targets: tuple[str, str, str]) -> str:
    """A relations part of (id, kind, target)."""
    inside = "".join(
        f'<Relationship Id="{name}" Type="{RELATIONS}/{kind}" Target="{target}"/>' for name, kind, target in targets
    )
    return f'<Relationships xmlns="{PACKAGE}/relationships">{inside}</Relationships>'


def sheet_xml(rows: str, *, before: str = "", after: str = "") -> str:
    """A plain sheet around row elements."""
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        f'<worksheet xmlns="{MAIN}" xmlns:r="{RELATIONS}">{before}<sheetData>{rows}</sheetData>{after}</worksheet>'
    )


def text_cell(ref: str, text: str) -> str:
    """An inline string."""
    return f'<c r="{ref}" t="inlineStr"><is><t>{text}</t></is></c>'


def parts(sheet: str | bytes, **more: str | bytes) -> dict[str, str | bytes]:
    """The parts of a workbook with one sheet called People; `more` replaces or adds (`_` in a name is `/`)."""
    made: dict[str, str | bytes] = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{WORKBOOK_TYPE}"/>'
        '<Override PartName="/xl/worksheets/sheet1.xml" ContentType='
        '"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>',
        "_rels/.rels": relations(("rId1", "officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheets>'
        '<sheet name="People" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": relations(("rId1", "worksheet", "worksheets/sheet1.xml")),
        "xl/worksheets/sheet1.xml": sheet,
    }
    return made | {name.replace("__", "/"): part for name, part in more.items()}


def packed(members: dict[str, str | bytes], *, method: int = zipfile.ZIP_DEFLATED, stream: bool = False) -> bytes:
    """The parts as a zip; with `stream` with data descriptors, as programs write that cannot seek."""
    out = io.BytesIO()
    target = _Unseekable(out) if stream else out
    with zipfile.ZipFile(target, "w", method) as package:
        for name, part in members.items():
            package.writestr(zipfile.ZipInfo(name, (2026, 11, 22, 9, 0, 0)), part, method)
    return out.getvalue()


class _Unseekable(io.RawIOBase):
    def __init__(self, out: io.BytesIO) -> None:
        self._out = out

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:
        return self._out.write(data)


def workbook(path: Path, sheet: str | bytes, **more: str | bytes) -> Path:
    """A workbook file around one sheet part."""
    path.write_bytes(packed(parts(sheet, **more)))
    return path


def members(path: Path) -> dict[str, bytes]:
    """Every member inflated, its CRC checked."""
    with zipfile.ZipFile(path) as package:
        return {info.filename: package.read(info) for info in package.infolist()}


def people(rows: int = 3, *, marked: str = "x") -> str:
    """A sheet with Name, Phone, Message, Send and the result columns; every row marked."""
    headers = ("Name", "Phone", "Message", "Send", "Status", "Detail", "Status time", "Reply", "Reply time", "SMS ID")
    head = "".join(text_cell(f"{chr(65 + index)}1", text) for index, text in enumerate(headers))
    lines = [f'<row r="1">{head}</row>']
    for row in range(2, rows + 2):
        cells = text_cell(f"A{row}", f"Person {row}") + f'<c r="B{row}"><v>{34600000000 + row}</v></c>'
        cells += text_cell(f"C{row}", "Hello {Name}") + text_cell(f"D{row}", marked)
        lines.append(f'<row r="{row}">{cells}</row>')
    return sheet_xml("".join(lines))
