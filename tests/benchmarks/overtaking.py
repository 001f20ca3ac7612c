"""How long an urgent text takes to the network while a campaign of 100,000 rows is on its way over the same link.

    python -m tests.benchmarks.overtaking [--rows 100000] [--texts 20] [--window 100]

The campaign waits in the ledger and goes over one link as fast as that takes it. Texts by themselves are accepted one
after the other; each counts from then until the network's answer is in the ledger, both commits to disk included. The
bar is a second. Beside it: how long the campaign itself takes. The last line is JSON.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import func, insert, select

from tests.benchmarks.smsc import network
from xlsms.model import Priority
from xlsms.states import State
from xlsms_service.app import App
from xlsms_service.config import ConnectorSettings, ServiceSettings, Settings
from xlsms_service.ledger import acceptance
from xlsms_service.ledger.acceptance import Draft
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.ledger.schema import campaign, message

BAR = 1.0
LOOK = 0.002  # seconds between two looks at the ledger


def fill(ledger: Ledger, rows: int) -> None:
    """A campaign that waits."""
    now = datetime.now(UTC)
    same = {
        "mark_open": False, "admitted": True, "superseded": False, "alphabet": "gsm7", "parts": 1, "route": "",
        "state": State.QUEUED, "state_at": now, "accepted_at": now, "campaign": 1, "priority": 1, "due": now,
        "attempts": 0, "version": 1, "written": 1, "text": "Recordatorio de su cita de mañana a las diez",
    }  # fmt: skip
    ledger.do_now(lambda c: c.execute(insert(campaign).values(id=1, at=now)) and None)
    for first in range(0, rows, 10_000):
        keys = range(first, min(first + 10_000, rows))
        some = [same | {"number": f"+346{key:08}", "fingerprint": f"{key:032}"} for key in keys]
        ledger.do_now(lambda c, some=some: c.execute(insert(message), some) and None)


async def measure(data: Path, port: int, asked: argparse.Namespace) -> tuple[list[float], int, float]:
    """Seconds for each text; rows of the campaign that had left when the last one had; and its rate until then."""
    options = {"host": "127.0.0.1", "port": port, "system_id": "xlsms", "sender": "Clinica", "window": asked.window}
    connector = ConnectorSettings(name="net", type="smpp", options=options)
    took = []
    async with App(Settings(service=ServiceSettings(data=data), connectors=(connector,))) as app, app.delivery.here():
        began = time.perf_counter()
        while await left(app) == 0:
            await asyncio.sleep(LOOK)
        for number in range(asked.texts):
            draft = Draft(
                number=f"+34700{number:06}", text="Come at once", alphabet="gsm7", parts=1, fingerprint=f"urgent {number}",
                route="", priority=Priority.URGENT,
            )  # fmt: skip
            accepted = time.perf_counter()
            key = await app._ledger.do(acceptance.accept_text, draft, datetime.now(UTC))
            app.delivery.wake()
            state = select(message.c.state).where(message.c.id == key)
            while await app._ledger.do(lambda c, q=state: c.execute(q).scalar_one()) in (State.QUEUED, State.SENDING):
                await asyncio.sleep(LOOK)
            took.append(time.perf_counter() - accepted)
        gone = await left(app)
        rate = gone / (time.perf_counter() - began)
        if gone >= asked.rows:
            raise SystemExit("the campaign was over before the last text: take more rows")
        app.delivery._engine._closing = True  # the rest of the campaign is of no interest
    return took, gone, rate


async def left(app: App) -> int:
    """How many rows of the campaign have left."""
    waits = select(func.count()).where(message.c.campaign == 1, message.c.claimed_at.is_not(None))
    return int(await app._ledger.do(lambda c: c.execute(waits).scalar_one()))


def main() -> None:
    """Run it and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--texts", type=int, default=20)
    parser.add_argument("--window", type=int, default=100)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, network() as (port, _):
        data = Path(name) / "data"
        with Ledger.open(data) as ledger:
            fill(ledger, asked.rows)
        took, gone, rate = asyncio.run(measure(data, port, asked))
    middle, longest = statistics.median(took), max(took)
    print(f"campaign of {asked.rows:,} rows, {gone:,} of them out; seconds from acceptance to the network's answer\n")
    print(f"{asked.texts} urgent texts   median {middle:.3f}   longest {longest:.3f}   bar {BAR:.0f}")
    print(f"without overtaking, at this rate ({rate:,.0f}/s): {asked.rows / rate:.0f}\n")
    result = {"benchmark": "overtaking", "rows": asked.rows, "median": round(middle, 3), "longest": round(longest, 3)}
    print(
        json.dumps(
            result | {"ratio_to_bar": round(longest / BAR, 3), "of_the_campaign": round(longest * rate / asked.rows, 4)}
        )
    )


if __name__ == "__main__":
    main()
