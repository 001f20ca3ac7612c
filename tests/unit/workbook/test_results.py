"""The results workbook of a source that cannot be written: how it is made, and how it follows its source."""

from datetime import datetime
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlsms.errors import UserError
from xlsms.model import Role
from xlsms.workbook.base import Placed, RowEdit
from xlsms.workbook.cell import write
from xlsms.workbook.closed import ClosedWorkbook
from xlsms.workbook.grid import ERROR
from xlsms.workbook.results import build, changes, keys_sent, titles
from xlsms.workbook.source import Source, SourceRow, SourceSheet

COLUMNS = {Role.PHONE: "Phone", Role.MESSAGE: "Message", Role.SEND: "Send"}
HEADERS = ("Phone", "Message", "Send", "More")
TOKYO = ZoneInfo("Asia/Tokyo")


def row(*values, hidden=False):
    return SourceRow(dict(zip(HEADERS, values, strict=True)), hidden)


def sheet(*rows, name="People", headers=HEADERS, columns=COLUMNS):
    return SourceSheet(name, headers, columns, rows)


def source(*sheets, language="en"):
    return Source(sheets, language)


@pytest.fixture
def made(tmp_path):
    """Makes the results of a source, and brings them up to date with another."""

    def make(first, *later):
        path = tmp_path / "list.sms.xlsx"
        path.write_bytes(build(first, "list.xls"))
        for each in later:
            cells = changes(each, ClosedWorkbook(path, zone=TOKYO).read(), TOKYO)
            if cells:
                write(path, cells)
        return path

    return make


def read(path):
    return ClosedWorkbook(path, zone=TOKYO).read()


def told(path):
    return [(it.phone, it.message, it.marked, it.fields.get("More"), it.status) for it in read(path).rows]


def accept(path, identity, number=0):
    book = ClosedWorkbook(path, zone=TOKYO)
    at = book.read().rows[number]
    book.apply([RowEdit(values={Role.STATUS: "Sent", Role.ID: identity, Role.SEND: None}, placed=Placed.of(at))])


NAMES = [
    "People",
    "PEOPLE",
    "people",
    "A/B:C*D?E[F]G\\H",
    "'quoted'",
    "x" * 40,
    "x" * 41,
    "y" * 30 + "'z",
    "\x01",
    "''",
]


def test_sheets_have_names_that_a_workbook_may_have():
    assert titles([sheet(name=name) for name in NAMES]) == [
        "People", "PEOPLE 2", "people 3", "A_B_C_D_E_F_G_H", "quoted", "x" * 31, "x" * 27 + " 2", "y" * 30, "Sheet", "Sheet 2",
    ]  # fmt: skip


@given(st.lists(st.text("aA'/:\x01é ", max_size=40), max_size=20))
def test_whatever_sheets_are_called_their_names_differ_and_are_allowed(names):
    made = titles([sheet(name=name) for name in names])
    assert len({title.casefold() for title in made}) == len(names)
    for title in made:
        assert 1 <= len(title) <= 31
        assert not set(title) & set("\\/*?:[]\x01")
        assert not title.startswith("'")
        assert not title.endswith("'")


def test_every_sheet_follows_its_own(made):
    """Whatever it is called, and in whatever case it was since."""
    first = source(*[sheet(row(600000000 + at, "Hi", None, None), name=name) for at, name in enumerate(NAMES)])
    later = source(*[sheet(*it.rows, row(610000000, "New", "x", None), name=it.name.upper()) for it in first.sheets])
    rows = read(made(first, later)).rows
    assert [it.phone for it in rows] == [number for at in range(len(NAMES)) for number in (600000000 + at, 610000000)]
    assert [it.sheet for it in rows[::2]] == titles(first.sheets)


def test_the_same_row_in_two_sheets_is_two(made):
    one = row(6, "Hi", "x", None)
    lists = [source(sheet(one, name="First"), sheet(*seconds, name="Second")) for seconds in ((), (one,))]
    assert [(it.sheet, it.number) for it in read(made(*lists)).rows] == [("First", 2), ("Second", 2)]


def test_columns_that_are_added_are_in_the_language_of_the_source(made):
    words = {"Phone": "Teléfono", "Message": "Mensaje", "Send": "Enviar"}
    spanish = SourceSheet("Gente", tuple(words.values()), {role: words[text] for role, text in COLUMNS.items()}, ())
    page = openpyxl.load_workbook(made(source(spanish, language="es")))["Gente"]
    assert [cell.value for cell in page[1]][3:5] == ["Estado", "Detalle"]
    assert page.freeze_panes == "A2"


def test_what_stands_in_a_source_stands_in_its_results(made):
    """Text is text, whatever it begins with; an error is one; who is hidden stays hidden."""
    half_past = datetime(2026, 12, 24, 0, 30)  # noqa: DTZ001 - as a cell holds it
    path = made(
        source(
            sheet(
                row(34600111222, "=1+1", "x", half_past),
                row(6, "a\x02b" + "c" * 40_000, None, half_past.replace(minute=0)),
                row(7, "x", "x", ERROR),
                row(8, None, "x", 123456789012, hidden=True),
            )
        )
    )
    page = openpyxl.load_workbook(path)["People"]
    assert (page["B2"].value, page["B2"].data_type) == ("=1+1", "s")
    assert page["B3"].value == "ab" + "c" * 32_765
    assert [page[f"D{at}"].number_format for at in (2, 3, 5)] == ["m/d/yy h:mm", "mm-dd-yy", "0"]
    assert page["A2"].number_format == "General"  # eleven digits are shown as they are
    assert (page["D4"].value, page["D4"].data_type) == ("#N/A", "e")
    assert [page.row_dimensions[at].hidden for at in (2, 3, 4, 5)] == [False, False, False, True]
    assert [it.hidden for it in read(path).rows] == [False, False, False, True]


def test_a_source_that_did_not_change_changes_nothing(made):
    """However a value is stored: as a moment in another clock, a whole number with a point, or a text that was cut."""
    day = datetime(2026, 12, 24, 23, 30)  # noqa: DTZ001 - as a cell holds it
    rows = [row(600111222, "a\r\nb ", "x", day), row(7.0, "a\x02b", None, ERROR), row(8, "Hi", "x", day.replace(hour=0, minute=0))]  # fmt: skip
    path = made(source(sheet(*rows)))
    assert changes(source(sheet(*rows)), read(path), TOKYO) == {}


def test_a_sheet_or_column_that_the_results_lack_is_named(made):
    path = made(source(sheet(row(6, "Hi", "x", None))))
    with pytest.raises(UserError) as caught:
        changes(source(sheet(name="Others")), read(path), None)
    assert (caught.value.code, caught.value.facts["what"]) == ("results-outdated", "Others")
    wide = sheet(headers=(*HEADERS, "New"))
    with pytest.raises(UserError) as caught:
        changes(source(wide), read(path), None)
    assert caught.value.facts["what"] == "New"


def test_new_rows_hold_what_a_new_cell_can_show(made):
    """Moments as text, as no format would show them; long texts cut; and a row that waits is not added yet."""
    moment = datetime(2026, 12, 24, 8, 5)  # noqa: DTZ001 - as a cell holds it
    rows = [row(6, "Hi", "x", None), row(7, "a\x02" + "c" * 40_000, "x", moment), row(8, "later", "x", ERROR), row(9, "later", "x", 1, hidden=True)]  # fmt: skip
    path = made(source(sheet(rows[0])), source(sheet(*rows)))
    assert told(path) == [(6, "Hi", True, "", ""), (7, "a" + "c" * 32_766, True, "2026-12-24 08:05", "")]
    assert changes(source(sheet(*rows)), read(path), TOKYO) == {}
    mended = [rows[0], rows[1], row(8, "later", "x", 5), row(9, "later", "x", 1)]
    made(source(sheet(rows[0])), source(sheet(*rows)), source(sheet(*mended)))
    assert [it[0] for it in told(path)] == [6, 7, 8, 9]


def test_the_first_row_of_an_empty_list_stands_below_its_headers(made):
    path = made(source(sheet()), source(sheet(row(6, "Hi", "x", None))))
    assert [(it.number, it.phone, it.marked) for it in read(path).rows] == [(2, 6, True)]


def test_a_row_that_waits_is_followed_when_it_does_no_more(made):
    path = made(source(sheet(row(6, "Hi", None, None))), source(sheet(row(6, "Hi", "x", None, hidden=True))))
    assert [it.marked for it in read(path).rows] == [False]
    made(source(sheet(row(6, "Hi", None, None))), source(sheet(row(6, "Hi", "x", None))))
    assert [it.marked for it in read(path).rows] == [True]


def test_an_edited_row_that_waits_is_brought_up_to_date_without_its_mark(made):
    path = made(source(sheet(row(6, "Hi", "x", 1))), source(sheet(row(6, "Hello", "x", 1, hidden=True))))
    assert told(path) == [(6, "Hello", False, "1", "")]


def test_a_new_number_of_an_edited_row_is_the_same_row(made):
    """Whoever mends a wrong number does not order a second text."""
    path = made(source(sheet(row(6, "Hi", "x", 1), row(7, "Bye", "x", 2))))
    accept(path, "BCDFGHJKMNPQR")
    accept(path, "CDFGHJKMNPQRS", 1)
    write(path, changes(source(sheet(row(66, "Hi", "x", 1), row(7, "Bye!", "x", 2))), read(path), TOKYO))
    states = [(it.phone, it.marked, it.status, it.id is None) for it in read(path).rows]
    assert states == [(6, False, "Sent", False), (7, False, "Sent", False), (66, False, "Held", False), (7, False, "Held", False)]  # fmt: skip
    details = [it.detail for it in read(path).rows]
    assert "row-changed-in-source" in details[2]
    assert details[2] == details[3] != details[0]


def test_rows_without_a_number_or_words_are_not_taken_for_one_another(made):
    path = made(source(sheet(row(None, None, "x", 1))))
    accept(path, "BCDFGHJKMNPQR")
    write(path, changes(source(sheet(row(None, "new", "x", 2))), read(path), TOKYO))
    assert [(it.message, it.marked, it.status) for it in read(path).rows] == [(None, False, "Sent"), ("new", True, "")]


def test_a_row_that_shows_a_state_is_not_marked_anew(made):
    path = made(source(sheet(row(6, "Hi", None, None))))
    book = ClosedWorkbook(path)
    book.apply([RowEdit(values={Role.STATUS: "Cancelled"}, placed=Placed.of(book.read().rows[0]))])
    assert changes(source(sheet(row(6, "Hi", "x", None))), read(path), TOKYO) == {}


def test_a_list_without_marks_is_followed_too(made):
    bare = {role: text for role, text in COLUMNS.items() if role is not Role.SEND}
    rows = [SourceRow({"Phone": 6, "Message": "Hi"}), SourceRow({"Phone": 7, "Message": "Hi"})]
    path = made(*[source(sheet(*rows[:count], headers=("Phone", "Message"), columns=bare)) for count in (1, 2)])
    assert [it.phone for it in read(path).rows] == [6, 7]


def test_a_row_was_sent_when_one_of_any_sheet_was_accepted(made):
    lists = source(sheet(row(6, "Hi", "x", None), name="First"), sheet(row(7, "Bye", "x", None), name="Second"))
    path = made(lists)
    assert not keys_sent(read(path), lists, TOKYO)
    accept(path, "BCDFGHJKMNPQR", 1)
    assert keys_sent(read(path), lists, TOKYO)
    assert not keys_sent(read(path), source(lists.sheets[0]), TOKYO)
    wider = SourceSheet("Second", (*HEADERS, "New"), COLUMNS, (SourceRow(lists.sheets[1].rows[0].values | {"New": None}),))  # fmt: skip
    assert not keys_sent(read(path), source(wider), TOKYO)


def without(path, letters):
    """The results, a column of which somebody deleted."""
    book = openpyxl.load_workbook(path)
    book["People"].delete_cols(ord(letters) - ord("A") + 1)
    book.save(path)


def test_a_state_of_the_sources_own_does_not_tell_rows_apart(made):
    rows = [SourceRow({"Phone": 6, "Message": "Hi", "Send": None, "Status": said}) for said in ("paid", "owes")]
    own = source(sheet(*rows, headers=(*HEADERS[:3], "Status"), columns=COLUMNS | {Role.STATUS: "Status"}))
    assert changes(own, read(made(own)), TOKYO) == {}


def test_of_equal_rows_the_one_that_is_marked_is_marked(made):
    rows = [row(6, "Hi", mark, None) for mark in ("x", None, None)]
    path = made(source(sheet(*[row(6, "Hi", None, None)] * 3)), source(sheet(*rows)))
    assert [it.marked for it in read(path).rows] == [True, False, False]


def test_results_without_the_column_of_marks_or_details_are_followed_all_the_same(made):
    lists = [source(sheet(row(6, "Hi", None, 1))), source(sheet(row(6, "Hi", "x", 1), row(7, "Bye", "x", 2)))]
    path = made(lists[0])
    without(path, "C")
    write(path, changes(lists[1], read(path), TOKYO))
    assert [(it.phone, it.marked) for it in read(path).rows] == [(6, False), (7, False)]

    path = made(lists[0])
    accept(path, "BCDFGHJKMNPQR")
    without(path, "F")  # the details
    write(path, changes(source(sheet(row(6, "Hello", "x", 1))), read(path), TOKYO))
    assert [(it.message, it.status, it.detail) for it in read(path).rows] == [("Hi", "Sent", ""), ("Hello", "Held", "")]


def test_an_error_that_came_into_a_row_is_no_text_in_it(made):
    path = made(source(sheet(row(6, "Hi", "x", 1))), source(sheet(row(6, "Hi", "x", ERROR))))
    assert told(path) == [(6, "Hi", False, "", "")]
