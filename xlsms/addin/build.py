"""`xlsms.xlam`, made of the sources beside this file: the same bytes each time, on every computer.

No part is compressed by zlib, whose versions differ in what they write; the whole is about a hundred kilobytes. The
settings that tell the add-in of one computer from another stand on a hidden sheet of its own.
"""

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from xml.sax.saxutils import escape

import xlsms
from xlsms.addin.icon import png
from xlsms.addin.project import Kind, Module, vba_project
from xlsms.addin.ribbon import buttons, ribbon_xml, texts
from xlsms.addin.verb import Verb, needs

__all__ = ["FILE_NAME", "Settings", "addin", "modules", "sources", "vba"]

FILE_NAME = "xlsms.xlam"
PROJECT_NAME = "XlsmsAddIn"
PROJECT_ID = "{6B0F6E3C-5B7A-4C0E-9C56-3E5A0D7C2F11}"  # any will do; a fixed one keeps the bytes the same
LARGE, NORMAL = 64, 32  #: pixels of a picture: twice what Office shows on an ordinary screen

_FOLDER = Path(__file__).with_name("vba")
_STANDARD = ("SmsText", "SmsFile", "SmsLaunch", "SmsRibbon", "SmsTick")
_CLASSES = ("SmsBook", "SmsEvents")
CODE_NAMES = {"settings": "SmsSettings", "texts": "SmsTexts"}  #: name of the sheet: name of the module behind it
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first date that a zip file knows

_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_OPEN = "http://schemas.openxmlformats.org"
_MAIN = f"{_OPEN}/spreadsheetml/2006/main"
_RELATIONS = f"{_OPEN}/officeDocument/2006/relationships"
_PACKAGE = f"{_OPEN}/package/2006"
_MICROSOFT = "http://schemas.microsoft.com/office"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What an add-in knows of the computer that it is for; with nothing it fits every computer and finds out itself."""

    interpreter: str = ""  #: the Python that has xlsms
    folder: str = ""  #: where Python and the tick leave word for each other, with the separator at its end
    language: str = ""  #: `en` or `es`, instead of the language of Excel's menus

    def rows(self) -> Iterator[tuple[str, str]]:
        """Key and value, as the hidden sheet has them."""
        yield "version", xlsms.__version__
        yield "interpreter", self.interpreter
        yield "folder", self.folder
        yield "language", self.language
        for verb in Verb:
            yield f"needs.{verb}", needs(verb)


def sources() -> dict[str, bytes]:
    """The VBA source files by their names, as the editor imports them.

    Raises ValueError for one whose lines do not end with CR LF: the editor takes the whole file for one line then.
    """
    found = {}
    for file in sorted(_FOLDER.iterdir()):
        found[file.name] = content = file.read_bytes()
        if b"\n" in content.replace(b"\r\n", b"") or not content.endswith(b"\r\n"):
            raise ValueError(f"{file.name}: lines of VBA sources end with CR LF")
    return found


def modules() -> list[Module]:
    """The modules of the project, in the order of the editor."""
    text = {name: content.decode("cp1252") for name, content in sources().items()}
    return [
        Module(name="ThisWorkbook", kind=Kind.WORKBOOK, source=text["ThisWorkbook.cls"]),
        *(Module(name=module, kind=Kind.SHEET) for module in CODE_NAMES.values()),
        *(Module(name=name, source=text[f"{name}.bas"]) for name in _STANDARD),
        *(Module(name=name, kind=Kind.CLASS, source=text[f"{name}.cls"]) for name in _CLASSES),
    ]


def vba(more: Sequence[Module] = ()) -> bytes:
    """The VBA project of the add-in, and in it `more` modules, as tests need them."""
    return vba_project(PROJECT_NAME, PROJECT_ID, [*modules(), *more])


def addin(settings: Settings | None = None, *, project: bytes | None = None) -> bytes:
    """The file `xlsms.xlam` for a computer with these `settings`; with another VBA `project` than ours, if given."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as package:
        for name, content in _parts(settings or Settings(), vba() if project is None else project).items():
            part = zipfile.ZipInfo(name, _EPOCH)
            part.create_system = 0  # else it is the system that builds
            package.writestr(part, content)
    return written.getvalue()


def _parts(settings: Settings, project: bytes) -> dict[str, str | bytes]:
    images = _images()
    image_links = _relations({verb: (f"{_RELATIONS}/image", f"images/{verb}.png") for verb in images})
    return {
        "[Content_Types].xml": _content_types(),
        "_rels/.rels": _relations(
            {
                "rId1": (f"{_RELATIONS}/officeDocument", "xl/workbook.xml"),
                "rId2": (f"{_MICROSOFT}/2006/relationships/ui/extensibility", "customUI/customUI.xml"),
                "rId3": (f"{_MICROSOFT}/2007/relationships/ui/extensibility", "customUI/customUI14.xml"),
            }
        ),
        "customUI/customUI.xml": ribbon_xml(old=True),
        "customUI/customUI14.xml": ribbon_xml(),
        "customUI/_rels/customUI.xml.rels": image_links,
        "customUI/_rels/customUI14.xml.rels": image_links,
        **{f"customUI/images/{verb}.png": image for verb, image in images.items()},
        "xl/workbook.xml": _workbook(),
        "xl/_rels/workbook.xml.rels": _relations(
            {
                "rId1": (f"{_RELATIONS}/worksheet", "worksheets/sheet1.xml"),
                "rId2": (f"{_RELATIONS}/worksheet", "worksheets/sheet2.xml"),
                "rId3": (f"{_RELATIONS}/styles", "styles.xml"),
                "rId4": (f"{_MICROSOFT}/2006/relationships/vbaProject", "vbaProject.bin"),
            }
        ),
        "xl/worksheets/sheet1.xml": _sheet(CODE_NAMES["settings"], list(settings.rows())),
        "xl/worksheets/sheet2.xml": _sheet(CODE_NAMES["texts"], [(each.key, each.en, each.es) for each in texts()]),
        "xl/styles.xml": _STYLES,
        "xl/vbaProject.bin": project,
    }


@cache
def _images() -> Mapping[str, bytes]:
    return {each.verb: png(each.verb, LARGE if each.large else NORMAL) for each in buttons()}


def _content_types() -> str:
    sheets = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    defaults = {
        "rels": "application/vnd.openxmlformats-package.relationships+xml",
        "xml": "application/xml",
        "png": "image/png",
    }
    overrides = {
        "xl/workbook.xml": "application/vnd.ms-excel.addin.macroEnabled.main+xml",
        "xl/worksheets/sheet1.xml": f"{sheets}.worksheet+xml",
        "xl/worksheets/sheet2.xml": f"{sheets}.worksheet+xml",
        "xl/styles.xml": f"{sheets}.styles+xml",
        "xl/vbaProject.bin": "application/vnd.ms-office.vbaProject",
    }
    lines = [f'<Default Extension="{name}" ContentType="{kind}"/>' for name, kind in defaults.items()]
    lines += [f'<Override PartName="/{name}" ContentType="{kind}"/>' for name, kind in overrides.items()]
    return f'{_XML}<Types xmlns="{_PACKAGE}/content-types">{"".join(lines)}</Types>'


def _relations(links: Mapping[str, tuple[str, str]]) -> str:
    lines = (f'<Relationship Id="{name}" Type="{kind}" Target="{target}"/>' for name, (kind, target) in links.items())
    return f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{"".join(lines)}</Relationships>'


def _workbook() -> str:
    sheets = "".join(
        f'<sheet name="{name}" sheetId="{number}" r:id="rId{number}"/>' for number, name in enumerate(CODE_NAMES, 1)
    )
    return (
        f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><workbookPr codeName="ThisWorkbook"/>'
        f'<bookViews><workbookView visibility="hidden"/></bookViews><sheets>{sheets}</sheets></workbook>'
    )


def _sheet(module: str, rows: Sequence[Sequence[str]]) -> str:
    """A sheet of texts. Empty ones are written too, so that every row has as many."""
    lines = []
    for number, row in enumerate(rows, 1):
        cells = (
            f'<c r="{"ABC"[place]}{number}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
            for place, value in enumerate(row)
        )
        lines.append(f'<row r="{number}">{"".join(cells)}</row>')
    return (
        f'{_XML}<worksheet xmlns="{_MAIN}"><sheetPr codeName="{module}"/><sheetData>{"".join(lines)}</sheetData>'
        "</worksheet>"
    )


_STYLES = (
    f'{_XML}<styleSheet xmlns="{_MAIN}"><fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    '</fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)
