"""The live backend over an Excel that misbehaves as its users have reported; see `tests/excel.py`."""

import subprocess
import sys
from datetime import datetime
from itertools import count
from types import SimpleNamespace

import pytest
import xlwings as xw

from tests.excel import EXCEPTION, IN_EDIT_MODE, ComError, Excel
from tests.unit.workbook.test_workbook_contract import HEADERS, IDS, MADRID, NOW, WorkbookContract
from xlsms.errors import TransientError, UserError
from xlsms.model import Role
from xlsms.phone import parse
from xlsms.states import State
from xlsms.workbook.base import RESULTS, Placed, RowEdit
from xlsms.workbook.live import Attachment, LiveWorkbook, Patience
from xlsms.workbook.live.block import blocks, runs
from xlsms.workbook.live.native import colour_texts, offer
from xlsms.workbook.live.setup import insert_columns

SHOWN = datetime(2026, 11, 22, 10, 15)  # noqa: DTZ001 - as a cell holds it
PEOPLE = [(f"Person {n}", 34600000000 + n, "Hello {Name}", "x") for n in range(2, 6)]


@pytest.fixture
def excel():
    started = Excel()
    yield started
    started.end()


@pytest.fixture
def waits():
    return []


class Desk:
    """One Excel with one workbook, and how often somebody waited for it."""

    def __init__(self, excel, path):
        self.app = excel.start()
        from tests.excel import Book

        self.book = Book(self.app, str(path))
        self.sheet = self.book.page()
        self.sheet.fill(("Name", "Phone", "Message", "Send", *HEADERS), *PEOPLE)
        self.waits = []
        self.path = path

    def open(self, **more):
        return LiveWorkbook(
            Attachment(fullname=str(self.path), **more), zone=MADRID, patience=Patience(sleep=self.waits.append)
        )

    def accept(self):
        book = self.open()
        rows = book.read().rows
        book.apply(
            [
                RowEdit(values={Role.ID: identity, Role.STATUS: "Queued"}, placed=Placed.of(row))
                for row, identity in zip(rows, IDS, strict=False)
            ]
        )
        return book


@pytest.fixture
def desk(excel, tmp_path):
    return Desk(excel, tmp_path / "people.xlsx")


class TestLiveWorkbook(WorkbookContract):
    @pytest.fixture
    def path(self, tmp_path, excel):
        self.desk = Desk(excel, tmp_path / "people.xlsx")
        return self.desk.path

    def open(self, path):
        return self.desk.open()

    def user_saves(self, path, *rows):
        self.desk.sheet.fill(*rows)
        self.desk.sheet.formats.clear()


def test_a_cell_that_is_being_edited_is_waited_for(desk):
    book = desk.accept()
    desk.app.busy, desk.app.error = 3, ComError(EXCEPTION, scode=IN_EDIT_MODE)
    applied = book.apply([RowEdit(id=IDS[0], values={Role.STATUS: "Sent"})])
    assert len(applied.done) == 1
    assert desk.sheet.line(2)[4] == "Sent"
    assert desk.waits == [0.05, 0.1, 0.2]


def test_a_dialog_that_stays_open_is_told_in_words(desk):
    book = desk.accept()
    desk.app.busy = 10**6
    with pytest.raises(TransientError) as caught:
        book.apply([RowEdit(id=IDS[0], values={Role.STATUS: "Sent"})])
    assert caught.value.code == "excel-busy"
    assert "press Enter or Esc" in caught.value.remedy
    assert "pulse Intro o Esc" in caught.value.advice("es")
    assert sum(desk.waits) < 10
    desk.app.busy = 0
    assert desk.sheet.line(2)[4] == "Queued"
    assert desk.app.settings == {"screen_updating": True, "enable_events": True, "status_bar": False}


@pytest.mark.parametrize("first", range(30))
def test_a_call_that_is_rejected_anywhere_changes_nothing_for_good(desk, first):
    book = desk.accept()
    edits = [RowEdit(id=identity, values={Role.STATUS: "Delivered", Role.STATUS_TIME: NOW}) for identity in IDS[:4]]
    calls = 0
    real = desk.app.call

    def call():
        nonlocal calls
        calls += 1
        if calls == first + 1:
            raise ComError(-2147418111)
        return real()

    desk.app.call = call
    assert len(book.apply(edits).done) == 4
    assert [desk.sheet.line(row)[4] for row in range(2, 6)] == ["Delivered"] * 4
    assert desk.app.settings == {"screen_updating": True, "enable_events": True, "status_bar": False}


@pytest.mark.parametrize("mute", [1, 2, 5])
def test_an_answer_of_nothing_is_no_empty_sheet(desk, mute):
    book = desk.accept()
    desk.app.mute = mute
    assert [row.status for row in book.read().rows] == ["Queued"] * 4
    assert desk.waits


def test_a_write_that_is_swallowed_is_noticed(desk):
    book = desk.accept()
    real = desk.app.call
    desk.app.call = lambda: real() and desk.app.writes == 0
    with pytest.raises(TransientError) as caught:
        book.apply([RowEdit(id=IDS[0], values={Role.STATUS: "Sent"})])
    assert caught.value.code in ("excel-busy", "excel-not-taken")


def test_rows_that_a_filter_hides_get_what_is_theirs(desk):
    book = desk.accept()
    desk.sheet.hidden = {3, 4}
    edits = [RowEdit(id=identity, values={Role.STATUS: f"state {at}"}) for at, identity in enumerate(IDS[:4])]
    assert len(book.apply(edits).done) == 4
    assert [desk.sheet.line(row)[4] for row in range(2, 7)] == ["state 0", "state 1", "state 2", "state 3", None]
    assert [row.hidden for row in book.read().rows] == [False, True, True, False]


def test_very_many_hidden_rows_wait_for_the_next_time(desk):
    count = 1200
    desk.sheet.fill(("Phone", "Status", "SMS ID"), *((600000000 + n, None, f"ID{n}") for n in range(count)))
    desk.sheet.hidden = set(range(2, count + 1))
    book = desk.open()
    edits = [RowEdit(id=f"ID{n}", values={Role.STATUS: "Sent"}) for n in range(count)]
    first = book.apply(edits)
    assert (len(first.done), len(first.waiting)) == (501, 699)
    second = book.apply(first.waiting)
    third = book.apply(second.waiting)
    assert (len(second.done), len(third.done), third.waiting) == (500, 199, ())
    assert {row.status for row in book.read().rows} == {"Sent"}


def test_a_number_stays_the_number(desk):
    desk.sheet.fill(("Phone", "Message"), (34612345678.0, "hi"), (1.2345678901234567e18, "hi"))
    first, second = desk.open().read().rows
    assert (first.phone, first.fields["Phone"]) == (34612345678, "34612345678")
    assert parse(first.phone, country="ES").e164 == "+34612345678"
    with pytest.raises(UserError):
        parse(second.phone, country="ES")


@pytest.mark.parametrize(
    "text", ["+34600111222", "0034", "1/2/2026", "=1+1", "-5", "TRUE", "'quoted", "a\r\nb", "#N/A "]
)
def test_a_text_that_looks_like_something_else_stays_a_text(desk, text):
    book = desk.accept()
    assert book.apply([RowEdit(id=IDS[1], values={Role.REPLY: text})]).done
    now = desk.sheet.line(3)[7]
    assert now == text.replace("\r\n", "\n")
    assert not desk.sheet.formulas
    assert desk.sheet.formats[3, 8] == "@"


def test_times_are_moments_that_show_themselves(desk):
    book = desk.accept()
    book.apply([RowEdit(id=IDS[0], values={Role.STATUS_TIME: NOW})])
    assert desk.sheet.line(2)[6] == SHOWN
    assert desk.sheet.formats[2, 7] == "yyyy-mm-dd hh:mm"
    desk.sheet.formats[3, 7] = "dd/mm/yyyy hh:mm"
    book.apply([RowEdit(id=IDS[1], values={Role.STATUS_TIME: NOW})])
    assert desk.sheet.formats[3, 7] == "dd/mm/yyyy hh:mm"


def test_a_protected_sheet_is_told_once_and_nothing_is_written(desk):
    book = desk.accept()
    desk.sheet.protected_ = True
    for ask in (book.check_ready, lambda: book.apply([RowEdit(id=IDS[0], values={Role.STATUS: "Sent"})])):
        with pytest.raises(UserError) as caught:
            ask()
        assert caught.value.code == "sheet-locked"
        assert str(caught.value.place) == "people.xlsx People"
    assert desk.sheet.line(2)[4] == "Queued"
    assert not desk.waits
    desk.sheet.unlocked = {(row, column) for row in range(2, 6) for column in range(5, 11)}
    book.check_ready()
    assert book.apply([RowEdit(id=IDS[0], values={Role.STATUS: "Sent"})]).done
    assert desk.sheet.line(2)[4] == "Sent"


def test_formulas_and_merges_are_left_alone(desk):
    book = desk.accept()
    desk.sheet.formulas[3, 5] = "=A3"
    desk.sheet.cells_[3, 5] = "Person 3"
    desk.sheet.merges = [(4, 4, 4, 6)]
    edits = [RowEdit(id=identity, values={Role.STATUS: "Sent"}) for identity in IDS[:4]]
    applied = book.apply(edits)
    assert {(refusal.error.code, str(refusal.error.place)) for refusal in applied.refused} == {
        ("cell-formula", "People!E3"),
        ("cell-merged", "People!E4"),
    }
    assert desk.sheet.formulas == {(3, 5): "=A3"}
    assert [desk.sheet.line(row)[4] for row in range(2, 6)] == ["Sent", "Person 3", "Queued", "Sent"]


@pytest.mark.parametrize(("text", "fits"), [("😀" * 16_383, True), ("😀" * 16_384, False), ("a" * 32_767, True)])
def test_a_text_that_is_longer_than_a_cell_is_told(desk, text, fits):
    book = desk.accept()
    applied = book.apply([RowEdit(id=IDS[0], values={Role.REPLY: text, Role.STATUS: "Sent"})])
    assert [refusal.error.code for refusal in applied.refused] == ([] if fits else ["cell-text-too-long"])
    assert (desk.sheet.line(2)[4], desk.sheet.line(2)[7]) == ("Sent", text if fits else None)


def test_an_error_in_a_cell_is_a_problem_of_the_row(desk):
    desk.sheet.fill(("Phone", "Name"), (600000001, -2146826246))
    desk.sheet.cells_[2, 2] = -2146826246
    (row,) = desk.open().read().rows
    assert row.problems == {"Name": "cell-error"}


def test_columns_beside_a_filter_are_not_added(desk):
    desk.sheet.fill(("Phone", "Send"), (600000001, "x"))
    desk.sheet.filter = "$A$1:$B$2"
    book = desk.open()
    snapshot = book.read()
    assert snapshot.sheets[0].bounded
    with pytest.raises(UserError) as caught:
        book.apply([RowEdit(values={Role.STATUS: "Queued"}, placed=Placed.of(snapshot.rows[0]))])
    assert caught.value.code == "columns-missing"


def test_the_settings_sheet_holds_in_an_open_workbook_too(desk):
    page = desk.book.page("SMS Settings")
    page.fill(("Setting", "Value", "Sheet"), ("Country", "GB"), ("Column for Status", "Name"))
    snapshot = desk.open().read()
    assert snapshot.sheets[0].settings.country == "GB"
    assert snapshot.sheets[0].columns[Role.STATUS] == "A"


def test_the_guid_is_a_property_of_the_workbook(desk):
    desk.book.properties.append(SimpleNamespace(Name="xlsmsId", Value="some-guid"))
    assert desk.open().read().guid == "some-guid"


# which workbook is meant


def test_without_an_excel_the_user_is_told_so(excel):
    with pytest.raises(UserError) as caught:
        LiveWorkbook(Attachment(fullname="/a.xlsx")).read()
    assert caught.value.code == "excel-not-running"


def test_without_a_workbook_the_user_is_told_so(excel):
    excel.start()
    with pytest.raises(UserError) as caught:
        LiveWorkbook(Attachment(fullname="/a.xlsx")).read()
    assert caught.value.code == "no-workbook-open"


def test_a_workbook_that_was_closed_meanwhile_is_named(desk):
    book = desk.accept()
    desk.book._fullname = "/elsewhere/people.xlsx"
    with pytest.raises(UserError) as caught:
        book.apply([RowEdit(id=IDS[0], values={Role.STATUS: "Sent"})])
    assert caught.value.code == "workbook-not-open"
    assert "people.xlsx" in caught.value.message()


@pytest.mark.parametrize(
    "name", ["my list.xlsx", "a=b&c.xlsx", "50% off.xlsx", "O'Brien's.xlsx", "ñandú €.xlsx", "$(x).xlsx"]
)
def test_any_name_is_found(excel, tmp_path, name):
    desk = Desk(excel, tmp_path / name)
    Desk.__init__(Desk.__new__(Desk), excel, tmp_path / "other.xlsx")
    assert desk.open().attachment.book().fullname == str(tmp_path / name)


def test_a_workbook_in_the_cloud_is_found_by_its_address(excel):
    desk = Desk(excel, "https://example.org/docs/my list.xlsx")
    attachment = Attachment(fullname="https://example.org/docs/my%20list.xlsx")
    assert attachment.book().fullname == desk.book.fullname


def test_of_two_excels_the_window_says_which(excel, tmp_path):
    one, other = Desk(excel, tmp_path / "people.xlsx"), Desk(excel, tmp_path / "people.xlsx")
    other.app._hwnd = 200
    other.sheet.fill(("Phone",), (1,))
    assert len(one.open(window=100).read().rows) == 4
    assert len(one.open(window=200).read().rows) == 1
    with pytest.raises(UserError) as caught:
        one.open().read()
    assert caught.value.code == "workbook-open-twice"


def test_a_window_that_has_gone_is_no_reason_to_fail(desk):
    assert len(desk.open(window=12345).read().rows) == 4


EXIT_HOOK = """
import atexit, sys
from types import SimpleNamespace
module = SimpleNamespace(cleanup=lambda: print("taskkill"), N_COM_ATTEMPTS=0)
atexit.register(module.cleanup)
sys.modules["xlwings._xlwindows"] = module
from xlsms.workbook.live.attachment import tame
tame()
print(module.N_COM_ATTEMPTS)
"""


def test_xlwings_neither_ends_an_excel_at_exit_nor_repeats_calls_for_ever():
    ended = subprocess.run([sys.executable, "-c", EXIT_HOOK], capture_output=True, text=True, check=True)
    assert ended.stdout.split() == ["1"]


# few calls


def test_ten_thousand_rows_take_few_calls(desk):
    count = 10_000
    headers = ("Name", "Phone", "Message", "Send", *HEADERS)
    desk.sheet.fill(
        headers,
        *((f"P{n}", 600000000 + n, "hi", None, "Queued", None, None, None, None, f"ID{n}") for n in range(count)),
    )
    book = desk.open()
    desk.app.reads = desk.app.writes = 0
    edits = [
        RowEdit(id=f"ID{n}", values={Role.STATUS: "Delivered", Role.STATUS_TIME: NOW, Role.REPLY: f"+{n}"})
        for n in range(count)
    ]
    assert len(book.apply(edits).done) == count
    assert desk.app.reads <= 10
    assert desk.app.writes <= 10
    assert desk.sheet.line(10_001)[4:8] == ["Delivered", None, SHOWN, "+9999"]


def test_scattered_rows_take_few_calls(desk):
    count = 10_000
    desk.sheet.fill(("Phone", *HEADERS), *((600000000 + n, *[None] * 5, f"ID{n}") for n in range(count)))
    book = desk.open()
    desk.app.reads = desk.app.writes = 0
    edits = [RowEdit(id=f"ID{n}", values={Role.STATUS: "Sent"}) for n in range(0, count, 97)]
    assert len(book.apply(edits).done) == len(edits)
    assert (desk.app.reads <= 10, desk.app.writes <= 10) == (True, True)
    assert sum(value == "Sent" for value in desk.sheet.cells_.values()) == len(edits)


def test_blocks_hold_every_cell_once_and_none_that_is_fixed():
    cells = {(2, 5): "a", (3, 5): "b", (9, 5): "c", (9, 7): "d"}
    fixed = {(5, 5)}
    made = list(blocks(cells, lambda cell: f"old {cell}", fixed=fixed.__contains__, hidden=frozenset({9})))
    put = {}
    for block in made:
        for row, line in enumerate(block.rows, block.top):
            for column, value in enumerate(line, block.left):
                assert (row, column) not in put
                put[row, column] = value
    assert cells.items() <= put.items()
    assert not fixed & put.keys()
    assert all(value == f"old {cell}" for cell, value in put.items() if cell not in cells)


def test_runs():
    assert list(runs([5, 3, 4, 9, 3])) == [range(3, 6), range(9, 10)]
    assert list(runs([])) == []


class TestInsertedColumns:
    """What *Insert SMS columns* asks of Excel itself, where xlwings has no word for it."""

    @pytest.fixture
    def bare(self, desk, monkeypatch):
        monkeypatch.setattr(sys, "platform", "win32")
        desk.sheet.fill(("Name", "Phone", "Message"), *(person[:3] for person in PEOPLE))
        insert_columns(desk.open(), (Role.MESSAGE, Role.SEND, *RESULTS))
        return desk

    def test_the_mark_has_a_drop_down_that_forbids_nothing(self, bare):
        ((corners, found),) = bare.sheet.validations.items()
        assert corners[0::2] == (2, 10_000)
        assert corners[1::2] == (4, 4)
        assert (found["Type"], found["AlertStyle"], found["Formula1"]) == (3, 3, "x")  # a list, for information
        assert (found["IgnoreBlank"], found["ShowError"]) == (True, False)
        assert found["InputTitle"] == "Send this row?"

    def test_states_have_their_colours_in_both_languages(self, bare):
        ((corners, found),) = bare.sheet.conditions.items()
        assert corners[1::2] == (5, 5)
        assert {rule.Type for rule in found} == {1}  # the value of the cell
        assert {rule.Operator for rule in found} == {3}  # is
        colours = {rule.Formula1: (rule.Interior.Color, rule.Font.Color, rule.Font.Bold) for rule in found}
        assert colours['="Delivered"'] == colours['="Entregado"'] == (0xE5FAD1, 0x465F06, True)  # Excel counts BGR
        assert len(colours) == 2 * len(State)

    def test_what_was_added_is_noted_where_nobody_sees_it(self, bare):
        assert ("_xlsms_send", "='People'!$D$1", False) in bare.sheet.names_
        assert ("_xlsms_choice", "='People'!$D$1", False) in bare.sheet.names_
        assert ("_xlsms_colours", "='People'!$E$1", False) in bare.sheet.names_
        assert not any(visible for _, _, visible in bare.sheet.names_)
        assert len(bare.sheet.names_) == 2 + len((Role.SEND, *RESULTS))

    def test_the_ids_are_out_of_sight(self, bare):
        assert bare.sheet.line(1)[9] == "SMS ID"
        assert bare.sheet.hidden_columns == {10}

    def test_what_a_user_has_made_of_the_cells_stays(self, desk, monkeypatch):
        monkeypatch.setattr(sys, "platform", "win32")
        cells = next(iter(xw.apps)).books[0].sheets[0].range((2, 4), (9, 4))
        cells.api.Validation.Add(1, 1, 1, "1")
        offer(cells, "x", "title", "hint")
        assert cells.api.Validation.Type == 1
        mine = cells.api.FormatConditions.Add(2, 0, "=A1")
        colour_texts(cells, {"Delivered": ("FFFFFF", "000000")})
        assert desk.sheet.conditions[cells.impl._corners] == [mine]


def test_every_block_of_the_selected_cells_is_known(desk, monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    areas = [SimpleNamespace(Row=row, Rows=SimpleNamespace(Count=count)) for row, count in ((2, 1), (5, 3))]
    monkeypatch.setattr(type(desk.app), "api", SimpleNamespace(Selection=SimpleNamespace(Areas=areas)), raising=False)
    assert desk.open().selected_rows() == ((2, 2), (5, 7))


def test_how_many_rows_were_not_in_it_already_is_known(desk):
    book = desk.accept()
    edits = [RowEdit(id=identity, values={Role.STATUS: "Sent"}) for identity in IDS[:2]]
    assert book.apply(edits).changed == 2
    again = book.apply([*edits[:1], RowEdit(id=IDS[1], values={Role.STATUS: "Delivered"})])
    assert (len(again.done), again.changed) == (2, 1)
    assert book.apply(edits[:1]).changed == 0
    column = desk.sheet.line(1).index("Detail") + 1
    desk.sheet.formulas[2, column] = "=1+1"
    refused = book.apply([RowEdit(id=IDS[0], values={Role.DETAIL: "late"})])
    assert (len(refused.refused), refused.changed) == (1, 0)


def people(excel, path, many=12):
    """A list in which every row has been sent; and what is to come into a few of them."""
    desk = Desk(excel, path)
    names = ("Name", "Phone", "Message", "Send", *HEADERS)
    column = {name: at for at, name in enumerate(names, 1)}
    desk.sheet.fill(names, *([f"N{at:02}", 600000000 + at, f"Hi {at % 3}", ""] for at in range(many)))
    for at in range(many):
        desk.sheet.cells_[at + 2, column["SMS ID"]] = f"ID{at:02}"
        desk.sheet.cells_[at + 2, column["Status"]] = "Delivered"
        desk.sheet.cells_[at + 2, column["Reply"]] = f"R{at:02}"
    return desk, column


def by_name(desk, column, *headers):
    rows = range(2, max(row for row, _ in desk.sheet.cells_) + 1)
    lines = {row: desk.sheet.line(row, len(column)) for row in rows}
    return {line[0]: tuple(line[column[name] - 1] for name in headers) for line in lines.values()}


@pytest.mark.parametrize("back", [None, 1, 2, 4])
def test_a_sort_in_any_instant_leaves_every_state_beside_its_person(excel, back):
    """Also in the rows between, which are written along; and when it is sorted back at once."""
    edits = [RowEdit(id=f"ID{at:02}", values={Role.STATUS: "Sent", Role.REPLY: f"new {at}"}) for at in (1, 9)]
    wanted = {f"N{at:02}": ("Delivered", f"R{at:02}", f"ID{at:02}") for at in range(12)}
    wanted |= {f"N{at:02}": ("Sent", f"new {at}", f"ID{at:02}") for at in (1, 9)}
    for instant in count(1):
        desk, column = people(excel, f"/lists/people {instant}.xlsx")
        desk.app.meanwhile[instant] = lambda desk=desk: desk.sheet.sort(1, down=True)
        if back:
            desk.app.meanwhile[instant + back] = lambda desk=desk: desk.sheet.sort(1)
        applied = desk.open().apply(edits)
        assert len(applied.done) == 2
        assert by_name(desk, column, "Status", "Reply", "SMS ID") == wanted, instant
        if instant in desk.app.meanwhile:
            break
    assert instant > 8


def test_a_row_put_in_in_any_instant_leaves_every_state_beside_its_person(excel):
    edits = [RowEdit(id=f"ID{at:02}", values={Role.STATUS: "Sent", Role.REPLY: f"new {at}"}) for at in (1, 9)]
    wanted = {f"N{at:02}": ("Delivered", f"R{at:02}", f"ID{at:02}") for at in range(12)} | {None: (None, None, None)}
    wanted |= {f"N{at:02}": ("Sent", f"new {at}", f"ID{at:02}") for at in (1, 9)}
    for instant in count(1):
        desk, column = people(excel, f"/lists/people {instant}.xlsx")
        desk.app.meanwhile[instant] = lambda desk=desk: desk.sheet.insert(4)
        assert len(desk.open().apply(edits).done) == 2
        if instant in desk.app.meanwhile:
            break
        assert by_name(desk, column, "Status", "Reply", "SMS ID") == wanted, instant
    assert instant > 8


@pytest.mark.parametrize("back", [None, 1, 2, 4])
def test_a_sort_in_any_instant_gives_nobody_the_id_of_another(excel, back):
    for instant in count(1):
        desk, column = people(excel, f"/lists/people {instant}.xlsx")
        for at in range(12):
            for name in ("SMS ID", "Status", "Reply"):
                desk.sheet.cells_.pop((at + 2, column[name]), None)
        book = desk.open()
        rows = book.read().rows
        desk.app.calls = 0
        desk.app.meanwhile[instant] = lambda desk=desk: desk.sheet.sort(1, down=True)
        if back:
            desk.app.meanwhile[instant + back] = lambda desk=desk: desk.sheet.sort(1)
        applied = book.apply(
            [
                RowEdit(values={Role.ID: f"ID{at:02}", Role.STATUS: "Queued"}, placed=Placed.of(rows[at]))
                for at in (0, 3, 4, 11)
            ]
        )
        given = {edit.values[Role.ID] for edit in applied.done}
        wanted = {f"N{at:02}": ("Queued", f"ID{at:02}") for at in (0, 3, 4, 11) if f"ID{at:02}" in given}
        wanted |= {f"N{at:02}": (None, None) for at in range(12) if f"ID{at:02}" not in given}
        assert by_name(desk, column, "Status", "SMS ID") == wanted, instant
        if instant in desk.app.meanwhile:
            break
    assert instant > 8
