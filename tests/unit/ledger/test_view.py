"""Counting messages, and the short ways to questions that counting would answer as well."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, update

from xlsms.errors import UserError
from xlsms.states import FINAL, State
from xlsms_service.ledger import acceptance, view
from xlsms_service.ledger import book as books
from xlsms_service.ledger.acceptance import Draft
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.ledger.reader import Reader
from xlsms_service.ledger.schema import message, workbook

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
BOOKS, ROWS = 4, 8


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """A ledger of some workbooks, the last of which was never saved, and of messages to be put into them."""
    with Ledger.open(tmp_path_factory.mktemp("ledger")) as ledger:
        paths = [str(Path(f"/books/{nth}.xlsx")) for nth in range(1, BOOKS)] + [f"{books.NEVER_SAVED}guid"]
        rows = [{"id": nth, "path": path, "language": "es"} for nth, path in enumerate(paths, 1)]
        ledger.do_now(lambda c: c.execute(insert(workbook), rows) and None)
        for _ in range(ROWS):
            draft = Draft(number="+34600111222", text="Hola", alphabet="gsm7", parts=1, fingerprint="f", route="")
            ledger.do_now(acceptance.accept_text, draft, NOW)
        yield ledger


_ROW = st.fixed_dictionaries(
    {
        "workbook_id": st.sampled_from([None, *range(1, BOOKS + 1)]),
        "state": st.sampled_from(list(State)),
        "superseded": st.booleans(),
        "written": st.integers(0, 2),
    }
)
_SOME = st.builds(view.Some, st.sampled_from([None, 1, 2]), st.sampled_from([None, 0, 3]), st.sampled_from([None, 5]))


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(_ROW, min_size=ROWS, max_size=ROWS), some=_SOME)
def test_the_short_ways_say_what_counting_says(bench, rows, some):
    def ask(connection):
        for key, row in enumerate(rows, 1):
            connection.execute(update(message).where(message.c.id == key).values(version=1, **row))
        counted = view.tally(connection, *some)
        lacking = {book.id for book in books.lacking_books(connection)}
        return counted, view.any_open(connection, some, FINAL), lacking

    counted, is_open, lacking = bench.do_now(ask)
    assert is_open == bool(set(counted.by_state) - FINAL)
    assert lacking == {
        row["workbook_id"] for row in rows if not row["superseded"] and row["written"] < 1 and row["workbook_id"]
    } - {BOOKS}


def test_what_changes_while_it_is_written_stays_lacking(bench):
    def go(connection):
        for key in range(1, ROWS + 1):
            values = {"workbook_id": 1, "superseded": False, "version": 1 + key % 3, "written": 0}
            connection.execute(update(message).where(message.c.id == key).values(values))
        shown = books.lacking(connection, 1)
        connection.execute(update(message).where(message.c.id.in_([2, 5, 7])).values(version=message.c.version + 1))
        books.written(connection, shown)
        return len(shown), [row.message for row in books.lacking(connection, 1)]

    assert bench.do_now(go) == (ROWS, [2, 5, 7])


@pytest.mark.parametrize("url", ["postgresql+psycopg://user:secret@host/db", "nonsense"])
def test_a_ledger_on_a_server_is_refused_to_those_who_look_as_well(tmp_path, url):
    with pytest.raises(UserError, match="ledger-not-embedded") as caught:
        Reader.open(tmp_path, url)
    assert "secret" not in str(caught.value)
