"""The bounds that a child process sets itself before it touches a hostile file, and how it says what was wrong."""

__all__ = ["ENCRYPTED", "TOO_COSTLY", "UNREADABLE", "WRONG_PASSWORD", "limit"]

TOO_COSTLY, UNREADABLE, ENCRYPTED, WRONG_PASSWORD = 3, 4, 5, 6  #: exit codes


def limit(memory: int, seconds: int) -> None:
    """Let the system stop this process beyond so many bytes and so many seconds of work, where it can."""
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return
    for kind, most in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, seconds), (resource.RLIMIT_CORE, 0)):
        _, hard = resource.getrlimit(kind)
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (bound, bound))
