"""What the dialog of a small plan says."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from xlsms.addin.commands.box import Way, box
from xlsms.client import Plan, PlannedRow, Totals, Trouble
from xlsms.errors import Place
from xlsms.states import State

SHORT = Trouble(
    code="number-short", message="too short", remedy="add digits", place=Place(sheet="People", row=3, column="B")
)


def plan(*rows, go):
    totals = Totals(
        rows=len(rows), go=go, scheduled=0, held=0, problems=len(rows) - go, parts=go, hidden=0, earlier=0,
        cost=Decimal(0), unpriced=0,
    )  # fmt: skip
    return Plan(id="p", workbook=1, hash="h", totals=totals, rows=rows)


def test_rows_that_cannot_go_say_why_and_name_their_cell():
    good = PlannedRow(sheet="People", row=2, goes=True, number="+34600000001", text="Hello", parts=("Hello",))
    bad = PlannedRow(sheet="People", row=3, goes=False, text="Hi", problem=SHORT)
    shown = box(plan(good, bad, go=1), "en", ["Cost: 0.05"])
    assert shown.head == "Messages that go: 1 (1 SMS). Exactly this is sent.\nCost: 0.05"
    assert [(line.wrong, line.column, line.cells) for line in shown.lines] == [
        (False, None, ("2", "+34600000001", "Hello", "1", "")),
        (True, "B", ("3", "", "Hi", "", "too short; add digits [number-short]")),
    ]
    assert list(shown.ways) == [Way.SEND, Way.CELL, Way.PAGE, Way.CLOSE]


def test_nothing_can_be_sent_when_nothing_can_go():
    shown = box(plan(PlannedRow(sheet="People", row=3, goes=False, problem=SHORT), go=0), "es", [])
    assert shown.head == "No puede salir nada."
    assert Way.SEND not in shown.ways


@pytest.mark.parametrize(
    ("more", "remark"),
    [
        ({"repairs": ("a 0 was put back",)}, "a 0 was put back"),
        ({"earlier": State.DELIVERED}, "has gone already: Delivered"),
        ({"held": SHORT}, "too short; add digits [number-short]"),
    ],
)
def test_what_is_to_be_known_of_a_row(more, remark):
    row = PlannedRow(sheet="People", row=2, goes=True, number="+34600000001", text="Hello", parts=("Hello",), **more)
    (line,) = box(plan(row, go=1), "en", []).lines
    assert line.remark == remark
    assert line.wrong is ("held" in more)


def test_sheets_are_named_where_there_are_several_and_times_where_there_are_any():
    rows = [
        PlannedRow(sheet=name, row=2, goes=True, send_at=datetime(2030, 1, 2, 9, 30, tzinfo=UTC)) for name in ("A", "B")
    ]
    lines = box(plan(*rows, go=2), "en", []).lines
    assert [line.cells[0] for line in lines] == ["A · 2", "B · 2"]
    assert lines[0].remark.startswith("at 2030-01-0")
