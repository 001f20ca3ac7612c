"""Large workbooks made quickly, for measuring: written as XML by hand, a million rows in seconds."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

__all__ = ["HEADERS", "Kind", "generate"]

HEADERS = ("Name", "Phone", "Message", "Send", "When", "Amount", "City", "Status", "Detail", "Reply", "Note", "SMS ID")
Kind = Literal["shared", "inline"]

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_LETTERS = "BCDFGHJKMNPQRSTVWXZ"
_BLOCK = 5_000
_CITIES = 500
_WEIGHTS = range(1, 13)
_SAME = (
    *HEADERS,
    "Hello {Name}, your appointment is on {When}",
    "x",
    "Queued",
    "",
    *(f"City {number}" for number in range(_CITIES)),
)
_OWN = 4  #: texts of a row that no other row has


def row_id(row: int) -> str:
    """The valid id of a row."""
    digits = [(row // 19**place) % 19 for place in range(12)]
    check = sum(weight * digit for weight, digit in zip(_WEIGHTS, digits, strict=True)) % 19
    return "".join(_LETTERS[digit] for digit in (*digits, check))


def _texts(row: int) -> tuple[str, str, str, str]:
    return f"Person {row}", f"detail of {row}", f"Note {row} with some more text", row_id(row)


def _row(row: int, kind: Kind) -> str:
    own = len(_SAME) + (row - 1) * _OWN
    numbers = (own, 12, 13, len(HEADERS) + 4 + row % _CITIES, 14, own + 1, 15, own + 2, own + 3)
    name, detail, note, identity = _texts(row)

    def text(column: str, number: int, words: str) -> str:
        if kind == "shared":
            return f'<c r="{column}{row + 1}" t="s"><v>{number}</v></c>'
        return f'<c r="{column}{row + 1}" t="inlineStr"><is><t>{words}</t></is></c>'

    mark = text("D", numbers[2], "x") if row % 10_000 == 1 else ""
    when = 46_000 + row % 336 + (row % 60) / 1440
    return (
        f'<row r="{row + 1}" spans="1:12">{text("A", numbers[0], name)}'
        f'<c r="B{row + 1}"><v>{34_600_000_000 + row}</v></c>{text("C", numbers[1], _SAME[12])}{mark}'
        f'<c r="E{row + 1}" s="1"><v>{when!r}</v></c><c r="F{row + 1}"><v>{row / 7!r}</v></c>'
        f"{text('G', numbers[3], _SAME[numbers[3]])}{text('H', numbers[4], 'Queued')}"
        f"{text('I', numbers[5], detail)}{text('J', numbers[6], '')}{text('K', numbers[7], note)}"
        f"{text('L', numbers[8], identity)}</row>"
    )


def _sheet(rows: int, kind: Kind) -> Iterator[str]:
    yield f'{_HEAD}<worksheet xmlns="{_MAIN}"><dimension ref="A1:L{rows + 1}"/><sheetData><row r="1" spans="1:12">'
    for number, header in enumerate(HEADERS):
        yield f'<c r="{chr(65 + number)}1" t="inlineStr"><is><t>{header}</t></is></c>'
    yield "</row>"
    for first in range(1, rows + 1, _BLOCK):
        yield "".join(_row(row, kind) for row in range(first, min(first + _BLOCK, rows + 1)))
    yield "</sheetData></worksheet>"


def _strings(rows: int) -> Iterator[str]:
    count = len(_SAME) + rows * _OWN
    yield f'{_HEAD}<sst xmlns="{_MAIN}" count="{rows * 8}" uniqueCount="{count}">'
    yield "".join(f"<si><t>{text}</t></si>" for text in _SAME)
    for first in range(1, rows + 1, _BLOCK):
        block = range(first, min(first + _BLOCK, rows + 1))
        yield "".join(f"<si><t>{text}</t></si>" for row in block for text in _texts(row))
    yield "</sst>"


def generate(path: Path, rows: int, kind: Kind) -> None:
    """12 columns: 8 of text (half of it different in every row), numbers, a date; one mark in 10,000 rows."""
    kinds = {
        "/xl/workbook.xml": "sheet.main",
        "/xl/worksheets/sheet1.xml": "worksheet",
        "/xl/styles.xml": "styles",
        "/xl/sharedStrings.xml": "sharedStrings",
    }
    overrides = "".join(
        f'<Override PartName="{part}" '
        f'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.{name}+xml"/>'
        for part, name in kinds.items()
    )
    rels = "application/vnd.openxmlformats-package.relationships+xml"
    targets = ("worksheets/sheet1", "styles", "sharedStrings")
    related = "".join(
        f'<Relationship Id="rId{number}" Type="{_DOCUMENT}/{target.split("/")[0].replace("worksheets", "worksheet")}" '
        f'Target="{target}.xml"/>'
        for number, target in enumerate(targets, 1)
    )
    xfs = '<xf numFmtId="0" fontId="0" fillId="0" borderId="0"/><xf numFmtId="22" fontId="0" fillId="0" borderId="0"/>'
    small = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        f'<Default Extension="rels" ContentType="{rels}"/><Default Extension="xml" ContentType="application/xml"/>'
        f"{overrides}</Types>",
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{_DOCUMENT}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_DOCUMENT}">'
        '<sheets><sheet name="People" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">{related}</Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><fonts count="1"><font><sz val="11"/><name val="Calibri"/></font>'
        '</fonts><fills count="1"><fill><patternFill patternType="none"/></fill></fills><borders count="1"><border/>'
        f'</borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2">{xfs}</cellXfs></styleSheet>',
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as package:
        for name, text in small.items():
            package.writestr(name, _HEAD + text)
        for name, pieces in (
            ("xl/worksheets/sheet1.xml", _sheet(rows, kind)),
            ("xl/sharedStrings.xml", _strings(rows if kind == "shared" else 0)),
        ):
            with package.open(name, "w", force_zip64=False) as part:
                for piece in pieces:
                    part.write(piece.encode())
