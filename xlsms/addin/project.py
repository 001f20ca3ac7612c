"""A VBA project made of its sources: `vbaProject.bin`, [MS-OVBA] 2.2 and 2.3.

It holds no compiled code: `_VBA_PROJECT` is the seven bytes that the specification asks of a writer (2.3.4.1), and the
program that opens it compiles the sources. What is written depends on the sources and names alone.
"""

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from xlsms.addin.compound import compound
from xlsms.addin.ovba import compress, encrypt

__all__ = ["Kind", "Module", "vba_project"]

CODE_PAGE = "cp1252"
LONGEST_LINE = 1023  #: characters that the VBA editor takes
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,30}")
_CLASS_HEAD = re.compile(r"\AVERSION 1\.0 CLASS\nBEGIN\n(?:.*\n)*?END\n")
_ATTRIBUTE = re.compile(r"Attribute VB_\w+ = .*")
_SEED = 0x5D  #: of the values that are hidden; any will do

_OFFICE = r"C:\Program Files\Common Files\Microsoft Shared\OFFICE16\MSO.DLL#Microsoft Office 16.0 Object Library"
#: What Excel itself has in every project: the reference, its library.
_REFERENCES = (
    ("stdole", r"*\G{00020430-0000-0000-C000-000000000046}#2.0#0#C:\Windows\System32\stdole2.tlb#OLE Automation"),
    ("Office", rf"*\G{{2DF8D04C-5BFA-101B-BDE5-00AA0044DE52}}#2.0#0#{_OFFICE}"),
)


class Kind(Enum):
    """What a module is to its project; the value is the class that it is based on."""

    STANDARD = ""
    CLASS = "0{FCFB3D2A-A0FA-1068-A738-08002B3371B5}"
    WORKBOOK = "0{00020819-0000-0000-C000-000000000046}"
    SHEET = "0{00020820-0000-0000-C000-000000000046}"

    @property
    def is_document(self) -> bool:
        """Whether it stands behind the workbook or a sheet."""
        return self in (Kind.WORKBOOK, Kind.SHEET)


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """One module: its name, its kind, and its source as it is exported from the editor."""

    name: str
    kind: Kind = Kind.STANDARD
    source: str = ""

    def text(self) -> str:
        """The source as the project holds it: with the attributes of its kind, lines ended with CR LF.

        Raises ValueError for what the VBA editor could not have: a name, a character, a line too long.
        """
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"not a name of a module: {self.name!r}")
        lines = _CLASS_HEAD.sub("", self.source.replace("\r\n", "\n")).split("\n")
        while lines and (_ATTRIBUTE.fullmatch(lines[0]) or not lines[0].strip()):
            lines.pop(0)  # ours follow from the kind
        text = "\n".join([*self._attributes(), *lines]).rstrip("\n") + "\n"
        for number, line in enumerate(text.split("\n"), 1):
            if len(line) > LONGEST_LINE:
                raise ValueError(f"{self.name}:{number}: a line of VBA has at most {LONGEST_LINE} characters")
        try:
            text.encode(CODE_PAGE)
        except UnicodeEncodeError as error:
            wrong = text.count("\n", 0, error.start) + 1
            raise ValueError(f"{self.name}:{wrong}: {text[error.start]!r} is not in Windows-1252") from None
        return text.replace("\n", "\r\n")

    def _attributes(self) -> list[str]:
        named = [f'Attribute VB_Name = "{self.name}"']
        if self.kind is Kind.STANDARD:
            return named
        values = {
            "Base": f'"{self.kind.value}"',
            "GlobalNameSpace": False,
            "Creatable": False,
            "PredeclaredId": self.kind.is_document,
            "Exposed": self.kind.is_document,
            "TemplateDerived": False,
            "Customizable": self.kind.is_document,
        }
        return named + [f"Attribute VB_{name} = {value}" for name, value in values.items()]


def vba_project(name: str, project_id: str, modules: Sequence[Module]) -> bytes:
    """The project as Excel keeps it in a workbook. `project_id` is a GUID in braces."""
    if len({module.name.casefold() for module in modules}) != len(modules):
        raise ValueError("two modules have the same name")
    vba: dict[str, bytes] = {each.name: compress(each.text().encode(CODE_PAGE)) for each in modules}
    vba["_VBA_PROJECT"] = bytes.fromhex("CC61FFFF000100")
    vba["dir"] = compress(_directory(name, modules))
    names = b"".join(each.name.encode() + b"\0" + each.name.encode("utf-16-le") + b"\0\0" for each in modules)
    return compound({"VBA": vba, "PROJECT": _project(name, project_id, modules), "PROJECTwm": names + b"\0\0"})


def _record(kind: int, payload: bytes = b"") -> bytes:
    return struct.pack("<HI", kind, len(payload)) + payload


def _number(kind: int, value: int) -> bytes:
    return _record(kind, struct.pack("<I", value))


def _short(kind: int, value: int) -> bytes:
    return _record(kind, struct.pack("<H", value))


def _both(kind: int, unicode_kind: int, text: str = "") -> bytes:
    """A text in the project's code page, and again in UTF-16."""
    return _record(kind, text.encode(CODE_PAGE)) + _record(unicode_kind, text.encode("utf-16-le"))


def _directory(name: str, modules: Sequence[Module]) -> bytes:
    """The `dir` stream, [MS-OVBA] 2.3.4.2; the record numbers are the specification's."""
    english = 0x409
    out = [
        _number(0x01, 1),  # 32-bit Windows, as Excel writes on every system
        _number(0x02, english),
        _number(0x14, english),
        _short(0x03, 1252),
        _record(0x04, name.encode(CODE_PAGE)),
        _both(0x05, 0x40),
        _both(0x06, 0x3D),
        _number(0x07, 0),
        _number(0x08, 0),
        struct.pack("<HIIH", 0x09, 4, 1, 1),  # the version: its length does not count its last field
        _both(0x0C, 0x3C),
    ]
    for reference, library in _REFERENCES:
        libid = library.encode(CODE_PAGE)
        out += [_both(0x16, 0x3E, reference), _record(0x0D, struct.pack("<I", len(libid)) + libid + bytes(6))]
    out += [_short(0x0F, len(modules)), _short(0x13, 0xFFFF)]
    for module in modules:
        out += [
            _both(0x19, 0x47, module.name),
            _both(0x1A, 0x32, module.name),
            _both(0x1C, 0x48),
            _number(0x31, 0),  # the source begins at once: nothing compiled stands before it
            _number(0x1E, 0),
            _short(0x2C, 0xFFFF),
            _record(0x21 if module.kind is Kind.STANDARD else 0x22),
            _record(0x2B),
        ]
    return b"".join([*out, _record(0x10)])


def _project(name: str, project_id: str, modules: Sequence[Module]) -> bytes:
    """The `PROJECT` stream, [MS-OVBA] 2.3.1: not protected, no password, visible."""
    hidden = {"CMG": bytes(4), "DPB": bytes(1), "GC": b"\xff"}
    lines = [f'ID="{project_id}"', *map(_listed, modules)]
    lines += [f'Name="{name}"', 'HelpContextID="0"', 'VersionCompatible32="393222000"']
    lines += [f'{key}="{encrypt(project_id, value, _SEED)}"' for key, value in hidden.items()]
    lines += ["", "[Host Extender Info]", "&H00000001={3832D640-CF90-11CF-8E43-00A0C911005A};VBE;&H00000000"]
    lines += ["", "[Workspace]", *(f"{module.name}=0, 0, 0, 0, C" for module in modules)]
    return ("\r\n".join(lines) + "\r\n").encode(CODE_PAGE)


def _listed(module: Module) -> str:
    if module.kind.is_document:
        return f"Document={module.name}/&H00000000"
    return f"{'Module' if module.kind is Kind.STANDARD else 'Class'}={module.name}"
