from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlsms.errors import UserError
from xlsms.text import Field, Template

WHEN = datetime(2026, 3, 7, 9, 5, 8)  # noqa: DTZ001 - cells have no zone
ROW = {
    "Teléfono": Field("600 111 222", 600111222),
    "Name": Field("Ana", "Ana"),
    "Apellido 1": Field("", None),
    "Fecha": Field("07/03/2026", WHEN),
    "Importe": Field("1.234,50 €", 1234.5),
    "Hora:": Field("9:05", None),
    "Nota": "{Name} [[x]]",
}


def problem(text, values=ROW, language="en"):
    with pytest.raises(UserError) as caught:
        Template.parse(text).render(values, language)
    assert "…" not in caught.value.line("en") + caught.value.line("es")
    return caught.value


def render(text, language="en", values=ROW):
    return Template.parse(text).render(values, language)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("Hi {Name}!", "Hi Ana!"),
        ("{ name }{NAME}{Name}", "AnaAnaAna"),
        ("{telefono}", "600 111 222"),
        ("{IMPORTE}", "1.234,50 €"),
        ("{{Name}} {{{Name}}}", "{Name} {Ana}"),
        ("Hi {Name}[[ {Apellido1}]].", "Hi Ana."),
        ("Hi[[ {Name}]] [[({Name} {Apellido 1})]].", "Hi Ana ."),
        ("a[b[1]] [x]", "a[b[1]] [x]"),
        ("{hora}", "9:05"),
        ("{Name:}", "Ana"),
        ("{Nota}", "{Name} [[x]]"),
        ("[[{{{Name}}}]]", "{Ana}"),
    ],
)
def test_filling_in(text, expected):
    assert render(text) == expected


def test_fields_come_once_in_order():
    assert Template.parse("{b} [[{a} {c:0}]] {b} {{d}}").fields == ["b", "a", "c"]


def test_what_is_filled_in_is_not_read_again():
    assert render("{a}{b}", values={"a": "{b}", "b": "[[{a}]]"}) == "{b}[[{a}]]"


@pytest.mark.parametrize(
    ("text", "found", "position"),
    [
        ("Hi {Name", "{", 4),
        ("Hi Name}", "}", 8),
        ("Hi {}", "{}", 4),
        ("Hi { }", "{ }", 4),
        ("{a{b}}", "{", 1),
        ("[[{Name}", "[[", 1),
        ("a [[ {Name} [[x]] ]]", "[[", 13),
        ("{Na\nme}", "{", 1),
    ],
)
def test_broken_templates_say_where(text, found, position):
    error = problem(text)
    assert (error.code, error.facts) == ("template-broken", {"found": found, "position": position})


def test_brackets_without_a_field():
    assert problem("[[Hi Name]]").code == "template-bracket"


def test_a_missing_column_names_the_nearest():
    error = problem("Hi {Nmae}")
    assert (error.code, error.facts) == ("field-missing", {"field": "Nmae", "nearest": "Name"})
    assert "Name" in error.remedy
    assert problem("[[{Ciudad}]]").code == "field-missing"


def test_two_columns_that_fit():
    values = {"Name": "Ana", "NAME ": "Eva"}
    assert render("{Name}", values=values) == "Ana"
    assert problem("{name}", values).code == "field-twice"


def test_an_empty_cell_stops_the_row():
    error = problem("Hi {Apellido 1}")
    assert (error.code, error.facts) == ("field-empty", {"field": "Apellido 1"})
    assert problem("{x}", {"x": " \u00a0"}).code == "field-empty"
    assert problem("{x:0.00}", {"x": Field("", None)}).code == "field-empty"


@pytest.mark.parametrize(
    ("form", "language", "expected"),
    [
        ("dd/MM", "en", "07/03"),
        ("d/m/yy", "en", "7/3/26"),
        ("dd/MM/yyyy HH:mm", "es", "07/03/2026 09:05"),
        ("dd/mm/aaaa", "es", "07/03/2026"),
        ("HH:MM", "en", "09:05"),
        ("h:mm AM/PM", "en", "9:05 AM"),
        ("mm:ss", "en", "05:08"),
        ("hh:mm:ss", "en", "09:05:08"),
        ("yyyy-mm-dd", "en", "2026-03-07"),
        ("ddd d mmm", "en", "Sat 7 Mar"),
        ("dddd, d mmmm", "en", "Saturday, 7 March"),
        ('dddd d "de" mmmm', "es", "sábado 7 de marzo"),
        ("ddd d mmm", "es-MX", "sáb 7 mar"),
        ("dddd d 'de' mmmm", "es", "sábado 7 de marzo"),
        ("mmmm", "fr", "March"),
    ],
)
def test_dates(form, language, expected):
    assert render(f"{{Fecha:{form}}}", language) == expected


def test_noon_and_midnight():
    for hour, shown in ((0, "12 AM"), (12, "12 PM"), (23, "11 PM")):
        assert render("{x:h AM/PM}", values={"x": Field("", WHEN.replace(hour=hour))}) == shown


@pytest.mark.parametrize(
    ("form", "value", "en", "es"),
    [
        ("0.00", 1234.5, "1234.50", "1234,50"),
        ("#,##0.00", 1234.5, "1,234.50", "1.234,50"),
        ("#.##0,00", 1234.5, "1,234.50", "1.234,50"),
        ("#,##0", 1234567, "1,234,567", "1.234.567"),
        ("0", 2.5, "3", "3"),
        ("0.00", 1.005, "1.01", "1,01"),
        ("0.00", -0.001, "0.00", "0,00"),
        ("0.00", -12.345, "-12.35", "-12,35"),
        ("0.0#", 1.5, "1.5", "1,5"),
        ("0.0#", 1.25, "1.25", "1,25"),
        ("0.##", 2, "2", "2"),
        ("#.00", 0.5, ".50", ",50"),
        ("000", 7, "007", "007"),
        ("0%", 0.155, "16%", "16%"),
        ("0.0 %", 0.155, "15.5 %", "15,5 %"),
        ("0.00 €", 3, "3.00 €", "3,00 €"),
        ("$#,##0.00", -1234, "-$1,234.00", "-$1.234,00"),
        ('0 "días"', 3, "3 días", "3 días"),
        ("EUR 0", 3, "EUR 3", "EUR 3"),
        ("0.00", "12,5", "12.50", "12,50"),
        ("0.00", "1.234,5", "1234.50", "1234,50"),
        ("0.00", "1,234.5", "1234.50", "1234,50"),
        ("0", "-7", "-7", "-7"),
        ("0", 1e300, "1" + "0" * 300, "1" + "0" * 300),
    ],
)
def test_numbers(form, value, en, es):
    values = {"x": Field("shown", value)}
    assert render(f"{{x:{form}}}", "en", values) == en
    assert render(f"{{x:{form}}}", "es", values) == es


def test_spanish_with_a_decimal_point():
    assert render("{Importe:#,##0.00}", "es-MX") == "1,234.50"
    assert render("{Importe:#,##0.00}", "es-ES") == "1.234,50"


@pytest.mark.parametrize("value", ["1.234", "1,234", "abc", True, WHEN, float("nan"), float("inf"), "1.2.3", "٣"])
def test_what_is_not_a_number_is_never_guessed(value):
    values = {"x": Field("shown", value)}
    if value == "٣":
        assert render("{x:0}", values=values) == "3"
    else:
        assert problem("{x:0.00}", values).code == "field-not-number"


def test_iso_dates_as_text_are_dates():
    assert render("{x:dd/MM HH:mm}", values={"x": "2026-03-07 09:05"}) == "07/03 09:05"
    assert render("{x:dd/MM}", values={"x": "2026-03-07"}) == "07/03"


@pytest.mark.parametrize("value", ["01/02/2026", "2026-13-07", 45000, True, "x"])
def test_what_is_not_a_date_is_never_guessed(value):
    assert problem("{x:dd/MM}", {"x": Field("shown", value)}).code == "field-not-date"


@pytest.mark.parametrize(
    "form", ["bad", "dd/MM/yyyy de", "#,##0,00", "0 0", "//", "$", "0.00 dd", "ss.000", "yyy", "#"]
)
def test_unknown_formats(form):
    with pytest.raises(UserError) as caught:
        Template.parse(f"{{x:{form}}}")
    assert caught.value.code == "format-unknown"
    assert form in caught.value.message()


texts = st.text(alphabet="{}[]:aA 0.d#\n\"'", max_size=40)


@given(texts, st.text())
def test_any_text_renders_or_says_why(text, value):
    try:
        result = Template.parse(text).render({"a": value, "d": Field(value, 1.5)})
    except UserError as error:
        result = error.message()
        assert "…" not in result or "…" in text + value
    assert isinstance(result, str)


@given(st.text())
def test_doubled_braces_give_the_text_back(text):
    plain = text.replace("[[", "[")
    assert Template.parse(plain.replace("{", "{{").replace("}", "}}")).render({}) == plain


def test_where_no_column_could_be_meant_none_is_proposed():
    with pytest.raises(UserError) as caught:
        Template.parse("Hi {Name}").render({})
    assert caught.value.code == "field-without-column"
    assert "such as" not in caught.value.line()
