"""The whole service as a process that can be killed, with a clock that can be put forward and back.

    python -m tests.chaos.service SETTINGS CLOCK

The file CLOCK holds the seconds by which the clock is wrong. Waits are shorter than in real life, so that a minute holds
many lives.
"""

import asyncio
import logging
import os
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from xlsms_service.app import App
from xlsms_service.config import load
from xlsms_service.connectors.backoff import Backoff
from xlsms_service.connectors.smpp import connector
from xlsms_service.delivery import breaker


def main():
    settings, clock = map(Path, sys.argv[1:])
    logging.basicConfig(level=logging.INFO, format="%(relativeCreated)d %(name)s %(message)s")
    connector.Backoff = lambda **_: Backoff(first=0.05, limit=0.5)
    breaker._MOST = timedelta(seconds=1)
    asyncio.run(run(load(settings), partial(wrong_time, os.open(clock, os.O_RDONLY))))


def wrong_time(clock):
    return datetime.now(UTC) + timedelta(seconds=float(os.pread(clock, 32, 0) or 0))


async def run(settings, now):
    async with App(settings, now=now) as service:
        await service.run()


if __name__ == "__main__":
    main()
