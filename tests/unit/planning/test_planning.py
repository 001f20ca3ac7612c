"""Planning: what would go, what would not, and why; the same for the preview and the intake."""

import copy
import pickle
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlsms.errors import UserError, XlsmsError
from xlsms.model import UNSHOWN, Role, Row
from xlsms.wording import codes
from xlsms.workbook.base import Sheet
from xlsms_service.planning import Facts, Plan, PlanEntry, Terms, fingerprint, plan, plan_text, send_time

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
wall = datetime.fromisoformat  # a time as a cell holds it: without a zone
MADRID = ZoneInfo("Europe/Madrid")
TERMS = Terms(country="ES", language="es", zone=MADRID)
FACTS = Facts(now=NOW)
SHEET = Sheet(
    name="Citas",
    header_row=1,
    columns={Role.PHONE: "B", Role.MESSAGE: "C", Role.SEND: "D", Role.SENDER: "E", Role.SEND_AT: "F"},
    headers={"A": "Nombre", "B": "Móvil", "C": "Mensaje", "D": "Enviar", "E": "Remitente", "F": "Enviar el"},
)


def row(number=2, **given):
    given = {"phone": "600 000 001", "message": "Hola", "marked": True} | given
    return Row(sheet="Citas", number=number, **given)


def one(terms=TERMS, facts=FACTS, **given):
    (entry,) = plan([row(**given)], terms, facts, [SHEET]).entries
    return entry


def problem(**given):
    entry = one(**given)
    assert entry.problem is not None
    assert not entry.goes
    assert entry.problem.code in codes()
    assert "…" not in entry.problem.line("es"), "a fact is missing"
    return entry.problem.code, entry.problem.place.column


def test_a_marked_row_goes_with_its_number_repaired():
    entry = one()
    assert (entry.number.e164, entry.text, entry.parts.alphabet) == ("+34600000001", "Hola", "gsm7")
    assert entry.goes
    assert entry.number.mended
    assert entry.fingerprint == fingerprint("+34600000001", "Hola")
    assert (entry.sender, entry.send_at, entry.problem, entry.held) == (None, None, None, None)


def test_a_field_or_message_in_a_number_format_that_is_not_known_stops_its_row():
    cells = {"fields": {"Paid": UNSHOWN + "[$-x-44]", "Name": "Ana"}, "values": {"Paid": 1234.5, "Name": "Ana"}}
    for message in ("You paid {paid}", "[[You paid {Paid}]]", "{Name}, {Paid}, {Paid:0}"):
        entry = one(message=message, **cells)
        assert (entry.problem.code, entry.problem.place.column, entry.text) == ("field-format-unknown", "C", "")
        assert "[$-x-44]" in entry.problem.line("es")
        assert entry.problem.facts["example"] in ("{Paid:0.00}", "{paid:0.00}")
    assert one(message="You paid {Paid:0.00}", **cells).text == "You paid 1234,50"
    assert one(message="For {Name}", **cells).text == "For Ana"
    entry = one(message=UNSHOWN + "[DBNum1]0{")
    assert entry.problem.code == "text-format-unknown"
    assert "[DBNum1]0{" in entry.problem.line("en")


def test_only_marked_rows_are_planned_unless_the_terms_say_all():
    rows = [row(2), row(3, marked=False, phone="600000003")]
    assert [entry.row.number for entry in plan(rows, TERMS, FACTS).entries] == [2]
    everyone = Terms(country="ES", all_rows=True)
    assert [entry.row.number for entry in plan(rows, everyone, FACTS).entries] == [2, 3]


def test_hidden_rows_stay_unless_the_terms_say_so():
    rows = [row(2), row(3, hidden=True, phone="600000003"), row(4, hidden=True, marked=False)]
    planned = plan(rows, TERMS, FACTS)
    assert [entry.row.number for entry in planned.entries] == [2]
    assert planned.totals.hidden == 1, "an unmarked hidden row is nobody's concern"
    shown = plan(rows, Terms(country="ES", hidden=True), FACTS)
    assert [entry.row.number for entry in shown.entries] == [2, 3]


def test_fields_and_formats_are_filled_in_in_the_language_of_the_sheet():
    entry = one(
        message="Hola {Nombre}, el {Fecha:dddd d}",
        fields={"Nombre": "Ana", "Fecha": "03/03/2026"},
        values={"Nombre": "Ana", "Fecha": wall("2026-03-03")},
    )
    assert entry.text == "Hola Ana, el martes 3"


@pytest.mark.parametrize(
    ("given", "code", "column"),
    [
        ({"phone": None}, "number-empty", "B"),
        ({"phone": "123"}, "number-too-short", "B"),
        ({"message": None}, "text-empty", "C"),
        ({"message": "  \n"}, "text-empty", "C"),
        ({"message": "Hola {Apellido}", "fields": {"Nombre": "Ana"}}, "field-missing", "C"),
        ({"message": "Hola {Nombre}", "fields": {"Nombre": ""}}, "field-empty", "C"),
        ({"message": "Hola {Nombre"}, "template-broken", "C"),
        ({"message": "x" * 2000}, "text-too-long", "C"),
        ({"sender": "Clínica Sur de Madrid"}, "sender-unusable", "E"),
        ({"sender": "Clínica"}, "sender-unusable", "E"),
        ({"send_at": "mañana"}, "send-time-unclear", "F"),
        ({"send_at": 46000.5}, "send-time-unclear", "F"),
    ],
)
def test_what_cannot_go_says_why_and_in_which_cell(given, code, column):
    assert problem(**given) == (code, column)


@pytest.mark.parametrize(
    ("message", "goes"),
    [
        ("{Día}", "how Día is shown cannot be read from this kind of file; write the field with its format, such as {Día:dd/MM/yyyy}"),
        ("[[{ precio }]]", "how precio is shown cannot be read from this kind of file; write the field with its format, such as {precio:0.00}"),
        ("{Día:dd/MM} {Precio:0.00} {Mesa} {Nombre} {Cuota:0%}", "03/03 12,50 7 Ana 25%"),
    ],
)  # fmt: skip
def test_what_nobody_knows_how_it_is_shown_needs_its_format(message, goes):
    cells = {"Día": wall("2026-03-03"), "Precio": 12.5, "Mesa": 7, "Nombre": "Ana", "Cuota": 0.25}
    row_ = row(message=message, fields=dict.fromkeys(cells, "as shown") | {"Mesa": "7", "Nombre": "Ana"}, values=cells)
    (entry,) = plan([row_], TERMS, FACTS, [replace(SHEET, formats=False)]).entries
    if entry.goes:
        assert entry.text == goes
    else:
        assert entry.problem.line().startswith(f"Citas!C2: {goes}, or save the list as .xlsx")
    assert one(message="{Día}", fields={"Día": "3 mar"}, values=cells).text == "3 mar", "elsewhere it is as it is shown"


def test_no_column_of_states_is_proposed_for_a_field():
    sheet = replace(
        SHEET, columns={**SHEET.columns, Role.STATUS_TIME: "G"}, headers={**SHEET.headers, "G": "Fecha del estado"}
    )
    cells = dict.fromkeys(sheet.headers.values(), "")
    (entry,) = plan([row(message="{Fecha}", fields=cells)], TERMS, FACTS, [sheet]).entries
    assert entry.problem.code == "field-missing"
    assert entry.problem.facts["nearest"] in set(cells) - {"Fecha del estado", "Enviar"}
    (entry,) = plan([row(message="{Nombres}", fields=cells)], TERMS, FACTS, [sheet]).entries
    assert (
        entry.problem.line()
        == "Citas!C2: the sheet has no column Nombres; write one of its columns, such as Nombre [field-missing]"
    )


def test_where_all_columns_are_ours_none_is_proposed_for_a_field():
    sheet = replace(SHEET, columns={Role.STATUS: "A", Role.SEND: "B"}, headers={"A": "Estado", "B": "Enviar"})
    (entry,) = plan([row(message="{Fecha}", fields={"Estado": "", "Enviar": "x"})], TERMS, FACTS, [sheet]).entries
    assert entry.problem.code == "field-without-column"
    assert "such as" not in entry.problem.line()


def test_a_cell_that_cannot_be_read_stops_the_row_where_it_is_needed():
    assert problem(problems={"Móvil": "text-empty"})[1] == "B"
    assert problem(problems={"Mensaje": "text-empty"})[1] == "C"
    broken = {"Nombre": "text-empty"}
    assert one(problems=broken).goes, "a column that the text does not use is nobody's concern"
    assert problem(message="Hola {nombre}", fields={"Nombre": "#N/A"}, problems=broken)[1] == "C"


def test_a_limit_of_parts_is_the_terms_own():
    text = "x" * 400
    assert one(message=text).goes
    assert one(Terms(country="ES", parts=2), message=text).problem.code == "text-too-long"


def test_signs_are_replaced_only_when_the_terms_say_so():
    text = "“Mañana”… avísenos"
    assert one(message=text).parts.alphabet == "ucs2"
    assert one(Terms(country="ES", transliterate="wide"), message=text).text == '"Mañana"... avisenos'


def test_the_sender_is_the_rows_then_the_settings():
    terms = Terms(country="ES", sender="Clinica")
    assert one(terms, sender="+34600000009").sender == "+34600000009"
    assert one(terms, sender=" ").sender == "Clinica"
    assert one().sender is None


def test_a_send_time_to_come_is_kept_and_one_that_has_passed_is_held():
    later = one(send_at=wall("2026-03-01 10:30"))
    assert later.send_at == datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    assert later.goes
    past = one(send_at=wall("2026-03-01 09:59"))
    assert past.held.code == "send-time-past"
    assert past.held.place.column == "F"
    assert not past.goes
    assert past.problem is None


def test_the_second_of_two_like_rows_is_held():
    rows = [row(2), row(3, phone="+34 600 000 001"), row(4, message="Adiós"), row(5, phone="600000002")]
    held = {entry.row.number: entry.held for entry in plan(rows, TERMS, FACTS).entries}
    assert [number for number, why in held.items() if why] == [3]
    assert (held[3].code, held[3].facts["row"]) == ("duplicate-in-sheet", 2)


def test_a_row_that_does_not_go_makes_no_other_a_duplicate():
    rows = [row(2, send_at="2020-01-01 10:00"), row(3)]
    assert [entry.goes for entry in plan(rows, TERMS, FACTS).entries] == [False, True]


def test_what_was_just_sent_and_who_said_stop_are_held():
    seen = fingerprint("+34600000001", "Hola")
    facts = Facts(now=NOW, repeated=lambda asked: asked & {seen}, opted_out=lambda asked: asked & {"+34600000002"})
    rows = [row(2), row(3, phone="600000002"), row(4, phone="600000003")]
    entries = plan(rows, TERMS, facts).entries
    assert [entry.held.code if entry.held else None for entry in entries] == ["duplicate-recent", "opted-out", None]
    for entry in entries[:2]:
        assert entry.held.code in codes()
        assert "…" not in entry.held.line()


def test_totals_count_what_would_go():
    rows = [
        row(2),
        row(3, phone="600000002", message="x" * 200),
        row(4, phone="600000003", send_at="2026-12-01 10:00"),
        row(5),
        row(6, phone="nobody"),
        row(7, phone="600000009", hidden=True),
    ]
    totals = plan(rows, TERMS, FACTS).totals
    assert (totals.rows, totals.go, totals.scheduled) == (5, 3, 1)
    assert (totals.held, totals.problems, totals.parts, totals.hidden) == (1, 1, 4, 1)


def test_the_hash_is_of_what_would_go_and_of_nothing_else():
    base = [row(2), row(3, phone="600000002")]
    agreed = plan(base, TERMS, FACTS).hash
    assert plan(base, TERMS, Facts(now=NOW + timedelta(hours=1))).hash == agreed
    assert plan([*base, row(4, phone="nobody")], TERMS, FACTS).hash == agreed
    for other in ({"message": "Adiós"}, {"phone": "600000007"}, {"sender": "Ana"}, {"send_at": "2026-12-01 10:00"}):
        assert plan([row(2, **other), base[1]], TERMS, FACTS).hash != agreed, other
    assert plan(base[:1], TERMS, FACTS).hash != agreed
    assert plan([], TERMS, FACTS).hash == Plan(entries=()).hash


def test_one_text_goes_as_it_is():
    entry = plan_text("600 000 001", "Hola {Nombre}", TERMS, FACTS)
    assert (entry.number.e164, entry.text, entry.goes) == ("+34600000001", "Hola {Nombre}", True)
    assert plan_text("12", "Hola", TERMS, FACTS).problem is not None
    assert plan_text("600 000 001", " ", TERMS, FACTS).problem.code == "text-empty"
    stopped = Facts(now=NOW, opted_out=lambda asked: asked)
    assert plan_text("600 000 001", "Hola", TERMS, stopped).held.code == "opted-out"


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        (None, None),
        ("", None),
        ("  ", None),
        (wall("2026-07-01 10:00"), datetime(2026, 7, 1, 8, tzinfo=UTC)),
        ("2026-07-01 10:00", datetime(2026, 7, 1, 8, tzinfo=UTC)),
        ("2026-07-01T10:00:30", datetime(2026, 7, 1, 8, 0, 30, tzinfo=UTC)),
        ("2026-07-01T10:00Z", datetime(2026, 7, 1, 10, tzinfo=UTC)),
        ("24/12/2026 9:30", datetime(2026, 12, 24, 8, 30, tzinfo=UTC)),
        ("12/24/2026 9:30", datetime(2026, 12, 24, 8, 30, tzinfo=UTC)),
        ("07/07/2026 10.15", datetime(2026, 7, 7, 8, 15, tzinfo=UTC)),
        ("24-12-2026, 9h30", datetime(2026, 12, 24, 8, 30, tzinfo=UTC)),
        # The clocks go from 02:00 to 03:00 on 29 March, and from 03:00 back to 02:00 on 25 October.
        (wall("2026-03-29 02:30"), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        (wall("2026-10-25 02:30"), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
    ],
)
def test_a_send_time_is_read_in_the_zone(cell, moment):
    assert send_time(cell, MADRID, now=NOW) == moment


@pytest.mark.parametrize(
    "cell", [5, 46000.5, True, "soon", "03/04/2026 10:00", "31/31/2026 10:00", "31/02/2026", "24/12/2026 25:00"]
)
def test_a_send_time_that_could_mean_two_things_is_refused(cell):
    with pytest.raises(UserError) as caught:
        send_time(cell, MADRID, now=NOW)
    assert caught.value.code == "send-time-unclear"


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        (wall("1899-12-30 11:30"), datetime(2026, 3, 1, 10, 30, tzinfo=UTC)),
        (wall("1904-01-01 09:00"), datetime(2026, 3, 1, 8, tzinfo=UTC)),  # a workbook whose calendar begins later
        ("11:30", datetime(2026, 3, 1, 10, 30, tzinfo=UTC)),
        ("9h05", datetime(2026, 3, 1, 8, 5, tzinfo=UTC)),
    ],
)
def test_a_time_without_a_date_is_todays_in_the_zone(cell, moment):
    assert send_time(cell, MADRID, now=NOW) == moment


def test_today_is_the_day_of_the_zone():
    late = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    assert send_time("06:00", MADRID, now=late) == datetime(2026, 3, 2, 5, tzinfo=UTC)


@pytest.mark.parametrize(("language", "said"), [("en", "2026-03-01 09:30"), ("es", "01/03/2026 09:30")])
@pytest.mark.parametrize("cell", [wall("1899-12-30 09:30"), "2026-03-01T08:30:15Z"])
def test_a_time_that_has_passed_is_told_as_the_clock_on_the_wall_shows_it(cell, language, said):
    held = one(Terms(country="ES", language=language, zone=MADRID), send_at=cell).held
    assert f" {said} " in held.message(language)


def test_a_year_beyond_the_calendar_is_refused():
    with pytest.raises(UserError, match="send-time-unclear"):
        send_time(wall("0001-01-01"), ZoneInfo("Asia/Tokyo"), now=NOW)


CELLS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.datetimes())


@given(
    rows=st.lists(
        st.builds(
            Row,
            sheet=st.sampled_from(["A", "B"]),
            number=st.integers(1, 99),
            phone=st.one_of(CELLS, st.integers(600000000, 600000009)),
            message=st.one_of(st.none(), st.text(), st.sampled_from(["Hola", "Hola {Nombre}", "{", "[[x]]"])),
            marked=st.booleans(),
            hidden=st.booleans(),
            send_at=CELLS,
            sender=st.one_of(st.none(), st.text(max_size=15)),
            fields=st.dictionaries(st.just("Nombre"), st.text(max_size=5)),
        ),
        max_size=8,
    ),
    every=st.booleans(),
)
def test_no_row_whatever_it_holds_stops_the_plan(rows, every):
    planned = plan(rows, Terms(country="ES", all_rows=every, zone=UTC), FACTS)
    assert len(planned.entries) + planned.hidden == sum(each.marked or every for each in rows)
    going = [entry for entry in planned.entries if entry.goes]
    assert len({entry.fingerprint for entry in going}) == len(going), "the same text twice to the same number"
    for entry in planned.entries:
        assert isinstance(entry, PlanEntry)
        assert entry.problem is None or isinstance(entry.problem, XlsmsError)
        if entry.goes:
            assert entry.text.strip()
            assert entry.number.e164
            assert "".join(entry.parts.parts)
            assert "{Nombre}" not in entry.text


def test_what_is_planned_can_be_said_to_another_process():
    entry = plan_text("600 000 001", "Hola", TERMS, FACTS)

    assert pickle.loads(pickle.dumps(entry)) == entry
    assert copy.deepcopy(entry.row) == entry.row
