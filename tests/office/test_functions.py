"""The functions for cells in a real LibreOffice, with the service."""

import os
import time
from decimal import Decimal

import pytest

import xlsms_service.app.face  # noqa: F401  # before uno, whose import makes of "no such module" another error
from tests.office.conftest import until
from tests.office.live import Live
from tests.office.test_live_extension import installed
from tests.unit.api.conftest import applied, running, snapshot
from xlsms.addin.calc.engine import register
from xlsms.addin.calc.link import properties, uno
from xlsms.errors import UserError
from xlsms.model import Role
from xlsms_service.api.desk import Desk

pytestmark = pytest.mark.office

FILTERS = {"xlsx": "Calc MS Excel 2007 XML", "ods": "calc8"}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tmp_path_factory.mktemp("functions")


@pytest.fixture(scope="module")
def live(tmp_path_factory, data):
    settings = data / "xlsms.toml"
    settings.write_text('[service]\ndata = "data"\ncountry = "ES"\n')
    before = os.environ.get("XLSMS_CONFIG")
    os.environ["XLSMS_CONFIG"] = str(settings)
    try:
        office = Live(installed(tmp_path_factory.mktemp("extension")))
    finally:
        os.environ.pop("XLSMS_CONFIG")
        if before is not None:
            os.environ["XLSMS_CONFIG"] = before
    yield office
    office.end()


def new(live):
    document = live.link.desktop.loadComponentFromURL("private:factory/scalc", "_blank", 0, ())
    return document, document.Sheets.getByIndex(0)


def computed(sheet, formula, cell="A1"):
    where = sheet.getCellRangeByName(cell)
    where.Formula = formula
    return where.String


def sent(office, count):
    """Ids of rows that were sent."""
    book = office.book()
    plan = office.client.plan(book, snapshot(*(f"6{at:08}" for at in range(count))))
    campaign = office.client.send(plan)
    office.client.written(campaign, applied(campaign))
    office.changes(book, book.cursor, lambda states: len(states) == count)
    return [str(edit.values[Role.ID]) for edit in campaign.edits]


def test_what_is_local_is_computed_without_a_service(live):
    document, sheet = new(live)
    assert computed(sheet, '=SMS.PARTS("Hello")') == "1"
    assert sheet.getCellRangeByName("A1").Value == 1
    assert computed(sheet, '=SMS.PARTS(REPT("a";161))') == "2"
    assert computed(sheet, "=SMS.PARTS(B1)") == "0"
    assert computed(sheet, "=SMS.E164(600000001)") == "+34600000001"
    assert computed(sheet, '=SMS.E164("55 1234 5678";"MX")') == "+525512345678"
    assert sheet.getCellRangeByName("A1").Formula.startswith("=ORG.XLSMS.CALC.FUNCTIONS.GETE164(")
    document.close(True)


def test_bad_arguments_are_told_in_the_cell(live):
    document, sheet = new(live)
    assert computed(sheet, '=SMS.E164("nobody")').strip()
    assert not computed(sheet, '=SMS.E164("nobody")').startswith("+")
    assert computed(sheet, '=SMS.E164("600000001";"XX")') == UserError(
        "number-country-unknown", country="XX"
    ).line().removesuffix(" [number-country-unknown]")
    assert "255" in computed(sheet, '=SMS.PARTS(REPT("a";60000))')
    assert computed(sheet, "=SMS.PARTS(B1:B3)") == "Err:502"
    assert computed(sheet, '=SMS.STATUS("")') == ""
    assert computed(sheet, "=SMS.STATUS(B1)") == ""
    document.close(True)


def test_a_thousand_cells_are_few_requests_and_news_come_by_themselves(live, data, monkeypatch, tmp_path):
    calls = []
    real = Desk.states

    async def states(self, row_ids):
        calls.append(len(row_ids))
        return await real(self, row_ids)

    monkeypatch.setattr(Desk, "states", states)
    document, sheet = new(live)
    assert computed(sheet, '=SMS.COST("600000009";"x")') == ""  # nobody is there
    early = tmp_path / "early.ods"
    document.storeToURL(uno().systemPathToFileUrl(str(early)), properties(FilterName=FILTERS["ods"]))
    document.close(True)
    with running(data, prices={"+34": Decimal("0.05")}) as office:
        document = live.open(early)  # somebody is there now: it is computed anew
        until(lambda: document.Sheets.getByIndex(0).getCellRangeByName("A1").Value == 0.05)
        document.close(True)
        ids = sent(office, 1_000)
        document, sheet = new(live)
        cells = sheet.getCellRangeByName("B1:B1000")
        cells.setFormulaArray(tuple((f'=SMS.STATUS("{it}")',) for it in ids))
        until(lambda: all(row[0] for row in cells.getDataArray()), why=lambda: cells.getDataArray()[:3])
        assert len(calls) <= 50, calls
        final = {"Entregado", "Fallido", "Caducado", "Rechazado"}
        until(lambda: {row[0] for row in cells.getDataArray()} <= final,
              why=lambda: {row[0] for row in cells.getDataArray()})  # fmt: skip
        assert sum(calls) < 8 * len(ids), calls
        computed(sheet, '=SMS.COST("600000001";REPT("a";161))')  # nothing, until the service has said it
        until(lambda: round(sheet.getCellRangeByName("A1").Value, 9) == 0.1)
        assert computed(sheet, f'=SMS.REPLY("{ids[0]}")') == ""
        shown = cells.getDataArray()
        for kind, name in FILTERS.items():
            path = tmp_path / f"kept.{kind}"
            document.storeToURL(uno().systemPathToFileUrl(str(path)), properties(FilterName=name))
        document.close(True)
    bare = Live(tmp_path / "bare")
    try:
        for kind in FILTERS:
            kept = bare.open(tmp_path / f"kept.{kind}")
            assert kept.Sheets.getByIndex(0).getCellRangeByName("B1:B1000").getDataArray() == shown, kind
            kept.close(True)
    finally:
        bare.end()
        live.engine = register(live.link, guard=live.guard)
    again = live.open(tmp_path / "kept.ods")  # no service: what was saved stays
    time.sleep(3)
    assert again.Sheets.getByIndex(0).getCellRangeByName("B1:B1000").getDataArray() == shown
    again.close(True)


def test_numbers_stay_where_nobody_has_the_extension(live, tmp_path):
    """Those of the functions, of what is made of them, and of a cell whose format is the user's own."""
    document, sheet = new(live)
    document.Sheets.insertNewByName("Nothing", 0)  # a sheet without any formula comes first
    document.Sheets.getByIndex(0).getCellRangeByName("A1").String = "=SMS.PARTS("
    formulas = (
        "=SMS.PARTS(A1)",
        "=SUM(B1;1)",
        "=IFERROR(SMS.PARTS(A1);99)",
        "=SMS.PARTS(A1)/4",
        "=SMS.E164(600000001)",
    )
    sheet.getCellRangeByName("A1").String = "Hello"
    for row, formula in enumerate(formulas, 1):
        sheet.getCellRangeByName(f"B{row}").Formula = formula
    own = sheet.getCellRangeByName("B6")
    own.Formula, own.NumberFormat = "=SMS.PARTS(A1)", document.NumberFormats.getStandardFormat(16, own.CharLocale)
    shown = [("1",), ("2",), ("1",), ("0.25",), ("+34600000001",), (own.String,)]
    paths = {kind: tmp_path / f"kept.{kind}" for kind in FILTERS}
    undo = document.UndoManager.getAllUndoActionTitles()
    document.storeAsURL(uno().systemPathToFileUrl(str(paths["ods"])), properties(FilterName=FILTERS["ods"]))
    document.storeToURL(uno().systemPathToFileUrl(str(paths["xlsx"])), properties(FilterName=FILTERS["xlsx"]))
    assert document.UndoManager.getAllUndoActionTitles() == undo
    document.close(True)
    bare = Live(tmp_path / "bare")
    try:
        for path in paths.values():
            kept = bare.open(path)
            cells = [kept.Sheets.getByIndex(1).getCellRangeByName(f"B{row}") for row in range(1, 7)]
            assert [(cell.String,) for cell in cells] == shown, path
            assert cells[0].Value == 1
            kept.close(True)
    finally:
        bare.end()
        live.engine = register(live.link, guard=live.guard)
    again = live.open(paths["ods"])  # and where somebody has it, they are computed again
    again.Sheets.getByIndex(1).getCellRangeByName("A1").String = "a" * 161
    assert again.Sheets.getByIndex(1).getCellRangeByName("B1").String == "2"
    assert again.Sheets.getByIndex(1).getCellRangeByName("B4").String == "0.5"
    again.close(True)
