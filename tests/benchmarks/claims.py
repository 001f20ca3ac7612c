"""What it costs to ask whose turn it is, with few and with many messages waiting.

    python -m tests.benchmarks.claims

Two campaigns and a deferred third wait; claims of 100 messages are timed, each with its commit forced to disk; the best of several counts. Beside it,
in the same run: the same change of 100 rows by their ids, without asking whose turn it is.
"""

import argparse
import json
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert, update

from xlsms.states import State
from xlsms_service.ledger import claim
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.ledger.schema import message

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
ROOM = 100
TOMORROW = 2  #: the remainder by 3 of those that wait until then


def fill(ledger, first, last):
    """Let these wait: a third each of two campaigns, and a third that may go only tomorrow."""
    for start in range(first, last, 10_000):
        rows = [
            {
                "id": key, "mark_open": False, "admitted": True, "superseded": False, "number": f"+346{key:08}",
                "text": "Recordatorio de su cita de mañana a las diez", "alphabet": "gsm7", "parts": 1,
                "fingerprint": f"{key:032}", "route": "", "state": State.QUEUED, "state_at": NOW, "accepted_at": NOW,
                "campaign": 1 + key % 3, "priority": 1, "due": NOW + timedelta(days=key % 3 == TOMORROW), "attempts": 0,
                "version": 1, "written": 1,
            }
            for key in range(start, min(start + 10_000, last))
        ]  # fmt: skip
        ledger.do_now(lambda c, rows=rows: c.execute(insert(message), rows) and None)


def bare(connection, keys):
    """Write down of these that they are with a link, without asking whose turn it is."""
    values = {"state": State.SENDING, "state_at": NOW, "claimed_at": NOW, "connector": "c", "version": 2, "attempts": 1}
    connection.execute(update(message).where(message.c.id.in_(keys)).values(values))


def timed(work, times):
    taken = []
    for number in range(times):
        began = time.perf_counter()
        work(number)
        taken.append(1000 * (time.perf_counter() - began))
    return min(taken)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--waiting", type=int, nargs="+", default=[1_000, 100_000, 1_000_000])
    parser.add_argument("--times", type=int, default=9)
    asked = parser.parse_args()
    figures = []
    with tempfile.TemporaryDirectory() as folder, Ledger.open(Path(folder)) as ledger:
        there = 1
        print(f"{'waiting':>10} {'claim of 100, ms':>18} {'bare update, ms':>16} {'ratio':>6}")
        for waiting in asked.waiting:
            fill(ledger, there, waiting + 1)
            there = waiting + 1
            turns = []

            def one(number, turns=turns):
                turns.append(
                    ledger.do_now(
                        claim.claim,
                        connector="c",
                        routes=[""],
                        room=ROOM,
                        idle=True,
                        now=NOW,
                        served=claim.Served(campaigns={0: number % 3}),
                    )
                )

            claims = timed(one, min(asked.times, waiting // 200))
            assert all(len(got) == ROOM for got in turns)
            # The deferred third is never claimed, so its rows are there for the bare update.
            deferred = [
                key for key in range(max(waiting - 3 * ROOM * asked.times, 1), waiting + 1) if key % 3 == TOMORROW
            ]
            bares = timed(
                lambda number, keys=deferred: ledger.do_now(bare, keys[number * ROOM : (number + 1) * ROOM]),
                asked.times,
            )
            print(f"{waiting:>10,} {claims:>18.2f} {bares:>16.2f} {claims / bares:>6.1f}", flush=True)
            figures.append({"waiting": waiting, "claim_ms": round(claims, 3), "bare_ms": round(bares, 3)})
    print(json.dumps({"claims": figures}))


if __name__ == "__main__":
    main()
