import math
from datetime import date, datetime

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumberType

from xlsms.errors import UserError
from xlsms.phone import PhoneNumber, parse
from xlsms.wording import codes

# cell value, country, the number or the problem's code
CASES = [
    # Spain: what Excel and people do to one number
    ("+34600111222", "ES", "+34600111222"),
    ("600111222", "ES", "+34600111222"),
    (600111222, "ES", "+34600111222"),
    (600111222.0, "ES", "+34600111222"),
    (34600111222, "ES", "+34600111222"),
    (34600111222.0, "ES", "+34600111222"),
    (3.4600111222e10, "ES", "+34600111222"),
    (346e8, "ES", "+34600000000"),
    ("34600111222", "ES", "+34600111222"),
    ("34600111222.0", "ES", "+34600111222"),
    ("34600111222,00", "ES", "+34600111222"),
    ("600111222.0", "ES", "+34600111222"),
    ("+34600111222.0", "ES", "+34600111222"),
    ("3.4600111222E+10", "ES", "+34600111222"),
    ("3,4600111222E+10", "ES", "+34600111222"),
    ("3.4600111222e10", "ES", "+34600111222"),
    ("6.00111222E+08", "ES", "+34600111222"),
    ("6.00111222E+8", "ES", "+34600111222"),
    ("3.46001112220E+10", "ES", "+34600111222"),
    ("3.46E+10", "ES", "number-digits-lost-text"),
    ("3,46E+10", "ES", "number-digits-lost-text"),
    ("3.46E10", "ES", "number-digits-lost-text"),
    ("+3.46E+10", "ES", "number-digits-lost-text"),
    ("3.4600111E+10", "ES", "number-digits-lost-text"),
    ("6E+08", "ES", "number-digits-lost-text"),
    ("3.46001112223E+10", "ES", "number-digits-lost-text"),
    ("3.46E+999", "ES", "number-digits-lost-text"),
    ("0034600111222", "ES", "+34600111222"),
    ("00 34 600 111 222", "ES", "+34600111222"),
    ("+0034600111222", "ES", "+34600111222"),
    ("++34600111222", "ES", "+34600111222"),
    ("01134600111222", "ES", "+34600111222"),
    ("0600111222", "ES", "+34600111222"),
    ("600 11 12 22", "ES", "+34600111222"),
    ("600-111-222", "ES", "+34600111222"),
    ("600.111.222", "ES", "+34600111222"),
    ("600,111,222", "ES", "+34600111222"),
    ("34.600.111.222", "ES", "+34600111222"),
    ("(+34) 600 111 222", "ES", "+34600111222"),
    ("+ 34 (600) 111-222", "ES", "+34600111222"),
    ("[+34]600111222", "ES", "+34600111222"),
    ("600\u00a0111\u00a0222", "ES", "+34600111222"),
    ("600\u202f111\u2009222", "ES", "+34600111222"),
    ("\u202a+34 600 111 222\u202c", "ES", "+34600111222"),
    ("\u200e600111222\u200f", "ES", "+34600111222"),
    ("\ufeff600111222", "ES", "+34600111222"),
    ("600\u200b111\u00ad222", "ES", "+34600111222"),
    ("600–111—222", "ES", "+34600111222"),
    ("600‑111−222", "ES", "+34600111222"),
    ("'600111222", "ES", "+34600111222"),
    ("’600111222", "ES", "+34600111222"),
    ('"600111222"', "ES", "+34600111222"),
    ("“600111222”", "ES", "+34600111222"),
    ('="600111222"', "ES", "+34600111222"),
    ("=+34600111222", "ES", "+34600111222"),
    ("=600111222", "ES", "+34600111222"),
    (" 600111222\t", "ES", "+34600111222"),
    ("600111222\r\n", "ES", "+34600111222"),
    ("600111222;", "ES", "+34600111222"),
    ("６００１１１２２２", "ES", "+34600111222"),
    ("＋３４６００１１１２２２", "ES", "+34600111222"),
    ("（＋34）600・111・222", "ES", "+34600111222"),
    ("٦٠٠١١١٢٢٢", "ES", "+34600111222"),
    ("tel:+34600111222", "ES", "+34600111222"),
    ("TEL: 600111222", "ES", "+34600111222"),
    ("Tlf. 600 111 222", "ES", "+34600111222"),
    ("Móvil: 600 111 222", "ES", "+34600111222"),
    ("whatsapp +34 600111222", "ES", "+34600111222"),
    ("600111222 ext 12", "ES", "number-extension"),
    ("600111222 ext.12", "ES", "number-extension"),
    ("600111222x12", "ES", "number-extension"),
    ("600111222 #12", "ES", "number-extension"),
    ("tel:+34600111222;ext=12", "ES", "number-extension"),
    ("600111222 extensión 3", "ES", "number-extension"),
    ("600111222 / 600333444", "ES", "number-two"),
    ("600111222/600333444", "ES", "number-two"),
    ("600111222;600333444", "ES", "number-two"),
    ("600111222, 600333444", "ES", "number-two"),
    ("600111222\n600333444", "ES", "number-two"),
    ("600111222 600333444", "ES", "number-two"),
    ("600111222-600333444", "ES", "number-two"),
    ("600111222 o 600333444", "ES", "number-two"),
    ("600 111 222 y 600 333 444", "ES", "number-two"),
    ("600 111 222 / 600 333 444", "ES", "number-two"),
    ("+34600111222+34600333444", "ES", "number-two"),
    ("+34 600 111 222 +34 600 333 444", "ES", "number-two"),
    ("600111222/33", "ES", "number-two"),
    ("600111222 & 33", "ES", "number-two"),
    ("600 111 222 600 333 444", "ES", "number-too-long"),
    ("600 ANA 222", "ES", "number-character"),
    ("Ana", "ES", "number-character"),
    ("600111222 (Ana)", "ES", "number-character"),
    ("6OO111222", "ES", "number-character"),
    ("600*111222", "ES", "number-character"),
    ("600111222 😀", "ES", "number-character"),
    ("600²111222", "ES", "number-character"),
    ("34+600111222", "ES", "number-character"),
    ("=A1", "ES", "number-character"),
    ("=cmd|' /C calc'!A0", "ES", "number-character"),
    ("ana@example.com", "ES", "number-character"),
    ("10:30", "ES", "number-character"),
    ("60011122", "ES", "number-too-short"),
    (60011122, "ES", "number-too-short"),
    ("+34 600 11 12 2", "ES", "number-too-short"),
    ("12345", "ES", "number-too-short"),
    ("0", "ES", "number-too-short"),
    (0, "ES", "number-too-short"),
    ("00", "ES", "number-too-short"),
    ("+1", "ES", "number-too-short"),
    ("6001112223", "ES", "number-too-long"),
    ("+346001112223", "ES", "number-too-long"),
    ("+34600111222333444", "ES", "number-too-long"),
    ("1" * 300, "ES", "number-too-long"),
    ("123456789", "ES", "number-invalid"),
    ("+34123456789", "ES", "number-invalid"),
    ("+999123456789", "ES", "number-invalid"),
    (1234567890123456, "ES", "number-digits-lost"),
    (1.2345678901234567e18, "ES", "number-digits-lost"),
    (10**400, "ES", "number-digits-lost"),
    (-(10**400), "ES", "number-digits-lost"),
    (-600111188, "ES", "number-negative"),
    ("-600111188", "ES", "number-negative"),
    (600111222.5, "ES", "number-fraction"),
    (math.nan, "ES", "number-empty"),
    (math.inf, "ES", "number-not-one"),
    (None, "ES", "number-empty"),
    ("", "ES", "number-empty"),
    (" \u00a0\u200b", "ES", "number-empty"),
    ("'", "ES", "number-empty"),
    ("---", "ES", "number-empty"),
    ("+", "ES", "number-empty"),
    (True, "ES", "number-not-one"),
    ([600111222], "ES", "number-not-one"),
    (datetime(2026, 3, 7), "ES", "number-date"),  # noqa: DTZ001 - cells have no zone
    (date(2026, 3, 7), "ES", "number-date"),
    ("07/03/2026", "ES", "number-date"),
    ("2026-03-07 10:00", "ES", "number-date"),
    ("#N/A", "ES", "number-cell-error"),
    ("#¡VALOR!", "ES", "number-cell-error"),
    ("#DIV/0!", "ES", "number-cell-error"),
    ("########", "ES", "number-cell-error"),
    ("912345678", "ES", "+34912345678"),
    ("900123456", "ES", "+34900123456"),
    ("+34803123456", "ES", "+34803123456"),
    ("25500", "ES", "25500"),
    (25500, "ES", "25500"),
    ("+25500", "ES", "number-too-short"),
    ("25-500", "ES", "number-too-short"),
    ("112", "ES", "number-emergency"),
    (112, "ES", "number-emergency"),
    ("911", "ES", "number-emergency"),
    # other countries seen from Spain
    ("+5215512345678", "ES", "+525512345678"),
    ("525512345678", "ES", "+525512345678"),
    (13125550123, "ES", "+13125550123"),
    ("+44 (0)7911 123456", "ES", "+447911123456"),
    ("+4407911123456", "ES", "+447911123456"),
    ("+49 (0)1511 2345678", "ES", "+4915112345678"),
    ("+39 06 1234 5678", "ES", "+390612345678"),
    ("687751234", "ES", "+34687751234"),
    # Mexico
    ("5512345678", "MX", "+525512345678"),
    (5512345678, "MX", "+525512345678"),
    ("55 1234 5678", "MX", "+525512345678"),
    ("+52 1 55 1234 5678", "MX", "+525512345678"),
    ("5215512345678", "MX", "+525512345678"),
    ("005215512345678", "MX", "+525512345678"),
    ("044 55 1234 5678", "MX", "+525512345678"),
    ("045 33 1234 5678", "MX", "+523312345678"),
    ("01 55 1234 5678", "MX", "+525512345678"),
    ("34600111222", "MX", "+34600111222"),
    ("551234567", "MX", "number-too-short"),
    ("911", "MX", "number-emergency"),
    # Argentina
    ("011 15 2345-6789", "AR", "+5491123456789"),
    ("11 15 2345 6789", "AR", "+5491123456789"),
    ("9 11 2345 6789", "AR", "+5491123456789"),
    ("+54 9 11 2345-6789", "AR", "+5491123456789"),
    ("+54 11 15 2345 6789", "AR", "+5491123456789"),
    (5491123456789, "AR", "+5491123456789"),
    ("11 2345 6789", "AR", "+541123456789"),
    ("15 2345 6789", "AR", "number-invalid"),
    # Colombia, Chile, Peru
    ("300 123 4567", "CO", "+573001234567"),
    (3001234567, "CO", "+573001234567"),
    ("573001234567", "CO", "+573001234567"),
    ("03 300 123 4567", "CO", "+573001234567"),
    ("85432", "CO", "85432"),
    ("123", "CO", "number-emergency"),
    ("9 8765 4321", "CL", "+56987654321"),
    (987654321, "CL", "+56987654321"),
    ("56987654321", "CL", "+56987654321"),
    ("09 8765 4321", "CL", "+56987654321"),
    ("8765 4321", "CL", "number-too-short"),
    ("912 345 678", "PE", "+51912345678"),
    (51912345678, "PE", "+51912345678"),
    ("0051912345678", "PE", "+51912345678"),
    ("91234567", "PE", "number-invalid"),
    # United States
    ("(312) 555-0123", "US", "+13125550123"),
    ("312.555.0123", "US", "+13125550123"),
    ("1-312-555-0123", "US", "+13125550123"),
    (3125550123.0, "US", "+13125550123"),
    (13125550123, "US", "+13125550123"),
    ("011 34 600 111 222", "US", "+34600111222"),
    ("0034600111222", "US", "+34600111222"),
    ("34600111222", "US", "+34600111222"),
    ("262966", "US", "262966"),
    (1134600111222, "US", "+34600111222"),
    ("60120", "GB", "60120"),
    ("3123", "US", "number-too-short"),
    ("555-0123", "US", "number-too-short"),
    ("1-800-FLOWERS", "US", "number-character"),
    ("112-555-0123", "US", "number-invalid"),
    ("911", "US", "number-emergency"),
    # Great Britain, Germany, France
    ("07911 123456", "GB", "+447911123456"),
    (7911123456, "GB", "+447911123456"),
    ("447911123456", "GB", "+447911123456"),
    ("0044 7911 123456", "GB", "+447911123456"),
    ("(07911) 123456", "GB", "+447911123456"),
    ("999", "GB", "number-emergency"),
    ("0151/12345678", "DE", "+4915112345678"),
    ("0171-1234567", "DE", "+491711234567"),
    (15112345678, "DE", "+4915112345678"),
    ("4915112345678", "DE", "+4915112345678"),
    ("+49 151 12345678", "DE", "+4915112345678"),
    (492112345, "DE", "number-ambiguous"),
    (20100000000000, "DE", "number-invalid"),  # a German number may be longer than E.164 allows
    ("04921 12345", "DE", "+49492112345"),
    ("06 12 34 56 78", "FR", "+33612345678"),
    ("06.12.34.56.78", "FR", "+33612345678"),
    (612345678, "FR", "+33612345678"),
    ("33612345678", "FR", "+33612345678"),
    ("+33 (0)6 12 34 56 78", "FR", "+33612345678"),
    # Portugal, Brazil, Italy
    ("912 345 678", "PT", "+351912345678"),
    (351912345678, "PT", "+351912345678"),
    ("91234567", "PT", "number-too-short"),
    ("(11) 98765-4321", "BR", "+5511987654321"),
    (11987654321, "BR", "+5511987654321"),
    ("011987654321", "BR", "+5511987654321"),
    ("0 15 11 98765-4321", "BR", "+5511987654321"),
    ("5511987654321", "BR", "+5511987654321"),
    ("98765-4321", "BR", "number-invalid"),
    ("333 123 4567", "IT", "+393331234567"),
    ("393331234567", "IT", "+393331234567"),
    ("06 1234 5678", "IT", "+390612345678"),
    (612345678, "IT", "+390612345678"),
    (9672460849, "IT", "number-ambiguous"),  # Catanzaro without its 0, or Yemen without its +
    ("+39 06 12345678", "IT", "+390612345678"),
    # where a first 0 belongs to the number, and where numbers are short
    (712345678, "CI", "+2250712345678"),
    ("0712345678", "CI", "+2250712345678"),
    ("312345", "AD", "+376312345"),
    ("+80012345678", "ES", "+80012345678"),
]


def test_there_are_enough_cases_of_every_country():
    assert len(CASES) >= 150
    assert {country for _, country, _ in CASES} >= {
        "ES",
        "MX",
        "AR",
        "CO",
        "CL",
        "PE",
        "US",
        "GB",
        "DE",
        "FR",
        "PT",
        "BR",
        "IT",
    }


@pytest.mark.parametrize(("value", "country", "expected"), CASES, ids=lambda value: repr(value)[:30])
def test_cells(value, country, expected):
    if not expected.startswith("number-"):
        assert parse(value, country).e164 == expected
        return
    with pytest.raises(UserError) as caught:
        parse(value, country)
    assert caught.value.code == expected
    assert expected in codes()
    assert caught.value.remedy
    assert "…" not in caught.value.line("en") + caught.value.line("es")


@pytest.mark.parametrize(
    ("value", "country", "repairs"),
    [
        ("+34600111222", "ES", []),
        ("600111222", "ES", ["country code +34 added"]),
        (34600111222.0, "ES", ["the lost + of +34 put back"]),
        ("34600111222.0", "ES", ["decimals removed", "the lost + of +34 put back"]),
        ("3.4600111222E+10", "ES", ["written out from Excel's short form", "the lost + of +34 put back"]),
        ("+34 600 111 222", "ES", ["spaces and punctuation removed"]),
        ("\u202a'+34600111222", "ES", ["invisible characters removed", "quotes removed"]),
        ("Tel: +34600111222", "ES", ["Tel: removed"]),
        ("＋３４６００１１１２２２", "ES", ["digits of another script written as 0-9"]),
        ("0034600111222", "ES", ["00 read as +"]),
        ("+0034600111222", "ES", ["00 read as +"]),
        ("01134600111222", "US", ["011 read as +"]),
        ("07911123456", "GB", ["the 0 in front dropped", "country code +44 added"]),
        ("+4407911123456", "GB", ["the 0 after +44 dropped"]),
        ("+5215512345678", "MX", ["the 1 after +52 dropped"]),
        (
            "011 15 2345-6789",
            "AR",
            ["spaces and punctuation removed", "written as +5491123456789, as it is dialled from abroad"],
        ),
        (
            "+541115 23456789",
            "AR",
            ["spaces and punctuation removed", "written as +5491123456789, as it is dialled from abroad"],
        ),
        (612345678, "IT", ["the lost first 0 put back", "country code +39 added"]),
        ("25500", "ES", []),
    ],
)
def test_what_was_mended_is_said(value, country, repairs):
    assert parse(value, country).repairs == repairs


@pytest.mark.parametrize(
    ("value", "country", "codes"),
    [
        ("+34600111222", "ES", []),
        (346e8, "ES", ["number-round"]),
        ("+34600000000", "ES", []),
        ("912345678", "ES", ["number-landline"]),
        ("11 2345 6789", "AR", ["number-landline-ar"]),
        ("803123456", "ES", ["number-premium"]),
        ("900123456", "ES", ["number-service"]),
        ("687751234", "ES", ["number-also-abroad"]),
        (15122345678, "DE", ["number-also-abroad"]),
        ("+34687751234", "ES", []),
        ("3612345678", "US", []),  # a landline in Hungary, which nobody texts
    ],
)
def test_what_is_doubted_is_said(value, country, codes):
    number = parse(value, country)
    assert [note.code for note in number.doubts] == codes
    assert len(number.warnings) == len(codes)


@pytest.mark.parametrize(
    ("value", "country", "kind", "where"),
    [
        ("+34600111222", "ES", "mobile", "ES"),
        ("+13125550123", "ES", "mobile or landline", "US"),
        ("+34912345678", "MX", "landline", "ES"),
        ("+14165550123", "US", "mobile or landline", "CA"),
        ("+80012345678", "ES", "service", None),
        ("25500", "es", "short code", "ES"),
    ],
)
def test_kind_and_country(value, country, kind, where):
    number = parse(value, country)
    assert (number.kind, number.country, number.short) == (kind, where, kind == "short code")


def test_spanish_words():
    assert [note.words("es") for note in parse("600111222").mended] == ["añadido el prefijo de país +34"]


def test_unknown_country():
    with pytest.raises(UserError) as caught:
        parse("600111222", "Spain")
    assert caught.value.code == "number-country-unknown"


def test_messages_name_what_was_in_the_cell():
    with pytest.raises(UserError) as caught:
        parse("600 111 222 /\n600 333 444")
    assert caught.value.message() == "there is more than one number in the cell: 600 111 222 / 600 333 444"


values = (
    st.text()
    | st.text(alphabet="0123456789+ -/.,()eExX#=\"'oyE\u200b\u00a0٣\n", max_size=30)
    | st.integers()
    | st.integers(10**5, 10**14)
    | st.floats()
    | st.from_regex(r"\+?[0-9 ]{3,17}", fullmatch=True)
)


@given(values, st.sampled_from(["ES", "MX", "AR", "US", "DE", "BR", "IT", "CI", "AD"]))
@example("²", "ES")
@example("00000000", "ES")
@example("+0", "ES")
@example("1e1", "ES")
@example(-(10**5000), "ES")
def test_a_number_or_a_reason_and_the_number_stays_the_same(value, country):
    number = problem = None
    try:
        number = parse(value, country)
    except UserError as error:
        problem = error
    if problem:
        assert problem.code in codes()
        assert problem.remedy in problem.line()
        return
    assert isinstance(number, PhoneNumber)
    again = parse(number.e164, country)
    assert (again.e164, again.repairs, again.kind) == (number.e164, [], number.kind)
    assert number.short or number.e164.startswith("+")
    assert number.e164.removeprefix("+").isdecimal()
    assert len(number.e164) <= 16
    assert all("…" not in words for words in number.repairs + number.warnings)


def said(value, country):
    """The number, or what is wrong with it."""
    try:
        return parse(value, country)
    except UserError as error:
        return error.code, error.facts


@settings(max_examples=300)
@given(
    values
    | st.integers(10**7, 10**12).map(str)
    | st.sampled_from(["600111222", "612345678", "1512345678", "5512345678", "91234567", "3331234567", "600111000"])
    | st.sampled_from([600111222, 600111000, 612345678, 34600111222, 5512345678, 1123456789]),
    st.sampled_from(["ES", "MX", "AR", "US", "DE", "BR", "IT", "CI", "AD", "SG", "GG"]),
)
def test_the_usual_numbers_are_told_as_the_long_way_tells_them(value, country):
    short = said(value, country)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("xlsms.phone._usual", lambda *_: None)
        assert said(value, country) == short


def test_numbers_of_every_country_are_told_as_the_long_way_tells_them():
    examples = []
    for country in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE, PhoneNumberType.VOIP):
            number = phonenumbers.example_number_for_type(country, kind)
            if number is not None:
                national = phonenumbers.national_significant_number(number)
                examples += [
                    (text, country) for text in (national, f"{national[:-1]}0", f"{number.country_code}{national}")
                ]
                examples += [(int(national), country)]
    quick = [said(*example) for example in examples]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("xlsms.phone._usual", lambda *_: None)
        assert [said(*example) for example in examples] == quick


def test_a_usual_number_is_not_taken_apart(monkeypatch):
    monkeypatch.delattr("xlsms.phone.digits_of")
    assert parse(600111222, "ES") == parse("600111222", "ES")
