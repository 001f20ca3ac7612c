"""What measuring costs: the share of a whole send's processor time that goes into counting and timing.

    python -m tests.benchmarks.measuring [--rows 20000]

A list goes out as in `tests.benchmarks.pipeline`, with a clock around everything that measures: each call of the
tallies, the grouping of answers and of receipts, and the look at the links once a second. The clock's own time counts
as theirs, so the share that is printed is rather too high. The last line is JSON.
"""

import argparse
import asyncio
import json
import tempfile
import time
from pathlib import Path
from unittest import mock

from tests.benchmarks.pipeline import generate
from tests.benchmarks.smsc import network
from xlsms_service.app import App, Patience
from xlsms_service.app.observing import Observer
from xlsms_service.config import ConnectorSettings, ServiceSettings, Settings
from xlsms_service.delivery import recording
from xlsms_service.delivery.lane import Lane
from xlsms_service.measuring import Tallies


class Clock:
    """Processor time of the outermost measured call in each thread, and how many calls there were."""

    def __init__(self):
        self.seconds, self.calls, self._inside = 0.0, 0, False

    def around(self, function):
        def timed(*args, **kwargs):
            self.calls += 1
            began = time.thread_time()
            try:
                return function(*args, **kwargs)
            finally:
                self.seconds += time.thread_time() - began

        return timed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000)
    rows = parser.parse_args().rows
    # Those that group call the tallies themselves: only calls from elsewhere are clocked apart.
    outer, inner = Clock(), Clock()
    patches = [
        mock.patch.object(Lane, "_measure", outer.around(Lane._measure)),
        mock.patch.object(recording, "measure", outer.around(recording.measure)),
        mock.patch.object(Observer, "_look", outer.around(Observer._look)),
        mock.patch.object(Tallies, "count", inner.around(Tallies.count)),
        mock.patch.object(Tallies, "took", inner.around(Tallies.took)),
    ]
    with tempfile.TemporaryDirectory() as folder, network() as (port, _):
        path = Path(folder) / "list.xlsx"
        generate(path, rows)
        settings = Settings(
            service=ServiceSettings(data=Path(folder) / "data"),
            connectors=(
                ConnectorSettings(
                    name="network", type="smpp",
                    options={"host": "127.0.0.1", "port": port, "system_id": "bench", "password": "bench", "window": 100},
                ),
            ),
        )  # fmt: skip

        async def send():
            async with App(settings) as app:
                return await app.send(path, patience=Patience())

        for patch in patches:
            patch.start()
        began, wall = time.process_time(), time.perf_counter()
        report = asyncio.run(send())
        taken, wall = time.process_time() - began, time.perf_counter() - wall
        for patch in patches:
            patch.stop()
    assert report.total == rows, report
    most = outer.seconds + inner.seconds  # calls of the tallies by those that group count twice
    print(f"{rows / wall:,.0f} rows/s; {taken / rows * 1e6:.0f} µs of processor a row")
    print(
        f"measuring: at most {most / rows * 1e6:.2f} µs a row, {100 * most / taken:.2f} % ({inner.calls / rows:.3f} calls a row)"
    )
    print(json.dumps({"measuring": {"rows": rows, "share": round(most / taken, 5), "calls_a_row": inner.calls / rows}}))


if __name__ == "__main__":
    main()
