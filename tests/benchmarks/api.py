"""The REST API beside a bare Starlette on the same server, each in a process of its own, asked in turn over loopback.

    python -m tests.benchmarks.api --seconds 3

Prints requests a second and their ratio; `plan` takes rows a second. One processor each for server and asker.
"""

import argparse
import json
import multiprocessing
import socket
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

GUID = "4c1f0a52-6a1c-4a59-9f3a-0d6f3f0b7a11"


def bare(listening):
    """Starlette with an answer of its own, as our server is set."""

    async def hello(_request):
        return JSONResponse({"service": "xlsms", "proof": "0" * 64})

    app = Starlette(routes=[Route("/v1/hello", hello)])
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none", http="h11")
    uvicorn.Server(config).run(sockets=[listening])


def ours(folder, ready):
    """A service with a simulated network."""
    from tests.unit.api.conftest import running

    with running(Path(folder)) as office:
        ready.send((office.address, office.token))
        ready.recv()


@contextmanager
def servers():
    """Address and token of each."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen(128)
    here, there = multiprocessing.Pipe()
    folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    started = [
        multiprocessing.Process(target=bare, args=(listening,)),
        multiprocessing.Process(target=ours, args=(folder.name, there)),
    ]
    for each in started:
        each.start()
    try:
        yield f"127.0.0.1:{listening.getsockname()[1]}", *here.recv()
    finally:
        here.send(None)
        started[1].join(30)
        started[0].terminate()
        folder.cleanup()


class Asker:
    """One connection that is kept, and no more of HTTP than it needs: a client must not be what is measured."""

    def __init__(self, host, token=""):
        name, port = host.rsplit(":", 1)
        self._host, self._token = host, token
        self._socket = socket.create_connection((name, int(port)))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._read = self._socket.makefile("rb")

    def ask(self, method, path, body=None):
        """The answer's body."""
        content = b"" if body is None else body
        head = f"{method} {path} HTTP/1.1\r\nHost: {self._host}\r\nAuthorization: Bearer {self._token}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        self._socket.sendall(head.encode() + content)
        status = self._read.readline()
        length = 0
        while (line := self._read.readline()) != b"\r\n":
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        answer = self._read.read(length)
        if b" 200 " not in status:
            raise RuntimeError(f"{status!r} {answer[:300]!r}")
        return answer


def rate(ask, seconds):
    """How many a second."""
    ask()
    count, began = 0, time.perf_counter()
    while (took := time.perf_counter() - began) < seconds:
        ask()
        count += 1
    return count / took


def rows(count):
    """The body of a plan."""
    sheet = {"name": "Lista", "header_row": 1, "columns": {"phone": "B"}, "headers": {"A": "Nombre", "B": "Teléfono"}}
    row = {"sheet": "Lista", "message": "Hola {Nombre}", "marked": True}
    found = [
        row | {"number": n, "phone": f"6{n:08}", "fields": {"Nombre": f"P{n}"}, "values": {"Nombre": f"P{n}"}}
        for n in range(2, count + 2)
    ]
    return {"language": "es", "hidden": False, "sheets": [sheet], "rows": found}


def main():
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rows", type=int, default=1_000)
    wanted = parser.parse_args()
    with servers() as (beside, address, token):
        host = address.removeprefix("http://")
        plain, asker = Asker(beside), Asker(host, token)
        book = json.loads(
            asker.ask(
                "POST",
                "/v1/workbooks",
                json.dumps({"guid": GUID, "path": None, "name": "x", "host": "excel", "language": "es"}).encode(),
            )
        )["id"]
        changes = json.dumps({"workbook": book, "since": 0, "wait": 0}).encode()
        plan = json.dumps(rows(wanted.rows) | {"workbook": book}).encode()
        hello = "/v1/hello?challenge=0123456789abcdef"
        asked = {
            "hello": lambda: asker.ask("GET", hello),
            "health": lambda: asker.ask("GET", "/v1/health"),
            "changes": lambda: asker.ask("POST", "/v1/changes", changes),
            f"plan of {wanted.rows} rows": lambda: asker.ask("POST", "/v1/plans", plan),
        }
        for name, ask in asked.items():
            first = rate(lambda: plain.ask("GET", hello), wanted.seconds / 2)
            here = rate(ask, wanted.seconds)
            second = rate(lambda: plain.ask("GET", hello), wanted.seconds / 2)
            bare_rate = (first + second) / 2
            print(f"{name}: {here:,.0f} a second; bare Starlette {bare_rate:,.0f} ({here / bare_rate:.2f} x)")
            if name.startswith("plan"):
                print(f"  {here * wanted.rows:,.0f} rows a second")


if __name__ == "__main__":
    main()
