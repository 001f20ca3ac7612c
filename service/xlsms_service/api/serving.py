"""The web server: on the loop of the service, reachable from this computer only, silent about what is asked."""

import asyncio
import errno
import ipaddress
import json
import logging
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

import xlsms
from xlsms import home
from xlsms.errors import UserError
from xlsms.journal import note

__all__ = ["DEFAULT", "bind", "hosts_of", "serve"]

#: Where the service listens when the settings do not say, or on any free port when that is taken.
DEFAULT = "127.0.0.1:8765"

_BACKLOG = 128

#: What uvicorn says of a request that is none, and which of its loggers says so.
_NO_HTTP, _SAYS = "Invalid HTTP request", "uvicorn.error"
_MINUTE = 60.0

_log = logging.getLogger(__name__)


def bind(listen: str | None) -> socket.socket:
    """The socket to listen on.

    Raises:
        UserError: `listen-taken`, `listen-not-loopback`.
    """
    try:
        return _bind(listen or DEFAULT)
    except OSError as error:
        if listen is None and error.errno in (errno.EADDRINUSE, errno.EACCES):
            return _bind(DEFAULT.rpartition(":")[0] + ":0")  # whoever looks for us reads where we are
        raise UserError("listen-taken", listen=listen or DEFAULT, reason=error.strerror or "") from error


def _bind(listen: str) -> socket.socket:
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    address = "127.0.0.1" if host == "localhost" else host
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        raise UserError("listen-not-loopback", listen=listen) from None
    if not ip.is_loopback:
        raise UserError("listen-not-loopback", listen=listen)
    family = socket.AF_INET if ip.version == 4 else socket.AF_INET6  # noqa: PLR2004  # IPv4
    # Only where the protocol is named asyncio sets TCP_NODELAY: without it each answer would wait 40 ms for an ACK.
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform == "win32":  # there, SO_REUSEADDR would let anybody take the port from us; not tried
            made.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((address, int(port)))
        made.listen(_BACKLOG)
        made.setblocking(False)  # the socket module's own
    except OSError:
        made.close()
        raise
    return made


def hosts_of(listening: socket.socket) -> tuple[str, ...]:
    """The values of `Host` that mean this socket."""
    address, port = listening.getsockname()[:2]
    own = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    return (own, f"localhost:{port}")


class _Sparing(logging.Filter):
    """Tells in a line a minute how often something came that is no HTTP; whoever sends it shall not fill the disk."""

    def __init__(self) -> None:
        super().__init__()
        self._told: float | None = None
        self._count = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the web server says it itself."""
        if not str(record.msg).startswith(_NO_HTTP):
            return True
        self._count += 1
        if self._told is None or record.created - self._told >= _MINUTE:
            note(_log, logging.WARNING, "log-no-http", count=self._count)
            self._told, self._count = record.created, 0
        return False


class _Server(uvicorn.Server):
    """Leaves the signals to the service that it runs in."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing."""
        yield


@asynccontextmanager
async def serve(app: ASGIApp, listening: socket.socket, data: Path, closing: Callable[[], None]) -> AsyncIterator[str]:
    """Serve on this socket while the body runs, and say in `data` where; `closing` ends the answers that wait."""
    server = _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,  # addresses hold nothing, but who asked what is nobody's business
            log_level="warning",
            lifespan="off",
            ws="none",
            http="h11",
            server_header=False,
            timeout_graceful_shutdown=2,
        )
    )
    address = f"http://{hosts_of(listening)[0]}"
    sparing, says = _Sparing(), logging.getLogger(_SAYS)
    says.addFilter(sparing)
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        while not server.started and not task.done():  # noqa: ASYNC110  # it has no event for it
            await asyncio.sleep(0.01)
        if task.done():
            await task
        _light(data, address)
        yield address
    finally:
        _put_out(data)
        closing()
        server.should_exit = True
        with suppress(asyncio.CancelledError):
            await task
        listening.close()
        says.removeFilter(sparing)


def _light(data: Path, address: str) -> None:
    """Say where the service is, whole or not at all."""
    beside = data / f".{home.BEACON}.{os.getpid()}"
    said = {"address": address, "pid": os.getpid(), "version": xlsms.__version__}
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(said, file)
    beside.replace(data / home.BEACON)


def _put_out(data: Path) -> None:
    """The service is not there any more; what another one has said since stays."""
    known = home.read_beacon(data)
    if known is not None and known.pid == os.getpid():
        (data / home.BEACON).unlink(missing_ok=True)
