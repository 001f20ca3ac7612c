"""A wire between a service and its network that cuts, delays, doubles, swaps and loses what goes over it."""

import asyncio
import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass

__all__ = ["Weather", "Wire"]

_SUBMIT, _SUBMIT_RESP, _DELIVER = 0x00000004, 0x80000004, 0x00000005
_ROW = re.compile(rb"Row (\d{5})")


@dataclass(frozen=True, kw_only=True)
class Weather:
    """Shares of what the network says that meet with an accident; all clear by default."""

    lost: float = 0.0  #: answers to submits that never come
    doubled: float = 0.0  #: answers and reports that come twice
    late: float = 0.0  #: answers and reports that come after others, some after they were given up
    cut: float = 0.0  #: PDUs, both ways, in whose middle the link breaks


class Wire:
    """Listens for the service and carries its links on to the network; `seen` are the rows that passed."""

    def __init__(self, port, rng):
        self.to = port
        self.rng = rng
        self.weather = Weather()
        self.seen = set()
        self.accidents = Counter()
        self.port = 0
        self._links = set()
        self._tasks = set()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._link, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self._server.close()
        self.cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self):
        """Break all links now."""
        for link in list(self._links):
            for writer in link:
                writer.transport.abort()

    async def _link(self, reader, writer):
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            with suppress(OSError, asyncio.CancelledError):
                far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.to)
                link = (writer, far_writer)
                self._links.add(link)
                up = asyncio.create_task(self._carry(reader, far_writer, link, self._up))
                down = asyncio.create_task(self._carry(far_reader, writer, link, self._down))
                await asyncio.wait([up, down], return_when=asyncio.FIRST_COMPLETED)
                self._break(link)
                await asyncio.gather(up, down, return_exceptions=True)
        finally:
            writer.transport.abort()
            self._tasks.discard(task)

    def _break(self, link):
        for writer in link:
            writer.transport.abort()
        self._links.discard(link)

    async def _carry(self, reader, writer, link, act):
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readexactly(4)
                frame = head + await reader.readexactly(int.from_bytes(head, "big") - 4)
                if self.rng.random() < self.weather.cut:
                    self.accidents["cut within a PDU"] += 1
                    self._note(frame)
                    writer.write(frame[: self.rng.randrange(1, len(frame))])
                    with suppress(TimeoutError):
                        await asyncio.wait_for(writer.drain(), 1)
                    await asyncio.sleep(0.01)  # so that the first half arrives before the line is dead
                    self._break(link)
                    return
                act(frame, writer)
                await writer.drain()

    def _up(self, frame, writer):
        self._note(frame)
        writer.write(frame)

    def _note(self, frame):
        if int.from_bytes(frame[4:8], "big") == _SUBMIT:
            self.seen |= {int(found) for found in _ROW.findall(frame)}

    def _down(self, frame, writer):
        command, luck, weather = int.from_bytes(frame[4:8], "big"), self.rng.random(), self.weather
        if command not in (_SUBMIT_RESP, _DELIVER):
            writer.write(frame)
            return
        if command == _SUBMIT_RESP and luck < weather.lost:
            self.accidents["answers lost"] += 1
            return
        if luck > 1 - weather.late:
            self.accidents["come late"] += 1
            wait = self.rng.choice((0.02, 0.1, 0.5, 2.5))
            task = asyncio.create_task(self._later(frame, writer, wait))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return
        writer.write(frame)
        if self.rng.random() < weather.doubled:
            self.accidents["come twice"] += 1
            writer.write(frame)

    async def _later(self, frame, writer, wait):
        await asyncio.sleep(wait)
        if not writer.transport.is_closing():
            with suppress(OSError):
                writer.write(frame)
