"""Cells as text, in both languages."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlsms.ooxml.style import BUILT_IN, is_date, shows_time
from xlsms.workbook.formats import shown

MOMENT = datetime(2026, 11, 22, 9, 5, 7)  # noqa: DTZ001 - wall-clock time, as a cell holds it


@pytest.mark.parametrize(
    ("value", "code", "english", "spanish"),
    [
        (1234.5, "#,##0.00", "1,234.50", "1.234,50"),
        (1234567.891, '#,##0.00 "€"', "1,234,567.89 €", "1.234.567,89 €"),
        (-3, '"$"0.00', "-$3.00", "-$3,00"),
        (0.256, "0%", "26%", "26%"),
        (3.14159, "General", "3.14159", "3,14159"),
        (34600111222, "General", "34600111222", "34600111222"),
        (1 / 3, "General", "0.3333333333", "0,3333333333"),
        (7, "00000", "00007", "00007"),
        (0, '0;-0;"none"', "none", "none"),
        (1.5, "[h]:mm", "36:00", "36:00"),
        (12345.678, "0.00E+00", "1.23E+04", "1,23E+04"),
        (0.5, "# ?/?", "0.5", "0,5"),
        (1e300, "0.00", "1e+300", "1e+300"),
        (1.5, "[>1.2.3]0", "1.5", "1,5"),
        (1.5, "[>.]0", "1.5", "1,5"),
        (999999999999999, "0.00" + "%" * 20, "999999999999999", "999999999999999"),
        (-1.5, "0.0E+0" + "%" * 400, "-1.5", "-1,5"),
        (1.7e308, "[h]", "1.7e+308", "1,7e+308"),
        (True, "General", "TRUE", "VERDADERO"),
        (None, "0", "", ""),
        ("text", "0.00", "text", "text"),
        ("text", '@" !"', "text !", "text !"),
        (MOMENT, "dd/mm/yyyy hh:mm", "22/11/2026 09:05", "22/11/2026 09:05"),
        (MOMENT, "d-mmm-yy", "22-Nov-26", "22-nov-26"),
        (MOMENT, 'dddd d "de" mmmm', "Sunday 22 de November", "domingo 22 de noviembre"),
        (MOMENT, "[$-409]mmmm d", "November 22", "November 22"),
        (MOMENT, "h:mm AM/PM", "9:05 AM", "9:05 AM"),
        (MOMENT, "mm:ss", "05:07", "05:07"),
        (MOMENT, BUILT_IN[14], "22 Nov 2026", "22/11/2026"),
        (MOMENT, BUILT_IN[22], "22 Nov 2026 9:05", "22/11/2026 9:05"),
    ],
)
def test_values_as_they_are_shown(value, code, english, spanish):
    assert shown(value, code, "en") == english
    assert shown(value, code, "es") == spanish


@pytest.mark.parametrize(
    ("code", "date", "time"),
    [
        ("dd/mm/yyyy", True, False), ("yyyy-mm-dd hh:mm", True, True), ("h:mm", True, False), ("General", False, False), ("0.00", False, False),
        ('0 "days"', False, False), ("[Red]0", False, False), ("[h]:mm", False, False), ("@", False, False), ("[$-C0A]d mmm", True, False), ("#,##0\\ \\d", False, False),
    ],
)  # fmt: skip
def test_which_formats_are_dates(code, date, time):
    assert is_date(code) is date
    assert shows_time(code) is time


PIECES = [
    "0", "#", "?", ".", ",", "%", "%%%%", ".000", "0.0000000000", "E+00", "[>1.2.3]", "[<.]", "[=-1]", "[h]", "[mm]", "yy",
    "m", "d", "hh", "s", "AM/PM", "@", "General", '"x"', "[$€-40A]", "[$-]", "[$-zz]", ";", "/", "[Red]",
]  # fmt: skip


@given(
    st.one_of(
        st.floats(allow_nan=False, allow_infinity=False),
        st.integers(-(10**15), 10**15),
        st.just(MOMENT),
        st.text(max_size=5),
    ),
    st.one_of(
        st.text('0#?.,;%E+-dmyhs[]$"\\_*@/ AP>1é€', max_size=20),
        st.lists(st.sampled_from(PIECES), max_size=8).map("".join),
    ),
)
def test_any_format_shows_something_and_never_fails(value, code):
    assert isinstance(shown(value, code, "es"), str)
