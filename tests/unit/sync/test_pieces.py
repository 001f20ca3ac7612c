"""A long list is taken in piece by piece."""

import asyncio
import itertools
import threading

import pytest
from sqlalchemy import select

from tests.unit.sync.table import PATH, Desk
from xlsms.errors import TransientError
from xlsms.model import Role
from xlsms_service.ledger.schema import workbook
from xlsms_service.planning import Terms


@pytest.fixture(params=[False, True], ids=["in turn", "ahead"])
def pieces(tmp_path, request):
    """A desk that takes in two rows at a time, and with one of its kinds looks at some while others are written."""
    made = Desk(tmp_path, pieces=(2,), ahead=request.param)
    yield made
    made.close()


def test_a_long_list_is_taken_in_piece_by_piece_as_one_campaign(pieces):
    saves = pieces.table().saves
    for number in range(5):
        pieces.table().add(f"60011122{number}", f"text {number}")
    taken = pieces.take()
    assert (taken.accepted, taken.changed, taken.problems) == (5, False, ())
    assert pieces.table().saves - saves == 5 + 3
    assert {each.campaign for each in pieces.messages()} == {1}
    assert taken.book.version is None
    assert pieces.take().accepted == 0


def test_only_the_first_rows_are_taken_in_where_no_more_are_asked_for(pieces):
    for number in range(5):
        pieces.table().add(f"60011122{number}", f"text {number}")
    first = asyncio.run(pieces.intake.take(PATH, Terms(), 3))
    assert (first.accepted, first.more, first.changed) == (3, True, False)
    assert [row[Role.SEND] for row in pieces.table().rows] == [None] * 3 + ["x"] * 2
    assert pieces.ledger.do_now(lambda c: c.execute(select(workbook.c.version)).scalar()) is None  # look again
    rest = asyncio.run(pieces.intake.take(PATH, Terms(), 9))
    assert (rest.accepted, rest.more, rest.changed) == (2, False, False)
    assert pieces.ledger.do_now(lambda c: c.execute(select(workbook.c.version)).scalar()) is not None
    assert sorted(each.text for each in pieces.claim()) == [f"text {number}" for number in range(5)]


def test_a_duplicate_in_a_later_piece_is_held(pieces):
    for _ in range(7):
        pieces.table().add("600111222")
    taken = pieces.take()
    assert taken.accepted == 1
    assert [entry.held.code for entry in taken.held] == ["duplicate-in-sheet"] + ["duplicate-recent"] * 5


def test_a_duplicate_of_what_is_being_written_is_held(tmp_path):
    """The piece before is not admitted while this one is looked at: the ledger does not count it yet."""
    desk = Desk(tmp_path, pieces=(1,), ahead=True)
    for text in ("one", "two", "one", "two"):
        desk.table().add("600111222", text)
    looked_at = threading.Event()
    count = itertools.count(1)

    def looked():
        if next(count) == 3:  # rows are looked at: the third of them while the first is written
            looked_at.set()

    desk.table().before_propose = looked
    desk.table().before_apply = lambda: looked_at.wait(60)
    taken = desk.take()
    assert looked_at.is_set()
    assert taken.accepted == 2
    assert [entry.held.code for entry in taken.held] == ["duplicate-recent"] * 2
    desk.close()


def test_pieces_after_one_that_could_not_be_written_are_not(pieces):
    """Not even those that were looked at meanwhile: what comes after a row that is still marked is not sent first."""
    rows = [pieces.table().add(f"60011122{number}", f"text {number}") for number in range(8)]
    writes = itertools.count(1)

    def apply():
        if next(writes) == 2:
            raise TransientError("file-open-elsewhere", file="list.xlsx")

    pieces.table().before_apply = apply
    taken = pieces.take()
    assert taken.accepted == 2
    assert [problem.code for problem in taken.problems] == ["file-open-elsewhere"]
    assert [row[Role.SEND] for row in rows] == [None] * 2 + ["x"] * 6
    assert len(pieces.messages()) == 2  # the others have been withdrawn
    assert pieces.take().accepted == 6
    assert sorted(each.text for each in pieces.claim()) == [f"text {number}" for number in range(8)]


def test_of_rows_with_one_id_in_two_pieces_the_one_that_was_sent_is_kept(pieces):
    original = pieces.table().add("600111222")
    pieces.take()
    copy = {**original, Role.PHONE: "600111999"}
    pieces.table().rows[:0] = [
        copy,
        *({Role.PHONE: f"60011133{n}", Role.MESSAGE: "x", Role.SEND: None, Role.ID: None} for n in range(4)),
    ]
    pieces.take()
    assert original[Role.ID]
    assert copy[Role.ID] is None


def test_what_keeps_a_later_piece_from_being_written_leaves_the_earlier_ones_accepted(pieces):
    rows = [pieces.table().add(f"60011122{number}", f"text {number}") for number in range(3)]

    def close():
        raise TransientError("file-open", file="list.xlsx")

    def open_it():
        pieces.table().before_apply = close

    pieces.table().after_apply = open_it
    taken = pieces.take()
    assert taken.accepted == 2
    assert [problem.code for problem in taken.problems] == ["file-open"]
    assert rows[2][Role.SEND] == "x"
    pieces.table().before_apply = pieces.table().after_apply = lambda: None
    assert pieces.take().accepted == 1
    assert sorted(each.text for each in pieces.claim()) == ["text 0", "text 1", "text 2"]
