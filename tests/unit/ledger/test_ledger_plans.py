"""Questions that are asked again and again must not read every message there ever was."""

import re
from datetime import UTC, datetime

import pytest
from sqlalchemy import event

from xlsms_service.ledger import book, claim, view, waiting
from xlsms_service.ledger.ledger import Ledger

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("index", "ask"),
    [
        (
            "ix_message_waiting",
            lambda c: claim.claim(c, connector="net", routes=["", "+34"], room=10, idle=True, now=NOW),
        ),
        ("ix_message_(waiting|scheduled)", lambda c: waiting.tend(c, ["", "+34"], NOW)),
        ("ix_message_(waiting|scheduled|proposed)", lambda c: waiting.reroute(c, ["+34"], lambda *_: "")),
        ("ix_message_lacking", book.lacking_books),
        (r"ix_message_lacking \(workbook_id=\?", lambda c: book.lacking(c, 1)),
        (r"ix_message_shown \(workbook_id=\?\)", lambda c: view.tally(c, 1)),
        (r"ix_message_shown \(workbook_id=\? AND rowid>\?\)", lambda c: view.tally(c, 1, after=7)),
    ],
    ids=["claim", "tend", "reroute", "lacking_books", "lacking", "tally", "tally_after"],
)
def test_the_answer_comes_from_an_index(tmp_path, index, ask):
    plans = []

    def work(connection):
        def explain(conn, cursor, statement, parameters, context, many):
            if "FROM message" in statement or "UPDATE message" in statement:
                rows = conn.connection.driver_connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
                plans.append("; ".join(row[3] for row in rows))

        event.listen(connection, "before_cursor_execute", explain)
        ask(connection)

    with Ledger.open(tmp_path) as ledger:
        ledger.do_now(work)
    assert plans
    for plan in plans:
        assert re.search(f"message USING INDEX {index}", plan)
        assert "FOR ORDER BY" not in plan or "lacking" in index
