"""Work on hostile files in a child process that may neither grow nor hang."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO

from xlsms.errors import UserError
from xlsms.workbook.bounds import ENCRYPTED, TOO_COSTLY, WRONG_PASSWORD

__all__ = ["USUAL", "Limits", "run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a file may cost. Windows knows the time only."""

    memory: int = 1 << 30  #: bytes of address space of the child
    seconds: int = 60  #: of processor time, and twice that on the clock
    output: int = 512 << 20  #: bytes that the child may answer with
    inflated: int = 1 << 30  #: bytes of all members of a .xlsb or .ods
    cells: int = 40_000_000  #: in the rectangle that a sheet of a .xlsb says it has


USUAL = Limits()


@contextmanager
def run(module: str, arguments: Sequence[str], limits: Limits, given: bytes = b"") -> Iterator[IO[bytes]]:
    """What a module of this package prints when it is run by itself, with `given` on its standard input.

    Raises:
        UserError: `file-too-costly` beyond a limit, `file-encrypted`, `file-password-wrong`, `file-damaged`.
    """
    # -P: a module that lies in the current folder is not ours
    command = [sys.executable, "-P", "-m", f"xlsms.workbook.{module}", str(limits.memory), str(limits.seconds)]
    # Files, not pipes: nobody waits for anybody, and a child that floods us is seen by the length alone.
    with tempfile.TemporaryFile() as answer, tempfile.TemporaryFile() as complaint, tempfile.TemporaryFile() as told:
        told.write(given)
        told.seek(0)
        child = subprocess.Popen([*command, *arguments], stdin=told, stdout=answer, stderr=complaint)  # noqa: S603 - ours
        try:
            code = _ended(child, answer, limits)
        finally:
            child.kill()
            child.wait()
        complaint.seek(0)
        _judge(code, complaint.read(200).decode("utf-8", "replace"))
        answer.seek(0)
        yield answer


def _ended(child: subprocess.Popen[bytes], answer: IO[bytes], limits: Limits) -> int | None:
    """How the child ended; None when it took too long or said too much."""
    step = 0.25
    for _ in range(int(2 * limits.seconds / step)):
        with suppress(subprocess.TimeoutExpired):
            child.wait(step)
        if os.fstat(answer.fileno()).st_size > limits.output:
            return None
        if child.returncode is not None:
            return child.returncode
    return None


def _judge(code: int | None, complaint: str) -> None:
    if code is None or code < 0 or code == TOO_COSTLY:  # a signal: the system's limit, or no memory in a library
        raise UserError("file-too-costly")
    if code in (ENCRYPTED, WRONG_PASSWORD):
        raise UserError("file-encrypted" if code == ENCRYPTED else "file-password-wrong")
    if code:
        raise UserError("file-damaged", reason=(complaint.splitlines() or ["?"])[0])
