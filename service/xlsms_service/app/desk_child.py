"""The process behind `Desk`: a service without links that carries out orders from its standard input."""

import asyncio
import os
import sys
import threading
from contextlib import suppress
from typing import IO

from xlsms_service.app.desk import Order, Told
from xlsms_service.app.service import App
from xlsms_service.sync.garbage import collect, collect_rarely
from xlsms_service.sync.pipe import get, put

__all__: list[str] = []

#: How far it stands back behind the links, and whatever else its user does.
_NICE = 5


async def _serve(app: App, orders: IO[bytes], told: IO[bytes]) -> None:
    """Carry out orders on `app` until nobody can give any more; what is under way then is left where it is."""
    loop = asyncio.get_running_loop()
    given: asyncio.Queue[Order | None] = asyncio.Queue()
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
                result = await getattr(app, order.method)(*order.arguments)
            except Exception as error:  # noqa: BLE001 - raised where the order was given
                put(told, Told(ended=True, error=error))
            else:
                put(told, Told(ended=True, result=result))
            collect()


def _main() -> None:
    """The process itself: orders on standard input, what it says on standard output."""
    if sys.platform != "win32":  # there it is begun so
        os.nice(_NICE)
    told = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    sys.stdout = sys.stderr  # whoever prints does not talk into it
    orders = sys.stdin.buffer
    settings, password = get(orders)

    async def work() -> None:
        def news(event: object) -> None:
            put(told, Told(ended=False, result=event))

        async with App(settings, password=password, on_event=news, at_a_desk=True) as app:
            collect_rarely()
            await _serve(app, orders, told)

    asyncio.run(work())


if __name__ == "__main__":
    _main()
