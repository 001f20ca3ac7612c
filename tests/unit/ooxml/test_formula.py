"""What a formula refers to, as files spell it."""

import pytest

from xlsms.ooxml.cells import Area
from xlsms.ooxml.formula import Targets, moves

TARGETS = Targets(
    sheets=frozenset({"sms replies"}),
    tables=frozenset({"sms_replies"}),
    areas={"list": (Area(3, 7, 9, 8),), "ana's list": (Area(3, 7, 9, 8),)},  # G3:H9
    columns={"recall": frozenset({"status", "reply [a]"})},
)


@pytest.mark.parametrize(
    "formula",
    [
        "G4",
        "$H$9*2",
        "SUM(A1:Z100)",
        "SUM(G:G)",
        "COUNTA($A:$K)",
        "List!G3",
        "'Ana''s list'!H4",
        "IF(A1,List!$G$4:$G$9)",
        "Recall[Status]",
        "SUM(Recall[[#This Row],[Status]])",
        "Recall[[Name]:[Status]]",
        "Recall[Reply '[a']]",
        "COUNTA(SMS_Replies[Text])",
        "'SMS Replies'!A1",
        "SUM(List:'SMS Replies'!A1)",
        "rows(sms_replies)",
    ],
)
def test_what_is_referred_to(formula):
    assert TARGETS.hit(formula, "List")


@pytest.mark.parametrize(
    "formula",
    [
        "F4+I4",
        "G10",
        "SUM(A:F)",
        "Other!G4",
        "[1]List!G4",
        "'[1]List'!G4",
        '"G4 SMS Replies! Recall[Status]"&A1',
        "LOG10(A1)",
        "HG4",
        "Recall[Name]",
        "Orders[Status]",
        "MySMS_Replies_2",
        "G4x+_G4+G4.5",
    ],
)
def test_what_is_not(formula):
    assert not TARGETS.hit(formula, "List")


@pytest.mark.parametrize(
    ("formula", "bridges"),
    [
        ("COUNTA(A:Z)", True),
        ("SUM(List!$F$4:$I$4)+SUM(5:9)", True),
        ("'Ana''s list'!$A$1:$Z$100", True),
        ("SUM(A:H)", False),
        ("SUM(G:Z)", False),
        ("COUNTA(A:Z)-COUNTA(H:H)", False),
        ("COUNTA(A:Z)*ROWS(Recall[Status])", False),
        ("COUNTA(A:Z)+'SMS Replies'!A1", False),
    ],
)
def test_an_area_that_only_reaches_over_the_columns(formula, bridges):
    assert TARGETS.hit(formula, "List")
    assert TARGETS.hit(formula, "List", bridging=False) is not bridges


@pytest.mark.parametrize(("shared", "bridges"), [((3, 0), True), ((0, 4), True), ((0, 6), False)])
def test_a_shared_formula_reaches_over_the_columns_in_each_of_its_cells(shared, bridges):
    assert TARGETS.hit("SUM(A1:L9)", "List", widen=shared, bridging=False) is not bridges


def test_a_shared_formula_reaches_as_far_as_it_is_shared():
    assert not TARGETS.hit("A1", "List")
    assert TARGETS.hit("A1", "List", widen=(4, 6))


@pytest.mark.parametrize(
    ("formula", "does"), [("LEN(C2)", True), ("$A$1", False), ("SUM(C:C)", False), ('"C2"', False)]
)
def test_references_that_move(formula, does):
    assert moves(formula) is does
    assert not moves("LEN(SMS_Replies[[#This Row],[Text]])")
