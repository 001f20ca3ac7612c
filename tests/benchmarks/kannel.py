"""Debian's Kannel as a peer: texts in over HTTP, out over SMPP, each on disk, a call back for each receipt.

    python -m tests.benchmarks.kannel --port SMSC_PORT [--rows N] [--window 100]

The store is Kannel's `spool` (a file a message), as a service that promises to lose nothing would run it.
"""

import argparse
import asyncio
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlencode

from tests.port import free_port

__all__ = ["FOUND", "seconds"]

_PATHS = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
_BEARERBOX = shutil.which("bearerbox", path=_PATHS)
_SMSBOX = shutil.which("smsbox", path=_PATHS)

#: Whether Kannel is on this computer.
FOUND = _BEARERBOX is not None and _SMSBOX is not None

#: Connections that hand texts in, each kept open.
_CLIENTS = 32

#: Seconds for a program to open its port.
_PATIENCE = 10

#: Seconds for all receipts.
_LONGEST = 600

_CONFIGURATION = """\
group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = benchmark
smsbox-port = {box}
box-allow-ip = 127.0.0.1
box-deny-ip = *.*.*.*
log-level = 3
log-file = "{folder}/bearerbox.log"
dlr-storage = internal
store-type = spool
store-location = "{folder}/store"
sms-incoming-queue-limit = -1
sms-outgoing-queue-limit = -1

group = smsc
smsc-id = network
smsc = smpp
host = 127.0.0.1
port = {port}
transceiver-mode = true
smsc-username = kannel
smsc-password = kannel
system-type = ""
max-pending-submits = {window}
wait-ack = 60
msg-id-type = 0x00
enquire-link-interval = 30

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {http}
sendsms-interface = 127.0.0.1
log-level = 3
log-file = "{folder}/smsbox.log"

group = sendsms-user
username = benchmark
password = benchmark
max-messages = 10
concatenation = true

group = sms-service
keyword = default
text = ""
max-messages = 0
catch-all = true
"""


def _await_port(port: int) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


@contextmanager
def _kannel(port: int, window: int) -> Iterator[int]:
    """Kannel bound to the SMSC at `port`; yields its port for texts."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as ended:
        folder = Path(name)
        (folder / "store").mkdir()
        ports = {each: free_port() for each in ("admin", "box", "http")}
        configuration = folder / "kannel.conf"
        configuration.write_text(_CONFIGURATION.format(folder=folder, port=port, window=window, **ports))
        for program, opened in ((_BEARERBOX, "box"), (_SMSBOX, "http")):
            command = [str(program), "-v", "4", str(configuration)]
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            ended.callback(_end, process)
            _await_port(ports[opened])
        yield ports["http"]


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


async def _hand_in(http: int, numbers: list[str], query: str, refused: list[bytes]) -> None:
    """One client: text after text on one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", http)
    while numbers:
        writer.write(f"GET /cgi-bin/sendsms?{query}&to={numbers.pop()} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 202"):
            refused.append(head)
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.split(b":")[1]))
    writer.close()


class _Callbacks:
    """Where Kannel calls back: answers each request, and knows when all have come."""

    def __init__(self, expected: int) -> None:
        self.expected = expected
        self.done = asyncio.Event()

    def heard(self, requests: int) -> None:
        self.expected -= requests
        if self.expected <= 0:
            self.done.set()


class _Callback(asyncio.Protocol):
    def __init__(self, callbacks: _Callbacks) -> None:
        self._callbacks = callbacks
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        *requests, self._rest = (self._rest + data).split(b"\r\n\r\n")
        self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" * len(requests))
        self._callbacks.heard(len(requests))


async def _run(http: int, rows: int, text: str) -> float:
    callbacks = _Callbacks(rows)
    server = await asyncio.get_running_loop().create_server(lambda: _Callback(callbacks), "127.0.0.1", 0)
    async with server:
        callback = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/?of=%p"
        asked = {"username": "benchmark", "password": "benchmark", "from": "Clinica", "text": text}
        query = urlencode(asked | {"dlr-mask": 3, "dlr-url": callback})
        numbers = [f"%2B346{number:08}" for number in range(rows)]
        refused: list[bytes] = []
        began = time.perf_counter()
        await asyncio.gather(*(_hand_in(http, numbers, query, refused) for _ in range(_CLIENTS)))
        if refused:
            raise SystemExit(f"Kannel refused {len(refused)} texts: {refused[0]!r}")
        await asyncio.wait_for(callbacks.done.wait(), _LONGEST)
        return time.perf_counter() - began


def seconds(port: int, rows: int, window: int, text: str) -> float:
    """How long Kannel takes for as many texts over the SMSC at `port`: from the first request to the last receipt."""
    with _kannel(port, window) as http:
        return asyncio.run(_run(http, rows, text))


def main() -> None:
    """Run it alone and print its rate."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--window", type=int, default=100)
    asked = parser.parse_args()
    took = seconds(asked.port, asked.rows, asked.window, "Hello, we remind you of your appointment tomorrow at 10:30.")
    print(json.dumps({"benchmark": "kannel", "rows": asked.rows, "rows_per_second": round(asked.rows / took)}))


if __name__ == "__main__":
    main()
