"""The file where Python leaves word for the tick of a workbook in Excel: another word than before is news."""

import secrets
from contextlib import suppress
from pathlib import Path

__all__ = ["AWAY", "RUNNING", "STOPPED", "ask_again", "leave_word", "show_service"]

RUNNING, STOPPED, AWAY = "running", "stopped", "away"


def leave_word(news: Path, word: str) -> None:
    """Change the file at once, so that nobody reads half of it."""
    draft = news.with_suffix(".draft")
    draft.write_text(f"{word}\n", "ascii")
    draft.replace(news)


def ask_again(news: Path | None) -> None:
    """What is new could not be written now: let the tick come back to it."""
    if news is not None:
        leave_word(news, f"again-{secrets.token_hex(4)}")


def show_service(folder: Path | None, word: str) -> None:
    """Let the ribbon know how the service is: what cannot be pressed is grey, and Stop says what it does."""
    if folder is not None:
        with suppress(OSError):  # the tick makes the folder; without one nobody looks
            leave_word(folder / "service.state", word)
