"""Reads and writes broken and hostile packages in a process with little memory: `fuzz_child.py FOLDER SEED ROUNDS`.

Tells the seed of each round before it begins, so that whoever started it knows where it ended. A round that takes longer
than a minute ends the process.
"""

import io
import resource
import signal
import sys
import zipfile
from pathlib import Path
from random import Random

from tests.workbooks import MAIN, RELATIONS, packed, parts, people, relations, sheet_xml, text_cell
from xlsms.errors import XlsmsError
from xlsms.workbook import read_rows, write_cells

LIMIT = 256 << 20
PATIENCE = 60
SHEET = "xl/worksheets/sheet1.xml"
PIECES = [b"", b"<", b">", b'"', b"&", b"<row>", b"</row>", b'<c r="', b"\xff", b"9" * 30, b"<!--", b"<![CDATA[", b"]]>",
          b'r="XFD1048576"', b'r="ZZZZZ1"', b'r="1048577"', b"<!DOCTYPE a>", b"\0", b"<x:", b"</worksheet>"]  # fmt: skip


def with_strings(chance, content):
    related = relations(("rId1", "worksheet", "worksheets/sheet1.xml"), ("rId2", "sharedStrings", "strings.xml"))
    cell = f'<c r="C3" t="s"><v>{chance.randrange(3)}</v></c></row></sheetData>'
    sheet = people().replace("</row></sheetData>", cell)
    return parts(sheet) | {"xl/_rels/workbook.xml.rels": related, "xl/strings.xml": content}


HOSTILE = {
    "blanks": lambda chance: with_strings(chance, b" " * (80 << 20)),
    "one long string": lambda chance: with_strings(chance, f'<sst xmlns="{MAIN}"><si><t>' + "x" * (60 << 20)),
    "many strings": lambda chance: with_strings(
        chance, f'<sst xmlns="{MAIN}">' + "<si><t>x</t></si>" * 2_000_000 + "</sst>"
    ),
    "many odd strings": lambda chance: with_strings(
        chance, f'<sst xmlns="{MAIN}">' + "<si ><t>x</t></si>" * 1_000_000 + "</sst>"
    ),
    "many strings with a prefix": lambda chance: with_strings(
        chance, f'<x:sst xmlns:x="{MAIN}">' + "<x:si><x:t>x</x:t></x:si>" * 3_000_000 + "</x:sst>"
    ),
    "a long cell": lambda _: parts(people().replace("Person 3", "x" * (60 << 20))),
    "a long attribute": lambda _: parts(people().replace('<row r="3"', f'<row ht="{"1" * (60 << 20)}" r="3"')),
    "a row without end": lambda _: parts(sheet_xml('<row r="1">' + text_cell("A1", "Phone") * 700_000)),
    "a comment without end": lambda _: parts(people().replace('<row r="3"', "<!--" + " " * (80 << 20) + '<row r="3"')),
    "far apart": lambda _: parts(people().replace('<row r="4"', '<row r="1048576"').replace("A4", "XFD1048576")),
    "deep": lambda _: parts(sheet_xml("", after="<a>" * 3_000_000)),
    "many rows": lambda _: parts(people().replace("</sheetData>", '<row r="9"/>' * 3_000_000 + "</sheetData>")),
    "many merges": lambda _: parts(sheet_xml("", after="<mergeCells>" + '<mergeCell ref="A1:B2"/>' * 500_000)),
    "many merges behind a list": lambda _: parts(
        people().replace(
            "</sheetData>", "</sheetData>" + "".join(f'<mergeCell ref="H{row}:I{row}"/>' for row in range(9, 200_009))
        )
    ),
    "many filters": lambda _: parts(
        people().replace("</sheetData>", "</sheetData>" + '<autoFilter ref="A1"/>' * 1_500_000)
    ),
    "many attributes": lambda _: parts(
        people().replace('<row r="3"', '<row r="3" ' + " ".join(f'a{number}="1"' for number in range(500_000)))
    ),
    "many tabs of one sheet": lambda _: (
        parts(people())
        | {
            "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheets>'
            + "".join(f'<sheet name="a{number}" sheetId="1" r:id="rId1"/>' for number in range(70_000))
            + "</sheets></workbook>"
        }
    ),
    "many number formats": lambda _: (
        parts(people())
        | {
            "xl/_rels/workbook.xml.rels": relations(
                ("rId1", "worksheet", "worksheets/sheet1.xml"), ("rId2", "styles", "styles.xml")
            ),
            "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><numFmts>'
            + "".join(f'<numFmt numFmtId="{number}" formatCode="0"/>' for number in range(700_000))
            + "</numFmts></styleSheet>",
        }
    ),
    "a long number format": lambda _: (
        parts(people().replace('<c r="B3">', '<c r="B3" s="1">'))
        | {
            "xl/_rels/workbook.xml.rels": relations(
                ("rId1", "worksheet", "worksheets/sheet1.xml"), ("rId2", "styles", "styles.xml")
            ),
            "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><numFmts><numFmt numFmtId="200" formatCode="{"[$-" * 40_000}"/>'
            '</numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="200"/></cellXfs></styleSheet>',
        }
    ),
    "many members": lambda _: parts(people()) | {f"xl/{number}.xml": "" for number in range(30_000)},
    "many sheets": lambda _: (
        parts(people())
        | {
            "xl/workbook.xml": f'<workbook xmlns="{MAIN}"><sheets>' + '<sheet name="a" sheetId="1"/>' * 500_000,
        }
    ),
    "many relations": lambda _: (
        parts(people())
        | {"xl/_rels/workbook.xml.rels": relations(*[("rId1", "worksheet", "worksheets/sheet1.xml")] * 100_000)}
    ),
    "many styles": lambda _: (
        parts(people())
        | {
            "xl/_rels/workbook.xml.rels": relations(
                ("rId1", "worksheet", "worksheets/sheet1.xml"), ("rId2", "styles", "styles.xml")
            ),
            "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><cellXfs>' + "<xf/>" * 2_000_000 + "</cellXfs></styleSheet>",
        }
    ),
}


def broken_bytes(chance):
    data = bytearray(packed(parts(people()), method=chance.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])))
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(data))
        data[at : at + chance.choice([0, 1, 1, 4])] = chance.randbytes(chance.choice([1, 1, 1, 4]))
    return bytes(data)


def broken_parts(chance):
    made = parts(people())
    for _ in range(chance.randint(1, 3)):
        name = chance.choice([SHEET, *made])
        part = made[name] if isinstance(made[name], bytes) else made[name].encode()
        at = chance.randrange(len(part))
        made[name] = part[:at] + chance.choice(PIECES) + part[at + chance.randrange(9) :]
    return packed(made)


def package(seed):
    """The package of a round: each hostile one once, then broken ones."""
    chance = Random(seed)
    if seed < len(HOSTILE):
        return packed(list(HOSTILE.values())[seed](chance))
    return chance.choice([broken_bytes, broken_parts])(chance)


def survive(path):
    """Rows or a reason, and a written file or an untouched one."""
    before = path.read_bytes()
    reason = None
    try:
        for row in read_rows(path):
            dict(row.fields)
    except XlsmsError as error:
        reason = error
    assert reason is None or reason.message() != reason.code
    assert path.read_bytes() == before
    try:
        write_cells(path, {("People", "E2"): "Sent"})
    except XlsmsError:
        assert path.read_bytes() == before
    else:
        del before
        assert zipfile.ZipFile(io.BytesIO(path.read_bytes())).namelist()
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def main():
    folder, seed, rounds = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    path = folder / "a.xlsx"
    soft = resource.getrlimit(resource.RLIMIT_AS)[1]
    for now in range(seed, seed + rounds):
        print(now, list(HOSTILE)[now] if now < len(HOSTILE) else "broken", flush=True)
        path.write_bytes(package(now))
        resource.setrlimit(resource.RLIMIT_AS, (LIMIT, soft))  # making a hostile one may take more
        signal.alarm(PATIENCE)
        survive(path)
        signal.alarm(0)
        resource.setrlimit(resource.RLIMIT_AS, (soft, soft))


if __name__ == "__main__":
    main()
