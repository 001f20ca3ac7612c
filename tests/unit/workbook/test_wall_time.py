"""Times between the wall clock and the world's, at the ends of the calendar too."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.workbooks import people, workbook
from xlsms.model import Role
from xlsms.workbook.base import Placed, RowEdit
from xlsms.workbook.closed import ClosedWorkbook
from xlsms.workbook.reading import wall_time

MADRID, LIMA = ZoneInfo("Europe/Madrid"), ZoneInfo("America/Lima")
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def test_time_is_shown_in_its_zone() -> None:
    moment = datetime(2026, 7, 1, 10, tzinfo=UTC)
    assert str(wall_time(moment, MADRID)) == "2026-07-01 12:00:00"
    assert str(wall_time(moment.replace(tzinfo=None), MADRID)) == "2026-07-01 10:00:00"


@pytest.mark.parametrize(("moment", "zone"), [(LAST, MADRID), (FIRST, LIMA)])
def test_time_beyond_the_calendar_stays_as_it_is(moment: datetime, zone: ZoneInfo, tmp_path: Path) -> None:
    assert wall_time(moment, zone) == moment.replace(tzinfo=None)
    book = ClosedWorkbook(workbook(tmp_path / "a.xlsx", people(1)), zone=zone)
    edit = RowEdit(values={Role.STATUS_TIME: moment}, placed=Placed.of(book.read().rows[0]))
    assert book.apply([edit]).done == (edit,)
