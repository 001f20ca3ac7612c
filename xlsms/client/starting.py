"""Finding the service of this user, and starting it when it is not running."""

import hashlib
import hmac
import importlib.util
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from xlsms import home
from xlsms.errors import UserError, XlsmsError

__all__ = ["Found", "find", "prove", "start"]

#: Seconds for one question whether somebody is there.
_PROBE = 2.0

#: Seconds between two looks while the service starts.
_LOOK = 0.1

#: Seconds to go on looking after the process that we started has ended: another one may have been quicker.
_LAST = 2.0

_LOG_TAIL = 16_384

#: Windows: no window, and no part of the console's Ctrl+C. By the documentation of CreateProcess; not tried.
_DETACHED = 0
if sys.platform == "win32":
    _DETACHED = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A service that has shown that it knows the token."""

    address: str
    token: str


def prove(token: str, challenge: str) -> str:
    """What only someone who knows the token can say to a challenge. So the token never goes to a stranger."""
    return hmac.new(token.encode(), challenge.encode(), hashlib.sha256).hexdigest()


def find(data: Path, transport: httpx.BaseTransport | None = None) -> Found | None:
    """The running service of a data folder, asked whether it is the one; None when there is none."""
    beacon, token = home.read_beacon(data), home.read_token(data)
    if beacon is None or token is None:
        return None
    challenge = secrets.token_hex(16)
    with suppress(httpx.HTTPError, ValueError):
        with httpx.Client(base_url=beacon.address, timeout=_PROBE, trust_env=False, transport=transport) as client:
            said = client.get("/v1/hello", params={"challenge": challenge}).json()
        if isinstance(said, dict) and hmac.compare_digest(str(said.get("proof")), prove(token, challenge)):
            return Found(address=beacon.address, token=token)
    return None


def start(
    data: Path,
    config: Path | None,
    *,
    patience: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Found:
    """Start the service as a process of its own, which outlives this one, and wait until it answers.

    Raises:
        UserError: it cannot be started, and why; its settings, its links or another one that is in its way.
    """
    if importlib.util.find_spec("xlsms_service") is None:
        raise UserError("service-not-installed")
    process, log = _spawn(data, config)
    deadline = clock() + patience
    while clock() < deadline:
        found = find(data)
        if found is not None:
            process.returncode = process.poll() or 0  # it is to outlive us: nobody waits for it
            return found
        if process.poll() is not None:
            deadline = min(deadline, clock() + _LAST)
        sleep(_LOOK)
    raise _why(log, ended=process.poll() is not None)


def _spawn(data: Path, config: Path | None) -> "tuple[subprocess.Popen[bytes], Path]":
    log = data / home.LOG
    # -I: nothing is imported from the folder of a workbook, nor from what the environment names.
    command = [sys.executable, "-I", "-m", "xlsms_service"]
    command += ["--config", str(config)] if config else []
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            return subprocess.Popen(  # noqa: S603  # our own module, no words from outside
                [*command, "run"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,  # it names numbers; what it complains of does not
                stderr=out,
                cwd=data,
                start_new_session=True,  # closing the terminal or the spreadsheet does not end it; POSIX only
                creationflags=_DETACHED,
            ), log
    except OSError as error:
        raise UserError("service-not-started", reason=error.strerror or type(error).__name__, file=log) from error


def _why(log: Path, *, ended: bool) -> XlsmsError:
    """What the service said last before it ended, or that it is not ready yet."""
    if not ended:
        return UserError("service-slow", file=log)
    lines: list[str] = []
    with suppress(OSError):
        lines = [line for line in log.read_text("utf-8", "replace")[-_LOG_TAIL:].splitlines() if line.strip()]
    return UserError("service-not-started", reason=lines[-1].strip() if lines else "–", file=log)
