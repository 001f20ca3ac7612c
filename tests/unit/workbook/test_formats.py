"""Cells as text, in both languages."""

from datetime import datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlsms.model import UNSHOWN
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
        (1.5e-9, "General", "1.5E-09", "1,5E-09"),
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
        (MOMENT, BUILT_IN[15], "22-Nov-26", "22-nov-26"),
        (MOMENT.replace(day=5), BUILT_IN[16], "5-Nov", "05-nov"),
        (-1234.5, BUILT_IN[38], "(1,235)", "-1.235"),
        (-1234.5, BUILT_IN[43], "(1,234.50)", "-1.234,50"),
        (0, BUILT_IN[41], "-", "-"),
        (MOMENT, r"[$-F800]dddd\,\ mmmm\ dd\,\ yyyy", "Sunday, November 22, 2026", "domingo, 22 de noviembre de 2026"),
        (MOMENT, r"[$-F400]h:mm:ss\ AM/PM", "9:05:07 AM", "9:05:07"),
        (MOMENT, "[$-80A]d mmm;@", "22 nov", "22 nov"),
        (MOMENT, "[$-1010409]d mmm", "22 Nov", "22 Nov"),
        (MOMENT, "[$-40C]dd/mm/yyyy", "22/11/2026", "22/11/2026"),
        (MOMENT.replace(microsecond=596_000), "h:mm:ss.00", "9:05:07.60", "9:05:07,60"),
        (MOMENT.replace(microsecond=996_000), "ss.00", "08.00", "08,00"),
        (MOMENT, '[<1]h:mm;d"/"m h:mm', "22/11 9:05", "22/11 9:05"),
        (MOMENT, '[=0]"never";dd/mm/yyyy', "22/11/2026", "22/11/2026"),
        (datetime(1899, 12, 30), "h:mm", "0:00", "0:00"),  # noqa: DTZ001 - wall-clock time, as a cell holds it
        (datetime(1899, 12, 30), "dd/mm/yyyy;;", "", ""),  # noqa: DTZ001
        (datetime(1900, 1, 1), "[<2]0.0;d/m/yy", "1.0", "1,0"),  # noqa: DTZ001
        (0.0001, "[s].00", "8.64", "8,64"),
        (1.51, "[h]:mm:ss.0", "36:14:24.0", "36:14:24,0"),
    ],
)
def test_values_as_they_are_shown(value, code, english, spanish):
    assert shown(value, code, "en") == english
    assert shown(value, code, "es") == spanish


@pytest.mark.parametrize(
    ("code", "date", "time"),
    [
        ('[=0]"";dd/mm/yyyy', True, False), (';"in";"out"', False, False), ("0;d/m/yy", False, False), (BUILT_IN[44], False, False),
        ("dd/mm/yyyy", True, False), ("yyyy-mm-dd hh:mm", True, True), ("h:mm", True, False), ("General", False, False), ("0.00", False, False),
        ('0 "days"', False, False), ("[Red]0", False, False), ("[h]:mm", False, False), ("@", False, False), ("[$-C0A]d mmm", True, False), ("#,##0\\ \\d", False, False),
    ],
)  # fmt: skip
def test_which_formats_are_dates(code, date, time):
    assert is_date(code) is date
    assert shows_time(code) is time


@pytest.mark.parametrize(
    ("value", "code", "english", "spanish"),
    [
        (612345678, "000 00 00 00", "612 34 56 78", "612 34 56 78"),
        (12345678, r"00\.000\.000", "12.345.678", "12.345.678"),
        (123456789, "000-00-0000", "123-45-6789", "123-45-6789"),
        (7, "000-00-0000", "000-00-0007", "000-00-0007"),
        (280131234, "00000-0000", "28013-1234", "28013-1234"),
        (5551234567, "[<=9999999]###-####;(###) ###-####", "(555) 123-4567", "(555) 123-4567"),
        (5551234, "[<=9999999]###-####;(###) ###-####", "555-1234", "555-1234"),
        (1, "(###) ###-####", "() -1", "() -1"),
        (34600112233, "+## ### ### ###", "+34 600 112 233", "+34 600 112 233"),
        (1234567890123, "0-000000-000000", "1-234567-890123", "1-234567-890123"),
        (2100041845, "0000 0000 00 0000000000", "0000 0000 00 2100041845", "0000 0000 00 2100041845"),
        (930, '00":"00', "09:30", "09:30"),
        (-930, '00":"00', "-09:30", "-09:30"),
        (12, '0"h"00"m"', "0h12m", "0h12m"),
        (12, r"0\.5", "12.5", "12.5"),
        (123456, "0-0", "12345-6", "12345-6"),
        (1234.5, '0" "0.0" "0', "123 4.5 0", "123 4,5 0"),
        (1234567, "0-0,", "123-5", "123-5"),
        (1, "??-??", "- 1", "- 1"),
        (-1, "?0.0", "- 1.0", "- 1,0"),
        (34, "?,??0", "34", "34"),
        (5, "0.0?", "5.0", "5,0"),
        (5, "0.##", "5.", "5,"),
        (12.5, ".00", "12.50", "12,50"),
        (7, "0,000", "0,007", "0.007"),
        (0, "#,###", "", ""),
        (5, "0##", "05", "05"),
        (1234567, "#,##0,", "1,235", "1.235"),
        (12345, "##0.0E+0", "12.3E+3", "12,3E+3"),
        (999.96, "##0.0E+0", "1.0E+3", "1,0E+3"),
        (0.00012, "##0.0E+0", "120.0E-6", "120,0E-6"),
        (1.005, "0.00", "1.01", "1,01"),
        (1234567890123450, "0000 0000 0000 0000", "1234 5678 9012 3450", "1234 5678 9012 3450"),
        (1000000, "0.0000000000000000000000", "1000000.0000000000000000000000", "1000000,0000000000000000000000"),
    ],
)  # fmt: skip
def test_digits_go_into_their_places_and_what_parts_them_stays(value, code, english, spanish):
    assert shown(value, code, "en") == english
    assert shown(value, code, "es") == spanish


@pytest.mark.parametrize(
    ("code", "below", "zero", "above"),
    [
        ("0", "-5", "0", "5"), ("0;0", "5", "0", "5"), ("0;(0)", "(5)", "0", "5"), ("0;;;", "", "", "5"), ("0;", "", "0", "5"),
        ("#,##0;-#,##0;", "-5", "", "5"), (";;;", "", "", ""), ("", "-5", "0", "5"), ('"in";"out";"even"', "out", "even", "in"),
        ("0;@", "-5", "0", "5"), ('"x"@', "-5", "0", "5"), ("0;General", "5", "0", "5"), ("# #/#;(# #/#)", "(5)", "0", "5"),
        ('[>=100]"big "0;"small "0', "-small 5", "small 0", "small 5"), ("[<0](0);0", "(5)", "0", "5"), ("[>0]0;0", "-5", "0", "5"),
        ('[<=-3]"low "0;0', "low 5", "0", "5"), ("[<100]0;0", "-5", "0", "5"), ("[<-10]0;0", "5", "0", "5"), ("[>=100]0", "-5", "0", "5"),
        ('[>1]0;[<-1]"low "0;"none"', "low 5", "none", "5"), ('[=5]"five";[=0]"none"', "", "none", "five"),
        ('0;[<-9]"low";"small "0', "-small 5", "small 0", "5"), ('[>9]"big";(0);0', "(5)", "0", "5"), ("[h]:mm;[h]:mm", "120:00", "0:00", "120:00"),
    ],
)  # fmt: skip
def test_the_section_that_shows_a_number_decides_about_its_minus(code, below, zero, above):
    assert [shown(value, code, "en") for value in (-5, 0, 5)] == [below, zero, above]
    assert [shown(float(value), code, "es") for value in (-5, 0, 5)] == [below, zero, above]


RUNS = st.lists(st.text("0#", min_size=1, max_size=5), min_size=1, max_size=5)
BETWEEN = st.sampled_from(["-", " ", r"\.", '":"', ") ", r"\/", '" de "', "_x"])


@given(st.integers(0, 10**15 - 1), RUNS, RUNS, st.integers(0, 6), st.data(), st.sampled_from(["en", "es"]))
def test_what_is_shown_has_the_digits_of_the_number(number, before, behind, decimals, data, language):
    """Whatever stands between: all of them, in their order, with zeros in front and behind only."""
    code = "".join(part for run in before for part in (run, data.draw(BETWEEN)))
    assert "".join(filter(str.isdigit, shown(number, code, language))).lstrip("0") == str(number).lstrip("0")

    value, places = round(number % 10**8 / 10**decimals, decimals), "0" * decimals
    code = f"{before[0]}.{places}" + "".join(data.draw(BETWEEN) + run for run in behind)
    wanted = f"{value:.{decimals}f}".replace(".", "")
    assert "".join(filter(str.isdigit, shown(value, code, language))).strip("0") == wanted.strip("0")


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


@pytest.mark.parametrize("code", ['00"/"00"/"0000', r"00\/00\/0000"])
def test_a_date_that_was_typed_as_a_number_is_no_fraction(code):
    assert shown(28112026, code, "es") == "28/11/2026"
    bare = code.replace('"', "").replace("\\", "")
    assert shown(28112026, bare, "es") == UNSHOWN + bare  # nobody knows


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        (0.5, "# ?/?", "1/2"), (12.345, "# ?/?", "12 1/3"), (-12.345, "# ??/??", "-12 10/29"), (3.14159265, "# ???/???", "3  16/113"),
        (-0.5, "# ?/?", "- 1/2"), (0.01, "# ?/?", "0"), (0.96, "# ?/?", "1"), (-0.01, "# ?/?", "0"), (12.5, '# ?/?" kg"', "12 1/2 kg"),
        (12, '# ?/?" kg"', "12     kg"), (12, '0" and "#/#', "12"), (2.5, '0" and "#/#', "2 and 1/2"), (2.5, "#/#", "5/2"), (0, "?/?", "0/1"),
        (0.75, "# ?/8", "6/8"), (2.75, "# ??/16", "2 12/16"), (0.75, "# ?/10", "8/10"), (0.126, "# ??/100", "13/100"), (2.5, "?/2", "5/2"),
        (1.99, "# ?/4", "2"), (1234.5, "#,##0 ?/?", "1,234 1/2"), (0.5, "00 00/00", "00 01/02"), (1, "0 0/0", "1 0/1"), (0.5, "# ??/??", "1/2"),
        (-1.5, "0 ?/?;(0 ?/?)", "(1 1/2)"), (-1.5, "[Red]0 #/#", "-1 1/2"),
    ],
)  # fmt: skip
def test_a_fraction_comes_as_near_as_its_places_let_it(value, code, text):
    assert shown(value, code, "en") == text
    assert shown(value, code, "es") == text.replace(",", ".")


@given(
    st.integers(0, 10**6), st.integers(1, 99), st.data(), st.sampled_from(["# ??/??", "??/??", "0 ##/##", "# #0/00"])
)
def test_a_fraction_that_fits_is_shown_as_it_is(whole, below, data, code):
    above = data.draw(st.integers(1, below))
    parts = shown(whole + above / below, code, "en").split()
    assert sum(map(Fraction, parts)) == whole + Fraction(above, below)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (1234.5, BUILT_IN[44]), (46348, BUILT_IN[31]), (5, "[DBNum1]0"), (5, "[$-2000401]0"), (MOMENT, "[$-1070000]d/m/yyyy"), (5, "d/m/yy;0;@"),
        (MOMENT, "[$-40C]d mmmm"), (MOMENT, "[$-fr-FR]dddd"), (MOMENT, 'ggge"y"m"m"d'), (-1, "dd/mm/yyyy"), (datetime(1899, 12, 30), "d/m/yy"),  # noqa: DTZ001
        (3e6, "dd/mm/yyyy"), (0.5, "[<1]h:mm;0"), (-1, "0;h:mm"), (1e300, "0.00"), (1.5, "[>1.2.3]0"), (1.5, "[>.]0"), (12, "0-/-0"),
        (0.5, "# ?/?%"), (0.5, "# ?,?/?"), (0.5, "# ?/?/?"), (0.5, "# # ?/?"), (0.5, "# ?/"), (0.5, "?.?/?"), (1.5, "[h]:mm d/m"), (1.7e308, "[h]:mm.00"),
        (999999999999999, "0.00" + "%" * 20), (-1.5, "0.0E+0" + "%" * 400), (1.7e308, "[h]"), (5, "#" * 41),
    ],
)  # fmt: skip
def test_what_is_not_known_is_told_and_never_shown_otherwise(value, code):
    assert shown(value, code, "en") == UNSHOWN + code
    assert shown(value, code, "es") == UNSHOWN + code
