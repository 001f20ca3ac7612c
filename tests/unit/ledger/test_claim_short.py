"""A campaign that goes by itself is claimed a short way; it must choose what the long one would."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from xlsms_service.ledger import acceptance, claim
from xlsms_service.ledger.acceptance import Draft
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.ledger.schema import message

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
ROWS = 7


class _UndoneError(Exception):
    """So that each example finds the ledger as it was."""


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    with Ledger.open(tmp_path_factory.mktemp("ledger")) as opened:
        for nth in range(ROWS):
            draft = Draft(number=f"+3460011122{nth}", text="Hola", alphabet="gsm7", parts=1, fingerprint="f", route="")
            opened.do_now(acceptance.accept_text, draft, NOW)
        yield opened


_TIMES = st.sampled_from([None, NOW - HOUR, NOW, NOW + HOUR])
_ROW = st.fixed_dictionaries(
    {
        "parts": st.sampled_from([1, 1, 1, 1, 3]),
        "expires_at": _TIMES,
        "send_at": _TIMES,
        "due": st.sampled_from([NOW - 2 * HOUR, NOW - HOUR, NOW, NOW + HOUR]),
        "campaign": st.sampled_from([1, 1, 1, 1, 1, 1, 2]),
        "attempts": st.integers(0, 1),
    }
)


def _long_way(*_):
    return None


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(_ROW, min_size=ROWS, max_size=ROWS),
    plain=st.booleans(),
    room=st.integers(1, 9),
    ahead=st.sampled_from([timedelta(0), HOUR]),
    idle=st.booleans(),
)
def test_both_ways_claim_the_same(ledger, rows, plain, room, ahead, idle):
    def play(gate):
        found = []

        def work(connection):
            for key, row in enumerate(rows, 1):
                usual = {"parts": 1, "expires_at": None, "send_at": None, "campaign": 1} if plain else {}
                connection.execute(update(message).where(message.c.id == key).values({**row, **usual}))
            found.append(
                claim.claim(
                    connection, connector="c", routes=[""], room=room, idle=idle, now=NOW, gate=gate, ahead=ahead
                )
            )
            found.append(connection.execute(select(message).order_by(message.c.id)).all())
            raise _UndoneError

        with pytest.raises(_UndoneError):
            ledger.do_now(work)
        return found

    assert play(claim.open_gate) == play(_long_way)
