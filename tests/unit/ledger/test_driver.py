"""Statements that go to the driver give what SQLAlchemy gives, and fail as it does."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import bindparam, event, insert, literal, select, update
from sqlalchemy.exc import IntegrityError, OperationalError

from xlsms_service.ledger.driver import Question, run
from xlsms_service.ledger.instant import moment, stored
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.ledger.many import Many
from xlsms_service.ledger.schema import stop, workbook

NOW = datetime(2026, 3, 1, 9, 30, 0, 123456, tzinfo=UTC)
PATHS = Question(
    select(workbook.c.path, literal("fixed")).where(workbook.c.id > bindparam("after")).limit(bindparam("most")),
    ("most", "after"),
)
ADD = Many(insert(workbook), ("language", "path", "standing"))


@pytest.fixture
def ledger(tmp_path):
    with Ledger.open(tmp_path) as opened:
        yield opened


def ask(connection):
    ADD.run(connection, [("en", "/a", True), ("es", "/b", True)])
    ADD.run(connection, [("en", "/c", True)])
    return PATHS.rows(connection, 2, 1)


def test_rows_come_for_the_values_in_the_order_of_the_names(ledger):
    assert ledger.do_now(ask) == [("/b", "fixed"), ("/c", "fixed")]


@pytest.mark.parametrize("rows", [1, 2, 9, 10, 11, 99, 100, 101, 119, 347])
@pytest.mark.parametrize("listened", [False, True])
def test_however_many_rows_are_inserted_each_stands_once_and_in_their_order(ledger, rows, listened):
    if listened:
        event.listen(ledger._engine, "before_cursor_execute", lambda *_: None)
    paths = [f"/{nth * 7919 % rows}" for nth in range(rows)]
    ledger.do_now(ADD.run, [("en", path, True) for path in paths])

    assert [path for path, _ in ledger.do_now(PATHS.rows, rows + 1, 0)] == list(dict.fromkeys(paths))
    assert len(set(paths)) == rows


def test_one_row_among_many_that_cannot_be_inserted_keeps_all_out(ledger):
    with pytest.raises(IntegrityError):
        ledger.do_now(ADD.run, [("en", f"/{min(nth, 340)}", True) for nth in range(347)])

    assert ledger.do_now(PATHS.rows, 9, 0) == []


def test_a_change_that_tells_of_its_rows_changes_and_tells(ledger):
    move = update(workbook).where(workbook.c.language == bindparam("of")).values(path=bindparam("to"))
    moving = Question(move.returning(workbook.c.id, workbook.c.path), ("to", "of"))

    ledger.do_now(ask)

    assert ledger.do_now(moving.rows, "/d", "es") == [(2, "/d")]
    assert ledger.do_now(PATHS.rows, 1, 1) == [("/d", "fixed")]


def test_who_listens_to_statements_hears_of_them(ledger):
    heard = []
    event.listen(ledger._engine, "before_cursor_execute", lambda _c, _k, statement, *_: heard.append(statement[:6]))
    assert ledger.do_now(ask) == [("/b", "fixed"), ("/c", "fixed")]
    assert heard == ["INSERT", "INSERT", "SELECT"]


@pytest.mark.parametrize("many", [False, True])
def test_a_fault_is_told_as_sqlalchemy_tells_it_and_without_values(ledger, many):
    rows = [("en", "/secret", True)] * (2 if many else 1)
    ledger.do_now(ADD.run, [("en", "/secret", True)])
    with pytest.raises(IntegrityError) as caught:
        ledger.do_now(ADD.run, rows)
    assert "UNIQUE" in str(caught.value)
    assert "/secret" not in str(caught.value)
    with pytest.raises(OperationalError, match="no such table"):
        ledger.do_now(lambda c: run(c, "SELECT * FROM missing", ()))
    assert ledger.do_now(lambda c: len(PATHS.rows(c, 9, 0))) == 1, "the failed work was undone, the ledger goes on"


def test_a_moment_is_stored_and_read_to_the_microsecond(ledger):
    ledger.do_now(lambda c: c.execute(insert(stop).values(at=NOW)) and None)
    assert ledger.do_now(lambda c: run(c, "SELECT at FROM stop", ())) == [(stored(NOW),)]
    assert moment(stored(NOW)) == NOW
