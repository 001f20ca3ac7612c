"""A port of this computer that nobody listens at."""

import socket

__all__ = ["free_port"]


def free_port() -> int:
    """One that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
