"""A folder for what has to be a file for a moment and may not stay, such as a workbook without its password."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from xlsms.files.boot import is_alive

__all__ = ["scratch"]

_NAME = re.compile(r"xlsms-([0-9]+)-\w+")


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder that only this user can enter; gone afterwards. Those that killed processes left go first."""
    around = Path(tempfile.gettempdir())
    with suppress(OSError):
        for left in around.glob("xlsms-*"):
            match = _NAME.fullmatch(left.name)
            if match is not None and not is_alive(int(match[1])):
                shutil.rmtree(left, ignore_errors=True)  # another user's stays: it may not be entered
    with tempfile.TemporaryDirectory(prefix=f"xlsms-{os.getpid()}-", dir=around) as folder:
        yield Path(folder)
