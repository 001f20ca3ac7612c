"""Times between the wall clock and the world's, at the ends of the calendar too."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl
import pytest
import xlsxwriter

from tests.workbooks import people, workbook
from xlsms.model import CellValue, Role
from xlsms.workbook.base import Placed, RowEdit
from xlsms.workbook.closed import ClosedWorkbook
from xlsms.workbook.reading import wall_time

MADRID, LIMA = ZoneInfo("Europe/Madrid"), ZoneInfo("America/Lima")
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def test_time_is_shown_in_its_zone() -> None:
    moment = datetime(2026, 7, 1, 10, tzinfo=UTC)
    assert str(wall_time(moment, MADRID)) == "2026-07-01 12:00:00"
    assert str(wall_time(moment.replace(tzinfo=None), MADRID)) == "2026-07-01 10:00:00"


@pytest.mark.parametrize("date1904", [False, True])
@pytest.mark.parametrize("rows", [1, 60])
def test_a_state_has_its_time_in_the_calendar_of_the_workbook(tmp_path: Path, *, date1904: bool, rows: int) -> None:
    path = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(path, {"date_1904": date1904})
    sheet = book.add_worksheet("People")
    sheet.write_row(0, 0, ("Phone", "Message", "Send", "Status", "Status time", "SMS ID"))
    dated = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    for number in range(1, rows + 1):
        sheet.write_row(number, 0, (f"6000{number:05}", "Hi", "x"))
        sheet.write_blank(number, 4, None, dated)
    book.close()
    closed = ClosedWorkbook(path, zone=MADRID)
    moment = datetime(2026, 7, 1, 10, 15, tzinfo=UTC)
    values: dict[Role, CellValue] = {Role.STATUS: "Sent", Role.STATUS_TIME: moment}
    closed.apply([RowEdit(values=values, placed=Placed.of(row)) for row in closed.read().rows])
    cells = openpyxl.load_workbook(path).active["E2" : f"E{rows + 1}"]
    assert {cell.value for (cell,) in cells} == {wall_time(moment, MADRID)}


@pytest.mark.parametrize(("moment", "zone"), [(LAST, MADRID), (FIRST, LIMA)])
def test_time_beyond_the_calendar_stays_as_it_is(moment: datetime, zone: ZoneInfo, tmp_path: Path) -> None:
    assert wall_time(moment, zone) == moment.replace(tzinfo=None)
    book = ClosedWorkbook(workbook(tmp_path / "a.xlsx", people(1)), zone=zone)
    edit = RowEdit(values={Role.STATUS_TIME: moment}, placed=Placed.of(book.read().rows[0]))
    assert book.apply([edit]).done == (edit,)
