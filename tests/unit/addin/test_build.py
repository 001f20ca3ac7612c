"""The add-in read back: exact sources, a ribbon that calls what is there, the same bytes each time. And the proof that
the check would tell: each thing it looks at is broken once."""

import io
import os
import re
import struct
import subprocess
import sys
import zipfile

import pytest

import tests.addin
from tests.addin import problems
from tests.program import lacks
from xlsms.addin import build
from xlsms.addin.build import Settings, addin, modules, sources
from xlsms.addin.project import Kind, Module, vba_project
from xlsms.addin.ribbon import buttons, ribbon_xml, texts
from xlsms.addin.verb import BUTTONS, Verb

MODULES = {module.name: module.text() for module in modules()}


def test_nothing_is_wrong_with_it(built):
    assert problems(built, MODULES) == []


def test_the_sources_are_in_it_line_for_line(built):
    read = tests.addin._modules(built)
    for name, content in sources().items():
        lines = content.decode("cp1252").split("\r\n")
        code = [line for line in read[name.split(".")[0]].split("\r\n") if not line.startswith("Attribute ")]
        assert code == lines[-len(code) :], name
        assert len(lines) - len(code) <= 5, name  # the head of a class, and its name


def test_two_builds_are_the_same_bytes(built):
    code = "import sys; from xlsms.addin.build import addin; sys.stdout.buffer.write(addin())"
    environment = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "C", "SOURCE_DATE_EPOCH": "1"}
    again = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=environment).stdout
    assert again == built


def test_nothing_in_it_is_left_to_zlib(built):
    assert {part.compress_type for part in zipfile.ZipFile(io.BytesIO(built)).infolist()} == {zipfile.ZIP_STORED}
    assert len(built) < 120_000


def test_settings_stand_on_the_hidden_sheet():
    settings = Settings(interpreter="C:\\Żółw & Co\\python.exe", folder="C:\\x\\", language="es")
    content = zipfile.ZipFile(io.BytesIO(addin(settings))).read("xl/worksheets/sheet1.xml")
    found = tests.addin._sheet(content)
    assert found["interpreter"] == ["C:\\Żółw & Co\\python.exe"]
    assert (found["folder"], found["language"]) == (["C:\\x\\"], ["es"])


def test_the_add_in_knows_the_same_verbs_as_python():
    (case,) = re.findall(r"(?s)Select Case verb\r\n(.*?)IsVerb = True", MODULES["SmsLaunch"])
    assert re.findall(r'"([a-z-]+)"', case) == [str(verb) for verb in Verb]


def test_every_button_is_on_the_ribbon_once():
    assert [button.verb for button in buttons()] != []
    assert sorted(button.verb for button in buttons()) == sorted(BUTTONS)


def test_both_ribbons_say_the_same():
    new, old = ribbon_xml(), ribbon_xml(old=True)
    assert new.replace("2009/07", "2006/01") == old != new


def test_every_text_is_short_enough_for_a_tip():
    for text in texts():
        for said in (text.en, text.es):
            assert 0 < len(said) <= (28 if text.key.endswith(".label") else 255), text.key


def test_line_ends_of_the_sources_are_looked_at(tmp_path, monkeypatch):
    for file in build._FOLDER.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    broken = tmp_path / "SmsTick.bas"
    broken.write_bytes(broken.read_bytes().replace(b"\r\n", b"\n", 1))
    monkeypatch.setattr(build, "_FOLDER", tmp_path)
    with pytest.raises(ValueError, match=r"SmsTick\.bas"):
        sources()


@pytest.mark.skipif(lacks("7z"), reason="7-Zip is not here")
def test_seven_zip_reads_all_of_it(built, tmp_path):
    (tmp_path / "xlsms.xlam").write_bytes(built)
    project = zipfile.ZipFile(io.BytesIO(built)).read("xl/vbaProject.bin")
    (tmp_path / "vbaProject.bin").write_bytes(project)
    for name in ("xlsms.xlam", "vbaProject.bin"):
        done = subprocess.run(["7z", "t", tmp_path / name], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
        assert "Everything is Ok" in done.stdout
    done = subprocess.run(["7z", "x", "-so", tmp_path / "vbaProject.bin", "PROJECT"], capture_output=True, check=True)
    assert b'Name="XlsmsAddIn"' in done.stdout


# ---------------------------------------------------------------- the check itself


def repacked(content, change):
    """The add-in with `change` done to its parts."""
    parts = {
        each.filename: zipfile.ZipFile(io.BytesIO(content)).read(each)
        for each in zipfile.ZipFile(io.BytesIO(content)).infolist()
    }
    change(parts)
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as package:
        for name, part in parts.items():
            package.writestr(name, part)
    return written.getvalue()


def swap(name, old, new, count=1):
    """Put `new` for `old` in one part, or in the two ribbons."""

    def change(parts):
        for each in ("customUI/customUI.xml", "customUI/customUI14.xml") if name == "ribbon" else (name,):
            assert old.encode() in parts[each], (each, old)
            parts[each] = parts[each].replace(old.encode(), new.encode(), count)

    return change


def drop(name):
    def change(parts):
        del parts[name]

    return change


def code(module, old, new, count=1):
    """Another source of one module."""

    def change(parts):
        changed = []
        for each in modules():
            source = each.source
            if each.name == module:
                assert old in source, (module, old)
                source = source.replace(old, new, count)
            changed.append(Module(name=each.name, kind=each.kind, source=source))
        parts["xl/vbaProject.bin"] = vba_project(build.PROJECT_NAME, build.PROJECT_ID, changed)

    return change


def project(change_modules):
    def change(parts):
        parts["xl/vbaProject.bin"] = vba_project(build.PROJECT_NAME, build.PROJECT_ID, change_modules(modules()))

    return change


def flip(at):
    """Another byte in the compound file."""

    def change(parts):
        data = bytearray(parts["xl/vbaProject.bin"])
        data[at] ^= 0xFF
        parts["xl/vbaProject.bin"] = bytes(data)

    return change


def stream(old, new):
    def change(parts):
        assert parts["xl/vbaProject.bin"].count(old) == 1, old
        parts["xl/vbaProject.bin"] = parts["xl/vbaProject.bin"].replace(old, new)

    return change


MUTATIONS = {
    # the package
    "not an add-in": (swap("[Content_Types].xml", "excel.addin.macro", "excel.sheet.macro"), "not an add-in"),
    "no type for pictures": (swap("[Content_Types].xml", 'Extension="png"', 'Extension="gif"'), "no content type"),
    "a part lost": (drop("customUI/images/send.png"), "there is no customUI/images/send.png"),
    "a part that nothing leads to": (lambda parts: parts.update({"xl/more.xml": b"<a/>"}), "nothing leads to"),
    "a picture that is none": (lambda parts: parts.update({"customUI/images/stop.png": b"GIF89a"}), "not a picture"),
    "broken XML": (swap("xl/workbook.xml", "</workbook>", "</book>"), "xl/workbook.xml"),
    "a link id twice": (swap("_rels/.rels", 'Id="rId3"', 'Id="rId2"'), "an id twice"),
    "no old ribbon": (swap("_rels/.rels", "2006/relationships/ui", "2005/relationships/ui"), "0 ribbons"),
    "the ribbons' links changed over": (swap("_rels/.rels", "2007/relationships/ui", "2006/relationships/ui"), "2 ribbons"),
    "a type for a part that is not there": (swap("[Content_Types].xml", "/xl/styles.xml", "/xl/style.xml"), "not there"),
    # the project
    "a byte of the header": (flip(0x1E), "cannot be read"),
    "compiled code claimed": (stream(bytes.fromhex("CC61FFFF000100"), bytes.fromhex("CC61B500000100")), "seven bytes"),
    "a module that PROJECT does not list": (stream(b"Module=SmsTick\r\n", b"Module=SmsTack\r\n"), "PROJECT"),
    "a name missing in PROJECTwm": (stream("SmsTick".encode("utf-16-le") + b"\0\0SmsBook", "SmsTack".encode("utf-16-le") + b"\0\0SmsBuch"), "PROJECTwm"),
    "a workspace of another": (stream(b"SmsTick=0,", b"SmsTock=0,"), "Workspace"),
    "no module behind the workbook": (swap("xl/workbook.xml", 'codeName="ThisWorkbook"', 'codeName="DieseArbeitsmappe"'), "has no module"),
    "no module behind a sheet": (project(lambda all_: [each for each in all_ if each.name != "SmsTexts"]), "SmsTexts has no module"),
    "a module lost": (project(lambda all_: [each for each in all_ if each.name != "SmsTick"]), "SmsTick"),
    "a source changed": (code("SmsTick", "EVERY As Long = 5", "EVERY As Long = 6"), "differ from their sources"),
    "not explicit": (code("SmsLaunch", "Option Explicit", "Option Base 0"), "lacks Option Explicit"),
    # the ribbon
    "a callback lost": (code("SmsRibbon", "Public Sub OnPress", "Public Sub OnPush"), "no Public Sub SmsRibbon.OnPress"),
    "a callback that is private": (code("SmsRibbon", "Public Sub GetLabel", "Private Sub GetLabel"), "no Public Sub SmsRibbon.GetLabel"),
    "a callback of too few": (code("SmsRibbon", '(ByVal control As IRibbonControl, ByRef result As Variant)\r\n    result = SmsText.Wording(SaidBy(control.Id) & ".tip")', "(ByVal control As IRibbonControl)\r\n    SmsText.Forget"), "is not what the ribbon calls"),
    "a callback by value": (code("SmsRibbon", "ByRef result As Variant", "ByVal result As Variant"), "is not what the ribbon calls"),
    "a callback of a toggle": (code("SmsRibbon", "OnPress(ByVal control As IRibbonControl)", "OnPress(ByVal control As IRibbonControl, ByVal pressed As Boolean)"), "is not what the ribbon calls"),
    "onLoad of another kind": (code("SmsRibbon", "As IRibbonUI", "As IRibbonControl"), "is not what the ribbon calls"),
    "a callback without its module": (swap("ribbon", "SmsRibbon.OnLoad", "OnLoad"), "no Public Sub OnLoad"),
    "an id twice": (swap("ribbon", 'id="xlsms_send"', 'id="xlsms_preview"'), "an id twice"),
    "no id": (swap("ribbon", 'id="xlsms_send"', 'tag="xlsms_send"'), "no good id"),
    "an id that is none": (swap("ribbon", 'id="xlsms_send"', 'id="1 send"'), "no good id"),
    "a button of the wrong size": (swap("ribbon", 'size="large"', 'size="big"'), "has the size big"),
    "an attribute that is not known": (swap("ribbon", 'keytip="P"', 'keyTip="P"'), "has keyTip"),
    "an element that is not known": (swap("ribbon", "<tabs>", "<tabs><menu/>"), "<menu> in <tabs>"),
    "a button outside a group": (swap("ribbon", "</group>\n      </tab>", '</group><button id="x"/></tab>'), "<button> in <tab>"),
    "a keytip twice": (swap("ribbon", 'keytip="P"', 'keytip="S"'), "keytip S"),
    "a keytip that begins another": (swap("ribbon", 'keytip="P"', 'keytip="SX"'), "keytip S"),
    "a keytip too long": (swap("ribbon", 'keytip="P"', 'keytip="PREV"'), "keytip PREV"),
    "the namespace of the other": (swap("customUI/customUI.xml", "2006/01", "2009/07"), "namespace of another version"),
    "a picture of another": (swap("ribbon", 'image="send"', 'image="sent"'), "no picture sent"),
    "a label lost": (swap("xl/worksheets/sheet2.xml", "send.label", "sent.label"), "xlsms_send does not say its label"),
    "a tip in one language": (swap("xl/worksheets/sheet2.xml", "El manual.", ""), "xlsms_help does not say its tip"),
    "nobody says when it is grey": (swap("xl/worksheets/sheet1.xml", "needs.mark", "need.mark"), "what mark needs"),
    # the VBA
    "a call of what is not there": (code("SmsEvents", "SmsTick.Consider", "SmsTick.Regard"), "no public SmsTick.Regard"),
    "a call of what is private": (code("SmsEvents", "SmsRibbon.Renew", "SmsTick.Schedule"), "no public SmsTick.Schedule"),
    "a module that is not there": (code("ThisWorkbook", "SmsTick.Halt", "SmsTock.Halt"), "no module SmsTock"),
    "a name that nothing declares": (code("SmsLaunch", "Dim command As String, kind As String", "Dim command As String"), "nothing declares kind"),
    "a slip in a name": (code("SmsTick", "at = PlaceOf(book)", "at = PlaceOff(book)"), "nothing declares PlaceOff"),
    "an If that does not end": (code("SmsTick", "        End If\r\n", ""), "End If"),
    "a Sub that ends as a Function": (code("SmsRibbon", "End Sub", "End Function"), "does not end"),
    "a loop that does not end": (code("SmsTick", "    Next at\r\n", ""), "Next"),
    "a line too long": (code("SmsText", "' Nothing is ever read", "' " + "x" * 1000 + "\r\n' Nothing is ever read"), None),
    "reads the user's workbook": (code("SmsText", "ThisWorkbook.Worksheets(sheet)", "Application.Worksheets(sheet)"), "reads cells of Application"),
    "an error that would count as true": (
        code("SmsTick", "        If found = name Then", "        If SmsLaunch.FullNameOf(other) = name Then"),
        "would count as true",
    ),
    "a message lost": (swap("xl/worksheets/sheet2.xml", ">no-interpreter<", ">no-python<"), "the VBA says no-interpreter"),
    "OnTime calls what is private": (code("SmsTick", "Public Sub Tick()", "Private Sub Tick()"), "what OnTime calls"),
}  # fmt: skip


@pytest.mark.parametrize("name", MUTATIONS)
def test_what_is_broken_is_told(built, name):
    change, told = MUTATIONS[name]
    found = problems(repacked(built, change), MODULES)
    if told is None:  # a comment that only differs
        assert found == ["modules differ from their sources: ['SmsText']"]
        return
    assert any(told in each for each in found), found


def test_repacking_alone_is_no_problem(built):
    assert problems(repacked(built, lambda parts: None), MODULES) == []
    assert problems(repacked(built, project(lambda all_: all_)), MODULES) == []


@pytest.mark.parametrize("size", [0, 100, 40_000])
def test_half_a_file_is_told(built, size):
    assert problems(built[:size], MODULES)


def test_a_zip_that_names_a_part_twice_is_told(built):
    content = io.BytesIO(built)
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(content, "a") as package:
        package.writestr("xl/workbook.xml", b"<a/>")
    assert problems(content.getvalue(), MODULES) == ["cannot be read: the zip file names a part twice"]


@pytest.mark.parametrize(
    ("module", "told"),
    [
        (Module(name="1st"), "not a name"),
        (Module(name="A" * 32), "not a name"),
        (Module(name="Wide", source="' " + "x" * 1022), "1023"),
        (Module(name="Polish", source="Option Explicit\n' Żółw"), "Polish:3: 'Ż' is not in Windows-1252"),
    ],
)
def test_what_the_editor_could_not_have_is_refused(module, told):
    with pytest.raises(ValueError, match=told):
        module.text()


def test_two_modules_of_one_name_are_refused():
    with pytest.raises(ValueError, match="same name"):
        vba_project("P", build.PROJECT_ID, [Module(name="One"), Module(name="one", kind=Kind.CLASS)])


def test_references_are_those_of_excel(built):
    binary = zipfile.ZipFile(io.BytesIO(built)).read("xl/vbaProject.bin")
    assert struct.unpack_from("<H", binary, 0x1A) == (3,)  # version 3 of the container, as Excel writes
