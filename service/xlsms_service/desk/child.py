"""The process behind `Desk`: a service without links that carries out orders from its standard input."""

import asyncio
import os
import sys
import threading
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from random import SystemRandom
from typing import IO

from xlsms.errors import XlsmsError
from xlsms_service.delivery.routing import Router
from xlsms_service.desk.desk import Call, Told
from xlsms_service.desk.handling import Handling
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.measuring import Metric, metric
from xlsms_service.sync import pen_child
from xlsms_service.sync.fork import do_or_log
from xlsms_service.sync.garbage import collect, collect_rarely
from xlsms_service.sync.pen import Pen
from xlsms_service.sync.pipe import ends, get, put

__all__ = ["main"]

#: How far it stands back behind the links, and whatever else its user does.
_NICE = 5


class _News:
    """What the service hears meanwhile; as `Measures` it tells of the rows that have been written."""

    def __init__(self, told: IO[bytes]) -> None:
        self._told = told

    def admitted(self) -> None:
        self._tell("admitted")

    def problem(self, path: Path | None, error: XlsmsError) -> None:
        self._tell("problem", path, error)

    def count(self, of: Metric, amount: int = 1, *_: str) -> None:
        if of is metric.WRITEBACK_ROWS:
            self._tell("written", amount)

    def took(self, of: Metric, seconds: float, times: int = 1, *labels: str) -> None:
        pass  # the service times its orders

    def _tell(self, method: str, *arguments: object) -> None:
        put(self._told, Told(ended=False, result=Call(method=method, arguments=arguments)))


async def _serve(handling: Handling, orders: IO[bytes], told: IO[bytes]) -> None:
    """Carry out orders until nobody can give any more; what is under way then is left where it is."""
    loop = asyncio.get_running_loop()
    given: asyncio.Queue[Call | None] = asyncio.Queue()
    task = asyncio.current_task()

    def read() -> None:
        with suppress(EOFError, OSError):
            while True:
                loop.call_soon_threadsafe(given.put_nowait, get(orders))
        if task is not None:
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(task.cancel)

    threading.Thread(target=read, name="xlsms-orders", daemon=True).start()
    with suppress(asyncio.CancelledError, BrokenPipeError):
        while order := await given.get():
            try:
                result = await getattr(handling, order.method)(*order.arguments)
            except Exception as error:  # noqa: BLE001 - raised where the order was given
                put(told, Told(ended=True, error=error))
            else:
                put(told, Told(ended=True, result=result))
            collect()


async def _work(pen: Pen, orders: IO[bytes], told: IO[bytes]) -> None:
    settings, password = get(orders)
    pen.start()  # it needs a moment, where it could not branch off
    news = _News(told)
    ledger = Ledger.open(settings.service.data, settings.service.ledger, news)
    handling = Handling(
        settings,
        ledger,
        Router.of(settings),
        password=password,
        clock=(lambda: datetime.now(UTC), SystemRandom()),
        admitted=news.admitted,
        told=news.problem,
        measures=news,
        pen=pen,
    )
    collect_rarely()
    try:
        await _serve(handling, orders, told)
    finally:
        handling.close()
        ledger.close()


def main() -> None:
    """The process itself: orders on standard input, what it says on standard output."""
    if sys.platform != "win32":  # there it is begun so
        os.nice(_NICE)
    pen = Pen()
    pen.branch_off(pen_child.main)
    with suppress(XlsmsError):  # a ledger that cannot be opened: whoever has started this one meets it too, and says so
        asyncio.run(_work(pen, *ends()))


if __name__ == "__main__":
    sys.exit(not do_or_log(main))
