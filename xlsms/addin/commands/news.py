"""The file where Python leaves word for the tick of a workbook in Excel: another word than before is news."""

import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from xlsms.errors import TransientError

__all__ = ["AWAY", "GONE", "RUNNING", "STOPPED", "ask_again", "leave_word", "show_service"]

RUNNING, STOPPED, AWAY = "running", "stopped", "away"

#: Codes of errors after which there is no workbook to come back to.
GONE = frozenset({"workbook-not-open", "no-workbook-open", "excel-not-running"})

#: Seconds between tries while the tick reads the file, which Windows lets nobody replace in that instant.
_DELAYS = (0.01, 0.05, 0.2, 1.0)


def leave_word(news: Path, word: str, sleep: Callable[[float], None] = time.sleep) -> None:
    """Change the file at once, so that nobody reads half of it.

    Raises:
        TransientError: `excel-busy`; somebody holds the file open.
    """
    draft = news.with_name(f"{news.name}.{secrets.token_hex(4)}.draft")  # two of us may have something to say
    draft.write_text(f"{word}\n", "ascii")
    for delay in (*_DELAYS, None):
        try:
            draft.replace(news)
        except PermissionError as error:
            if delay is None:
                draft.unlink(missing_ok=True)
                raise TransientError("excel-busy") from error
            sleep(delay)
        else:
            return


def ask_again(news: Path | None) -> None:
    """What is new could not be written now: let the tick come back to it."""
    if news is not None:
        leave_word(news, f"again-{secrets.token_hex(4)}")


def show_service(folder: Path | None, word: str) -> None:
    """Let the ribbon know how the service is: what cannot be pressed is grey, and Stop says what it does."""
    if folder is not None:
        with suppress(OSError, TransientError):  # the tick makes the folder; without one nobody looks
            leave_word(folder / "service.state", word)
