"""The live backend keeps the promises of every `Workbook` in a real LibreOffice, through the real xlwings."""

from datetime import timedelta

import openpyxl
import pytest
import xlwings as xw
from openpyxl.worksheet.table import Table

from tests.office.live import Live
from tests.unit.workbook.test_workbook_contract import HEADERS, IDS, MADRID, NOW, WorkbookContract
from tests.workbooks import people, workbook
from xlsms.addin.calc.guard import QuirkError
from xlsms.addin.calc.link import uno
from xlsms.addin.commands.voice import AppVoice
from xlsms.errors import TransientError, UserError
from xlsms.files.turn import Turn
from xlsms.model import Role
from xlsms.workbook.base import Placed, RowEdit
from xlsms.workbook.closed import ClosedWorkbook
from xlsms.workbook.live import Attachment, LiveWorkbook, Patience, listing
from xlsms.workbook.live.listing import list_replies
from xlsms.workbook.live.patience import quiet
from xlsms.workbook.live.writer import Writer
from xlsms.workbook.replies import Incoming, append_replies
from xlsms.workbook.setup import set_up

pytestmark = pytest.mark.office


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    office = Live(tmp_path_factory.mktemp("profile"))
    yield office
    office.end()


class TestLiveWorkbook(WorkbookContract):
    @pytest.fixture
    def path(self, tmp_path, live):
        self.live = live
        path = workbook(tmp_path / "people.xlsx", people(4))
        live.open(path)
        yield path
        live.close_all()

    def open(self, path):
        return LiveWorkbook(Attachment(fullname=str(path)), zone=MADRID)

    def user_saves(self, path, *rows):
        """The user types over everything."""
        sheet = self.live.document(path).Sheets.getByIndex(0)
        cursor = sheet.createCursor()
        cursor.gotoEndOfUsedArea(False)
        end = cursor.RangeAddress
        sheet.getCellRangeByPosition(0, 0, max(end.EndColumn, 20), max(end.EndRow, 20)).clearContents(1023)
        for number, row in enumerate(rows):
            for column, value in enumerate(row):
                cell = sheet.getCellByPosition(column, number)
                if isinstance(value, str):
                    cell.setString(value)
                elif value is not None:
                    cell.setValue(value)


NAMES = ("Name", "Phone", "Message", "Send", *HEADERS)


@pytest.fixture
def desk(live, tmp_path):
    """Writes a workbook and opens it: `desk(rows, change)` gives its path and its first sheet in Calc."""

    def made(rows, change=lambda sheet: None, name="people.xlsx"):
        book = openpyxl.Workbook()
        book.active.title = "People"
        for row in rows:
            book.active.append(row)
        change(book.active)
        path = tmp_path / name
        book.save(path)
        document = live.open(path)
        return path, document.Sheets.getByIndex(0)

    yield made
    live.close_all()


def opened(path):
    return LiveWorkbook(Attachment(fullname=str(path)), zone=MADRID)


def listed(count):
    return [
        NAMES,
        *((f"P{n}", 600000000 + n, "hi", None, "Queued", None, None, None, None, f"ID{n}") for n in range(count)),
    ]


def filter_names(sheet, area, wanted, column=0):
    """The user filters by a column, the first if none is named."""
    field = uno().createUnoStruct("com.sun.star.sheet.TableFilterField")
    field.Field, field.IsNumeric, field.StringValue = column, False, wanted
    field.Operator = uno().Enum("com.sun.star.sheet.FilterOperator", "EQUAL")
    cells = sheet.getCellRangeByName(area)
    descriptor = cells.createFilterDescriptor(True)
    descriptor.ContainsHeader = True
    descriptor.setFilterFields((field,))
    cells.filter(descriptor)


def test_ten_thousand_rows_take_few_calls(live, desk):
    path, sheet = desk(listed(10_000))
    book = opened(path)
    live.guard.reset()
    edits = [
        RowEdit(id=f"ID{n}", values={Role.STATUS: "Delivered", Role.STATUS_TIME: NOW, Role.REPLY: f"+{n}"})
        for n in range(10_000)
    ]
    applied = book.apply(edits)
    assert len(applied.done) == 10_000
    assert live.guard.reads <= 10
    assert live.guard.writes <= 10
    assert sheet.getCellRangeByName("H10001").String == "+9999"
    assert book.version() == applied.version


def test_a_filter_moves_nothing_to_another_row(live, desk):
    rows = [
        NAMES,
        *((f"P{n % 3}", 600000000 + n, "hi", None, None, None, None, None, None, f"ID{n}") for n in range(60)),
    ]
    path, sheet = desk(rows)
    filter_names(sheet, "A1:J61", "P1")
    book = opened(path)
    snapshot = book.read()
    assert sum(not row.hidden for row in snapshot.rows) == 20
    assert snapshot.sheets[0].bounded
    edits = [RowEdit(id=f"ID{n}", values={Role.STATUS: f"state {n}", Role.STATUS_TIME: NOW}) for n in range(60)]
    assert len(book.apply(edits).done) == 60
    shown = sheet.getCellRangeByName("E2:J61").getDataArray()
    assert [(row[0], row[5]) for row in shown] == [(f"state {n}", f"ID{n}") for n in range(60)]


def test_the_guard_fails_where_excel_would_move_values(live, desk):
    _, sheet = desk(listed(9))
    filter_names(sheet, "A1:J10", "P1")
    with pytest.raises(QuirkError):
        xw.books["people.xlsx"].sheets[0].range("E2:E10").value = [["x"]] * 9


def test_a_text_put_where_no_text_is_expected_is_taken_for_what_it_looks_like(live, desk):
    desk(listed(2))
    sheet = xw.books["people.xlsx"].sheets[0]
    sheet.range("C2").value = "+34600111222"
    sheet.range("C3").number_format = "@"
    sheet.range("C3").value = "+34600111222"
    assert (sheet.range("C2").value, sheet.range("C3").value) == (34600111222.0, "+34600111222")


def test_a_table_with_totals(desk):
    def table(sheet):
        sheet.append(["Total", "=COUNT(B2:B4)"])
        made = Table(displayName="People", ref="A1:J5")
        made.totalsRowCount = 1
        sheet.add_table(made)

    path, sheet = desk(listed(3), table)
    book = opened(path)
    snapshot = book.read()
    assert snapshot.sheets[0].bounded
    assert [row.fields["Name"] for row in snapshot.rows] == ["P0", "P1", "P2"]
    assert book.apply([RowEdit(id="ID2", values={Role.STATUS: "Sent"})]).done
    assert sheet.getCellRangeByName("E4").String == "Sent"


def test_a_protected_sheet(desk):
    path, sheet = desk(listed(3))
    sheet.protect("")
    with pytest.raises(UserError) as caught:
        opened(path).apply([RowEdit(id="ID2", values={Role.STATUS: "Sent"})])
    assert caught.value.code == "sheet-locked"
    sheet.unprotect("")
    assert opened(path).apply([RowEdit(id="ID2", values={Role.STATUS: "Sent"})]).done


def test_formulas_merges_and_errors(desk):
    path, sheet = desk(listed(4))
    sheet.getCellRangeByName("E3").Formula = "=A3"
    sheet.getCellRangeByName("D4:F4").merge(True)
    sheet.getCellRangeByName("C5").Formula = "=1/0"
    book = opened(path)
    applied = book.apply([RowEdit(id=f"ID{n}", values={Role.STATUS: "Sent"}) for n in range(4)])
    assert {(refusal.error.code, str(refusal.error.place)) for refusal in applied.refused} == {
        ("cell-formula", "People!E3"),
        ("cell-merged", "People!E4"),
    }
    assert (sheet.getCellRangeByName("E3").Formula, sheet.getCellRangeByName("E5").String) == ("=A3", "Sent")
    assert book.read().rows[3].problems == {"Message": "cell-error"}


def test_a_row_reads_the_same_open_and_closed(live, desk):
    rows = [
        ("Name", "Phone", "Message", "Day", "Time", "Price", "Share", "Long"),
        (
            "Ana",
            34600000001,
            "Hello {Name}",
            NOW.replace(tzinfo=None),
            NOW.replace(tzinfo=None),
            12.5,
            0.25,
            34612345678,
        ),
        ("Çé 😀", "0034 600 000 002", 12, None, None, -3, 1, 12345),
    ]

    def looks(sheet):
        for column, code in zip("DEFG", ("dd/mm/yyyy", "mm-dd-yy", '#,##0.00 "€"', "0%"), strict=True):
            for row in (2, 3):
                sheet[f"{column}{row}"].number_format = code

    path, _ = desk(rows, looks)
    closed, live_rows = ClosedWorkbook(path, zone=MADRID).read().rows, opened(path).read().rows
    for one, other in zip(closed, live_rows, strict=True):
        assert dict(one.fields) == dict(other.fields)
        assert dict(one.values) == dict(other.values)
        assert Placed.of(one).fits(other)


def test_what_is_written_is_saved_as_text(live, desk):
    path, _ = desk(listed(2))
    opened(path).apply([RowEdit(id="ID1", values={Role.REPLY: "=1+1", Role.STATUS_TIME: NOW, Role.DETAIL: "+34"})])
    live.document(path).store()
    row = ClosedWorkbook(path, zone=MADRID).read().rows[1]
    assert (row.fields["Reply"], row.fields["Detail"], row.fields["Status time"]) == ("=1+1", "+34", "2026-11-22 10:15")
    assert row.id == "ID1"


def test_the_status_bar_and_the_screen_are_given_back(live, desk):
    desk(listed(2))
    app = xw.apps[1]
    assert (app.screen_updating, app.status_bar) == (True, False)
    with app.properties(screen_updating=False, status_bar="Sending 3 of 10"):
        assert (app.screen_updating, app.status_bar) == (False, "Sending 3 of 10")
    assert (app.screen_updating, app.status_bar) == (True, False)


@pytest.mark.parametrize("name", ["my list.xlsx", "a=b&c.xlsx", "50% off.xlsx", "O'Brien's.xlsx", "ñandú #1.xlsx"])
def test_any_name_is_found(desk, name):
    path, _ = desk(listed(1), name=name)
    assert len(opened(path).read().rows) == 1


def test_a_chart_that_is_selected_is_no_selection(live, desk):
    path, sheet = desk(listed(2))
    document = live.document(path)
    document.CurrentController.select(sheet.getCellRangeByName("A2:B3"))
    assert xw.apps[1].selection.address == "$A$2:$B$3"
    rectangle = uno().createUnoStruct("com.sun.star.awt.Rectangle")
    rectangle.Width = rectangle.Height = 5000
    address = sheet.getCellRangeByName("A1:B3").RangeAddress
    sheet.Charts.addNewByName("chart", rectangle, (address,), True, False)
    shape = sheet.DrawPage.getByIndex(0)
    document.CurrentController.select(shape)
    assert xw.apps[1].selection is None


def test_a_question_that_nobody_answers_is_a_no(live, desk):
    desk(listed(1))
    voice = AppVoice(xw.apps[1])
    voice.say("without a screen every box is closed at once")
    voice.warn("this one too")
    assert not voice.ask("Send?")
    voice.status("Sending 3 of 10")
    assert xw.apps[1].status_bar == "Sending 3 of 10"
    voice.status(None)
    assert xw.apps[1].status_bar is False
    assert AppVoice(None).ask("Send?") is False


def test_each_opening_of_a_file_is_another(live, desk):
    path, _ = desk(listed(1))
    first = opened(path).opening()
    assert first == opened(path).opening() != ""
    live.close_all()
    live.open(path)
    assert opened(path).opening() not in ("", first)


def test_the_rest_of_the_engine(live, desk, tmp_path):
    desk(listed(5))
    book = xw.books["people.xlsx"]
    sheet = book.sheets[0]
    assert sheet["A1"].expand().shape == (6, 10)
    assert sheet["A1"].current_region.address == "$A$1:$J$6"
    assert sheet["A6"].end("up").row == 1
    added = book.sheets.add("Log", after=sheet)
    added["A1"].value = [["a", 1], ["b", None]]
    assert added["A1:B2"].value == [["a", 1.0], ["b", None]]
    added["A1:A2"].color = (255, 200, 0)
    assert added["A2"].color == (255, 200, 0)
    added["B:B"].columns.hidden = True
    assert (added["B1"].columns.hidden, added["A1"].columns.hidden) == (True, False)
    book.names.add("phones", "=People!$B$2:$B$6")
    assert sheet.range("phones").shape == (5, 1)
    table = added.tables.add(added["A1:B2"], name="made")
    assert added.tables["made"].data_body_range.address == "$A$2:$B$2"
    assert table.header_row_range.value == ["a", 1.0]
    target = tmp_path / "copy.xlsx"
    book.save(target)
    assert openpyxl.load_workbook(target)["Log"]["A2"].value == "b"


# the sheet of replies


TEXTS = [
    "yes please",
    "=1+1",
    "+34600000002",
    "0012",
    "1/2",
    "'quoted",
    "two\r\nlines",
    "  ",
    "1e5",
    "TRUE",
    "yes please",
]


def incoming(text, nth=0):
    at = NOW + timedelta(minutes=nth)
    return Incoming(at=at, number="+34600000002", text=text, sheet="People", row_id="BCDFGHJKMNPQR")


@pytest.fixture
def replies(live, tmp_path):
    """A workbook with a sheet of replies, open: its path and that sheet in Calc. `change` sees it with openpyxl first."""

    def made(change=lambda sheet: None):
        path = workbook(tmp_path / "people.xlsx", people(2))
        set_up(path, own_sheets=True)
        book = openpyxl.load_workbook(path)
        change(book["SMS Replies"])
        book.save(path)
        document = live.open(path)
        return path, document.Sheets.getByIndex(1), document

    yield made
    live.close_all()


def texts_in(sheet, last=40):
    return [row[2] for row in sheet.getCellRangeByName(f"A2:E{last}").getDataArray() if row[1]]


def test_replies_of_every_kind_stand_as_they_came_and_once(replies, live):
    path, sheet, document = replies()
    all_of_them = [incoming(text, nth) for nth, text in enumerate(TEXTS)]
    live.guard.writes = 0
    assert list_replies(opened(path), all_of_them) is True
    assert live.guard.writes <= 10, "a column at a time"
    shown = [text.replace("\r\n", "\n") for text in TEXTS]
    assert texts_in(sheet) == shown
    assert list_replies(opened(path), [*all_of_them, incoming("yes please", 99)]) is True  # said a third time
    assert texts_in(sheet) == [*shown, "yes please"]
    tomorrow = incoming("yes please", 24 * 60)
    assert list_replies(opened(path), [tomorrow]) is True  # the others are noted as shown
    assert list_replies(opened(path), [tomorrow]) is True
    assert texts_in(sheet) == [*shown, "yes please", "yes please"]
    (name,) = (name for name in document.DatabaseRanges.ElementNames if name.startswith("SMS_Replies"))
    assert document.DatabaseRanges.getByName(name).DataArea.EndRow == 13
    # the closed file is given nothing twice either
    document.store()
    document.close(True)
    append_replies(path, [*all_of_them, incoming("yes please", 99), tomorrow, incoming("new", 100)], zone=MADRID)
    rows = [row[2] for row in openpyxl.load_workbook(path)["SMS Replies"].iter_rows(min_row=2, values_only=True)]
    assert len(rows) == 14
    assert rows[-1] == "new"


def test_two_of_our_processes_list_no_reply_twice(replies, live, monkeypatch, tmp_path):
    """A button beside the listener: the second one looks just before the first writes."""
    path, sheet, _ = replies()
    news, lock = [incoming(f"text {nth}", nth) for nth in range(3)], tmp_path / "1.lock"
    other = LiveWorkbook(Attachment(fullname=str(path)), zone=MADRID, turn=Turn(lock, seconds=0))
    real, refused = listing._Place.write, []

    def write(place, new):
        monkeypatch.setattr(listing._Place, "write", real)
        try:
            list_replies(other, news)
        except TransientError as error:
            refused.append(error.code)
        real(place, new)

    monkeypatch.setattr(listing._Place, "write", write)
    assert list_replies(LiveWorkbook(Attachment(fullname=str(path)), zone=MADRID, turn=Turn(lock)), news) is True
    assert list_replies(other, news) is True
    assert (texts_in(sheet), refused) == (["text 0", "text 1", "text 2"], ["excel-busy"])


def test_replies_below_a_filter_stand_in_their_rows(replies):
    path, sheet, _ = replies()
    list_replies(opened(path), [incoming(f"text {nth}", nth) for nth in range(4)])
    filter_names(sheet, "A1:E5", "text 1", column=2)
    sheet.Rows.getByIndex(5).IsVisible = False  # the next one, by hand
    assert list_replies(opened(path), [incoming("hidden", 5), incoming("seen", 6)]) is True
    assert texts_in(sheet)[-2:] == ["hidden", "seen"]


@pytest.mark.parametrize("what", ["something below", "totals", "locked", "no table", "no sheet"])
def test_replies_wait_where_the_table_takes_none(replies, what):
    def change(sheet):
        if what == "something below":
            sheet["C4"] = "mine"
        elif what == "no table":
            del sheet.tables[next(iter(sheet.tables))]
        elif what == "no sheet":
            sheet.title = "Other"
        elif what == "totals":
            table = next(iter(sheet.tables.values()))
            table.ref, table.totalsRowCount = "A1:E3", 1
            table.autoFilter.ref = "A1:E2"
            sheet["A3"] = "Total"
        else:
            sheet.protection.sheet = True

    path = replies(change)[0]
    before = ClosedWorkbook(path).read().version
    assert list_replies(opened(path), [incoming("one"), incoming("two", 1), incoming("three", 2)]) is False
    assert ClosedWorkbook(path).read().version == before


def test_an_error_of_the_office_comes_through_what_keeps_it_quiet(live, replies):
    """UNO's errors take no traceback from Python, which `contextlib` gives."""
    _, _, document = replies()
    with pytest.raises(Exception, match="docuno"), quiet(xw.apps[live.engine.apps.keys()[0]], Patience()):
        document.Sheets.getByName("nowhere")


def test_who_sorts_while_few_rows_of_many_get_news_finds_each_beside_its_person(live, desk, monkeypatch):
    """Between what was read and what is written, and again while that is put right; rows between are written along."""
    rows = ([f"N{at:02}", 600000000 + at, "Hi", "", "Delivered", "", "", f"R{at}", "", f"ID{at}"] for at in range(60))
    path, sheet = desk([NAMES, *rows])
    real, sorts = Writer.write, []

    def write(writer):
        if sorts:
            order = list(sheet.createSortDescriptor())
            for one in order:
                if one.Name == "SortFields":
                    key = uno().createUnoStruct("com.sun.star.table.TableSortField")
                    key.Field, key.IsAscending = 0, sorts.pop()
                    one.Value = uno().Any("[]com.sun.star.table.TableSortField", (key,))
                elif one.Name == "ContainsHeader":
                    one.Value = True
            sheet.getCellRangeByName("A1:J61").sort(tuple(order))
        real(writer)

    monkeypatch.setattr(Writer, "write", write)
    wanted = {f"N{at:02}": f"R{at}" for at in range(60)}
    for turn in range(3):
        sorts[:] = [False, True] if turn else [False]  # the last one first
        some = (5 + turn, 50 - turn)
        edits = [RowEdit(id=f"ID{at}", values={Role.REPLY: f"new {at} {turn}"}) for at in some]
        assert len(opened(path).apply(edits).done) == 2
        wanted |= {f"N{at:02}": f"new {at} {turn}" for at in some}
        assert not sorts
        assert {row.fields["Name"]: row.fields["Reply"] for row in opened(path).read().rows} == wanted
    assert opened(path).read().rows[0].fields["Name"] == "N59"


def test_undo_takes_back_what_the_user_did_and_nothing_of_ours(live, desk):
    path, sheet = desk([NAMES, ("Ana", "600000001", "Hello", "x"), ("Luis", "600000002", "Hello", "x")])
    undo = live.document(path).UndoManager
    sheet.getCellRangeByName("C2").setString("Hello, Ana")
    steps = undo.getAllUndoActionTitles()
    assert steps
    book = LiveWorkbook(Attachment(fullname=str(path)), zone=MADRID)
    edits = [
        RowEdit(
            values={Role.ID: identity, Role.SEND: None, Role.STATUS: "Queued", Role.STATUS_TIME: NOW},
            placed=Placed.of(row),
        )
        for row, identity in zip(book.read().rows, IDS, strict=False)
    ]
    assert book.apply(edits).done == tuple(edits)
    assert undo.getAllUndoActionTitles() == steps
    assert not undo.isLocked()
    while undo.isUndoPossible():
        undo.undo()
    assert sheet.getCellRangeByName("C2").String == "Hello"
    assert [(row.id, row.marked, row.status) for row in book.read().rows] == [
        (identity, False, "Queued") for identity in IDS[:2]
    ]


@pytest.mark.parametrize("text", ["a\tb\nc", "a\tb", "\t\n\t", "a\nb"])
def test_a_text_with_tabs_and_lines_reads_back_as_it_was_written(live, desk, text):
    path, _ = desk([NAMES, ("Ana", "600000001", "Hello", "", "Delivered", "", "", "", "", IDS[0])])
    book = LiveWorkbook(Attachment(fullname=str(path)), zone=MADRID)
    edit = RowEdit(id=IDS[0], values={Role.REPLY: text})
    assert book.apply([edit]).done == (edit,)
    assert book.read().rows[0].values["Reply"] == text
    again = book.apply([edit])
    assert (again.done, again.changed) == ((edit,), 0)
