"""A port given to a test stays its own: else a run fails once in a hundred, and for nobody's fault."""

import os
import socket
import subprocess
import sys

from tests.port import free_port

#: A process that begins to look at the same port.
_OTHER = """
import os, sys
os.getpid = lambda: int(sys.argv[1])
from tests.port import free_port
print(*(free_port() for _ in range(20)))
"""


def test_no_port_is_given_out_twice_and_servers_come_and_go_there():
    ports = {free_port() for _ in range(20)}
    assert len(ports) == 20
    for port in [*ports, *ports]:
        socket.create_server(("127.0.0.1", port)).close()


def test_other_processes_get_others():
    ours = {free_port() for _ in range(20)}
    command = [sys.executable, "-c", _OTHER, str(os.getpid())]
    theirs = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    assert not ours & set(map(int, theirs.split()))
