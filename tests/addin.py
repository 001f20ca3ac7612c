"""Looks through a built add-in with programs that are not ours, and says what is wrong with it.

The modules are read back by olevba and olefile; the ribbon is held against what the specification allows on the
controls that we use ([MS-CUSTOMUI], [MS-CUSTOMUI2]), since the schema itself is not ours to ship. The VBA is held
against itself: every callback, every call between modules and every name must be there. `tests/unit/addin` breaks each
of these things and looks whether it is told.
"""

import io
import re
import struct
import warnings
import xml.etree.ElementTree as ET
import zipfile
from posixpath import dirname, join, normpath

import olefile

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what it warns of at import is not ours
    from oletools.olevba import VBA_Parser, decompress_stream

SPREADSHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
LINK = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
ADDIN = "application/vnd.ms-excel.addin.macroEnabled.main+xml"
RIBBONS = {
    "http://schemas.microsoft.com/office/2006/relationships/ui/extensibility": "http://schemas.microsoft.com/office/2006/01/customui",
    "http://schemas.microsoft.com/office/2007/relationships/ui/extensibility": "http://schemas.microsoft.com/office/2009/07/customui",
}
GET = r"\(ByVal \w+ As IRibbonControl, ByRef \w+ As Variant\)"
SIGNATURES = {
    "onLoad": r"\(ByVal \w+ As IRibbonUI\)",
    "onAction": r"\(ByVal \w+ As IRibbonControl\)",
    **dict.fromkeys(("getLabel", "getSupertip", "getEnabled"), GET),
}
#: What may stand in what, and with which attributes.
ELEMENTS = {
    "customUI": ("", {"onLoad"}),
    "ribbon": ("customUI", set()),
    "tabs": ("ribbon", set()),
    "tab": ("tabs", {"id", "label", "keytip"}),
    "group": ("tab", {"id", "getLabel"}),
    "button": ("group", {"id", "size", "image", "keytip", "getLabel", "getSupertip", "getEnabled", "onAction"}),
}
ID = re.compile(r"[A-Za-z_][\w.-]{0,1023}")


def problems(content, expected=None):
    """What is wrong with the add-in in `content`, in words; `expected` are the texts that its modules should have."""
    try:
        parts = _opened(content)
        found = [*_well_formed(parts)] or [*_linked(parts), *_typed(parts)]
        if found:
            return found
        sources = _modules(content)
        found += _project(parts["xl/vbaProject.bin"], sources)
    except Exception as error:  # noqa: BLE001 (zipfile, olevba and olefile end in whatever comes of a broken file)
        return [f"cannot be read: {error}"]
    found += _code_names(parts, sources)
    if expected is not None and sources != expected:
        found.append(f"modules differ from their sources: {[n for n in expected if sources.get(n) != expected[n]]}")
    found += _code(sources)
    links = list(_links(parts, "_rels/.rels").values())
    for kind, namespace in RIBBONS.items():
        targets = [target for each, target in links if each == kind]
        if len(targets) == 1:
            found += [f"{targets[0]}: {what}" for what in Ribbon(parts, targets[0], namespace, sources).problems()]
        else:
            found.append(f"{len(targets)} ribbons of the kind {kind}")
    return found + list(_said(sources, _sheet(parts["xl/worksheets/sheet2.xml"])))


def _opened(content):
    package = zipfile.ZipFile(io.BytesIO(content))
    parts = {name: package.read(name) for name in package.namelist()}
    if len(parts) != len(package.namelist()):
        raise ValueError("the zip file names a part twice")
    return parts


def _well_formed(parts):
    for name, part in parts.items():
        if name.endswith((".xml", ".rels")):
            try:
                ET.fromstring(part)
            except ET.ParseError as error:
                yield f"{name}: {error}"
        elif name.endswith(".png") and part[:8] != b"\x89PNG\r\n\x1a\n":
            yield f"{name} is not a picture"


def _links(parts, rels):
    """Id -> kind and part, of a part with relationships."""
    folder = dirname(dirname(rels))
    root = ET.fromstring(parts[rels])
    return {each.get("Id"): (each.get("Type"), normpath(join(folder, each.get("Target")))) for each in root}


def _linked(parts):
    """Whether every link leads to a part, and a link to every part."""
    reached = {"[Content_Types].xml"}
    for rels in [name for name in parts if name.endswith(".rels")]:
        reached.add(rels)
        owner = join(dirname(dirname(rels)), rels.rsplit("/", 1)[1].removesuffix(".rels"))
        if rels != "_rels/.rels" and owner not in parts:
            yield f"{rels} belongs to no part"
        if len(_links(parts, rels)) != len(ET.fromstring(parts[rels])):
            yield f"{rels}: an id twice"
        for _, target in _links(parts, rels).values():
            reached.add(target)
            if target not in parts:
                yield f"{rels}: there is no {target}"
    yield from (f"nothing leads to {name}" for name in parts if name not in reached)


def _typed(parts):
    """Whether every part has a content type, and the workbook that of an add-in."""
    types = ET.fromstring(parts["[Content_Types].xml"])
    defaults = {each.get("Extension") for each in types if each.tag.endswith("Default")}
    overrides = {each.get("PartName"): each.get("ContentType") for each in types if each.tag.endswith("Override")}
    for name in parts:
        if f"/{name}" not in overrides and name.rsplit(".", 1)[-1] not in defaults and name != "[Content_Types].xml":
            yield f"{name} has no content type"
    if overrides.get("/xl/workbook.xml") != ADDIN:
        yield "the workbook is not an add-in"
    if any(name.lstrip("/") not in parts for name in overrides):
        yield "a content type for a part that is not there"


def _modules(content):
    """Name -> source, as olevba reads it."""
    parser = VBA_Parser("xlsms.xlam", data=content)
    try:
        return {path.split("/")[-1]: code for _, path, _, code in parser.extract_all_macros()}
    finally:
        parser.close()


def _records(data):
    at = 0
    while at + 6 <= len(data):
        kind, size = struct.unpack_from("<HI", data, at)
        size = 6 if kind == 0x09 else size  # the version says four and has six
        yield kind, data[at + 6 : at + 6 + size]
        at += 6 + size


def _project(binary, sources):
    ole = olefile.OleFileIO(io.BytesIO(binary), raise_defects=olefile.DEFECT_UNSURE)
    streams = {"/".join(path): ole.openstream(path).read() for path in ole.listdir()}
    found = []
    if streams["VBA/_VBA_PROJECT"] != bytes.fromhex("CC61FFFF000100"):
        found.append("_VBA_PROJECT is not the seven bytes of a project without compiled code")
    directory = list(_records(decompress_stream(bytearray(streams["VBA/dir"]))))
    if directory[-1] != (0x10, b""):
        found.append("dir does not end in its terminator")
    text = streams["PROJECT"].decode("cp1252")
    wide = streams["PROJECTwm"]
    lists = {
        "olevba": sorted(sources),
        "dir": sorted(payload.decode("cp1252") for kind, payload in directory if kind == 0x19),
        "dir, Unicode": sorted(payload.decode("utf-16-le") for kind, payload in directory if kind == 0x47),
        "streams": sorted(
            name[4:] for name in streams if name.startswith("VBA/") and name[4:] not in ("dir", "_VBA_PROJECT")
        ),
        "PROJECT": sorted(re.findall(r"(?m)^(?:Module|Class|Document)=(\w+)", text)),
        "[Workspace]": sorted(re.findall(r"(?m)^(\w+)=0, 0, 0, 0, C", text)),
        "PROJECTwm": sorted(name for name in re.findall(r"([\x20-\x7e]+)\0", wide.decode("latin-1")) if len(name) > 1),
    }
    found += [f"modules in {name}: {listed}" for name, listed in lists.items() if listed != lists["olevba"]]
    counts = [struct.unpack("<H", payload)[0] for kind, payload in directory if kind == 0x0F]
    if counts != [len(sources)]:
        found.append("dir counts its modules wrongly")
    references = [payload.decode("cp1252") for kind, payload in directory if kind == 0x16]
    if references != ["stdole", "Office"]:
        found.append(f"references: {references}")  # without Office there is no IRibbonControl
    return found


def _code_names(parts, sources):
    """What stands behind the workbook and its sheets must be called as they say."""
    book = ET.fromstring(parts["xl/workbook.xml"])
    links = _links(parts, "xl/_rels/workbook.xml.rels")
    names = [book.find(f"{SPREADSHEET}workbookPr").get("codeName")]
    for sheet in book.iter(f"{SPREADSHEET}sheet"):
        page = ET.fromstring(parts[links[sheet.get(LINK)][1]])
        names.append(page.find(f"{SPREADSHEET}sheetPr").get("codeName"))
    return [f"{name} has no module" for name in names if name not in sources]


def _sheet(part):
    """Key -> the other texts of its row."""
    rows = [
        [cell.findtext(f".//{SPREADSHEET}t") or "" for cell in row]
        for row in ET.fromstring(part).iter(f"{SPREADSHEET}row")
    ]
    return {row[0]: row[1:] for row in rows}


# ---------------------------------------------------------------- the ribbon


class Ribbon:
    """One of the two ribbons, held against its version, its pictures, its texts and its callbacks."""

    def __init__(self, parts, target, namespace, sources):
        self.root, self.namespace, self.sources = ET.fromstring(parts[target]), namespace, sources
        rels = join(dirname(target), "_rels", target.rsplit("/", 1)[1] + ".rels")
        self.images = set(_links(parts, rels)) if rels in parts else set()
        self.settings = _sheet(parts["xl/worksheets/sheet1.xml"])
        self.texts = _sheet(parts["xl/worksheets/sheet2.xml"])

    def problems(self):
        yield from self._look(self.root, "")
        ids = [each.get("id") for each in self.root.iter() if "id" in each.attrib]
        if len(set(ids)) != len(ids):
            yield "an id twice"
        yield from self._keytips([each.get("keytip", "") for each in self._buttons()])
        used = {each.get("image") for each in self._buttons()}
        yield from (f"the picture {name} is not used" for name in self.images - used)

    def _buttons(self):
        return self.root.iter(f"{{{self.namespace}}}button")

    def _look(self, element, parent):
        space, _, tag = element.tag[1:].partition("}")
        if space != self.namespace:
            yield f"<{tag}> is in the namespace of another version: {space}"
        if tag not in ELEMENTS or ELEMENTS[tag][0] != parent:
            yield f"<{tag}> in <{parent}>"
            return
        known = ELEMENTS[tag][1]
        yield from (f"<{tag}> has {name}" for name in element.attrib if name not in known)
        if "id" in known and not ID.fullmatch(element.get("id", "")):
            yield f"<{tag}> has no good id: {element.get('id')!r}"
        if tag == "button":
            yield from (f"{element.get('id')} lacks {name}" for name in sorted(known - set(element.attrib)))
            yield from self._button(element)
        yield from self._texts(element)
        for name, value in element.attrib.items():
            if name in SIGNATURES:
                yield from _callback(name, value, self.sources)
        for child in element:
            yield from self._look(child, tag)

    def _button(self, element):
        if element.get("size") not in ("normal", "large"):
            yield f"{element.get('id')} has the size {element.get('size')}"
        if element.get("image") not in self.images:
            yield f"{element.get('id')} has no picture {element.get('image')}"
        if self.settings.get(f"needs.{_verb(element)}", [""])[0] not in ("nothing", "book", "rows", "away"):
            yield f"nobody knows what {_verb(element)} needs"

    def _texts(self, element):
        for callback, part in (("getLabel", "label"), ("getSupertip", "tip")):
            if callback in element.attrib:
                said = self.texts.get(f"{_verb(element)}.{part}", [])
                if len(said) != 2 or not all(said):
                    yield f"{element.get('id')} does not say its {part} in both languages"

    @staticmethod
    def _keytips(tips):
        for tip in tips:
            if not re.fullmatch(r"[A-Z0-9]{1,3}", tip) or sum(other.startswith(tip) for other in tips) != 1:
                yield f"the keytip {tip} is no good, or begins another"


def _verb(element):
    return element.get("id", "").removeprefix("xlsms_").replace("_", "-")


def _callback(attribute, name, sources):
    module, _, member = name.partition(".")
    match = re.search(rf"(?im)^Public Sub {member}(\(.*\))\s*$", sources.get(module, ""))
    if not member or match is None:
        yield f"{attribute}: there is no Public Sub {name}"
    elif not re.fullmatch(SIGNATURES[attribute], match[1]):
        yield f"{attribute}: {name}{match[1]} is not what the ribbon calls"


# ---------------------------------------------------------------- the VBA

PROCEDURE = re.compile(
    r"(?m)^(?:(?P<scope>Public|Private) )?(?P<kind>Sub|Function) (?P<name>\w+)\((?P<given>.*)\)(?: As \w+)?$"
)
#: What the language itself declares, and what Excel and the Office library do.
LANGUAGE = """
    abs and application array as ascw byref byval boolean case chr chrw cint clng close collection const createobject
    cstr date dim dir do double each else elseif empty end environ error exit explicit false filedatetime for freefile
    function goto hex if iif in input instr instrrev integer access is isempty join kill left len line long loop mac me
    mid mkdir mod msgbox new next not nothing now object on open option optional or output print private public range
    read redim replace resume right select set shared shell space split step string sub then thisworkbook timer
    timeserial to trim true typename ubound lbound until variant vbexclamation vblf vbtextcompare while with withevents
    workbook applescripttask iribboncontrol iribbonui xor
"""
KNOWN = frozenset(re.findall(r"\w+", LANGUAGE))


def _bare(source):
    """The code without strings, comments and attributes, continued lines joined."""
    joined = re.sub(r" _\r?\n\s*", " ", source)
    lines = []
    for line in joined.replace("\r\n", "\n").split("\n"):
        bare = re.sub(r'"(?:[^"]|"")*"', '""', line)
        lines.append("" if line.startswith("Attribute ") else bare.split("'")[0].rstrip())
    return "\n".join(lines)


def _code(sources):
    found = []
    bare = {name: _bare(source) for name, source in sources.items()}
    public = {}
    for name, code in bare.items():
        members = {match["name"].lower() for match in PROCEDURE.finditer(code) if match["scope"] != "Private"}
        members |= {each.lower() for each in re.findall(r"(?m)^Public (?:WithEvents )?(\w+) As", code)}
        public[name.lower()] = members
    for name, code in bare.items():
        if not code.strip():
            continue
        source = sources[name]
        if "\n" in source.replace("\r\n", "") or max(map(len, source.split("\r\n"))) > 1023:
            found.append(f"{name}: line ends, or a line too long")
        if "Option Explicit" not in code:
            found.append(f"{name} lacks Option Explicit")
        found += [f"{name}: {what}" for what in _module(name, code, public)]
    return found


def _module(name, code, public):
    opened = re.findall(r"(?m)^(?:Public |Private )?(Sub|Function) ", code)
    closed = re.findall(r"(?m)^End (Sub|Function)$", code)
    if opened != closed:
        yield "a Sub or Function that does not end"
    for start, end in (
        ("If .* Then$", "End If"),
        ("For ", "Next"),
        ("Do ", "Loop"),
        ("Select Case ", "End Select"),
        ("#If ", "#End If"),
    ):
        if len(re.findall(rf"(?m)^\s*{start}", code)) != len(re.findall(rf"(?m)^\s*{end}", code)):
            yield f"{start} without {end}, or the other way round"
    for module, member in re.findall(r"\b(Sms\w+)\.(\w+)", code):
        if module.lower() in public and member.lower() not in public[module.lower()]:
            yield f"there is no public {module}.{member}"
        if module.lower() not in public:
            yield f"there is no module {module}"
    yield from _swallowed(code)
    for reading in re.findall(r"(\w+)\.(?:Worksheets|Sheets|Names|Cells|Range)\(", code):
        if reading.lower() != "thisworkbook":
            yield f"reads cells of {reading}, which is not the add-in"
    yield from _names(name, code, public)


def _swallowed(code):
    """After `On Error Resume Next` a condition that fails counts as met: nothing may be called in one."""
    for match in PROCEDURE.finditer(code):
        swallowing = False
        for line in code[match.end() : code.index(f"\nEnd {match['kind']}", match.end())].split("\n"):
            if "On Error" in line:
                swallowing = "Resume Next" in line
            condition = re.match(r"\s*(?:If|ElseIf|Do While|Select Case) (.*?)(?: Then.*)?$", line)
            if swallowing and condition and re.search(r"[\w.]*\w\(|\w\.\w", condition[1].replace("Len(", "")):
                yield f"{match['name']}: an error in {condition[1]!r} would count as true"


def _names(name, code, public):
    """Names that nothing declares: what the editor calls `variable not defined`."""
    head = code[: match.start()] if (match := PROCEDURE.search(code)) else code
    declared = {each.lower() for each in re.findall(r"(?:Const|Public|Private|WithEvents) (\w+) As", head)}
    declared |= {match["name"].lower() for match in PROCEDURE.finditer(code)} | set(public) | KNOWN
    for match in PROCEDURE.finditer(code):
        end = code.index(f"\nEnd {match['kind']}", match.end())
        body = code[match.end() : end]
        local = {each.lower() for each in re.findall(r"(\w+)(?:\(\))? As", match["given"])}
        for line in re.findall(r"(?m)^\s*Dim (.*)$", body):
            local |= {each.lower() for each in re.findall(r"(\w+) As", line)}
        local |= {each.lower() for each in re.findall(r"(?m)^(\w+):$", body)}
        for word in re.findall(r"(?<![.\w#&])([A-Za-z_]\w*)\$?", body):
            if word.lower() not in declared | local:
                yield f"{match['name']}: nothing declares {word}"


def _said(sources, texts):
    """Texts that the VBA asks for by name."""
    code = "\n".join(sources.values())
    asked = set(re.findall(r'(?:Started\w* = |Wording\()"([\w.-]+)"', code))
    for key in sorted(asked):
        if len(texts.get(key, [])) != 2 or not all(texts[key]):
            yield f"the VBA says {key}, which is not there in both languages"
    if not asked:
        yield "the VBA says nothing when Python cannot be started"
    if not re.search(r"(?m)^Public Sub Tick\(\)", sources.get("SmsTick", "")):
        yield "what OnTime calls is not there"
