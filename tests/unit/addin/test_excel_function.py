"""The functions for Excel, made and called by xlwings' own module for them; only what Windows has stands in for itself."""

import importlib
import re
import sys
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest
import xlwings as xw

from tests.excel import Excel
from xlsms.client import Cost, RowState
from xlsms.errors import UserError
from xlsms.states import State


@pytest.fixture
def udfs(monkeypatch):
    """xlwings' `udfs`, on a computer without COM, and our module as it is made there."""
    com = SimpleNamespace(CoInitialize=lambda: None)
    for name, module in {
        "pythoncom": com,
        "pywintypes": SimpleNamespace(),
        "win32com": SimpleNamespace(),
        "win32com.client": SimpleNamespace(Dispatch=lambda what: what),
        "xlwings.com_server": SimpleNamespace(loop=None),
    }.items():
        monkeypatch.setitem(sys.modules, name, module)
    windows = SimpleNamespace(is_range_instance=lambda arg: False, Range=lambda xl: xl, BOOK_CALLER=None)
    monkeypatch.setattr(xw, "_xlwindows", windows, raising=False)
    made = importlib.import_module("xlwings.udfs")
    monkeypatch.setattr(made, "Range", lambda impl=None: SimpleNamespace(address="$A$1"))
    for name, real in {"func": made.xlfunc, "arg": made.xlarg, "ret": made.xlret}.items():
        monkeypatch.setattr(xw, name, real)
    monkeypatch.delitem(sys.modules, "xlsms.addin.excel_function", raising=False)
    module = importlib.import_module("xlsms.addin.excel_function")
    excel = Excel()
    yield made, module
    excel.end()
    for name in ("xlwings.udfs", "xlsms.addin.excel_function"):
        sys.modules.pop(name, None)


def called(udfs, name, *given):
    """As Excel calls it: blocks are tuples of tuples, a single cell is a value."""
    return udfs[0].call_udf("xlsms.addin.excel_function", name, given)


class Service:
    """Counts what it is asked."""

    def __init__(self):
        self.asked = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def states(self, ids):
        self.asked.append(list(ids))
        return {
            it: RowState(
                row_id=it,
                message=1,
                workbook=1,
                sheet="People",
                state=State.SENT,
                label=f"Sent {it}",
                detail="",
                code=None,
                at=datetime(2026, 11, 28, tzinfo=UTC),
                reply="yes",
            )
            for it in ids
            if it != "UNKNOWN"
        }

    def costs(self, texts):
        self.asked.append(list(texts))
        return tuple(
            Cost(cost=None, problem="no number")
            if number == "12"
            else Cost(cost=Decimal("0.05") * len(text), problem=None)
            for number, text in texts
        )


@pytest.fixture
def service(udfs, monkeypatch):
    made = Service()
    answers = udfs[1].Answers(lambda: made, "en")
    monkeypatch.setattr(answers, "_follow", lambda: None)
    monkeypatch.setattr(udfs[1], "_answers", answers)
    return made


def test_every_function_has_a_wrapper_in_vba_by_xlwings(udfs, tmp_path):
    made, module = udfs
    file = tmp_path / "wrapper.bas"
    with file.open("w") as out:
        made.generate_vba_wrapper("xlsms.addin.excel_function", module, out, SimpleNamespace(Name="people.xlsm"))
    vba = file.read_text()
    heads = re.findall(r"(?m)^\s*Function (.*)$", vba)
    assert heads == [
        "SMS_COST(number, text)",
        "SMS_E164(number, Optional country)",
        "SMS_PARTS(text)",
        "SMS_REPLY(id)",
        "SMS_STATUS(id)",
    ]
    assert vba.count("Application.Volatile") == 2


def test_parts_and_numbers_need_no_service(udfs):
    assert called(udfs, "SMS_PARTS", "Hello") == [[1]]
    assert called(udfs, "SMS_PARTS", (("Hello",), (None,), ("ñ" * 161,))) == [[1], [0], [2]]
    assert called(udfs, "SMS_E164", ((600000001.0,), ("+447400123456",)), "ES") == [["+34600000001"], ["+447400123456"]]
    ((wrong,),) = called(udfs, "SMS_E164", "12", -2147352572)  # Excel's own way to leave an argument out
    assert "12" in wrong or "number" in wrong


def test_a_column_is_one_question_and_is_asked_once(udfs, service):
    column = (("A",), ("B",), (None,), ("A",))
    assert called(udfs, "SMS_STATUS", column) == [["Sent A"], ["Sent B"], [""], ["Sent A"]]
    assert service.asked == [["A", "B"]]
    assert called(udfs, "SMS_STATUS", column)[1] == ["Sent B"]
    assert called(udfs, "SMS_REPLY", "A") == [["yes"]]
    assert service.asked == [["A", "B"], ["A"]]
    assert called(udfs, "SMS_STATUS", "UNKNOWN") == [[""]]


def test_one_text_goes_with_many_numbers(udfs, service):
    said = called(udfs, "SMS_COST", (("600000001",), ("12",)), "xx")
    assert said == [[pytest.approx(0.1)], ["no number"]]
    assert service.asked == [[("600000001", "xx"), ("12", "xx")]]


def test_without_a_service_a_cell_says_so_and_what_is_known_stays(udfs, service, monkeypatch):
    assert called(udfs, "SMS_STATUS", "A") == [["Sent A"]]

    def gone():
        raise UserError("service-not-running")

    monkeypatch.setattr(udfs[1]._answers, "_connect", gone)
    known, unknown = called(udfs, "SMS_STATUS", (("A",), ("B",)))
    assert known == ["Sent A"]
    assert "not running" in unknown[0]
