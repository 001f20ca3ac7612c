"""Where the time of a row goes before it leaves and after its states are known, stage by stage.

    python -m tests.benchmarks.stages [--rows 50000]

A list is taken in and its states are written back, with a ledger forced to disk and no network in between: what the desk
does in `pipeline`. Processor time counts, which other programs disturb less than the clock; the share of each stage is
beside it. The last line is JSON.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from random import SystemRandom
from typing import Any

from sqlalchemy import update

from tests.benchmarks.pipeline import generate
from xlsms.states import State
from xlsms.workbook.opening import FileWorkbook
from xlsms_service.delivery.routing import Router
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.ledger.schema import message
from xlsms_service.planning import Terms
from xlsms_service.sync.garbage import collect_rarely
from xlsms_service.sync.intake import EAGER, Intake
from xlsms_service.sync.thread import WorkbookThread
from xlsms_service.sync.writeback import Writeback

#: What the functions are called that `Intake` and `Writeback` have done.
STAGES = {
    "_next": "rows read",
    "Intake._take.<locals>.<lambda>": "ids looked for",
    "Drafting.draw_up": "planned: number, text, parts",
    "propose": "proposed in the ledger",
    "FileWorkbook.apply": "ids and states written, read back, forced to disk",
    "_Look.apply": "ids and states written, read back, forced to disk",
    "admit": "admitted in the ledger",
    "lacking": "states read from the ledger",
    "written": "writing noted down",
}


def counted(run: Callable[..., Awaitable[Any]], used: Counter[str]) -> Callable[..., Awaitable[Any]]:
    """`run`, with the processor time of each function that it runs."""

    async def counting(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        began = time.process_time()
        try:
            return await run(function, *args, **kwargs)
        finally:
            used[STAGES.get(function.__qualname__, "the rest")] += time.process_time() - began

    return counting


async def measure(rows: int, folder: Path) -> Counter[str]:
    """Seconds of processor time by stage."""
    path, used = folder / "people.xlsx", Counter[str]()
    generate(path, rows)
    ledger, thread = Ledger.open(folder / "data"), WorkbookThread()
    ledger.do, thread.run = counted(ledger.do, used), counted(thread.run, used)
    intake = Intake(
        ledger,
        thread,
        FileWorkbook,
        route=Router([], ["net"]).key,
        now=lambda: datetime.now(UTC),
        rng=SystemRandom(),
        pieces=EAGER,
    )
    collect_rarely()  # and the pieces are those of the desk
    taken = await intake.take(path, Terms())
    if taken.accepted != rows:
        raise SystemExit(f"{taken.accepted} rows were accepted")
    delivered = update(message).values(state=State.DELIVERED, version=message.c.version + 1)
    ledger.do_now(lambda connection: connection.execute(delivered) and None)
    await Writeback(ledger, thread, FileWorkbook).flush()
    thread.close()
    ledger.close()
    return used


def main() -> None:
    """Run it and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=50_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        used = asyncio.run(measure(asked.rows, Path(name)))
    whole = used.total()
    print(f"{asked.rows:,} rows: microseconds of processor time a row\n")
    for stage, seconds in used.most_common():
        print(f"{stage:52}{1e6 * seconds / asked.rows:8.1f}{seconds / whole:8.0%}")
    print(f"{'together':52}{1e6 * whole / asked.rows:8.1f}\n")
    shares = {stage: round(seconds / whole, 3) for stage, seconds in used.items()}
    print(
        json.dumps({"benchmark": "stages", "rows": asked.rows, "us_per_row": round(1e6 * whole / asked.rows), **shares})
    )


if __name__ == "__main__":
    main()
