"""The token of this user: a file that only this user can read, made at the first start."""

import hmac
import os
import secrets
import stat
import sys
from pathlib import Path

from xlsms import home
from xlsms.errors import UserError

__all__ = ["matches", "prove", "token"]

#: 256 bits by chance.
_BYTES = 32


def token(data: Path) -> str:
    """The token in a data folder; a new one where there is none, or where others could have read it.

    Raises:
        UserError: `token-unusable`; the file cannot be read or written.
    """
    path = data / home.TOKEN
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        if _private(path):
            known = path.read_text("ascii").strip()
            if len(known) >= _BYTES:
                return known
        return _new(path)
    except (OSError, UnicodeDecodeError) as error:
        raise UserError("token-unusable", file=path, reason=type(error).__name__) from error


def _private(path: Path) -> bool:
    """Whether it is there, a file of ours, and closed to others; on Windows the user's profile folder closes it."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return False
    if sys.platform == "win32":
        return True
    return stat.S_ISREG(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o077


def _new(path: Path) -> str:
    """Put a new token beside the old one and exchange them, so that no reader ever finds half of one."""
    made = secrets.token_urlsafe(_BYTES)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(made)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    return made


def matches(given: str, known: str) -> bool:
    """Whether they are the same; how long it takes says nothing about where they differ."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), known.encode())


def prove(token: str, challenge: str) -> str:
    """What only someone who knows the token can say to a challenge."""
    return hmac.new(token.encode(), challenge.encode(), "sha256").hexdigest()
