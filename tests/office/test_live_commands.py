"""Every verb of the ribbon in a workbook that is open in a real LibreOffice, with the service and a simulated network."""

import contextlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import httpx
import openpyxl
import pytest

from tests.office.conftest import until
from tests.office.live import Live
from tests.office.test_live_calc import filter_names
from xlsms import home
from xlsms.addin import commands
from xlsms.addin.commands import desk as at_desk
from xlsms.addin.invocation import Host, Invocation
from xlsms.addin.verb import BUTTONS, Verb
from xlsms.client import Client
from xlsms.errors import UserError
from xlsms.workbook import read_rows

pytestmark = pytest.mark.office

COLUMNS = ("Name", "Phone", "Message", "Send", "Status", "Detail", "Status time", "Reply", "Reply time", "SMS ID")
PHONES = [
    '[[phone]]\nnumber = "+34600000002"\nreply = "yes please"',
    '[[phone]]\nnumber = "+34600000005"\nreply = "=1+1"',
]


class Ears:
    """A voice that keeps what was said, and says yes."""

    def __init__(self):
        self.said, self.warned, self.asked, self.shown, self.yes = [], [], [], [], True

    def say(self, text):
        self.said.append(text)

    def warn(self, text):
        self.warned.append(text)

    def ask(self, text):
        self.asked.append(text)
        return self.yes

    def look(self, box):
        return None

    def show(self, address):
        self.shown.append(address)

    def edit(self, path):
        self.shown.append(str(path))

    def status(self, text):
        pass


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    office = Live(tmp_path_factory.mktemp("profile"))
    yield office
    office.end()


class User:
    """Somebody in front of an open workbook in the watched folder."""

    def __init__(self, live, path):
        self.live, self.path = live, path
        self.ears = Ears()
        live.open(path)

    @property
    def sheet(self):
        return self.live.document(self.path).Sheets.getByIndex(0)

    def press(self, verb, rows=(), **more):
        request = Invocation(
            verb=verb, host=Host.CALC, book=str(self.path), name=self.path.name, sheet="People", rows=rows, **more
        )
        commands.COMMANDS[verb](request)

    def shown(self):
        """What stands in each row, by the name of the person."""
        sheet = self.sheet
        cursor = sheet.createCursor()
        cursor.gotoEndOfUsedArea(False)
        last = cursor.RangeAddress.EndRow + 1
        rows = sheet.getCellRangeByName(f"A1:J{last}").getDataArray()
        found = {row[0]: dict(zip(rows[0], row, strict=True)) for row in rows[1:] if row[0]}
        assert len(found) == sum(bool(row[0]) for row in rows[1:])
        return found

    def states(self):
        return {name: row["Status"] for name, row in self.shown().items()}

    def refresh_until(self, condition):
        def look():
            self.press(Verb.REFRESH)
            return condition()

        until(look, why=lambda: f"{self.shown()} {self.ears.said} {self.ears.warned}")


@pytest.fixture
def user(live, desk, monkeypatch):
    """Opens a list of so many people, with everything running: `user(count)`."""
    desk.network(PHONES, receipt=0.3)
    service = desk.service()
    monkeypatch.setenv("XLSMS_CONFIG", str(desk.settings))

    def made(count, *, marked=True, change=lambda sheet: None, folder=desk.watched, finish=lambda path: None):
        book = openpyxl.Workbook()
        book.active.title = "People"
        book.active.append(COLUMNS)
        for n in range(count):
            book.active.append([f"Person {n}", f"6{n:08}", "Hello {Name}", "x" if marked else None])
        change(book.active)
        path = folder / "my list & co.xlsx"
        service.hold()  # the watcher must not see it before it is open
        book.save(path)
        finish(path)
        person = User(live, path)
        service.go_on()
        person.service = service
        monkeypatch.setattr(at_desk, "voice_of", lambda request: person.ears)
        for module in (commands, commands.marking, commands.telling, commands.listening):
            monkeypatch.setattr(module, "voice_of", lambda request: person.ears)
        return person

    yield made
    live.close_all()


def test_there_is_a_command_for_every_verb():
    assert commands.COMMANDS.keys() == set(Verb)


def test_from_preview_to_replies_with_sorts_filters_saves_and_the_watcher(user, desk, live):
    person = user(8)
    # preview: a page, and nothing goes
    person.press(Verb.PREVIEW)
    (page,) = person.ears.shown
    assert page.startswith("http://127.0.0.1:")
    assert not desk.reached()
    # send: asked first, a no sends nothing
    person.ears.yes = False
    person.press(Verb.SEND)
    assert "8" in person.ears.asked[0]
    assert not desk.reached()
    person.ears.yes = True
    person.press(Verb.SEND)
    assert "8 messages" in person.ears.said[-1]
    ids = {name: row["SMS ID"] for name, row in person.shown().items()}
    assert all(re.fullmatch("[BCDFGHJKMNPQRSTVWXZ]{13}", identity) for identity in ids.values())
    # the user sorts the other way round while states are on their way
    sort(person.sheet, "A1:J9", descending=True)
    person.refresh_until(lambda: set(person.states().values()) == {"Delivered"})
    person.refresh_until(lambda: person.shown()["Person 2"]["Reply"] == "yes please")
    person.refresh_until(lambda: person.shown()["Person 5"]["Reply"] == "=1+1")
    assert {name: row["SMS ID"] for name, row in person.shown().items()} == ids
    # a second press sends nothing
    person.press(Verb.SEND)
    assert "No row is marked" in person.ears.said[-1]
    # saved, closed: the watcher sees the same file and has nothing to add; opened again: nothing changes
    live.document(person.path).store()
    live.close_all()
    until(lambda: {row.status for row in read_rows(person.path)} == {"Delivered"})
    live.open(person.path)
    person.press(Verb.REFRESH)
    assert {name: row["SMS ID"] for name, row in person.shown().items()} == ids
    assert desk.reached() == {f"346{n:08}": 1 for n in range(8)}


def sort(sheet, area, *, descending=False):
    """The user sorts by the first column."""
    from xlsms.addin.calc.link import properties, uno

    field = uno().createUnoStruct("com.sun.star.table.TableSortField")
    field.Field, field.IsAscending = 0, not descending
    fields = uno().Any("[]com.sun.star.table.TableSortField", (field,))
    uno().invoke(
        sheet.getCellRangeByName(area),
        "sort",
        ((*properties(ContainsHeader=True), *properties(SortFields=fields)),),
    )


def test_closing_without_saving_loses_nothing(user, desk, live):
    person = user(5)
    person.press(Verb.SEND)
    person.refresh_until(lambda: set(person.states().values()) == {"Delivered"})
    person.service.hold()  # it looks at what is closed
    live.close_all()  # nothing of it was saved: the file still shows the marks
    live.open(person.path)
    person.service.go_on()
    assert set(person.states().values()) == {""}
    person.press(Verb.SEND)  # the marks are there again
    person.refresh_until(lambda: set(person.states().values()) == {"Delivered"})
    assert desk.reached() == {f"346{n:08}": 1 for n in range(5)}


def test_what_comes_after_closing_is_written_by_the_service(user, desk, live):
    person = user(4)
    person.press(Verb.SEND)
    live.document(person.path).store()
    live.close_all()
    with Client.connect(starting=False) as client:
        book = client.register(
            guid=person_guid(person.path), path=person.path, name=person.path.name, host="calc", language="en"
        )
        client.closed(book)
    until(lambda: {row.status for row in read_rows(person.path)} == {"Delivered"})
    assert desk.reached() == {f"346{n:08}": 1 for n in range(4)}


def person_guid(path):
    from xlsms.workbook.closed import ClosedWorkbook

    return ClosedWorkbook(path).read().guid


def test_selected_rows_go_without_a_mark_and_marks_stay(user, desk):
    person = user(6, marked=False)
    person.sheet.getCellRangeByName("D7").String = "x"
    person.press(Verb.SEND_SELECTED, rows=((3, 4), (6, 6)))
    person.refresh_until(lambda: sum(state == "Delivered" for state in person.states().values()) == 3)
    assert {name for name, state in person.states().items() if state} == {"Person 1", "Person 2", "Person 4"}
    assert person.shown()["Person 5"]["Send"] == "x"
    assert desk.reached() == {f"346{n:08}": 1 for n in (1, 2, 4)}
    assert "now once more" not in person.ears.asked[0]
    person.press(Verb.REFRESH)
    assert person.ears.said[-1] == "Nothing new."
    person.ears.yes = False
    person.press(Verb.SEND_SELECTED, rows=((3, 3), (7, 7)))
    assert "Of these, sent before and now once more: 1" in person.ears.asked[1]
    person.press(Verb.SEND_SELECTED, rows=((3, 3),))
    assert person.ears.asked[2].startswith("Send 1 message (1 SMS)?")


def test_marks_come_and_go(user):
    person = user(4, marked=False)
    person.press(Verb.MARK, rows=((2, 3),))
    assert [row["Send"] for row in person.shown().values()] == ["x", "x", "", ""]
    person.press(Verb.MARK, rows=((2, 5),))
    assert [row["Send"] for row in person.shown().values()] == ["x"] * 4
    person.press(Verb.MARK, rows=((2, 1_048_576),))
    assert [row["Send"] for row in person.shown().values()] == [""] * 4


def test_a_filter_hides_rows_from_a_send_and_from_nothing_else(user, desk):
    person = user(6)
    filter_names(person.sheet, "A1:J7", "Person 3")
    person.press(Verb.SEND)
    person.refresh_until(lambda: person.states()["Person 3"] == "Delivered")
    assert desk.reached() == {"34600000003": 1}


def test_a_problem_is_told_before_and_in_the_row(user, desk):
    person = user(3)
    person.sheet.getCellRangeByName("B3").String = "12"
    person.press(Verb.SEND)
    assert "Cannot go: 1" in person.ears.asked[0]
    person.refresh_until(lambda: person.states()["Person 0"] == "Delivered")
    row = person.shown()["Person 1"]
    assert "[number-" in row["Detail"], row
    assert len(desk.reached()) == 2


class Page:
    """A page of the service in a browser."""

    def __init__(self, address):
        base, ticket = address.split("#")
        self.base = base.rsplit("/", 1)[0]
        self.key = "none"
        assert httpx.get(base).status_code == 200
        self.key = self.ask("open", ticket=ticket)["key"]

    def ask(self, what, **body):
        headers = {"Authorization": f"Bearer {self.key}", "Origin": self.base}
        answer = httpx.post(f"{self.base}/page/{what}", json=body, headers=headers)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else {}


def test_what_is_wrong_is_shown_in_the_sheet_and_what_is_approved_goes(user, desk, live):
    person = user(3)
    person.sheet.getCellRangeByName("B3").String = "12"
    person.press(Verb.PREVIEW)
    page = Page(person.ears.shown[0])
    plan = page.ask("plan")
    (wrong,) = (row for row in plan["rows"] if row["problem"])
    page.ask("show", sheet=wrong["sheet"], row=wrong["row"], column="B")
    person.press(Verb.UPDATE)
    selected = live.document(person.path).CurrentController.Selection.RangeAddress
    assert (selected.StartColumn, selected.StartRow) == (1, 2)
    assert not desk.reached()
    page.ask("approve", hash=plan["hash"])
    person.refresh_until(lambda: list(person.states().values()).count("Delivered") == 2)
    assert desk.reached() == {"34600000000": 1, "34600000002": 1}


def test_a_protected_sheet_is_told_before_anybody_is_asked(user, desk):
    person = user(2)
    person.sheet.protect("")
    for verb in (Verb.SEND, Verb.SEND_SELECTED):
        with pytest.raises(UserError) as caught:
            person.press(verb, rows=((2, 2),))
        assert caught.value.code == "sheet-locked"
        commands.complain(Invocation(verb=verb, host=Host.CALC), caught.value)
        assert person.ears.warned[-1].startswith("my list & co.xlsx People: the sheet is protected")
    assert person.ears.asked == []
    # what is approved on a page does not go either, and the reason is told at the sheet
    person.press(Verb.PREVIEW)
    page = Page(person.ears.shown[-1])
    page.ask("approve", hash=page.ask("plan")["hash"])
    person.press(Verb.UPDATE)
    assert "[sheet-locked]" in person.ears.warned[-1]
    person.sheet.unprotect("")
    assert not desk.reached()
    person.press(Verb.SEND)
    person.refresh_until(lambda: set(person.states().values()) == {"Delivered"})
    assert desk.reached() == {f"346{n:08}": 1 for n in range(2)}


def test_a_file_that_is_only_to_be_read_is_told_as_that(user, desk):
    # where nobody watches: for root it can be written, and one that is open for reading only has no lock
    person = user(2, folder=desk.folder, finish=lambda path: path.chmod(0o444))
    if not person.live.document(person.path).isReadonly():  # root may write everything: read as the user asks for
        person.live.close_all()
        person.live.open(person.path, ReadOnly=True)
    for verb in (Verb.SEND, Verb.MARK):
        with pytest.raises(UserError) as caught:
            person.press(verb, rows=((2, 2),))
        assert (caught.value.code, person.ears.asked) == ("workbook-read-only", [])
    person.press(Verb.REPORT)
    assert not desk.reached()


def test_a_copy_is_made_a_workbook_of_its_own_after_a_yes(user, desk, live):
    person = user(2)
    person.press(Verb.SEND)
    person.refresh_until(lambda: set(person.states().values()) == {"Delivered"})
    live.document(person.path).store()
    path = person.path.with_name("copy.xlsx")
    path.write_bytes(person.path.read_bytes())
    copy = User(live, path)
    copy.ears = person.ears
    copy.sheet.getCellRangeByName("D2").String = "x"
    asked = len(copy.ears.asked)
    copy.ears.yes = False
    with pytest.raises(UserError) as caught:
        copy.press(Verb.SEND)
    assert caught.value.code == "workbook-copied"
    assert copy.ears.asked[asked].startswith("copy.xlsx is a copy of ")
    assert copy.states()["Person 0"] == "Delivered"
    copy.ears.yes = True
    copy.press(Verb.SEND)
    # the same to the same number within a day is held, and nobody is asked to send nothing
    assert copy.ears.asked[-1].startswith("copy.xlsx is a copy of ")
    assert copy.ears.warned[-1] == "Held until you decide: 1"
    assert "duplicate-recent" in copy.shown()["Person 0"]["Detail"]
    row = copy.shown()["Person 1"]
    assert (row["Status"], row["SMS ID"], row["Name"]) == ("", "", "Person 1")
    assert set(person.states().values()) == {"Delivered"}
    person.press(Verb.REFRESH)
    assert person.ears.said[-1] == "Nothing new."


def test_conversation_of_the_selected_row(user):
    person = user(3)
    person.press(Verb.SEND)
    person.refresh_until(lambda: person.shown()["Person 2"]["Reply"] == "yes please")
    for verb in (Verb.REPLIES, Verb.ANSWER):
        person.press(verb, rows=((4, 4),))
        assert "/conversation#" in person.ears.shown[-1]
    # whose number was taken out since: the message knows whom it went to
    person.sheet.getCellRangeByName("B4").setString("")
    person.press(Verb.REPLIES, rows=((4, 4),))
    assert len(set(person.ears.shown)) == 3
    with pytest.raises(UserError) as caught:
        person.press(Verb.REPLIES, rows=((5, 5),))  # nothing stands there
    assert caught.value.code == "selection-no-row"


def test_stop_and_go_on(user, desk):
    person = user(3)
    person.press(Verb.STOP)
    assert "Stopped" in person.ears.said[-1]
    person.press(Verb.SEND)
    assert "3 messages were accepted.\nAll sending is stopped" in person.ears.said[-1]
    assert not desk.reached()
    person.press(Verb.STOP)
    assert "go out again" in person.ears.said[-1]
    person.refresh_until(lambda: set(person.states().values()) == {"Delivered"})


def test_columns_are_inserted_into_a_list_and_into_a_table(user, live):
    from openpyxl.worksheet.table import Table

    def bare(sheet):
        sheet.delete_cols(3, 8)
        sheet.add_table(Table(displayName="List", ref="A1:B4"))

    person = user(3, change=bare)
    person.press(Verb.COLUMNS)
    assert "SMS ID" in person.ears.said[-1]
    # Calc records rules for colours whatever it is told; they hold nothing that was sent
    assert set(live.document(person.path).UndoManager.getAllUndoActionTitles()) <= {"Conditional Format"}
    headers = person.sheet.getCellRangeByName("A1:J1").getDataArray()[0]
    assert headers == (
        "Name",
        "Phone",
        "Message",
        "Send",
        "Status",
        "Detail",
        "Status time",
        "Reply",
        "Reply time",
        "SMS ID",
    )
    area = live.document(person.path).DatabaseRanges.getByName("List").DataArea
    assert (area.EndColumn, area.EndRow) == (9, 3)
    person.press(Verb.COLUMNS)
    assert "All columns are there" in person.ears.said[-1]
    # as `xlsms init` does for a closed one: a drop-down, colours, and no id before the user's eyes
    assert not person.sheet.Columns.getByIndex(9).IsVisible
    live.document(person.path).store()
    saved = openpyxl.load_workbook(person.path).active
    (choice,) = saved.data_validations.dataValidation
    assert (str(choice.sqref), choice.formula1, choice.showErrorMessage) == ("D2:D4", '"x"', False)
    ((area, rules),) = ((str(found.sqref), found.rules) for found in saved.conditional_formatting)
    assert area == "E2:E4"
    fills = {rule.formula[0]: rule.dxf.fill.bgColor.rgb for rule in rules}
    assert (fills['"Delivered"'], fills['"Entregado"']) == ("FFD1FAE5", "FFD1FAE5")
    # and a set-up of the closed file finds all of it there
    from xlsms.workbook.removal import remove_set_up
    from xlsms.workbook.setup import set_up

    live.close_all()
    taken = person.path.with_name("taken.xlsx")
    taken.write_bytes(person.path.read_bytes())
    assert remove_set_up(taken).columns == {"People": headers[2:]}  # all that was inserted is known, and goes again
    kept = openpyxl.load_workbook(taken).active
    assert [[cell.value for cell in line] for line in kept["A1:C2"]] == [
        ["Name", "Phone", None],
        ["Person 0", "600000000", None],
    ]
    assert not kept.data_validations.dataValidation
    assert not list(kept.conditional_formatting)
    assert kept.tables["List"].ref == "A1:B4"
    set_up(person.path)
    again = openpyxl.load_workbook(person.path).active
    assert len(again.data_validations.dataValidation) == len(list(again.conditional_formatting)) == 1


def test_replies_are_listed_while_it_is_open_and_once(user, desk, live):
    from xlsms.workbook.setup import set_up

    def ready(path):
        set_up(path, own_sheets=True)

    person = user(6, finish=ready)
    person.press(Verb.SEND)
    person.refresh_until(lambda: person.shown()["Person 5"]["Reply"] == "=1+1")
    person.refresh_until(lambda: person.shown()["Person 2"]["Reply"] == "yes please")
    person.press(Verb.REFRESH)
    listed = live.document(person.path).Sheets.getByName("SMS Replies")
    rows = [row[1:4] for row in listed.getCellRangeByName("A2:E5").getDataArray() if row[1]]
    assert sorted(rows) == [("+34600000002", "yes please", "People"), ("+34600000005", "=1+1", "People")]
    assert listed.getCellRangeByName("A2").Value > 46_000  # a moment
    # what the open sheet lists, the service does not list again in the saved file; nor is a save needed for it
    live.document(person.path).store()
    live.close_all()
    with Client.connect(starting=False) as client:
        guid = person_guid(person.path)
        book = client.register(guid=guid, path=person.path, name=person.path.name, host="calc", language="en")
        assert len(list(client.replies(book))) == 2
        client.closed(book)
        until(lambda: _lacking_in(desk) == 0)
    names = openpyxl.load_workbook(person.path)["SMS Replies"]
    assert sorted(row[2] for row in names.iter_rows(min_row=2, values_only=True)) == ["=1+1", "yes please"]


def _lacking_in(desk):
    import sqlite3

    with contextlib.closing(sqlite3.connect(next(desk.folder.glob("data/*.sqlite3")))) as ledger:
        return ledger.execute("select count(*) from reply where written_at is null").fetchone()[0]


def test_report_help_settings_and_a_new_workbook(user, live, tmp_path, monkeypatch):
    person = user(3)
    person.press(Verb.REPORT)
    assert "nothing has been sent" in person.ears.said[-1]
    person.press(Verb.SEND)
    person.refresh_until(lambda: set(person.states().values()) == {"Delivered"})
    person.press(Verb.REPORT)
    assert "Delivered: 3" in person.ears.said[-1]
    person.press(Verb.HELP)
    assert "{Name}" in person.ears.said[-1]
    person.press(Verb.SETTINGS)
    assert person.ears.shown[-1].endswith("xlsms.toml")
    monkeypatch.setenv("HOME", str(tmp_path))
    person.press(Verb.NEW)
    person.press(Verb.NEW)
    assert {path.name for path in tmp_path.glob("SMS*.xlsx")} == {"SMS.xlsx", "SMS 2.xlsx"}
    assert live.document(tmp_path / "SMS 2.xlsx")


def test_report_brings_the_report_sheet_to_the_front(user, live):
    from xlsms.workbook.setup import set_up

    person = user(2, finish=lambda path: set_up(path, language="en", own_sheets=True))
    controller = live.document(person.path).CurrentController
    assert controller.ActiveSheet.Name == "People"
    person.press(Verb.REPORT)
    assert controller.ActiveSheet.Name == "SMS Report"


@pytest.mark.parametrize(
    ("verb", "more", "code"),
    [
        (Verb.MARK, {}, "selection-no-cells"),
        (Verb.SEND_SELECTED, {"rows": ()}, "selection-no-cells"),
        (Verb.REPLIES, {"rows": ((900, 900),)}, "selection-no-row"),
    ],
)
def test_what_cannot_be_is_said_in_words(user, verb, more, code):
    person = user(2)
    with pytest.raises(UserError) as caught:
        person.press(verb, **more)
    assert caught.value.code == code
    request = Invocation(verb=verb, host=Host.CALC, language="es")
    commands.complain(request, caught.value)
    assert f"[{code}]" in person.ears.warned[-1]


def test_a_stopped_service_is_told_in_one_sentence(live, desk, monkeypatch, tmp_path):
    empty = tmp_path / "none.toml"
    empty.write_text(
        '[service]\ndata = "nothing"\nlisten = "127.0.0.1:0"\n[[connector]]\nname = "network"\ntype = "simulator"\n'
    )
    monkeypatch.setenv("XLSMS_CONFIG", str(empty))
    ears = Ears()
    ears.yes = False
    monkeypatch.setattr(commands.telling, "voice_of", lambda request: ears)
    press = Invocation(verb=Verb.STOP, host=Host.CALC, news=tmp_path / "1.news")
    commands.COMMANDS[Verb.STOP](press)
    assert "not running" in ears.asked[-1]
    assert (tmp_path / "service.state").read_text() == "away\n"
    # a yes starts it; the same button then stops it, and says so to the ribbon
    ears.yes = True
    try:
        commands.COMMANDS[Verb.STOP](press)
        assert "xlsms is running" in ears.said[-1]
        assert (tmp_path / "service.state").read_text() == "running\n"
        commands.COMMANDS[Verb.STOP](press)
        assert (tmp_path / "service.state").read_text() == "stopped\n"
        commands.COMMANDS[Verb.START](press)
        assert "all sending is stopped" in ears.said[-1]
    finally:
        beacon = home.read_beacon(tmp_path / "nothing")
        if beacon is not None:
            os.kill(beacon.pid, signal.SIGTERM)


def test_every_button_is_tried_here():
    text = Path(__file__).read_text("utf-8")
    tried = {verb for verb in BUTTONS if f"Verb.{verb.name}" in text}
    assert tried == set(BUTTONS)


def test_news_come_by_themselves_until_the_workbook_is_closed(user, desk, live, monkeypatch):
    """The process that the extension starts, as a process of its own."""
    person = user(4)
    person.press(Verb.SEND)
    given = {"HOST": "calc", "OFFICE": live.pipe, "BOOK": live.document(person.path).URL, "NAME": person.path.name}
    environment = {**os.environ, **{f"XLSMS_{name}": quote(value, safe="") for name, value in given.items()}}
    listening = subprocess.Popen([sys.executable, "-I", "-m", "xlsms.addin", "listen"], env=environment)
    try:
        until(lambda: set(person.states().values()) == {"Delivered"}, why=person.states)
        until(lambda: person.shown()["Person 2"]["Reply"] == "yes please", why=person.shown)
        live.document(person.path).store()
        live.close_all()
        assert listening.wait(60) == 0
    finally:
        listening.kill()
        listening.wait()
    assert desk.reached() == {f"346{n:08}": 1 for n in range(4)}
