"""What a round of chaos is made of: the service and the network as processes, a disk that can be full, a wrong clock."""

import asyncio
import os
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from tests.chaos.wire import Wire
from tests.journal import taken
from tests.port import free_port
from tests.settings import settings_text
from xlsms.model import RowId
from xlsms.text import split
from xlsms_service.ledger import acceptance, intervention
from xlsms_service.ledger.acceptance import Draft
from xlsms_service.ledger.ledger import Ledger
from xlsms_service.ledger.schema import message

__all__ = ["LONG_EVERY", "World", "number_of", "text_of"]

WINDOW = 20
LONG_EVERY = 7  #: each seventh row is a long one
_SHARED = 4  #: rows 0 and 2, 4 and 6 … go to one phone
_PATIENCE = 60
_TO_START = 300  #: a process on a computer that others use too
_MEBI = 1 << 20
_TIMES = ("response_timeout", "connect_timeout", "enquire_link")  #: of the link, two seconds each


def number_of(row):
    """Every fourth phone gets two different texts: a report must not settle the wrong one."""
    return f"+3460{row - 2 if row % _SHARED == 2 else row:07}"


def row_id_of(row):
    return RowId(f"ROW{row:07}")


def text_of(row):
    """Each part of it names the row."""
    return f"Row {row:05} " * (40 if row % LONG_EVERY == 0 else 1)


class World:
    """The processes, and what has been done to them."""

    def __init__(self, folder, rng, rate=150):
        self.folder = folder
        self.rng = rng
        self.rate = rate
        self.data = folder / "data"
        self.clock = folder / "clock"
        self.journal = folder / "journal.jsonl"
        self.done = Counter()
        self.rows = {}
        self.recalled = set()
        self.service = None
        self.network = None
        self._full = False

    async def __aenter__(self):
        for made in (self.data, self.folder / "watched"):
            made.mkdir()
        # A disk of our own can really be full; without the right to mount one, writing is refused instead.
        mount = ["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", str(self.data)]
        self.mounted = os.geteuid() == 0 and subprocess.run(mount, check=False, capture_output=True).returncode == 0
        self.clock.write_text("0")
        self.network_port = free_port()
        self.wire = await Wire(self.network_port, self.rng).__aenter__()
        self.settings = self.folder / "xlsms.toml"
        self.settings.write_text(
            settings_text(self.wire.port, window=WINDOW, rate=self.rate, **dict.fromkeys(_TIMES, 2))
        )
        self.ledger = Ledger.open(self.data)
        self.logs = [(self.folder / f"{name}.log").open("w") for name in ("service", "network")]
        await self.start_network()
        self.start_service()
        return self

    async def __aexit__(self, *_):
        for process in (self.service, self.network):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()
        await self.wire.__aexit__()
        self.ledger.close()
        for log in self.logs:
            log.close()
        if self.mounted:
            subprocess.run(["umount", "-l", str(self.data)], check=True)

    # Processes

    def start_service(self):
        command = [sys.executable, "-m", "tests.chaos.service", self.settings, self.clock]
        self.service = subprocess.Popen(command, stdout=self.logs[0], stderr=self.logs[0])

    def kill_service(self):
        self.done["service killed"] += 1
        self._lives()
        self.service.send_signal(signal.SIGKILL)
        self.service.wait()
        self.start_service()

    def _lives(self):
        assert self.service.poll() is None, f"the service ended by itself:\n{self.log()}"

    def log(self):
        return (self.folder / "service.log").read_text()[-3000:]

    async def start_network(self):
        command = [
            sys.executable, "-m", "xlsms_service", "simulate", "smpp", "--port", self.network_port, "--json",
            "--journal", self.journal, "--seed", 1, "--receipt-delay", 0.2, "--expiry", 1, "--id-form", "hex/padded",
            "--early-receipts", 0.1, "--duplicate-receipts", 0.1, "--throttle", "120/s",
        ]  # fmt: skip
        self.network = subprocess.Popen(list(map(str, command)), stdout=self.logs[1], stderr=self.logs[1])
        async with asyncio.timeout(_TO_START):
            while not answers(self.network_port):
                assert self.network.poll() is None, (self.folder / "network.log").read_text()[-3000:]
                await asyncio.sleep(0.02)

    async def kill_network(self):
        self.done["network killed"] += 1
        self.network.send_signal(signal.SIGKILL)
        self.network.wait()
        await asyncio.sleep(self.rng.uniform(0, 0.5))
        await self.start_network()

    # Accidents

    def set_clock(self, seconds):
        self.done["clock put wrong"] += seconds != 0
        with self.clock.open("r+") as file:
            file.write(f"{seconds:<31}\n")

    async def lock(self, seconds):
        """Another program holds the ledger."""
        self.done["ledger locked"] += 1
        with sqlite3.connect(self.data / "ledger.sqlite3", isolation_level=None, timeout=_PATIENCE) as other:
            other.execute("BEGIN IMMEDIATE")
            await asyncio.sleep(seconds)
            other.execute("ROLLBACK")
        other.close()

    async def fill_disk(self, seconds):
        """No more can be written to the ledger's disk for a while."""
        self.done["disk full"] += 1
        if self.mounted:
            filler = self.data / "filler"
            with filler.open("wb", buffering=0) as file:
                try:
                    for size in (_MEBI, 4096, 1):
                        try:
                            while file.write(b"x" * size) == size:
                                pass
                        except OSError:
                            continue
                finally:
                    await asyncio.sleep(seconds)
                    filler.unlink()
            return
        size = (self.data / "ledger.sqlite3-wal").stat().st_size
        resource.prlimit(self.service.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        await asyncio.sleep(seconds)
        if self.service.poll() is None:
            resource.prlimit(self.service.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    # Rows

    async def accept(self, count):
        """More rows to send."""
        await self.ledger.do(self._accept, len(self.rows), count)

    def _accept(self, connection, first, count):
        now = datetime.now(UTC)
        for row in range(first, first + count):
            text = text_of(row)
            parts = len(split(text, limit=None).parts)
            draft = Draft(
                number=number_of(row), text=text, alphabet="gsm7", parts=parts, fingerprint=f"{row}", route="",
                row_id=row_id_of(row),
            )  # fmt: skip
            self.rows[row] = acceptance.accept_text(connection, draft, now)

    async def recall(self, count):
        """Somebody takes back some of the newest rows, and all that are on the link just now."""
        rows = set(self.rng.sample(list(self.rows)[-2 * count :], count))
        with suppress(OperationalError):  # a full disk: nothing is taken back
            rows |= set(await self.ledger.do(self._on_link))
            await self.ledger.do(intervention.recall, datetime.now(UTC), row_ids=[row_id_of(row) for row in rows])
            self.recalled |= rows
            self.done["rows recalled"] += len(rows)

    def _on_link(self, connection):
        query = select(message.c.id).where(message.c.state == "sending")
        rows = {key: row for row, key in self.rows.items()}
        return [rows[key] for key in connection.execute(query).scalars()]

    async def states(self):
        query = select(message.c.state, func.count()).group_by(message.c.state)
        return dict(await self.ledger.do(lambda c: c.execute(query).all()))

    async def moves(self, count):
        """Wait until so many rows more have left, however long a service takes to start on this computer."""
        wanted = min(len(self.wire.seen) + count, len(self.rows) - count)
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE / 2):
                while len(self.wire.seen) < wanted:
                    self._lives()
                    await asyncio.sleep(0.01)

    async def shown(self):
        """Each row as the ledger has it in the end."""
        found = await self.ledger.do(lambda c: {row.id: row for row in c.execute(select(message))})
        return {row: found.get(key) for row, key in self.rows.items()}

    def taken(self):
        """How often the network took each part of each row."""
        found = Counter()
        for part in taken(self.journal):
            row = int(part["text"].split("Row ")[1][:5])
            found[row, part["concat"]["part"] if part["concat"] else 1] += 1
        return found


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
