"""What every `Workbook` promises, closed or live: one suite, run against each."""

import csv
import io
import shutil
from datetime import UTC, datetime, timedelta, timezone
from random import Random

import pytest

from tests.workbooks import people, sheet_xml, text_cell, workbook
from xlsms.errors import UserError
from xlsms.model import Role
from xlsms.workbook.base import RESULTS, Placed, RowEdit
from xlsms.workbook.closed import ClosedWorkbook, add_columns
from xlsms.workbook.csvbook import CsvWorkbook
from xlsms.workbook.identity import new_row_id

NOW = datetime(2026, 11, 22, 9, 15, tzinfo=UTC)
IDS = [new_row_id(Random(seed)) for seed in range(10)]
HEADERS = ("Status", "Detail", "Status time", "Reply", "Reply time", "SMS ID")
MADRID = timezone(timedelta(hours=1))


def table(*rows: tuple[object, ...]) -> str:
    """A sheet of texts and numbers."""
    lines = []
    for number, row in enumerate(rows, 1):
        cells = ""
        for column, value in enumerate(row):
            ref = f"{chr(65 + column)}{number}"
            if isinstance(value, str):
                cells += text_cell(ref, value)
            elif value is not None:
                cells += f'<c r="{ref}"><v>{value}</v></c>'
        lines.append(f'<row r="{number}">{cells}</row>')
    return sheet_xml("".join(lines))


class WorkbookContract:
    """Subclasses say how a workbook is opened and how its user changes it."""

    number = staticmethod(int)  # what a number in the sheet is read as

    @pytest.fixture
    def path(self, tmp_path):
        raise NotImplementedError

    def open(self, path):
        raise NotImplementedError

    def user_saves(self, path, *rows):
        raise NotImplementedError

    def accept(self, book):
        """Give each row an id, as intake does."""
        rows = book.read().rows
        edits = [
            RowEdit(values={Role.ID: identity, Role.STATUS: "Queued"}, placed=Placed.of(row))
            for row, identity in zip(rows, IDS, strict=False)
        ]
        applied = book.apply(edits)
        assert applied.done == tuple(edits)
        return book.read()

    def test_a_snapshot_tells_sheets_columns_and_rows(self, path):
        snapshot = self.open(path).read()
        (sheet,) = snapshot.sheets
        assert (sheet.name, sheet.header_row, sheet.missing, sheet.bounded) == ("People", 1, (), False)
        assert sheet.columns[Role.PHONE] == "B"
        assert list(sheet.headers.values())[:3] == ["Name", "Phone", "Message"]
        assert snapshot.language == "en"
        assert snapshot.guid is None
        assert [row.number for row in snapshot.rows] == [2, 3, 4, 5]
        row = snapshot.rows[0]
        phone = self.number(34600000002)
        assert (row.phone, row.message, row.marked, row.id, row.status) == (phone, "Hello {Name}", True, None, "")
        assert (row.fields["Name"], row.values["Phone"], row.fields["Phone"]) == (
            "Person 2",
            phone,
            "34600000002",
        )

    def test_only_marked_rows_are_read_when_asked_for(self, path):
        self.user_saves(path, ("Phone", "Send"), (1, "x"), (2, None), (3, "no"), (4, "SÍ"), (5, 1))
        book = self.open(path)
        marked = [self.number(phone) for phone in (1, 4, 5)]
        assert [row.phone for row in book.read(marked_only=True).rows] == marked
        assert [row.phone for row in book.read().rows if row.marked] == marked

    def test_edits_by_place_are_written(self, path):
        snapshot = self.accept(self.open(path))
        assert [(row.id, row.status) for row in snapshot.rows] == [(identity, "Queued") for identity in IDS[:4]]

    def test_the_version_after_a_write_is_the_version_of_the_file(self, path):
        book = self.open(path)
        before = book.read()
        applied = book.apply([RowEdit(values={Role.STATUS: "Sent"}, placed=Placed.of(before.rows[0]))])
        assert applied.before == before.version
        assert applied.version == book.read().version != before.version

    def test_the_same_edits_again_change_nothing(self, path):
        book = self.open(path)
        self.accept(book)
        edits = [RowEdit(id=IDS[1], values={Role.STATUS: "Delivered", Role.STATUS_TIME: NOW, Role.DETAIL: None})]
        first = book.apply(edits)
        again = book.apply(edits)
        assert again.version == first.version
        assert again.done == tuple(edits)

    def test_rows_are_found_by_id_wherever_they_are_now(self, path):
        book = self.open(path)
        self.accept(book)
        headers = ("SMS ID", "Extra", "Phone", "Status")
        self.user_saves(path, headers, (IDS[2], "", 3, ""), ("", "new", 9, ""), (f" {IDS[0].lower()} ", "", 1, ""))
        edits = [RowEdit(id=identity, values={Role.STATUS: f"state {index}"}) for index, identity in enumerate(IDS[:4])]
        applied = book.apply(edits)
        assert applied.done == (edits[0], edits[2])
        assert applied.missing == (edits[1], edits[3])
        assert [(row.phone, row.status) for row in book.read().rows] == [
            (self.number(3), "state 2"),
            (self.number(9), ""),
            (self.number(1), "state 0"),
        ]

    @pytest.mark.parametrize(
        "change",
        [
            lambda rows: [rows[1], rows[0]],
            lambda rows: [(9, *rows[0][1:]), rows[1]],
            lambda rows: [(rows[0][0], "other", "x"), rows[1]],
            lambda rows: [(*rows[0][:2], ""), rows[1]],
            lambda _: [],
        ],
        ids=["sorted", "phone edited", "message edited", "mark cleared", "deleted"],
    )
    def test_an_edit_by_place_is_stale_when_something_else_stands_there(self, path, change):
        headers = ("Phone", "Message", "Send", "Status", "SMS ID")
        rows = [(1, "one", "x"), (2, "two", "x")]
        self.user_saves(path, headers, *rows)
        book = self.open(path)
        edit = RowEdit(values={Role.STATUS: "Queued"}, placed=Placed.of(book.read().rows[0]))
        self.user_saves(path, headers, *change(rows))
        version = book.read().version
        applied = book.apply([edit])
        assert (applied.stale, applied.done) == ((edit,), ())
        assert applied.version == version

    def test_of_rows_with_one_id_the_one_that_was_sent_is_meant(self, path):
        headers = ("Phone", "Message", "Status", "SMS ID")
        self.user_saves(path, headers, (1, "a", "", IDS[0]), (2, "a", "", IDS[0]), (1, "a", "", IDS[0]))
        book = self.open(path)
        hint = Placed(sheet="People", number=9, phone=self.number(1), message="a", marked=False)
        unknown = RowEdit(id=IDS[0], values={Role.STATUS: "?"})
        changed = RowEdit(
            id=IDS[0],
            values={Role.STATUS: "?"},
            placed=Placed(sheet="People", number=2, phone=self.number(7), message="a", marked=False),
        )
        known = RowEdit(id=IDS[0], values={Role.STATUS: "Sent"}, placed=hint)
        applied = book.apply([unknown, changed, known])
        assert applied.ambiguous == (unknown, changed)
        assert [row.status for row in book.read().rows] == ["", "", "Sent"]

    def test_missing_result_columns_are_added_beside_everything(self, path):
        self.user_saves(path, ("Teléfono", "Mensaje"), (1, None, None, None, "a note without a header"))
        book = self.open(path)
        snapshot = book.read()
        assert (snapshot.sheets[0].missing, snapshot.language) == (RESULTS, "es")
        book.apply([RowEdit(values={Role.STATUS: "Enviado", Role.ID: IDS[0]}, placed=Placed.of(snapshot.rows[0]))])
        snapshot = book.read()
        assert list(snapshot.sheets[0].headers.items())[2:] == [
            ("F", "Estado"), ("G", "Detalle"), ("H", "Hora del estado"), ("I", "Respuesta"), ("J", "Hora de la respuesta"), ("K", "SMS ID"),
        ]  # fmt: skip
        assert (snapshot.rows[0].status, snapshot.rows[0].id) == ("Enviado", IDS[0])

    def refuses_the_column(self, book):
        """Nothing is written beside the first row, because of what stands in C3."""
        edit = RowEdit(values={Role.STATUS: "Queued", Role.ID: IDS[0]}, placed=Placed.of(book.read().rows[0]))
        with pytest.raises(UserError) as caught:
            book.apply([edit])
        place = caught.value.place
        assert (caught.value.code, place.row, place.column) == ("column-of-yours", 3, "C")

    @pytest.mark.parametrize("header", ["Detail", "Status", "Reply", "Parts"])
    def test_a_column_of_the_user_s_own_is_not_written_over(self, path, header):
        self.user_saves(path, ("Phone", "Message", header), (1, "Hi", None), (2, "Hi", "of his own"))
        book = self.open(path)
        self.refuses_the_column(book)
        assert book.read().rows[1].fields[header] == "of his own"
        # emptied: ours from now on
        self.user_saves(path, ("Phone", "Message", header), (1, "Hi", None), (2, "Hi", " "))
        book = self.open(path)
        self.accept(book)
        assert header in book.read().sheets[0].headers.values()

    def test_a_word_of_ours_among_others_does_not_make_a_status_column_ours(self, path):
        self.user_saves(path, ("Phone", "Message", "Status"), (1, "Hi", "Cancelled"), (2, "Hi", "Completed"))
        book = self.open(path)
        self.refuses_the_column(book)
        assert [row.status for row in book.read().rows] == ["Cancelled", "Completed"]

    def test_a_column_that_nobody_writes_into_may_hold_anything(self, path):
        self.user_saves(path, ("Phone", "Message", "Cost"), (1, "Hi", 12))
        assert self.accept(self.open(path)).rows[0].fields["Cost"] == "12"

    def test_columns_of_a_sheet_that_lost_its_ids_are_ours(self, path):
        self.user_saves(
            path, ("Phone", "Message", "Status", "Detail"), (1, "Hi", "delivered", "of ours"), (2, "Hi", None, "x")
        )
        assert [row.status for row in self.accept(self.open(path)).rows] == ["Queued", "Queued"]

    def test_values_for_columns_that_nobody_has_are_left_out(self, path):
        book = self.open(path)
        self.accept(book)
        applied = book.apply([RowEdit(id=IDS[0], values={Role.COST: 0.05, Role.PARTS: 2, Role.STATUS: "Sent"})])
        assert len(applied.done) == 1
        assert Role.COST not in book.read().sheets[0].columns

    def test_times_are_shown_in_local_time(self, path):
        book = self.open(path)
        self.accept(book)
        book.apply([RowEdit(id=IDS[0], values={Role.STATUS_TIME: NOW})])
        assert book.read().rows[0].fields["Status time"] == "2026-11-22 10:15"

    def test_none_empties_a_cell(self, path):
        book = self.open(path)
        self.accept(book)
        book.apply([RowEdit(id=IDS[0], values={Role.STATUS: None, Role.SEND: None})])
        row = book.read().rows[0]
        assert (row.status, row.marked, row.id) == ("", False, IDS[0])

    def test_a_text_that_looks_like_a_formula_stays_a_text(self, path):
        book = self.open(path)
        self.accept(book)
        book.apply([RowEdit(id=IDS[0], values={Role.REPLY: '=HYPERLINK("http://evil")'})])
        assert book.read().rows[0].fields["Reply"] == '=HYPERLINK("http://evil")'

    def test_an_edit_without_any_edits_is_no_write(self, path):
        book = self.open(path)
        version = book.read().version
        assert book.apply([]).version == version


class TestClosedWorkbook(WorkbookContract):
    @pytest.fixture
    def path(self, tmp_path):
        return workbook(tmp_path / "people.xlsx", people(4))

    def open(self, path):
        return ClosedWorkbook(path, zone=MADRID)

    def user_saves(self, path, *rows):
        self.user_saves_sheet(path, table(*rows))

    def user_saves_sheet(self, path, sheet):
        beside = workbook(path.with_name("saving"), sheet)
        shutil.move(beside, path)

    def test_a_calculated_cell_is_refused_and_the_others_are_written(self, path):
        rows = f'<row r="1">{text_cell("A1", "Phone")}{text_cell("B1", "Status")}{text_cell("C1", "Detail")}{text_cell("D1", "SMS ID")}</row>'
        rows += (
            f'<row r="2"><c r="A2"><v>1</v></c><c r="B2" t="str"><f>A2</f><v>1</v></c>{text_cell("D2", IDS[0])}</row>'
        )
        self.user_saves_sheet(path, sheet_xml(rows, after='<mergeCells><mergeCell ref="A4:C5"/></mergeCells>'))
        book = self.open(path)
        edit = RowEdit(id=IDS[0], values={Role.STATUS: "Sent", Role.DETAIL: "why"})
        applied = book.apply([edit])
        assert applied.done == (edit,)
        ((refusal,),) = (applied.refused,)
        assert (refusal.edit, refusal.role, refusal.error.code) == (edit, Role.STATUS, "cell-formula")
        assert str(refusal.error.place) == "People!B2"
        assert book.read().rows[0].fields["Detail"] == "why"

    def test_a_link_is_followed(self, path, tmp_path):
        link = tmp_path / "link.xlsx"
        link.symlink_to(path)
        self.accept(self.open(link))
        assert link.is_symlink()
        assert self.open(path).read().rows[0].status == "Queued"

    def test_columns_are_added_once(self, path):
        self.user_saves(path, ("Phone", "Name"), (1, "a"))
        added = add_columns(path, (Role.SEND, *RESULTS), "en")
        assert added == {"People": ("Send", "Status", "Detail", "Status time", "Reply", "Reply time", "SMS ID")}
        assert list(self.open(path).read().sheets[0].headers.values()) == ["Phone", "Name", *added["People"]]
        before = path.read_bytes()
        assert add_columns(path) == {}
        assert path.read_bytes() == before

    def test_columns_beside_a_filter_are_not_added(self, path):
        xml = table(("Phone", "Send"), (1, "x")).replace("</worksheet>", '<autoFilter ref="A1:B2"/></worksheet>')
        self.user_saves_sheet(path, xml)
        book = self.open(path)
        snapshot = book.read()
        assert snapshot.sheets[0].bounded
        before = path.read_bytes()
        with pytest.raises(UserError) as caught:
            book.apply([RowEdit(values={Role.STATUS: "Queued"}, placed=Placed.of(snapshot.rows[0]))])
        assert caught.value.code == "columns-missing"
        assert "Status, Detail" in caught.value.message()
        assert path.read_bytes() == before


class CsvContract(WorkbookContract):
    """In a text file all cells are texts."""

    number = staticmethod(str)
    encoding, delimiter, end = "utf-8", ",", "\n"

    @pytest.fixture
    def path(self, tmp_path):
        path = tmp_path / "People.csv"
        people = [(f"Person {n}", 34600000000 + n, "Hello {Name}", "x") for n in range(2, 6)]
        self.user_saves(path, ("Name", "Phone", "Message", "Send", *HEADERS), *people)
        return path

    def open(self, path):
        return CsvWorkbook(path, zone=MADRID)

    def user_saves(self, path, *rows):
        out = io.StringIO()
        csv.writer(out, delimiter=self.delimiter, lineterminator=self.end).writerows(rows)
        beside = path.with_name("saving")
        beside.write_bytes(out.getvalue().encode(self.encoding))
        beside.replace(path)


class TestCsvWorkbook(CsvContract):
    pass


class TestCsvWorkbookOfSpanishExcel(CsvContract):
    encoding, delimiter, end = "cp1252", ";", "\r\n"

    def user_saves(self, path, *rows):
        super().user_saves(path, *(tuple("sí" if cell == "x" else cell for cell in row) for row in rows))


class TestCsvWorkbookOfUnicodeText(CsvContract):
    encoding, delimiter, end = "utf-16", "\t", "\r\n"
