"""kill -9 at every call that touches the folder: the old file or the new one, nothing lost, nothing left for ever."""

import shutil
from random import Random

import pytest
import xlwt

from tests.killing import deaths
from tests.workbooks import members, people, workbook
from xlsms.model import Role
from xlsms.workbook.base import RowEdit
from xlsms.workbook.closed import ClosedWorkbook
from xlsms.workbook.csvbook import CsvWorkbook
from xlsms.workbook.foreign import ForeignWorkbook
from xlsms.workbook.identity import new_row_id
from xlsms.workbook.tidy import tidy

ID = new_row_id(Random(1))
EDIT = RowEdit(id=ID, values={Role.STATUS: "Delivered"})


def text(note):
    return f"Name;Phone;Status;SMS ID\r\n{note};600000001;;{ID}\r\n".encode()


def sheet(note):
    row = f'<c r="J4" t="inlineStr"><is><t>{ID}</t></is></c></row></sheetData>'
    return people(3).replace("Person 4", note).replace("</row></sheetData>", row)


def apply(kind, path, save):
    """Write the edit, while somebody saves if there is something to save."""

    def act(step):
        if step == "compared" and save.exists():
            save.replace(path)

    kind(path, step=act).apply([EDIT])


MADE = {
    ".csv": (CsvWorkbook, lambda path, note: path.write_bytes(text(note))),
    ".xlsx": (ClosedWorkbook, lambda path, note: workbook(path, sheet(note))),
}


def both_ways(folder, tmp_path):
    """The folder as the crash left it: for somebody who sends by hand, and as a service finds and tidies it."""
    again = tmp_path / "again"
    shutil.rmtree(again, ignore_errors=True)
    shutil.copytree(folder, again)
    tidy(again)
    return folder, again


@pytest.mark.parametrize("saved", [False, True], ids=["alone", "saved meanwhile"])
@pytest.mark.parametrize("suffix", MADE)
def test_a_file_written_in_place(tmp_path, suffix, saved):
    kind, make = MADE[suffix]
    folder = tmp_path / "folder"
    path, save = folder / f"list{suffix}", tmp_path / "saved"

    def prepare():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        make(path, "before")
        if saved:
            make(save, "after")

    notes = set()
    for _ in deaths(folder, prepare, apply, kind, path, save):
        note = "after" if saved and not save.exists() else "before"
        notes.add(note)
        for left in both_ways(folder, tmp_path):
            book = kind(left / path.name)
            assert book.path.exists()
            assert suffix != ".xlsx" or members(book.path), "a whole package, every checksum right"
            book.apply([EDIT])
            row = book.read().rows[-1]
            assert (row.fields["Name"], row.status) == (note, "Delivered")
            assert [file.name for file in left.iterdir()] == [path.name]
    assert notes == ({"before", "after"} if saved else {"before"}), "killed before and after the save"


def make_results(path):
    """What a look at a file does that cannot be written itself."""
    book = ForeignWorkbook(path)
    book.check_ready()
    book.prepare()


def test_a_results_file(tmp_path):
    source = tmp_path / "list.xls"
    book = xlwt.Workbook()
    page = book.add_sheet("People")
    for number, row in enumerate([("Phone", "Message", "Send"), ("600000001", "Hi", "x"), ("600000002", "Ho", "")]):
        for column, value in enumerate(row):
            page.write(number, column, value)
    book.save(str(source))
    folder = tmp_path / "folder"

    def prepare():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        shutil.copy(source, folder)

    seen = set()
    for _ in deaths(folder, prepare, make_results, folder / source.name):
        results = folder / "list.sms.xlsx"
        seen.add(results.exists())
        for left in both_ways(folder, tmp_path):
            make_results(left / source.name)
            assert [row.marked for row in ClosedWorkbook(left / results.name).read().rows] == [True, False]
            assert (left / source.name).read_bytes() == source.read_bytes()
            assert sorted(file.name for file in left.iterdir()) == [results.name, source.name]
    assert seen == {False, True}, "killed before it was made and after"
