"""Files that are read and never written: their results stand beside them, and no row goes twice for one mark."""

import contextlib
import io
import json
import os
import shutil
import struct
import sys
import zipfile
from datetime import datetime
from pathlib import Path
from random import Random

import openpyxl
import pytest
import xlwt
from msoffcrypto.format.ooxml import OOXMLFile

from tests.drafts import DEAD
from tests.workbooks import members
from xlsms.addin.compound import compound
from xlsms.errors import TransientError, UserError
from xlsms.files.swap import draft_of
from xlsms.model import Role
from xlsms.workbook import limited, read_rows
from xlsms.workbook.base import RESULTS, Placed, RowEdit
from xlsms.workbook.closed import ClosedWorkbook
from xlsms.workbook.csvbook import CsvWorkbook
from xlsms.workbook.foreign import ForeignWorkbook
from xlsms.workbook.grid import check_declared, read_grids
from xlsms.workbook.identity import SOURCE_PROPERTY, new_row_id
from xlsms.workbook.limited import Limits
from xlsms.workbook.opening import open_workbook

HEADERS = ("Phone", "Message", "Send", "Day")
DAY = datetime(2026, 12, 24)  # noqa: DTZ001 - as a cell holds it
IDS = [new_row_id(Random(seed)) for seed in range(5)]


def save_xls(path, *rows, sheet="People"):
    book = xlwt.Workbook()
    page = book.add_sheet(sheet)
    date = xlwt.easyxf(num_format_str="dd/mm/yyyy")
    for number, row in enumerate(rows):
        for column, value in enumerate(row):
            if value is not None:
                page.write(number, column, value, date if isinstance(value, datetime) else xlwt.Style.default_style)
    book.save(str(path))
    return path


@pytest.fixture
def source(tmp_path):
    return save_xls(
        tmp_path / "list.xls", HEADERS, (34600111222, "=Hi {Day}", "x", DAY), ("600 222 333", "Bye", None, None)
    )


def accept(book, identity=IDS[0], number=0):
    """What intake does with a marked row."""
    row = book.read().rows[number]
    book.apply([RowEdit(values={Role.STATUS: "Sent", Role.ID: identity, Role.SEND: None}, placed=Placed.of(row))])


def shown(path):
    return [(row.phone, row.message, row.marked, row.id, row.status) for row in ClosedWorkbook(path).read().rows]


def test_reading_touches_nothing_and_shows_dates_and_numbers(source, tmp_path):
    before = source.read_bytes()
    snapshot = open_workbook(source).read()
    row = snapshot.rows[0]
    assert (row.phone, row.message, row.marked, row.fields["Day"]) == (34600111222, "=Hi {Day}", True, "24 Dec 2026")
    assert (snapshot.sheets[0].name, snapshot.sheets[0].missing) == ("People", ())
    assert [row.marked for row in open_workbook(source).read(marked_only=True).rows] == [True]
    assert [row.phone for row in read_rows(source)] == [34600111222, "600 222 333"]
    assert [path.name for path in tmp_path.iterdir()] == ["list.xls"]
    assert source.read_bytes() == before


def test_results_stand_beside_the_source_which_stays_as_it_is(source, tmp_path):
    before = source.read_bytes()
    book = open_workbook(source)
    accept(book)
    results = tmp_path / "list.sms.xlsx"
    assert book.path == results
    assert sorted(path.name for path in tmp_path.iterdir()) == ["list.sms.xlsx", "list.xls"]
    assert source.read_bytes() == before
    assert shown(results) == [
        (34600111222, "=Hi {Day}", False, IDS[0], "Sent"),
        ("600 222 333", "Bye", False, None, ""),
    ]
    page = openpyxl.load_workbook(results).active
    assert (page["B2"].value, page["B2"].data_type) == ("=Hi {Day}", "s")
    assert ClosedWorkbook(results).read().guid
    assert results.stat().st_mode & 0o777 == source.stat().st_mode & 0o666 | 0o600


def test_a_version_tells_of_the_source_and_of_its_results(source):
    book = ForeignWorkbook(source)
    versions = [book.version()]
    status, content = source.stat(), source.read_bytes()
    source.write_bytes(content[:-1] + b"!")  # all else as it was
    os.utime(source, ns=(status.st_atime_ns, status.st_mtime_ns))
    versions.append(book.version())
    source.write_bytes(content)
    book.prepare()
    versions.append(book.version())
    accept(book)
    versions.append(book.version())
    assert len(set(versions)) == len(versions)
    assert book.read().path == book.path


def test_results_say_that_the_formats_of_their_file_are_not_known(source):
    assert not open_workbook(source).read().sheets[0].formats
    accept(open_workbook(source))
    results = ClosedWorkbook(source.with_name("list.sms.xlsx"))
    assert not results.read().sheets[0].formats
    with results.reading() as reading:
        assert not reading.snapshot.sheets[0].formats
    plain = openpyxl.Workbook()
    plain.active.append(HEADERS)
    plain.save(source.with_name("plain.xlsx"))
    assert ClosedWorkbook(source.with_name("plain.xlsx")).read().sheets[0].formats


def test_an_unchanged_source_writes_nothing(source, tmp_path):
    book = open_workbook(source)
    accept(book)
    before = book.path.read_bytes()
    assert book.prepare() == book.path
    assert book.path.read_bytes() == before


@pytest.mark.parametrize("left", [Role.ID, Role.STATUS])
def test_a_mark_that_still_stands_in_the_source_orders_nothing_again_whatever_was_emptied(source, left):
    book = open_workbook(source)
    accept(book)
    row = book.read().rows[0]
    gone = {Role.ID, Role.STATUS} - {left}
    ClosedWorkbook(book.path).apply([RowEdit(values=dict.fromkeys(gone), placed=Placed.of(row))])
    book.prepare()
    (row, _) = ClosedWorkbook(book.path).read().rows
    assert not row.marked
    assert (row.id is None, row.status == "") == (Role.ID in gone, Role.STATUS in gone)


def test_a_mark_that_still_stands_in_the_source_orders_nothing_again(source):
    book = open_workbook(source)
    accept(book)
    for _ in range(2):
        book.prepare()
        assert [row.marked for row in book.read().rows] == [False, False]


def test_new_rows_are_added_and_waiting_rows_follow_the_source(source):
    book = open_workbook(source)
    accept(book)
    save_xls(
        source,
        HEADERS,
        ("600 222 333", "Bye, {Day}", "x", DAY),
        (34600111222, "=Hi {Day}", "x", DAY),
        (34600444555, "New", "x", DAY),
    )
    book.prepare()
    assert shown(book.path) == [
        (34600111222, "=Hi {Day}", False, IDS[0], "Sent"),
        ("600 222 333", "Bye, {Day}", True, None, ""),
        (34600444555, "New", True, None, ""),
    ]
    assert [row.fields["Day"] for row in book.read().rows] == ["24 Dec 2026", "2026-12-24", "2026-12-24"]
    before = book.path.read_bytes()
    book.prepare()
    assert book.path.read_bytes() == before


def test_a_mark_that_is_set_or_taken_away_later_is_followed(source):
    book = open_workbook(source)
    book.prepare()
    save_xls(source, HEADERS, (34600111222, "=Hi {Day}", None, DAY), ("600 222 333", "Bye", "yes", None))
    book.prepare()
    assert [row.marked for row in book.read().rows] == [False, True]


@pytest.mark.parametrize("edited", [(34600111222, "Changed", "x", DAY), (34600999888, "=Hi {Day}", "x", DAY)])
def test_a_row_that_was_accepted_and_then_edited_is_held_and_not_sent_by_itself(source, edited):
    book = open_workbook(source)
    accept(book)
    save_xls(source, HEADERS, edited, ("600 222 333", "Bye", None, None))
    book.prepare()
    first, _, held = book.read().rows
    assert (first.id, first.status, first.marked) == (IDS[0], "Sent", False)
    assert (held.phone, held.marked, held.status) == (edited[0], False, "Held")
    assert "[row-changed-in-source]" in held.fields["Detail"]
    assert held.id not in (None, IDS[0]), "not sent where all rows are sent, either"
    before = book.path.read_bytes()
    book.prepare()
    assert book.path.read_bytes() == before


def test_equal_rows_are_as_many_as_in_the_source(source):
    twin = (34600111222, "=Hi {Day}", "x", DAY)
    save_xls(source, HEADERS, twin, twin)
    book = open_workbook(source)
    accept(book)
    save_xls(source, HEADERS, twin, twin, twin)
    book.prepare()
    assert [row.marked for row in book.read().rows] == [False, True, True]


def test_a_renamed_source_does_not_send_its_rows_again(source, tmp_path):
    accept(open_workbook(source))
    source.rename(tmp_path / "clients.xls")
    renamed = open_workbook(tmp_path / "clients.xls")
    for use in (renamed.read, renamed.prepare):
        with pytest.raises(UserError) as caught:
            use()
        assert caught.value.code == "results-under-old-name"
        assert "list.sms.xlsx" in caught.value.line()
    (tmp_path / "list.sms.xlsx").rename(tmp_path / "clients.sms.xlsx")
    assert [row.id for row in renamed.read().rows] == [IDS[0], None]


def test_what_else_lies_in_the_folder_keeps_no_list_from_being_taken_in(source, tmp_path):
    """Nothing is known of it, or its own source is there: two lists with the same rows are two."""
    accept(open_workbook(source))
    (tmp_path / "broken.sms.xlsx").write_bytes(b"PK nothing")
    (tmp_path / "~$list.sms.xlsx").write_bytes(b"\x03Ana")
    shutil.copy(source, tmp_path / "clients.xls")
    results = open_workbook(tmp_path / "clients.xls").prepare()
    assert [row[3] for row in shown(results)] == [None, None]


def test_results_name_their_source_and_no_path_to_it(source):
    book = open_workbook(source)
    results = book.prepare()
    changed = openpyxl.load_workbook(results)
    changed.custom_doc_props[SOURCE_PROPERTY].value = "../list.xls"
    changed.save(results)
    assert book.prepare() == results
    changed.custom_doc_props[SOURCE_PROPERTY].value = "/"
    changed.save(results)
    with pytest.raises(UserError) as caught:
        book.prepare()
    assert (caught.value.code, caught.value.facts["source"]) == ("results-of-another", "?")


def test_results_can_be_read_by_whom_their_source_can(source):
    source.chmod(0o755)
    assert open_workbook(source).prepare().stat().st_mode & 0o777 == 0o644


def test_a_source_that_was_renamed_before_anything_went_is_taken_in_as_it_is_called_now(source, tmp_path):
    open_workbook(source).prepare()
    source.rename(tmp_path / "clients.xls")
    assert open_workbook(tmp_path / "clients.xls").prepare().name == "clients.sms.xlsx"


def test_of_two_edited_rows_like_one_that_waits_only_one_takes_its_place(source):
    book = open_workbook(save_xls(source, HEADERS, (1, "a", "x", DAY), (2, "b", "x", DAY)))
    book.prepare()
    save_xls(source, HEADERS, (1, "c", "x", DAY), (3, "a", "x", DAY))  # by its number, and by its text
    book.prepare()
    assert [(row[0], row[1]) for row in shown(book.path)] == [(1, "c"), (2, "b"), (3, "a")]


def test_results_of_another_file_are_left_alone(source, tmp_path):
    accept(open_workbook(source))
    other = tmp_path / "list.ods"
    shutil.copy(source, other)
    for use in (open_workbook(other).prepare, open_workbook(other).read):
        with pytest.raises(UserError, match="results-of-another"):
            use()
    openpyxl.Workbook().save(tmp_path / "list.sms.xlsx")
    for use in (open_workbook(source).prepare, open_workbook(source).read):
        with pytest.raises(UserError, match="results-of-another"):
            use()


def test_results_are_put_there_whole_and_never_over_others(source, tmp_path, monkeypatch):
    forced, right = [], os.fsync

    def fsync(handle):
        right(handle)
        forced.append(os.fstat(handle).st_ino)

    monkeypatch.setattr(os, "fsync", fsync)
    book = open_workbook(source)
    made = book.prepare().read_bytes()
    assert book.path.stat().st_ino in forced
    with pytest.raises(TransientError, match="file-keeps-changing"):
        book._make(b"new")  # others have come since it was looked for
    assert book.path.read_bytes() == made
    assert sorted(file.name for file in tmp_path.iterdir()) == ["list.sms.xlsx", "list.xls"]


def test_results_with_two_names_after_a_crash_can_be_written(source):
    path = open_workbook(source).prepare()
    draft = path.with_name(draft_of(path).name.replace(f"-{os.getpid()}.", f"-{DEAD}."))
    draft.hardlink_to(path)
    open_workbook(source).check_ready()
    assert path.stat().st_nlink == 1


def test_results_that_lack_a_column_say_so(source):
    open_workbook(source).prepare()
    save_xls(source, (*HEADERS, "Town"), (1, "a", "x", DAY, "Vigo"))
    with pytest.raises(UserError) as caught:
        open_workbook(source).prepare()
    assert caught.value.code == "results-outdated"
    assert "Town" in caught.value.line()


def test_results_that_somebody_has_open_are_waited_for(source, tmp_path):
    book = open_workbook(source)
    book.prepare()
    (tmp_path / ".~lock.list.sms.xlsx#").write_text("Ana,ana,host,,;")
    book.prepare()
    with pytest.raises(TransientError, match="file-open-elsewhere"):
        book.check_ready()
    save_xls(source, HEADERS, (1, "new", "x", DAY))
    with pytest.raises(TransientError, match="file-open-elsewhere"):
        book.prepare()


def test_the_results_columns_of_the_source_are_not_taken_over(tmp_path):
    path = save_xls(tmp_path / "a.xls", ("Phone", "Status", "SMS ID"), (1, "Delivered", IDS[1]))
    (row,) = open_workbook(path).read().rows
    assert (row.status, row.id) == ("", None)
    assert open_workbook(path).read().sheets[0].missing == () == tuple(set(RESULTS) - set(Role))


# Passwords.


def locked(path, password="secret"):
    book = openpyxl.Workbook()
    book.active.append(HEADERS)
    book.active.append((600111222, "Hi", "x", None))
    book.active.append((600111333, "Hidden", "x", None))
    book.active.row_dimensions[3].hidden = True
    plain, out = io.BytesIO(), io.BytesIO()
    book.save(plain)
    OOXMLFile(plain).encrypt(password, out)
    path.write_bytes(out.getvalue())
    return path


def test_a_protected_workbook_is_read_with_its_password_and_never_written(tmp_path):
    path = locked(tmp_path / "a.xlsx")
    before = path.read_bytes()
    for passwords, code in (((), "file-encrypted"), (("wrong", ""), "file-password-wrong")):
        with pytest.raises(UserError) as caught:
            open_workbook(path, passwords=passwords).read()
        assert caught.value.code == code
        assert "secret" not in repr(caught.value.facts)
    book = open_workbook(path, passwords=("wrong", "secret"))
    accept(book)
    assert [(row.phone, row.hidden) for row in book.read().rows] == [(600111222, False), (600111333, True)]
    assert path.read_bytes() == before
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.sms.xlsx", "a.xlsx"]


def test_a_protected_workbook_tells_of_its_errors(tmp_path):
    book = openpyxl.Workbook()
    for row in (HEADERS, (600111222, "#N/A", "x", None), (600111333, "=NA()", "x", None)):
        book.active.append(row)
    plain, out = io.BytesIO(), io.BytesIO()
    book.active["B2"].data_type = "e"
    book.save(plain)
    OOXMLFile(plain).encrypt("secret", out)
    (tmp_path / "a.xlsx").write_bytes(out.getvalue())
    rows = open_workbook(tmp_path / "a.xlsx", passwords=("secret",)).read().rows
    assert [dict(row.problems) for row in rows] == [{"Message": "cell-error"}] * 2


def test_an_old_workbook_with_a_password_is_known_as_such(source):
    # [MS-XLS] 2.4.117: all after a FilePass is encrypted. It takes the place of a record that says nothing.
    backup, pass_, content = b"\x40\x00\x02\x00", b"\x2f\x00\x02\x00", source.read_bytes()
    assert content.count(backup) == 1
    source.write_bytes(content.replace(backup, pass_))
    with pytest.raises(UserError, match="file-encrypted"):
        read_grids(source)


def test_the_password_that_nobody_is_asked_for_is_tried(tmp_path):
    path = locked(tmp_path / "a.xlsx", "VelvetSweatshop")
    assert len(open_workbook(path).read().rows) == 2


# Bytes decide.


def test_what_a_file_is_its_bytes_say(source, tmp_path):
    openpyxl.Workbook().save(tmp_path / "a.xls")
    assert isinstance(open_workbook(tmp_path / "a.xls"), ClosedWorkbook)
    source.rename(tmp_path / "b.xlsx")
    assert isinstance(open_workbook(tmp_path / "b.xlsx"), ForeignWorkbook)
    assert len(list(read_rows(tmp_path / "b.xlsx"))) == 2
    (tmp_path / "c.csv").write_text("Phone\n")
    assert isinstance(open_workbook(tmp_path / "c.csv"), CsvWorkbook)
    for content in (b"<html><table>Phone</table>", b"%PDF-1.7", b"{\\rtf1"):
        (tmp_path / "d.xls").write_bytes(content)
        with pytest.raises(UserError, match="not-a-workbook"):
            open_workbook(tmp_path / "d.xls")


# Hostile files.

SMALL = Limits(memory=400 << 20, seconds=5)


def test_a_cell_far_away_costs_a_refusal_and_not_the_memory(tmp_path):
    book = xlwt.Workbook()
    page = book.add_sheet("a")
    page.write(0, 0, "Phone")
    page.write(65535, 255, "x")
    book.save(str(tmp_path / "a.xls"))
    with pytest.raises(UserError, match="file-too-costly"):
        read_grids(tmp_path / "a.xls", SMALL)


def number(value):
    out = b""
    while value >= 0x80:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def test_a_rectangle_that_a_sheet_declares_is_believed(tmp_path):
    head = number(0x81) + number(0) + number(0x94) + number(16)
    for last, right, refused in ((1_048_575, 16_383, True), (999, 11, False)):
        path = tmp_path / "a.xlsb"
        with zipfile.ZipFile(path, "w") as package:
            package.writestr("xl/worksheets/sheet1.bin", head + struct.pack("<4I", 0, last, 0, right))
        if refused:
            with pytest.raises(UserError, match="file-suspicious"):
                check_declared(path)
        else:
            check_declared(path)


ODS = """<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
    xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
    xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0">
  <office:body>
    <office:spreadsheet>
      <table:table table:name="People">
        <table:table-row>
          <table:table-cell office:value-type="string">
            <text:p>Phone</text:p>
          </table:table-cell>
          <table:table-cell office:value-type="string"><text:p>Message</text:p></table:table-cell>
        </table:table-row>
        <table:table-row>
          <table:table-cell office:value-type="string"><text:p>600 111 222</text:p></table:table-cell>
          <table:table-cell office:value-type="string">
            <text:p/>
            <text:p>Two <text:span>words</text:span> <text:span>more</text:span></text:p>
          </table:table-cell>
        </table:table-row>
      </table:table>
    </office:spreadsheet>
  </office:body>
</office:document-content>"""


def save_ods(path, content=ODS, *, locked=""):
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        package.writestr("content.xml", content)
        package.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
            f'<manifest:file-entry manifest:full-path="content.xml"/>{locked}</manifest:manifest>',
        )
    return path


LOCKED = (
    '<manifest:file-entry manifest:full-path="Basic/Macros/Module1.xml"><manifest:encryption-data/>'
    "</manifest:file-entry>"
)


@pytest.mark.parametrize("locked", ["", LOCKED], ids=["indented", "a macro locked"])
def test_an_indented_ods_is_read_whether_or_not_its_macros_are_locked(tmp_path, locked):
    (row,) = read_rows(save_ods(tmp_path / "list.ods", locked=locked))
    assert (row.phone, row.message) == ("600 111 222", "\nTwo words more")


def test_an_ods_behind_a_password_says_so(tmp_path):
    path = save_ods(tmp_path / "list.ods", Random(1).randbytes(500), locked=LOCKED)
    with pytest.raises(UserError, match="file-password-unknown"):
        open_workbook(path, passwords=["secret"]).read()
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        package.writestr("encrypted-package", Random(1).randbytes(500))
    with pytest.raises(UserError, match="file-password-unknown"):
        open_workbook(path, passwords=["secret"]).read()


def test_a_number_that_is_none_is_an_error_in_its_cell(tmp_path):
    path = save_xls(tmp_path / "list.xls", HEADERS, (600111222, float("nan"), "x", None), (600111333, "Hi", "x", None))
    assert [(row.message, "Message" in row.problems) for row in read_rows(path)] == [(None, True), ("Hi", False)]


def test_an_xls_whose_parts_are_named_in_capitals_is_read(tmp_path):
    path = save_xls(tmp_path / "list.xls", HEADERS, (600111222, "Hi", "x", None))
    path.write_bytes(path.read_bytes().replace("Workbook".encode("utf-16-le"), "WORKBOOK".encode("utf-16-le")))
    assert [row.message for row in read_rows(path)] == ["Hi"]


def test_an_xls_of_before_excel_97_behind_a_password_says_so(tmp_path):
    begin, password, end = (
        struct.pack("<HHHHHH", 0x809, 8, 0x500, 5, 0, 0),
        struct.pack("<HHI", 0x2F, 4, 1),
        b"\n\0\0\0",
    )
    path = tmp_path / "list.xls"
    path.write_bytes(compound({"Book": begin + password + end}))
    with pytest.raises(UserError, match="file-password-unknown"):
        open_workbook(path, passwords=["secret"]).read()


@pytest.mark.parametrize(
    ("told", "shown"), [("PT14H30M00S", "14:30"), ("PT120H00M00S", "120:00"), ("PT26H30M05.5S", "26:30:05")]
)
def test_times_and_durations_of_an_ods_are_texts_as_people_write_them(tmp_path, told, shown):
    cell = '<table:table-cell office:value-type="string"><text:p>600 111 222</text:p></table:table-cell>'
    time = (
        f'<table:table-cell office:value-type="time" office:time-value="{told}"><text:p>?</text:p></table:table-cell>'
    )
    start = ODS.index("<table:table-cell", ODS.index(cell) + len(cell))
    end = ODS.index("</table:table-row>", start)
    (row,) = read_rows(save_ods(tmp_path / "list.ods", ODS[:start] + time + ODS[end:]))
    assert row.message == shown


def test_durations_of_an_xls_are_texts_as_people_write_them(tmp_path):
    book = xlwt.Workbook()
    page = book.add_sheet("People")
    for column, text in enumerate(("Phone", "Message")):
        page.write(0, column, text)
    page.write(1, 0, "600 111 222")
    page.write(1, 1, 5.0625, xlwt.easyxf(num_format_str="[h]:mm"))
    book.save(str(tmp_path / "list.xls"))
    (row,) = read_rows(tmp_path / "list.xls")
    assert row.message == "121:30"


def test_a_broken_ods_is_damaged(tmp_path):
    with pytest.raises(UserError, match="file-damaged"):
        open_workbook(save_ods(tmp_path / "list.ods", ODS[:-40])).read()


def test_a_zip_that_would_inflate_beyond_the_limit_is_not_read(tmp_path):
    path = tmp_path / "a.ods"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        package.writestr("content.xml", bytes(9 << 20))
    with pytest.raises(UserError, match="file-suspicious"):
        read_grids(path, Limits(inflated=8 << 20))


CHILDREN = {
    "hangs": ("import time; time.sleep(600)", "file-too-costly"),
    "turns in circles": ("while True: pass", "file-too-costly"),
    "grows": ("import bounds; bounds.limit(200 << 20, 5); x = bytearray(1 << 30)", "file-damaged"),
    "floods": ("import sys\nwhile True: sys.stdout.write('x' * 65536)", "file-too-costly"),
    "dies": ("import os; os.abort()", "file-too-costly"),
    "panics": ("raise BaseException('index out of bounds')", "file-damaged"),
}


@pytest.mark.parametrize("kind", CHILDREN)
def test_whatever_the_child_does_ends_in_an_error_of_ours(monkeypatch, tmp_path, kind):
    program, code = CHILDREN[kind]
    real = limited.subprocess.Popen
    seconds = 1 if kind in ("hangs", "turns in circles") else 60  # what ends by itself must first have begun

    def popen(command, **more):
        here = str(Path(limited.__file__).parent)
        return real([sys.executable, "-c", f"import sys; sys.path.insert(0, {here!r})\n{program}"], **more)

    monkeypatch.setattr(limited.subprocess, "Popen", popen)
    with (
        pytest.raises(UserError) as caught,
        limited.run("grid_child", ["a.xls"], Limits(seconds=seconds, output=1 << 20)),
    ):
        pass
    assert caught.value.code == code


@pytest.mark.parametrize("seed", range(12))
def test_a_damaged_file_is_read_or_refused_and_never_changed(source, seed):
    rng = Random(seed)
    content = bytearray(source.read_bytes())
    for _ in range(rng.choice((1, 20, 400))):
        content[rng.randrange(8, len(content))] = rng.randrange(256)
    source.write_bytes(content)
    with contextlib.suppress(UserError):  # no other error
        assert len(ForeignWorkbook(source, limits=SMALL).read().rows) < 70_000
    assert source.read_bytes() == content


def test_a_module_in_the_current_folder_is_not_run(source, tmp_path, monkeypatch):
    (tmp_path / "json.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    read_grids(source)
    assert not (tmp_path / "ran").exists()
    assert json.__file__ != str(tmp_path / "json.py")


def test_only_the_sheet_changes_in_the_results_when_a_state_is_written(source):
    book = open_workbook(source)
    book.prepare()
    before = members(book.path)
    accept(book)
    after = members(book.path)
    assert [name for name in before if before[name] != after[name]] == ["xl/worksheets/sheet1.xml"]
