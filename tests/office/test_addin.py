"""The VBA of the add-in as it ships, run by LibreOffice: ribbon callback, launcher, Python, sheet.

LibreOffice says nothing when a macro cannot be run, so every test looks at an effect or at a value that came back.
"""

import contextlib
import os
import re
import signal
import stat
import sys
from pathlib import Path
from urllib.parse import quote

import httpx
import openpyxl
import pytest

from tests.office.conftest import HERE, _office_python, until
from tests.office.conftest import Desk as Office
from xlsms.addin.build import PROJECT_ID, PROJECT_NAME, Settings, addin, modules, vba
from xlsms.addin.project import Kind, Module, vba_project
from xlsms.addin.ribbon import texts
from xlsms.addin.verb import BUTTONS, Verb
from xlsms.workbook import read_rows

pytestmark = pytest.mark.office

#: What Excel does with the ribbon: a control with an id, handed to the callbacks.
DESK = """
Public Function Press(ByVal id As String) As String
    Dim control As New TestControl
    control.Id = id
    SmsRibbon.OnPress control
    Press = "pressed"
End Function

Public Function Label(ByVal id As String) As Variant
    Dim control As New TestControl, result As Variant
    control.Id = id
    SmsRibbon.GetLabel control, result
    Label = result
End Function

Public Function Supertip(ByVal id As String) As Variant
    Dim control As New TestControl, result As Variant
    control.Id = id
    SmsRibbon.GetSupertip control, result
    Supertip = result
End Function

Public Function Enabled(ByVal id As String) As Variant
    Dim control As New TestControl, result As Variant
    control.Id = id
    SmsRibbon.GetEnabled control, result
    Enabled = result
End Function

Public Function StartedFor(ByVal verb As String) As String
    StartedFor = "[" & SmsLaunch.Started(verb, SmsLaunch.Request(SmsRibbon.UsersBook(), "", True)) & "]"
End Function

Public Function LanguageOf(ByVal lcid As String) As String
    LanguageOf = SmsText.LanguageOf(CLng(lcid))
End Function

Public Function ConsiderActive() As Long
    SmsTick.Consider SmsRibbon.UsersBook()
    ConsiderActive = SmsTick.Followed()
End Function

' What follows is one run each, for LibreOffice forgets objects between runs.

Private Sub Leave(ByVal path As String, ByVal word As String)
    Open path For Output As #1
    Print #1, word
    Close #1
End Sub

Private Function Ticks(ByVal count As Long) As String
    Dim number As Long
    For number = 1 To count
        SmsTick.Tick
    Next number
    Ticks = "|" & CStr(SmsTick.Followed())
End Function

Public Function News(ByVal first As String, ByVal second As String) As String
    Dim path As String
    path = SmsTick.Follow(SmsRibbon.UsersBook())
    If SmsTick.Follow(SmsRibbon.UsersBook()) <> path Then Exit Function ' it is followed once
    Leave SmsTick.Folder() & "listener.life", "1"
    News = path & Ticks(3)
    If Len(first) > 0 Then Leave path, first
    News = News & Ticks(3)
    If Len(second) > 0 Then Leave path, second
    News = News & Ticks(3)
End Function

Public Function Working(ByVal states As String, ByVal reply As String) As String
    ' A minute of work at the most, a tick a second, as if the user saved every other second.
    Dim page As Object, path As String, number As Long, shown As String
    Set page = SmsRibbon.UsersBook().Worksheets(1)
    path = SmsTick.Follow(SmsRibbon.UsersBook())
    For number = 1 To 60
        SmsTick.Tick
        Wait 1000
        If number Mod 2 = 0 Then SmsRibbon.UsersBook().Save
        shown = page.Cells(2, 5).Value & "," & page.Cells(3, 5).Value
        Working = shown & "," & page.Cells(3, 8).Value & " after " & CStr(number)
        If shown = states And page.Cells(3, 8).Value = reply Then
            Working = "shown"
            SmsRibbon.UsersBook().Save
            Exit Function
        End If
    Next number
End Function

Public Function NoListener() As String
    NoListener = SmsTick.Follow(SmsRibbon.UsersBook()) & Ticks(3)
End Function

Public Function WithService(ByVal word As String) As String
    SmsTick.Follow SmsRibbon.UsersBook()
    Leave SmsTick.Folder() & "listener.life", "1"
    If Len(word) > 0 Then Leave SmsTick.Folder() & "service.state", word
    SmsTick.Tick
    WithService = CStr(Enabled("xlsms_start")) & "|" & Label("xlsms_stop")
End Function

Public Function Closed() As String
    Dim path As String, before As String
    path = SmsTick.Follow(SmsRibbon.UsersBook())
    Leave SmsTick.Folder() & "listener.life", "1"
    Leave path, "17"
    before = Dir$(SmsTick.OpenMark(path))
    ActiveWorkbook.Close False
    Closed = before & Ticks(2) & "|" & Dir$(SmsTick.OpenMark(path)) & "|" & CStr(Workbooks.Count)
End Function

Public Function Halted() As String
    Dim path As String, before As String
    path = SmsTick.Follow(SmsRibbon.UsersBook())
    before = Dir$(SmsTick.OpenMark(path))
    SmsTick.Halt
    Halted = before & "|" & CStr(SmsTick.Followed()) & "|" & Dir$(SmsTick.OpenMark(path))
End Function
"""


class Desk:
    """LibreOffice with the add-in and a workbook of the user's, and what Python was asked for."""

    def __init__(self, calc, folder, language="en"):
        self.calc, self.folder = calc, folder
        self.news = folder / "desk" / "addin"
        self.log = folder / "log"
        self.interpreter = folder / "a python" / "pythön"
        self.language = language

    def interpret(self):
        self.interpreter.parent.mkdir()
        effect = Path(HERE) / "effect.py"
        self.interpreter.write_text(
            f"#!/bin/sh\nexec '{_office_python()}' '{effect}' '{self.calc.address()}' '{self.log}' \"$@\"\n"
        )
        self.interpreter.chmod(self.interpreter.stat().st_mode | stat.S_IXUSR)

    def load(self):
        settings = Settings(interpreter=str(self.interpreter), folder=f"{self.news}/", language=self.language)
        file = self.folder / "xlsms.xlam"
        more = [
            Module(name="TestDesk", source=DESK),
            Module(name="TestControl", kind=Kind.CLASS, source="Public Id As String"),
        ]
        file.write_bytes(addin(settings, project=vba(more)))
        return self.calc.load_addin(path=file)

    def book(self, name="list.xlsx"):
        """A list that the user has open and in front of him."""
        path = self.folder / name
        book = openpyxl.Workbook()
        book.active.title = "People of año"
        book.active.append(["Name", "Phone", "Message", "Send"])
        book.active.append(["Ana", "600000001", "Hello", "x"])
        book.save(path)
        self.calc.show(path=path)
        return path

    def run(self, macro, *arguments):
        return self.calc.run(macro=macro, arguments=arguments)

    def asked(self):
        return [line.split("\t") for line in self.log.read_text().splitlines()] if self.log.exists() else []

    def until_asked(self, count):
        until(lambda: len(self.asked()) >= count, why=self.asked)
        return self.asked()


@pytest.fixture
def desk(calc, tmp_path):
    made = Desk(calc, tmp_path)
    made.interpret()
    yield made
    calc.unload_addin()


@pytest.fixture
def loaded(desk):
    """With the add-in, and a list in front of the user."""
    desk.load()
    desk.path = desk.book()
    return desk


def control(verb):
    return f"xlsms_{verb.replace('-', '_')}"


def test_all_modules_arrive(desk):
    assert set(desk.load()) >= {module.name for module in modules()}


def test_from_the_ribbon_to_the_sheet(loaded):
    loaded.calc.select(place="B2:C3")
    assert loaded.run("TestDesk.Press", control(Verb.SEND_SELECTED)) == "pressed"
    row = ["send-selected", "list.xlsx", "People of año", "2:3", "B2", "en"]
    until(lambda: loaded.calc.read()[-1] == row, why=loaded.calc.read)
    ((verb, book, news),) = loaded.until_asked(1)
    assert (verb, book) == ("send-selected", str(loaded.path))
    assert Path(news).parent == loaded.news


def test_the_shipped_commands_do_what_the_button_says(desk):
    """Nothing of the test's own between the ribbon and the sheet: the interpreter that has xlsms, and its commands."""
    desk.interpreter = Path(sys.executable)
    desk.load()
    path = desk.book("it's 100% a=b & c.xlsx")
    desk.calc.write(place="A3:D3", rows=[["Eva", "600000002", "Hello", ""]])
    desk.calc.select(place="B2:B3")
    desk.run("TestDesk.Press", control(Verb.MARK))
    until(lambda: [row[3] for row in desk.calc.read()[1:]] == ["x", "x"], why=desk.calc.read)
    desk.run("TestDesk.Press", control(Verb.MARK))
    until(lambda: [row[3] for row in desk.calc.read()[1:]] == ["", ""], why=desk.calc.read)
    assert path.name in [each.name for each in desk.folder.iterdir()]


def test_preview_opens_a_page_of_the_service(desk, tmp_path):
    """The button, the launcher, the shipped command, a running service, and the page that the browser is given."""
    (tmp_path / "office").mkdir()
    office = Office(tmp_path / "office")
    pages = tmp_path / "pages"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" >> "{pages}"\n')
    browser.chmod(0o755)
    try:
        office.network()
        office.service()
        desk.interpreter.write_text(
            f'#!/bin/sh\nexport XLSMS_CONFIG="{office.settings}" BROWSER="{browser}"\nexec "{sys.executable}" "$@"\n'
        )
        desk.load()
        desk.book()
        desk.run("TestDesk.Press", control(Verb.PREVIEW))
        (address,) = until(lambda: pages.exists() and pages.read_text().splitlines())
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/preview#[\w-]{40,}", address)  # a key that no server sees
        page = httpx.get(address.partition("#")[0], trust_env=False)
        assert page.status_code == 200
        assert page.headers["content-type"].startswith("text/html")
        assert '<div id="page"' in page.text
    finally:
        desk.calc.close()
        office.end()


def answer(calc, button):
    """Wait for a box, press one of its buttons, and tell what it said."""
    said = until(calc.box)
    calc.press(button=button)
    until(lambda: calc.box() != said)
    return said


def test_send_is_asked_sent_and_shown_by_the_tick(calc_with_boxes, tmp_path):
    """All that ships, from the callback of the ribbon to the states in the sheet, and nothing of a test's in between.

    The box is LibreOffice's own and is answered by its button. The tick runs in a loop of the test's, for LibreOffice
    forgets a module's variables before `OnTime` comes to it.
    """
    (tmp_path / "office").mkdir()
    office, desk = Office(tmp_path / "office"), Desk(calc_with_boxes, tmp_path)
    desk.interpreter.parent.mkdir()
    desk.interpreter.write_text(f'#!/bin/sh\nexport XLSMS_CONFIG="{office.settings}"\nexec "{sys.executable}" "$@"\n')
    desk.interpreter.chmod(0o755)
    calc = desk.calc
    try:
        office.network(['[[phone]]\nnumber = "+34600000002"\nreply = "yes please"'], receipt=1.0)
        office.service()
        desk.load()
        path = desk.book("it's 100% a=b & c.xlsx")
        calc.write(place="A3:D4", rows=[["Eva", "600000002", "Hello", "x"], ["Bob", "12", "Hello", "x"]])
        desk.run("TestDesk.Press", control(Verb.SEND))
        said = answer(calc, "No")
        assert "Send 2 messages" in said
        assert "Cannot go: 1" in said
        desk.run("TestDesk.Press", control(Verb.SEND))
        answer(calc, "Yes")
        assert "2 messages are on their way" in answer(calc, "OK")
        assert [row[3] for row in calc.read()[1:4]] == ["", "", "x"], "what cannot go keeps its mark"
        # the tick starts who listens, hears of the news from him, and starts who writes them; saved in between
        assert desk.run("TestDesk.Working", "Delivered,Delivered", "yes please") == "shown"
        rows = [dict(zip(calc.read()[0], row, strict=True)) for row in calc.read()[1:4]]
        assert [row["Status"] for row in rows] == ["Delivered", "Delivered", "Held"]
        assert [row["Reply"] for row in rows] == ["", "yes please", ""]
        assert "[number-" in rows[2]["Detail"]
        assert office.reached() == {"34600000001": 1, "34600000002": 1}
        assert (desk.news / "listener.life").exists()
        calc.close()
        assert [row.status for row in read_rows(path)] == ["Delivered", "Delivered", "Held"]
    finally:
        with contextlib.suppress(OSError):  # else it would stay for another minute
            os.kill(int((desk.news / "listener.life").read_text("ascii").partition("-")[0]), signal.SIGTERM)
        calc.close()
        calc.unload_addin()
        office.end()


def test_every_button_asks_for_its_verb(loaded):
    for number, verb in enumerate(BUTTONS, 1):
        loaded.run("TestDesk.Press", control(verb))
        loaded.until_asked(number)  # one after the other: two processes would write into the same row
    assert [verb for verb, *_ in loaded.asked()] == list(BUTTONS)
    assert [row[0] for row in loaded.calc.read()[2:]] == list(BUTTONS)


def test_several_areas_are_spans_of_rows(loaded):
    loaded.calc.select(place="A7:B9,A2:A2,C12:C12")
    loaded.run("TestDesk.Press", control(Verb.MARK))
    loaded.until_asked(1)
    until(lambda: len(loaded.calc.read()) > 2)
    assert loaded.calc.read()[-1][3] == "2:2,7:9,12:12"


@pytest.mark.parametrize(
    "name",
    [
        "two words.xlsx",
        "a & b=2 100%25 %PATH%.xlsx",
        'it\'s "quoted" `touch hit` $(touch hit).xlsx',
        "; touch hit; #.xlsx",
        "año Żółw 😀 日本.xlsx",
        "-I -m os --help.xlsx",
    ],
)
def test_no_name_of_a_workbook_means_anything_to_the_launcher(desk, name):
    desk.load()
    path = desk.book(name)
    desk.run("TestDesk.Press", control(Verb.PREVIEW))
    until(lambda: len(desk.calc.read()) > 2, why=desk.asked)
    assert desk.calc.read()[-1][:2] == ["preview", name]
    assert desk.until_asked(1)[0][1] == str(path)
    assert not list(desk.folder.rglob("hit"))
    assert not Path("hit").exists()


NASTY = [
    "",
    "plain",
    "a b",
    "100%",
    "año",
    "Żółw",
    "日本",
    "😀x",
    "'\"`$(x)\\&|;<>^=!",
    "\t\r\n",
    "a,b-c.d/e_f:g~1",
    "\U0010ffff",
]


def test_values_are_encoded_as_the_standard_says(loaded):
    for text in NASTY:
        assert loaded.run("SmsLaunch.Encoded", text) == quote(text, safe=",-./:_~"), text


def test_half_a_surrogate_pair_is_a_replacement_character(loaded):
    """A cell can hold one; no encoding can. It reaches VBA by a number, for UNO does not carry it either."""
    half = 'Public Function Half() As String\n    Half = SmsLaunch.Encoded(ChrW$(55357) & "a")\nEnd Function\n'
    loaded.calc.unload_addin()
    settings = Settings(folder=f"{loaded.news}/")
    file = loaded.folder / "half.xlam"
    file.write_bytes(addin(settings, project=vba([Module(name="TestHalf", source=half)])))
    loaded.calc.load_addin(path=file)
    assert loaded.run("TestHalf.Half") == "%EF%BF%BDa"


def test_only_verbs_and_an_interpreter_make_a_command(loaded):
    assert loaded.run("SmsLaunch.CommandLine", "/a b/python", "send") == '"/a b/python" -I -m xlsms.addin send'
    for interpreter, verb in (
        ("", "send"),
        ('/a"b', "send"),
        ("/python", "send x"),
        ("/python", "SEND"),
        ("/python", ""),
    ):
        assert loaded.run("SmsLaunch.CommandLine", interpreter, verb) == ""
    assert all(loaded.run("SmsLaunch.IsVerb", str(verb)) is True for verb in Verb)


@pytest.mark.parametrize(
    ("system", "launcher"),
    [
        ("Windows (64-bit) NT :.00", "windows"),
        ("Macintosh (Intel) 10.16", "mac"),
        ("Mac OS 14", "mac"),
        ("Unix", "calc"),
    ],
)
def test_each_system_has_its_launcher(loaded, system, launcher):
    assert loaded.run("SmsLaunch.LauncherFor", system) == launcher


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("started", ""),
        ("", "no-script"),
        ("no-interpreter", "no-interpreter"),
        ("failed", "script-failed"),
        ("refused", "script-failed"),
    ],
)
def test_a_script_that_fails_is_not_told_as_missing(loaded, answer, told):
    assert loaded.run("SmsLaunch.TroubleOnMac", answer) == told
    assert not told or told not in loaded.run("SmsText.Wording", told)


@pytest.mark.parametrize(
    ("lcid", "language"), [(1033, "en"), (3082, "es"), (2058, "es"), (21514, "es"), (1031, "en"), (0, "en")]
)
def test_each_spanish_is_spanish(loaded, lcid, language):
    assert loaded.run("TestDesk.LanguageOf", str(lcid)) == language  # a number from outside comes as another kind


@pytest.mark.parametrize("language", ["en", "es"])
def test_labels_and_tips_are_those_of_the_ribbon(desk, language):
    desk.language = language
    desk.load()
    said = {text.key: getattr(text, language) for text in texts()}
    for verb in BUTTONS:
        assert desk.run("TestDesk.Label", control(verb)) == said[f"{verb}.label"]
        assert desk.run("TestDesk.Supertip", control(verb)) == said[f"{verb}.tip"]
    assert desk.run("TestDesk.Label", "xlsms_group_replies") == said["group-replies.label"]
    assert desk.run("SmsText.Wording", "no-interpreter") == said["no-interpreter"]


def test_buttons_are_grey_without_what_they_need(loaded):
    enabled = {verb for verb in BUTTONS if loaded.run("TestDesk.Enabled", control(verb))}
    assert enabled == set(BUTTONS)
    loaded.calc.select_shape()
    enabled = {verb for verb in BUTTONS if loaded.run("TestDesk.Enabled", control(verb))}
    assert enabled == set(BUTTONS) - {Verb.SEND_SELECTED, Verb.MARK, Verb.REPLIES, Verb.ANSWER}


@pytest.mark.parametrize(
    ("word", "start", "stop"),
    [("running", False, "Stop"), ("stopped", False, "Let it go on"), ("away", True, "Stop"), ("", True, "Stop")],
)
def test_the_ribbon_shows_how_the_service_is(loaded, word, start, stop):
    assert loaded.run("TestDesk.WithService", word) == f"{start}|{stop}"


def test_a_missing_interpreter_is_said(desk):
    desk.interpreter = ""
    desk.load()
    desk.book()
    assert desk.run("TestDesk.StartedFor", "send") == "[no-interpreter]"
    assert desk.run("TestDesk.StartedFor", "sned") == "[no-interpreter]"
    assert desk.asked() == []


@pytest.mark.parametrize(("first", "second", "times"), [("", "", 0), ("17", "", 1), ("17", "17", 1), ("17", "18", 2)])
def test_the_tick_starts_python_only_for_news(loaded, first, second, times):
    news, *followed = loaded.run("TestDesk.News", first, second).split("|")
    assert followed == ["1", "1", "1"]
    mark = Path(news).with_suffix(".open")
    assert mark.read_text().strip() == quote(str(loaded.path), safe=",-./:_~")
    assert loaded.until_asked(times) == [["update", str(loaded.path), news]] * times


def test_the_tick_starts_one_listener_when_none_shows_life(loaded):
    assert loaded.run("TestDesk.NoListener").endswith("|1")
    assert loaded.until_asked(1) == [["listen", "None", str(loaded.news / "listener.news")]]


def test_a_closed_workbook_is_let_go_and_never_opened_again(loaded):
    before, followed, mark, books = loaded.run("TestDesk.Closed").split("|")
    loaded.calc.document_gone()
    assert before.endswith(".open")
    assert (followed, mark, books) == ("0", "", "1")  # the add-in itself is left
    assert loaded.asked() == []


def test_closing_the_add_in_lets_everything_go(loaded):
    before, followed, mark = loaded.run("TestDesk.Halted").split("|")
    assert before.endswith(".open")
    assert (followed, mark) == ("0", "")


def test_a_workbook_that_xlsms_has_nothing_to_do_with_is_not_followed(loaded):
    assert loaded.run("TestDesk.ConsiderActive") == 0
    assert not loaded.news.exists()


#: In place of Excel's own `Application`, which LibreOffice has only in part: whether a cell is being edited, and OnTime.
HOST = """
Public Ready As Boolean
Public Due As Date
Public Said As String
Public Refuses As Boolean
Public Ours As String

Public Sub OnTime(ByVal at As Date, ByVal procedure As String, Optional ByVal latest As Variant, _
    Optional ByVal schedule As Variant)
    If Refuses Then Err.Raise 1004
    If IsMissing(schedule) Then
        Due = at
        Said = Said & "+" & procedure
    ElseIf at = Due And Not schedule Then
        Said = Said & "-" & procedure
    Else
        Said = Said & "!" ' Excel finds nothing to cancel at another time
    End If
End Sub
"""
TICK = """
Private mHost As TestHost

Public Function Host() As Object
    If mHost Is Nothing Then Set mHost = New TestHost
    Set Host = mHost
End Function

Private Sub Leave(ByVal path As String, ByVal word As String)
    Open path For Output As #1
    Print #1, word
    Close #1
End Sub

Public Function Editing(ByVal log As String) As String
    Dim path As String
    path = SmsTick.Follow(SmsRibbon.UsersBook())
    Leave SmsTick.Folder() & "listener.life", "1"
    Host.Ready = False
    Leave path, "17"
    SmsTick.Tick
    SmsTick.Tick
    Wait 3000
    Editing = path & "|" & Dir$(log)
    Host.Ready = True
    SmsTick.Tick
    SmsTick.Tick
End Function

Public Function Refused() As String
    Host.Refuses = True
    SmsTick.Follow SmsRibbon.UsersBook()
    Host.Refuses = False
    Refused = Host.Said & "|"
    SmsTick.Start ' the next workbook, or button
    Refused = Refused & Host.Said
End Function

Public Function Identity(ByVal book As Object) As String
    If book.FullName = Host.Ours Then Identity = "one"
End Function

Public Function Found() As String
    SmsTick.ConsiderAll
    Found = CStr(SmsTick.Followed()) & "|"
    Host.Ours = SmsRibbon.UsersBook().FullName
    SmsTick.ConsiderAll
    SmsTick.ConsiderAll
    Found = Found & CStr(SmsTick.Followed())
End Function

Public Function Once() As String
    SmsTick.LookOnce
    SmsTick.LookOnce
    Once = Host.Said & "|"
    SmsTick.Tick ' nothing is followed: it is the last one
    Once = Once & Host.Said & "|"
    SmsTick.LookOnce
    SmsTick.Halt
    Once = Once & Host.Said
End Function

Public Function Scheduled() As String
    Dim path As String, begun As Date
    begun = Now
    Host.Ready = True
    path = SmsTick.Follow(SmsRibbon.UsersBook())
    Leave SmsTick.Folder() & "listener.life", "1"
    Scheduled = Host.Said & "|" & CStr(Round((Host.Due - begun) * 86400)) & "|" & CStr(Round((Host.Due - Now) * 86400))
    SmsTick.Start
    SmsTick.Follow SmsRibbon.UsersBook()
    SmsTick.Tick
    Scheduled = Scheduled & "|" & Host.Said
    SmsTick.Halt
    SmsTick.Start
    Scheduled = Scheduled & "|" & Host.Said
End Function
"""


@pytest.fixture
def ticking(desk):
    """The add-in with its tick at an `Application` and a property of the test's; the rest is as shipped."""
    sources = {module.name: module for module in modules()}
    tick = sources["SmsTick"].source
    ready, ontime = "Set host = Application\r\n    IsReady = host.Ready", "Application.OnTime "
    tick = tick.replace("\r\n", "\n").replace("\n", "\r\n")
    assert (tick.count(ready), tick.count(ontime)) == (1, 2)
    tick = tick.replace(ready, ready.replace("Application", "TestTick.Host()")).replace(
        ontime, "TestTick.Host().OnTime "
    )
    identity = "book.CustomDocumentProperties(IDENTITY).Value"
    assert tick.count(identity) == 1
    tick = tick.replace(identity, "TestTick.Identity(book)")
    sources["SmsTick"] = Module(name="SmsTick", source=tick)
    sources["TestTick"] = Module(name="TestTick", source=TICK)
    sources["TestHost"] = Module(name="TestHost", kind=Kind.CLASS, source=HOST)
    settings = Settings(interpreter=str(desk.interpreter), folder=f"{desk.news}/", language=desk.language)
    file = desk.folder / "xlsms.xlam"
    file.write_bytes(addin(settings, project=vba_project(PROJECT_NAME, PROJECT_ID, list(sources.values()))))
    desk.calc.load_addin(path=file)
    desk.path = desk.book()
    return desk


def test_news_wait_while_a_cell_is_being_edited(ticking):
    news, log = ticking.run("TestTick.Editing", str(ticking.log)).split("|")
    assert log == ""  # nothing was started
    assert ticking.until_asked(1) == [["update", str(ticking.path), news]]  # afterwards it was, once


def test_the_tick_is_asked_for_once_at_a_time_and_cancelled_by_the_same_time(ticking):
    first, since, left, again, end = ticking.run("TestTick.Scheduled").split("|")
    assert first == "+'xlsms.xlam'!SmsTick.Tick"
    assert int(left) <= 5 <= int(since)
    assert again == first * 2  # a second start asks for nothing; the tick itself asks for the next
    assert end == f"{again}-'xlsms.xlam'!SmsTick.Tick"  # and nothing is left that would open the add-in again


def test_a_tick_that_is_refused_is_asked_for_again(ticking):
    assert ticking.run("TestTick.Refused") == "|+'xlsms.xlam'!SmsTick.Tick"


def test_leaving_a_workbook_asks_for_one_more_look(ticking):
    first, ticked, halted = ticking.run("TestTick.Once").split("|")
    asked = "+'xlsms.xlam'!SmsTick.Tick"
    assert first == asked
    assert ticked == asked  # without a workbook the tick does not go on
    assert halted == f"{asked}{asked}-'xlsms.xlam'!SmsTick.Tick"


def test_workbooks_that_were_open_before_the_add_in_are_found(ticking):
    assert ticking.run("TestTick.Found") == "0|1"
