"""Times as numbers: exact enough that no program shows the minute before."""

from datetime import datetime, timedelta
from fractions import Fraction

from xlsms.ooxml.cells import date_of, serial_of


def test_every_minute_of_a_day_is_exact_to_a_microsecond():
    day = datetime(2026, 11, 22)  # noqa: DTZ001 - wall-clock time, as a cell holds it
    for date1904 in (False, True):
        first = serial_of(day, date1904=date1904)
        assert first == int(first)
        for minute in range(1440):
            serial = serial_of(day + timedelta(minutes=minute), date1904=date1904)
            assert abs(Fraction(serial) - Fraction(first) - Fraction(minute, 1440)) * 86_400_000_000 < 1
            assert date_of(serial, date1904=date1904) == day + timedelta(minutes=minute)


def test_the_first_days_of_1900_are_written_as_they_are_read():
    for serial in (1, 1.5, 15, 59, 61, 62.25):
        moment = date_of(serial, date1904=False)
        assert moment is not None
        assert serial_of(moment, date1904=False) == serial
