"""Every feature seen in real workbooks: one sheet written, all else byte for byte, the cells read back by others."""

import csv
import re
import shutil
import struct
import subprocess
import warnings
import zipfile

import openpyxl
import pytest
import python_calamine

from tests.corpus.generated import CALAMINE_LACKS, KINDS, LAST, REFUSED, SHEET
from tests.program import lacks
from tests.workbooks import members
from xlsms.errors import UserError
from xlsms.workbook import read_rows, write_cells

#: A cell that is there, one right of a row that is there, one below all.
WRITTEN = {("People", "D3"): "Sent <&> é", ("People", "J3"): 12.5, ("People", "D12"): "below"}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Every kind: as it was made, and written."""
    folder = tmp_path_factory.mktemp("kinds")
    pairs = {}
    for number, (name, (make, _)) in enumerate(KINDS.items()):
        original, path = folder / f"{number}-original.xlsx", folder / f"{number}.xlsx"
        make(original)
        shutil.copyfile(original, path)
        write_cells(path, WRITTEN)
        pairs[name] = original, path
    return pairs


def raw_members(path):
    """The bytes of each member as they lie: local header, name, extra and data; and what the directory says of it."""
    content = path.read_bytes()
    found = {}
    with zipfile.ZipFile(path) as package:
        for info in package.infolist():
            at = info.header_offset
            name, extra = struct.unpack_from("<HH", content, at + 26)
            end = at + 30 + name + extra + info.compress_size
            directory = (info.date_time, info.external_attr, info.flag_bits, info.create_system, info.comment)
            found[info.orig_filename] = content[at:end], directory
    return found


@pytest.mark.parametrize("name", KINDS)
def test_the_file_holds_the_feature(made, name):
    sheet = members(made[name][0])[SHEET].decode("latin-1" if name in CALAMINE_LACKS else "utf-8")
    assert re.search(KINDS[name][1], sheet, re.DOTALL), sheet[:3000]


@pytest.mark.parametrize("name", KINDS)
def test_every_other_member_lies_in_the_file_as_it_lay(made, name):
    original, path = made[name]
    before, after = raw_members(original), raw_members(path)
    assert list(before) == list(after)
    assert [member for member in before if before[member] != after[member]] == [SHEET]


@pytest.mark.parametrize("name", [name for name in KINDS if name not in CALAMINE_LACKS])
def test_calamine_reads_the_cells_and_all_others_as_before(made, name):
    old, new = (
        python_calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python(skip_empty_area=False)
        for path in made[name]
    )
    assert (new[2][3], new[2][9], new[11][3]) == ("Sent <&> é", 12.5, "below")
    for row, line in enumerate(old):
        for column, value in enumerate(line):
            if (row, column) not in ((2, 3), (2, 9), (11, 3)):
                assert new[row][column] == value


@pytest.mark.parametrize("name", sorted(set(KINDS) - {"strict"}))  # of which it sees nothing
def test_openpyxl_reads_the_cells(made, name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of what it would lose
        sheet = openpyxl.load_workbook(made[name][1])["People"]
    assert (sheet["D3"].value, sheet["J3"].value, sheet["D12"].value) == ("Sent <&> é", 12.5, "below")


@pytest.mark.parametrize("name", sorted(set(KINDS) - {"empty sheetData"}))
def test_we_read_the_rows_as_they_were_written(made, name):
    rows = {row.number: row for row in read_rows(made[name][1])}
    assert [rows[number].phone for number in range(2, LAST + 1)] == [34600000000 + row for row in range(1, LAST)]
    assert rows[3].status == "Sent <&> é"


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_written_safely_is_refused_and_untouched(tmp_path, name):
    make, code = REFUSED[name]
    path = tmp_path / "a.xlsx"
    make(path)
    before = path.read_bytes()
    with pytest.raises(UserError) as caught:
        write_cells(path, WRITTEN)
    assert caught.value.code == code
    assert path.read_bytes() == before


@pytest.mark.office
@pytest.mark.skipif(lacks("soffice"), reason="needs LibreOffice")
def test_libreoffice_shows_the_cells_of_every_kind(made, tmp_path):
    command = ["soffice", f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to",
               "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true", "--outdir", str(tmp_path / "out")]  # fmt: skip
    # of a package with backslashes in its names it reads nothing, ours or not
    made = {name: pair for name, pair in made.items() if name != "backslash names"}
    subprocess.run([*command, *(str(path) for _, path in made.values())], check=True, capture_output=True, timeout=300)
    wrong = {}
    for name, (_, path) in made.items():
        lines = list(csv.reader((tmp_path / "out" / f"{path.stem}.csv").read_text("utf-8").splitlines()))
        shown = (lines[2][3], lines[2][9], lines[11][3])
        if shown != ("Sent <&> é", "12.5", "below"):
            wrong[name] = shown
    assert wrong == {}


@pytest.mark.office
@pytest.mark.skipif(lacks("soffice"), reason="needs LibreOffice")
def test_every_kind_as_libreoffice_saves_it(tmp_path):
    (tmp_path / "made").mkdir()
    kinds = [kind for kind in KINDS if kind != "backslash names"]  # of which it reads nothing
    for number, kind in enumerate(kinds):
        KINDS[kind][0](tmp_path / "made" / f"{number}.xlsx")
    command = ["soffice", f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to", "xlsx",
               "--outdir", str(tmp_path / "saved")]  # fmt: skip
    files = sorted((tmp_path / "made").iterdir())
    subprocess.run([*command, *map(str, files)], check=True, capture_output=True, timeout=300)
    saved = sorted((tmp_path / "saved").iterdir())
    assert len(saved) == len(kinds)
    for path in saved:
        kind = kinds[int(path.stem)]
        before = raw_members(path)
        write_cells(path, WRITTEN)
        after = raw_members(path)
        assert [member for member in before if before[member] != after[member]] == [SHEET], kind
        read = python_calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0)
        cells = read.to_python(skip_empty_area=False)
        assert (cells[2][3], cells[2][9], cells[11][3]) == ("Sent <&> é", 12.5, "below"), kind
        if kind != "empty sheetData":
            assert [row.phone for row in read_rows(path)][: LAST - 1] == [
                34600000000 + row for row in range(1, LAST)
            ], kind
