"""What the dialog of a small plan says."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from xlsms.addin.commands.box import Way, box
from xlsms.addin.commands.voice import AppVoice
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


@pytest.mark.parametrize(("zone", "at"), [("Asia/Tokyo", "2026-11-30, 05:15"), ("Europe/Madrid", "2026-11-29, 21:15")])
def test_a_time_to_go_is_one_of_the_clock_of_the_settings(zone, at):
    row = PlannedRow(sheet="P", row=2, goes=True, text="Hi", send_at=datetime(2026, 11, 29, 20, 15, tzinfo=UTC))
    (line,) = box(plan(row, go=1), "en", [], zone=ZoneInfo(zone)).lines
    assert at.split(", ")[0] in line.remark
    assert at.split(", ")[1] in line.remark


@pytest.mark.parametrize(
    ("more", "remark"),
    [
        ({"repairs": ("a 0 was put back",)}, "a 0 was put back"),
        ({"earlier": State.DELIVERED}, "has gone already: Delivered"),
        ({"again": State.DELIVERED}, "the same was sent before (Delivered) and goes once more"),
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
    assert lines[0].remark.startswith("on 2030-01-0")


def test_where_nothing_can_be_written_nothing_can_be_sent():
    row = PlannedRow(sheet="People", row=2, goes=True, number="+34600000001", text="Hello", parts=("Hello",))
    shown = box(
        plan(row, go=1), "en", ["Cost: 0.05"], "a.xlsx: the sheet is protected\n\nUnprotect it\n\n[sheet-locked]"
    )
    assert Way.SEND not in shown.ways
    assert shown.head.split("\n") == [
        "Nothing can go.", "a.xlsx: the sheet is protected Unprotect it [sheet-locked]", "Cost: 0.05",
    ]  # fmt: skip


def test_what_is_hidden_in_a_text_is_seen_in_every_cell_of_the_dialog():
    """Nothing turns a line around, and nothing that would be sent is out of sight."""
    hostile = "\u202epay\u202c \u200bnow\x00"
    rows = [
        PlannedRow(
            sheet="A\u202e", row=2, goes=True, number="+34600000001", text=hostile, parts=("x",), repairs=("\u2066r",)
        ),
        PlannedRow(sheet="B", row=3, goes=False, text="", problem=replace(SHORT, message="no \u202b{it}")),
    ]
    shown = box(plan(*rows, go=1), "en", [])
    assert shown.lines[0].cells == (
        "AU+202E · 2", "+34600000001", "U+202EpayU+202C U+200BnowU+0000", "1", "U+2066r",
    )  # fmt: skip
    assert shown.lines[1].remark == "no U+202B{it}; add digits [number-short]"


def test_what_is_hidden_in_a_question_is_seen():
    said = []
    app = SimpleNamespace(alert=lambda text, **_: said.append(text) or "yes", impl=None, status_bar=None)
    voice = AppVoice(app)
    voice.say("a\u202eb\nc")
    voice.warn("a\u200bb")
    assert voice.ask("Send \u2067?")
    voice.status("\u202ex")
    assert said == ["aU+202Eb\nc", "aU+200Bb", "Send U+2067?"]
    assert app.status_bar == "U+202Ex"
