"""Formulas of the user's own that depend on what is written are calculated when the workbook is opened; no others are."""

import openpyxl
import pytest
from openpyxl.worksheet.table import Table

from tests.unit.workbook.test_removal import with_chain
from tests.workbooks import members, packed
from xlsms.model import Role
from xlsms.workbook.base import Placed, RowEdit
from xlsms.workbook.closed import ClosedWorkbook
from xlsms.workbook.setup import set_up

BOOK = "xl/workbook.xml"


def made(path, formula, *, table=False, name=None):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "List"
    for row in (
        ("Phone", "Message", "Send", "Status", "Note"),
        *((f"6000000{n}", "hola", "x", "", "n") for n in "123"),
    ):
        sheet.append(row)
    if table:
        sheet.add_table(Table(displayName="People", ref="A1:E4"))
    other = book.create_sheet("Sum")
    other["A1"] = formula
    if name:
        book.defined_names["Told"] = openpyxl.workbook.defined_name.DefinedName("Told", attr_text=name)
    book.calculation.fullCalcOnLoad = False
    book.save(path)
    with_chain(path, b"<calcChain/>")
    return path


def written(path):
    before = members(path)
    closed = ClosedWorkbook(path)
    edit = RowEdit(values={Role.STATUS: "Sent"}, placed=Placed.of(closed.read().rows[0]))
    assert len(closed.apply([edit]).done) == 1
    after = members(path)
    return {name for name in before if before[name] != after[name]}


@pytest.mark.parametrize(
    ("formula", "more"),
    [
        ('=COUNTIF(List!D:D,"Sent")', {}),
        ('=IF(List!$D$2="Sent",1,0)', {}),
        ('=COUNTIF(People[Status],"Sent")', {"table": True}),
        ('=COUNTIF(Told,"Sent")', {"name": "List!$D$1:$D$9"}),
    ],
)
def test_formulas_that_count_states_are_calculated_anew(tmp_path, formula, more):
    path = made(tmp_path / "a.xlsx", formula, **more)
    assert written(path) == {"xl/worksheets/sheet1.xml", BOOK}
    assert openpyxl.load_workbook(path).calculation.fullCalcOnLoad
    closed = ClosedWorkbook(path)
    before = members(path)
    closed.apply([RowEdit(values={Role.STATUS: "Delivered"}, placed=Placed.of(closed.read().rows[1]))])
    assert members(path)[BOOK] == before[BOOK], "asked for once"


@pytest.mark.parametrize(
    ("formula", "more"),
    [
        ("=COUNTA(List!E:E)", {}),
        ("=List!D1", {}),
        ('="List!D2"', {}),
        ("=COUNTA(People[Note])", {"table": True}),
        ("=1+1", {"name": "List!$A$1:$C$9"}),
    ],
)
def test_no_other_formula_has_the_workbook_calculated(tmp_path, formula, more):
    path = made(tmp_path / "a.xlsx", formula, **more)
    assert written(path) == {"xl/worksheets/sheet1.xml"}


def test_our_colours_and_names_have_nothing_calculated(tmp_path):
    path = made(tmp_path / "a.xlsx", "=1+1")
    set_up(path)
    assert written(path) == {"xl/worksheets/sheet1.xml"}


@pytest.mark.parametrize("broken", [b"<worksheet><f>1", b'<worksheet><row><c r="9"><f>1</f></c></row></worksheet>'])
def test_a_part_that_nobody_can_read_keeps_no_state_from_its_row(tmp_path, broken):
    path = made(tmp_path / "a.xlsx", "=1+1")
    path.write_bytes(packed(members(path) | {"xl/worksheets/sheet9.xml": broken}))
    assert written(path) == {"xl/worksheets/sheet1.xml"}
