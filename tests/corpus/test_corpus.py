"""Real workbooks of many programs: one sheet written, every other byte kept, the cells read back by others."""

import os
import shutil
import subprocess
import warnings
import zipfile
from collections import Counter
from pathlib import Path

import openpyxl
import pytest
import python_calamine

from tests.program import lacks
from tests.workbooks import MAIN, members
from xlsms.errors import UserError, XlsmsError
from xlsms.ooxml.cells import column_letters
from xlsms.ooxml.scan import rows, survey
from xlsms.workbook import read_rows, write_cells
from xlsms.workbook.writing import opened

pytestmark = pytest.mark.corpus

FOLDER = os.environ.get("XLSMS_CORPUS", "")
FILES = sorted(file for file in Path(FOLDER).rglob("*.xls[xm]")) if FOLDER else []
DENSE_LIMIT = 5_000_000  # cells that a reader with dense sheets may be given


@pytest.fixture
def copy(request, tmp_path):
    path = tmp_path / request.param.name
    shutil.copyfile(request.param, path)  # without a read-only mark
    return path


def target(path):
    """A sheet, its size, and a free cell right of what it holds."""
    with opened(path) as book:
        if not book.sheets:
            pytest.skip("a workbook without worksheets")
        sheet = book.sheets[0]
        found = survey(book, sheet)
        last = max((row.number for row in rows(book, sheet, found)), default=1)
        row = next(number for number in range(2, 10_000) if not any((number, 60) in area for area in found.merges))
        return sheet.name, sheet.member.name.decode(), max(last, row), f"{column_letters(60)}{row}"


def read_by_calamine(path, name):
    """A function of row and column; None for a sheet that it cannot read."""
    try:
        sheet = python_calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_name(name)
    except python_calamine.CalamineError:
        return None
    left, top = (sheet.start or (0, 0))[1], (sheet.start or (0, 0))[0]
    return lambda row, column: sheet.to_python(skip_empty_area=True)[row - 1 - top][column - 1 - left]


def readable(path):
    """Whether another program reads it at all."""
    try:
        with zipfile.ZipFile(path) as package:
            if package.testzip() is not None:
                return False
        python_calamine.CalamineWorkbook.from_path(str(path))
    except Exception:  # noqa: BLE001 - whatever another library raises, it did not read it
        return False
    return True


@pytest.mark.parametrize("copy", FILES, ids=lambda file: file.name[:30], indirect=True)
def test_a_written_workbook_differs_in_one_sheet_and_others_read_the_cells(copy):
    before = copy.read_bytes()
    reason = None
    try:
        name, member, last, ref = target(copy)
        write_cells(copy, {(name, ref): "xlsms <&> é"})
    except UserError as error:
        reason = error
    if reason is not None:
        assert copy.read_bytes() == before
        assert reason.message() != reason.code
        pytest.skip(reason.code)
    with zipfile.ZipFile(copy) as new, zipfile.ZipFile(_file(copy, before)) as old:
        assert new.testzip() is None
        assert new.namelist() == old.namelist()
        changed = [part for part in old.namelist() if old.read(part) != new.read(part)]
    assert changed == [member]
    row, column = int(ref.lstrip("BH")), 60
    if last * column < DENSE_LIMIT and read_by_calamine(_file(copy, before), name) is not None:
        assert read_by_calamine(copy, name)(row, column) == "xlsms <&> é"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl warns of what it would lose
        try:
            book = openpyxl.load_workbook(copy)
        except Exception:  # noqa: BLE001 - it could not read the original either
            with pytest.raises(Exception):  # noqa: B017, PT011 - as above
                openpyxl.load_workbook(_file(copy, before))
            return
    if MAIN.encode() in members(copy)[member] and name in book.sheetnames:  # it sees nothing in strict workbooks
        assert book[name][ref].value == "xlsms <&> é"


def _file(copy, content):
    path = copy.with_name("original-" + copy.name)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("copy", FILES, ids=lambda file: file.name[:30], indirect=True)
def test_reading_ends_in_rows_or_a_reason(copy):
    reason = None
    try:
        for row in read_rows(copy):
            dict(row.fields)
            dict(row.values)
    except XlsmsError as error:
        reason = error
    assert reason is None or reason.message() != reason.code


@pytest.mark.skipif(not FILES, reason="no corpus")
def test_few_readable_workbooks_are_refused(tmp_path):
    refused: Counter[str] = Counter()
    counted = 0
    for file in FILES:
        path = tmp_path / file.name
        shutil.copyfile(file, path)
        if not readable(path):
            continue
        counted += 1
        try:
            with opened(path) as book:
                sheets = [(sheet.name, survey(book, sheet)) for sheet in book.sheets]
            if sheets:
                write_cells(path, {(sheets[0][0], "BH9999"): "x"})
        except UserError as error:
            refused[error.code] += 1
    assert sum(refused.values()) <= 0.02 * counted, refused


def shown_by_libreoffice(paths, folder):
    """The first sheet of each workbook as LibreOffice shows it; without those that it cannot open."""
    command = ["soffice", f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to",
               "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true", "--outdir", str(folder / "out")]  # fmt: skip
    subprocess.run([*command, *map(str, paths)], check=True, capture_output=True, timeout=300)
    return {file.stem: file.read_text("utf-8") for file in (folder / "out").iterdir()}


@pytest.mark.office
@pytest.mark.skipif(not FILES or lacks("soffice"), reason="no corpus, or no LibreOffice")
def test_libreoffice_shows_the_cell_in_a_sample(tmp_path):
    (tmp_path / "books").mkdir()
    originals, written = [], []
    for number, file in enumerate(FILES[::6]):
        original, path = (tmp_path / "books" / f"{number}{end}{file.suffix}" for end in ("-original", ""))
        shutil.copyfile(file, original)
        shutil.copyfile(file, path)
        try:
            with opened(path) as book:
                name = next((sheet.name for sheet in book.sheets if not sheet.hidden), "")
            write_cells(path, {(name, "BH7"): "xlsms was here"})
        except UserError:
            continue
        originals.append(original)
        written.append(path)
    shown = shown_by_libreoffice([*originals, *written], tmp_path)
    opens = [path.stem for path in written if f"{path.stem}-original" in shown]
    assert len(opens) > len(written) / 2
    assert [stem for stem in opens if "xlsms was here" not in shown.get(stem, "")] == []
