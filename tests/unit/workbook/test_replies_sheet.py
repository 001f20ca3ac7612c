"""The sheet of replies: its table grows by what is new, and nothing else of the file changes."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import openpyxl
import pytest
import python_calamine
from openpyxl.utils.datetime import CALENDAR_MAC_1904, to_excel

from tests.unit.workbook.test_removal import with_chain
from tests.workbooks import MAIN, members, packed, people, workbook
from xlsms.model import Role
from xlsms.workbook.base import Placed, RowEdit
from xlsms.workbook.closed import ClosedWorkbook
from xlsms.workbook.replies import Incoming, append_replies
from xlsms.workbook.setup import set_up

NOW = datetime(2026, 11, 22, 20, 15, tzinfo=UTC)


def incoming(text, minutes=0, number="+34600000002"):
    at = NOW + timedelta(minutes=minutes)
    return Incoming(at=at, number=number, text=text, sheet="People", row_id="BCDFGHJKMNPQR")


@pytest.fixture
def path(tmp_path):
    path = workbook(tmp_path / "a.xlsx", people())
    set_up(path, own_sheets=True)
    return path


def listed(path):
    book = openpyxl.load_workbook(path)
    (table,) = book["SMS Replies"].tables.values()
    return (
        [row[:5] for row in book["SMS Replies"].iter_rows(min_row=2, values_only=True)],
        table.ref,
        table.autoFilter.ref,
    )


def test_replies_fill_the_empty_row_and_then_the_table_grows(path):
    before = members(path)
    append_replies(path, [incoming("SI")], zone=UTC)
    moment = datetime(2026, 11, 22, 20, 15)  # noqa: DTZ001 - as the sheet shows it
    row = (moment, "+34600000002", "SI", "People", "BCDFGHJKMNPQR")
    assert listed(path) == ([row], "A1:E2", "A1:E2")
    after = members(path)
    assert {name for name in after if before[name] != after[name]} == {"xl/worksheets/sheet2.xml"}
    append_replies(path, [incoming("=1+1", 1), incoming("tres", 2)], zone=UTC)
    rows, ref, filtered = listed(path)
    assert [row[2] for row in rows] == ["SI", "=1+1", "tres"]
    assert (ref, filtered) == ("A1:E4", "A1:E4")
    assert rows[2][0] == moment + timedelta(minutes=2)
    last = members(path)
    assert {name for name in last if after[name] != last[name]} == {"xl/worksheets/sheet2.xml", "xl/tables/table1.xml"}
    sheet = python_calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_name("SMS Replies").to_python()
    assert sheet[2][2] == "=1+1", "a text, not a formula"


def test_what_is_there_already_is_not_added_again(path):
    append_replies(path, [incoming("SI"), incoming("SI", 5)], zone=UTC)
    content = path.read_bytes()
    again = append_replies(path, [incoming("SI"), incoming("SI", 5)], zone=UTC)
    assert again.before == again.version
    assert path.read_bytes() == content
    append_replies(path, [incoming("SI"), incoming("SI", 5), incoming("SI", 9)], zone=UTC)
    assert [row[2] for row in listed(path)[0]] == ["SI", "SI", "SI"], "the same word three times is three texts"


def test_the_same_answer_at_another_time_is_another_text(path):
    for nth, minutes in enumerate((0, 5, 24 * 60, 24 * 60), 1):  # the ledger gives what it has not noted as shown
        append_replies(path, [incoming("OK", minutes)], zone=UTC)
        assert len(listed(path)[0]) == min(nth, 3)
    append_replies(path, [incoming("OK", 24 * 60), incoming("OK", 24 * 60)], zone=UTC)
    assert len(listed(path)[0]) == 4, "two in the same millisecond"


def test_a_text_is_known_by_its_time_across_a_change_of_the_clock(path):
    madrid = ZoneInfo("Europe/Madrid")
    hour = datetime(2026, 10, 25, 0, 30, 7, 123_456, tzinfo=UTC)
    texts = [replace(incoming("OK"), at=hour + nth * timedelta(hours=1, milliseconds=250)) for nth in range(3)]
    for text in texts:  # 02:30:07 came twice that night
        append_replies(path, [text], zone=madrid)
    assert len(listed(path)[0]) == 3
    content = path.read_bytes()
    append_replies(path, texts, zone=madrid)
    assert path.read_bytes() == content


def test_what_the_open_workbook_was_given_is_known_by_the_clock_of_the_computer(path):
    append_replies(path, [incoming("OK"), incoming("OK", 1)])
    append_replies(path, [incoming("OK", 1), incoming("OK", 2)], zone=ZoneInfo("Asia/Kathmandu"))
    assert len(listed(path)[0]) == 3


def _general(sheet):
    for (cell,) in sheet["A2:A3"]:
        cell.value = to_excel(cell.value, sheet.parent.epoch)
        cell.number_format = "General"


def _calendar(sheet):
    sheet.parent.epoch = CALENDAR_MAC_1904


def _general_calendar(sheet):
    _calendar(sheet)
    _general(sheet)


def _texts(sheet):
    for (cell,) in sheet["A2:A3"]:
        cell.value = f"{cell.value:%Y-%m-%d %H:%M}"


def _whole(sheet):
    for (cell,) in sheet["A2:A3"]:
        cell.value = cell.value.replace(microsecond=0)


def _looks(sheet):
    for (cell,) in sheet["A2:A3"]:
        cell.number_format = "dd/mm"


@pytest.mark.parametrize("change", [_general, _calendar, _general_calendar, _texts, _whole, _looks])
def test_a_time_is_known_however_it_is_shown(path, change):
    moment = NOW + timedelta(seconds=31, microseconds=987_654)
    texts = [replace(incoming("OK"), at=moment + timedelta(days=nth)) for nth in range(2)]
    append_replies(path, texts, zone=UTC)
    book = openpyxl.load_workbook(path)
    change(book["SMS Replies"])
    book.save(path)
    append_replies(path, texts, zone=UTC)
    assert len(listed(path)[0]) == 2
    append_replies(path, [replace(texts[1], at=moment + timedelta(days=2))], zone=UTC)
    assert len(listed(path)[0]) == 3


def test_a_time_that_was_taken_out_hides_no_text(path):
    append_replies(path, [incoming("OK"), incoming("OK", 1)], zone=UTC)
    book = openpyxl.load_workbook(path)
    book["SMS Replies"]["A2"], book["SMS Replies"]["A3"] = None, "done"
    book.save(path)
    append_replies(path, [incoming("OK", 60)], zone=UTC)
    assert [row[2] for row in listed(path)[0]] == ["OK"] * 3


def test_a_time_at_the_end_of_the_calendar_is_a_time_like_others(path):
    append_replies(path, [incoming("OK"), incoming("OK", 1)], zone=UTC)
    book = openpyxl.load_workbook(path)
    book["SMS Replies"]["A2"] = 2_958_465.99999999  # the last millisecond that there is
    book.save(path)
    append_replies(path, [incoming("OK", 60)], zone=UTC)
    assert len(listed(path)[0]) == 3


def test_without_a_column_for_times_equal_texts_are_counted(path):
    book = openpyxl.load_workbook(path)
    sheet = book["SMS Replies"]
    sheet["A1"] = sheet.tables["SMS_Replies"].tableColumns[0].name = "Mine"
    book.save(path)
    append_replies(path, [incoming("OK")], zone=UTC)
    append_replies(path, [incoming("OK"), incoming("OK", 60)], zone=UTC)
    assert [row[2] for row in listed(path)[0]] == ["OK"] * 2


@pytest.mark.parametrize(
    "obstacle",
    [
        "no sheet",
        "note below",
        "totals in use",
        "row below totals",
        "totals by cells",
        "merged totals",
        "other columns",
        "end of the sheet",
        "from a query",
    ],
)
def test_where_the_table_cannot_grow_nothing_is_written(path, obstacle):
    book = openpyxl.load_workbook(path)  # the test's own file: what openpyxl loses does not matter here
    sheet = book["SMS Replies"]
    (table,) = sheet.tables.values()
    if obstacle == "no sheet":
        book.remove(sheet)
    elif obstacle == "note below":
        sheet["C9"] = "mine"
    elif "totals" in obstacle:
        sheet["A3"], table.ref, table.totalsRowCount = "Total", "A1:E3", 1
        if obstacle == "totals in use":
            book["People"]["N1"] = "='SMS Replies'!A3"
        elif obstacle == "totals by cells":
            sheet["C3"] = "=COUNTA(C2:C2)"
        elif obstacle == "merged totals":
            sheet.merge_cells("A3:B3")
        else:
            sheet.row_dimensions[5].height = 40
    elif obstacle == "end of the sheet":
        sheet["C1048576"], table.ref = "last", "A1:E1048576"
    elif obstacle == "from a query":
        table.tableType = "queryTable"
    else:
        sheet["B1"] = "Who"
        table.tableColumns[1].name = "Who"
    book.save(path)
    content = path.read_bytes()
    assert append_replies(path, [incoming("SI"), incoming("NO")]) is None
    assert path.read_bytes() == content


def test_a_text_that_no_cell_can_hold_is_cut(path):
    append_replies(path, [incoming("x" * 40_000)])
    assert len(listed(path)[0][0][2]) == 32_767


def test_a_workbook_with_a_report_is_calculated_when_it_is_opened(path):
    book = openpyxl.load_workbook(path)
    book.calculation.fullCalcOnLoad = False  # as Excel leaves it when it saves
    book.save(path)
    before = members(path)
    closed = ClosedWorkbook(path)
    row = closed.read().rows[0]
    edit = RowEdit(values={Role.STATUS: "Sent"}, placed=Placed.of(row))
    assert len(closed.apply([edit]).done) == 1
    after = members(path)
    assert {name for name in after if before[name] != after[name]} == {"xl/worksheets/sheet1.xml", "xl/workbook.xml"}
    assert openpyxl.load_workbook(path).calculation.fullCalcOnLoad
    content = path.read_bytes()
    closed.apply([RowEdit(values={Role.STATUS: "Sent"}, placed=Placed.of(closed.read().rows[0]))])
    assert path.read_bytes() == content
    book = openpyxl.load_workbook(path)
    book.calculation.fullCalcOnLoad = False
    book.save(path)
    append_replies(path, [incoming("SI")])
    assert openpyxl.load_workbook(path).calculation.fullCalcOnLoad


@pytest.mark.parametrize(
    ("formula", "copied"),
    [
        ("LEN(SMS_Replies[[#This Row],[Text]])&lt;9", True),
        ('IF(SMS_Replies[[#This Row],[Text]]="A1",$H$1,0)', True),
        ("LEN(C2)", False),
    ],
)
def test_calculated_columns_go_on_in_the_rows_that_come(path, formula, copied):
    parts = members(path)
    table = parts["xl/tables/table1.xml"].replace(b'"A1:E2"', b'"A1:F2"').replace(b'count="5"', b'count="6"')
    column = (
        f'<tableColumn id="9" name="Mine"><calculatedColumnFormula>{formula}</calculatedColumnFormula></tableColumn>'
    )
    parts["xl/tables/table1.xml"] = table.replace(b"</tableColumns>", column.encode() + b"</tableColumns>")
    sheet = parts["xl/worksheets/sheet2.xml"].decode()
    sheet = sheet.replace("</row>", '<c r="F1" t="inlineStr"><is><t>Mine</t></is></c></row>', 1)
    sheet = (
        sheet[: sheet.rindex("</row>")]
        + f'<c r="F2" s="3"><f>{formula}</f><v>1</v></c></row>'
        + sheet[sheet.rindex("</row>") + 6 :]
    )
    parts["xl/worksheets/sheet2.xml"] = sheet
    path.write_bytes(packed(parts))
    append_replies(path, [incoming("SI"), incoming("NO", 1), incoming("NO", 2)], zone=UTC)
    book = openpyxl.load_workbook(path)
    found = [cell.value for (cell,) in book["SMS Replies"]["F2:F4"]]
    expected = "=" + formula.replace("&lt;", "<")
    assert found == [expected, *[expected if copied else None] * 2]
    assert book["SMS Replies"].tables["SMS_Replies"].ref == "A1:F4"
    if copied:
        assert [cell.style_id for (cell,) in book["SMS Replies"]["F3:F4"]] == [book["SMS Replies"]["F2"].style_id] * 2
        assert book.calculation.fullCalcOnLoad


def test_a_totals_row_makes_room(path):
    book = openpyxl.load_workbook(path)
    sheet = book["SMS Replies"]
    (table,) = sheet.tables.values()
    sheet["A3"], sheet["C3"], table.ref, table.totalsRowCount = "Total", "=SUBTOTAL(103,SMS_Replies[Text])", "A1:E3", 1
    sheet["C3"].font = openpyxl.styles.Font(bold=True)
    book["People"]["N1"] = "=SMS_Replies[[#Totals],[Text]]"
    book.save(path)
    ids = re.findall(rb'<sheet [^>]*sheetId="(\d+)"', members(path)["xl/workbook.xml"])
    chain = b'<c r="B5" i="%s"/><c r="C3" i="%s"/><c r="N1" i="%s"/>' % (ids[2], ids[1], ids[0])
    with_chain(path, b'<calcChain xmlns="%s">%s</calcChain>' % (MAIN.encode(), chain))
    untouched = ClosedWorkbook(path).version()
    moments = []
    texts = [incoming("SI"), incoming("NO", 1), incoming("=1", 2)]
    appended = append_replies(path, texts, zone=UTC, step=moments.append)
    assert moments.count("exchanged") == 2
    sheet = openpyxl.load_workbook(path)["SMS Replies"]
    assert [cell.value for (cell,) in sheet["C2:C5"]] == ["SI", "NO", "=1", "=SUBTOTAL(103,SMS_Replies[Text])"]
    assert (sheet["A5"].value, sheet["C5"].font.bold, sheet["C4"].font.bold) == ("Total", True, False)
    (table,) = sheet.tables.values()
    assert (table.ref, table.totalsRowCount, sheet.dimensions) == ("A1:E5", 1, "A1:E5")
    assert b'"C3"' not in members(path)["xl/calcChain.xml"], "Excel would repair the file over a cell without a formula"
    assert members(path)["xl/calcChain.xml"].count(b"<c ") == 2
    assert appended.before == untouched, "and not as it was when room had been made"
    again = append_replies(path, texts, zone=UTC)
    assert again.before == again.version == appended.version


def test_a_save_while_the_totals_row_makes_room_wins(path):
    book = openpyxl.load_workbook(path)
    sheet = book["SMS Replies"]
    (table,) = sheet.tables.values()
    sheet["A3"], table.ref, table.totalsRowCount = "Total", "A1:E3", 1
    book.save(path)
    book["People"]["A2"] = "newer"
    newer = path.with_name("newer")
    book.save(newer)
    content = newer.read_bytes()
    saves = [content, content]

    def step(name):
        if name == "compared" and saves:
            path.write_bytes(saves.pop())

    append_replies(path, [incoming("SI"), incoming("NO", 1)], zone=UTC, step=step)
    book = openpyxl.load_workbook(path)
    assert book["People"]["A2"].value == "newer"
    assert [cell.value for (cell,) in book["SMS Replies"]["C2:C3"]] == ["SI", "NO"]
