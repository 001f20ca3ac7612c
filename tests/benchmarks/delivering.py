"""What a row costs the service once it waits in the ledger: claimed, sent, answered, reported on.

    python -m tests.benchmarks.delivering [--rows 50000] [--window 100] [--profile FILE]

The service's half of `pipeline`, with neither workbook nor desk: a campaign waits in the ledger and goes over one link
to a bare SMSC that delivers every text at once. Processor time counts, which other programs disturb less than the clock.
Beside it, in the same run: what the same link carries with no ledger. The last line is JSON.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

from sqlalchemy import Connection, func, select

from tests.benchmarks.overtaking import fill
from tests.benchmarks.pipeline import link_alone, profiled
from tests.benchmarks.smsc import network
from xlsms.states import State
from xlsms_service.app import App
from xlsms_service.config import ConnectorSettings, ServiceSettings, Settings
from xlsms_service.delivery import engine, recording
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.ledger.schema import WAITING, message
from xlsms_service.ledger.writer import Writer

LOOK = 0.05  # seconds between two looks at the ledger


def counted(spent: Counter[str], name: str, work: Callable[..., Any]) -> Callable[..., Any]:
    """`work`, with its processor time added up."""

    def timed(*arguments: Any, **named: Any) -> Any:
        began = time.thread_time()
        try:
            return work(*arguments, **named)
        finally:
            spent[name] += time.thread_time() - began

    return timed


async def deliver(data: Path, port: int, rows: int, window: int, spent: Counter[str]) -> tuple[float, float]:
    """Seconds until every row is delivered, and of processor time."""
    options = {"host": "127.0.0.1", "port": port, "system_id": "xlsms", "sender": "Clinica", "window": window}
    connector = ConnectorSettings(name="net", type="smpp", options=options)
    done = select(func.count()).where(message.c.state == State.DELIVERED)
    async with App(Settings(service=ServiceSettings(data=data), connectors=(connector,))) as app:
        began, cpu = time.perf_counter(), time.process_time()
        loop = time.thread_time()
        async with app.delivery.here():
            while not await _all_delivered(app, done, rows):
                await asyncio.sleep(LOOK)
        spent["event loop: link, answers, receipts read"] = time.thread_time() - loop
        return time.perf_counter() - began, time.process_time() - cpu


async def _all_delivered(app: App, done: Any, rows: int) -> bool:
    """Counts all rows only when none waits: it would be a good part of what is measured."""
    if not all(lane.idle for lane in app.delivery._engine.lanes.values()) or await app._ledger.do(_one_waits):
        return False
    return bool(await app._ledger.do(lambda c: c.execute(done).scalar_one()) == rows)


def _one_waits(connection: Connection) -> bool:
    return connection.execute(select(message.c.id).where(WAITING).limit(1)).first() is not None


def main() -> None:
    """Run it and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--window", type=int, default=100)
    parser.add_argument("--profile", metavar="FILE", help="cProfile of each thread; the figures are worthless then")
    asked = parser.parse_args()
    spent: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name, network() as (port, _):
        data = Path(name) / "data"
        with Ledger.open(data) as ledger:
            fill(ledger, asked.rows)
        alone = link_alone(port, asked.rows, asked.window)
        with (
            mock.patch.object(engine, "_claim", counted(spent, "claimed", engine._claim)),
            mock.patch.object(recording, "_settle", counted(spent, "answers and receipts settled", recording._settle)),
            mock.patch.object(Writer, "_commit", counted(spent, "the ledger's thread in all", Writer._commit)),
            profiled(asked.profile),
        ):
            took, cpu = asyncio.run(deliver(data, port, asked.rows, asked.window, spent))
    print(f"{asked.rows:,} rows, window {asked.window}: microseconds of processor time a row\n")
    for stage, seconds in spent.most_common():
        print(f"{stage:44}{seconds / asked.rows * 1e6:8.1f}")
    print(f"{'the service in all':44}{cpu / asked.rows * 1e6:8.1f}\n")
    print(f"{'rows a second':44}{asked.rows / took:8,.0f}")
    print(f"{'link alone':44}{asked.rows / alone:8,.0f}\n")
    result = {"benchmark": "delivering", "rows": asked.rows, "cpu_us_per_row": round(cpu / asked.rows * 1e6, 1)}
    print(
        json.dumps(
            result | {"rows_per_second": round(asked.rows / took), "ratio_to_link_alone": round(alone / took, 3)}
        )
    )


if __name__ == "__main__":
    main()
