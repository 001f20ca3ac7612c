"""A port of this computer that nobody listens at, nor will before the test does."""

import atexit
import contextlib
import errno
import itertools
import os
import socket
from pathlib import Path

__all__ = ["free_port"]

#: Below the ports that the system gives to whoever asks for any: one of these would be free now and be somebody's outgoing
#: call a moment later.
_PORTS = range(20_000, 32_768)

#: Where Linux says at which port those begin.
_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")

#: A datagram socket at each port given out keeps it from the other test processes until this one ends.
_held = contextlib.ExitStack()
atexit.register(_held.close)


def free_port() -> int:
    """One that this process alone has, until it ends; a server may come and go there.

    Raises:
        OSError: none is left.
    """
    ports = _ports()
    # Processes that begin at different ports seldom meet.
    first = os.getpid() * 97 % len(ports)
    for port in itertools.chain(ports[first:], ports[:first]):
        keeper = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            keeper.bind(("127.0.0.1", port))
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            keeper.close()
            continue
        _held.enter_context(keeper)
        return port
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


def _ports() -> range:
    """Those to choose from."""
    if not _EPHEMERAL.exists():
        return _PORTS
    first, last = map(int, _EPHEMERAL.read_text().split())
    below = range(_PORTS.start, min(_PORTS.stop, first))
    # A system may give out all from 1024 on: then above, and where that is nothing either, anywhere.
    return below or range(last + 1, 65_536) or _PORTS
